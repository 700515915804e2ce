/* The device-specific configuration as the driver reads and writes it. */
#include "check_facts.h"

#include <string.h>

#define VIO_CHECK_FIELD_ROWS static const vio_check_device_field FIELDS[] =
#include "check_tables.h"

enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

const vio_check_device_field *vio_check_device_fields(size_t *count) {
  *count = FIELD_COUNT;
  return FIELDS;
}

void vio_check_device_restart(vio_checker *checker) {
  if (!checker->device_dirty) return;
  memset(checker->device, 0xff, sizeof checker->device);
  checker->device_dirty = false;
}

/* An access of a shape that no field has, inside a structure that is known; padding is read by bytes. */
static void judge_shape(vio_checker *checker, uint64_t offset, uint64_t length, bool write) {
  const int type = vio_check_device_type(checker);
  uint64_t end = 0;
  bool padding = true;
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    const vio_check_device_field *field = &FIELDS[i];
    if (field->type != type) continue;
    const uint64_t stop = field->offset + field->width;
    if (stop > end) end = stop;
    if (offset < field->offset || offset >= stop) continue;
    padding = false;
    const uint64_t width = field->width == 8                        ? 4
                           : field->width == 2 || field->width == 4 ? field->width
                                                                    : 1;
    if ((offset - field->offset) % width == 0 && length == width) return;
  }
  if (offset < end && !(padding && length == 1))
    vio_check_publish(
        checker,
        &(vio_fact){.kind = FACT_BAD_ACCESS, .write = write, .offset = offset, .length = length});
}

void vio_check_device_read(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length) {
  judge_shape(checker, offset, length, false);
  if (offset > VIO_DEVICE_CONFIG || length > VIO_DEVICE_CONFIG - offset) return;
  bool changed = false;
  for (uint64_t i = 0; i < length; i++) {
    int16_t *byte = &checker->device[offset + i];
    if (*byte != NONE && *byte != data[i]) changed = true;
    *byte = data[i];
  }
  checker->device_dirty = true;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_CONFIG_READ,
                                         .offset = offset,
                                         .length = length,
                                         .data = data,
                                         .changed = changed});
}

static bool is_writable(int type, uint64_t offset) {
  bool tabled = false;
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    if (FIELDS[i].type != type) continue;
    tabled = true;
    if (FIELDS[i].writable && offset >= FIELDS[i].offset && offset < FIELDS[i].offset + FIELDS[i].width)
      return true;
  }
  return !tabled;
}

void vio_check_device_write(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length) {
  judge_shape(checker, offset, length, true);
  const int type = vio_check_device_type(checker);
  for (uint64_t i = 0; i < length && offset < VIO_DEVICE_CONFIG && offset + i < VIO_DEVICE_CONFIG; i++)
    if (is_writable(type, offset + i)) checker->device[offset + i] = NONE;
  vio_check_publish(
      checker, &(vio_fact){.kind = FACT_CONFIG_WRITE, .offset = offset, .length = length, .data = data});
}

int64_t vio_check_device_value(const vio_checker *checker, uint32_t offset, uint32_t width) {
  uint64_t value = 0;
  for (uint32_t i = width; i-- > 0;) {
    if (checker->device[offset + i] == NONE) return NONE;
    value = value << 8 | (uint64_t)checker->device[offset + i];
  }
  return (int64_t)value;
}
