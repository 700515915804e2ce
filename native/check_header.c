/* The header of a vtrace: its first line. */
#include "check_reader.h"

#include <string.h>

/* Scan an object within the line, which was held against the grammar already. */
static bool scan_inner(vio_reader *reader, const vio_json *value, vio_json_keys *keys) {
  uint8_t *end = reader->buffer + (value->to - reader->buffer);
  const uint8_t behind = *end;
  bool other;
  *end = 0;
  const bool whole = vio_json_object(&reader->scratch, value->from, value->to, keys, &other);
  *end = behind;
  return whole;
}

static bool take_region(vio_reader *reader, const char *name, const vio_json *value,
                        vio_check_place *place) {
  static const char *const NAMES[] = {"bar", "offset", "length", "multiplier"};
  vio_json values[4];
  vio_json_keys keys = {.names = NAMES, .count = 4, .values = values};
  uint64_t bar, multiplier = 0;
  if (value->type != JSON_OBJECT)
    return vio_reader_refuse(reader, "\"layout\": \"%s\" must be an object", name);
  const bool whole = scan_inner(reader, value, &keys);
  if (!whole || !vio_reader_integer(reader, &values[0], "bar", 5, &bar) ||
      !vio_reader_integer(reader, &values[1], "offset", UINT64_MAX, &place->offset) ||
      !vio_reader_integer(reader, &values[2], "length", UINT64_MAX, &place->length))
    return false;
  if (place->kind == PLACE_NOTIFY &&
      !vio_reader_integer(reader, &values[3], "multiplier", UINT32_MAX, &multiplier))
    return false;
  place->bar = (uint32_t)bar;
  place->multiplier = (uint32_t)multiplier;
  return true;
}

static bool take_entries(vio_reader *reader, const vio_json *value, vio_check_header *header) {
  static const char *const NAMES[] = {"entries"};
  vio_json entries;
  vio_json_keys keys = {.names = NAMES, .count = 1, .values = &entries};
  uint64_t number;
  if (value->type == JSON_ABSENT) return true;
  if (value->type != JSON_OBJECT)
    return vio_reader_refuse(reader, "\"layout\": \"msix\" must be an object");
  const bool whole = scan_inner(reader, value, &keys);
  if (!whole || !vio_reader_integer(reader, &entries, "entries", 2048, &number)) return false;
  header->entries = (int32_t)number;
  return true;
}

static bool take_layout(vio_reader *reader, const vio_json *value, vio_check_header *header) {
  static const char *const NAMES[] = {"common", "notify", "isr", "device", "msix"};
  static const enum vio_check_place_kind KIND[] = {PLACE_COMMON, PLACE_NOTIFY, PLACE_ISR, PLACE_DEVICE};
  vio_json values[5];
  vio_json_keys keys = {.names = NAMES, .count = 5, .values = values};
  if (value->type == JSON_ABSENT) return true;
  if (value->type != JSON_OBJECT) return vio_reader_refuse(reader, "\"layout\" must be an object");
  const bool whole = scan_inner(reader, value, &keys);
  if (!whole) return vio_reader_refuse(reader, "\"layout\" must be an object");
  header->layout = true;
  for (int i = 0; i < 4; i++) {
    if (values[i].type == JSON_ABSENT) continue;
    vio_check_place *place = &header->places[header->place_count];
    *place = (vio_check_place){.kind = KIND[i]};
    if (!take_region(reader, NAMES[i], &values[i], place)) return false;
    header->place_count++;
  }
  return take_entries(reader, &values[4], header);
}

enum { H_VTRACE, H_SOURCE, H_UNIT, H_DEVICE, H_TYPE, H_LAYOUT, H_LGUEST, H_KEYS };

static bool take_header(vio_reader *reader, const vio_json *values, vio_check_header *header) {
  uint64_t type = 0;
  if (values[H_VTRACE].type != JSON_INTEGER)
    return vio_reader_refuse(reader, "the first line must be a vtrace header: {\"vtrace\":1,...}");
  if (values[H_VTRACE].huge || values[H_VTRACE].negative || values[H_VTRACE].number != 1)
    return vio_reader_refuse(reader, "this is another version of vtrace than 1");
  if (values[H_UNIT].type != JSON_ABSENT && !vio_json_is(&reader->scratch, &values[H_UNIT], "ps"))
    return vio_reader_refuse(reader, "\"time_unit\" must be \"ps\"");
  if (values[H_SOURCE].type != JSON_ABSENT && !vio_reader_text(reader, &values[H_SOURCE], "source"))
    return false;
  if (values[H_DEVICE].type != JSON_ABSENT && !vio_reader_text(reader, &values[H_DEVICE], "device"))
    return false;
  header->verilator = vio_json_is(&reader->scratch, &values[H_SOURCE], "verilator");
  header->simulated = header->verilator || vio_json_is(&reader->scratch, &values[H_SOURCE], "model");
  if (values[H_TYPE].type != JSON_ABSENT) {
    if (!vio_reader_integer(reader, &values[H_TYPE], "type", 0xffff, &type)) return false;
    header->type = (int32_t)type;
  }
  if (!take_layout(reader, &values[H_LAYOUT], header)) return false;
  if (values[H_LGUEST].type == JSON_ABSENT) return true;
  uint64_t top = 0;
  header->lguest = vio_reader_integer(reader, &values[H_LGUEST], "lguest_top", UINT32_MAX, &top);
  header->lguest_top = (uint32_t)top;
  return header->lguest;
}

static bool parse_header(vio_reader *reader, const uint8_t *from, const uint8_t *to,
                         vio_check_header *header) {
  static const char *const NAMES[H_KEYS] = {"vtrace", "source", "time_unit", "device", "type", "layout",
                                        "lguest_top"};
  vio_json values[H_KEYS];
  vio_json_keys keys = {.names = NAMES, .count = H_KEYS, .values = values};
  *header = (vio_check_header){.type = NONE, .entries = NONE};
  if (!vio_reader_scan(reader, from, to, &keys)) return false;
  reader->ignored += keys.unknown;
  return take_header(reader, values, header);
}

bool vio_reader_header(vio_reader *reader, vio_check_header *header) {
  uint8_t *from, *to;
  const int got = vio_reader_line(reader, &from, &to);
  if (got < 0) return false;
  if (got == 1) return parse_header(reader, from, to, header);
  reader->line = 1;
  return vio_reader_refuse(reader,
                           "the file is empty; the first line must be a header: {\"vtrace\":1,...}");
}

bool vio_reader_parse(vio_reader *reader, const char *text, vio_check_header *header) {
  const size_t length = strlen(text);
  reader->buffer = vio_heap_take(reader->heap, length + 1);
  memcpy(reader->buffer, text, length + 1);
  reader->line = 1;
  return parse_header(reader, reader->buffer, reader->buffer + length, header);
}
