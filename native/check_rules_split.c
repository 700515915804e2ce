/* Split virtqueues: chains, rings and what DMA touches (virtio 1.4, 2.7). */
#include "check_facts.h"

#define U(value) ((unsigned long long)(value))

static void aligned(vio_checker *checker, const vio_fact *fact) {
  static const uint32_t ALIGNMENT[2][3] = {
      {VIO_SPLIT_DESC_ALIGN, VIO_SPLIT_AVAIL_ALIGN, VIO_SPLIT_USED_ALIGN},
      {VIO_PACKED_RING_ALIGN, VIO_PACKED_EVENT_ALIGN, VIO_PACKED_EVENT_ALIGN}};
  const vio_check_session *session = &checker->session;
  if (!vio_check_session_knows(session)) return;
  const bool packed = vio_check_session_has(session, VIO_FEATURE_RING_PACKED);
  bool good = true;
  for (int i = 0; i < 3; i++) {
    uint64_t addr;
    if (vio_check_queue_area(fact->queue, (enum vio_check_reg)(R_DESC + 2 * i), &addr) == NONE) continue;
    good = good && addr % ALIGNMENT[packed][i] == 0;
  }
  JUDGE(packed ? VIO_DRV_PACKED_001 : VIO_DRV_SPLIT_001, good, "a part of queue %u is not aligned",
        fact->queue->index);
}

typedef struct chain_rule {
  enum vio_clause clause;
  uint32_t problems;
  enum { ANY_CHAIN, WITH_TABLE, ORDERED_CHAIN, ORDERED_TABLE } concerns;
  const char *what;
} chain_rule;

static bool concerns(const chain_rule *rule, const vio_check_chain *chain) {
  if (rule->concerns == WITH_TABLE) return chain->table != NULL;
  if (rule->concerns == ORDERED_CHAIN) return chain->in_order && chain->count > 1;
  if (rule->concerns == ORDERED_TABLE) return chain->in_order && chain->table != NULL;
  return true;
}

static void judge_chain(vio_checker *checker, const vio_check_chain *chain, const chain_rule *rule) {
  if (!concerns(rule, chain)) return;
  const uint32_t found = chain->problems & rule->problems;
  if (found != 0)
    BREACHED(rule->clause, "queue %u, chain at %u: %s (%u)", chain->queue->index, chain->head, rule->what,
             chain->problem_at[__builtin_ctz(found)]);
  else if (chain->problems == 0) HELD(rule->clause);
}

#define ONE(problem) (1u << (problem))
static void split_chain(vio_checker *checker, const vio_check_chain *chain) {
  static const chain_rule RULES[] = {
      {VIO_DRV_SPLIT_002, ONE(BAD_ORDER), ANY_CHAIN,
       "a device-readable element follows a device-writable one"},
      {VIO_DRV_SPLIT_004, ONE(BAD_BYTES) | ONE(BAD_LONG), ANY_CHAIN, "too many bytes or descriptors"},
      {VIO_DRV_SPLIT_005, ONE(BAD_NEXT_ORDER), ORDERED_CHAIN, "next is not the following descriptor"},
      {VIO_DRV_SPLIT_006, ONE(BAD_INDIRECT), ANY_CHAIN, "INDIRECT is set but was not negotiated"},
      {VIO_DRV_SPLIT_007, ONE(BAD_NESTED), WITH_TABLE, "an indirect entry has INDIRECT set"},
      {VIO_DRV_SPLIT_008, ONE(BAD_LONG), ANY_CHAIN, "more descriptors than the queue size"},
      {VIO_DRV_SPLIT_009, ONE(BAD_INDIRECT_NEXT), WITH_TABLE, "a descriptor has INDIRECT and NEXT set"},
      {VIO_DRV_SPLIT_010, ONE(BAD_TABLE_ORDER), ORDERED_TABLE,
       "an indirect entry's next is not the following one"},
  };
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) judge_chain(checker, chain, &RULES[i]);
  checker->rules.split.flagged += chain->indirect_write;
}

static void packed_chain(vio_checker *checker, const vio_check_chain *chain) {
  static const chain_rule RULES[] = {
      {VIO_DRV_PACKED_007, ONE(BAD_LONG), ANY_CHAIN, "more descriptors than the queue size"},
      {VIO_DRV_PACKED_008, ONE(BAD_ORDER), ANY_CHAIN,
       "a device-readable element follows a device-writable one"},
      {VIO_DRV_PACKED_010, ONE(BAD_SPACE), ANY_CHAIN, "more descriptors than free slots"},
      {VIO_DRV_PACKED_012, ONE(BAD_INDIRECT), ANY_CHAIN, "INDIRECT is set but was not negotiated"},
      {VIO_DRV_PACKED_013, ONE(BAD_TABLE_FLAGS), WITH_TABLE, "an indirect entry has flags beside WRITE"},
      {VIO_DRV_PACKED_015, ONE(BAD_INDIRECT_NEXT), WITH_TABLE, "a list linked by NEXT holds INDIRECT"},
  };
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) judge_chain(checker, chain, &RULES[i]);
}

