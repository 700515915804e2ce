/* The split ring (virtio 1.4, 2.7), driver's side. */
#include "ring.h"

enum { FLAGS = 0, INDEX = 2, ENTRIES = 4 };

typedef struct descriptor {
  uint64_t addr;
  uint32_t length;
  uint16_t flags, next;
} descriptor;

static void store_driver(vio_ring *ring, uint64_t at, uint16_t value) {
  vio_ring_store(ring, ring->setup.driver, ring->driver, at, &value, sizeof value);
}

static void add(vio_ring *ring, uint32_t id, const vio_element *elements, uint32_t count) {
  uint32_t slot = id;
  for (uint32_t i = 0; i < count; i++) {
    const bool more = i + 1 < count;
    const uint16_t flags = (uint16_t)((more ? VIO_DESC_FLAG_NEXT : 0) |
                                      (elements[i].write ? VIO_DESC_FLAG_WRITE : 0));
    const descriptor entry = {elements[i].addr, elements[i].length, flags,
                              more ? ring->linked[slot] : 0};
    vio_ring_store(ring, ring->setup.desc, ring->desc, (uint64_t)slot * sizeof entry, &entry,
                   sizeof entry);
    slot = ring->linked[slot];
  }
  store_driver(ring, ENTRIES + 2 * (uint64_t)(ring->avail & (ring->setup.size - 1)), (uint16_t)id);
  ring->avail++;
}

static bool publish(vio_ring *ring) {
  const uint16_t old = ring->published;
  store_driver(ring, INDEX, ring->avail);
  ring->published = ring->avail;
  if (!ring->setup.event_idx) return (vio_get16(ring->device + FLAGS) & VIO_USED_F_NO_NOTIFY) == 0;
  const uint64_t at = ENTRIES + (uint64_t)VIO_SPLIT_USED_ELEMENT * ring->setup.size;
  const uint16_t event = vio_get16(ring->device + at);
  return (uint16_t)(ring->avail - event - 1) < (uint16_t)(ring->avail - old);
}

static uint32_t position(const vio_ring *ring) { return (uint32_t)ring->published << 16; }

static int next_used(vio_ring *ring, uint32_t *id, uint32_t *length) {
  if (ring->used == vio_get16(ring->device + INDEX)) return 0;
  const uint32_t slot = ring->used & (ring->setup.size - 1);
  const uint8_t *element = ring->device + ENTRIES + (uint64_t)VIO_SPLIT_USED_ELEMENT * slot;
  *id = vio_get32(element);
  *length = vio_get32(element + 4);
  if (*id >= ring->setup.size || ring->counts[*id] == 0) return -1;
  ring->used++;
  return 1;
}

static void arm(vio_ring *ring, uint32_t chains) {
  if (ring->setup.event_idx) {
    const uint16_t event = (uint16_t)(ring->used + chains - 1);
    store_driver(ring, ENTRIES + 2 * (uint64_t)ring->setup.size, event);
  } else {
    store_driver(ring, FLAGS, chains == 0 ? VIO_AVAIL_F_NO_INTERRUPT : 0);
  }
}

const vio_ring_kind vio_ring_split = {add, publish, position, next_used, arm};
