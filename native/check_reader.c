/* Reads vtrace, version 1: events from lines of JSON. Whatever is broken is refused with its line. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t CHUNK = (size_t)256 << 10;

bool vio_reader_refuse(vio_reader *reader, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(reader->reason, sizeof reader->reason, format, list);
  va_end(list);
  reader->failed = true;
  reader->error_line = reader->line;
  return false;
}

bool vio_reader_open(vio_reader *reader, vio_heap *heap, const char *path) {
  *reader = (vio_reader){.heap = heap, .scratch = {.heap = heap}, .file = NONE};
  if (path == NULL) return true;
  reader->file = open(path, O_RDONLY | O_CLOEXEC);
  return reader->file >= 0 || vio_reader_refuse(reader, "cannot be opened: %s", strerror(errno));
}

void vio_reader_close(vio_reader *reader) {
  if (reader->file >= 0) close(reader->file);
  reader->file = NONE;
}

/* ---- lines ---- */

/* Read more bytes behind those that are there; false at the end or on an error. */
static bool read_more(vio_reader *reader) {
  if (reader->end) return false;
  if (reader->from > 0) memmove(reader->buffer, reader->buffer + reader->from, reader->to - reader->from);
  reader->to -= reader->from;
  reader->from = 0;
  if (reader->room - reader->to < CHUNK) {
    reader->room = 2 * reader->to + CHUNK;
    reader->buffer = vio_heap_grow(reader->heap, reader->buffer, reader->room + 1); /* 1: for scan's 0 */
  }
  ssize_t count;
  do count = read(reader->file, reader->buffer + reader->to, reader->room - reader->to);
  while (count < 0 && errno == EINTR);
  reader->end = count <= 0;
  if (count < 0) {
    reader->line++;
    return vio_reader_refuse(reader, "cannot be read: %s", strerror(errno));
  }
  reader->to += (size_t)count;
  return count > 0;
}

/* The next line without its line end, a 0 behind it: 1, at the end 0, -1 on an error. */
int vio_reader_line(vio_reader *reader, uint8_t **from, uint8_t **to) {
  size_t searched = 0;
  const uint8_t *found = NULL;
  for (;;) {
    const size_t left = reader->to - reader->from;
    if (left > searched) found = memchr(reader->buffer + reader->from + searched, '\n', left - searched);
    if (found != NULL || left > VIO_MAX_LINE) break;
    searched = left;
    if (!read_more(reader)) break;
  }
  if (reader->failed) return -1;
  const size_t left = reader->to - reader->from;
  if (left == 0) return 0;
  uint8_t *start = reader->buffer + reader->from;
  const size_t length = found == NULL ? left : (size_t)(found - start) + 1;
  reader->line++;
  if (length > VIO_MAX_LINE) return vio_reader_refuse(reader, "longer than %d bytes", VIO_MAX_LINE) - 1;
  reader->from += length;
  *from = start;
  *to = start + length;
  while (*to > start && ((*to)[-1] == '\n' || (*to)[-1] == '\r')) --*to;
  **to = 0;
  return 1;
}

static bool is_blank(const uint8_t *from, const uint8_t *to) {
  while (from < to && (*from == ' ' || (*from >= '\t' && *from <= '\r'))) from++;
  return from == to;
}

bool vio_reader_scan(vio_reader *reader, const uint8_t *from, const uint8_t *to, vio_json_keys *keys) {
  bool other;
  if (is_blank(from, to)) return vio_reader_refuse(reader, "an empty line");
  if (!vio_json_utf8(from, to)) return vio_reader_refuse(reader, "not UTF-8 text");
  if (vio_json_object(&reader->scratch, from, to, keys, &other)) return true;
  return vio_reader_refuse(
      reader, other ? "must be a JSON object" : "not a whole JSON object (is the file cut off here?)");
}

/* ---- values ---- */

bool vio_reader_integer(vio_reader *reader, const vio_json *value, const char *name, uint64_t high,
                        uint64_t *to) {
  if (value->type == JSON_ABSENT) return vio_reader_refuse(reader, "\"%s\" is missing", name);
  if (value->type != JSON_INTEGER) return vio_reader_refuse(reader, "\"%s\" must be an integer", name);
  if (value->huge || value->number > high || (value->negative && value->number != 0))
    return vio_reader_refuse(reader, "\"%s\" must lie in 0..%llu", name, (unsigned long long)high);
  *to = value->number;
  return true;
}

