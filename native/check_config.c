/* PCI configuration space as reads and writes showed it: command, MSI-X, the PCI_CFG window. */
#include "check_facts.h"

#include <string.h>

#define COMMAND VIO_PCI_COMMAND

void vio_check_config_begin(vio_check_config *config, const vio_check_header *header) {
  config->layout = header->layout;
  config->msix = config->window = config->pcie = NONE;
  config->msix_enabled = config->msix_masked = NONE;
  config->command = NONE;
  config->entries = header->layout ? header->entries : NONE;
  config->place_count = header->place_count;
  memcpy(config->places, header->places, header->place_count * sizeof *header->places);
}

int64_t vio_check_config_value(const vio_check_config *config, uint32_t offset, uint32_t length) {
  if (offset + length > VIO_CONFIG_LENGTH) return NONE;
  uint64_t value = 0;
  for (uint32_t i = length; i-- > 0;) {
    if (!config->known[offset + i]) return NONE;
    value = value << 8 | config->data[offset + i];
  }
  return (int64_t)value;
}

/* Whether a read shows anything that was not known. */
static bool is_news(const vio_check_config *config, uint32_t addr, const vio_event *event) {
  return memchr(config->known + addr, 0, event->length) != NULL ||
         memcmp(config->data + addr, event->data, event->length) != 0;
}

void vio_check_config_read(vio_check_config *config, const vio_event *event) {
  const uint32_t addr = (uint32_t)event->addr, end = addr + event->length;
  config->observed = true;
  if (!is_news(config, addr, event)) return;
  memcpy(config->data + addr, event->data, event->length);
  memset(config->known + addr, 1, event->length);
  if (addr <= COMMAND && end >= COMMAND + 2) config->command = vio_check_config_value(config, COMMAND, 2);
  if (end > VIO_PCI_CAPABILITIES_POINTER && addr < 0x100) vio_check_config_walk(config);
  vio_check_config_take_control(config, addr, end);
}

static void write_byte(vio_check_config *config, uint32_t offset, uint8_t byte) {
  bool writable = offset == COMMAND || offset == COMMAND + 1;
  if (config->window != NONE && offset - (uint32_t)config->window < VIO_CAP_LENGTH_PCI_CFG) {
    const uint32_t inner = offset - (uint32_t)config->window;
    writable = inner == 4 || (inner >= 8 && inner < 16);
    config->window_used = true;
  }
  if (config->msix != NONE && offset == (uint32_t)config->msix + VIO_MSIX_CONTROL + 1) {
    byte = (uint8_t)((byte & 0xc0u) | (config->data[offset] & 0x3fu));
    writable = true;
  }
  if (!writable) return;
  config->data[offset] = byte;
  config->known[offset] = 1;
}

void vio_check_config_take_control(vio_check_config *config, uint32_t from, uint32_t to) {
  if (config->msix == NONE || config->layout) return;
  const uint32_t offset = (uint32_t)config->msix + VIO_MSIX_CONTROL;
  if (from >= offset + 2 || to <= offset) return;
  const int64_t high = vio_check_config_value(config, offset + 1, 1);
  if (high == NONE) return;
  config->msix_enabled = ((uint64_t)high << 8 & VIO_MSIX_CONTROL_ENABLE) != 0;
  config->msix_masked = ((uint64_t)high << 8 & VIO_MSIX_CONTROL_FUNCTION_MASK) != 0;
}

static bool starts_flr(const vio_check_config *config, uint32_t addr, const vio_event *event) {
  if (config->pcie == NONE) return false;
  const uint32_t offset = (uint32_t)config->pcie + VIO_PCIE_DEVICE_CONTROL + 1;
  if (addr > offset || offset >= addr + event->length) return false;
  const int64_t able =
      vio_check_config_value(config, (uint32_t)config->pcie + VIO_PCIE_DEVICE_CAPABILITIES, 4);
  /* The bit asks for a reset wherever it is not known to be reserved. */
  return ((uint32_t)event->data[offset - addr] << 8 & VIO_PCIE_DEVICE_CONTROL_FLR) != 0 &&
         (able == NONE || ((uint64_t)able & VIO_PCIE_DEVICE_CAPABILITIES_FLR) != 0);
}

