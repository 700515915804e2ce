/* What both ring formats have in common: their areas, chains in flight, doorbells owed. */
#include "check_facts.h"

#include <string.h>

static const uint32_t FATAL = 1u << BAD_LONG | 1u << BAD_RANGE | 1u << BAD_BYTES | 1u << BAD_DUPLICATE;

bool vio_check_need_event(uint32_t event, uint32_t to, uint32_t from) {
  return ((to - event - 1u) & 0xffffu) < ((to - from) & 0xffffu);
}

static void add_area(vio_checker *checker, vio_check_ring *ring, enum vio_check_kind kind, uint64_t addr,
                     uint64_t length) {
  const vio_check_segment part = {.addr = addr, .length = length, .ring = ring, .kind = kind};
  ring->areas[kind] = vio_check_segment_add(checker, &part);
}

vio_check_ring *vio_check_ring_open(vio_checker *checker, vio_check_queue *queue, uint32_t size,
                                    const uint64_t *areas) {
  const bool packed = vio_check_queue_packed(queue);
  if (size == 0 || size > VIO_MAX_QUEUE_SIZE || (!packed && (size & (size - 1)) != 0)) return NULL;
  vio_check_ring *ring = vio_heap_take(&checker->heap, sizeof *ring);
  ring->queue = queue;
  ring->packed = packed;
  ring->size = size;
  ring->event_idx = vio_check_queue_has(queue, VIO_FEATURE_EVENT_IDX);
  ring->in_order = vio_check_queue_has(queue, VIO_FEATURE_IN_ORDER);
  ring->indirect = vio_check_queue_has(queue, VIO_FEATURE_INDIRECT_DESC);
  ring->kick_since = ring->avail_stored = NONE;
  ring->avail_read_t = ring->touched_t = ring->worked_t = NONE;
  ring->wrap = ring->used_wrap = 1;
  add_area(checker, ring, SEG_DESC, areas[0], (uint64_t)VIO_DESC_LENGTH * size);
  add_area(checker, ring, SEG_DRIVER, areas[1],
           packed ? VIO_PACKED_EVENT_LENGTH : 6 + 2 * (uint64_t)size);
  add_area(checker, ring, SEG_DEVICE, areas[2],
           packed ? VIO_PACKED_EVENT_LENGTH : 6 + 8 * (uint64_t)size);
  return ring;
}

void vio_check_ring_close(vio_checker *checker, vio_check_ring *ring) {
  vio_check_ring_settle(checker, ring);
  for (int i = 0; i < 3; i++) vio_check_segment_remove(checker, ring->areas[i]);
  while (ring->oldest != NULL) {
    vio_check_chain *chain = ring->oldest;
    vio_check_ring_land(checker, ring, chain);
    vio_check_chain_free(checker, chain);
  }
  vio_map_clear(&checker->heap, &ring->slots);
  vio_map_clear(&checker->heap, &ring->entries);
  vio_map_clear(&checker->heap, &ring->early);
  vio_heap_give(&checker->heap, ring->covers);
  vio_heap_give(&checker->heap, ring);
}

vio_check_slot *vio_check_ring_slot(vio_checker *checker, vio_check_ring *ring, uint32_t index) {
  vio_check_slot *slot = vio_map_get(&ring->slots, index);
  if (slot != NULL) return slot;
  slot = vio_heap_take(&checker->heap, sizeof *slot);
  slot->head = NONE;
  slot->cell.since = NONE;
  vio_map_put(&checker->heap, &ring->slots, index, slot);
  return slot;
}

vio_check_cell *vio_check_ring_cell(vio_checker *checker, vio_check_ring *ring, uint32_t index) {
  vio_check_slot *slot = vio_check_ring_slot(checker, ring, index);
  slot->used = true;
  return &slot->cell;
}

bool vio_check_ring_certain(const vio_check_ring *ring) {
  return ring->packed ? ring->seen && !ring->lost && !ring->stuck : vio_check_split_certain(ring);
}

void vio_check_ring_fly(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain) {
  vio_check_ring_slot(checker, ring, chain->id)->chain = chain;
  chain->flying = true;
  chain->before = ring->newest;
  if (ring->newest != NULL) ring->newest->after = chain;
  else ring->oldest = chain;
  ring->newest = chain;
}

void vio_check_ring_land(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain) {
  vio_check_ring_slot(checker, ring, chain->id)->chain = NULL;
  chain->flying = chain->open = false;
  if (chain->before != NULL) chain->before->after = chain->after;
  else ring->oldest = chain->after;
  if (chain->after != NULL) chain->after->before = chain->before;
  else ring->newest = chain->before;
  for (uint32_t i = 0; i < chain->segment_count; i++)
    vio_check_segment_remove(checker, chain->segments[i]);
  chain->segment_count = 0;
  checker->retired_t = ring->worked_t = checker->now;
}

