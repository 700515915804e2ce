/* Zoned block devices: what can be told without the states of zones (virtio 1.4, 5.2.5 and 5.2.6). */
#include "check_blk.h"

#define U(value) ((unsigned long long)(value))
#define START VIO_BLK_ZONED_ZONE_SECTORS
#define MODEL VIO_BLK_ZONED_MODEL

static void limits(vio_checker *checker) {
  const int64_t append = vio_check_device_value(checker, VIO_BLK_ZONED_MAX_APPEND_SECTORS, 4),
                segments = vio_check_device_value(checker, VIO_BLK_CFG_SEG_MAX, 4),
                size = vio_check_device_value(checker, VIO_BLK_CFG_SIZE_MAX, 4),
                alignment = vio_check_device_value(checker, VIO_BLK_CFG_SECURE_ERASE_SECTOR_ALIGNMENT, 4),
                zone = vio_check_device_value(checker, START, 4);
  if (append != NONE && segments != NONE && size != NONE)
    JUDGE(VIO_DEV_BLK_017, (uint64_t)append * VIO_BLK_SECTOR <= (uint64_t)segments * (uint64_t)size,
          "max_append_sectors is %lld, seg_max * size_max %llu bytes", (long long)append,
          U((uint64_t)segments * (uint64_t)size));
  if (alignment != NONE && zone > 0 && vio_check_session_has(&checker->session, VIO_BLK_FEATURE_ZONED))
    JUDGE(VIO_DEV_BLK_060, alignment % zone == 0, "erasing is aligned to %lld sectors, zones are %lld",
          (long long)alignment, (long long)zone);
}

static void config_read(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const bool offered = vio_check_set_has(&session->offered, VIO_BLK_FEATURE_ZONED),
             has = vio_check_session_has(session, VIO_BLK_FEATURE_ZONED),
             lacks = vio_check_session_lacks(session, VIO_BLK_FEATURE_ZONED);
  if (vio_check_device_type(checker) != (int)VIO_DEVICE_TYPE_BLK || fact->offset + fact->length <= START)
    return;
  for (uint64_t i = 0; i < fact->length; i++) {
    const uint64_t at = fact->offset + i;
    const uint32_t byte = fact->data[i];
    if (at == MODEL && offered)
      JUDGE(VIO_DEV_BLK_005, byte != 0, "ZONED is offered, and the zone model is none");
    if (at >= START && offered && lacks)
      JUDGE(VIO_DEV_BLK_007, byte == 0, "the byte at 0x%llx reads 0x%x, and ZONED was not accepted",
            U(at), byte);
    if (at > MODEL && at < MODEL + 4 && has)
      JUDGE(VIO_DEV_BLK_020, byte == 0, "padding at 0x%llx reads 0x%x", U(at), byte);
  }
  limits(checker);
}

static void append(vio_checker *checker, const vio_blk_request *request, int64_t zone) {
  const int64_t grain = vio_check_device_value(checker, VIO_BLK_ZONED_WRITE_GRANULARITY, 4),
                limit = vio_check_device_value(checker, VIO_BLK_ZONED_MAX_APPEND_SECTORS, 4);
  const bool starts = zone > 0 && request->sector % (uint64_t)zone == 0,
             refused = request->status == (int)VIO_BLK_ZONE_STATUS_INVALID_CMD;
  if (zone > 0) JUDGE(VIO_DRV_BLK_032, starts, "sector %llu begins no zone", U(request->sector));
  if (grain > 0)
    JUDGE(VIO_DRV_BLK_033, request->length % (uint64_t)grain == 0, "%llu bytes are no multiple of %lld",
          U(request->length), (long long)grain);
  const bool fits = limit != NONE && request->length <= (uint64_t)limit * VIO_BLK_SECTOR;
  if (limit != NONE)
    JUDGE(VIO_DRV_BLK_034, fits, "%llu bytes, %lld sectors allowed", U(request->length),
          (long long)limit);
  if (zone > 0 && !starts) JUDGE(VIO_DEV_BLK_047, refused, "the request ended with %d", request->status);
  if (limit == NONE || fits || !starts) return;
  if (limit == 0)
    JUDGE(VIO_DEV_BLK_050, request->status == (int)VIO_BLK_STATUS_UNSUPP,
          "an oversized APPEND ended with %d", request->status);
  else JUDGE(VIO_DEV_BLK_051, refused, "an oversized APPEND ended with %d", request->status);
}

static void judge_request(vio_checker *checker, const vio_blk_request *request) {
  const int64_t zone = vio_check_device_value(checker, START, 4);
  switch (request->kind) {
    case VIO_BLK_ZONE_REQUEST_OPEN:
    case VIO_BLK_ZONE_REQUEST_CLOSE:
    case VIO_BLK_ZONE_REQUEST_FINISH:
    case VIO_BLK_ZONE_REQUEST_RESET:
      if (zone > 0)
        JUDGE(VIO_DRV_BLK_030, request->sector % (uint64_t)zone == 0, "sector %llu begins no zone",
              U(request->sector));
      break;
    case VIO_BLK_ZONE_REQUEST_RESET_ALL:
      JUDGE(VIO_DRV_BLK_031, request->sector == 0, "a RESET_ALL request names sector %llu",
            U(request->sector));
      break;
    case VIO_BLK_ZONE_REQUEST_APPEND:
      append(checker, request, zone);
      break;
    default:
      break;
  }
}

void vio_rules_blk_zoned(vio_checker *checker, const vio_fact *fact) {
  vio_blk_request request;
  if (fact->kind == FACT_CONFIG_READ) config_read(checker, fact);
  if (fact->kind == FACT_BUFFER_USED && vio_check_session_has(&checker->session, VIO_BLK_FEATURE_ZONED) &&
      vio_blk_decode(checker, fact, &request))
    judge_request(checker, &request);
}