bool vio_reader_text(vio_reader *reader, const vio_json *value, const char *name) {
  if (value->type == JSON_ABSENT) return vio_reader_refuse(reader, "\"%s\" is missing", name);
  return value->type == JSON_STRING || vio_reader_refuse(reader, "\"%s\" must be a string", name);
}

static const int8_t *hex_values(void) {
  static int8_t values[256];
  if (values['1'] == 1) return values;
  memset(values, NONE, sizeof values);
  for (int i = 0; i < 10; i++) values['0' + i] = (int8_t)i;
  for (int i = 0; i < 6; i++) values['a' + i] = values['A' + i] = (int8_t)(10 + i);
  return values;
}

static bool take_data(vio_reader *reader, const vio_json *value, uint32_t low, uint32_t high,
                      vio_event *event) {
  const int8_t *digits = hex_values();
  size_t length;
  if (!vio_reader_text(reader, value, "data")) return false;
  const uint8_t *text = vio_json_text(&reader->scratch, value, &length);
  if (length / 2 > reader->data_room) {
    reader->data = vio_heap_grow(reader->heap, reader->data, length / 2);
    reader->data_room = length / 2;
  }
  int bad = length % 2 == 0 ? 0 : NONE;
  for (size_t i = 0; i < length / 2; i++) {
    const int upper = digits[text[2 * i]], lower = digits[text[2 * i + 1]];
    bad |= upper | lower;
    reader->data[i] = (uint8_t)((unsigned)upper << 4 | (unsigned)lower);
  }
  if (bad < 0) return vio_reader_refuse(reader, "\"data\" must be an even number of hex digits");
  if (length / 2 < low || length / 2 > high)
    return vio_reader_refuse(reader, "\"data\" must hold %u..%u bytes", low, high);
  event->length = (uint32_t)(length / 2);
  event->data = reader->data;
  return true;
}

/* ---- events ---- */

enum key { K_EV, K_T, K_T_REQ, K_ADDR, K_DATA, K_BAR, K_ERR, K_VECTOR, K_LEVEL, K_KIND, K_TEXT, KEYS };
static const char *const KEY_NAMES[KEYS] = {"ev",  "t",      "t_req", "addr", "data", "bar",
                                            "err", "vector", "level", "kind", "text"};
#define BIT(key) (1u << (key))
#define TIMES (BIT(K_EV) | BIT(K_T) | BIT(K_T_REQ))
#define ACCESS (TIMES | BIT(K_ADDR) | BIT(K_DATA))
static const struct {
  const char *name;
  uint8_t kind;
  uint32_t known;
} KINDS[] = {
    {"dma_rd", VIO_DMA_READ, ACCESS | BIT(K_ERR)},
    {"dma_wr", VIO_DMA_WRITE, ACCESS | BIT(K_ERR)},
    {"mem_wr", VIO_MEM_WRITE, ACCESS},
    {"bar_rd", VIO_BAR_READ, ACCESS | BIT(K_BAR)},
    {"bar_wr", VIO_BAR_WRITE, ACCESS | BIT(K_BAR)},
    {"msix", VIO_MSIX, ACCESS | BIT(K_VECTOR)},
    {"cfg_rd", VIO_CFG_READ, ACCESS},
    {"cfg_wr", VIO_CFG_WRITE, ACCESS},
    {"intx", VIO_INTX, TIMES | BIT(K_LEVEL)},
    {"reset", VIO_RESET, TIMES | BIT(K_KIND)},
    {"mark", VIO_MARK, TIMES | BIT(K_TEXT)},
};

static bool take_host(vio_reader *reader, const vio_json *values, vio_event *event) {
  const bool bar = event->kind == VIO_BAR_READ || event->kind == VIO_BAR_WRITE;
  uint64_t number = 0;
  if (bar && !vio_reader_integer(reader, &values[K_BAR], "bar", 5, &number)) return false;
  event->number = (uint8_t)number;
  if (!take_data(reader, &values[K_DATA], 1, 4096, event)) return false;
  const uint64_t high = bar ? UINT64_MAX : VIO_CONFIG_LENGTH - event->length;
  return vio_reader_integer(reader, &values[K_ADDR], "addr", high, &event->addr);
}

static bool take_error(vio_reader *reader, const vio_json *value, vio_event *event) {
  double number = value->type == JSON_TRUE;
  if (value->type == JSON_FLOAT || value->type == JSON_INTEGER)
    number = strtod((const char *)value->from, NULL);
  else if (value->type != JSON_TRUE && value->type != JSON_FALSE && value->type != JSON_ABSENT)
    number = 2;
  if (number != 0 && number != 1) return vio_reader_refuse(reader, "\"err\" must be true or false");
  event->err = number == 1;
  return true;
}

