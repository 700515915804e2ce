/* A packed virtqueue's used side: used descriptors and what they call for (virtio 1.4, 2.8). */
#include "check_facts.h"

#include <string.h>

static void publish_used(vio_checker *checker, vio_check_ring *ring, uint32_t slot, int problem) {
  vio_check_publish(
      checker,
      &(vio_fact){.kind = FACT_PACKED_USED, .queue = ring->queue, .slot = slot, .problem = problem});
}

/* Whether a step of `count` slots calls for a notification: 1, 0, or NONE if it cannot be said. */
static int crosses(const vio_check_ring *ring, uint32_t position, uint32_t wrap, uint32_t count) {
  const uint32_t word = vio_check_le16(ring->driver_event),
                 flags = vio_check_le16(ring->driver_event + 2) & 3u;
  const uint32_t offset = word & 0x7fffu;
  if (flags == VIO_RING_EVENT_DESC && ring->event_idx) {
    const int64_t distance = (int64_t)offset - position + (word >> 15 == wrap ? 0 : (int64_t)ring->size);
    return distance >= 0 && distance < (int64_t)count;
  }
  if (flags == VIO_RING_EVENT_ENABLE) return 1;
  return flags == VIO_RING_EVENT_DISABLE ? 0 : NONE;
}

static void call(vio_checker *checker, vio_check_ring *ring, uint32_t position, uint32_t wrap,
                 uint32_t count) {
  if (!ring->stores_seen) {
    if (!ring->undecided) {
      ring->undecided_from = position;
      ring->undecided_wrap = wrap;
      ring->undecided_to = 0;
    }
    ring->undecided = true;
    ring->undecided_to += count;
    vio_check_interrupts_advanced(checker, ring->queue, true);
    return;
  }
  const int called = crosses(ring, position, wrap, count);
  vio_check_interrupts_advanced(checker, ring->queue, called != 0);
  if (called == 1) vio_check_interrupts_owe(checker, OWED_PACKED, ring->queue);
}

void vio_check_packed_asked(vio_checker *checker, vio_check_ring *ring) {
  if (!vio_check_ring_asked_fresh(checker, ring)) return;
  ring->undecided = false;
  if (crosses(ring, ring->undecided_from, ring->undecided_wrap, ring->undecided_to) == 1)
    vio_check_interrupts_owe(checker, OWED_PACKED, ring->queue);
}

static void step(vio_check_ring *ring, uint32_t slots) {
  ring->outstanding = ring->outstanding > slots ? ring->outstanding - slots : 0;
  ring->used_position += slots;
  if (ring->used_position < ring->size) return;
  ring->used_position -= ring->size;
  ring->used_wrap ^= 1u;
}

/* Take back, in order, the chains that came before `chain`. Returns their slots. */
static uint32_t give_back_older(vio_checker *checker, vio_check_ring *ring,
                                const vio_check_chain *chain) {
  uint32_t slots = 0;
  while (ring->oldest != NULL && ring->oldest->position < chain->position) {
    vio_check_chain *older = ring->oldest;
    slots += older->slots;
    vio_check_ring_land(checker, ring, older);
    vio_check_chain_free(checker, older);
  }
  return slots;
}

/* Take back the buffer that a used descriptor names; returns the slots that go with it. */
static uint32_t take_back(vio_checker *checker, vio_check_ring *ring, const vio_check_desc *desc) {
  const vio_check_slot *slot = vio_map_get(&ring->slots, desc->low);
  vio_check_chain *chain = slot == NULL ? NULL : slot->chain;
  vio_fact fact = {.kind = FACT_BUFFER_USED, .queue = ring->queue, .chain = chain, .value = desc->low};
  fact.certain = vio_check_ring_certain(ring);
  fact.in_order = chain != NULL && (chain == ring->oldest || ring->in_order);
  fact.length = desc->high & VIO_DESC_FLAG_WRITE ? desc->len : 0;
  fact.written = chain != NULL && chain->complete ? vio_check_coverage_prefix(&chain->written) : NONE;
  if (chain == NULL) {
    ring->lost = true;
    vio_check_publish(checker, &fact);
    return 0;
  }
  uint32_t slots = chain->slots;
  if (ring->in_order) slots += give_back_older(checker, ring, chain);
  vio_check_ring_land(checker, ring, chain);
  step(ring, slots);
  vio_check_publish(checker, &fact);
  vio_check_chain_free(checker, chain);
  return slots;
}

