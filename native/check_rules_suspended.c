/* Device suspend: the device's part (virtio 1.4, 3.4.2). */
#include "check_facts.h"

#include <string.h>

#define U(value) ((unsigned long long)(value))

static bool is_suspended(const vio_checker *checker) { return checker->session.phase == PHASE_SUSPENDED; }

static void resumed_quietly(vio_checker *checker) {
  HELD(VIO_DEV_SUSP_003);
  HELD(VIO_DEV_SUSP_004);
  HELD(VIO_DEV_SUSP_006);
}

static void status_write(vio_checker *checker, const vio_fact *fact) {
  const vio_check_session *session = &checker->session;
  const bool suspend = (fact->value & VIO_STATUS_SUSPEND) != 0,
             driver_ok = (fact->value & VIO_STATUS_DRIVER_OK) != 0;
  checker->rules.suspend.early = suspend && !session->driver_ok && session->known;
  if (is_suspended(checker) && driver_ok) resumed_quietly(checker);
  const bool fresh = fact->before != NONE && suspend && !((unsigned)fact->before & VIO_STATUS_SUSPEND);
  if (fresh && session->driver_ok && vio_check_session_has(session, VIO_FEATURE_SUSPEND)) {
    checker->rules.suspend.since = checker->now;
    checker->rules.suspend.polled = false;
  }
  if (!is_suspended(checker) || !driver_ok) return;
  checker->rules.suspend.resume_since = checker->now;
  checker->rules.suspend.resume_polled = false;
}

/* A change of state that is waited for comes about, in one way or another. */
static void comes_about(vio_checker *checker, enum vio_clause clause, int64_t *since) {
  *since = NONE;
  HELD(clause);
}

static void status_read(vio_checker *checker, const vio_fact *fact) {
  const bool trouble = (fact->value & VIO_STATUS_DEVICE_NEEDS_RESET) != 0;
  if (checker->rules.suspend.early)
    JUDGE(VIO_DEV_SUSP_001, !(fact->value & VIO_STATUS_SUSPEND),
          "SUSPEND is shown by a device that is not initialized");
  checker->rules.suspend.polled = checker->rules.suspend.resume_polled = true;
  if (trouble && checker->rules.suspend.since != NONE)
    comes_about(checker, VIO_DEV_SUSP_008, &checker->rules.suspend.since);
  if (trouble && checker->rules.suspend.resume_since != NONE)
    comes_about(checker, VIO_DEV_SUSP_009, &checker->rules.suspend.resume_since);
}

static void message(vio_checker *checker, const vio_fact *fact) {
  const vio_check_vectors *vectors = fact->vectors;
  const int32_t config = vio_check_interrupts_config_vector(checker);
  bool queue = false;
  if (!is_suspended(checker) || !vectors->known) return;
  for (size_t i = 0; i < checker->queue_count; i++)
    queue = queue || vio_check_vectors_have(vectors, checker->queues[i]->vector);
  if (queue) BREACHED(VIO_DEV_SUSP_003, "a used buffer notification from a suspended device");
  else if (vio_check_vectors_have(vectors, config))
    BREACHED(VIO_DEV_SUSP_006, "a configuration change notification from a suspended device");
}

/* ---- configuration ---- */

static void clear_bytes(int16_t *bytes, bool *used) {
  if (*used) memset(bytes, 0xff, VIO_DEVICE_CONFIG * sizeof *bytes);
  *used = false;
}

static void config_stays(vio_checker *checker, const vio_fact *fact) {
  int16_t *bytes = checker->rules.suspend.bytes;
  if (!is_suspended(checker)) return;
  checker->rules.suspend.bytes_used = true;
  for (uint64_t i = 0; i < fact->length; i++) {
    int16_t *byte = &bytes[fact->offset + i];
    if (*byte == NONE) *byte = fact->data[i];
    if (*byte == fact->data[i]) continue;
    BREACHED(VIO_DEV_SUSP_005, "device configuration at 0x%llx changed while suspended",
             U(fact->offset + i));
    return;
  }
  HELD(VIO_DEV_SUSP_005);
}

static void generation_stays(vio_checker *checker, const vio_fact *fact) {
  int64_t *generation = &checker->rules.suspend.generation;
  if (!is_suspended(checker) || fact->name != F_GENERATION) return;
  if (*generation != NONE && *generation != (int64_t)fact->value)
    BREACHED(VIO_DEV_SUSP_005, "config_generation changed while suspended");
  *generation = (int64_t)fact->value;
}

static void config_write(vio_checker *checker, const vio_fact *fact) {
  if (!is_suspended(checker)) return;
  checker->rules.suspend.written_used = true;
  for (uint64_t i = 0;
       i < fact->length && fact->offset < VIO_DEVICE_CONFIG && fact->offset + i < VIO_DEVICE_CONFIG; i++)
    checker->rules.suspend.written[fact->offset + i] = fact->data[i];
}

static void writes_ignored(vio_checker *checker, const vio_fact *fact) {
  for (uint64_t i = 0; i < fact->length && checker->rules.suspend.written_used; i++) {
    const uint64_t at = fact->offset + i;
    const int16_t written = checker->rules.suspend.written[at],
                  before = checker->rules.suspend.before[at];
    checker->rules.suspend.written[at] = NONE;
    if (written != NONE && before != NONE && written != before)
      JUDGE(VIO_DEV_SUSP_002, fact->data[i] != written,
            "the byte at 0x%llx was written while suspended, and changed", U(at));
  }
}

