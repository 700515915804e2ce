/* MSI-X vectors (virtio 1.4, 4.1.5.1.2). */
#include "check_facts.h"

#define LL(value) ((long long)(value))

static uint64_t key_of(const vio_fact *fact) {
  return fact->queue == NULL ? 0 : (uint64_t)fact->queue->index + 1;
}

static bool is_vector(const vio_fact *fact) {
  return fact->name == F_CONFIG_VECTOR || fact->name == F_QUEUE_VECTOR;
}

static void set_written(vio_checker *checker, uint64_t key, int64_t value) {
  int64_t *written = vio_map_get(&checker->rules.interrupts.written, key);
  if (written == NULL) {
    written = vio_heap_take(&checker->heap, sizeof *written);
    vio_map_put(&checker->heap, &checker->rules.interrupts.written, key, written);
  }
  *written = value;
}

/* Forget a mapping that was not read back; true if there was one. */
static bool drop_pending(vio_checker *checker, int32_t key) {
  vio_pending_vector *pending = checker->rules.interrupts.pending;
  size_t *count = &checker->rules.interrupts.pending_count;
  for (size_t i = 0; i < *count; i++) {
    if (pending[i].key != key) continue;
    --*count;
    for (; i < *count; i++) pending[i] = pending[i + 1];
    return true;
  }
  return false;
}

static void mapping(vio_checker *checker, const vio_fact *fact) {
  const int32_t entries = checker->config.entries;
  const bool real = fact->value != VIO_NO_VECTOR;
  set_written(checker, key_of(fact), (int64_t)fact->value);
  if (entries != NONE && real)
    JUDGE(VIO_DRV_PCI_034, (int64_t)fact->value < entries,
          "vector %lld is mapped, the table has %d entries", LL(fact->value), entries);
  const int32_t key = (int32_t)key_of(fact) - 1;
  drop_pending(checker, key);
  if (!real) return;
  const size_t count = checker->rules.interrupts.pending_count;
  checker->rules.interrupts.pending =
      vio_heap_more(&checker->heap, checker->rules.interrupts.pending, count,
                    &checker->rules.interrupts.pending_room, sizeof *checker->rules.interrupts.pending);
  checker->rules.interrupts.pending[count] = (vio_pending_vector){key, (int64_t)fact->value};
  checker->rules.interrupts.pending_count++;
}

/* What the driver wrote to this vector field since the reset, or NONE. */
static int64_t written_vector(vio_checker *checker, const vio_fact *fact) {
  const uint64_t key = key_of(fact);
  const vio_check_queue *queue = fact->queue;
  if (queue != NULL && queue->was_reset && !(queue->written >> R_VECTOR & 1u))
    vio_heap_give(&checker->heap, vio_map_take(&checker->rules.interrupts.written, key));
  const int64_t *written = vio_map_get(&checker->rules.interrupts.written, key);
  return written == NULL ? NONE : *written;
}

static void judge_written(vio_checker *checker, int64_t written, int64_t value, int key) {
  const int32_t entries = checker->config.entries;
  const bool real = written != VIO_NO_VECTOR;
  if (entries != NONE && real && value == written)
    JUDGE(VIO_DEV_PCI_059, value < entries, "vector %lld is mapped, the table has %d entries", LL(value),
          entries);
  if (!real)
    JUDGE(VIO_DEV_PCI_062, value == VIO_NO_VECTOR, "vector field %d reads %lld once unmapped", key,
          LL(value));
  JUDGE(VIO_DEV_PCI_063, value == written || value == VIO_NO_VECTOR,
        "vector field %d reads %lld, written was %lld", key, LL(value), LL(written));
  if (entries != NONE && written < entries)
    JUDGE(VIO_DEV_PCI_065, value != VIO_NO_VECTOR, "vector %lld was refused to vector field %d",
          LL(written), key);
  if (entries != NONE && entries <= written && real)
    JUDGE(VIO_DEV_PCI_066, value == VIO_NO_VECTOR,
          "vector %lld reads back as %lld, the table has %d entries", LL(written), LL(value), entries);
}

/* Vector fields are named by their queue, configuration as -1. */
static void field_read(vio_checker *checker, const vio_fact *fact) {
  const int key = (int)key_of(fact) - 1;
  const int64_t written = written_vector(checker, fact), value = (int64_t)fact->value;
  if (written != NONE) judge_written(checker, written, value, key);
  else if (checker->session.reset_kind != RESET_NONE && !(fact->queue != NULL && fact->queue->was_reset))
    JUDGE(VIO_DEV_PCI_064, value == VIO_NO_VECTOR, "vector field %d reads 0x%llx after a reset", key,
          (unsigned long long)value);
  if (drop_pending(checker, key)) HELD(VIO_DRV_PCI_035);
}

static void message(vio_checker *checker, const vio_fact *fact) {
  const int32_t config = vio_check_interrupts_config_vector(checker);
  const vio_check_vectors *vectors = fact->vectors;
  if (vectors->known && checker->session.phase == PHASE_LIVE && checker->session.known)
    JUDGE(VIO_DEV_PCI_061, vio_check_interrupts_mapped(checker, vectors, fact->issued),
          "a message on vector %d, to which nothing is mapped",
          vectors->count > 0 ? vectors->list[0] : -1);
  const bool only = vectors->known && config != NONE && !vio_check_vectors_have(vectors, config);
  checker->rules.interrupts.queue_only = only;
  if (only && checker->config.msix_enabled == 1) HELD(VIO_DRV_PCI_026);
}

static void status_write(vio_checker *checker, const vio_fact *fact) {
  if (!(fact->value & VIO_STATUS_DRIVER_OK) || checker->session.driver_ok) return;
  if (checker->rules.interrupts.pending_count == 0) return;
  const vio_pending_vector *first = &checker->rules.interrupts.pending[0];
  BREACHED(VIO_DRV_PCI_035, "vector %lld of vector field %d was never read back", LL(first->vector),
           first->key);
}

void vio_rules_vectors(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_RESET_DONE:
      vio_map_clear(&checker->heap, &checker->rules.interrupts.written);
      checker->rules.interrupts.pending_count = 0;
      break;
    case FACT_FIELD_WRITE:
      if (is_vector(fact)) mapping(checker, fact);
      break;
    case FACT_FIELD_READ:
      if (is_vector(fact)) field_read(checker, fact);
      break;
    case FACT_MESSAGE:
      message(checker, fact);
      break;
    case FACT_DUE:
      if (fact->what == OWED_PACKED && fact->late && checker->config.msix_enabled != 0)
        BREACHED(VIO_DEV_PCI_061, "used buffers of queue %u never came on vector %d", fact->queue->index,
                 fact->queue->vector);
      break;
    case FACT_STATUS_WRITE:
      status_write(checker, fact);
      break;
    case FACT_ISR_READ:
      if (checker->rules.interrupts.queue_only && checker->config.msix_enabled == 1)
        BREACHED(VIO_DRV_PCI_026, "ISR is read upon a queue interrupt although MSI-X is enabled");
      checker->rules.interrupts.queue_only = false;
      break;
    default:
      break;
  }
}
