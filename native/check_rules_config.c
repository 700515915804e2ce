/* Device configuration space (virtio 1.4, 2.5) and its generation count (4.1.4.3). */
#include "check_facts.h"

#include <string.h>

/* ---- optional fields are checked ---- */

static void optional_fields(vio_checker *checker, const vio_fact *fact) {
  size_t count;
  const vio_check_device_field *fields = vio_check_device_fields(&count);
  const int type = vio_check_device_type(checker);
  vio_check_set *offered = &checker->rules.config.offered;
  if (checker->session.offered.known != 0) *offered = checker->session.offered;
  if (offered->known == 0) return;
  for (size_t i = 0; i < count; i++) {
    const vio_check_device_field *field = &fields[i];
    const uint64_t owners = field->features;
    if (field->type != type || owners == 0) continue;
    const uint64_t words = ((owners & UINT32_MAX) != 0) | (uint64_t)(owners >> 32 != 0) << 1;
    const bool touched = field->offset < (vio_wide)fact->offset + fact->length &&
                         fact->offset < field->offset + field->width;
    if (!touched || (words & ~offered->known) != 0) continue;
    const uint64_t bits = offered->word[0] | (uint64_t)offered->word[1] << 32;
    JUDGE(VIO_DRV_CFG_003, (bits & owners) != 0, "%s is accessed, but its feature is not offered",
          field->name);
  }
}

/* ---- wide fields are read twice ---- */

static void half_read(vio_checker *checker, const vio_fact *fact) {
  size_t count;
  const vio_check_device_field *fields = vio_check_device_fields(&count);
  const int type = vio_check_device_type(checker);
  for (size_t i = 0; i < count; i++) {
    const vio_check_device_field *field = &fields[i];
    if (field->type != type || field->width != 8 || fact->offset < field->offset ||
        fact->offset >= field->offset + field->width)
      continue;
    if (checker->rules.config.half_known && checker->rules.config.half != fact->offset) {
      checker->rules.config.whole = checker->rules.config.before;
      if (!checker->rules.config.before)
        BREACHED(VIO_DRV_CFG_002, "%s is read without config_generation before it", field->name);
    }
    checker->rules.config.half_known = true;
    checker->rules.config.half = fact->offset;
  }
}

static void forget_wide(vio_checker *checker, bool before) {
  checker->rules.config.before = before;
  checker->rules.config.whole = checker->rules.config.half_known = false;
}

/* ---- configuration is readable early ---- */

static vio_early_read *find_early(vio_checker *checker, const vio_fact *fact) {
  for (size_t i = 0; i < checker->rules.config.early_count; i++) {
    vio_early_read *early = &checker->rules.config.early[i];
    if (!early->gone && early->offset == fact->offset && early->length == fact->length) return early;
  }
  return NULL;
}

static void forget_early(vio_checker *checker) {
  for (size_t i = 0; i < checker->rules.config.early_count; i++)
    vio_heap_give(&checker->heap, checker->rules.config.early[i].data);
  checker->rules.config.early_count = checker->rules.config.early_left = 0;
}

/* Make room for a read; NULL when there are too many. */
static vio_early_read *add_early(vio_checker *checker, const vio_fact *fact) {
  if (checker->rules.config.early == NULL)
    checker->rules.config.early =
        vio_heap_take(&checker->heap, VIO_EARLY_LIMIT * sizeof *checker->rules.config.early);
  vio_early_read *early = find_early(checker, fact);
  if (early != NULL) return early;
  early = &checker->rules.config.early[checker->rules.config.early_count++];
  *early = (vio_early_read){.offset = fact->offset, .length = (uint32_t)fact->length};
  early->data = vio_heap_take(&checker->heap, (size_t)fact->length);
  checker->rules.config.early_left++;
  return early;
}

static bool all_are(const uint8_t *data, uint64_t length, uint8_t value) {
  for (uint64_t i = 0; i < length; i++)
    if (data[i] != value) return false;
  return true;
}

static void read_early(vio_checker *checker, const vio_fact *fact) {
  const bool depends =
      vio_check_device_type(checker) == (int)VIO_DEVICE_TYPE_BLK &&
      (fact->offset == VIO_BLK_CFG_WRITEBACK || fact->offset >= VIO_BLK_ZONED_ZONE_SECTORS);
  const int64_t generation = checker->values[F_GENERATION];
  if (!checker->session.known || depends) return;
  if (!checker->session.features_ok_written) {
    if (checker->rules.config.early_left < VIO_EARLY_LIMIT) {
      vio_early_read *early = add_early(checker, fact);
      memcpy(early->data, fact->data, (size_t)fact->length);
      early->generation = generation;
    }
    if (!all_are(fact->data, fact->length, 0xff)) HELD(VIO_DEV_CFG_001);
    return;
  }
  vio_early_read *early = find_early(checker, fact);
  if (early == NULL) return;
  early->gone = true;
  checker->rules.config.early_left--;
  const bool dumb = all_are(early->data, fact->length, 0) || all_are(early->data, fact->length, 0xff);
  if (dumb && memcmp(early->data, fact->data, (size_t)fact->length) != 0 &&
      generation == early->generation)
    BREACHED(VIO_DEV_CFG_001, "configuration at 0x%llx read all 0x%02x before FEATURES_OK",
             (unsigned long long)fact->offset, early->data[0]);
}

/* ---- changes show in the generation ---- */

static void changes(vio_checker *checker, const vio_fact *fact) {
  if (checker->rules.config.changed != NONE) return;
  if (fact->changed) checker->rules.config.changed = (int64_t)fact->offset;
  else checker->rules.config.at_read = checker->rules.config.generation;
}

static void generation_read(vio_checker *checker, const vio_fact *fact) {
  if (checker->rules.config.whole) HELD(VIO_DRV_CFG_002);
  forget_wide(checker, true);
  const int64_t changed = checker->rules.config.changed, at_read = checker->rules.config.at_read;
  if (changed != NONE && at_read != NONE)
    JUDGE(VIO_DEV_PCI_017, (int64_t)fact->value != at_read,
          "configuration at 0x%llx changed, config_generation is still %llu", (unsigned long long)changed,
          (unsigned long long)fact->value);
  checker->rules.config.generation = (int64_t)fact->value;
  checker->rules.config.changed = NONE;
}

static void over(vio_checker *checker) {
  if (checker->rules.config.whole)
    BREACHED(VIO_DRV_CFG_002, "a 64-bit configuration field was read without config_generation after it");
  forget_wide(checker, false);
}

void vio_rules_config(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_CONFIG_READ:
      optional_fields(checker, fact);
      half_read(checker, fact);
      read_early(checker, fact);
      changes(checker, fact);
      break;
    case FACT_CONFIG_WRITE:
      optional_fields(checker, fact);
      break;
    case FACT_FIELD_READ:
      if (fact->name == F_GENERATION) generation_read(checker, fact);
      break;
    case FACT_STATUS_WRITE:
    case FACT_SESSION_OVER:
      over(checker);
      break;
    case FACT_RESET_STARTED:
      forget_early(checker);
      checker->rules.config.generation = checker->rules.config.at_read = checker->rules.config.changed =
          NONE;
      break;
    default:
      break;
  }
}
