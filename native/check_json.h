/* JSON objects of one line, scanned in place; inside native/ only. */
#ifndef VIO_CHECK_JSON_H
#define VIO_CHECK_JSON_H
#include "check_heap.h"

enum vio_json_type {
  JSON_ABSENT,
  JSON_INTEGER,
  JSON_FLOAT,
  JSON_TRUE,
  JSON_FALSE,
  JSON_NULL,
  JSON_STRING,
  JSON_OBJECT,
  JSON_ARRAY
};

/* A value where it stands: [from, to), of a string without its quotes. */
typedef struct vio_json {
  enum vio_json_type type;
  bool negative, huge, escaped; /* huge: beyond 64 bits */
  uint64_t number;
  const uint8_t *from, *to;
} vio_json;

/* The keys that are asked for, and what came of the others. */
typedef struct vio_json_keys {
  const char *const *names;
  uint32_t count;
  vio_json *values; /* `count` of them; of a key that comes twice the last */
  uint32_t unknown; /* how many different other keys there are */
} vio_json_keys;

/* Buffers that the scanner keeps from line to line. */
typedef struct vio_json_scratch {
  vio_heap *heap;
  uint8_t *text;
  size_t text_room;
  uint64_t *hashes;
  size_t hash_room;
} vio_json_scratch;

enum { VIO_JSON_DEPTH = 199, VIO_JSON_DIGITS = 4300 };

/* The number in four hex digits, -1 if they are none. */
int32_t vio_json_hex(const uint8_t *at);
bool vio_json_utf8(const uint8_t *from, const uint8_t *to);
/* Scan an object; *to must be 0. False if [from, to) is anything but one whole object; *other is true
 * if it is another value. */
bool vio_json_object(vio_json_scratch *scratch, const uint8_t *from, const uint8_t *to,
                     vio_json_keys *keys, bool *other);
/* The text of a string, unescaped; valid until the next call. */
const uint8_t *vio_json_text(vio_json_scratch *scratch, const vio_json *value, size_t *length);
bool vio_json_is(vio_json_scratch *scratch, const vio_json *value, const char *text);

#endif
