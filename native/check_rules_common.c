/* The common configuration structure (virtio 1.4, 4.1.4.3). */
#include "check_facts.h"

static bool power_of_two(uint64_t value) { return value > 0 && (value & (value - 1)) == 0; }

#define U(value) ((unsigned long long)(value))

/* Whether the queue is in the range of administration queues as far as features and range are known. */
static bool may_be_admin(const vio_checker *checker, const vio_check_queue *queue) {
  const vio_check_session *session = &checker->session;
  const uint32_t word = session->offered.known >> 1 & 1u ? session->offered.word[1] : 1u << 9;
  const int64_t first = checker->values[F_ADMIN_INDEX], number = checker->values[F_ADMIN_NUM];
  if (!(word >> (VIO_FEATURE_ADMIN_VQ - 32) & 1u)) return false;
  if (!vio_check_session_has(session, VIO_FEATURE_ADMIN_VQ) || first == NONE || number == NONE)
    return !vio_check_session_lacks(session, VIO_FEATURE_ADMIN_VQ);
  return first <= queue->index && queue->index < first + number;
}

static void size_read(vio_checker *checker, const vio_fact *fact) {
  const int64_t count = checker->values[F_NUM_QUEUES];
  const vio_check_queue *queue = fact->queue;
  if (count != NONE && queue->index >= count && !may_be_admin(checker, queue))
    JUDGE(VIO_DEV_PCI_025, fact->value == 0, "queue %u of %lld has queue_size %llu", queue->index,
          (long long)count, U(fact->value));
  if (vio_check_session_lacks(&checker->session, VIO_FEATURE_RING_PACKED) &&
      !(queue->written >> R_SIZE & 1u))
    JUDGE(VIO_DEV_PCI_026, fact->value == 0 || power_of_two(fact->value), "queue %u has queue_size %llu",
          queue->index, U(fact->value));
}

static void field_read(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const bool admin = vio_check_session_has(&checker->session, VIO_FEATURE_ADMIN_VQ);
  const int64_t count = checker->values[F_NUM_QUEUES], first = checker->values[F_ADMIN_INDEX];
  if (fact->name == F_QUEUE_ENABLE && checker->session.reset_kind != RESET_NONE && queue->enabled == 0 &&
      !queue->was_reset)
    JUDGE(VIO_DEV_PCI_019, fact->value == 0, "queue_enable of queue %u reads %llu after a reset",
          queue->index, U(fact->value));
  if (fact->name == F_QUEUE_SIZE) size_read(checker, fact);
  if (fact->name == F_ADMIN_INDEX && count != NONE && admin)
    JUDGE(VIO_DEV_PCI_027, (int64_t)fact->value >= count, "admin_queue_index is %llu, num_queues %lld",
          U(fact->value), (long long)count);
  if (fact->name == F_ADMIN_NUM && first != NONE && admin)
    JUDGE(VIO_DEV_PCI_028, first + (int64_t)fact->value <= 0x10000, "%llu admin queues from %lld on",
          U(fact->value), (long long)first);
  if (fact->name == F_QUEUE_RESET && queue->resetting && fact->value == 0) HELD(VIO_DRV_PCI_021);
}

static bool is_waiting(const vio_checker *checker) {
  return checker->session.phase == PHASE_RESETTING && checker->session.reset_kind == RESET_STATUS;
}

static void queue_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const char *name = vio_check_field_name(fact->name);
  const bool configured = fact->name == F_QUEUE_SIZE || fact->name == F_DESC || fact->name == F_DRIVER ||
                          fact->name == F_DEVICE;
  if (fact->name == F_QUEUE_SIZE && vio_check_session_has(&checker->session, VIO_FEATURE_RING_PACKED))
    JUDGE(VIO_DRV_PCI_016, fact->value != 0, "queue_size is written as 0");
  if (fact->name == F_QUEUE_SIZE && vio_check_session_lacks(&checker->session, VIO_FEATURE_RING_PACKED))
    JUDGE(VIO_DRV_PCI_017, power_of_two(fact->value), "queue_size is written as %llu", U(fact->value));
  if (configured && queue->enabled == 1 && !queue->resetting)
    BREACHED(VIO_DRV_PCI_018, "%s of queue %u is written although the queue is enabled", name,
             queue->index);
}

static void field_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const char *name = vio_check_field_name(fact->name);
  const bool read_only = fact->name == F_DEVICE_FEATURE || fact->name == F_NUM_QUEUES ||
                         fact->name == F_GENERATION || fact->name == F_NOTIFY_OFF ||
                         fact->name == F_CONFIG_DATA;
  if (read_only) BREACHED(VIO_DRV_PCI_015, "%s is written", name);
  if (queue != NULL) queue_write(checker, fact);
  if (is_waiting(checker)) BREACHED(VIO_DRV_PCI_019, "%s is written before device_status read 0", name);
  if (fact->name == F_QUEUE_ENABLE)
    JUDGE(VIO_DRV_PCI_020, fact->value != 0, "0 is written to queue_enable of queue %u", queue->index);
  if (queue != NULL && queue->resetting && fact->name != F_QUEUE_RESET)
    BREACHED(VIO_DRV_PCI_021, "%s of queue %u is written before queue_reset read 0", name, queue->index);
}

static void queue_enabled(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const uint32_t areas = 1u << R_DESC | 1u << R_DRIVER | 1u << R_DEVICE;
  if (!fact->again && checker->session.known)
    JUDGE(VIO_DRV_PCI_018, (queue->written & areas) == areas,
          "queue %u is enabled, but not all of its ring addresses were written", queue->index);
  const int64_t count = checker->values[F_NUM_QUEUES], first = checker->values[F_ADMIN_INDEX],
                number = checker->values[F_ADMIN_NUM];
  if (count == NONE || queue->index < count ||
      !vio_check_session_has(&checker->session, VIO_FEATURE_ADMIN_VQ))
    return;
  if (first != NONE && number != NONE)
    JUDGE(VIO_DRV_PCI_024, first <= queue->index && queue->index < first + number,
          "queue %u is enabled, administration queues are %lld from %lld on", queue->index,
          (long long)number, (long long)first);
}

static void status_write(vio_checker *checker, const vio_fact *fact) {
  if (fact->value & VIO_STATUS_DRIVER_OK && !checker->session.driver_ok) HELD(VIO_DRV_PCI_015);
  if (is_waiting(checker))
    BREACHED(VIO_DRV_PCI_019, "status 0x%02x is written before device_status read 0",
             (unsigned)fact->value);
}

void vio_rules_common(vio_checker *checker, const vio_fact *fact) {
  if (fact->kind == FACT_FIELD_READ) field_read(checker, fact);
  if (fact->kind == FACT_FIELD_WRITE) field_write(checker, fact);
  if (fact->kind == FACT_STATUS_WRITE) status_write(checker, fact);
  if (fact->kind == FACT_QUEUE_ENABLED) queue_enabled(checker, fact);
  if (fact->kind == FACT_RESET_DONE && fact->by_read && fact->reset == RESET_STATUS)
    HELD(VIO_DRV_PCI_019);
  if (fact->kind == FACT_DRIVER_STORE && fact->problem == STORE_QUEUE_RESET)
    BREACHED(VIO_DRV_PCI_021, "the ring of queue %u is written before queue_reset read 0",
             fact->queue->index);
}
