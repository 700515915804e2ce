/* Guest memory: sparse regions of a 64-bit space, and what the device may do with ranges of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "vio_native.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALL (VIO_READ | VIO_WRITE)
#define RECORDS_AHEAD 512 /* how far a device may run ahead of its recorded order */

typedef struct region {
  uint64_t base, length;
  uint8_t *data;
  bool owned;
} region;

/* From `start` up to the next span's start the device may do `allowed`; the first span starts at 0. */
typedef struct span {
  uint64_t start;
  int allowed;
} span;

/* What a device read in a recorded session; `left` bytes at its end were not asked for again yet. */
typedef struct record {
  uint64_t addr;
  uint32_t length, left;
  uint8_t *data;
} record;

struct vio_memory {
  region *regions;
  size_t region_count, recent;
  span *spans; /* sorted by start, none while all is allowed everywhere */
  size_t span_count;
  record *records; /* oldest first; those before `oldest` were read */
  size_t record_count, record_room, oldest;
};

vio_memory *vio_memory_new(void) { return calloc(1, sizeof(vio_memory)); }

void vio_memory_clear(vio_memory *memory) {
  for (size_t i = 0; i < memory->region_count; i++)
    if (memory->regions[i].owned) munmap(memory->regions[i].data, memory->regions[i].length);
  memory->region_count = 0;
}

void vio_memory_free(vio_memory *memory) {
  if (memory == NULL) return;
  vio_memory_clear(memory);
  free(memory->regions);
  free(memory->spans);
  for (size_t i = 0; i < memory->record_count; i++) free(memory->records[i].data);
  free(memory->records);
  free(memory);
}

static bool holds(const region *r, uint64_t addr, uint64_t length) {
  return addr >= r->base && length <= r->length && addr - r->base <= r->length - length;
}

static bool overlaps(const vio_memory *memory, uint64_t base, uint64_t last) {
  for (size_t i = 0; i < memory->region_count; i++) {
    const region *r = &memory->regions[i];
    if (base <= r->base + (r->length - 1) && r->base <= last) return true;
  }
  return false;
}

static int add(vio_memory *memory, region added) {
  region *grown = realloc(memory->regions, (memory->region_count + 1) * sizeof *grown);
  if (grown == NULL) return -1;
  memory->regions = grown;
  memory->regions[memory->region_count++] = added;
  return 0;
}

static bool fits(const vio_memory *memory, uint64_t base, uint64_t length) {
  return length > 0 && length <= SIZE_MAX && base + (length - 1) >= base &&
         !overlaps(memory, base, base + (length - 1));
}

uint8_t *vio_memory_add(vio_memory *memory, uint64_t base, uint64_t length) {
  if (!fits(memory, base, length)) return NULL;
  void *data = mmap(NULL, length, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return NULL;
  if (add(memory, (region){base, length, data, true}) == 0) return data;
  munmap(data, length);
  return NULL;
}

int vio_memory_map(vio_memory *memory, uint64_t base, uint64_t length, uint8_t *data) {
  return fits(memory, base, length) ? add(memory, (region){base, length, data, false}) : -1;
}

int vio_memory_unmap(vio_memory *memory, uint64_t base) {
  for (size_t i = 0; i < memory->region_count; i++) {
    region *r = &memory->regions[i];
    if (r->base != base) continue;
    if (r->owned) munmap(r->data, r->length);
    *r = memory->regions[--memory->region_count];
    return 0;
  }
  return -1;
}

static const region *region_of(const vio_memory *memory, uint64_t addr, uint64_t length) {
  for (size_t i = 0; i < memory->region_count; i++)
    if (holds(&memory->regions[i], addr, length)) return &memory->regions[i];
  return NULL;
}

uint8_t *vio_memory_at(vio_memory *memory, uint64_t addr, uint64_t length) {
  if (memory->recent < memory->region_count) {
    const region *r = &memory->regions[memory->recent];
    if (holds(r, addr, length)) return r->data + (addr - r->base);
  }
  const region *r = region_of(memory, addr, length);
  if (r == NULL) return NULL;
  memory->recent = (size_t)(r - memory->regions);
  return r->data + (addr - r->base);
}

/* Index of the span that holds addr. */
static size_t span_at(const vio_memory *memory, uint64_t addr) {
  size_t low = 0, high = memory->span_count;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (memory->spans[middle].start <= addr) low = middle;
    else high = middle;
  }
  return low;
}

/* Make a span start at addr; the array has room for it. Returns its index. */
static size_t split(vio_memory *memory, uint64_t addr) {
  const size_t i = span_at(memory, addr);
  span *spans = memory->spans;
  if (spans[i].start == addr) return i;
  memmove(spans + i + 2, spans + i + 1, (memory->span_count - i - 1) * sizeof *spans);
  spans[i + 1] = (span){addr, spans[i].allowed};
  memory->span_count++;
  return i + 1;
}

