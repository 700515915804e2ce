/* Events as lines of a vtrace file: the same text as pymodel/vtrace.py writes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_BYTES ((size_t)64 << 10)

/* Text into `to`, of which `size` bytes exist; `used` counts on when they are full. */
typedef struct line {
  char *to;
  size_t used, size;
} line;

static void put(line *out, const char *from, size_t length) {
  if (out->used + length <= out->size) memcpy(out->to + out->used, from, length);
  out->used += length;
}

static void put_string(line *out, const char *from) { put(out, from, strlen(from)); }

static void put_number(line *out, uint64_t value) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  put(out, digits + at, sizeof digits - at);
}

static void put_field(line *out, const char *key, uint64_t value) {
  put_string(out, key);
  put_number(out, value);
}

static const char HEX[] = "0123456789abcdef";

static void put_data(line *out, const vio_event *event) {
  put_string(out, ",\"data\":\"");
  if (out->used + 2 * (size_t)event->length <= out->size) {
    char *to = out->to + out->used;
    for (uint32_t i = 0; i < event->length; i++) {
      *to++ = HEX[event->data[i] >> 4];
      *to++ = HEX[event->data[i] & 15];
    }
  }
  out->used += 2 * (size_t)event->length;
  put(out, "\"", 1);
}

static void put_unicode(line *out, uint32_t unit) {
  const char escape[6] = {'\\', 'u', HEX[unit >> 12 & 15], HEX[unit >> 8 & 15], HEX[unit >> 4 & 15],
                          HEX[unit & 15]};
  put(out, escape, sizeof escape);
}

/* The code point at `at` (valid UTF-8, as Python hands it over), and behind it; bytes that are none
 * stand for themselves. */
static uint32_t code_point(const uint8_t *data, uint32_t length, uint32_t *at) {
  const uint8_t first = data[(*at)++];
  const uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  if (more == 0 || length - *at < more) return first;
  uint32_t point = first & (0x3fu >> more);
  for (uint32_t i = 0; i < more; i++) point = point << 6 | (data[(*at)++] & 0x3fu);
  return point;
}

/* JSON text in ASCII, escaped as Python's json module does. */
static void put_text(line *out, const vio_event *event) {
  static const char SHORT[] = "\"\"\\\\\bb\ff\nn\rr\tt";
  put(out, "\"", 1);
  for (uint32_t at = 0; at < event->length;) {
    const uint32_t point = code_point(event->data, event->length, &at);
    const char *known = NULL;
    for (const char *pair = SHORT; *pair != '\0'; pair += 2)
      if ((uint32_t)(uint8_t)*pair == point) known = pair;
    if (known != NULL) {
      const char escape[2] = {'\\', known[1]};
      put(out, escape, 2);
    } else if (point >= 0x10000) {
      put_unicode(out, 0xd800 + ((point - 0x10000) >> 10 & 0x3ff));
      put_unicode(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
    } else if (point < 0x20 || point > 0x7e) {
      put_unicode(out, point);
    } else {
      const char plain = (char)point;
      put(out, &plain, 1);
    }
  }
  put(out, "\"", 1);
}

static void put_detail(line *out, const vio_event *event) {
  switch (event->kind) {
    case VIO_BAR_READ:
    case VIO_BAR_WRITE:
      put_field(out, ",\"bar\":", event->number);
      break;
    case VIO_MSIX_VECTOR:
      put_field(out, ",\"vector\":", event->addr);
      return;
    case VIO_INTX:
      put_field(out, ",\"level\":", event->number);
      return;
    case VIO_RESET:
    case VIO_MARK:
      put_string(out, event->kind == VIO_RESET ? ",\"kind\":" : ",\"text\":");
      put_text(out, event);
      return;
    default:
      break;
  }
  put_field(out, ",\"addr\":", event->addr);
  if (event->err) put_string(out, ",\"err\":true");
  put_data(out, event);
}

size_t vio_event_line(const vio_event *event, char *out, size_t size) {
  static const char *const NAMES[VIO_EVENT_KINDS] = {"cfg_rd", "cfg_wr", "bar_rd", "bar_wr",
                                                     "dma_rd", "dma_wr", "mem_wr", "msix",
                                                     "msix",   "intx",   "reset",  "mark"};
  line text = {out, 0, size};
  put_string(&text, "{\"ev\":\"");
  put_string(&text, event->kind < VIO_EVENT_KINDS ? NAMES[event->kind] : "?");
  put_field(&text, "\",\"t\":", event->t);
  if (event->t_req != VIO_NO_TIME) put_field(&text, ",\"t_req\":", event->t_req);
  put_detail(&text, event);
  put(&text, "}", 1);
  return text.used;
}

int vio_trace_open(vio_trace *trace, const char *path, const char *header) {
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return -1;
  const size_t length = strlen(header);
  char *text = malloc(2 * FLUSH_BYTES + length);
  if (text == NULL) {
    close(file);
    errno = ENOMEM;
    return -1;
  }
  memcpy(text, header, length);
  *trace = (vio_trace){file, false, text, length, 2 * FLUSH_BYTES + length};
  return vio_trace_flush(trace);
}

void vio_trace_add(vio_trace *trace, const vio_event *event) {
  size_t length = vio_event_line(event, trace->text + trace->used, trace->size - trace->used);
  if (trace->used + length + 1 > trace->size) {
    char *grown = realloc(trace->text, 2 * (trace->used + length + 1));
    if (grown == NULL) {
      trace->failed = true;
      return;
    }
    trace->text = grown;
    trace->size = 2 * (trace->used + length + 1);
    length = vio_event_line(event, trace->text + trace->used, trace->size - trace->used);
  }
  trace->used += length;
  trace->text[trace->used++] = '\n';
  if (trace->used >= FLUSH_BYTES) vio_trace_flush(trace);
}

int vio_trace_flush(vio_trace *trace) {
  for (size_t done = 0; done < trace->used;) {
    const ssize_t count = write(trace->file, trace->text + done, trace->used - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      trace->failed = true;
      break;
    }
    done += (size_t)count;
  }
  trace->used = 0;
  return trace->failed ? -1 : 0;
}

int vio_trace_close(vio_trace *trace) {
  int result = vio_trace_flush(trace);
  if (close(trace->file) < 0) result = -1;
  free(trace->text);
  *trace = (vio_trace){.file = -1};
  return result;
}
