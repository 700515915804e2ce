/* The driver's side of a virtqueue in bulk: ids, chains and what both kinds of ring share. */
#include "ring.h"

#include <stdlib.h>

/* Lengths of the three areas (virtio 1.4, 2.7 and 2.8). */
typedef struct extent {
  uint64_t desc, driver, device;
} extent;

static extent extent_of(const vio_ring_setup *setup) {
  const uint64_t size = setup->size;
  if (setup->packed)
    return (extent){VIO_DESC_LENGTH * size, VIO_PACKED_EVENT_LENGTH, VIO_PACKED_EVENT_LENGTH};
  return (extent){VIO_DESC_LENGTH * size, VIO_SPLIT_AVAIL_HEADER + 2 * size + 2,
                   VIO_SPLIT_USED_HEADER + VIO_SPLIT_USED_ELEMENT * size + 2};
}

static bool aligned(const vio_ring_setup *setup) {
  const uint32_t size = setup->size;
  if (size == 0 || size > VIO_MAX_QUEUE_SIZE) return false;
  if (!setup->packed && (size & (size - 1)) != 0) return false;
  return setup->desc % VIO_SPLIT_DESC_ALIGN == 0 && setup->driver % VIO_SPLIT_AVAIL_ALIGN == 0 &&
         setup->device % VIO_SPLIT_USED_ALIGN == 0;
}

static bool find_areas(vio_ring *ring, vio_memory *memory) {
  const extent length = extent_of(&ring->setup);
  ring->desc = vio_memory_at(memory, ring->setup.desc, length.desc);
  ring->driver = vio_memory_at(memory, ring->setup.driver, length.driver);
  ring->device = vio_memory_at(memory, ring->setup.device, length.device);
  return ring->desc != NULL && ring->driver != NULL && ring->device != NULL;
}

vio_ring *vio_ring_new(vio_memory *memory, vio_host *host, const vio_ring_setup *setup) {
  if (!aligned(setup)) return NULL;
  vio_ring *ring = calloc(1, sizeof *ring);
  if (ring == NULL) return NULL;
  ring->host = host;
  ring->setup = *setup;
  ring->kind = setup->packed ? &vio_ring_packed : &vio_ring_split;
  ring->free_count = setup->size;
  ring->linked = calloc(setup->size, sizeof *ring->linked);
  ring->counts = calloc(setup->size, sizeof *ring->counts);
  ring->order = calloc(setup->size, sizeof *ring->order);
  if (ring->linked == NULL || ring->counts == NULL || ring->order == NULL || !find_areas(ring, memory)) {
    vio_ring_free(ring);
    return NULL;
  }
  for (uint32_t i = 0; i < setup->size; i++) ring->linked[i] = (uint16_t)((i + 1) % setup->size);
  ring->last_free = (uint16_t)(setup->size - 1);
  ring->avail_wrap = ring->used_wrap = ring->published_wrap = true;
  return ring;
}

void vio_ring_free(vio_ring *ring) {
  if (ring == NULL) return;
  free(ring->linked);
  free(ring->counts);
  free(ring->order);
  free(ring);
}

int vio_ring_add(vio_ring *ring, const vio_element *elements, uint32_t count) {
  if (count == 0 || count > ring->free_count) return -1;
  const uint32_t id = ring->free_id;
  const uint32_t links = ring->setup.packed ? 1 : count;
  for (uint32_t i = 0; i < links; i++) ring->free_id = ring->linked[ring->free_id];
  ring->free_count -= count;
  ring->counts[id] = (uint16_t)count;
  ring->order[(ring->order_from + ring->order_count++) % ring->setup.size] = (uint16_t)count;
  ring->kind->add(ring, id, elements, count);
  ring->added++;
  return (int)id;
}

bool vio_ring_publish(vio_ring *ring) {
  if (ring->added == 0) return false;
  ring->added = 0;
  return ring->kind->publish(ring);
}

uint32_t vio_ring_position(const vio_ring *ring) { return ring->kind->position(ring); }

/* Put the ids of a finished chain behind the free ones. */
static void give_back(vio_ring *ring, uint32_t id) {
  const uint32_t count = ring->counts[id];
  uint32_t last = id;
  if (!ring->setup.packed)
    for (uint32_t i = 1; i < count; i++) last = ring->linked[last];
  const bool none_free = ring->setup.packed ? ring->order_count == ring->setup.size : ring->free_count == 0;
  if (none_free) ring->free_id = (uint16_t)id;
  else ring->linked[ring->last_free] = (uint16_t)id;
  ring->last_free = (uint16_t)last;
  ring->free_count += count;
  ring->counts[id] = 0;
  ring->order_from = (ring->order_from + 1) % ring->setup.size;
  ring->order_count--;
}

int vio_ring_reap(vio_ring *ring, uint32_t *ids, uint32_t *lengths, uint32_t most) {
  uint32_t count = 0;
  int found = 0;
  while (count < most && (found = ring->kind->next_used(ring, &ids[count], &lengths[count])) > 0)
    give_back(ring, ids[count++]);
  return found < 0 ? -1 : (int)count;
}

void vio_ring_arm(vio_ring *ring, uint32_t chains) { ring->kind->arm(ring, chains); }
