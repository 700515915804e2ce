/* Block device: configuration and requests (virtio 1.4, 5.2.5 and 5.2.6). */
#include "check_blk.h"

#define U(value) ((unsigned long long)(value))

bool vio_blk_decode(const vio_checker *checker, const vio_fact *fact, vio_blk_request *request) {
  const vio_check_chain *chain = fact->chain;
  if (vio_check_device_type(checker) != (int)VIO_DEVICE_TYPE_BLK || chain == NULL) return false;
  if (!vio_check_session_knows(&checker->session) || !chain->complete || chain->writable == 0)
    return false;
  if (vio_check_queue_is_admin(checker, fact->queue)) return false;
  const int64_t captured = vio_check_coverage_prefix(&chain->captured);
  if (captured < (int64_t)VIO_BLK_HEADER_LENGTH) return false;
  request->kind = vio_check_le32(chain->capture);
  request->sector = vio_check_le32(chain->capture + 8) | (uint64_t)vio_check_le32(chain->capture + 12)
                                                             << 32;
  const bool inward = request->kind == VIO_BLK_REQUEST_IN || request->kind == VIO_BLK_REQUEST_GET_ID ||
                      request->kind == VIO_BLK_REQUEST_GET_LIFETIME;
  request->length = inward ? chain->writable - 1 : chain->readable - VIO_BLK_HEADER_LENGTH;
  request->status = chain->status;
  request->segments = (uint32_t)(captured - (int64_t)VIO_BLK_HEADER_LENGTH) / VIO_BLK_SEGMENT;
  request->chain = chain;
  return true;
}

/* ---- configuration ---- */

static void offer(vio_checker *checker, const vio_fact *fact) {
  const vio_check_set *offered = fact->offered;
  if (vio_check_device_type(checker) != (int)VIO_DEVICE_TYPE_BLK || offered == NULL) return;
  const bool flush = vio_check_set_has(offered, VIO_BLK_FEATURE_FLUSH);
  JUDGE(VIO_DEV_BLK_001, flush, "FLUSH is not offered");
  if (vio_check_set_has(offered, VIO_BLK_FEATURE_CONFIG_WCE))
    JUDGE(VIO_DEV_BLK_002, flush, "CONFIG_WCE is offered without FLUSH");
  if (vio_check_set_has(offered, VIO_BLK_FEATURE_RO))
    JUDGE(VIO_DRV_BLK_013,
          fact->accepted != NULL && vio_check_set_has(fact->accepted, VIO_BLK_FEATURE_RO),
          "RO is offered but not accepted");
}

static bool touches(const vio_fact *fact, uint64_t at) {
  return fact->offset <= at && at < (vio_wide)fact->offset + fact->length;
}

static void config_read(vio_checker *checker, const vio_fact *fact) {
  static const uint8_t PADDING[] = {0x21, 0x39, 0x3a, 0x3b};
  const vio_check_session *session = &checker->session;
  if (vio_check_device_type(checker) != (int)VIO_DEVICE_TYPE_BLK) return;
  if (touches(fact, VIO_BLK_CFG_WRITEBACK)) {
    if (session->known)
      JUDGE(VIO_DRV_BLK_004, session->features_ok_written, "writeback is read before FEATURES_OK");
    if (!checker->rules.blk.written && vio_check_session_has(session, VIO_BLK_FEATURE_CONFIG_WCE) &&
        vio_check_session_lacks(session, VIO_BLK_FEATURE_FLUSH))
      JUDGE(VIO_DEV_BLK_003, fact->data[VIO_BLK_CFG_WRITEBACK - fact->offset] == 0,
            "writeback is 1, and FLUSH was not negotiated");
  }
  for (size_t i = 0; i < sizeof PADDING; i++)
    if (touches(fact, PADDING[i]))
      JUDGE(VIO_DEV_BLK_004, fact->data[PADDING[i] - fact->offset] == 0, "padding at 0x%x reads 0x%x",
            PADDING[i], fact->data[PADDING[i] - fact->offset]);
}

/* ---- requests ---- */

static void transfer(vio_checker *checker, const vio_blk_request *request) {
  const int64_t capacity_low = vio_check_device_value(checker, VIO_BLK_CFG_CAPACITY, 4),
                capacity_high = vio_check_device_value(checker, VIO_BLK_CFG_CAPACITY + 4, 4);
  if (capacity_low != NONE && capacity_high != NONE) {
    const uint64_t capacity = (uint64_t)capacity_low | (uint64_t)capacity_high << 32;
    const vio_wide end =
        (vio_wide)request->sector + (request->length + VIO_BLK_SECTOR - 1) / VIO_BLK_SECTOR;
    JUDGE(VIO_DRV_BLK_012, end <= capacity, "a request ends at sector %llu, the capacity is %llu", U(end),
          U(capacity));
  }
  JUDGE(VIO_DRV_BLK_016, request->length % VIO_BLK_SECTOR == 0, "a request carries %llu bytes of data",
        U(request->length));
  if (request->kind == VIO_BLK_REQUEST_OUT &&
      vio_check_set_has(&checker->session.offered, VIO_BLK_FEATURE_RO))
    JUDGE(VIO_DEV_BLK_023, request->status == (int)VIO_BLK_STATUS_IOERR, "an OUT request ended with %d",
          request->status);
}

/* A request that the device calls done was done whole, however it was cut into descriptors. */
static void whole(vio_checker *checker, const vio_blk_request *request) {
  const vio_check_chain *chain = request->chain;
  const bool out = request->kind == VIO_BLK_REQUEST_OUT;
  if (chain->packed || chain->refused || request->status != (int)VIO_BLK_STATUS_OK) return;
  const int64_t done = vio_check_coverage_prefix(out ? &chain->fetched : &chain->written);
  const uint64_t all = out ? chain->readable : chain->writable;
  if (done != NONE)
    JUDGE(VIO_DEV_SPLIT_001, (uint64_t)done == all,
          "%llu of %llu bytes of a request in %u pieces were moved", U(done), U(all), chain->count);
}

