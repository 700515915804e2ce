/* The entropy device (virtio 1.4, 5.4.6). */
#include "check_facts.h"

/* PATIENCE: settling times that a source may take for a byte: true randomness comes slowly. */
enum { REQUESTS = 0, PATIENCE = 50 };

static void made(vio_checker *checker, const vio_fact *fact) {
  JUDGE(VIO_DRV_RNG_001, fact->chain->readable == 0, "queue %u, chain at %u: the device is to read it",
        fact->queue->index, fact->chain->head);
}

static void used(vio_checker *checker, const vio_fact *fact) {
  const vio_check_chain *chain = fact->chain;
  if (chain == NULL || !chain->complete || chain->refused || chain->problems != 0) return;
  if (chain->writable > 0 && chain->readable == 0)
    JUDGE(VIO_DEV_RNG_001, vio_check_coverage_prefix(&chain->written) != 0,
          "nothing was written to buffer %llu of queue %u", (unsigned long long)fact->value,
          fact->queue->index);
}

static void unserved(vio_checker *checker, const vio_fact *fact) {
  const int64_t waited = checker->now - fact->issued;
  if (waited / PATIENCE <= checker->settle) return;
  for (const vio_check_chain *chain = fact->queue->ring->oldest; chain != NULL; chain = chain->after)
    if (chain->readable > 0) return;
  BREACHED(VIO_DEV_RNG_001, "buffer %u of queue %u was not used in %lld ns", fact->chain->id,
           fact->queue->index, (long long)(waited / 1000));
}

void vio_rules_entropy(vio_checker *checker, const vio_fact *fact) {
  if (fact->kind != FACT_CHAIN_MADE && fact->kind != FACT_BUFFER_USED && fact->kind != FACT_UNSERVED)
    return;
  if (vio_check_device_type(checker) != (int)VIO_DEVICE_TYPE_ENTROPY || fact->queue->index != REQUESTS)
    return;
  if (fact->kind == FACT_CHAIN_MADE) made(checker, fact);
  else if (fact->kind == FACT_BUFFER_USED) used(checker, fact);
  else unserved(checker, fact);
}