static bool take_memory(vio_reader *reader, const vio_json *values, vio_event *event) {
  if (!vio_reader_integer(reader, &values[K_ADDR], "addr", UINT64_MAX, &event->addr)) return false;
  if (event->kind == VIO_MEM_WRITE) return take_data(reader, &values[K_DATA], 1, VIO_MAX_LINE, event);
  if (!take_error(reader, &values[K_ERR], event)) return false;
  return (event->err && values[K_DATA].type == JSON_ABSENT) ||
         take_data(reader, &values[K_DATA], 0, VIO_MAX_LINE, event);
}

static bool take_message(vio_reader *reader, const vio_json *values, vio_event *event) {
  if (values[K_VECTOR].type != JSON_ABSENT) {
    event->kind = VIO_MSIX_VECTOR;
    return vio_reader_integer(reader, &values[K_VECTOR], "vector", 0xffff, &event->addr);
  }
  if (values[K_ADDR].type == JSON_ABSENT)
    return vio_reader_refuse(reader, "\"msix\" needs \"vector\", or \"addr\" and \"data\"");
  return vio_reader_integer(reader, &values[K_ADDR], "addr", UINT64_MAX, &event->addr) &&
         take_data(reader, &values[K_DATA], 4, 4, event);
}

static bool take_text(vio_reader *reader, const vio_json *value, const char *name, vio_event *event) {
  size_t length;
  if (!vio_reader_text(reader, value, name)) return false;
  event->data = vio_json_text(&reader->scratch, value, &length);
  event->length = (uint32_t)length;
  if (event->kind == VIO_MARK) return true;
  return vio_json_is(&reader->scratch, value, "flr") || vio_json_is(&reader->scratch, value, "hot") ||
         vio_json_is(&reader->scratch, value, "power") ||
         vio_reader_refuse(reader, "\"kind\" must be one of flr, hot, power");
}

static bool take_detail(vio_reader *reader, const vio_json *values, vio_event *event) {
  uint64_t level = 0;
  switch (event->kind) {
    case VIO_DMA_READ:
    case VIO_DMA_WRITE:
    case VIO_MEM_WRITE:
      return take_memory(reader, values, event);
    case VIO_MSIX:
      return take_message(reader, values, event);
    case VIO_INTX:
      if (!vio_reader_integer(reader, &values[K_LEVEL], "level", 1, &level)) return false;
      event->number = (uint8_t)level;
      return true;
    case VIO_RESET:
      return take_text(reader, &values[K_KIND], "kind", event);
    case VIO_MARK:
      return take_text(reader, &values[K_TEXT], "text", event);
    default:
      return take_host(reader, values, event);
  }
}

static bool take_times(vio_reader *reader, const vio_json *values, vio_event *event) {
  event->t_req = VIO_NO_TIME;
  return vio_reader_integer(reader, &values[K_T], "t", INT64_MAX, &event->t) &&
         (values[K_T_REQ].type == JSON_ABSENT ||
          vio_reader_integer(reader, &values[K_T_REQ], "t_req", INT64_MAX, &event->t_req));
}

/* Read the event of one line: 1; 0 if it is of an unknown kind; -1 if it is broken. */
static int take_event(vio_reader *reader, const vio_json_keys *keys, vio_event *event) {
  const vio_json *values = keys->values;
  if (!vio_reader_text(reader, &values[K_EV], "ev")) return -1;
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
    if (!vio_json_is(&reader->scratch, &values[K_EV], KINDS[i].name)) continue;
    *event = (vio_event){.kind = KINDS[i].kind};
    reader->ignored += keys->unknown;
    for (uint32_t key = 0; key < KEYS; key++)
      reader->ignored += values[key].type != JSON_ABSENT && !(KINDS[i].known >> key & 1u);
    return take_times(reader, values, event) && take_detail(reader, values, event) ? 1 : -1;
  }
  reader->ignored++;
  return 0;
}

int vio_reader_next(vio_reader *reader, vio_event *event) {
  vio_json values[KEYS];
  vio_json_keys keys = {.names = KEY_NAMES, .count = KEYS, .values = values};
  for (;;) {
    uint8_t *from, *to;
    const int got = reader->failed ? -1 : vio_reader_line(reader, &from, &to);
    if (got != 1) return got;
    const int taken = vio_reader_scan(reader, from, to, &keys) ? take_event(reader, &keys, event) : -1;
    if (taken != 0) return taken;
  }
}