/* Drop boundaries between spans that say the same. */
static void merge(vio_memory *memory) {
  size_t left = 1;
  for (size_t i = 1; i < memory->span_count; i++)
    if (memory->spans[i].allowed != memory->spans[left - 1].allowed)
      memory->spans[left++] = memory->spans[i];
  memory->span_count = left == 1 && memory->spans[0].allowed == ALL ? 0 : left;
}

int vio_memory_protect(vio_memory *memory, uint64_t addr, uint64_t length, int deny, int allow) {
  if (length == 0 || addr + (length - 1) < addr) return -1;
  span *grown = realloc(memory->spans, (memory->span_count + 3) * sizeof *grown);
  if (grown == NULL) return -1;
  memory->spans = grown;
  if (memory->span_count == 0) memory->spans[memory->span_count++] = (span){0, ALL};
  const uint64_t end = addr + length; /* 0: the end of the space */
  const size_t from = split(memory, addr);
  const size_t to = end == 0 ? memory->span_count : split(memory, end);
  for (size_t i = from; i < to; i++)
    memory->spans[i].allowed = ((memory->spans[i].allowed & ~deny) | allow) & ALL;
  merge(memory);
  return 0;
}

bool vio_memory_permits(const vio_memory *memory, uint64_t addr, uint64_t length, int access) {
  if (memory->span_count == 0 || length == 0) return true;
  const uint64_t last = addr + (length - 1);
  for (size_t i = span_at(memory, addr); i < memory->span_count; i++) {
    if (memory->spans[i].start > last) break;
    if ((memory->spans[i].allowed & access) != access) return false;
  }
  return true;
}

bool vio_memory_allows(const vio_memory *memory, uint64_t addr, uint64_t length, int access) {
  return region_of(memory, addr, length) != NULL && vio_memory_permits(memory, addr, length, access);
}

int vio_memory_record(vio_memory *memory, uint64_t addr, uint32_t length, const uint8_t *data) {
  if (memory->record_count == memory->record_room) {
    const size_t room = memory->record_room ? 2 * memory->record_room : 64;
    record *grown = realloc(memory->records, room * sizeof *grown);
    if (grown == NULL) return -1;
    memory->records = grown;
    memory->record_room = room;
  }
  uint8_t *copy = malloc(length ? length : 1);
  if (copy == NULL) return -1;
  memcpy(copy, data, length);
  memory->records[memory->record_count++] = (record){addr, length, length, copy};
  return 0;
}

static record *record_of(vio_memory *memory, uint64_t addr, uint32_t length, bool whole) {
  while (memory->oldest < memory->record_count && memory->records[memory->oldest].left == 0)
    memory->oldest++;
  size_t end = memory->oldest + RECORDS_AHEAD;
  if (end > memory->record_count) end = memory->record_count;
  for (size_t i = memory->oldest; i < end; i++) {
    record *r = &memory->records[i];
    if (r->left == 0) continue;
    if (whole ? r->addr == addr && r->length == length
              : r->addr < addr + length && addr < r->addr + r->length)
      return r;
  }
  return NULL;
}

/* Put what was recorded of a piece of memory there. */
static void recall(vio_memory *memory, uint64_t addr, uint32_t length) {
  record *r = record_of(memory, addr, length, true);
  if (r == NULL) r = record_of(memory, addr, length, false);
  if (r == NULL) return;
  const uint64_t first = r->addr > addr ? r->addr : addr;
  const uint64_t end = r->addr + r->length < addr + length ? r->addr + r->length : addr + length;
  uint8_t *content = vio_memory_at(memory, first, end - first);
  if (content != NULL) memcpy(content, r->data + (first - r->addr), end - first);
  const uint32_t left = (uint32_t)(r->addr + r->length - end);
  if (left < r->left) r->left = left;
}

int vio_memory_dma_read(vio_memory *memory, uint64_t addr, uint32_t length, uint8_t *data) {
  if (memory->oldest < memory->record_count) recall(memory, addr, length);
  const uint8_t *content = vio_memory_at(memory, addr, length);
  if (content == NULL || !vio_memory_permits(memory, addr, length, VIO_READ)) return -1;
  memcpy(data, content, length);
  return 0;
}

int vio_memory_dma_write(vio_memory *memory, uint64_t addr, uint32_t length, const uint8_t *data) {
  uint8_t *content = vio_memory_at(memory, addr, length);
  if (content == NULL || !vio_memory_permits(memory, addr, length, VIO_WRITE)) return -1;
  memcpy(content, data, length);
  return 0;
}
