/* PCI itself, access widths, and the configuration access window (virtio 1.4, 4.1.1, 4.1.3, 4.1.4.9). */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))
enum { BARS = 6, STATUS_FIELD = -1 };

/* ---- the function behaves as PCI demands ---- */

static void judge_size(vio_checker *checker, int64_t index, uint64_t mask, uint32_t width) {
  const uint64_t size = (0 - mask) & (width == 64 ? UINT64_MAX : UINT32_MAX);
  const bool good = size > 0 && (size & (size - 1)) == 0;
  if (good && index >= 0) checker->rules.pci.bar_size[index] = size;
  JUDGE(VIO_DEV_PCI_001, good, "BAR %lld answers 0x%llx to sizing", (long long)index, U(mask));
}

/* The BAR that a 4-byte access touches, or NONE. */
static int64_t bar_of(const vio_fact *fact) {
  if (fact->offset < VIO_PCI_BAR0 || fact->length != 4 || (fact->offset - VIO_PCI_BAR0) % 4 != 0)
    return NONE;
  const uint64_t index = (fact->offset - VIO_PCI_BAR0) / 4;
  return index < BARS ? (int64_t)index : NONE;
}

static void sizing(vio_checker *checker, const vio_fact *fact) {
  const int64_t index = bar_of(fact);
  if (index == NONE) return;
  const uint8_t bit = (uint8_t)(1u << index);
  if (vio_check_le32(fact->data) == UINT32_MAX) checker->rules.pci.sizing |= bit;
  else checker->rules.pci.sizing = (uint8_t)(checker->rules.pci.sizing & ~bit);
}

static void sized(vio_checker *checker, const vio_fact *fact) {
  const int64_t index = bar_of(fact);
  if (index == NONE || !((uint32_t)checker->rules.pci.sizing >> index & 1u)) return;
  const uint32_t value = vio_check_le32(fact->data);
  if ((uint32_t)checker->rules.pci.upper_known >> index & 1u) {
    judge_size(checker, index - 1, checker->rules.pci.upper[index] | (uint64_t)value << 32, 64);
  } else if (value & 1) {
    const uint64_t mask = value & ~3u;
    judge_size(checker, index, mask | (mask < 0x10000 ? 0xffff0000u : 0), 32);
  } else if ((value & 6) == 4) {
    if (index == BARS - 1) BREACHED(VIO_DEV_PCI_001, "BAR 5 claims to be a 64-bit one");
    checker->rules.pci.upper[index + 1] = value & ~0xfu;
    checker->rules.pci.upper_known = (uint8_t)(checker->rules.pci.upper_known | 2u << index);
  } else if (value != 0) {
    if (value & 6)
      BREACHED(VIO_DEV_PCI_001, "BAR %lld has a reserved type: 0x%x", (long long)index, value);
    judge_size(checker, index, value & ~0xfu, 32);
  }
}

static void breach(vio_checker *checker, const vio_fact *fact) {
  if (fact->breach == BREACH_NO_MASTER)
    BREACHED_AT(VIO_DEV_PCI_001, fact->t, fact->line, "dma-without-master: %s of %llu bytes at 0x%llx",
                fact->write ? "write" : "read", U(fact->length), U(fact->addr));
  if (fact->breach == BREACH_MESSAGE_NO_MASTER)
    BREACHED_AT(VIO_DEV_PCI_001, fact->t, fact->line, "message-without-master: bus mastering is off");
  if (fact->breach == BREACH_MASKED)
    BREACHED_AT(VIO_DEV_PCI_001, fact->t, fact->line, "masked-message: vector %llu is masked",
                U(fact->addr));
  if (fact->breach == BREACH_MSIX_CHANGED)
    BREACHED_AT(VIO_DEV_PCI_001, fact->t, fact->line, "msix-changed: MSI-X state changed by itself");
}

static void message(vio_checker *checker) {
  const vio_check_config *config = &checker->config;
  if (config->command != NONE && vio_check_mastering(checker) && config->msix_masked == 0)
    HELD(VIO_DEV_PCI_001);
}

