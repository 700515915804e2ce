/* The event stream: hands every event to its sinks, keeps it for Python, writes it as a vtrace line. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SINKS 8u

typedef struct record {
  uint64_t t, t_req, addr;
  uint32_t length;
  uint8_t kind, number, err, zero;
} record;

struct vio_events {
  struct {
    vio_event_sink call;
    void *context;
  } sinks[MAX_SINKS];
  size_t sink_count;
  uint64_t count;
  bool keep, lost;
  uint8_t *kept; /* records from kept_from up to kept_to */
  size_t kept_from, kept_to, kept_size;
  vio_trace trace;
};

vio_events *vio_events_new(void) {
  vio_events *events = calloc(1, sizeof *events);
  if (events != NULL) events->trace.file = -1;
  return events;
}

void vio_events_free(vio_events *events) {
  if (events == NULL) return;
  vio_events_trace_close(events);
  free(events->kept);
  free(events);
}

int vio_events_listen(vio_events *events, vio_event_sink sink, void *context) {
  if (sink == NULL) {
    size_t left = 0;
    for (size_t i = 0; i < events->sink_count; i++)
      if (events->sinks[i].context != context) events->sinks[left++] = events->sinks[i];
    events->sink_count = left;
    return 0;
  }
  if (events->sink_count == MAX_SINKS) return -1;
  events->sinks[events->sink_count].call = sink;
  events->sinks[events->sink_count++].context = context;
  return 0;
}

static size_t padded(uint32_t length) { return ((size_t)length + 7u) & ~(size_t)7u; }

/* Make room for `size` more bytes behind what is kept. */
static bool make_room(vio_events *events, size_t size) {
  if (events->kept_size - events->kept_to >= size) return true;
  const size_t used = events->kept_to - events->kept_from;
  if (used > 0) memmove(events->kept, events->kept + events->kept_from, used);
  events->kept_from = 0;
  events->kept_to = used;
  if (events->kept_size - used >= size) return true;
  size_t grown = events->kept_size == 0 ? 1u << 16 : events->kept_size;
  while (grown - used < size) grown *= 2;
  uint8_t *kept = realloc(events->kept, grown);
  if (kept == NULL) return false;
  events->kept = kept;
  events->kept_size = grown;
  return true;
}

static void keep_event(vio_events *events, const vio_event *event) {
  const size_t size = sizeof(record) + padded(event->length);
  if (!make_room(events, size)) {
    events->lost = true;
    return;
  }
  const record head = {event->t,    event->t_req,  event->addr, event->length,
                       event->kind, event->number, event->err,  0};
  uint8_t *to = events->kept + events->kept_to;
  memcpy(to, &head, sizeof head);
  if (event->length > 0) {
    memset(to + size - 8, 0, 8);
    memcpy(to + sizeof head, event->data, event->length);
  }
  events->kept_to += size;
}

void vio_events_emit(vio_events *events, const vio_event *event) {
  events->count++;
  if (events->keep) keep_event(events, event);
  if (events->trace.file >= 0) vio_trace_add(&events->trace, event);
  for (size_t i = 0; i < events->sink_count; i++)
    events->sinks[i].call(events->sinks[i].context, event);
}

uint64_t vio_events_count(const vio_events *events) { return events->count; }

void vio_events_keep(vio_events *events, bool keep) {
  events->keep = keep;
  if (!keep) events->kept_from = events->kept_to = 0;
}

size_t vio_events_kept(const vio_events *events) { return events->kept_to - events->kept_from; }

bool vio_events_lost(const vio_events *events) { return events->lost; }

size_t vio_events_drain(vio_events *events, uint8_t *out, size_t size) {
  size_t used = 0;
  while (events->kept_from + used < events->kept_to) {
    record head;
    memcpy(&head, events->kept + events->kept_from + used, sizeof head);
    const size_t next = sizeof head + padded(head.length);
    if (next > size - used) break;
    used += next;
  }
  if (used > 0) memcpy(out, events->kept + events->kept_from, used);
  events->kept_from += used;
  if (events->kept_from == events->kept_to) events->kept_from = events->kept_to = 0;
  return used;
}

int vio_events_trace(vio_events *events, const char *path, const char *header) {
  vio_events_trace_close(events);
  return vio_trace_open(&events->trace, path, header);
}

int vio_events_flush(vio_events *events) {
  return events->trace.file < 0 ? 0 : vio_trace_flush(&events->trace);
}

int vio_events_trace_close(vio_events *events) {
  return events->trace.file < 0 ? 0 : vio_trace_close(&events->trace);
}
