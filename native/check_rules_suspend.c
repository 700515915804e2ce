/* Device suspend: the driver's part (virtio 1.4, 3.4.1). */
#include "check_facts.h"

/* SUSPEND was set and the resumption not yet asked for. */
static bool is_quiet(const vio_checker *checker) {
  return checker->session.suspend_written && !checker->session.resume_written;
}

/* The driver goes on: without having looked whether the device is suspended? */
static void judge_looked(vio_checker *checker, bool resumes, bool final) {
  const vio_check_session *session = &checker->session;
  const bool waiting = session->suspend_written && session->phase == PHASE_LIVE;
  if (waiting && resumes && !checker->rules.suspend.read && !session->resume_written && !final)
    BREACHED(VIO_DRV_SUSP_002, "the driver never looked whether the device is suspended");
  checker->rules.suspend.read = false;
}

static void status_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const bool driver_ok = (fact->value & VIO_STATUS_DRIVER_OK) != 0;
  if (fact->value & VIO_STATUS_SUSPEND && fact->before != NONE &&
      !((unsigned)fact->before & VIO_STATUS_SUSPEND))
    JUDGE(VIO_DRV_SUSP_001, session->driver_ok && !vio_check_session_lacks(session, VIO_FEATURE_SUSPEND),
          "SUSPEND is set without DRIVER_OK or without VIRTIO_F_SUSPEND");
  judge_looked(checker, driver_ok, false);
  if (session->phase != PHASE_SUSPENDED || !driver_ok) return;
  HELD(VIO_DRV_SUSP_003);
  HELD(VIO_DRV_SUSP_004);
  HELD(VIO_DRV_SUSP_005);
}

static void go_on_early(vio_checker *checker) {
  if (checker->session.resume_written)
    BREACHED(VIO_DRV_SUSP_006,
             "the driver goes on before device_status shows that the device runs again");
}

void vio_rules_suspend(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_STATUS_WRITE:
      status_write(checker, fact);
      break;
    case FACT_STATUS_READ:
      checker->rules.suspend.read = checker->session.suspend_written;
      break;
    case FACT_SUSPENSION:
      if (fact->entered) HELD(VIO_DRV_SUSP_002);
      else HELD(VIO_DRV_SUSP_006);
      break;
    case FACT_SESSION_OVER:
      judge_looked(checker, true, fact->final);
      break;
    case FACT_AVAIL_INDEX:
      if (!fact->by_device && is_quiet(checker))
        BREACHED(VIO_DRV_SUSP_003, "avail.idx of queue %u moves to %u after SUSPEND", fact->queue->index,
                 fact->to);
      break;
    case FACT_CHAIN_MADE:
      if (fact->chain->packed && checker->event_kind == VIO_MEM_WRITE && is_quiet(checker))
        BREACHED(VIO_DRV_SUSP_003, "a list of queue %u becomes available after SUSPEND",
                 fact->queue->index);
      break;
    case FACT_DOORBELL:
      if (is_quiet(checker))
        BREACHED(VIO_DRV_SUSP_004, "a doorbell at offset 0x%llx after SUSPEND",
                 (unsigned long long)fact->offset);
      go_on_early(checker);
      break;
    case FACT_CONFIG_WRITE:
      if (is_quiet(checker))
        BREACHED(VIO_DRV_SUSP_005, "device configuration at 0x%llx is written after SUSPEND",
                 (unsigned long long)fact->offset);
      go_on_early(checker);
      break;
    default:
      break;
  }
}
