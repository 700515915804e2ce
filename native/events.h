/* The vtrace writer that an event stream owns; inside native/ only. */
#ifndef VIO_EVENTS_H
#define VIO_EVENTS_H
#include "vio_native.h"

/* Lines on their way to a file; `file` is -1 while there is none. */
typedef struct vio_trace {
  int file;
  bool failed;
  char *text;
  size_t used, size;
} vio_trace;

int vio_trace_open(vio_trace *trace, const char *path, const char *header);
void vio_trace_add(vio_trace *trace, const vio_event *event);
int vio_trace_flush(vio_trace *trace);
int vio_trace_close(vio_trace *trace);

#endif