static void line(vio_checker *checker, const vio_fact *fact) {
  const vio_check_config *config = &checker->config;
  if (!fact->value) return;
  if (config->command != NONE && (uint64_t)config->command & VIO_PCI_COMMAND_INTX_DISABLE)
    BREACHED(VIO_DEV_PCI_001, "INTx is asserted while the command register disables it");
  else if (config->msix_enabled == 1)
    BREACHED(VIO_DEV_PCI_001, "INTx is asserted while MSI-X is enabled");
  else HELD(VIO_DEV_PCI_001);
}

/* Device Control is written; a write of a part of it leaves open what it holds. */
static void limits(vio_checker *checker, const vio_fact *fact) {
  if (checker->config.pcie == NONE || !checker->header.verilator) return;
  const uint64_t start = (uint64_t)checker->config.pcie + VIO_PCIE_DEVICE_CONTROL;
  if (fact->offset >= start + 2 || fact->offset + fact->length <= start) return;
  const bool whole = fact->offset <= start && fact->offset + fact->length >= start + 2;
  const uint8_t *field = whole ? fact->data + (start - fact->offset) : NULL;
  const uint32_t control = whole ? (uint32_t)field[0] | (uint32_t)field[1] << 8 : 0;
  checker->rules.pci.control_known = whole && !(control & VIO_PCIE_DEVICE_CONTROL_FLR);
  checker->rules.pci.control = control;
  checker->rules.pci.control_t = checker->event_t;
}

static void burst(vio_checker *checker, const vio_fact *fact) {
  if (!checker->rules.pci.control_known) return;
  if (fact->issued - checker->rules.pci.control_t <= checker->settle) return;
  const uint64_t limit = 128ull << (checker->rules.pci.control >> (fact->write ? 5 : 12) & 7u);
  JUDGE(VIO_DEV_PCI_001, fact->length <= limit, "a burst of %llu bytes, %s is %llu", U(fact->length),
        fact->write ? "Max_Payload_Size" : "Max_Read_Request_Size", U(limit));
}

/* ---- capabilities and the window ---- */

static void capabilities_written(vio_checker *checker, const vio_fact *fact) {
  for (uint32_t i = 0; i < checker->config.capability_count; i++) {
    const vio_check_capability *capability = &checker->config.capabilities[i];
    const int64_t type = capability->cfg_type;
    const bool fixed = (type >= VIO_CAP_TYPE_COMMON && type <= VIO_CAP_TYPE_DEVICE) ||
                       type == VIO_CAP_TYPE_SHARED_MEMORY;
    if (capability->id != VIO_PCI_CAP_ID_VENDOR || !fixed) continue;
    const uint64_t length = capability->length > 0 ? (uint64_t)capability->length : VIO_CAP_LENGTH;
    if (capability->position < fact->offset + fact->length &&
        fact->offset < capability->position + length)
      BREACHED(VIO_DRV_PCI_014, "the capability at 0x%x is written", capability->position);
  }
}

static void window(vio_checker *checker, const vio_fact *fact) {
  const vio_check_config *config = &checker->config;
  uint32_t bar;
  uint64_t offset, length;
  if (config->window == NONE || !config->window_used) return;
  const uint64_t start = (uint64_t)config->window + VIO_CAP_PCI_CFG_DATA;
  if (fact->offset < start || fact->offset >= start + 4 ||
      !vio_check_config_window(config, &bar, &offset, &length))
    return;
  const bool width = length == 1 || length == 2 || length == 4;
  JUDGE(VIO_DRV_PCI_029, width && offset % length == 0,
        "pci_cfg_data is used with length %llu at offset 0x%llx", U(length), U(offset));
  bool inside = false;
  for (uint32_t i = 0; i < config->place_count; i++) {
    const vio_check_place *place = &config->places[i];
    const bool virtio = place->kind <= PLACE_DEVICE;
    inside = inside || (virtio && place->bar == bar && place->offset <= offset &&
                        offset + length <= (vio_wide)place->offset + place->length);
  }
  JUDGE(VIO_DRV_PCI_030, inside, "pci_cfg_data is used for BAR %u at 0x%llx, which no capability names",
        bar, U(offset));
}

/* ---- fields read back ---- */

