/* Available and used buffer notifications over PCI (virtio 1.4, 4.1.5.2 to 4.1.5.4). */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))

static void judge_value(vio_checker *checker, const vio_fact *fact, bool data, bool named) {
  static const enum vio_clause CLAUSES[2][2] = {{VIO_DRV_NOTIF_003, VIO_DRV_NOTIF_004},
                                                {VIO_DRV_NOTIF_005, VIO_DRV_NOTIF_006}};
  const enum vio_clause clause = CLAUSES[named][data];
  const int64_t value = (int64_t)(fact->value & 0xffff);
  if (fact->queue == NULL) {
    if (checker->queue_count > 0 && checker->session.driver_ok && checker->session.known)
      BREACHED(clause, "doorbell value 0x%llx at offset 0x%llx names no queue", U(value),
               U(fact->offset));
    return;
  }
  const int64_t wanted = named ? fact->queue->regs[R_CONFIG_DATA] : (int64_t)fact->queue->index;
  if (wanted != NONE)
    JUDGE(clause, value == wanted, "the doorbell of queue %u carries 0x%llx, not 0x%llx",
          fact->queue->index, U(value), U(wanted));
}

static void doorbell(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  if (!vio_check_session_knows(session)) return;
  const bool data = vio_check_session_has(session, VIO_FEATURE_NOTIFICATION_DATA),
             named = vio_check_session_has(session, VIO_FEATURE_NOTIF_CONFIG_DATA);
  JUDGE(data ? VIO_DRV_NOTIF_002 : VIO_DRV_NOTIF_001, fact->length == (data ? 4 : 2),
        "a doorbell of %llu bytes at offset 0x%llx", U(fact->length), U(fact->offset));
  judge_value(checker, fact, data, named);
}

/* With MSI-X and NO_VECTOR for configuration a change causes no interrupt. */
static bool is_silent(const vio_checker *checker) {
  return checker->config.msix_enabled == 1 && checker->session.phase == PHASE_LIVE &&
         vio_check_interrupts_config_vector(checker) == (int32_t)VIO_NO_VECTOR;
}

static bool explained(vio_checker *checker) {
  if (!checker->rules.notify.used && is_silent(checker)) return false;
  checker->rules.notify.used = false;
  return true;
}

static void message(vio_checker *checker, const vio_fact *fact) {
  const bool known = fact->vectors->known;
  const bool mapped = !known || vio_check_interrupts_mapped(checker, fact->vectors, fact->issued);
  if (checker->rules.notify.used_queue != NONE && known) {
    if (!mapped)
      BREACHED(VIO_DEV_NOTIF_001, "a message after queue %lld used a buffer, whose vector is NO_VECTOR",
               (long long)checker->rules.notify.used_queue);
    checker->rules.notify.used_queue = NONE;
  }
  if (!explained(checker) && !mapped)
    BREACHED(VIO_DEV_NOTIF_002,
             "a message on no mapped vector, and configuration changes are mapped to NO_VECTOR");
}

static void line(vio_checker *checker, const vio_fact *fact) {
  if (checker->rules.notify.used_queue != NONE && fact->value && checker->config.msix_enabled == 1)
    BREACHED(VIO_DEV_NOTIF_001, "INTx after queue %lld used a buffer, whose vector is NO_VECTOR",
             (long long)checker->rules.notify.used_queue);
  if (!explained(checker) && fact->value)
    BREACHED(VIO_DEV_NOTIF_002, "INTx is asserted, and configuration changes are mapped to NO_VECTOR");
}

void vio_rules_notify(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_DOORBELL:
      doorbell(checker, fact);
      break;
    case FACT_RESET_DONE:
      checker->rules.notify.used_queue = NONE;
      break;
    case FACT_USED_ADVANCED:
      if (checker->config.msix_enabled == 1 && fact->queue->vector == (int32_t)VIO_NO_VECTOR) {
        checker->rules.notify.used_queue = fact->queue->index;
        HELD(VIO_DEV_NOTIF_001);
      }
      checker->rules.notify.used = true;
      break;
    case FACT_MESSAGE:
      message(checker, fact);
      break;
    case FACT_LINE:
      line(checker, fact);
      break;
    case FACT_STATUS_READ:
      if (is_silent(checker) && fact->value & VIO_STATUS_DEVICE_NEEDS_RESET &&
          !checker->session.needs_reset)
        HELD(VIO_DEV_NOTIF_002);
      break;
    case FACT_CONFIG_READ:
      if (is_silent(checker) && fact->changed) HELD(VIO_DEV_NOTIF_002);
      break;
    default:
      break;
  }
}