/* Go on over the used descriptors that follow each other. */
static void advance(vio_checker *checker, vio_check_ring *ring) {
  const uint32_t position = ring->used_position, wrap = ring->used_wrap;
  uint32_t count = 0;
  while (!ring->lost) {
    const uint32_t at = ring->used_position;
    vio_check_early *early = vio_map_take(&ring->early, at);
    if (early == NULL) break;
    const uint32_t slots = take_back(checker, ring, &early->desc);
    vio_heap_give(&checker->heap, early);
    count += slots;
    if (slots > 0) publish_used(checker, ring, at, USED_FINE);
  }
  if (count > 0) call(checker, ring, position, wrap, count);
}

static void used(vio_checker *checker, vio_check_ring *ring, uint32_t slot, const vio_check_desc *desc) {
  const uint32_t wrap = slot >= ring->used_position ? ring->used_wrap : ring->used_wrap ^ 1u;
  const bool avail = (desc->high & VIO_DESC_FLAG_AVAIL) != 0,
             flag = (desc->high & VIO_DESC_FLAG_USED) != 0;
  if (avail != (wrap != 0) || flag != (wrap != 0)) {
    if (vio_check_ring_certain(ring)) publish_used(checker, ring, slot, USED_POLARITY);
    ring->lost = true;
    return;
  }
  vio_check_early *early = vio_map_get(&ring->early, slot);
  if (early == NULL) {
    early = vio_heap_take(&checker->heap, sizeof *early);
    early->serial = ++ring->early_serial;
    vio_map_put(&checker->heap, &ring->early, slot, early);
  }
  early->desc = *desc;
  advance(checker, ring);
}

void vio_check_packed_used(vio_checker *checker, vio_check_ring *ring, const vio_check_piece *piece) {
  const uint32_t slot = piece->cell;
  const bool judged = vio_check_ring_certain(ring);
  if (judged && (!vio_check_packed_owned(ring, slot) || vio_map_get(&ring->early, slot) != NULL))
    publish_used(checker, ring, slot, USED_CHANGED);
  vio_check_cell *cell = vio_check_ring_cell(checker, ring, slot);
  vio_check_cell_store(cell, piece->at, piece->data, piece->length, checker->event_t, true);
  if (piece->at + piece->length < VIO_DESC_LENGTH || ring->lost) return;
  vio_check_desc desc;
  const bool whole = vio_check_cell_value(cell, 0, &desc);
  if (!whole || (judged && !vio_check_packed_owned(ring, slot))) {
    ring->lost = true;
    if (whole && ring->in_order) /* in order, such a descriptor returns a buffer a second time */
      vio_check_publish(checker, &(vio_fact){.kind = FACT_BUFFER_USED,
                                             .queue = ring->queue,
                                             .value = desc.low,
                                             .length = desc.len,
                                             .written = NONE,
                                             .certain = true});
    return;
  }
  ring->written_t = checker->event_t;
  used(checker, ring, slot, &desc);
}

void vio_check_packed_settle(vio_checker *checker, vio_check_ring *ring) {
  const vio_check_early *first = NULL;
  uint32_t slot = 0;
  for (size_t i = 0; i < ring->early.size; i++) {
    const vio_check_early *early = ring->early.values[i];
    if (early == NULL || (first != NULL && first->serial < early->serial)) continue;
    first = early;
    slot = (uint32_t)ring->early.keys[i];
  }
  if (first != NULL && vio_check_ring_certain(ring)) publish_used(checker, ring, slot, USED_GAP);
  vio_map_clear(&checker->heap, &ring->early);
}