bool vio_check_config_write(vio_check_config *config, const vio_event *event) {
  const uint32_t addr = (uint32_t)event->addr, end = addr + event->length;
  config->observed = true;
  for (uint32_t i = 0; i < event->length; i++) write_byte(config, addr + i, event->data[i]);
  if (addr < COMMAND + 2 && end > COMMAND) config->command = vio_check_config_value(config, COMMAND, 2);
  vio_check_config_take_control(config, addr, end);
  return starts_flr(config, addr, event);
}

void vio_check_config_reset(vio_check_config *config) {
  config->command = config->observed ? 0 : NONE;
  if (!config->layout) {
    config->msix_enabled = config->msix != NONE || config->complete ? 0 : NONE;
    config->msix_masked = config->msix_enabled != NONE ? 0 : NONE;
  }
  memset(config->table, 0, config->table_end * sizeof *config->table);
  config->table_end = 0;
  config->data[COMMAND] = config->data[COMMAND + 1] = 0;
  if (config->msix != NONE) config->data[(uint32_t)config->msix + VIO_MSIX_CONTROL + 1] &= 0x07;
}

const vio_check_place *vio_check_config_locate(const vio_check_config *config, uint32_t bar,
                                               uint64_t addr) {
  for (uint32_t i = 0; i < config->place_count; i++) {
    const vio_check_place *place = &config->places[i];
    if (place->bar == bar && addr >= place->offset && addr - place->offset < place->length) return place;
  }
  return NULL;
}

bool vio_check_config_window(const vio_check_config *config, uint32_t *bar, uint64_t *offset,
                             uint64_t *length) {
  if (config->window == NONE) return false;
  const uint32_t at = (uint32_t)config->window;
  const int64_t values[3] = {vio_check_config_value(config, at + 4, 1),
                             vio_check_config_value(config, at + 8, 4),
                             vio_check_config_value(config, at + 12, 4)};
  if (values[0] == NONE || values[1] == NONE || values[2] == NONE) return false;
  *bar = (uint32_t)values[0];
  *offset = (uint64_t)values[1];
  *length = (uint64_t)values[2];
  return true;
}

static vio_check_row *table_row(vio_check_config *config, uint64_t entry) {
  if (entry >= VIO_TABLE_ROWS) return NULL;
  if (entry >= config->table_end) config->table_end = (uint32_t)entry + 1;
  config->table[entry].made = 1;
  return &config->table[entry];
}

bool vio_check_config_table_read(vio_check_config *config, uint64_t offset, const uint8_t *data,
                                 uint64_t length) {
  static const uint32_t MASKS[4] = {0xfffffffcu, 0xffffffffu, 0xffffffffu, VIO_MSIX_ENTRY_MASKED};
  bool changed = false;
  for (uint64_t i = 0; i + 4 <= length; i += 4) {
    const uint64_t dword = (offset + i) / 4;
    vio_check_row *row = table_row(config, dword / 4);
    if (row == NULL) break;
    const uint32_t value = vio_check_le32(data + i), at = (uint32_t)(dword % 4);
    if (((uint32_t)row->known >> at & 1u) && ((row->word[at] ^ value) & MASKS[at]) != 0) changed = true;
    row->word[at] = value;
    row->known = (uint8_t)(row->known | 1u << at);
  }
  return changed;
}

void vio_check_config_table_write(vio_check_config *config, uint64_t offset, const uint8_t *data,
                                  uint64_t length) {
  (void)vio_check_config_table_read(config, offset, data, length);
}

int vio_check_config_entry_masked(const vio_check_config *config, uint32_t entry) {
  if (entry >= config->table_end || !(config->table[entry].known & 8u)) return NONE;
  return (config->table[entry].word[3] & VIO_MSIX_ENTRY_MASKED) != 0;
}

int vio_check_config_sr_iov(const vio_check_config *config) {
  if (config->complete && config->pcie == NONE) return 0;
  uint32_t position = 0x100;
  for (int seen = 0; seen < 64; seen++) {
    const int64_t word = vio_check_config_value(config, position, 4);
    if (word == NONE) return NONE;
    if ((word & 0xffff) == 0x10) return (int)position;
    position = (uint32_t)(word >> 20) & 0xffcu;
    if (position == 0) return 0;
  }
  return NONE;
}
