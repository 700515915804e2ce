/* The legacy interface, by the standard's "Legacy Interface" sections, and lguest's bus. */
#include "check_facts.h"

static bool is_transitional(int64_t id) { return id >= 0x1000 && id < 0x1040; }

/* The device type that a transitional ID stands for, NONE for none. */
static int64_t type_of(int64_t id) {
  static const struct {
    uint16_t id, type;
  } ROWS[] = {{VIO_TRANSITIONAL_DEVICE_ID_NET, VIO_DEVICE_TYPE_NET},
              {VIO_TRANSITIONAL_DEVICE_ID_BLK, VIO_DEVICE_TYPE_BLK},
              {VIO_TRANSITIONAL_DEVICE_ID_CONSOLE, VIO_DEVICE_TYPE_CONSOLE},
              {VIO_TRANSITIONAL_DEVICE_ID_ENTROPY, VIO_DEVICE_TYPE_ENTROPY},
              {VIO_TRANSITIONAL_DEVICE_ID_BALLOON, VIO_DEVICE_TYPE_BALLOON},
              {VIO_TRANSITIONAL_DEVICE_ID_SCSI, VIO_DEVICE_TYPE_SCSI},
              {0x1009, 9}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
    if (ROWS[i].id == id) return ROWS[i].type;
  return NONE;
}

static void judge_identity(vio_checker *checker) {
  const vio_check_config *config = &checker->config;
  const int64_t id = vio_check_config_value(config, VIO_PCI_DEVICE_ID, 2),
                revision = vio_check_config_value(config, VIO_PCI_REVISION_ID, 1),
                subsystem = vio_check_config_value(config, VIO_PCI_SUBSYSTEM_ID, 2);
  if (!is_transitional(id)) return;
  if (revision != NONE)
    JUDGE(VIO_DEV_LEGACY_001, revision == 0, "revision_id is 0x%llx, not 0", (unsigned long long)revision);
  if (subsystem != NONE && type_of(id) != NONE)
    JUDGE(VIO_DEV_LEGACY_002, subsystem == type_of(id), "subsystem_id is 0x%llx",
          (unsigned long long)subsystem);
}

static void pci_read(vio_checker *checker, const vio_fact *fact) {
  if (fact->offset != VIO_PCI_BAR0) return;
  if (!is_transitional(vio_check_config_value(&checker->config, VIO_PCI_DEVICE_ID, 2))) return;
  JUDGE(VIO_DEV_LEGACY_003, (fact->data[0] & 1) != 0, "BAR0 of a transitional device is not in I/O space");
}

void vio_rules_legacy(vio_checker *checker, const vio_fact *fact) {
  const unsigned long long value = fact->value;
  switch (fact->kind) {
    case FACT_LAYOUT:
      judge_identity(checker);
      break;
    case FACT_PCI_READ:
      pci_read(checker, fact);
      break;
    case FACT_LEGACY_OFFER:
      JUDGE(VIO_DEV_LEGACY_004, (value >> VIO_FEATURE_ANY_LAYOUT & 1) != 0,
            "the features offered, 0x%llx, lack ANY_LAYOUT", value);
      break;
    case FACT_LEGACY_VECTOR:
      JUDGE(VIO_DEV_LEGACY_005, value == (unsigned)fact->before || value == VIO_NO_VECTOR,
            "a vector register reads 0x%llx after 0x%x was written", value, (unsigned)fact->before);
      break;
    case FACT_LGUEST_ACCEPTED:
      JUDGE(VIO_DEV_LGUEST_001, value == 0, "a byte of the accepted features reads 0x%llx after the reset",
            value);
      break;
    case FACT_LGUEST_ZEROED:
      JUDGE(VIO_DEV_LGUEST_002, value >= fact->length, "%llu of the rings' %llu bytes were zeroed", value,
            (unsigned long long)fact->length);
      break;
    case FACT_LGUEST_WARNINGS:
      JUDGE(VIO_DEV_LGUEST_003, value == fact->from, "%llu warnings, %u kicks came too early", value,
            fact->from);
      break;
    default:
      break;
  }
}