/* The value that a field must still have, or NONE. */
static int64_t known_value(const vio_checker *checker, const vio_fact *fact) {
  switch (fact->name) {
    case F_DEVICE_FEATURE_SELECT:
    case F_DRIVER_FEATURE_SELECT:
    case F_QUEUE_SELECT:
    case F_NUM_QUEUES:
      return checker->values[fact->name];
    case F_QUEUE_SIZE:
    case F_DESC:
    case F_DRIVER:
    case F_DEVICE: {
      const enum vio_check_reg reg = vio_check_field_reg(fact->name, fact->half);
      return fact->queue->written >> reg & 1u ? fact->queue->regs[reg] : NONE;
    }
    default:
      return NONE;
  }
}

static uint64_t queue_serial(const vio_fact *fact) {
  return fact->queue == NULL ? 0 : fact->queue->serial;
}

static void field_read(vio_checker *checker, const vio_fact *fact) {
  HELD(VIO_DRV_PCI_005);
  if (fact->name == F_DESC || fact->name == F_DRIVER || fact->name == F_DEVICE) {
    const enum vio_check_reg reg = vio_check_field_reg(fact->name, fact->half);
    const int64_t written = fact->queue->regs[reg];
    if (fact->queue->written >> reg & 1u && written != NONE)
      JUDGE(VIO_DEV_PCI_008, (int64_t)fact->value == written,
            "half %u of %s of queue %u reads 0x%llx, not 0x%llx", fact->half,
            vio_check_field_name(fact->name), fact->queue->index, U(fact->value), U(written));
  }
  const int64_t known = known_value(checker, fact), value = (int64_t)fact->value;
  const char *name = vio_check_field_name(fact->name);
  if (known == NONE) return;
  if (checker->rules.pci.last_known) {
    const bool same = checker->rules.pci.last_name == (int)fact->name &&
                      checker->rules.pci.last_half == fact->half &&
                      checker->rules.pci.last_queue == queue_serial(fact);
    if (same || value != known)
      JUDGE(VIO_DEV_PCI_054, value == known, "%s reads 0x%llx after a write through the window", name,
            U(value));
  }
  if (checker->via_window)
    JUDGE(VIO_DEV_PCI_055, value == known, "%s reads 0x%llx through the window, not 0x%llx", name,
          U(value), U(known));
}

static void written(vio_checker *checker, int name, uint32_t half, uint64_t queue) {
  checker->rules.pci.last_known = checker->via_window;
  checker->rules.pci.last_name = name;
  checker->rules.pci.last_half = half;
  checker->rules.pci.last_queue = queue;
}

static void layout(vio_checker *checker) {
  for (uint32_t i = 0; i < checker->config.capability_count; i++)
    if (checker->config.capabilities[i].id == VIO_PCI_CAP_ID_VENDOR) {
      HELD(VIO_DRV_PCI_014);
      return;
    }
}

void vio_rules_pci(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_BREACH:
      breach(checker, fact);
      break;
    case FACT_MESSAGE:
      message(checker);
      break;
    case FACT_LINE:
      line(checker, fact);
      break;
    case FACT_DMA:
      burst(checker, fact);
      break;
    case FACT_PCI_WRITE:
      limits(checker, fact);
      sizing(checker, fact);
      capabilities_written(checker, fact);
      window(checker, fact);
      break;
    case FACT_PCI_READ:
      sized(checker, fact);
      window(checker, fact);
      break;
    case FACT_BAD_ACCESS:
      BREACHED(VIO_DRV_PCI_005, "%llu bytes at offset 0x%llx of the %s structure are %s", U(fact->length),
               U(fact->offset), fact->common ? "common" : "device", fact->write ? "written" : "read");
      break;
    case FACT_FIELD_READ:
      field_read(checker, fact);
      break;
    case FACT_FIELD_WRITE:
      HELD(VIO_DRV_PCI_005);
      written(checker, (int)fact->name, fact->half, queue_serial(fact));
      break;
    case FACT_STATUS_WRITE:
      written(checker, STATUS_FIELD, 0, 0);
      break;
    case FACT_LAYOUT:
      layout(checker);
      break;
    case FACT_RESET_STARTED:
      checker->rules.pci.last_known = false;
      if (fact->reset != RESET_STATUS) checker->rules.pci.control_known = false;
      break;
    default:
      break;
  }
}
