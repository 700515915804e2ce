/* A split virtqueue's available side (virtio 1.4, 2.7): which chains are in flight, from the driver's
 * stores where they are seen, else from the device's reads. */
#include "check_facts.h"

#include <string.h>

#define HEADER VIO_SPLIT_AVAIL_HEADER

/* The entries of the available ring that lie whole in [offset, end). */
static void entries_in(const vio_check_ring *ring, const vio_check_touch *touch, uint32_t *first,
                       uint32_t *last) {
  const uint64_t end = touch->offset + touch->length;
  *first = touch->offset <= HEADER ? 0 : (uint32_t)((touch->offset - HEADER + 1) / 2);
  *last = end < HEADER ? 0 : (uint32_t)((end - HEADER) / 2);
  if (*last > ring->size) *last = ring->size;
}

/* The 16-bit value at `at` of the part, NONE if the touch does not hold it whole. */
static int32_t half_word(const vio_check_touch *touch, uint64_t at) {
  if (touch->offset > at || touch->offset + touch->length < at + 2) return NONE;
  return (int32_t)vio_check_le16(touch->data + (at - touch->offset));
}

/* ---- the device's reads ---- */

static void publish_index(vio_checker *checker, vio_check_ring *ring, bool by_device, uint32_t from,
                          uint32_t to) {
  const uint32_t outstanding = (to - ring->used_index) & 0xffffu;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_AVAIL_INDEX,
                                         .queue = ring->queue,
                                         .by_device = by_device,
                                         .from = from,
                                         .to = to,
                                         .outstanding = outstanding});
}

static void index_read(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  ring->avail_seen = true;
  const uint32_t old = ring->avail_read;
  const bool ordered = vio_check_issued(checker) >= ring->avail_read_t;
  if (ordered) {
    ring->avail_read = (uint16_t)value;
    ring->avail_read_t = checker->event_t;
  }
  if (old != value && ordered) publish_index(checker, ring, true, old, value);
  vio_check_split_extend(checker, ring, value);
}

static void publish_flags(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  vio_check_publish(checker, &(vio_fact){.kind = FACT_AVAIL_FLAGS, .queue = ring->queue, .value = value});
}

static void avail_read(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  uint32_t first, last;
  entries_in(ring, touch, &first, &last);
  for (uint32_t index = first; index < last; index++) {
    vio_check_entry *entry = vio_check_split_entry(checker, ring, index);
    entry->read = half_word(touch, HEADER + 2 * (uint64_t)index);
    entry->number = checker->number;
    if (entry->stored != entry->read && checker->event_asked != NONE &&
        checker->event_asked > entry->stored_t)
      entry->stored = NONE;
  }
  const int32_t index = half_word(touch, 2), flags = touch->offset == 0 ? half_word(touch, 0) : NONE;
  if (index != NONE) index_read(checker, ring, (uint32_t)index);
  for (; index == NONE && first < last; first++) vio_check_split_resolve(checker, ring, first);
  if (flags != NONE) {
    if (!ring->stores_seen) ring->flags = (uint16_t)flags;
    publish_flags(checker, ring, (uint32_t)flags);
    if (!ring->event_idx)
      vio_check_split_asked(checker, ring, !((uint32_t)flags & VIO_AVAIL_F_NO_INTERRUPT));
  }
  const int32_t event = half_word(touch, HEADER + 2 * (uint64_t)ring->size);
  if (!ring->event_idx || event == NONE) return;
  if (!ring->stores_seen) ring->used_event = (uint16_t)event;
  vio_check_split_asked_event(checker, ring, (uint32_t)event);
}

void vio_check_split_read(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  if (touch->part == SEG_DRIVER) avail_read(checker, ring, touch);
  if (touch->part != SEG_DESC) return;
  vio_check_piece piece = {.offset = touch->offset, .data = touch->data, .left = (size_t)touch->length};
  while (vio_check_piece_next(&piece, ring->size)) {
    vio_check_slot *slot = vio_check_ring_slot(checker, ring, piece.cell);
    slot->used = true;
    vio_check_cell_load(&slot->cell, piece.at, piece.data, piece.length, checker->number,
                        checker->event_asked);
    if (slot->waiting != NULL) vio_check_split_walk(checker, ring, slot->waiting, piece.cell);
  }
}

/* ---- the driver's stores ---- */

static void desc_store(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  vio_check_piece piece = {.offset = touch->offset, .data = touch->data, .left = (size_t)touch->length};
  while (vio_check_piece_next(&piece, ring->size)) {
    vio_check_slot *slot = vio_check_ring_slot(checker, ring, piece.cell);
    slot->used = true;
    const vio_check_slot *head =
        slot->head == NONE ? NULL : vio_map_get(&ring->slots, (uint64_t)slot->head);
    const bool owned = head != NULL && head->chain != NULL;
    const bool changes = vio_check_cell_changes(&slot->cell, piece.at, piece.data, piece.length);
    vio_check_ring_exposed(checker, ring, owned && changes, piece.cell);
    vio_check_cell_store(&slot->cell, piece.at, piece.data, piece.length, checker->event_t, false);
  }
}

static void index_store(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  const bool first = ring->avail_stored == NONE;
  const uint32_t old = first ? ring->cover : (uint32_t)ring->avail_stored;
  ring->avail_stored = (int32_t)value;
  ring->avail_seen = true;
  if (value == old) return;
  publish_index(checker, ring, false, old, value);
  // A device cannot tell a step back from one that is far too long: what it takes is open.
  if (!first && ((value - old) & 0xFFFF) >= 0x8000) ring->lost = true;
  if ((!ring->dma_seen && !first) || (first && ring->opened_by_kick)) {
    ring->kick_called = true;
  } else if (ring->event_idx) {
    if (vio_check_need_event(ring->avail_event, value, old))
      vio_check_ring_owe_kick(checker, ring, OWED_DOORBELL_EVENT);
  } else if (!(ring->used_flags & VIO_USED_F_NO_NOTIFY)) {
    vio_check_ring_owe_kick(checker, ring, OWED_DOORBELL_FLAGS);
  }
  vio_check_split_extend(checker, ring, value);
}

static void flags_store(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  ring->flags = (uint16_t)value;
  publish_flags(checker, ring, value);
  if (value & VIO_AVAIL_F_NO_INTERRUPT) vio_check_interrupts_queue_over(checker, ring->queue);
  else vio_check_interrupts_called(ring->queue);
}

static void avail_store(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  uint32_t first, last;
  ring->stores_seen = true;
  entries_in(ring, touch, &first, &last);
  for (; first < last; first++) {
    vio_check_entry *entry = vio_check_split_entry(checker, ring, first);
    entry->stored = half_word(touch, HEADER + 2 * (uint64_t)first);
    entry->stored_t = checker->event_t;
  }
  const int32_t flags = touch->offset == 0 ? half_word(touch, 0) : NONE, index = half_word(touch, 2);
  if (flags != NONE) flags_store(checker, ring, (uint32_t)flags);
  const int32_t event = half_word(touch, HEADER + 2 * (uint64_t)ring->size);
  if (event != NONE) {
    ring->used_event = (uint16_t)event;
    if (ring->event_idx) {
      vio_check_interrupts_queue_over(checker, ring->queue);
      vio_check_interrupts_called(ring->queue);
    }
  }
  if (index != NONE) index_store(checker, ring, (uint32_t)index);
}

void vio_check_split_store(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  vio_check_ring_store_allowed(checker, ring);
  if (touch->part == SEG_DESC) desc_store(checker, ring, touch);
  else if (touch->part == SEG_DRIVER) avail_store(checker, ring, touch);
}
