/* A packed virtqueue's available side (virtio 1.4, 2.8): lists in flight, from the driver's stores where
 * they are seen, else from the device's reads. The device owns the `outstanding` slots from the used
 * side's position on. */
#include "check_facts.h"

#include <string.h>

static bool is_available(uint32_t flags, uint32_t wrap) {
  return ((flags & VIO_DESC_FLAG_AVAIL) != 0) == (wrap != 0) &&
         ((flags & VIO_DESC_FLAG_USED) != 0) != (wrap != 0);
}

static void next_slot(const vio_check_ring *ring, uint32_t *slot, uint32_t *wrap) {
  if (++*slot < ring->size) return;
  *slot = 0;
  *wrap ^= 1u;
}

bool vio_check_packed_owned(const vio_check_ring *ring, uint32_t slot) {
  return (slot + ring->size - ring->used_position) % ring->size < ring->outstanding;
}

/* The flags in a slot, or NONE; and its cell. */
static int flags_at(const vio_check_ring *ring, uint32_t index, const vio_check_cell **cell) {
  const vio_check_slot *slot = vio_map_get(&ring->slots, index);
  *cell = slot != NULL && slot->used ? &slot->cell : NULL;
  return *cell == NULL ? NONE : vio_check_cell_flags(*cell);
}

/* When a list's head becomes available, all of its other descriptors must be already. */
static void judge_head(vio_checker *checker, vio_check_ring *ring, uint32_t slot) {
  const vio_check_cell *cell;
  uint32_t wrap = ring->wrap;
  int flags = flags_at(ring, slot, &cell);
  if (flags == NONE || !is_available((uint32_t)flags, wrap)) return;
  for (uint32_t i = 1; i < ring->size && (uint32_t)flags & VIO_DESC_FLAG_NEXT; i++) {
    next_slot(ring, &slot, &wrap);
    flags = flags_at(ring, slot, &cell);
    if (flags != NONE && is_available((uint32_t)flags, wrap)) continue;
    vio_check_publish(
        checker,
        &(vio_fact){
            .kind = FACT_DRIVER_STORE, .queue = ring->queue, .problem = STORE_PARTIAL, .slot = slot});
    return;
  }
}

/* The number of descriptors of the list at the ring's position, 0 if it is not available or not known;
 * more than the ring's size if it does not end. *last is the last one. */
static uint32_t list_here(vio_check_ring *ring, vio_check_desc *last, bool *indirect) {
  uint32_t slot = ring->position, wrap = ring->wrap, count = 0;
  ring->stuck = *indirect = false;
  while (count <= ring->size) {
    const vio_check_cell *cell;
    const int flags = flags_at(ring, slot, &cell);
    if (flags == NONE || !is_available((uint32_t)flags, wrap) || !vio_check_cell_value(cell, 0, last)) {
      ring->stuck = count > 0 && cell != NULL && cell->since >= 0;
      return 0;
    }
    count++;
    *indirect = *indirect || (last->high & VIO_DESC_FLAG_INDIRECT) != 0;
    if (!(last->high & VIO_DESC_FLAG_NEXT)) return count;
    next_slot(ring, &slot, &wrap);
  }
  return count;
}

static void judge_list(vio_check_ring *ring, vio_check_chain *chain, bool indirect) {
  if (chain->slots > ring->size) {
    vio_check_chain_problem(chain, BAD_LONG, ring->size);
  } else if (ring->outstanding + chain->slots > ring->size) {
    if (ring->dma_seen) vio_check_chain_problem(chain, BAD_SPACE, chain->slots);
    ring->lost = true;
  }
  if (chain->slots > 1 && indirect) vio_check_chain_problem(chain, BAD_INDIRECT_NEXT, 0);
}

static void take_list(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain, uint32_t slot) {
  uint32_t wrap = 0;
  for (uint32_t i = 0; i < chain->slots; i++) {
    vio_check_desc desc;
    if (!vio_check_cell_value(vio_check_ring_cell(checker, ring, slot), 0, &desc)) return;
    vio_check_ring_take(checker, ring, chain, desc.addr, desc.len, desc.high);
    next_slot(ring, &slot, &wrap);
  }
  if (chain->table != NULL) {
    chain->count--;
    vio_check_ring_walk_table(checker, ring, chain);
  } else {
    vio_check_ring_made(checker, ring, chain);
  }
}

