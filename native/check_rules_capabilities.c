/* The capability list and the IDs (virtio 1.4, 4.1.2 and 4.1.4). */
#include "check_facts.h"

/* The least length of each type's capability, 0 for a type that is not fixed. */
static int64_t fixed_length(int64_t type) {
  switch (type) {
    case VIO_CAP_TYPE_COMMON:
    case VIO_CAP_TYPE_ISR:
    case VIO_CAP_TYPE_DEVICE:
      return VIO_CAP_LENGTH;
    case VIO_CAP_TYPE_NOTIFY:
      return VIO_CAP_LENGTH_NOTIFY;
    case VIO_CAP_TYPE_PCI_CFG:
      return VIO_CAP_LENGTH_PCI_CFG;
    case VIO_CAP_TYPE_SHARED_MEMORY:
      return 24;
    default:
      return 0;
  }
}

static bool is_virtio(const vio_check_capability *capability, int64_t type) {
  return capability->id == VIO_PCI_CAP_ID_VENDOR && capability->cfg_type == type;
}

static bool is_transitional(int64_t id) {
  static const uint16_t IDS[] = {0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1009};
  for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++)
    if (IDS[i] == id) return true;
  return false;
}

/* The transitional ID of a device type, NONE if it has none. */
static int64_t transitional_id(int type) {
  static const struct {
    int type;
    int64_t id;
  } ROWS[] = {{1, 0x1000}, {2, 0x1001}, {5, 0x1002}, {3, 0x1003}, {8, 0x1004}, {4, 0x1005}, {9, 0x1009}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
    if (ROWS[i].type == type) return ROWS[i].id;
  return NONE;
}

static void judge_ids(vio_checker *checker) {
  const vio_check_config *config = &checker->config;
  const int64_t vendor = vio_check_config_value(config, VIO_PCI_VENDOR_ID, 2),
                id = vio_check_config_value(config, VIO_PCI_DEVICE_ID, 2),
                revision = vio_check_config_value(config, VIO_PCI_REVISION_ID, 1),
                subsystem = vio_check_config_value(config, VIO_PCI_SUBSYSTEM_ID, 2);
  const int type = checker->header.type;
  if (vendor != NONE)
    JUDGE(VIO_DEV_PCI_002, vendor == VIO_VENDOR_ID, "the PCI vendor ID is 0x%04llx",
          (unsigned long long)vendor);
  if (id == NONE) return;
  const bool good = type != NONE
                        ? id == VIO_MODERN_DEVICE_ID_BASE + (int64_t)type || id == transitional_id(type)
                        : (id > 0x1040 && id < 0x1080) || is_transitional(id);
  JUDGE(VIO_DEV_PCI_003, good, "the PCI device ID is 0x%04llx", (unsigned long long)id);
  if (is_transitional(id)) return;
  JUDGE(VIO_DEV_PCI_005, id >= 0x1040 && id <= 0x107f, "the PCI device ID is 0x%04llx",
        (unsigned long long)id);
  if (revision != NONE) JUDGE(VIO_DEV_PCI_006, revision >= 1, "the PCI revision ID is 0");
  if (subsystem != NONE)
    JUDGE(VIO_DEV_PCI_007, subsystem >= 0x40, "the PCI subsystem ID is 0x%04llx",
          (unsigned long long)subsystem);
}

static void judge_lengths(vio_checker *checker) {
  const vio_check_config *config = &checker->config;
  for (uint32_t i = 0; i < config->capability_count; i++) {
    const vio_check_capability *capability = &config->capabilities[i];
    const int64_t fixed = fixed_length(capability->cfg_type), at = capability->position;
    if (capability->id != VIO_PCI_CAP_ID_VENDOR || capability->length == NONE || fixed == 0) continue;
    bool inside = false;
    for (uint32_t n = 0; n < config->capability_count; n++) {
      const int64_t start = config->capabilities[n].position;
      inside = inside || (at < start && start < at + capability->length);
    }
    JUDGE(VIO_DEV_PCI_009, capability->length >= fixed && !inside,
          "the capability at 0x%llx has length %lld, needs %lld", (unsigned long long)at,
          (long long)capability->length, (long long)fixed);
  }
}

static void judge_presence(vio_checker *checker) {
  static const struct {
    enum vio_clause clause;
    int64_t type;
    const char *name;
  } ROWS[] = {{VIO_DEV_PCI_013, VIO_CAP_TYPE_COMMON, "COMMON"},
              {VIO_DEV_PCI_029, VIO_CAP_TYPE_NOTIFY, "NOTIFY"},
              {VIO_DEV_PCI_040, VIO_CAP_TYPE_ISR, "ISR"},
              {VIO_DEV_PCI_053, VIO_CAP_TYPE_PCI_CFG, "PCI_CFG"}};
  const vio_check_config *config = &checker->config;
  bool any =
      !is_transitional(vio_check_config_value(config, VIO_PCI_DEVICE_ID, 2)); /* legacy ones have none */
  for (uint32_t n = 0; n < config->capability_count; n++) {
    if (config->capabilities[n].id != VIO_PCI_CAP_ID_VENDOR) continue;
    if (config->capabilities[n].cfg_type == NONE) return;
    any = true;
  }
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS && config->complete && any; i++) {
    bool found = false;
    for (uint32_t n = 0; n < config->capability_count; n++)
      found = found || is_virtio(&config->capabilities[n], ROWS[i].type);
    JUDGE(ROWS[i].clause, found, "there is no %s capability", ROWS[i].name);
  }
}

