/* A split virtqueue's used ring: what came back, and what that calls for (virtio 1.4, 2.7.8). */
#include "check_facts.h"

#include <string.h>

#define HEADER VIO_SPLIT_USED_HEADER
#define ELEMENT VIO_SPLIT_USED_ELEMENT

static void store_elements(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  const uint64_t end = touch->offset + touch->length;
  uint64_t slot = touch->offset < HEADER ? 0 : (touch->offset - HEADER) / ELEMENT;
  for (; slot < ring->size && HEADER + ELEMENT * slot < end; slot++) {
    const uint64_t start = HEADER + ELEMENT * slot;
    const uint64_t low = start > touch->offset ? start : touch->offset;
    const uint64_t high = start + ELEMENT < end ? start + ELEMENT : end;
    if (low >= high) continue;
    vio_check_entry *entry = vio_check_split_entry(checker, ring, (uint32_t)slot);
    memcpy(entry->element + (low - start), touch->data + (low - touch->offset), (size_t)(high - low));
    entry->element_known |= ((1u << (high - low)) - 1u) << (low - start);
  }
}

static void forget_elements(vio_check_ring *ring) {
  for (size_t i = 0; i < ring->entries.size; i++) {
    vio_check_entry *entry = ring->entries.values[i];
    if (entry != NULL) entry->element_known = 0;
  }
}

/* Take the element at a free-running index, if it is whole; it is forgotten in any case. */
static bool take_element(vio_check_ring *ring, uint32_t position, uint32_t *head, uint32_t *length) {
  vio_check_entry *entry = vio_map_get(&ring->entries, position % ring->size);
  if (entry == NULL) return false;
  const bool whole = entry->element_known == 0xff;
  entry->element_known = 0;
  *head = vio_check_le32(entry->element);
  *length = vio_check_le32(entry->element + 4);
  return whole;
}

static uint32_t behind(const vio_check_chain *chain, uint32_t position) {
  return ((uint32_t)chain->position - position) & 0xffffu;
}

/* Take back the `skipped` chains in front of the one that an element names. */
static void give_back_batch(vio_checker *checker, vio_check_ring *ring, uint32_t position,
                            uint32_t skipped) {
  for (vio_check_chain *chain = ring->oldest, *after; skipped > 0 && chain != NULL; chain = after) {
    after = chain->after;
    if (behind(chain, position) >= skipped) continue;
    vio_check_split_give_back(checker, ring, chain);
    vio_check_chain_free(checker, chain);
  }
}

/* Take back the buffer that an element names; returns how many buffers it stands for. */
static uint32_t take_back(vio_checker *checker, vio_check_ring *ring, uint32_t position, uint32_t room) {
  uint32_t head = 0, length = 0, skipped = 0;
  if (!take_element(ring, position, &head, &length)) return 0;
  const vio_check_slot *slot = vio_map_get(&ring->slots, head);
  vio_check_chain *chain = slot == NULL ? NULL : slot->chain;
  vio_fact fact = {.kind = FACT_BUFFER_USED, .queue = ring->queue, .chain = chain, .value = head};
  fact.certain = (chain != NULL && !ring->lost) || vio_check_ring_certain(ring);
  if (chain != NULL && ring->in_order && behind(chain, position) < room)
    skipped = behind(chain, position);
  fact.in_order = chain != NULL && behind(chain, position) == skipped;
  fact.length = length;
  fact.written = chain != NULL && chain->complete ? vio_check_coverage_prefix(&chain->written) : NONE;
  give_back_batch(checker, ring, position, skipped);
  if (chain != NULL) vio_check_split_give_back(checker, ring, chain);
  else vio_check_split_forget_cover(ring, position);
  vio_check_publish(checker, &fact);
  if (chain != NULL) vio_check_chain_free(checker, chain);
  return skipped + 1;
}

