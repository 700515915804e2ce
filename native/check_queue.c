/* A virtqueue's register bank as the driver sees it, and doorbells. */
#include "check_facts.h"

vio_check_queue *vio_check_queue_at(vio_checker *checker, uint32_t index) {
  vio_check_queue *queue = vio_map_get(&checker->queue_map, index);
  if (queue != NULL) return queue;
  const vio_check_session *session = &checker->session;
  const bool known = session->reset_kind != RESET_NONE && session->known;
  queue = vio_heap_take(&checker->heap, sizeof *queue);
  queue->serial = ++checker->serials;
  queue->index = index;
  for (int i = 0; i < VIO_REGS; i++) queue->regs[i] = NONE;
  queue->enabled = known ? 0 : NONE;
  queue->vector = known ? (int32_t)VIO_NO_VECTOR : NONE;
  queue->mapped = VIO_NO_VECTOR;
  queue->uncalled = NONE;
  queue->legacy_vector = NONE;
  vio_check_set features;
  queue->features_known = vio_check_session_features(session, &features);
  queue->features = features.word[0] | (uint64_t)features.word[1] << 32;
  vio_map_put(&checker->heap, &checker->queue_map, index, queue);
  checker->queues = vio_heap_more(&checker->heap, checker->queues, checker->queue_count,
                                  &checker->queue_room, sizeof *checker->queues);
  checker->queues[checker->queue_count++] = queue;
  return queue;
}

bool vio_check_queue_has(const vio_check_queue *queue, uint32_t feature) {
  return queue->features_known && (queue->features >> feature & 1u) != 0;
}

bool vio_check_queue_packed(const vio_check_queue *queue) {
  return vio_check_queue_has(queue, VIO_FEATURE_RING_PACKED);
}

bool vio_check_queue_is_admin(const vio_checker *checker, const vio_check_queue *queue) {
  const int64_t count = checker->values[F_NUM_QUEUES];
  const int64_t first = count != NONE ? count : checker->values[F_ADMIN_INDEX];
  return vio_check_session_has(&checker->session, VIO_FEATURE_ADMIN_VQ) &&
         (first == NONE || queue->index >= first);
}

int64_t vio_check_queue_area(const vio_check_queue *queue, enum vio_check_reg low, uint64_t *addr) {
  if (queue->regs[low] == NONE) return NONE;
  const int64_t high = queue->regs[low + 1];
  *addr = (uint64_t)queue->regs[low] | (high == NONE ? 0 : (uint64_t)high << 32);
  return 0;
}

void vio_check_queue_restart(vio_check_queue *queue) {
  for (int i = 0; i < VIO_REGS; i++)
    if (i != R_NOTIFY_OFF && i != R_CONFIG_DATA) queue->regs[i] = NONE;
  queue->written = 0;
  queue->enabled = 0;
  queue->resetting = false;
  queue->was_reset = true;
  queue->vector = VIO_NO_VECTOR;
}

static void drop_ring(vio_checker *checker, vio_check_queue *queue) {
  vio_check_ring *ring = queue->ring;
  if (ring == NULL) return;
  vio_check_ring_close(checker, ring);
  queue->ring = NULL;
}

void vio_check_queue_unbury(vio_checker *checker, vio_check_queue *queue) {
  for (size_t i = 0; i < queue->dead_count; i++) vio_check_segment_remove(checker, queue->dead[i]);
  vio_heap_give(&checker->heap, queue->dead);
  queue->dead = NULL;
  queue->dead_count = 0;
}

static void bury_segment(vio_checker *checker, vio_check_queue *queue, size_t *room,
                         const vio_check_segment *old) {
  const vio_check_segment dead = {
      .addr = old->addr, .length = old->length, .queue = queue->index, .kind = SEG_DEAD};
  queue->dead = vio_heap_more(&checker->heap, queue->dead, queue->dead_count, room, sizeof *queue->dead);
  queue->dead[queue->dead_count++] = vio_check_segment_add(checker, &dead);
}

/* Remember where the ring of a queue that was reset lay, and its buffers. */
static void bury(vio_checker *checker, vio_check_queue *queue) {
  const vio_check_ring *ring = queue->ring;
  size_t room = 0;
  if (ring == NULL) return;
  vio_check_queue_unbury(checker, queue);
  for (int i = 0; i < 3; i++) bury_segment(checker, queue, &room, ring->areas[i]);
  for (const vio_check_chain *chain = ring->oldest; chain != NULL; chain = chain->after)
    for (uint32_t i = 0; i < chain->segment_count; i++)
      bury_segment(checker, queue, &room, chain->segments[i]);
}