static void avail_index(vio_checker *checker, const vio_fact *fact) {
  const vio_check_ring *ring = fact->queue->ring;
  if (ring == NULL || ring->lost) return;
  const bool back = ((fact->to - fact->from) & 0xffffu) >= 0x8000, ahead = fact->outstanding > ring->size;
  if (ring->dma_seen || back || !ahead)
    JUDGE(VIO_DRV_SPLIT_011, !back && !ahead, "avail.idx of queue %u goes from %u to %u",
          fact->queue->index, fact->from, fact->to);
}

static void dma_write(vio_checker *checker, const vio_fact *fact) {
  if (fact->readable != 0)
    BREACHED(VIO_DEV_SPLIT_003, "a write of %llu bytes at 0x%llx hits a device-readable buffer",
             U(fact->length), U(fact->addr));
  else if (fact->stray > 0)
    BREACHED(
        VIO_DEV_SPLIT_003,
        "a write of %llu bytes at 0x%llx lies outside every device-writable buffer and the used ring",
        U(fact->length), U(fact->addr));
  else if (fact->stray == 0 && !fact->ring && fact->table == 0) HELD(VIO_DEV_SPLIT_003);
  JUDGE(VIO_DEV_SPLIT_006, fact->table == 0, "a write of %llu bytes at 0x%llx hits descriptors",
        U(fact->length), U(fact->addr));
  if (fact->table != 0 && checker->rules.split.flagged != 0)
    BREACHED(VIO_DEV_SPLIT_007, "a write at 0x%llx treats an indirect table with WRITE as a buffer",
             U(fact->addr));
}

static void chain_used(vio_checker *checker, const vio_fact *fact) {
  const vio_check_chain *chain = fact->chain;
  const uint32_t queue = fact->queue->index;
  if (chain->packed) return;
  if (chain->indirect_write) {
    checker->rules.split.flagged--;
    HELD(VIO_DEV_SPLIT_007);
  }
  if (chain->table != NULL && chain->count > 0 && fact->certain && checker->seen_memory)
    JUDGE(VIO_DEV_SPLIT_008, chain->complete, "queue %u: chain %u is used, its indirect table unread",
          queue, chain->head);
  if (fact->written != NONE)
    JUDGE(VIO_DEV_SPLIT_016, fact->length <= (uint64_t)fact->written,
          "queue %u: len of chain %llu is %llu, written are %llu bytes", queue, U(fact->value),
          U(fact->length), U(fact->written));
}

static void buffer_used(vio_checker *checker, const vio_fact *fact) {
  const vio_check_queue *queue = fact->queue;
  const bool judged = fact->chain != NULL || fact->certain;
  if (fact->chain != NULL) chain_used(checker, fact);
  if (!vio_check_queue_packed(queue) && judged)
    JUDGE(VIO_DEV_SPLIT_022, fact->chain != NULL, "queue %u: used id %llu is not in flight", queue->index,
          U(fact->value));
  if (vio_check_queue_has(queue, VIO_FEATURE_IN_ORDER) && judged)
    JUDGE(VIO_DEV_RSVD_005, fact->chain != NULL && fact->in_order,
          "queue %u: id %llu is used out of order", queue->index, U(fact->value));
}

static void used_index(vio_checker *checker, const vio_fact *fact) {
  const uint32_t queue = fact->queue->index;
  if (fact->excess != 0)
    BREACHED(VIO_DEV_SPLIT_015, "used.idx of queue %u goes from %u to %u: %u more than were available",
             queue, fact->from, fact->to, fact->excess);
  else
    JUDGE(VIO_DEV_SPLIT_015, fact->unwritten == 0,
          "used.idx of queue %u goes from %u to %u: %u elements are not written", queue, fact->from,
          fact->to, fact->unwritten);
  if (vio_check_queue_has(fact->queue, VIO_FEATURE_IN_ORDER) && fact->unwritten != 0)
    BREACHED(VIO_DEV_RSVD_005, "queue %u: used.idx goes to %u, beyond the batch that its element names",
             queue, fact->to);
}

void vio_rules_split(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_QUEUE_ENABLED:
      aligned(checker, fact);
      break;
    case FACT_CHAIN_MADE:
      if (fact->chain->packed) packed_chain(checker, fact->chain);
      else split_chain(checker, fact->chain);
      break;
    case FACT_AVAIL_INDEX:
      avail_index(checker, fact);
      break;
    case FACT_DMA:
      if (fact->packed) break;
      if (fact->write) dma_write(checker, fact);
      else if (!fact->ring)
        JUDGE(VIO_DEV_SPLIT_004, !fact->writable_only, "a read of %llu bytes at 0x%llx, device-writable",
              U(fact->length), U(fact->addr));
      break;
    case FACT_BUFFER_USED:
      buffer_used(checker, fact);
      break;
    case FACT_USED_INDEX:
      used_index(checker, fact);
      break;
    default:
      break;
  }
}
