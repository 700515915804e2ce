/* A buffer that the driver made available: its elements, and what the device did with them. */
#include "check_facts.h"

#include <string.h>

static const uint64_t BYTES_MAX = 1ull << 32;

vio_check_chain *vio_check_chain_new(vio_checker *checker, vio_check_queue *queue, uint32_t head,
                                     int64_t cover) {
  vio_check_chain *chain = vio_heap_take(&checker->heap, sizeof *chain);
  chain->queue = queue;
  chain->head = chain->id = head;
  chain->slots = 1;
  chain->cover = cover;
  chain->since = checker->now;
  chain->packed = vio_check_queue_packed(queue);
  chain->in_order = vio_check_queue_has(queue, VIO_FEATURE_IN_ORDER);
  chain->wait_at = NONE;
  chain->status = NONE;
  return chain;
}

static void free_table(vio_checker *checker, vio_check_table *table) {
  if (table == NULL) return;
  vio_map_clear(&checker->heap, &table->cells);
  vio_heap_give(&checker->heap, table);
}

void vio_check_chain_free(vio_checker *checker, vio_check_chain *chain) {
  vio_heap *heap = &checker->heap;
  free_table(checker, chain->table);
  vio_heap_give(heap, chain->ring);
  vio_heap_give(heap, chain->segments);
  vio_heap_give(heap, chain->written.spans);
  vio_heap_give(heap, chain->fetched.spans);
  vio_heap_give(heap, chain->captured.spans);
  vio_heap_give(heap, chain->capture);
  vio_heap_give(heap, chain);
}

void vio_check_chain_problem(vio_check_chain *chain, enum vio_check_problem problem, uint32_t at) {
  if (!(chain->problems >> problem & 1u)) chain->problem_at[problem] = at;
  chain->problems |= 1u << problem;
}

/* Put a part of the chain on the map, cut off at the end of the address space. */
static void add_segment(vio_checker *checker, vio_check_chain *chain, vio_check_segment part) {
  if (part.length == 0) return;
  if (part.addr != 0 && part.length > UINT64_MAX - part.addr + 1)
    part.length = UINT64_MAX - part.addr + 1;
  part.chain = chain;
  size_t room = chain->segment_room;
  chain->segments = vio_heap_more(&checker->heap, chain->segments, chain->segment_count, &room,
                                  sizeof *chain->segments);
  chain->segment_room = (uint32_t)room;
  chain->segments[chain->segment_count++] = vio_check_segment_add(checker, &part);
}

void vio_check_chain_element(vio_checker *checker, vio_check_chain *chain, uint64_t addr, uint32_t length,
                             bool write) {
  if (!write && chain->writable > 0) vio_check_chain_problem(chain, BAD_ORDER, 0);
  uint64_t *total = write ? &chain->writable : &chain->readable;
  const vio_check_segment part = {
      .addr = addr, .length = length, .offset = *total, .kind = write ? SEG_WRITABLE : SEG_READABLE};
  *total += length;
  if (chain->readable + chain->writable > BYTES_MAX) vio_check_chain_problem(chain, BAD_BYTES, 0);
  add_segment(checker, chain, part);
}

void vio_check_chain_table(vio_checker *checker, vio_check_chain *chain, uint64_t addr, uint32_t length) {
  free_table(checker, chain->table);
  chain->table = NULL;
  chain->table = vio_heap_take(&checker->heap, sizeof *chain->table);
  chain->table->count = length / VIO_CELL;
  chain->table_entry = 0;
  const vio_check_segment part = {.addr = addr, .length = length, .kind = SEG_TABLE};
  add_segment(checker, chain, part);
}

static void judge_entry(vio_check_chain *chain, uint32_t flags, uint32_t next) {
  if (chain->packed) {
    if (flags & ~VIO_DESC_FLAG_WRITE) vio_check_chain_problem(chain, BAD_TABLE_FLAGS, chain->table_entry);
    return;
  }
  if (flags & VIO_DESC_FLAG_INDIRECT) vio_check_chain_problem(chain, BAD_NESTED, chain->table_entry);
  if (chain->in_order && flags & VIO_DESC_FLAG_NEXT && next != chain->table_entry + 1)
    vio_check_chain_problem(chain, BAD_TABLE_ORDER, chain->table_entry);
}

static void take_entry(vio_checker *checker, vio_check_chain *chain, const vio_check_desc *desc) {
  const uint32_t flags = chain->packed ? desc->high : desc->low;
  chain->count++;
  judge_entry(chain, flags, desc->high);
  vio_check_chain_element(checker, chain, desc->addr, desc->len, (flags & VIO_DESC_FLAG_WRITE) != 0);
  if (chain->packed) chain->table_entry++;
  else if (flags & VIO_DESC_FLAG_NEXT) chain->table_entry = desc->high;
  else chain->complete = true;
}

void vio_check_chain_walk_table(vio_checker *checker, vio_check_chain *chain, uint32_t size) {
  vio_check_table *table = chain->table;
  while (!chain->complete) {
    if (chain->table_entry >= table->count) {
      if (!chain->packed || table->count == 0)
        vio_check_chain_problem(chain, BAD_RANGE, chain->table_entry);
      chain->complete = true;
      return;
    }
    const vio_check_cell *cell = vio_map_get(&table->cells, chain->table_entry);
    vio_check_desc desc;
    if (cell == NULL || !vio_check_cell_value(cell, chain->cover, &desc)) return;
    take_entry(checker, chain, &desc);
    if (chain->count > size && !chain->complete) {
      vio_check_chain_problem(chain, BAD_LONG, size);
      chain->complete = true;
    }
  }
}

void vio_check_chain_wrote(vio_checker *checker, vio_check_chain *chain, uint64_t offset,
                           const uint8_t *data, uint64_t length) {
  vio_check_coverage_add(&checker->heap, &chain->written, offset, offset + length);
  if (offset < VIO_REPLY && length > 0) {
    const uint64_t room = VIO_REPLY - offset;
    memcpy(chain->reply + offset, data, (size_t)(length < room ? length : room));
  }
  if (length > 0 && offset + length == chain->writable) chain->status = data[length - 1];
}

void vio_check_chain_read(vio_checker *checker, vio_check_chain *chain, uint64_t offset,
                          const uint8_t *data, uint64_t length) {
  vio_check_coverage_add(&checker->heap, &chain->fetched, offset, offset + length);
  if (offset >= VIO_CAPTURE || length == 0) return;
  if (length > VIO_CAPTURE - offset) length = VIO_CAPTURE - offset;
  if (chain->capture == NULL) chain->capture = vio_heap_take(&checker->heap, VIO_CAPTURE);
  memcpy(chain->capture + offset, data, (size_t)length);
  vio_check_coverage_add(&checker->heap, &chain->captured, offset, offset + length);
}