static void open_ring(vio_checker *checker, vio_check_queue *queue) {
  uint64_t areas[3];
  const bool whole = vio_check_queue_area(queue, R_DESC, &areas[0]) != NONE &&
                     vio_check_queue_area(queue, R_DRIVER, &areas[1]) != NONE &&
                     vio_check_queue_area(queue, R_DEVICE, &areas[2]) != NONE;
  if (!whole || queue->regs[R_SIZE] == NONE || !queue->features_known || !checker->session.known) return;
  queue->ring = vio_check_ring_open(checker, queue, (uint32_t)queue->regs[R_SIZE], areas);
}

void vio_check_queue_open(vio_checker *checker, vio_check_queue *queue, uint32_t size,
                          const uint64_t *areas) {
  vio_check_set features;
  queue->enabled = 1;
  queue->features_known = vio_check_session_features(&checker->session, &features);
  queue->features = features.word[0] | (uint64_t)features.word[1] << 32;
  vio_check_queue_unbury(checker, queue);
  queue->ring = vio_check_ring_open(checker, queue, size, areas);
}

void vio_check_queue_close(vio_checker *checker, vio_check_queue *queue) {
  vio_check_interrupts_queue_over(checker, queue);
  drop_ring(checker, queue); /* reads of it may still complete: without a ring nothing is certain */
}

void vio_check_queue_enable(vio_checker *checker, vio_check_queue *queue) {
  const bool again = queue->enabled == 1;
  vio_check_set features;
  queue->enabled = 1;
  queue->features_known = vio_check_session_features(&checker->session, &features);
  queue->features = features.word[0] | (uint64_t)features.word[1] << 32;
  if (!again) {
    drop_ring(checker, queue);
    vio_check_queue_unbury(checker, queue);
    open_ring(checker, queue);
  }
  vio_check_publish(checker, &(vio_fact){.kind = FACT_QUEUE_ENABLED, .queue = queue, .again = again});
}

void vio_check_queue_reset_done(vio_checker *checker, vio_check_queue *queue) {
  vio_check_interrupts_queue_over(checker, queue);
  bury(checker, queue);
  drop_ring(checker, queue);
  vio_check_publish(checker, &(vio_fact){.kind = FACT_QUEUE_RESET_DONE, .queue = queue});
  vio_check_queue_restart(queue);
}

void vio_check_queues_clear(vio_checker *checker) {
  for (size_t i = 0; i < checker->queue_count; i++) vio_check_queue_unbury(checker, checker->queues[i]);
  for (size_t i = 0; i < checker->queue_count; i++) drop_ring(checker, checker->queues[i]);
  vio_check_interrupts_restart(checker); /* lets go of the queues' debts */
  vio_map_clear(&checker->heap, &checker->queue_map);
  checker->queue_count = 0;
}

/* Whether the doorbell's offset is the queue's own. */
static bool rings_at(const vio_check_queue *queue, const vio_check_place *place, uint64_t offset) {
  const int64_t at = queue->regs[R_NOTIFY_OFF] * (int64_t)place->multiplier;
  return at >= 0 && (uint64_t)at == offset;
}

static vio_check_queue *rung_queue(vio_checker *checker, const vio_check_place *place, uint64_t offset,
                                   uint32_t value) {
  size_t found = 0;
  vio_check_queue *only = NULL;
  for (size_t i = 0; i < checker->queue_count; i++)
    if (rings_at(checker->queues[i], place, offset)) {
      found++;
      only = checker->queues[i];
    }
  if (found == 1 && place->multiplier != 0) return only;
  const bool named = vio_check_session_has(&checker->session, VIO_FEATURE_NOTIF_CONFIG_DATA);
  for (size_t i = 0; i < checker->queue_count; i++) {
    vio_check_queue *queue = checker->queues[i];
    if (found > 0 && !rings_at(queue, place, offset)) continue;
    if ((named ? queue->regs[R_CONFIG_DATA] : (int64_t)queue->index) == (int64_t)(value & 0xffffu))
      return queue;
  }
  return NULL;
}

void vio_check_doorbell_ring(vio_checker *checker, const vio_check_place *place, uint64_t offset,
                             const uint8_t *data, uint64_t length) {
  uint32_t value = 0;
  vio_check_note_start(checker);
  for (uint64_t i = 0; i < 4 && i < length; i++) value |= (uint32_t)data[i] << 8 * i;
  vio_check_queue *queue = rung_queue(checker, place, offset, value);
  if (queue != NULL && queue->ring != NULL) vio_check_ring_doorbell(checker, queue->ring, value, length);
  vio_check_publish(
      checker,
      &(vio_fact){
          .kind = FACT_DOORBELL, .queue = queue, .offset = offset, .length = length, .value = value});
}
