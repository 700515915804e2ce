/* Address ranges with owners, found by address; and records of which bytes were touched. */
#include "check_facts.h"

#include <string.h>

static uint32_t bit_length(uint64_t value) {
  return value == 0 ? 0 : 64u - (uint32_t)__builtin_clzll(value);
}

vio_wide vio_check_segment_end(const vio_check_segment *segment) {
  return (vio_wide)segment->addr + segment->length;
}

/* The first row at or behind (addr, serial). */
static size_t first_row(const vio_check_class *class, uint64_t addr, uint64_t serial) {
  size_t low = 0, high = class->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const vio_check_located *row = &class->rows[middle];
    if (row->addr < addr || (row->addr == addr && row->serial < serial)) low = middle + 1;
    else high = middle;
  }
  return low;
}

vio_check_segment *vio_check_segment_add(vio_checker *checker, const vio_check_segment *from) {
  vio_check_index *index = &checker->index;
  vio_check_segment *segment = vio_heap_take(&checker->heap, sizeof *segment);
  *segment = *from;
  segment->serial = ++index->next;
  const uint32_t size = bit_length(segment->length);
  vio_check_class *class = &index->classes[size];
  if (class->count == 0) index->active[index->active_count++] = (uint8_t)size;
  const size_t at = first_row(class, segment->addr, segment->serial);
  class->rows =
      vio_heap_more(&checker->heap, class->rows, class->count, &class->room, sizeof *class->rows);
  memmove(class->rows + at + 1, class->rows + at, (class->count - at) * sizeof *class->rows);
  class->rows[at] = (vio_check_located){segment->addr, segment->length, segment->serial, segment};
  class->count++;
  return segment;
}

void vio_check_segment_remove(vio_checker *checker, vio_check_segment *segment) {
  vio_check_index *index = &checker->index;
  const uint32_t size = bit_length(segment->length);
  vio_check_class *class = &index->classes[size];
  const size_t at = first_row(class, segment->addr, segment->serial);
  class->count--;
  memmove(class->rows + at, class->rows + at + 1, (class->count - at) * sizeof *class->rows);
  vio_heap_give(&checker->heap, segment);
  if (class->count > 0) return;
  const uint8_t *place = memchr(index->active, (int)size, index->active_count);
  if (place == NULL) return;
  const size_t from = (size_t)(place - index->active);
  index->active_count--;
  memmove(index->active + from, index->active + from + 1, index->active_count - from);
}

static void note_found(vio_checker *checker, size_t count, vio_check_segment *segment) {
  vio_check_index *index = &checker->index;
  index->found =
      vio_heap_more(&checker->heap, index->found, count, &index->found_room, sizeof *index->found);
  index->found[count] = segment;
}

size_t vio_check_segments_at(vio_checker *checker, uint64_t addr, uint64_t length) {
  const vio_check_index *index = &checker->index;
  const vio_wide end = (vio_wide)addr + length;
  size_t count = 0;
  for (size_t i = 0; i < index->active_count; i++) {
    const uint32_t size = index->active[i];
    const vio_check_class *class = &index->classes[size];
    const uint64_t reach = size >= 64 ? UINT64_MAX : (1ull << size) - 1;
    size_t at = first_row(class, addr > reach ? addr - reach : 0, 0);
    for (; at < class->count && class->rows[at].addr < end; at++) {
      const vio_check_located *row = &class->rows[at];
      if ((vio_wide)row->addr + row->length > addr) note_found(checker, count++, row->segment);
    }
  }
  return count;
}

/* The first span that begins at or behind `from`. */
static uint32_t first_span(const vio_check_coverage *coverage, uint64_t from) {
  uint32_t low = 0, high = coverage->count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (coverage->spans[middle].from < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void merge_span(vio_heap *heap, vio_check_coverage *coverage, uint64_t from, uint64_t to) {
  uint32_t first = first_span(coverage, from);
  if (first > 0 && coverage->spans[first - 1].to >= from) from = coverage->spans[--first].from;
  uint32_t last = first;
  for (; last < coverage->count && coverage->spans[last].from <= to; last++)
    if (coverage->spans[last].to > to) to = coverage->spans[last].to;
  size_t room = coverage->room;
  coverage->spans = vio_heap_more(heap, coverage->spans, coverage->count, &room, sizeof *coverage->spans);
  coverage->room = (uint32_t)room;
  memmove(coverage->spans + first + 1, coverage->spans + last,
          (coverage->count - last) * sizeof *coverage->spans);
  coverage->spans[first] = (vio_check_span){from, to};
  coverage->count = coverage->count - (last - first) + 1;
}

void vio_check_coverage_add(vio_heap *heap, vio_check_coverage *coverage, uint64_t from, uint64_t to) {
  if (coverage->lost) return;
  if (coverage->count > 0) {
    vio_check_span *last = &coverage->spans[coverage->count - 1];
    if (last->from <= from && from <= last->to) {
      if (to > last->to) last->to = to;
      return;
    }
  }
  merge_span(heap, coverage, from, to);
  coverage->lost = coverage->count > VIO_COVERAGE_LIMIT;
}

int64_t vio_check_coverage_prefix(const vio_check_coverage *coverage) {
  if (coverage->lost) return NONE;
  return coverage->count > 0 && coverage->spans[0].from == 0 ? (int64_t)coverage->spans[0].to : 0;
}
