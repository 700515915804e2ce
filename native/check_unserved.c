/* Buffers that a device leaves lying although nothing keeps it from them. */
#include "check_facts.h"

/* Settling times that a buffer may lie, while the device does nothing for other buffers of its queue, before
 * that is worth a fact when the session ends: a buffer is work, which takes longer than a notification does. */
enum { PATIENCE = 10 };

/* Whether the device is free to serve the ring: nobody else is to move, and nothing went wrong. */
static bool is_idle(const vio_checker *checker, const vio_check_ring *ring) {
  const vio_check_session *session = &checker->session;
  const bool hindered = session->suspend_written || session->failed || !vio_check_mastering(checker);
  /* A device that reported a configuration change may have set DEVICE_NEEDS_RESET, which nobody read yet. */
  const bool broken = session->needs_reset || session->troubled || checker->config_noticed;
  const bool driver_owes = ring->kick_since != NONE || ring->queue->resetting;
  const bool observed = checker->header.simulated || checker->seen_memory;
  return session->phase == PHASE_LIVE && observed && !hindered && !broken && !driver_owes && !ring->lost;
}

void vio_check_ring_unserved(vio_checker *checker, vio_check_ring *ring) {
  if (!is_idle(checker, ring)) return;
  int64_t free_since = checker->session.live_t;
  if (checker->command_t > free_since) free_since = checker->command_t;
  if (ring->worked_t > free_since) free_since = ring->worked_t;
  for (vio_check_chain *chain = ring->oldest; chain != NULL; chain = chain->after) {
    const int64_t since = chain->since > free_since ? chain->since : free_since;
    if (!chain->complete || (checker->now - since) / PATIENCE <= checker->settle) continue;
    vio_check_publish(
        checker,
        &(vio_fact){.kind = FACT_UNSERVED, .queue = ring->queue, .chain = chain, .issued = since});
    return;
  }
}
