/* AXI4 bursts as byte ranges (INCR only), and queues of them that wait for their time. */
#include "burst.h"

#include <stdlib.h>
#include <string.h>

vio_burst *vio_burst_new(void) { return calloc(1, sizeof(vio_burst)); }

void vio_burst_free(vio_burst *burst) {
  if (burst == NULL) return;
  free(burst->data);
  free(burst->runs);
  free(burst);
}

bool vio_burst_room(vio_burst *burst, size_t length) {
  if (length <= burst->data_room) return true;
  uint8_t *grown = realloc(burst->data, length);
  if (grown == NULL) return false;
  burst->data = grown;
  burst->data_room = length;
  return true;
}

uint64_t vio_burst_beat(const vio_burst *burst, uint32_t beat, uint32_t *count) {
  const uint64_t step = UINT64_C(1) << burst->size;
  const uint64_t skew = burst->addr & (step - 1);
  *count = (uint32_t)(beat == 0 ? step - skew : step);
  return beat == 0 ? burst->addr : burst->addr - skew + beat * step;
}

/* Append bytes to the last run if they follow it, else start another. */
static bool append(vio_burst *burst, uint64_t addr, const uint8_t *data, uint32_t length) {
  vio_run *last = burst->run_count > 0 ? &burst->runs[burst->run_count - 1] : NULL;
  if (last == NULL || last->addr + last->length != addr) {
    if (burst->run_count == burst->run_room) {
      const uint32_t room = burst->run_room == 0 ? 4 : 2 * burst->run_room;
      vio_run *grown = realloc(burst->runs, room * sizeof *grown);
      if (grown == NULL) return false;
      burst->runs = grown;
      burst->run_room = room;
    }
    last = &burst->runs[burst->run_count++];
    *last = (vio_run){addr, burst->used, 0};
  }
  memcpy(burst->data + burst->used, data, length);
  last->length += length;
  burst->used += length;
  return true;
}

static uint64_t ones(uint32_t count) { return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

bool vio_burst_take(vio_burst *burst, uint32_t lanes, const uint8_t *data, uint64_t strobe) {
  uint32_t bytes;
  const uint64_t start = vio_burst_beat(burst, burst->moved, &bytes);
  const uint32_t lane = (uint32_t)(start & (lanes - 1));
  if ((strobe & ~(ones(bytes) << lane)) != 0) burst->outside = true;
  if (!vio_burst_room(burst, burst->used + lanes)) return false;
  uint32_t at = 0;
  while (strobe != 0) {
    const uint32_t skip = (uint32_t)__builtin_ctzll(strobe);
    at += skip;
    strobe >>= skip;
    const uint32_t count = ~strobe == 0 ? 64 : (uint32_t)__builtin_ctzll(~strobe);
    if (!append(burst, start - lane + at, data + at, count)) return false;
    at += count;
    strobe = count == 64 ? 0 : strobe >> count;
  }
  return true;
}

void vio_burst_word(const vio_burst *burst, uint32_t beat, uint32_t lanes, uint8_t *word) {
  uint32_t count;
  const uint64_t start = vio_burst_beat(burst, beat, &count);
  const uint32_t lane = (uint32_t)(start & (lanes - 1));
  if (count < lanes) memset(word, 0, lanes);
  memcpy(word + lane, burst->data + (start - burst->addr), count);
}

bool vio_queue_add(vio_queue *queue, vio_burst *burst) {
  if (queue->count == queue->room) {
    const size_t room = queue->room == 0 ? 64 : 2 * queue->room;
    vio_burst **grown = realloc(queue->items, room * sizeof *grown);
    if (grown == NULL) return false;
    queue->items = grown;
    queue->room = room;
  }
  queue->items[queue->count++] = burst;
  return true;
}

void vio_queue_remove(vio_queue *queue, size_t index) {
  queue->count--;
  memmove(queue->items + index, queue->items + index + 1,
          (queue->count - index) * sizeof *queue->items);
}

static bool has_ident(vio_burst *const *items, size_t count, uint32_t ident) {
  for (size_t i = 0; i < count; i++)
    if (items[i]->ident == ident) return true;
  return false;
}

static bool eligible(const vio_queue *queue, size_t index, uint64_t now, const vio_queue *others) {
  const vio_burst *burst = queue->items[index];
  if (burst->due > now || has_ident(queue->items, index, burst->ident)) return false;
  return others == NULL || !has_ident(others->items, others->count, burst->ident);
}

vio_burst *vio_queue_take(vio_queue *queue, uint64_t now, bool reorder, vio_dice *dice,
                          const vio_queue *others) {
  const size_t heads = reorder ? queue->count : queue->count > 0;
  uint32_t ready = 0;
  size_t found = 0;
  for (size_t i = 0; i < heads; i++)
    if (eligible(queue, i, now, others) && ready++ == 0) found = i;
  if (ready == 0) return NULL;
  if (ready > 1)
    for (uint32_t left = vio_dice_below(dice, ready); left > 0; left -= eligible(queue, found, now, others))
      found++;
  vio_burst *burst = queue->items[found];
  vio_queue_remove(queue, found);
  return burst;
}
