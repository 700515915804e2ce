/* The chains of a split virtqueue: which available entries are known, and what they lead to. */
#include "check_facts.h"

#include <string.h>

vio_check_entry *vio_check_split_entry(vio_checker *checker, vio_check_ring *ring, uint32_t index) {
  vio_check_entry *entry = vio_map_get(&ring->entries, index);
  if (entry != NULL) return entry;
  entry = vio_heap_take(&checker->heap, sizeof *entry);
  entry->stored = entry->read = NONE;
  entry->number = NONE;
  vio_map_put(&checker->heap, &ring->entries, index, entry);
  return entry;
}

bool vio_check_split_certain(const vio_check_ring *ring) {
  if (ring->lost || !ring->avail_seen) return false;
  for (size_t i = 0; i < ring->cover_count; i++) {
    const vio_check_entry *entry =
        vio_map_get(&ring->entries, ring->covers[ring->cover_from + i].position % ring->size);
    if (entry != NULL && entry->number >= 0) return false;
  }
  for (const vio_check_chain *chain = ring->oldest; chain != NULL; chain = chain->after) {
    if (!chain->open || chain->table != NULL || chain->wait_at == NONE) continue;
    const vio_check_slot *slot = vio_map_get(&ring->slots, (uint64_t)chain->wait_at);
    if (slot != NULL && slot->used && slot->cell.since >= 0) return false;
  }
  return true;
}

static void stop_waiting(vio_check_slot *slot) {
  if (slot->waiting != NULL) slot->waiting->wait_at = NONE;
  slot->waiting = NULL;
}

static void own_descriptor(vio_checker *checker, vio_check_chain *chain, vio_check_slot *slot,
                           uint32_t index) {
  slot->head = (int32_t)chain->head;
  size_t room = chain->ring_room;
  chain->ring = vio_heap_more(&checker->heap, chain->ring, chain->ring_count, &room, sizeof *chain->ring);
  chain->ring_room = (uint32_t)room;
  chain->ring[chain->ring_count++] = (uint16_t)index;
  chain->count++;
}

/* Take in a descriptor; true if the chain goes on at desc->high. */
static bool take_descriptor(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain,
                            const vio_check_desc *desc, uint32_t index) {
  if (chain->count > ring->size) {
    vio_check_chain_problem(chain, BAD_LONG, ring->size);
    vio_check_ring_made(checker, ring, chain);
    return false;
  }
  const bool next = (desc->low & VIO_DESC_FLAG_NEXT) != 0,
             table = (desc->low & VIO_DESC_FLAG_INDIRECT) != 0;
  vio_check_ring_take(checker, ring, chain, desc->addr, desc->len, desc->low);
  if (next && table) vio_check_chain_problem(chain, BAD_INDIRECT_NEXT, index);
  if (table) {
    chain->count--;
    vio_check_ring_walk_table(checker, ring, chain);
    return false;
  }
  if (next && ring->in_order && desc->high != (index + 1) % ring->size)
    vio_check_chain_problem(chain, BAD_NEXT_ORDER, index);
  if (next && desc->high >= ring->size) vio_check_chain_problem(chain, BAD_RANGE, desc->high);
  if (next && desc->high < ring->size) return true;
  vio_check_ring_made(checker, ring, chain);
  return false;
}

/* Follow the chain from a descriptor on as far as descriptors are known. */
void vio_check_split_walk(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain,
                          uint32_t index) {
  vio_check_slot *slot = vio_check_ring_slot(checker, ring, index);
  stop_waiting(slot);
  for (;;) {
    vio_check_desc desc;
    slot = vio_check_ring_slot(checker, ring, index);
    if (!slot->used || !vio_check_cell_value(&slot->cell, chain->cover, &desc)) {
      stop_waiting(slot);
      slot->waiting = chain;
      chain->wait_at = (int32_t)index;
      chain->open = true;
      return;
    }
    own_descriptor(checker, chain, slot, index);
    if (!take_descriptor(checker, ring, chain, &desc, index)) return;
    index = desc.high;
  }
}

static void begin(vio_checker *checker, vio_check_ring *ring, uint32_t position, uint32_t head,
                  int64_t number) {
  vio_check_chain *chain = vio_check_chain_new(checker, ring->queue, head, number);
  chain->position = position;
  const vio_check_slot *slot = head < ring->size ? vio_map_get(&ring->slots, head) : NULL;
  if (head >= ring->size || (slot != NULL && slot->chain != NULL)) {
    vio_check_chain_problem(chain, head >= ring->size ? BAD_RANGE : BAD_DUPLICATE, head);
    vio_check_ring_made(checker, ring, chain);
    vio_check_chain_free(checker, chain);
    return;
  }
  vio_check_ring_fly(checker, ring, chain);
  vio_check_split_walk(checker, ring, chain, head);
}

