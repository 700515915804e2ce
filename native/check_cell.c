/* 16-byte cells of ring memory: what the driver stored, what the device read, and how fresh it is. */
#include "check_facts.h"

#include <string.h>

uint32_t vio_check_le16(const uint8_t *data) { return (uint32_t)data[0] | (uint32_t)data[1] << 8; }

uint32_t vio_check_le32(const uint8_t *data) {
  return vio_check_le16(data) | vio_check_le16(data + 2) << 16;
}

static uint32_t mask_of(uint32_t at, uint32_t length) { return ((1u << length) - 1u) << at; }

/* Whether a byte that is known has another value than `data` says. */
static bool differs(const vio_check_cell *cell, uint32_t at, const uint8_t *data, uint32_t length) {
  for (uint32_t i = 0; i < length; i++)
    if ((cell->known >> (at + i) & 1u) && cell->stored[at + i] != data[i]) return true;
  return false;
}

void vio_check_cell_store(vio_check_cell *cell, uint32_t at, const uint8_t *data, uint32_t length,
                          int64_t t, bool own) {
  cell->own = own;
  memcpy(cell->stored + at, data, length);
  cell->known |= mask_of(at, length);
  cell->stored_t = t;
}

void vio_check_cell_load(vio_check_cell *cell, uint32_t at, const uint8_t *data, uint32_t length,
                         int64_t number, int64_t issued) {
  const uint32_t mask = mask_of(at, length);
  if (cell->known & mask && (cell->own || (issued != NONE && issued > cell->stored_t)) &&
      differs(cell, at, data, length))
    cell->known &= ~mask;
  if (cell->seen == VIO_CELL_FULL || cell->since < 0) {
    cell->seen = 0;
    cell->since = number;
  }
  memcpy(cell->read + at, data, length);
  cell->seen |= mask;
}

static void unpack(const uint8_t *raw, vio_check_desc *desc) {
  desc->addr = (uint64_t)vio_check_le32(raw) | (uint64_t)vio_check_le32(raw + 4) << 32;
  desc->len = vio_check_le32(raw + 8);
  desc->low = (uint16_t)vio_check_le16(raw + 12);
  desc->high = (uint16_t)vio_check_le16(raw + 14);
}

bool vio_check_cell_value(const vio_check_cell *cell, int64_t fresh_since, vio_check_desc *desc) {
  if (cell->known == VIO_CELL_FULL) {
    unpack(cell->stored, desc);
    return true;
  }
  if ((cell->known | cell->seen) != VIO_CELL_FULL || cell->since < fresh_since) return false;
  uint8_t mixed[VIO_CELL];
  for (uint32_t i = 0; i < VIO_CELL; i++)
    mixed[i] = cell->known >> i & 1u ? cell->stored[i] : cell->read[i];
  unpack(mixed, desc);
  return true;
}

int vio_check_cell_flags(const vio_check_cell *cell) {
  if (cell->known >> 14 == 3) return (int)vio_check_le16(cell->stored + 14);
  return cell->seen >> 14 == 3 ? (int)vio_check_le16(cell->read + 14) : NONE;
}

bool vio_check_cell_changes(const vio_check_cell *cell, uint32_t at, const uint8_t *data,
                            uint32_t length) {
  const uint32_t mask = mask_of(at, length);
  return (cell->known & mask) == mask && memcmp(cell->stored + at, data, length) != 0;
}

bool vio_check_piece_next(vio_check_piece *piece, uint32_t count) {
  piece->data += piece->length;
  piece->left -= piece->length;
  piece->offset += piece->length;
  const uint64_t cell = piece->offset / VIO_CELL;
  if (piece->left == 0 || cell >= count) return false;
  piece->cell = (uint32_t)cell;
  piece->at = (uint32_t)(piece->offset % VIO_CELL);
  piece->length = VIO_CELL - piece->at;
  if (piece->left < piece->length) piece->length = (uint32_t)piece->left;
  return true;
}