static void flush(vio_checker *checker, const vio_blk_request *request) {
  const int64_t extra = (int64_t)(request->length + request->chain->writable) - 1;
  JUDGE(VIO_DRV_BLK_014, request->sector == 0, "a FLUSH request names sector %llu", U(request->sector));
  JUDGE(VIO_DRV_BLK_015, extra == 0, "a FLUSH request carries %lld bytes of data", (long long)extra);
}

static void segments(vio_checker *checker, const vio_blk_request *request) {
  const bool discard = request->kind == VIO_BLK_REQUEST_DISCARD,
             erase = request->kind == VIO_BLK_REQUEST_SECURE_ERASE;
  const enum vio_clause limited = discard ? VIO_DRV_BLK_019 : erase ? VIO_DRV_BLK_020 : VIO_DRV_BLK_021;
  const uint32_t field = discard ? VIO_BLK_CFG_MAX_DISCARD_SEG
                         : erase ? VIO_BLK_CFG_MAX_SECURE_ERASE_SEG
                                 : VIO_BLK_CFG_MAX_WRITE_ZEROES_SEG;
  const int64_t limit = vio_check_device_value(checker, field, 4);
  bool unmap = false, unknown = false;
  JUDGE(VIO_DRV_BLK_017, request->length % VIO_BLK_SEGMENT == 0,
        "a segmented request carries %llu bytes of data", U(request->length));
  if (limit != NONE)
    JUDGE(limited, request->length / VIO_BLK_SEGMENT <= (uint64_t)limit,
          "a request holds %llu segments, %lld allowed", U(request->length / VIO_BLK_SEGMENT),
          (long long)limit);
  for (uint32_t i = 0; i < request->segments; i++) {
    const uint32_t flags =
        vio_check_le32(request->chain->capture + VIO_BLK_HEADER_LENGTH + VIO_BLK_SEGMENT * i + 12);
    unmap = unmap || flags & 1u;
    unknown = unknown || (flags & ~1u) != 0;
  }
  if (discard) JUDGE(VIO_DRV_BLK_024, !unmap, "a DISCARD request has unmap set");
  const bool refused = request->status == (int)VIO_BLK_STATUS_UNSUPP;
  if (unknown) JUDGE(VIO_DEV_BLK_025, refused, "unknown flags ended with %d", request->status);
  if (discard && unmap)
    JUDGE(VIO_DEV_BLK_026, refused, "unmap in DISCARD ended with %d", request->status);
}

static void lifetime(vio_checker *checker, const vio_blk_request *request) {
  const uint8_t *reply = request->chain->reply;
  if (request->status != (int)VIO_BLK_STATUS_OK || request->length < 6) return;
  const uint32_t first = vio_check_le16(reply), second = vio_check_le16(reply + 2),
                 third = vio_check_le16(reply + 4);
  JUDGE(VIO_DEV_BLK_037, first <= 3 && second <= 11 && third <= 11, "lifetime information is %u, %u, %u",
        first, second, third);
}

static bool is_zone_request(uint32_t kind) {
  return kind == VIO_BLK_ZONE_REQUEST_APPEND || kind == VIO_BLK_ZONE_REQUEST_REPORT ||
         kind == VIO_BLK_ZONE_REQUEST_OPEN || kind == VIO_BLK_ZONE_REQUEST_CLOSE ||
         kind == VIO_BLK_ZONE_REQUEST_FINISH || kind == VIO_BLK_ZONE_REQUEST_RESET ||
         kind == VIO_BLK_ZONE_REQUEST_RESET_ALL;
}

static void judge_request(vio_checker *checker, const vio_blk_request *request) {
  switch (request->kind) {
    case VIO_BLK_REQUEST_IN:
    case VIO_BLK_REQUEST_OUT:
      transfer(checker, request);
      whole(checker, request);
      break;
    case VIO_BLK_REQUEST_FLUSH:
      flush(checker, request);
      break;
    case VIO_BLK_REQUEST_DISCARD:
    case VIO_BLK_REQUEST_WRITE_ZEROES:
    case VIO_BLK_REQUEST_SECURE_ERASE:
      segments(checker, request);
      break;
    case VIO_BLK_REQUEST_GET_ID:
      JUDGE(VIO_DRV_BLK_018, request->length == VIO_BLK_ID_LENGTH,
            "a GET_ID request has room for %llu bytes", U(request->length));
      break;
    case VIO_BLK_REQUEST_GET_LIFETIME:
      lifetime(checker, request);
      break;
    default:
      if (is_zone_request(request->kind) &&
          vio_check_session_lacks(&checker->session, VIO_BLK_FEATURE_ZONED))
        JUDGE(VIO_DEV_BLK_038, request->status == (int)VIO_BLK_STATUS_UNSUPP,
              "a zone request ended with %d", request->status);
      break;
  }
}

void vio_rules_blk(vio_checker *checker, const vio_fact *fact) {
  vio_blk_request request;
  if (fact->kind == FACT_FEATURES_OK) offer(checker, fact);
  if (fact->kind == FACT_CONFIG_READ) config_read(checker, fact);
  if (fact->kind == FACT_RESET_DONE) checker->rules.blk.written = false;
  if (fact->kind == FACT_CONFIG_WRITE && touches(fact, VIO_BLK_CFG_WRITEBACK))
    checker->rules.blk.written = true;
  if (fact->kind == FACT_BUFFER_USED && vio_blk_decode(checker, fact, &request))
    judge_request(checker, &request);
}
