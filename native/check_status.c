/* device_status as the driver writes and reads it: the course of the session. */
#include "check_facts.h"

#define HAS(value, bit) (((unsigned)(value) & (bit)) != 0)

/* Whether a write begins a bring-up although the device was not reset since the last one. */
static bool restarts(const vio_check_session *session, unsigned value) {
  const unsigned done = session->status == NONE ? 0 : (unsigned)session->status;
  const bool begins = (value & ~(VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER)) == 0;
  return begins && session->begun && (done & ~value & ~VIO_STATUS_DRIVER) != 0;
}

static void note_bring_up(vio_checker *checker, int value) {
  vio_check_session *session = &checker->session;
  const bool blank = session->status == NONE || session->status == 0;
  if (session->phase == PHASE_UNKNOWN && value == (int)VIO_STATUS_ACKNOWLEDGE && blank) {
    session->known = checker->began = true;
    vio_check_note(checker, NOTE_NO_RESET);
  }
  if (!session->begun) vio_check_boundary_settle_layout(checker);
}

/* Go over to the session that a write of device_status belongs to. */
static void change_session(vio_checker *checker, bool restarted) {
  vio_check_session *session = &checker->session;
  if (restarted && !session->dirty) {
    /* The device may still be at work: unlike in a trace that begins here, nothing is known of it. */
    vio_check_boundary_lose(checker);
  } else if (session->phase == PHASE_RESETTING) {
    vio_check_boundary_end_reset(checker, false);
    session->reset_kind = RESET_NONE;
    session->draining = true;
  }
}

void vio_check_status_write(vio_checker *checker, int value) {
  vio_check_session *session = &checker->session; /* a new session comes to the same place */
  if (value == 0) {
    vio_check_boundary_begin_reset(checker, RESET_STATUS);
    return;
  }
  const int before = session->status;
  const bool first_features_ok = HAS(value, VIO_STATUS_FEATURES_OK) && !session->features_ok_written;
  if (session->phase == PHASE_RESETTING && session->reset_kind != RESET_STATUS)
    vio_check_boundary_end_reset(checker, false);
  const bool restarted = session->dirty || restarts(session, (unsigned)value);
  note_bring_up(checker, value);
  vio_check_publish(
      checker,
      &(vio_fact){
          .kind = FACT_STATUS_WRITE, .value = (uint64_t)value, .before = before, .restarted = restarted});
  change_session(checker, restarted);
  session->dirty = false;
  const bool idle = session->phase != PHASE_LIVE;
  vio_check_session_status(session, value);
  if (idle && session->phase == PHASE_LIVE) session->live_t = checker->now;
  if (HAS(value, VIO_STATUS_SUSPEND) && before != NONE && !HAS(before, VIO_STATUS_SUSPEND))
    session->suspend_written = true;
  if (first_features_ok)
    vio_check_publish(checker, &(vio_fact){.kind = FACT_FEATURES_OK,
                                           .offered = vio_check_set_whole(&session->offered),
                                           .accepted = vio_check_set_whole(&session->accepted)});
}

static void suspend_read(vio_checker *checker, int value) {
  vio_check_session *session = &checker->session;
  const bool suspend = HAS(value, VIO_STATUS_SUSPEND), driver_ok = HAS(value, VIO_STATUS_DRIVER_OK);
  const bool running = session->phase == PHASE_LIVE || session->phase == PHASE_UNKNOWN;
  if (suspend && !driver_ok && session->suspend_written && running && !session->resume_written) {
    session->phase = PHASE_SUSPENDED;
    vio_check_publish(checker, &(vio_fact){.kind = FACT_SUSPENSION, .entered = true});
  }
  if (!suspend && driver_ok && session->resume_written) {
    session->suspend_written = session->resume_written = false;
    vio_check_publish(checker, &(vio_fact){.kind = FACT_SUSPENSION});
  }
}

static void running_read(vio_checker *checker, int value) {
  vio_check_session *session = &checker->session;
  if (value == 0 && (session->features_ok_written || session->driver_ok)) {
    vio_check_boundary_lose(checker);
    session->dirty = true;
    return;
  }
  if (session->status == value) session->draining = false;
  session->status = value;
  if (session->features_ok_written && session->features_ok == NONE) {
    session->features_ok = HAS(value, VIO_STATUS_FEATURES_OK);
    vio_check_publish(checker, &(vio_fact){.kind = FACT_NEGOTIATED, .kept = session->features_ok == 1});
  }
  if (HAS(value, VIO_STATUS_DEVICE_NEEDS_RESET)) session->needs_reset = true;
  if (session->phase == PHASE_UNKNOWN && HAS(value, VIO_STATUS_DRIVER_OK)) session->driver_ok = true;
  suspend_read(checker, value);
}

void vio_check_status_read(vio_checker *checker, int value) {
  vio_check_session *session = &checker->session;
  const bool resetting = session->phase == PHASE_RESETTING;
  if (value != 0) vio_check_note_start(checker);
  if (resetting) session->reset_polled = true;
  vio_check_publish(
      checker,
      &(vio_fact){.kind = FACT_STATUS_READ, .value = (uint64_t)value, .before = session->status});
  if (!resetting) running_read(checker, value);
  else if (value == 0) vio_check_boundary_end_reset(checker, true);
}