static void judge_offsets(vio_checker *checker, enum vio_clause clause, int64_t type, const char *name) {
  for (uint32_t i = 0; i < checker->config.capability_count; i++) {
    const vio_check_capability *capability = &checker->config.capabilities[i];
    if (is_virtio(capability, type) && capability->offset != NONE)
      JUDGE(clause, capability->offset % 4 == 0, "the %s structure is at offset 0x%llx", name,
            (unsigned long long)capability->offset);
  }
}

/* Shared memory fits into a BAR whose sizing was observed. */
static void judge_shared(vio_checker *checker) {
  const vio_check_config *config = &checker->config;
  uint8_t ids[256] = {0};
  bool any = false, twice = false;
  for (uint32_t i = 0; i < config->capability_count; i++) {
    const vio_check_capability *capability = &config->capabilities[i];
    if (!is_virtio(capability, VIO_CAP_TYPE_SHARED_MEMORY)) continue;
    const uint64_t size =
        capability->bar >= 0 && capability->bar < 6 ? checker->rules.pci.bar_size[capability->bar] : 0;
    if (size != 0 && capability->offset != NONE && capability->offset_hi != NONE &&
        capability->size != NONE && capability->size_hi != NONE) {
      const vio_wide end =
          (vio_wide)((uint64_t)capability->offset + (uint64_t)capability->size) +
          ((vio_wide)((uint64_t)capability->offset_hi + (uint64_t)capability->size_hi) << 32);
      JUDGE(VIO_DEV_PCI_046, end <= size, "shared memory ends at 0x%llx of a BAR of 0x%llx bytes",
            (unsigned long long)end, (unsigned long long)size);
    }
    if (capability->region_id == NONE) continue;
    any = true;
    twice = twice || ids[capability->region_id];
    ids[capability->region_id] = 1;
  }
  if (any) JUDGE(VIO_DEV_PCI_047, !twice, "shared memory IDs are not unique");
}

static void judge_vendor_data(vio_checker *checker) {
  for (uint32_t i = 0; i < checker->config.capability_count; i++) {
    const vio_check_capability *capability = &checker->config.capabilities[i];
    if (!is_virtio(capability, VIO_CAP_TYPE_VENDOR)) continue;
    if (capability->vendor_id != NONE)
      JUDGE(VIO_DEV_PCI_050, capability->vendor_id != VIO_VENDOR_ID,
            "vendor data names 0x1af4 as its vendor");
    if (capability->length != NONE)
      JUDGE(VIO_DEV_PCI_051, capability->length % 4 == 0, "vendor data is %lld bytes long",
            (long long)capability->length);
  }
}

void vio_rules_capabilities(vio_checker *checker, const vio_fact *fact) {
  const vio_check_config *config = &checker->config;
  if (fact->kind != FACT_LAYOUT) return;
  judge_ids(checker);
  judge_lengths(checker);
  judge_presence(checker);
  judge_offsets(checker, VIO_DEV_PCI_012, VIO_CAP_TYPE_COMMON, "COMMON");
  judge_offsets(checker, VIO_DEV_PCI_045, VIO_CAP_TYPE_DEVICE, "DEVICE");
  judge_shared(checker);
  judge_vendor_data(checker);
  if (config->msix != NONE && config->entries != NONE)
    JUDGE(VIO_DEV_PCI_058, config->entries >= 2 && config->entries <= 0x800,
          "the MSI-X table has %d entries", config->entries);
}
