/* The checker's memory: bounded, all given back at once; running out leaves through `escape`. */
#ifndef VIO_CHECK_HEAP_H
#define VIO_CHECK_HEAP_H
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vio_block vio_block;
/* `used` and `limit` in bytes. */
typedef struct vio_heap {
  vio_block *first;
  size_t used, limit;
  jmp_buf *escape;
} vio_heap;

/* Zeroed memory. Never returns NULL: it jumps to `escape` instead. */
void *vio_heap_take(vio_heap *heap, size_t size);
/* Make it `size` bytes; what is new is not zeroed. */
void *vio_heap_grow(vio_heap *heap, void *memory, size_t size);
void vio_heap_give(vio_heap *heap, void *memory);
void vio_heap_clear(vio_heap *heap);
/* Room in an array of `width` bytes an item for one more than `count`. */
void *vio_heap_more(vio_heap *heap, void *array, size_t count, size_t *room, size_t width);

/* Pointers by number; `values` NULL where a place is free. */
typedef struct vio_map {
  uint64_t *keys;
  void **values;
  size_t count, size;
} vio_map;

void *vio_map_get(const vio_map *map, uint64_t key);
void vio_map_put(vio_heap *heap, vio_map *map, uint64_t key, void *value);
/* Remove and return it; NULL if there is none. */
void *vio_map_take(vio_map *map, uint64_t key);
/* Give back the map and all its values. */
void vio_map_clear(vio_heap *heap, vio_map *map);

#endif