static void begin(vio_checker *checker, vio_check_ring *ring, uint32_t count, uint32_t id,
                  bool indirect) {
  const uint32_t start = ring->position;
  vio_check_chain *chain = vio_check_chain_new(checker, ring->queue, start, 0);
  const vio_check_cell *head = vio_check_ring_cell(checker, ring, start);
  chain->id = id;
  chain->slots = chain->count = count;
  chain->cover = head->known == 0 && head->since >= 0 ? head->since : checker->number;
  chain->position = ring->serial++;
  for (uint32_t i = 0; i < count; i++) next_slot(ring, &ring->position, &ring->wrap);
  judge_list(ring, chain, indirect);
  ring->outstanding += count;
  const vio_check_slot *same = vio_map_get(&ring->slots, id);
  if (same != NULL && same->chain != NULL) {
    vio_check_chain_problem(chain, BAD_DUPLICATE, id);
    vio_check_ring_made(checker, ring, chain);
    vio_check_chain_free(checker, chain);
    return;
  }
  vio_check_ring_fly(checker, ring, chain);
  take_list(checker, ring, chain, start);
}

void vio_check_packed_collect(vio_checker *checker, vio_check_ring *ring) {
  while (!ring->lost) {
    vio_check_desc last = {0};
    bool indirect;
    const uint32_t count = list_here(ring, &last, &indirect);
    if (count == 0) return;
    begin(checker, ring, count, last.low, indirect);
  }
}

void vio_check_packed_read(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  if (touch->part == SEG_DESC) {
    ring->seen = true;
    vio_check_piece piece = {.offset = touch->offset, .data = touch->data, .left = (size_t)touch->length};
    while (vio_check_piece_next(&piece, ring->size))
      vio_check_cell_load(vio_check_ring_cell(checker, ring, piece.cell), piece.at, piece.data,
                          piece.length, checker->number, checker->event_asked);
    vio_check_packed_collect(checker, ring);
  } else if (touch->part == SEG_DRIVER) {
    if (!ring->stores_seen)
      memcpy(ring->driver_event + touch->offset, touch->data, (size_t)touch->length);
    if (touch->offset + touch->length >= VIO_PACKED_EVENT_LENGTH) vio_check_packed_asked(checker, ring);
  }
}

void vio_check_packed_write(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  if (touch->part == SEG_DESC) {
    vio_check_piece piece = {.offset = touch->offset, .data = touch->data, .left = (size_t)touch->length};
    while (vio_check_piece_next(&piece, ring->size)) vio_check_packed_used(checker, ring, &piece);
  }
}

static void desc_store(vio_checker *checker, vio_check_ring *ring, const vio_check_piece *piece) {
  vio_check_cell *cell = vio_check_ring_cell(checker, ring, piece->cell);
  const bool changes = vio_check_cell_changes(cell, piece->at, piece->data, piece->length);
  vio_check_ring_exposed(checker, ring, changes && vio_check_packed_owned(ring, piece->cell),
                         piece->cell);
  // The head of a list without an end is taken back: what a device took of it is open.
  if (ring->stuck && changes && piece->cell == ring->position) ring->lost = true;
  vio_check_cell_store(cell, piece->at, piece->data, piece->length, checker->event_t, false);
  if (piece->cell == ring->position && piece->at + piece->length > 14 && !ring->lost)
    judge_head(checker, ring, piece->cell);
}

void vio_check_packed_store(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch) {
  vio_check_ring_store_allowed(checker, ring);
  if (touch->part == SEG_DESC) {
    ring->seen = ring->stores_seen = true;
    vio_check_piece piece = {.offset = touch->offset, .data = touch->data, .left = (size_t)touch->length};
    while (vio_check_piece_next(&piece, ring->size)) desc_store(checker, ring, &piece);
    vio_check_packed_collect(checker, ring);
  } else if (touch->part == SEG_DRIVER) {
    ring->stores_seen = true;
    memcpy(ring->driver_event + touch->offset, touch->data, (size_t)touch->length);
    vio_check_interrupts_queue_over(checker, ring->queue);
    vio_check_interrupts_called(ring->queue);
  }
}