/* ---- going into suspension and out of it ---- */

/* Buffers that the device works on when it shows itself suspended. */
static void judge_started(vio_checker *checker) {
  if (!checker->seen_memory) return;
  for (size_t i = 0; i < checker->queue_count; i++) {
    const vio_check_ring *ring = checker->queues[i]->ring;
    for (const vio_check_chain *chain = ring == NULL ? NULL : ring->oldest; chain != NULL;
         chain = chain->after)
      if (vio_check_coverage_prefix(&chain->written) > 0 ||
          vio_check_coverage_prefix(&chain->fetched) > 0) {
        BREACHED(VIO_DEV_SUSP_011, "queue %u: the buffer %u was worked on and is not used",
                 checker->queues[i]->index, chain->id);
        return;
      }
  }
  HELD(VIO_DEV_SUSP_011);
}

static void entered(vio_checker *checker) {
  int64_t owing = NONE;
  memcpy(checker->rules.suspend.before, checker->device, sizeof checker->device);
  clear_bytes(checker->rules.suspend.written, &checker->rules.suspend.written_used);
  judge_started(checker);
  for (const vio_check_debt *debt = checker->debts.after; debt != &checker->debts; debt = debt->after)
    if (debt->queue != NULL) owing = debt->queue->index;
  JUDGE(VIO_DEV_SUSP_012, owing == NONE, "queue %lld used buffers that were not announced",
        (long long)owing);
}

static void suspension(vio_checker *checker, const vio_fact *fact) {
  clear_bytes(checker->rules.suspend.bytes, &checker->rules.suspend.bytes_used);
  checker->rules.suspend.generation = NONE;
  checker->rules.suspend.resumed = fact->entered ? NONE : checker->now;
  if (fact->entered) {
    comes_about(checker, VIO_DEV_SUSP_008, &checker->rules.suspend.since);
    entered(checker);
    return;
  }
  comes_about(checker, VIO_DEV_SUSP_009, &checker->rules.suspend.resume_since);
  if (checker->seen_memory) HELD(VIO_DEV_SUSP_010);
}

static void session_over(vio_checker *checker) {
  int64_t *since = &checker->rules.suspend.since, *resume = &checker->rules.suspend.resume_since;
  if (*since != NONE && checker->rules.suspend.polled && checker->now - *since > checker->settle)
    BREACHED(VIO_DEV_SUSP_008, "the device neither suspended itself nor set DEVICE_NEEDS_RESET");
  if (*resume != NONE && checker->rules.suspend.resume_polled && checker->now - *resume > checker->settle)
    BREACHED(VIO_DEV_SUSP_009, "the device neither runs again nor set DEVICE_NEEDS_RESET");
  *since = *resume = checker->rules.suspend.resumed = NONE;
}

/* Running again is to look at the rings again: other devices than these may wait for events of their own. */
static void unserved(vio_checker *checker, const vio_fact *fact) {
  const int64_t resumed = checker->rules.suspend.resumed;
  const int type = vio_check_device_type(checker);
  const bool answering = type == (int)VIO_DEVICE_TYPE_BLK || type == (int)VIO_DEVICE_TYPE_ENTROPY;
  if (resumed == NONE || !answering || vio_check_queue_is_admin(checker, fact->queue)) return;
  if (fact->queue->ring->touched_t < resumed && fact->chain->since < resumed)
    BREACHED(VIO_DEV_SUSP_009, "queue %u was not looked at again, where buffer %u still waits",
             fact->queue->index, fact->chain->id);
}

static void breach(vio_checker *checker, const vio_fact *fact) {
  const char *what = fact->write ? "write" : "read";
  if (fact->breach != BREACH_SUSPENDED) return;
  BREACHED_AT(VIO_DEV_SUSP_004, fact->t, fact->line, "%s of %llu bytes at 0x%llx by a suspended device",
              what, U(fact->length), U(fact->addr));
  BREACHED_AT(VIO_DEV_SUSP_010, fact->t, fact->line, "%s of %llu bytes at 0x%llx by a suspended device",
              what, U(fact->length), U(fact->addr));
}

void vio_rules_suspend_device(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_STATUS_WRITE:
      status_write(checker, fact);
      break;
    case FACT_STATUS_READ:
      status_read(checker, fact);
      break;
    case FACT_MESSAGE:
      message(checker, fact);
      break;
    case FACT_LINE:
      if (is_suspended(checker) && fact->value)
        BREACHED(VIO_DEV_SUSP_003, "INTx from a suspended device");
      break;
    case FACT_BREACH:
      breach(checker, fact);
      break;
    case FACT_SUSPENSION:
      suspension(checker, fact);
      break;
    case FACT_CONFIG_READ:
      config_stays(checker, fact);
      writes_ignored(checker, fact);
      break;
    case FACT_CONFIG_WRITE:
      config_write(checker, fact);
      break;
    case FACT_FIELD_READ:
      generation_stays(checker, fact);
      break;
    case FACT_UNSERVED:
      unserved(checker, fact);
      break;
    case FACT_SESSION_OVER:
      session_over(checker);
      break;
    default:
      break;
  }
}
