/* Guest memory as the device touches it: DMA held against everything that the driver gave it; and
 * breaches that wait for the next host write, which the device may have known before the host did. */
#include "check_facts.h"

#include <stdlib.h>

enum { OVERHANG = 256, ACCESSES_TO_SETTLE = 8 };

bool vio_check_mastering(const vio_checker *checker) {
  const int64_t command = checker->config.command;
  return command == NONE || ((uint64_t)command & VIO_PCI_COMMAND_BUS_MASTER) != 0;
}

/* ---- breaches that wait ---- */

void vio_check_suspect_add(vio_checker *checker, enum vio_check_breach_kind kind,
                           const vio_check_suspect *what) {
  for (size_t i = 0; i < checker->suspect_count; i++)
    if (checker->suspects[i].kind == kind) return;
  vio_check_suspect *suspect = &checker->suspects[checker->suspect_count++];
  *suspect = *what;
  suspect->kind = kind;
  suspect->t = checker->event_t;
  suspect->line = checker->event_line;
  suspect->session = checker->session.serial;
}

static bool is_excused(const vio_checker *checker, const vio_check_suspect *suspect) {
  switch (suspect->kind) {
    case BREACH_NO_MASTER:
    case BREACH_MESSAGE_NO_MASTER:
      return vio_check_mastering(checker);
    case BREACH_MASKED:
      return checker->config.msix_masked != 1 &&
             vio_check_config_entry_masked(&checker->config, (uint32_t)suspect->addr) != 1;
    default:
      return checker->session.serial == suspect->session && checker->session.phase == PHASE_LIVE;
  }
}

static void publish_suspect(vio_checker *checker, const vio_check_suspect *suspect) {
  vio_check_publish(checker, &(vio_fact){.kind = FACT_BREACH,
                                         .breach = suspect->kind,
                                         .t = suspect->t,
                                         .line = suspect->line,
                                         .write = suspect->write,
                                         .addr = suspect->addr,
                                         .length = suspect->length});
}

void vio_check_suspects_explain(vio_checker *checker) {
  const int64_t requested = vio_check_issued(checker);
  const size_t count = checker->suspect_count;
  checker->suspect_count = 0; /* judging adds none */
  for (size_t i = 0; i < count; i++)
    if (requested > checker->suspects[i].t || !is_excused(checker, &checker->suspects[i]))
      publish_suspect(checker, &checker->suspects[i]);
}

void vio_check_suspects_confirm(vio_checker *checker) {
  const size_t count = checker->suspect_count;
  checker->suspect_count = 0;
  for (size_t i = 0; i < count; i++) publish_suspect(checker, &checker->suspects[i]);
}

/* ---- DMA ---- */

static void judge_time(vio_checker *checker, const vio_event *event, int64_t issued, bool write) {
  const vio_check_session *session = &checker->session;
  const vio_check_suspect what = {.addr = event->addr, .length = event->length, .write = write};
  if (checker->config.command != NONE && !vio_check_mastering(checker) && issued > checker->command_t)
    vio_check_suspect_add(checker, BREACH_NO_MASTER, &what);
  if (!session->known) return;
  if (session->phase == PHASE_INIT && !session->draining)
    vio_check_suspect_add(checker, BREACH_BEFORE_DRIVER_OK, &what);
  if (session->phase == PHASE_SUSPENDED && !session->draining)
    vio_check_suspect_add(checker, BREACH_SUSPENDED, &what);
  if (session->phase == PHASE_RESET && session->reset_kind == RESET_STATUS)
    vio_check_publish(checker, &(vio_fact){.kind = FACT_BREACH,
                                           .breach = BREACH_AFTER_RESET,
                                           .t = checker->event_t,
                                           .line = checker->event_line,
                                           .write = write,
                                           .addr = event->addr,
                                           .length = event->length});
}

/* Whether everything that the device may touch now is known. */
static bool is_certain(const vio_checker *checker) {
  const vio_check_session *session = &checker->session;
  if (!session->known || session->phase != PHASE_LIVE || session->dirty) return false;
  for (size_t i = 0; i < checker->queue_count; i++) {
    const vio_check_queue *queue = checker->queues[i];
    if (queue->enabled == 1 && (queue->ring == NULL || !vio_check_ring_certain(queue->ring)))
      return false;
  }
  return true;
}

static void judge_dead(vio_checker *checker, const vio_check_segment *segment) {
  vio_check_publish(checker, &(vio_fact){.kind = FACT_BREACH,
                                         .breach = BREACH_AFTER_QUEUE_RESET,
                                         .t = checker->event_t,
                                         .line = checker->event_line,
                                         .addr = segment->addr,
                                         .slot = segment->queue});
}

static int by_address(const void *a, const void *b) {
  const vio_check_segment *const *left = a, *const *right = b;
  if ((*left)->addr != (*right)->addr) return (*left)->addr < (*right)->addr ? -1 : 1;
  return (*left)->serial < (*right)->serial ? -1 : 1;
}

