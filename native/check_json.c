/* A strict JSON scanner for one line at a time: no recursion, no copies but of escaped strings. */
#include "check_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static const uint8_t *skip_space(const uint8_t *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
  return at;
}

/* Behind the string whose first character is at `at`; NULL if it is none. */
static const uint8_t *scan_string(const uint8_t *at, vio_json *value) {
  value->type = JSON_STRING;
  value->from = at;
  value->escaped = false;
  for (;; at++) {
    if (*at == '"') break;
    if (*at < 0x20) return NULL;
    if (*at != '\\') continue;
    value->escaped = true;
    at++;
    if (*at == 'u') {
      if (vio_json_hex(at + 1) < 0) return NULL;
      at += 4;
    } else if (*at == 0 || strchr("\"\\/bfnrt", *at) == NULL) {
      return NULL;
    }
  }
  value->to = at;
  return at + 1;
}

static const uint8_t *scan_digits(const uint8_t *at) {
  while (*at >= '0' && *at <= '9') at++;
  return at;
}

static void take_integer(vio_json *value, const uint8_t *at, const uint8_t *end) {
  value->number = 0;
  value->huge = false;
  for (; at < end; at++) {
    const uint64_t digit = (uint64_t)(*at - '0');
    if (value->number > (UINT64_MAX - digit) / 10) value->huge = true;
    value->number = value->number * 10 + digit;
  }
}

static const uint8_t *scan_number(const uint8_t *at, vio_json *value) {
  value->from = at;
  value->negative = *at == '-';
  const uint8_t *digits = value->negative ? at + 1 : at;
  if (*digits < '0' || *digits > '9') return NULL;
  const uint8_t *end = *digits == '0' ? digits + 1 : scan_digits(digits);
  value->type = JSON_INTEGER;
  value->to = end;
  if (*end == '.' && end[1] >= '0' && end[1] <= '9') {
    value->type = JSON_FLOAT;
    value->to = scan_digits(end + 1);
  }
  if (*value->to == 'e' || *value->to == 'E') {
    const uint8_t *power = value->to + (value->to[1] == '+' || value->to[1] == '-' ? 2 : 1);
    if (*power >= '0' && *power <= '9') {
      value->type = JSON_FLOAT;
      value->to = scan_digits(power);
    }
  }
  if (value->type == JSON_FLOAT) return value->to;
  if (end - digits > VIO_JSON_DIGITS) return NULL;
  take_integer(value, digits, end);
  return end;
}

static const uint8_t *scan_word(const uint8_t *at, vio_json *value) {
  static const struct {
    const char *word;
    size_t length;
    enum vio_json_type type;
  } WORDS[] = {{"true", 4, JSON_TRUE}, {"false", 5, JSON_FALSE}, {"null", 4, JSON_NULL}};
  for (int i = 0; i < 3; i++)
    if (strncmp((const char *)at, WORDS[i].word, WORDS[i].length) == 0) {
      value->type = WORDS[i].type;
      return at + WORDS[i].length;
    }
  return NULL;
}

static const uint8_t *scan_scalar(const uint8_t *at, vio_json *value) {
  if (*at == '"') return scan_string(at + 1, value);
  if (*at == '-' || (*at >= '0' && *at <= '9')) return scan_number(at, value);
  return scan_word(at, value);
}

/* Behind a key and its colon; NULL if there is none. */
static const uint8_t *scan_key(const uint8_t *at, vio_json *key) {
  at = *at == '"' ? scan_string(at + 1, key) : NULL;
  if (at == NULL) return NULL;
  at = skip_space(at);
  return *at == ':' ? skip_space(at + 1) : NULL;
}

/* Behind a nested object or array, which is only held against the grammar. */
static const uint8_t *scan_nested(const uint8_t *at, vio_json *value) {
  bool object[VIO_JSON_DEPTH];
  int depth = 0;
  vio_json inner;
  value->type = *at == '{' ? JSON_OBJECT : JSON_ARRAY;
  value->from = at;
  for (;;) {
    if (*at == '{' || *at == '[') {
      if (depth == VIO_JSON_DEPTH) return NULL;
      object[depth++] = *at == '{';
      at = skip_space(at + 1);
      if (*at != (object[depth - 1] ? '}' : ']')) {
        if (object[depth - 1]) at = scan_key(at, &inner);
        if (at == NULL) return NULL;
        continue;
      }
    } else {
      at = scan_scalar(at, &inner);
      if (at == NULL) return NULL;
      at = skip_space(at);
    }
    while (*at == (object[depth - 1] ? '}' : ']')) {
      at++;
      if (--depth == 0) {
        value->to = at;
        return at;
      }
      at = skip_space(at);
    }
    if (*at != ',') return NULL;
    at = skip_space(at + 1);
    if (object[depth - 1]) at = scan_key(at, &inner);
    if (at == NULL) return NULL;
  }
}

static const uint8_t *scan_value(const uint8_t *at, vio_json *value) {
  return *at == '{' || *at == '[' ? scan_nested(at, value) : scan_scalar(at, value);
}

/* ---- objects ---- */

static uint64_t hash_of(const uint8_t *text, size_t length) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ text[i]) * 0x100000001b3u;
  return hash ^ hash >> 29;
}

static int by_value(const void *a, const void *b) {
  const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

static uint32_t count_different(uint64_t *hashes, uint32_t count) {
  uint32_t different = 0;
  if (count > 1) qsort(hashes, count, sizeof *hashes, by_value);
  for (uint32_t i = 0; i < count; i++) different += i == 0 || hashes[i] != hashes[i - 1];
  return different;
}

static void take_key(vio_json_scratch *scratch, vio_json_keys *keys, const vio_json *key,
                     const vio_json *value) {
  size_t length;
  const uint8_t *text = vio_json_text(scratch, key, &length);
  for (uint32_t i = 0; i < keys->count; i++) {
    const char *name = keys->names[i];
    if (strlen(name) != length || memcmp(name, text, length) != 0) continue;
    keys->values[i] = *value;
    return;
  }
  scratch->hashes = vio_heap_more(scratch->heap, scratch->hashes, keys->unknown, &scratch->hash_room,
                                  sizeof *scratch->hashes);
  scratch->hashes[keys->unknown++] = hash_of(text, length);
}

static const uint8_t *scan_members(vio_json_scratch *scratch, const uint8_t *at, vio_json_keys *keys) {
  at = skip_space(at + 1);
  if (*at == '}') return at + 1;
  for (;;) {
    vio_json key, value;
    at = scan_key(at, &key);
    if (at == NULL) return NULL;
    at = scan_value(at, &value);
    if (at == NULL) return NULL;
    take_key(scratch, keys, &key, &value);
    at = skip_space(at);
    if (*at == '}') return at + 1;
    if (*at != ',') return NULL;
    at = skip_space(at + 1);
  }
}

bool vio_json_object(vio_json_scratch *scratch, const uint8_t *from, const uint8_t *to,
                     vio_json_keys *keys, bool *other) {
  for (uint32_t i = 0; i < keys->count; i++) keys->values[i].type = JSON_ABSENT;
  keys->unknown = 0;
  *other = false;
  const uint8_t *at = skip_space(from);
  if (*at != '{') {
    vio_json value;
    at = scan_value(at, &value);
    *other = at != NULL && skip_space(at) == to;
    return false;
  }
  at = scan_members(scratch, at, keys);
  if (at == NULL || skip_space(at) != to) return false;
  keys->unknown = count_different(scratch->hashes, keys->unknown);
  return true;
}
