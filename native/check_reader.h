/* The vtrace reader; inside native/check*.c only. */
#ifndef VIO_CHECK_READER_H
#define VIO_CHECK_READER_H
#include "check_json.h"
#include "check_state.h"

enum { VIO_MAX_LINE = 16 << 20, VIO_REASON = 160 };

typedef struct vio_reader {
  vio_heap *heap;
  int file;
  bool end, failed;
  uint8_t *buffer; /* unread bytes lie in [from, to) */
  size_t from, to, room;
  uint64_t line, ignored, error_line;
  vio_json_scratch scratch;
  uint8_t *data; /* the current event's bytes */
  size_t data_room;
  char reason[VIO_REASON];
} vio_reader;

/* Open the trace; false: see reason. */
bool vio_reader_open(vio_reader *reader, vio_heap *heap, const char *path);
void vio_reader_close(vio_reader *reader);
bool vio_reader_header(vio_reader *reader, vio_check_header *header);
/* The header from text instead of a file. */
bool vio_reader_parse(vio_reader *reader, const char *text, vio_check_header *header);
/* The next event: 1, at the end 0, -1 on an error. Its data is valid until the next call. */
int vio_reader_next(vio_reader *reader, vio_event *event);

/* For check_header.c. Lines: 1, at the end 0, -1 on an error; [*from, *to) and a 0 behind it. */
int vio_reader_line(vio_reader *reader, uint8_t **from, uint8_t **to);
bool vio_reader_scan(vio_reader *reader, const uint8_t *from, const uint8_t *to, vio_json_keys *keys);
/* The value of a key, which must be an integer of 0 to `high`; or some text. */
bool vio_reader_integer(vio_reader *reader, const vio_json *value, const char *name, uint64_t high,
                        uint64_t *to);
bool vio_reader_text(vio_reader *reader, const vio_json *value, const char *name);
/* Say why the trace cannot be read; false. */
__attribute__((format(printf, 2, 3))) bool vio_reader_refuse(vio_reader *reader, const char *format, ...);

#endif
