/* The event stream: hands every event to its sinks, keeps it for Python, writes it as a vtrace line. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SINKS 8u
/* So many bytes of events wait for the sinks. */
#define AT_ONCE ((size_t)192 << 10)

typedef struct record {
  uint64_t t, t_req, addr;
  uint32_t length;
  uint8_t kind, number, err, zero;
} record;

/* Records from `from` up to `to`. */
typedef struct store {
  uint8_t *data;
  size_t from, to, size;
} store;

struct vio_events {
  struct {
    vio_event_sink call;
    void *context;
  } sinks[MAX_SINKS];
  size_t sink_count;
  uint64_t count;
  bool keep, lost;
  store kept, waiting; /* for vio_events_drain, and for the sinks */
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
  free(events->kept.data);
  free(events->waiting.data);
  free(events);
}

static size_t padded(uint32_t length) { return ((size_t)length + 7u) & ~(size_t)7u; }

/* Make room for `size` more bytes behind what is stored. */
static bool make_room(store *records, size_t size) {
  if (records->size - records->to >= size) return true;
  const size_t used = records->to - records->from;
  if (used > 0) memmove(records->data, records->data + records->from, used);
  records->from = 0;
  records->to = used;
  if (records->size - used >= size) return true;
  size_t grown = records->size == 0 ? 1u << 16 : records->size;
  while (grown - used < size) grown *= 2;
  uint8_t *data = realloc(records->data, grown);
  if (data == NULL) return false;
  records->data = data;
  records->size = grown;
  return true;
}

static bool put(store *records, const vio_event *event) {
  const size_t size = sizeof(record) + padded(event->length);
  if (!make_room(records, size)) return false;
  const record head = {event->t,    event->t_req,  event->addr, event->length,
                       event->kind, event->number, event->err,  0};
  uint8_t *to = records->data + records->to;
  memcpy(to, &head, sizeof head);
  if (event->length > 0) {
    memset(to + size - 8, 0, 8);
    memcpy(to + sizeof head, event->data, event->length);
  }
  records->to += size;
  return true;
}

static void call_sinks(const vio_events *events, const vio_event *event) {
  for (size_t i = 0; i < events->sink_count; i++)
    events->sinks[i].call(events->sinks[i].context, event);
}

void vio_events_settle(vio_events *events) {
  const store *waiting = &events->waiting;
  for (size_t at = waiting->from; at < waiting->to;) {
    record head;
    memcpy(&head, waiting->data + at, sizeof head);
    at += sizeof head;
    const vio_event event = {head.t,    head.t_req,  head.addr, head.length,
                             head.kind, head.number, head.err,  0, waiting->data + at};
    at += padded(head.length);
    call_sinks(events, &event);
  }
  events->waiting.from = events->waiting.to = 0;
}

/* Have the event wait for the sinks; where there is no memory for that it comes to them now. */
static void wait_for_sinks(vio_events *events, const vio_event *event) {
  if (events->waiting.to >= AT_ONCE) vio_events_settle(events);
  if (put(&events->waiting, event)) return;
  vio_events_settle(events);
  call_sinks(events, event);
}

int vio_events_listen(vio_events *events, vio_event_sink sink, void *context) {
  vio_events_settle(events);
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

void vio_events_emit(vio_events *events, const vio_event *event) {
  events->count++;
  if (events->keep && !put(&events->kept, event)) events->lost = true;
  if (events->trace.file >= 0) vio_trace_add(&events->trace, event);
  if (events->sink_count > 0) wait_for_sinks(events, event);
}

uint64_t vio_events_count(const vio_events *events) { return events->count; }

void vio_events_keep(vio_events *events, bool keep) {
  events->keep = keep;
  if (!keep) events->kept.from = events->kept.to = 0;
}

size_t vio_events_kept(const vio_events *events) { return events->kept.to - events->kept.from; }

bool vio_events_lost(const vio_events *events) { return events->lost; }

size_t vio_events_drain(vio_events *events, uint8_t *out, size_t size) {
  size_t used = 0;
  while (events->kept.from + used < events->kept.to) {
    record head;
    memcpy(&head, events->kept.data + events->kept.from + used, sizeof head);
    const size_t next = sizeof head + padded(head.length);
    if (next > size - used) break;
    used += next;
  }
  if (used > 0) memcpy(out, events->kept.data + events->kept.from, used);
  events->kept.from += used;
  if (events->kept.from == events->kept.to) events->kept.from = events->kept.to = 0;
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
