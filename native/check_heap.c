/* Memory of one checker, and maps in it. */
#include "check_heap.h"

#include <stdlib.h>
#include <string.h>

struct vio_block {
  vio_block *before, *after;
  size_t size, zero; /* zero: keeps the content aligned to 16 bytes */
};

static vio_block *block_of(void *memory) { return (vio_block *)memory - 1; }

static void link_block(vio_heap *heap, vio_block *block) {
  block->before = NULL;
  block->after = heap->first;
  if (heap->first != NULL) heap->first->before = block;
  heap->first = block;
  heap->used += sizeof *block + block->size;
}

static void unlink_block(vio_heap *heap, vio_block *block) {
  if (block->before != NULL) block->before->after = block->after;
  else heap->first = block->after;
  if (block->after != NULL) block->after->before = block->before;
  heap->used -= sizeof *block + block->size;
}

static bool fits(const vio_heap *heap, size_t size) {
  return size <= heap->limit && heap->used <= heap->limit - size;
}

void *vio_heap_take(vio_heap *heap, size_t size) {
  vio_block *block = fits(heap, size) ? calloc(1, sizeof *block + size) : NULL;
  if (block == NULL) longjmp(*heap->escape, 1);
  block->size = size;
  link_block(heap, block);
  return block + 1;
}

void *vio_heap_grow(vio_heap *heap, void *memory, size_t size) {
  if (memory == NULL) return vio_heap_take(heap, size);
  vio_block *block = block_of(memory);
  if (!fits(heap, size)) longjmp(*heap->escape, 1);
  unlink_block(heap, block);
  vio_block *grown = realloc(block, sizeof *block + size);
  if (grown == NULL) {
    link_block(heap, block);
    longjmp(*heap->escape, 1);
  }
  grown->size = size;
  link_block(heap, grown);
  return grown + 1;
}

void vio_heap_give(vio_heap *heap, void *memory) {
  if (memory == NULL) return;
  unlink_block(heap, block_of(memory));
  free(block_of(memory));
}

void vio_heap_clear(vio_heap *heap) {
  while (heap->first != NULL) vio_heap_give(heap, heap->first + 1);
}

void *vio_heap_more(vio_heap *heap, void *array, size_t count, size_t *room, size_t width) {
  if (count < *room) return array;
  *room = *room == 0 ? 4 : 2 * *room;
  return vio_heap_grow(heap, array, *room * width);
}

static size_t home(const vio_map *map, uint64_t key) {
  return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (map->size - 1);
}

/* The place of a key, or the free one where it would go. */
static size_t place_of(const vio_map *map, uint64_t key) {
  size_t at = home(map, key);
  while (map->values[at] != NULL && map->keys[at] != key) at = (at + 1) & (map->size - 1);
  return at;
}

void *vio_map_get(const vio_map *map, uint64_t key) {
  return map->size == 0 ? NULL : map->values[place_of(map, key)];
}

static void enlarge(vio_heap *heap, vio_map *map) {
  const vio_map old = *map;
  map->size = old.size == 0 ? 8 : 2 * old.size;
  map->keys = vio_heap_take(heap, map->size * sizeof *map->keys);
  map->values = vio_heap_take(heap, map->size * sizeof *map->values);
  for (size_t i = 0; i < old.size; i++) {
    if (old.values[i] == NULL) continue;
    const size_t at = place_of(map, old.keys[i]);
    map->keys[at] = old.keys[i];
    map->values[at] = old.values[i];
  }
  vio_heap_give(heap, old.keys);
  vio_heap_give(heap, old.values);
}

void vio_map_put(vio_heap *heap, vio_map *map, uint64_t key, void *value) {
  if (4 * (map->count + 1) > 3 * map->size) enlarge(heap, map);
  const size_t at = place_of(map, key);
  if (map->values[at] == NULL) map->count++;
  map->keys[at] = key;
  map->values[at] = value;
}

void *vio_map_take(vio_map *map, uint64_t key) {
  if (map->size == 0) return NULL;
  size_t gap = place_of(map, key);
  void *value = map->values[gap];
  if (value == NULL) return NULL;
  map->count--;
  const size_t mask = map->size - 1;
  for (size_t at = (gap + 1) & mask; map->values[at] != NULL; at = (at + 1) & mask) {
    if (((at - home(map, map->keys[at])) & mask) < ((at - gap) & mask)) continue;
    map->keys[gap] = map->keys[at];
    map->values[gap] = map->values[at];
    gap = at;
  }
  map->values[gap] = NULL;
  return value;
}

void vio_map_clear(vio_heap *heap, vio_map *map) {
  for (size_t i = 0; i < map->size; i++) vio_heap_give(heap, map->values[i]);
  vio_heap_give(heap, map->keys);
  vio_heap_give(heap, map->values);
  *map = (vio_map){0};
}