void vio_check_ring_take(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain,
                         uint64_t addr, uint32_t length, uint32_t flags) {
  const bool write = (flags & VIO_DESC_FLAG_WRITE) != 0;
  if (!(flags & VIO_DESC_FLAG_INDIRECT)) {
    vio_check_chain_element(checker, chain, addr, length, write);
    return;
  }
  if (!ring->indirect) vio_check_chain_problem(chain, BAD_INDIRECT, 0);
  chain->indirect_write = write;
  vio_check_chain_table(checker, chain, addr, length);
}

void vio_check_ring_walk_table(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain) {
  vio_check_chain_walk_table(checker, chain, ring->size);
  if (chain->complete) vio_check_ring_made(checker, ring, chain);
  else chain->open = true;
}

void vio_check_ring_made(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain) {
  chain->complete = true;
  chain->open = false;
  if (chain->problems != 0) checker->session.troubled = true;
  if (chain->problems & FATAL) ring->lost = true;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_CHAIN_MADE, .queue = ring->queue, .chain = chain});
}

void vio_check_ring_table_read(vio_checker *checker, vio_check_chain *chain, uint64_t offset,
                               const uint8_t *data, uint64_t length) {
  vio_check_ring *ring = chain->queue->ring;
  vio_check_table *table = chain->table;
  if (ring == NULL || table == NULL || chain->complete) return;
  vio_check_piece piece = {.offset = offset, .data = data, .left = (size_t)length};
  while (vio_check_piece_next(&piece, table->count)) {
    vio_check_cell *cell = vio_map_get(&table->cells, piece.cell);
    if (cell == NULL) {
      cell = vio_heap_take(&checker->heap, sizeof *cell);
      cell->since = NONE;
      vio_map_put(&checker->heap, &table->cells, piece.cell, cell);
    }
    vio_check_cell_load(cell, piece.at, piece.data, piece.length, checker->number, checker->event_asked);
  }
  vio_check_ring_walk_table(checker, ring, chain);
}

void vio_check_ring_exposed(vio_checker *checker, vio_check_ring *ring, bool changed, uint32_t slot) {
  const int problem = changed && ring->dma_seen && !ring->lost ? STORE_EXPOSED : STORE_FINE;
  vio_check_publish(
      checker,
      &(vio_fact){.kind = FACT_DRIVER_STORE, .queue = ring->queue, .problem = problem, .slot = slot});
}

void vio_check_ring_store_allowed(vio_checker *checker, vio_check_ring *ring) {
  const vio_check_session *session = &checker->session;
  int problem = STORE_FINE;
  if (session->phase == PHASE_RESETTING && session->reset_kind == RESET_STATUS)
    problem = STORE_DEVICE_RESET;
  else if (ring->queue->resetting) problem = STORE_QUEUE_RESET;
  if (problem != STORE_FINE)
    vio_check_publish(checker,
                      &(vio_fact){.kind = FACT_DRIVER_STORE, .queue = ring->queue, .problem = problem});
}

static void publish_due(vio_checker *checker, vio_check_ring *ring, enum vio_check_what what, bool late) {
  vio_check_publish(checker,
                    &(vio_fact){.kind = FACT_DUE, .queue = ring->queue, .what = what, .late = late});
}

void vio_check_ring_doorbell(vio_checker *checker, vio_check_ring *ring, uint64_t value,
                             uint64_t length) {
  ring->needless_kick = ring->stores_seen && ring->dma_seen && !ring->kick_called;
  ring->kick_called = false;
  if (ring->kick_since != NONE) {
    publish_due(checker, ring, ring->kick_what, false);
    ring->kick_since = NONE;
  }
  if (length == 4 && !ring->packed && vio_check_queue_has(ring->queue, VIO_FEATURE_NOTIFICATION_DATA))
    vio_check_split_told(checker, ring, (uint32_t)(value >> 16));
}

void vio_check_ring_owe_kick(vio_checker *checker, vio_check_ring *ring, enum vio_check_what what) {
  ring->kick_called = true;
  if (ring->kick_since != NONE) return;
  ring->kick_since = checker->now;
  ring->kick_what = what;
}

void vio_check_ring_settle(vio_checker *checker, vio_check_ring *ring) {
  vio_check_ring_unserved(checker, ring);
  vio_check_ring_settle_kick(checker, ring);
  if (ring->packed) vio_check_packed_settle(checker, ring);
}

void vio_check_ring_settle_kick(vio_checker *checker, vio_check_ring *ring) {
  if (ring->kick_since == NONE) return;
  const int64_t since = ring->kick_since;
  ring->kick_since = NONE;
  const vio_check_session *session = &checker->session;
  if (session->phase == PHASE_LIVE && !session->needs_reset && checker->now - since > checker->settle)
    publish_due(checker, ring, ring->kick_what, true);
}

bool vio_check_ring_asked_fresh(const vio_checker *checker, const vio_check_ring *ring) {
  return ring->undecided && !ring->stores_seen &&
         (checker->event_asked == NONE || checker->event_asked >= ring->written_t);
}
