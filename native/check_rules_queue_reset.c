/* Virtqueue reset and re-enable (virtio 1.4, 2.6.1 and 4.1.4.3). */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))

/* ---- numbers by queue ---- */

static int64_t number_of(const vio_map *map, uint32_t queue) {
  const int64_t *number = vio_map_get(map, queue);
  return number == NULL ? NONE : *number;
}

/* Note a number for a queue that has none yet. */
static void note_number(vio_checker *checker, vio_map *map, uint32_t queue, int64_t value) {
  if (vio_map_get(map, queue) != NULL) return;
  int64_t *number = vio_heap_take(&checker->heap, sizeof *number);
  *number = value;
  vio_map_put(&checker->heap, map, queue, number);
}

/* ---- fields ---- */

static void judge_defaults(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  vio_map *sizes = &checker->rules.queues.sizes;
  const int64_t first = number_of(sizes, queue->index);
  if (queue->written >> vio_check_field_reg(fact->name, 0) & 1u) return;
  if (fact->name == F_QUEUE_SIZE && !queue->was_reset)
    note_number(checker, sizes, queue->index, (int64_t)fact->value);
  else if (fact->name == F_QUEUE_SIZE && !queue->resetting && first != NONE)
    JUDGE(VIO_DEV_VQ_002, (int64_t)fact->value == first,
          "queue_size of queue %u reads %llu after its reset, not %lld", queue->index, U(fact->value),
          (long long)first);
  else if (fact->name == F_QUEUE_VECTOR && queue->was_reset)
    JUDGE(VIO_DEV_VQ_002, fact->value == VIO_NO_VECTOR,
          "the vector of queue %u reads %llu after its reset", queue->index, U(fact->value));
}

static void reset_read(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const bool untouched = !(queue->written >> R_RESET & 1u) && !queue->was_reset && queue->enabled == 0;
  if (vio_check_session_has(&checker->session, VIO_FEATURE_RING_RESET)) {
    if (checker->session.reset_kind != RESET_NONE && untouched)
      JUDGE(VIO_DEV_PCI_020, fact->value == 0, "queue_reset of queue %u reads %llu after a reset",
            queue->index, U(fact->value));
    if (queue->enabled == 1 && !queue->resetting)
      JUDGE(VIO_DEV_PCI_021, fact->value == 0, "queue_reset of queue %u reads %llu once it is enabled",
            queue->index, U(fact->value));
  }
  if (queue->resetting && fact->value != 0) HELD(VIO_DEV_PCI_023);
}

static void enable_read(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  if (queue->resetting) return;
  if (queue->was_reset && queue->enabled == 0)
    JUDGE(VIO_DEV_PCI_024, fact->value == 0, "queue_enable of queue %u reads %llu after its reset",
          queue->index, U(fact->value));
  else if (queue->enabled == 1 && checker->session.known && fact->value == 0)
    BREACHED(VIO_DEV_PCI_024, "queue_enable of queue %u reads 0, but the queue was enabled and not reset",
             queue->index);
}

static void field_read(vio_checker *checker, const vio_fact *fact) {
  if (fact->queue == NULL) return;
  judge_defaults(checker, fact);
  if (fact->name == F_QUEUE_RESET) reset_read(checker, fact);
  if (fact->name == F_QUEUE_ENABLE) enable_read(checker, fact);
}

/* ---- the course of a reset ---- */

static void enabled(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const uint32_t areas = 1u << R_DESC | 1u << R_DRIVER | 1u << R_DEVICE;
  if (queue->resetting)
    BREACHED(VIO_DRV_VQ_001, "queue %u is enabled again before queue_reset read 0", queue->index);
  if (queue->was_reset && !fact->again)
    JUDGE(VIO_DRV_VQ_003, (queue->written & areas) == areas,
          "queue %u is enabled again, not all of its ring addresses written", queue->index);
}

static void reset_done(vio_checker *checker, const vio_fact *fact) {
  if (checker->seen_memory) HELD(VIO_DEV_VQ_001);
  HELD(VIO_DRV_VQ_001);
  vio_heap_give(&checker->heap, vio_map_take(&checker->rules.queues.resets, fact->queue->index));
  HELD(VIO_DEV_PCI_022);
}

static void session_over(vio_checker *checker) {
  vio_map *resets = &checker->rules.queues.resets;
  for (size_t i = 0; i < resets->size; i++) {
    const int64_t *since = resets->values[i];
    if (since != NULL && checker->now - *since > checker->settle)
      BREACHED(VIO_DEV_PCI_022, "queue %llu never finished its reset", U(resets->keys[i]));
  }
  vio_map_clear(&checker->heap, resets);
}

static void breach(vio_checker *checker, const vio_fact *fact) {
  if (fact->breach != BREACH_AFTER_QUEUE_RESET) return;
  BREACHED_AT(VIO_DEV_VQ_001, fact->t, fact->line, "queue %u was reset; its memory at 0x%llx was touched",
              fact->slot, U(fact->addr));
  BREACHED_AT(VIO_DEV_PCI_023, fact->t, fact->line,
              "queue %u was reset; its memory at 0x%llx was touched", fact->slot, U(fact->addr));
}

void vio_rules_queue_reset(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_QUEUE_RESET_DONE:
      reset_done(checker, fact);
      break;
    case FACT_BREACH:
      breach(checker, fact);
      break;
    case FACT_RESET_DONE:
      vio_map_clear(&checker->heap, &checker->rules.queues.sizes);
      break;
    case FACT_FIELD_READ:
      field_read(checker, fact);
      break;
    case FACT_USED_INDEX:
      if (fact->queue->was_reset && fact->from == 0)
        JUDGE(VIO_DEV_VQ_002, fact->excess == 0 && fact->unwritten == 0,
              "queue %u was reset, and goes on with used.idx %u", fact->queue->index, fact->to);
      break;
    case FACT_USED_ADVANCED:
      if (fact->queue->was_reset) HELD(VIO_DEV_VQ_003);
      break;
    case FACT_DMA:
      if (!fact->write && !fact->packed && fact->stray > 0)
        BREACHED(VIO_DEV_VQ_003, "a read of %llu bytes at 0x%llx lies outside all rings and buffers",
                 U(fact->length), U(fact->addr));
      break;
    case FACT_DRIVER_STORE:
      if (fact->problem == STORE_QUEUE_RESET)
        BREACHED(VIO_DRV_VQ_001, "the ring of queue %u is written before queue_reset read 0",
                 fact->queue->index);
      break;
    case FACT_QUEUE_ENABLED:
      enabled(checker, fact);
      break;
    case FACT_QUEUE_RESET_WRITTEN:
      note_number(checker, &checker->rules.queues.resets, fact->queue->index, checker->now);
      break;
    case FACT_SESSION_OVER:
      session_over(checker);
      break;
    default:
      break;
  }
}
