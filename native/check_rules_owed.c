/* Split virtqueues: suppression of notifications (virtio 1.4, 2.7.7 and 2.7.10). */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))

static bool has_event_idx(const vio_check_queue *queue) {
  return vio_check_queue_has(queue, VIO_FEATURE_EVENT_IDX);
}

static void avail_flags(vio_checker *checker, const vio_fact *fact) {
  const bool event = has_event_idx(fact->queue);
  JUDGE(event ? VIO_DRV_SPLIT_014 : VIO_DRV_SPLIT_012, fact->value <= (event ? 0 : 1),
        "avail.flags of queue %u is 0x%llx", fact->queue->index, U(fact->value));
}

static void used_flags(vio_checker *checker, const vio_fact *fact) {
  const bool event = has_event_idx(fact->queue);
  JUDGE(event ? VIO_DEV_SPLIT_020 : VIO_DEV_SPLIT_018, fact->value <= (event ? 0 : 1),
        "used.flags of queue %u is 0x%llx", fact->queue->index, U(fact->value));
}

/* Judge a clause by a notification that came, or is overdue. */
static void owed(vio_checker *checker, const vio_fact *fact, enum vio_clause clause, bool concerned) {
  if (concerned)
    JUDGE(clause, !fact->late, "queue %u: a notification that was owed never came", fact->queue->index);
}

static void due(vio_checker *checker, const vio_fact *fact) {
  if (fact->queue == NULL) return;
  const vio_check_ring *ring = fact->queue->ring;
  const bool split = ring != NULL && !ring->packed;
  switch (fact->what) {
    case OWED_USED_FLAGS:
      owed(checker, fact, VIO_DEV_SPLIT_011, split);
      owed(checker, fact, VIO_DEV_SPLIT_009, split && ring->used_event != 0);
      if (!fact->late) HELD(VIO_DEV_SPLIT_010);
      break;
    case OWED_USED_EVENT:
      owed(checker, fact, VIO_DEV_SPLIT_013, split);
      owed(checker, fact, VIO_DEV_SPLIT_012, split && ring->flags & VIO_AVAIL_F_NO_INTERRUPT);
      if (!fact->late) HELD(VIO_DEV_SPLIT_014);
      break;
    case OWED_DOORBELL_FLAGS:
      owed(checker, fact, VIO_DRV_SPLIT_020, split && ring->avail_event != 0);
      owed(checker, fact, VIO_DRV_SPLIT_022, split);
      break;
    case OWED_DOORBELL_EVENT:
      owed(checker, fact, VIO_DRV_SPLIT_023, split && ring->used_flags & VIO_USED_F_NO_NOTIFY);
      owed(checker, fact, VIO_DRV_SPLIT_024, split);
      break;
    default:
      break;
  }
}

static void doorbell(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  if (queue == NULL || queue->ring == NULL || vio_check_queue_packed(queue) || !queue->ring->stores_seen)
    return;
  JUDGE(has_event_idx(queue) ? VIO_DRV_SPLIT_025 : VIO_DRV_SPLIT_021, !queue->ring->needless_kick,
        "a doorbell of queue %u that nothing called for", queue->index);
}

void vio_rules_owed(vio_checker *checker, const vio_fact *fact) {
  if (fact->kind == FACT_AVAIL_FLAGS) avail_flags(checker, fact);
  if (fact->kind == FACT_USED_FLAGS) used_flags(checker, fact);
  if (fact->kind == FACT_DUE) due(checker, fact);
  if (fact->kind == FACT_DOORBELL) doorbell(checker, fact);
  if (fact->kind == FACT_SPURIOUS && !vio_check_queue_packed(fact->queue))
    BREACHED(has_event_idx(fact->queue) ? VIO_DEV_SPLIT_014 : VIO_DEV_SPLIT_010,
             "an interrupt for queue %u that nothing called for", fact->queue->index);
}
