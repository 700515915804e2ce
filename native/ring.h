/* What both kinds of ring share; inside native/ only. */
#ifndef VIO_RING_H
#define VIO_RING_H
#include "host.h"
#include "vio_spec.h"

#include <string.h>

/* What differs between split and packed rings. */
typedef struct vio_ring_kind {
  void (*add)(vio_ring *ring, uint32_t id, const vio_element *elements, uint32_t count);
  bool (*publish)(vio_ring *ring);
  uint32_t (*position)(const vio_ring *ring);
  /* The next used chain's id and length; 0 if there is none, -1 if the device broke the ring. */
  int (*next_used)(vio_ring *ring, uint32_t *id, uint32_t *length);
  void (*arm)(vio_ring *ring, uint32_t chains);
} vio_ring_kind;

extern const vio_ring_kind vio_ring_split, vio_ring_packed;

struct vio_ring {
  vio_host *host;
  vio_ring_setup setup;
  const vio_ring_kind *kind;
  uint8_t *desc, *driver, *device; /* the three areas' content */
  uint32_t free_count;             /* descriptors */
  /* Split: ids are descriptor numbers, linked[] is the table's free list and chains. Packed: linked[]
   * is the free list of buffer ids. */
  uint16_t *linked, free_id, last_free;
  uint16_t *counts; /* descriptors of the chain with this id, 0: not available */
  uint16_t *order;  /* descriptor counts of available chains, in a ring of `size` */
  uint32_t order_from, order_count;
  uint32_t added;           /* chains since the last publish */
  uint16_t avail, used;     /* split: free-running indexes; packed: positions in the ring */
  uint16_t published;       /* avail at the last publish */
  bool avail_wrap, used_wrap, published_wrap;
  uint16_t first_flags;     /* packed: flags held back until publish */
};

static inline uint16_t vio_get16(const uint8_t *from) {
  uint16_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

static inline uint32_t vio_get32(const uint8_t *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

/* The driver's store of `length` bytes at offset `at` of an area. */
static inline void vio_ring_store(vio_ring *ring, uint64_t area, uint8_t *content, uint64_t at,
                                  const void *data, uint32_t length) {
  memcpy(content + at, data, length);
  if (ring->host != NULL)
    vio_host_emit(ring->host, VIO_MEM_WRITE, 0, area + at, length, content + at, VIO_NO_TIME, false);
}

#endif
