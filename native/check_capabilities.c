/* The capability list, followed as far as reads of configuration space showed it. */
#include "check_facts.h"

#include <string.h>

static void take_fields(const vio_check_config *config, vio_check_capability *capability) {
  const uint32_t at = capability->position;
  capability->length = vio_check_config_value(config, at + 2, 1);
  capability->cfg_type = vio_check_config_value(config, at + 3, 1);
  capability->bar = vio_check_config_value(config, at + 4, 1);
  capability->region_id = vio_check_config_value(config, at + 5, 1);
  capability->vendor_id = vio_check_config_value(config, at + 4, 2);
  capability->offset = vio_check_config_value(config, at + 8, 4);
  capability->size = vio_check_config_value(config, at + 12, 4);
  capability->multiplier = capability->offset_hi = vio_check_config_value(config, at + 16, 4);
  capability->size_hi = vio_check_config_value(config, at + 20, 4);
}

static const vio_check_capability UNKNOWN = {.next = NONE,
                                             .length = NONE,
                                             .cfg_type = NONE,
                                             .bar = NONE,
                                             .region_id = NONE,
                                             .offset = NONE,
                                             .size = NONE,
                                             .multiplier = NONE,
                                             .offset_hi = NONE,
                                             .size_hi = NONE,
                                             .vendor_id = NONE};

static void follow(vio_check_config *config) {
  bool seen[0x100] = {false};
  int64_t position = vio_check_config_value(config, VIO_PCI_CAPABILITIES_POINTER, 1);
  config->capability_count = 0;
  config->complete = false;
  while (position != NONE) {
    position &= 0xfc;
    if (position < 0x40 || seen[position] || config->capability_count == VIO_CAPABILITIES) {
      config->complete = position == 0;
      return;
    }
    seen[position] = true;
    const int64_t id = vio_check_config_value(config, (uint32_t)position, 1);
    if (id == NONE) return;
    vio_check_capability *capability = &config->capabilities[config->capability_count++];
    *capability = UNKNOWN;
    capability->position = (uint32_t)position;
    capability->id = (uint32_t)id;
    capability->next = position = vio_check_config_value(config, (uint32_t)position + 1, 1);
    if (id == VIO_PCI_CAP_ID_VENDOR) take_fields(config, capability);
  }
}

static void add_place(vio_check_config *config, const vio_check_place *place) {
  if (config->place_count < VIO_PLACES) config->places[config->place_count++] = *place;
}

static void take_structure(vio_check_config *config, const vio_check_capability *capability) {
  static const enum vio_check_place_kind KINDS[] = {PLACE_COMMON, PLACE_NOTIFY, PLACE_ISR, PLACE_DEVICE};
  if (capability->cfg_type < VIO_CAP_TYPE_COMMON || capability->cfg_type > VIO_CAP_TYPE_DEVICE) return;
  if (capability->bar == NONE || capability->offset == NONE || capability->bar > 5) return;
  const vio_check_place place = {
      .kind = KINDS[capability->cfg_type - VIO_CAP_TYPE_COMMON],
      .bar = (uint32_t)capability->bar,
      .offset = (uint64_t)capability->offset,
      .length = capability->size == NONE ? 4096 : (uint64_t)capability->size,
      .multiplier = capability->multiplier == NONE ? 0 : (uint32_t)capability->multiplier};
  add_place(config, &place);
}

static void take_msix(vio_check_config *config, uint32_t position) {
  static const struct {
    enum vio_check_place_kind kind;
    uint32_t offset;
  } PARTS[] = {{PLACE_TABLE, VIO_MSIX_TABLE}, {PLACE_PBA, VIO_MSIX_PBA}};
  if (config->layout) return;
  config->msix = (int32_t)position;
  const int64_t control = vio_check_config_value(config, position + VIO_MSIX_CONTROL, 2);
  if (control != NONE) config->entries = (int32_t)((uint64_t)control & VIO_MSIX_CONTROL_SIZE_MASK) + 1;
  for (int i = 0; i < 2; i++) {
    const int64_t word = vio_check_config_value(config, position + PARTS[i].offset, 4);
    if (word == NONE) continue;
    const uint32_t entries = config->entries == NONE ? 2048 : (uint32_t)config->entries;
    const uint64_t length = PARTS[i].kind == PLACE_TABLE ? entries * (uint64_t)VIO_MSIX_ENTRY_LENGTH
                                                         : (entries + 63) / 64 * 8;
    const vio_check_place place = {
        .kind = PARTS[i].kind, .bar = word & 7, .offset = (uint64_t)word & ~7ull, .length = length};
    add_place(config, &place);
  }
  vio_check_config_take_control(config, position, position + 4);
}

void vio_check_config_walk(vio_check_config *config) {
  follow(config);
  if (!config->layout) config->place_count = 0;
  for (uint32_t i = 0; i < config->capability_count; i++) {
    const vio_check_capability *capability = &config->capabilities[i];
    if (capability->id == VIO_PCI_CAP_ID_PCI_EXPRESS) config->pcie = (int32_t)capability->position;
    else if (capability->id == VIO_PCI_CAP_ID_MSIX) take_msix(config, capability->position);
    else if (capability->id != VIO_PCI_CAP_ID_VENDOR) continue;
    else if (capability->cfg_type == VIO_CAP_TYPE_PCI_CFG) config->window = (int32_t)capability->position;
    else if (!config->layout) take_structure(config, capability);
  }
  if (!config->layout && config->complete && config->msix == NONE) config->msix_enabled = 0;
}