static void drop_cover(vio_check_ring *ring, size_t at) {
  ring->cover_count--;
  if (at == 0) {
    ring->cover_from = ring->cover_count == 0 ? 0 : ring->cover_from + 1;
    return;
  }
  vio_check_cover *covers = ring->covers + ring->cover_from;
  memmove(covers + at, covers + at + 1, (ring->cover_count - at) * sizeof *covers);
}

void vio_check_split_forget_cover(vio_check_ring *ring, uint32_t position) {
  for (size_t i = 0; i < ring->cover_count; i++)
    if (ring->covers[ring->cover_from + i].position == position) {
      drop_cover(ring, i);
      return;
    }
  if (ring->cover_count > 0) drop_cover(ring, 0);
}

/* The newest available entry that lies in ring slot `index` and is not resolved, or cover_count. */
static size_t newest_cover(const vio_check_ring *ring, uint32_t index) {
  const vio_check_cover *covers = ring->covers + ring->cover_from;
  const uint32_t ahead = ((ring->cover - 1u - index) & (ring->size - 1)) + 1;
  const size_t guess = ring->cover_count - ahead;
  if (ahead <= ring->cover_count && covers[guess].position == ((ring->cover - ahead) & 0xffffu))
    return guess;
  for (size_t at = ring->cover_count; at-- > 0;)
    if (covers[at].position % ring->size == index) return at;
  return ring->cover_count;
}

/* Make a chain of the newest available entry in ring slot `index` if its content is known. */
void vio_check_split_resolve(vio_checker *checker, vio_check_ring *ring, uint32_t index) {
  vio_check_entry *entry = vio_map_get(&ring->entries, index);
  const size_t at = entry == NULL ? ring->cover_count : newest_cover(ring, index);
  if (at >= ring->cover_count) return;
  const vio_check_cover cover = ring->covers[ring->cover_from + at];
  int32_t head = entry->stored;
  if (head == NONE && entry->number >= cover.number) head = entry->read;
  if (head == NONE) return;
  drop_cover(ring, at);
  entry->number = entry->stored = NONE;
  begin(checker, ring, cover.position, (uint32_t)head, cover.number);
}

/* Add an available entry; `old` entries may hold the same position. */
static void add_cover(vio_checker *checker, vio_check_ring *ring, uint16_t position, size_t old) {
  for (size_t i = 0; i < old; i++)
    if (ring->covers[ring->cover_from + i].position == position) {
      ring->covers[ring->cover_from + i].number = checker->number;
      return;
    }
  const size_t end = ring->cover_from + ring->cover_count;
  if (end == ring->cover_room && ring->cover_from > 0) {
    memmove(ring->covers, ring->covers + ring->cover_from, ring->cover_count * sizeof *ring->covers);
    ring->cover_from = 0;
  }
  ring->covers = vio_heap_more(&checker->heap, ring->covers, ring->cover_from + ring->cover_count,
                               &ring->cover_room, sizeof *ring->covers);
  ring->covers[ring->cover_from + ring->cover_count++] = (vio_check_cover){position, checker->number};
}

/* Entries up to the free-running index `value` are available. */
void vio_check_split_extend(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  const uint32_t step = (value - ring->cover) & 0xffffu, from = ring->cover;
  if (step >= 0x8000) return;
  const bool beyond = ((value - ring->used_index) & 0xffffu) > ring->size;
  if (beyond && !ring->dma_seen) return;
  ring->cover = (uint16_t)value;
  if (ring->lost || beyond) {
    ring->lost = true;
    ring->cover_count = ring->cover_from = 0;
    return;
  }
  const size_t old = ring->cover_count;
  for (uint32_t i = 0; i < step; i++) add_cover(checker, ring, (uint16_t)(from + i), old);
  const uint32_t slots = step < ring->size ? step : ring->size;
  for (uint32_t i = 0; i < slots; i++) vio_check_split_resolve(checker, ring, (from + i) % ring->size);
}

void vio_check_split_told(vio_checker *checker, vio_check_ring *ring, uint32_t value) {
  ring->avail_seen = true;
  vio_check_split_extend(checker, ring, value & 0xffffu);
}

void vio_check_split_give_back(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain) {
  for (uint32_t i = 0; i < chain->ring_count; i++)
    vio_check_ring_slot(checker, ring, chain->ring[i])->head = NONE;
  if (chain->wait_at != NONE) stop_waiting(vio_check_ring_slot(checker, ring, (uint32_t)chain->wait_at));
  vio_check_ring_land(checker, ring, chain);
}
