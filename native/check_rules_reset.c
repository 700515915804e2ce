/* Device reset (virtio 1.4, 2.4). */
#include "check_facts.h"

static bool is_quiet(const vio_checker *checker) {
  return checker->session.phase == PHASE_RESET && checker->session.reset_kind == RESET_STATUS;
}

static bool is_waiting(const vio_checker *checker) {
  return checker->session.phase == PHASE_RESETTING && checker->session.reset_kind == RESET_STATUS;
}

static void judge_late(vio_checker *checker) {
  const vio_check_session *session = &checker->session;
  if (is_waiting(checker) && session->reset_polled && checker->now - session->reset_t > checker->settle)
    BREACHED(VIO_DEV_RESET_001, "device_status never read 0 after a reset");
}

static void status_write(vio_checker *checker) {
  judge_late(checker);
  if (is_quiet(checker)) {
    const bool stuck = checker->level && checker->config.msix_enabled != 1;
    JUDGE(VIO_DEV_RESET_002, !stuck, "INTx is still asserted after the reset");
  }
  if (is_waiting(checker)) BREACHED(VIO_DRV_RESET_001, "the driver goes on before device_status read 0");
}

static void reset_done(vio_checker *checker, const vio_fact *fact) {
  if (!fact->by_read) return;
  HELD(VIO_DEV_RESET_001);
  HELD(VIO_DEV_PCI_018);
  if (fact->reset == RESET_STATUS) HELD(VIO_DRV_RESET_001);
}

/* The number of the session's feature set, 0 while it is not known. */
static uint64_t set_number(vio_checker *checker) {
  vio_check_set set;
  if (!vio_check_session_features(&checker->session, &set)) return 0;
  for (size_t i = 0; i < checker->rules.reset.set_count; i++)
    if (vio_check_set_same(&checker->rules.reset.sets[i], &set)) return i + 1;
  checker->rules.reset.sets =
      vio_heap_more(&checker->heap, checker->rules.reset.sets, checker->rules.reset.set_count,
                    &checker->rules.reset.set_room, sizeof *checker->rules.reset.sets);
  checker->rules.reset.sets[checker->rules.reset.set_count++] = set;
  return checker->rules.reset.set_count;
}

static void forget_sizes(vio_checker *checker) {
  vio_map_clear(&checker->heap, &checker->rules.reset.maximum);
  checker->rules.reset.set_count = 0;
}

/* queue_size before the driver wrote it, against the first reading with the same features. */
static void size_read(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  if (queue == NULL || checker->session.reset_kind == RESET_NONE || queue->was_reset) return;
  if (queue->written >> R_SIZE & 1u || queue->enabled != 0) return;
  vio_map *maximum = &checker->rules.reset.maximum;
  if (maximum->count >= VIO_SIZES_LIMIT) return;
  const uint64_t key = (uint64_t)queue->index | set_number(checker) << 16;
  int64_t *first = vio_map_get(maximum, key);
  if (first == NULL) {
    first = vio_heap_take(&checker->heap, sizeof *first);
    *first = (int64_t)fact->value;
    vio_map_put(&checker->heap, maximum, key, first);
  }
  if (*first != (int64_t)fact->value)
    BREACHED(VIO_DEV_PCI_018, "queue_size of queue %u reads %llu after a reset, it was %lld",
             queue->index, (unsigned long long)fact->value, (long long)*first);
}

void vio_rules_reset(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_RESET_DONE:
      reset_done(checker, fact);
      break;
    case FACT_STATUS_READ:
      if (checker->session.phase == PHASE_RESET && checker->session.reset_kind != RESET_NONE &&
          fact->value)
        BREACHED(VIO_DEV_RESET_001, "device_status reads 0x%02x after a reset, and nothing was written",
                 (unsigned)fact->value);
      break;
    case FACT_SESSION_OVER:
      judge_late(checker);
      break;
    case FACT_STATUS_WRITE:
      status_write(checker);
      break;
    case FACT_BREACH:
      if (fact->breach == BREACH_AFTER_RESET)
        BREACHED_AT(VIO_DEV_RESET_002, fact->t, fact->line,
                    "%s of %llu bytes at 0x%llx after device_status read 0",
                    fact->write ? "write" : "read", (unsigned long long)fact->length,
                    (unsigned long long)fact->addr);
      break;
    case FACT_MESSAGE:
      if (is_quiet(checker))
        BREACHED(VIO_DEV_RESET_002, "an interrupt message left after device_status read 0");
      break;
    case FACT_LINE:
      if (is_quiet(checker) && fact->value)
        BREACHED(VIO_DEV_RESET_002, "INTx was asserted after device_status read 0");
      break;
    case FACT_RESET_STARTED:
      if (fact->reset == RESET_POWER || fact->reset == RESET_HOT) forget_sizes(checker);
      break;
    case FACT_FIELD_READ:
      if (fact->name == F_QUEUE_SIZE) size_read(checker, fact);
      break;
    default:
      break;
  }
}