static bool may_write(const vio_check_segment *segment) {
  if (segment->ring != NULL)
    return segment->kind == SEG_DEVICE ||
           (segment->kind == SEG_DESC && vio_check_queue_packed(segment->ring->queue));
  return segment->kind == SEG_WRITABLE;
}

/* Goes over the pieces of an access that no segment covers; `all`: the segments that it touches. */
typedef struct gap_walk {
  vio_checker *checker;
  vio_fact *fact;
  vio_check_segment **all;
  size_t count;
  bool any_live;
  uint64_t stray;
} gap_walk;

static void write_gap(gap_walk *walk, vio_wide from, vio_wide length) {
  bool readable = false, table = false;
  const vio_check_segment *dead = NULL;
  for (size_t i = 0; i < walk->count; i++) {
    const vio_check_segment *segment = walk->all[i];
    if (segment->addr >= from + length || vio_check_segment_end(segment) <= from || may_write(segment))
      continue;
    readable = readable || segment->kind == SEG_READABLE;
    table = table || segment->kind == SEG_TABLE || segment->kind == SEG_DESC;
    if (dead == NULL && segment->kind == SEG_DEAD) dead = segment;
  }
  if (readable) walk->fact->readable += (uint64_t)length;
  if (table) walk->fact->table += (uint64_t)length;
  if (!readable && !table) walk->stray += (uint64_t)length;
  if (dead != NULL) judge_dead(walk->checker, dead);
}

static void read_gap(gap_walk *walk, vio_wide from, vio_wide length) {
  (void)from;
  if (!walk->any_live || length > OVERHANG) walk->stray += (uint64_t)length;
}

static void walk_gaps(gap_walk *walk, vio_check_segment **cover, size_t count,
                      void (*take)(gap_walk *, vio_wide, vio_wide)) {
  vio_wide cursor = walk->fact->addr;
  const vio_wide end = cursor + walk->fact->length;
  if (walk->fact->length == 0) return;
  if (count > 1) qsort(cover, count, sizeof *cover, by_address);
  for (size_t i = 0; i < count; i++) {
    if (cover[i]->addr > cursor)
      take(walk, cursor, (cover[i]->addr < end ? cover[i]->addr : end) - cursor);
    if (vio_check_segment_end(cover[i]) > cursor) cursor = vio_check_segment_end(cover[i]);
    if (cursor >= end) return;
  }
  take(walk, cursor, end - cursor);
}

static void classify(vio_checker *checker, vio_fact *fact, vio_check_segment **segments, size_t count) {
  gap_walk walk = {.checker = checker, .fact = fact, .all = segments, .count = count};
  vio_check_segment *few[16], **cover = few;
  if (count > 16) cover = vio_heap_take(&checker->heap, count * sizeof *cover);
  size_t covering = 0, writable = 0;
  const vio_check_segment *dead = NULL;
  for (size_t i = 0; i < count; i++) {
    if (fact->write ? may_write(segments[i]) : segments[i]->kind != SEG_DEAD)
      cover[covering++] = segments[i];
    writable += segments[i]->kind == SEG_WRITABLE;
    if (dead == NULL && segments[i]->kind == SEG_DEAD) dead = segments[i];
  }
  walk.any_live = covering > 0;
  if (!fact->write) fact->writable_only = covering > 0 && writable == covering;
  walk_gaps(&walk, cover, covering, fact->write ? write_gap : read_gap);
  if (cover != few) vio_heap_give(&checker->heap, cover);
  if (!fact->write && covering == 0 && dead != NULL) judge_dead(checker, dead);
  const bool old = !fact->write && fact->issued <= checker->retired_t;
  const bool vague = walk.stray > 0 && (old || !is_certain(checker));
  fact->stray = vague ? NONE : (int64_t)walk.stray;
}

static void clip(const vio_check_segment *segment, const vio_event *event, vio_check_touch *touch) {
  const vio_wide stop = (vio_wide)event->addr + event->length, end = vio_check_segment_end(segment);
  const uint64_t low = event->addr > segment->addr ? event->addr : segment->addr;
  touch->part = segment->kind;
  touch->offset = low - segment->addr;
  touch->length = (uint64_t)((stop < end ? stop : end) - low);
  touch->data = event->data + (low - event->addr);
}

static void to_chain(vio_checker *checker, const vio_check_segment *segment, const vio_event *event) {
  vio_check_touch touch;
  clip(segment, event, &touch);
  const bool write = event->kind == VIO_DMA_WRITE;
  const uint64_t offset = segment->offset + touch.offset;
  vio_check_ring *ring = segment->chain->queue->ring;
  if (ring != NULL) ring->worked_t = checker->now;
  if (write && segment->kind == SEG_WRITABLE)
    vio_check_chain_wrote(checker, segment->chain, offset, touch.data, touch.length);
  if (!write && segment->kind == SEG_READABLE)
    vio_check_chain_read(checker, segment->chain, offset, touch.data, touch.length);
  if (!write && segment->kind == SEG_TABLE)
    vio_check_ring_table_read(checker, segment->chain, touch.offset, touch.data, touch.length);
}

