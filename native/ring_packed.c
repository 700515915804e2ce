/* The packed ring (virtio 1.4, 2.8), driver's side. */
#include "ring.h"

enum { EVENT_OFFSET = 0, EVENT_FLAGS = 2, WRAP = 0x8000, ID = 12, FLAGS = 14 };

typedef struct descriptor {
  uint64_t addr;
  uint32_t length;
  uint16_t id, flags;
} descriptor;

static uint64_t place(uint32_t slot) { return (uint64_t)slot * sizeof(descriptor); }

/* Flags that make a descriptor available at this lap (virtio 1.4, 2.8.1). */
static uint16_t available(bool wrap) { return wrap ? VIO_DESC_FLAG_AVAIL : VIO_DESC_FLAG_USED; }

static void step(uint16_t *at, bool *wrap, uint32_t count, uint32_t size) {
  uint32_t next = *at + count;
  if (next >= size) {
    next -= size;
    *wrap = !*wrap;
  }
  *at = (uint16_t)next;
}

static void add(vio_ring *ring, uint32_t id, const vio_element *elements, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint16_t flags = (uint16_t)(available(ring->avail_wrap) |
                                      (i + 1 < count ? VIO_DESC_FLAG_NEXT : 0) |
                                      (elements[i].write ? VIO_DESC_FLAG_WRITE : 0));
    const bool held = ring->added == 0 && i == 0;
    const descriptor entry = {elements[i].addr, elements[i].length, (uint16_t)id, flags};
    if (held) ring->first_flags = flags;
    vio_ring_store(ring, ring->setup.desc, ring->desc, place(ring->avail), &entry,
                   held ? FLAGS : sizeof entry);
    step(&ring->avail, &ring->avail_wrap, 1, ring->setup.size);
  }
}

/* Whether the device's wish (virtio 1.4, 2.8.10) lies in the descriptors just made available. */
static bool wanted(const vio_ring *ring) {
  const uint16_t flags = vio_get16(ring->device + EVENT_FLAGS) & 3;
  if (!ring->setup.event_idx || flags != VIO_RING_EVENT_DESC) return flags != VIO_RING_EVENT_DISABLE;
  const uint16_t event = vio_get16(ring->device + EVENT_OFFSET);
  const uint32_t size = ring->setup.size;
  /* Positions counted from the last publish on; the event is ahead of it or has been passed. */
  const uint32_t moved = (ring->avail + size * (ring->avail_wrap != ring->published_wrap)) -
                         ring->published;
  const bool same_lap = ((event & WRAP) != 0) == ring->published_wrap;
  const uint32_t at = (event & (WRAP - 1)) + (same_lap ? 0 : size);
  return at >= ring->published && at - ring->published < moved;
}

static bool publish(vio_ring *ring) {
  vio_ring_store(ring, ring->setup.desc, ring->desc, place(ring->published) + FLAGS,
                 &ring->first_flags, sizeof ring->first_flags);
  const bool kick = wanted(ring);
  ring->published = ring->avail;
  ring->published_wrap = ring->avail_wrap;
  return kick;
}

static uint32_t position(const vio_ring *ring) {
  return ((uint32_t)ring->published | (ring->published_wrap ? WRAP : 0)) << 16;
}

static int next_used(vio_ring *ring, uint32_t *id, uint32_t *length) {
  if (ring->order_count == 0) return 0;
  const uint8_t *entry = ring->desc + place(ring->used);
  const uint16_t flags = vio_get16(entry + FLAGS);
  const bool avail_bit = (flags & VIO_DESC_FLAG_AVAIL) != 0;
  const bool used_bit = (flags & VIO_DESC_FLAG_USED) != 0;
  if (avail_bit != used_bit || used_bit != ring->used_wrap) return 0;
  *id = vio_get16(entry + ID);
  *length = (flags & VIO_DESC_FLAG_WRITE) != 0 ? vio_get32(entry + 8) : 0;
  if (*id >= ring->setup.size || ring->counts[*id] == 0) return -1;
  step(&ring->used, &ring->used_wrap, ring->counts[*id], ring->setup.size);
  return 1;
}

static void arm(vio_ring *ring, uint32_t chains) {
  uint16_t event[2] = {0, chains == 0 ? VIO_RING_EVENT_DISABLE : VIO_RING_EVENT_ENABLE};
  if (chains > 0 && ring->setup.event_idx) {
    uint16_t at = ring->used;
    bool wrap = ring->used_wrap;
    for (uint32_t i = 0; i + 1 < chains && i < ring->order_count; i++)
      step(&at, &wrap, ring->order[(ring->order_from + i) % ring->setup.size], ring->setup.size);
    event[0] = (uint16_t)(at | (wrap ? WRAP : 0));
    event[1] = VIO_RING_EVENT_DESC;
  }
  vio_ring_store(ring, ring->setup.driver, ring->driver, 0, event, sizeof event);
}

const vio_ring_kind vio_ring_packed = {add, publish, position, next_used, arm};
