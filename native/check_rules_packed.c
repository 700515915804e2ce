/* Packed virtqueues (virtio 1.4, 2.8); chains and alignment are judged with the split ones. */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))

static void store(vio_checker *checker, const vio_fact *fact) {
  const uint32_t queue = fact->queue->index;
  if (!vio_check_queue_packed(fact->queue)) return;
  JUDGE(VIO_DRV_PACKED_002, fact->problem != STORE_EXPOSED, "queue %u: slot %u is still the device's",
        queue, fact->slot);
  JUDGE(VIO_DRV_PACKED_003, fact->problem != STORE_EXPOSED, "queue %u: slot %u is still the device's",
        queue, fact->slot);
  JUDGE(VIO_DRV_PACKED_011, fact->problem != STORE_PARTIAL,
        "queue %u: the descriptor in slot %u is not available yet", queue, fact->slot);
}

static void doorbell(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  if (queue == NULL || fact->length != 4 || !vio_check_queue_has(queue, VIO_FEATURE_NOTIFICATION_DATA))
    return;
  const vio_check_ring *ring = queue->ring;
  if (ring == NULL || !ring->packed || !ring->stores_seen || !vio_check_ring_certain(ring)) return;
  const uint32_t slot = (uint32_t)(fact->value >> 16) & 0x7fffu,
                 wrap = (uint32_t)(fact->value >> 31) & 1u;
  JUDGE(VIO_DRV_PACKED_004, slot == ring->position && wrap == ring->wrap,
        "the doorbell of queue %u tells (%u, %u), the next slot is (%u, %u)", queue->index, slot, wrap,
        ring->position, ring->wrap);
}

/* A list made available before `chain` whose head the device never read. */
static const vio_check_chain *unread(const vio_fact *fact) {
  const vio_check_ring *ring = fact->queue->ring;
  if (ring == NULL || !ring->packed) return NULL;
  for (const vio_check_chain *chain = ring->oldest; chain != NULL; chain = chain->after) {
    const vio_check_slot *slot = vio_map_get(&ring->slots, chain->head);
    const int64_t since = slot != NULL && slot->used ? slot->cell.since : NONE;
    if (chain->position < fact->chain->position && since < chain->cover) return chain;
  }
  return NULL;
}

static void buffer_used(vio_checker *checker, const vio_fact *fact) {
  const uint32_t queue = fact->queue->index;
  if (fact->chain != NULL && fact->chain->packed && fact->certain) {
    const vio_check_chain *other = unread(fact);
    JUDGE(VIO_DEV_PACKED_001, other == NULL, "queue %u: id %llu is used, the list at slot %u unread",
          queue, U(fact->value), other == NULL ? 0 : other->head);
  }
  if (vio_check_queue_packed(fact->queue) && (fact->chain != NULL || fact->certain))
    JUDGE(VIO_DEV_PACKED_006, fact->chain != NULL, "queue %u: used id %llu is not in flight", queue,
          U(fact->value));
  if (fact->chain != NULL && fact->chain->packed && fact->written != NONE)
    JUDGE(VIO_DEV_PACKED_008, fact->length <= (uint64_t)fact->written,
          "queue %u: length of id %llu is %llu, written are %llu bytes", queue, U(fact->value),
          U(fact->length), U(fact->written));
}

static void descriptor_used(vio_checker *checker, const vio_fact *fact) {
  const uint32_t queue = fact->queue->index;
  if (fact->problem == USED_POLARITY)
    BREACHED(VIO_DEV_PACKED_002, "queue %u: slot %u is used with the wrong wrap counter", queue,
             fact->slot);
  else if (fact->problem == USED_GAP)
    BREACHED(VIO_DEV_PACKED_002, "queue %u: slot %u was written although the next used slot is another",
             queue, fact->slot);
  if (fact->problem == USED_CHANGED)
    BREACHED(VIO_DEV_PACKED_007, "queue %u: slot %u is not the device's", queue, fact->slot);
  if (fact->problem != USED_FINE) return;
  HELD(VIO_DEV_PACKED_002);
  HELD(VIO_DEV_PACKED_007);
}

static void dma_write(vio_checker *checker, const vio_fact *fact) {
  if (fact->readable != 0 || fact->table != 0)
    BREACHED(VIO_DEV_PACKED_004, "a write of %llu bytes at 0x%llx hits a device-readable buffer or table",
             U(fact->length), U(fact->addr));
  else if (fact->stray > 0)
    BREACHED(VIO_DEV_PACKED_004,
             "a write of %llu bytes at 0x%llx lies outside every device-writable buffer and the ring",
             U(fact->length), U(fact->addr));
  else if (fact->stray == 0 && !fact->ring) HELD(VIO_DEV_PACKED_004);
}

static void dma_read(vio_checker *checker, const vio_fact *fact) {
  if (!fact->ring)
    JUDGE(VIO_DEV_PACKED_005, !fact->writable_only, "a read of %llu bytes at 0x%llx, device-writable",
          U(fact->length), U(fact->addr));
  if (fact->stray > 0)
    BREACHED(VIO_DEV_PACKED_006, "a read of %llu bytes at 0x%llx lies outside all that is available",
             U(fact->length), U(fact->addr));
}

void vio_rules_packed(vio_checker *checker, const vio_fact *fact) {
  if (fact->kind == FACT_DRIVER_STORE) store(checker, fact);
  if (fact->kind == FACT_DOORBELL) doorbell(checker, fact);
  if (fact->kind == FACT_BUFFER_USED) buffer_used(checker, fact);
  if (fact->kind == FACT_PACKED_USED) descriptor_used(checker, fact);
  if (fact->kind != FACT_DMA || !fact->packed) return;
  if (fact->write) dma_write(checker, fact);
  else dma_read(checker, fact);
}
