/* Device status field (virtio 1.4, 2.1). */
#include "check_facts.h"

static const unsigned ORDER[4] = {VIO_STATUS_ACKNOWLEDGE, VIO_STATUS_DRIVER, VIO_STATUS_FEATURES_OK,
                                  VIO_STATUS_DRIVER_OK};
#define STEPS (VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER | VIO_STATUS_FEATURES_OK | VIO_STATUS_DRIVER_OK)

static void status_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const unsigned value = (unsigned)fact->value,
                 before = fact->before == NONE ? 0 : (unsigned)fact->before;
  if (!(value & (VIO_STATUS_FAILED | VIO_STATUS_SUSPEND)) && !session->suspend_written) {
    bool gap = false, skips = false;
    for (int i = 0; i < 4; i++) {
      if (!(value & ORDER[i])) gap = true;
      else if (gap) skips = true;
    }
    JUDGE(VIO_DRV_STATUS_001, !skips, "status 0x%02x skips a step", value);
  }
  if (fact->before != NONE) {
    unsigned missing = before & ~value;
    if (before & VIO_STATUS_SUSPEND && value & VIO_STATUS_DRIVER_OK) missing &= ~VIO_STATUS_SUSPEND;
    JUDGE(VIO_DRV_STATUS_002, missing == 0, "status 0x%02x clears 0x%02x of 0x%02x", value, missing,
          before);
  }
  if (session->failed && (fact->restarted || (value & ~before & STEPS) != 0))
    BREACHED(VIO_DRV_STATUS_003, "status 0x%02x goes on after FAILED without a reset", value);
}

static void message(vio_checker *checker, const vio_fact *fact) {
  const int32_t config = vio_check_interrupts_config_vector(checker);
  const vio_check_session *session = &checker->session;
  if (!session->known || session->draining || session->phase != PHASE_INIT || !fact->vectors->known)
    return;
  if (config == NONE || vio_check_vectors_have(fact->vectors, config)) return;
  for (size_t i = 0; i < checker->queue_count; i++)
    if (vio_check_vectors_have(fact->vectors, checker->queues[i]->vector)) {
      BREACHED(VIO_DEV_STATUS_001, "a message for queue %u before DRIVER_OK", checker->queues[i]->index);
      return;
    }
}

static void session_over(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  if (session->failed && !fact->final) HELD(VIO_DRV_STATUS_003);
  if (session->known && session->driver_ok && checker->seen_memory) HELD(VIO_DEV_STATUS_001);
}

static void status_read(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  if (!(fact->value & VIO_STATUS_DEVICE_NEEDS_RESET) || session->needs_reset || !session->driver_ok)
    return;
  if (checker->config_noticed) HELD(VIO_DEV_STATUS_003);
  else vio_check_interrupts_owe(checker, OWED_NEEDS_RESET, NULL);
}

void vio_rules_status(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_STATUS_WRITE:
      status_write(checker, fact);
      break;
    case FACT_BREACH:
      if (fact->breach == BREACH_BEFORE_DRIVER_OK)
        BREACHED_AT(VIO_DEV_STATUS_001, fact->t, fact->line,
                    "%s of %llu bytes at 0x%llx before DRIVER_OK", fact->write ? "write" : "read",
                    (unsigned long long)fact->length, (unsigned long long)fact->addr);
      break;
    case FACT_MESSAGE:
      message(checker, fact);
      break;
    case FACT_ISR_READ:
      if (checker->session.reset_kind != RESET_NONE && checker->session.phase == PHASE_INIT &&
          fact->value & VIO_ISR_BIT_QUEUE)
        BREACHED(VIO_DEV_STATUS_001, "ISR shows a queue interrupt before DRIVER_OK");
      break;
    case FACT_SESSION_OVER:
      session_over(checker, fact);
      break;
    case FACT_STATUS_READ:
      status_read(checker, fact);
      break;
    case FACT_DUE:
      if (fact->what == OWED_NEEDS_RESET)
        JUDGE(VIO_DEV_STATUS_003, !fact->late, "DEVICE_NEEDS_RESET was never announced");
      break;
    default:
      break;
  }
}