static void to_ring(vio_checker *checker, const vio_check_segment *segment, const vio_event *event) {
  vio_check_ring *ring = segment->ring;
  vio_check_touch touch;
  ring->dma_seen = true;
  ring->touched_t = checker->now;
  clip(segment, event, &touch);
  if (event->kind == VIO_DMA_WRITE)
    (ring->packed ? vio_check_packed_write : vio_check_split_write)(checker, ring, &touch);
  else (ring->packed ? vio_check_packed_read : vio_check_split_read)(checker, ring, &touch);
}

static bool any_packed(const vio_checker *checker) {
  for (size_t i = 0; i < checker->queue_count; i++)
    if (checker->queues[i]->enabled == 1 && vio_check_queue_packed(checker->queues[i])) return true;
  return false;
}

/* Let chains and rings take note; buffers first, for a ring write may give them back. */
static void deliver(vio_checker *checker, const vio_event *event, vio_check_segment **segments,
                    size_t count) {
  size_t rings = 0;
  for (size_t i = 0; i < count; i++) {
    vio_check_segment *segment = segments[i];
    if (segment->ring != NULL) segments[rings++] = segment; /* chains go when they are given back */
    else if (segment->chain != NULL) to_chain(checker, segment, event);
  }
  for (size_t i = 0; i < rings; i++) to_ring(checker, segments[i], event);
}

/* The device can be no quicker than its host. */
static void host_took(vio_checker *checker, int64_t picoseconds) {
  if (picoseconds <= checker->settle / ACCESSES_TO_SETTLE) return;
  checker->settle =
      picoseconds > INT64_MAX / ACCESSES_TO_SETTLE ? INT64_MAX : picoseconds * ACCESSES_TO_SETTLE;
}

/* The host refused an access to a buffer: what was not moved is not the device's choice. */
static void refuse(vio_checker *checker, vio_check_segment **segments, size_t count) {
  checker->session.troubled = true;
  for (size_t i = 0; i < count; i++)
    if (segments[i]->ring == NULL && segments[i]->chain != NULL) segments[i]->chain->refused = true;
}

void vio_check_dma_access(vio_checker *checker, const vio_event *event, bool write) {
  const int64_t issued = vio_check_issued(checker);
  host_took(checker, checker->event_t - issued);
  checker->seen_memory = true;
  vio_check_note_start(checker);
  judge_time(checker, event, issued, write);
  const size_t count = vio_check_segments_at(checker, event->addr, event->length);
  vio_check_segment *few[16], **segments = few;
  if (count > 16) segments = vio_heap_take(&checker->heap, count * sizeof *segments);
  vio_fact fact = {
      .kind = FACT_DMA, .write = write, .addr = event->addr, .length = event->length, .issued = issued};
  bool packed = false;
  for (size_t i = 0; i < count; i++) {
    segments[i] = checker->index.found[i];
    fact.ring = fact.ring || segments[i]->ring != NULL;
    packed = packed || (segments[i]->ring != NULL && vio_check_queue_packed(segments[i]->ring->queue));
  }
  const bool live = checker->session.phase == PHASE_LIVE;
  if (live) classify(checker, &fact, segments, count);
  if (event->err) refuse(checker, segments, count);
  else deliver(checker, event, segments, count);
  if (segments != few) vio_heap_give(&checker->heap, segments);
  if (!live) return;
  fact.packed = packed || any_packed(checker);
  vio_check_publish(checker, &fact);
}

/* The driver stored into a device-writable buffer: it uses the memory for something else. */
static void taken_back(vio_checker *checker, const vio_check_chain *chain) {
  const vio_check_ring *ring = chain->queue->ring;
  if (ring != NULL && ring->dma_seen && !ring->lost)
    vio_check_publish(checker, &(vio_fact){.kind = FACT_DRIVER_STORE,
                                           .queue = chain->queue,
                                           .problem = STORE_TAKEN_BACK,
                                           .slot = chain->id});
}

void vio_check_dma_store(vio_checker *checker, const vio_event *event) {
  const size_t count = vio_check_segments_at(checker, event->addr, event->length);
  vio_check_segment *few[16], **segments = few;
  if (count > 16) segments = vio_heap_take(&checker->heap, count * sizeof *segments);
  for (size_t i = 0; i < count; i++) segments[i] = checker->index.found[i];
  for (size_t i = 0; i < count; i++) {
    vio_check_ring *ring = segments[i]->ring;
    vio_check_touch touch;
    clip(segments[i], event, &touch);
    if (ring != NULL)
      (ring->packed ? vio_check_packed_store : vio_check_split_store)(checker, ring, &touch);
    else if (segments[i]->kind == SEG_WRITABLE) taken_back(checker, segments[i]->chain);
  }
  if (segments != few) vio_heap_give(&checker->heap, segments);
}
