/* ISR status (virtio 1.4, 4.1.4.5). */
#include "check_facts.h"

/* A message of the configuration vector alone was sent. */
static void note_message(vio_checker *checker, const vio_fact *fact) {
  const int32_t vector = vio_check_interrupts_config_vector(checker);
  const vio_check_vectors *vectors = fact->vectors;
  if (!vectors->known || vector == NONE || vectors->count != 1 || vectors->list[0] != vector) return;
  for (size_t i = 0; i < checker->queue_count; i++)
    if (checker->queues[i]->vector == vector) return;
  checker->rules.interrupts.notified = true;
}

/* Reads that show a bit again although the read before should have cleared it. */
static void judge_clearing(vio_checker *checker, uint64_t value) {
  const uint64_t before = checker->rules.interrupts.value;
  const int64_t changes = (int64_t)checker->line_changes;
  if (before != 0 && value == 0) HELD(VIO_DEV_PCI_044);
  else if ((value & before & VIO_ISR_BIT_QUEUE) != 0 && changes == checker->rules.interrupts.changes &&
           checker->rules.interrupts.steps <= 1)
    BREACHED(VIO_DEV_PCI_044, "ISR reads 0x%llx again; the read before did not clear it",
             (unsigned long long)value);
  if (value == 0) checker->rules.interrupts.steps = 0;
  checker->rules.interrupts.value = value;
  checker->rules.interrupts.changes = changes;
}

static void isr_read(vio_checker *checker, uint64_t value) {
  if (checker->rules.interrupts.notified) {
    checker->rules.interrupts.notified = false;
    JUDGE(VIO_DEV_PCI_041, value & VIO_ISR_BIT_CONFIG,
          "ISR lacks bit 1 after a configuration change message");
  }
  if (checker->config.msix_enabled == 0) {
    if (checker->level && checker->rose_t <= vio_check_issued(checker) && checker->rules.interrupts.used)
      JUDGE(VIO_DEV_PCI_042, value != 0, "ISR reads 0 although INTx is asserted");
    checker->rules.interrupts.used = false;
  }
  checker->rules.interrupts.idle = true;
  judge_clearing(checker, value);
}

static void pci_read(vio_checker *checker, const vio_fact *fact) {
  if (checker->config.msix_enabled != 0 || !checker->interrupts_seen) return;
  if (fact->offset > VIO_PCI_STATUS || VIO_PCI_STATUS >= fact->offset + fact->length) return;
  const bool shown = (fact->data[VIO_PCI_STATUS - fact->offset] & VIO_PCI_STATUS_INTERRUPT) != 0;
  if (checker->level && checker->rose_t < vio_check_issued(checker))
    JUDGE(VIO_DEV_PCI_043, shown, "INTx is asserted, but the interrupt bit of PCI Status is 0");
  else if (checker->rules.interrupts.idle && !checker->level)
    JUDGE(VIO_DEV_PCI_043, !shown, "ISR is 0, but the interrupt bit of PCI Status is 1");
}

void vio_rules_isr(vio_checker *checker, const vio_fact *fact) {
  switch (fact->kind) {
    case FACT_RESET_DONE:
      checker->rules.interrupts.notified = false;
      checker->rules.interrupts.value = checker->rules.interrupts.steps = 0;
      break;
    case FACT_MESSAGE:
      note_message(checker, fact);
      break;
    case FACT_USED_ADVANCED:
      checker->rules.interrupts.used = true;
      checker->rules.interrupts.idle = false;
      checker->rules.interrupts.steps++;
      break;
    case FACT_LINE:
      checker->rules.interrupts.idle = false;
      break;
    case FACT_ISR_READ:
      isr_read(checker, fact->value);
      break;
    case FACT_PCI_READ:
      pci_read(checker, fact);
      break;
    case FACT_DUE:
      if (fact->what == OWED_PACKED && fact->late && checker->config.msix_enabled == 0)
        BREACHED(VIO_DEV_PCI_042, "used buffers of queue %u were never announced by INTx",
                 fact->queue->index);
      break;
    default:
      break;
  }
}