static uint32_t take_back_all(vio_checker *checker, vio_check_ring *ring, uint32_t from, uint32_t count) {
  uint32_t missing = 0;
  for (uint32_t done = 0; done < count;) {
    const uint32_t taken = take_back(checker, ring, (from + done) & 0xffffu, count - done);
    missing += taken == 0;
    done += taken == 0 ? 1 : taken;
  }
  if (missing > 0 && ring->in_order) ring->lost = true;
  return missing;
}

/* Decide whether a step of the used index calls for a notification. */
static void call(vio_checker *checker, vio_check_ring *ring, uint32_t from, uint32_t to) {
  if (!ring->stores_seen) {
    if (!ring->undecided) ring->undecided_from = from;
    ring->undecided = true;
    ring->undecided_to = to;
    vio_check_interrupts_advanced(checker, ring->queue, true);
    return;
  }
  const bool called = ring->event_idx ? vio_check_need_event(ring->used_event, to, from)
                                      : !(ring->flags & VIO_AVAIL_F_NO_INTERRUPT);
  vio_check_interrupts_advanced(checker, ring->queue, called);
  if (called)
    vio_check_interrupts_owe(checker, ring->event_idx ? OWED_USED_EVENT : OWED_USED_FLAGS, ring->queue);
}

static void advance(vio_checker *checker, vio_check_ring *ring, uint32_t to) {
  const uint32_t from = ring->used_index, step = (to - from) & 0xffffu;
  ring->used_index = (uint16_t)to;
  if (step == 0) return;
  const bool judged = ring->avail_seen && !ring->lost;
  const uint32_t outstanding = judged ? (ring->cover - from) & 0xffffu : step;
  vio_fact fact = {.kind = FACT_USED_INDEX, .queue = ring->queue, .from = from, .to = to};
  if (step > outstanding || step > ring->size) {
    fact.excess = step > outstanding ? step - outstanding : 0;
    ring->lost = true;
    forget_elements(ring);
    if (judged) vio_check_publish(checker, &fact);
    return;
  }
  fact.unwritten = take_back_all(checker, ring, from, step);
  vio_check_publish(checker, &fact);
  ring->written_t = checker->event_t;
  call(checker, ring, from, to);
}

static void flags_written(vio_checker *checker, vio_check_ring *ring, uint32_t flags) {
  ring->used_flags = (uint16_t)flags;
  if (flags & VIO_USED_F_NO_NOTIFY && !ring->event_idx) vio_check_ring_settle_kick(checker, ring);
  vio_check_publish(checker, &(vio_fact){.kind = FACT_USED_FLAGS, .queue = ring->queue, .value = flags});
}

void vio_check_split_write(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  if (touch->part != SEG_DEVICE) return;
  const uint64_t end = touch->offset + touch->length, tail = HEADER + ELEMENT * (uint64_t)ring->size;
  store_elements(checker, ring, touch);
  if (touch->offset == 0 && end >= 2) flags_written(checker, ring, vio_check_le16(touch->data));
  if (touch->offset <= tail && end >= tail + 2) {
    const uint32_t event = vio_check_le16(touch->data + (tail - touch->offset));
    if (ring->event_idx && event != ring->avail_event) vio_check_ring_settle_kick(checker, ring);
    ring->avail_event = (uint16_t)event;
  }
  if (touch->offset <= 2 && end >= 4)
    advance(checker, ring, vio_check_le16(touch->data + (2 - touch->offset)));
}

void vio_check_split_asked(vio_checker *checker, vio_check_ring *ring, bool wanted) {
  if (!vio_check_ring_asked_fresh(checker, ring)) return;
  ring->undecided = false;
  if (wanted) vio_check_interrupts_owe(checker, OWED_USED_FLAGS, ring->queue);
}

void vio_check_split_asked_event(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  if (!vio_check_ring_asked_fresh(checker, ring)) return;
  ring->undecided = false;
  if (vio_check_need_event(value, ring->undecided_to, ring->undecided_from))
    vio_check_interrupts_owe(checker, OWED_USED_EVENT, ring->queue);
}
