/* Text in JSON: UTF-8, and strings with escapes. */
#include "check_json.h"

#include <string.h>

/* ---- UTF-8 ---- */

/* Bytes of the sequence at `at`, 0 if it is none. */
static size_t sequence(const uint8_t *at, size_t left) {
  const uint8_t lead = at[0];
  const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f)) return 0;
  if ((lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f)) return 0;
  return length;
}

bool vio_json_utf8(const uint8_t *from, const uint8_t *to) {
  while (from < to) {
    uint64_t word;
    if (to - from >= 8) {
      memcpy(&word, from, 8);
      if ((word & 0x8080808080808080u) == 0) {
        from += 8;
        continue;
      }
    }
    const size_t length = *from < 0x80 ? 1 : sequence(from, (size_t)(to - from));
    if (length == 0) return false;
    from += length;
  }
  return true;
}

/* ---- escapes ---- */

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int32_t vio_json_hex(const uint8_t *at) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    const int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

static size_t put_point(uint8_t *to, uint32_t point) {
  if (point < 0x80) {
    to[0] = (uint8_t)point;
    return 1;
  }
  if (point < 0x800) {
    to[0] = (uint8_t)(0xc0 | point >> 6);
    to[1] = (uint8_t)(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    to[0] = (uint8_t)(0xe0 | point >> 12);
    to[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    to[2] = (uint8_t)(0x80 | (point & 0x3f));
    return 3;
  }
  to[0] = (uint8_t)(0xf0 | point >> 18);
  to[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
  to[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
  to[3] = (uint8_t)(0x80 | (point & 0x3f));
  return 4;
}

/* The character behind a backslash at *at, which moves behind it; surrogates are joined. */
static uint32_t unescape(const uint8_t **at, const uint8_t *end) {
  static const char FROM[] = "bfnrt", TO[] = "\b\f\n\r\t";
  const uint8_t c = *(*at)++;
  if (c != 'u') {
    const char *found = strchr(FROM, c);
    return found == NULL ? c : (uint32_t)TO[found - FROM];
  }
  uint32_t point = (uint32_t)vio_json_hex(*at);
  *at += 4;
  if (point >> 10 == 0x36 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
    const uint32_t low = (uint32_t)vio_json_hex(*at + 2);
    if (low >> 10 != 0x37) return point;
    point = 0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff));
    *at += 6;
  }
  return point;
}

const uint8_t *vio_json_text(vio_json_scratch *scratch, const vio_json *value, size_t *length) {
  *length = (size_t)(value->to - value->from);
  if (!value->escaped) return value->from;
  if (scratch->text_room < *length) {
    scratch->text = vio_heap_grow(scratch->heap, scratch->text, *length);
    scratch->text_room = *length;
  }
  uint8_t *to = scratch->text;
  for (const uint8_t *at = value->from; at < value->to;) {
    if (*at != '\\') {
      *to++ = *at++;
      continue;
    }
    at++;
    to += put_point(to, unescape(&at, value->to));
  }
  *length = (size_t)(to - scratch->text);
  return scratch->text;
}

bool vio_json_is(vio_json_scratch *scratch, const vio_json *value, const char *text) {
  size_t length;
  if (value->type != JSON_STRING) return false;
  const uint8_t *found = vio_json_text(scratch, value, &length);
  return length == strlen(text) && memcmp(found, text, length) == 0;
}
