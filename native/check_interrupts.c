/* Interrupts: where they are mapped, which are owed, which nothing called for. */
#include "check_facts.h"

static void forget_debt(vio_check_debt *debt) {
  if (!debt->owed) return;
  debt->before->after = debt->after;
  debt->after->before = debt->before;
  debt->owed = false;
}

void vio_check_interrupts_restart(vio_checker *checker) {
  if (checker->debts.after == NULL) checker->debts.before = checker->debts.after = &checker->debts;
  while (checker->debts.after != &checker->debts) forget_debt(checker->debts.after);
  vio_map_clear(&checker->heap, &checker->retired);
  checker->config_mapped = VIO_NO_VECTOR;
  checker->config_noticed = false;
}

bool vio_check_vectors_have(const vio_check_vectors *vectors, int32_t vector) {
  for (uint32_t i = 0; i < vectors->count; i++)
    if (vectors->list[i] == vector) return true;
  return false;
}

void vio_check_interrupts_remap(vio_checker *checker, vio_check_queue *queue, uint32_t vector) {
  int32_t *mapped = queue == NULL ? &checker->config_mapped : &queue->mapped;
  if (*mapped != (int32_t)vector) {
    int64_t *when = vio_map_get(&checker->retired, (uint64_t)*mapped);
    if (when == NULL) {
      when = vio_heap_take(&checker->heap, sizeof *when);
      vio_map_put(&checker->heap, &checker->retired, (uint64_t)*mapped, when);
    }
    *when = checker->now;
  }
  *mapped = (int32_t)vector;
  forget_debt(queue == NULL ? &checker->config_debt : &queue->debt);
}

int32_t vio_check_interrupts_config_vector(const vio_checker *checker) {
  const int64_t vector = checker->values[F_CONFIG_VECTOR];
  if (vector != NONE) return (int32_t)vector;
  return checker->session.reset_kind != RESET_NONE ? (int32_t)VIO_NO_VECTOR : NONE;
}

/* What can reach the driver: 1 a message, be it masked for now, 0 the line, NONE neither. */
static int deliverable(const vio_checker *checker, int32_t vector) {
  const vio_check_config *config = &checker->config;
  const int64_t command = config->command;
  if (config->msix_enabled == 0)
    return command != NONE && ((uint64_t)command & VIO_PCI_COMMAND_INTX_DISABLE) != 0 ? NONE : 0;
  if (vector == NONE || vector == (int32_t)VIO_NO_VECTOR) return NONE;
  if (config->entries != NONE && vector >= config->entries) return NONE;
  return vio_check_mastering(checker) ? 1 : NONE;
}

void vio_check_interrupts_owe(vio_checker *checker, enum vio_check_what what, vio_check_queue *queue) {
  if (checker->session.phase != PHASE_LIVE) return;
  const int message =
      deliverable(checker, queue == NULL ? vio_check_interrupts_config_vector(checker) : queue->vector);
  vio_check_debt *debt = queue == NULL ? &checker->config_debt : &queue->debt;
  if (message == NONE || (message == 0 && checker->level) || debt->owed) return;
  *debt = (vio_check_debt){.before = checker->debts.before,
                           .after = &checker->debts,
                           .queue = queue,
                           .what = what,
                           .since = checker->now,
                           .owed = true,
                           .message = message == 1};
  debt->before->after = debt->after->before = debt;
}

void vio_check_interrupts_advanced(vio_checker *checker, vio_check_queue *queue, bool called) {
  if (queue->advances < 1u << 16) queue->advances++;
  queue->uncalled = queue->uncalled != 0 && !called;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_USED_ADVANCED, .queue = queue});
}

void vio_check_interrupts_called(vio_check_queue *queue) {
  if (queue->uncalled != NONE) queue->uncalled = 0;
}

static void pay(vio_checker *checker, vio_check_debt *debt) {
  if (!debt->owed) return;
  forget_debt(debt);
  vio_check_publish(checker, &(vio_fact){.kind = FACT_DUE, .what = debt->what, .queue = debt->queue});
}

/* Whatever the line announces is paid. */
static void pay_lines(vio_checker *checker) {
  for (vio_check_debt *debt = checker->debts.after, *after; debt != &checker->debts; debt = after) {
    after = debt->after;
    if (!debt->message) pay(checker, debt);
  }
}

bool vio_check_interrupts_mapped(const vio_checker *checker, const vio_check_vectors *vectors,
                                 int64_t issued) {
  const int32_t config = vio_check_interrupts_config_vector(checker);
  if (config == NONE || vio_check_vectors_have(vectors, config)) return true;
  for (size_t i = 0; i < checker->queue_count; i++) {
    const int32_t vector = checker->queues[i]->vector;
    if (vector == NONE || vio_check_vectors_have(vectors, vector)) return true;
  }
  for (uint32_t i = 0; i < vectors->count; i++) {
    const int64_t *when = vio_map_get(&checker->retired, vectors->list[i]);
    if (issued <= (when == NULL ? NONE : *when)) return true;
  }
  return false;
}

/* The table entries that hold this message. */
static void find_vectors(vio_checker *checker, const vio_event *event, vio_check_vectors *vectors) {
  const vio_check_config *config = &checker->config;
  bool unknown = config->table_end == 0;
  vectors->list = checker->vector_list;
  if (event->kind == VIO_MSIX_VECTOR) {
    vectors->list[vectors->count++] = (uint16_t)event->addr;
    return;
  }
  for (uint32_t entry = 0; entry < config->table_end; entry++) {
    const vio_check_row *row = &config->table[entry];
    if (!row->made) continue;
    if ((row->known & 7u) != 7u) unknown = true;
    else if (row->word[0] == (uint32_t)event->addr && row->word[1] == (uint32_t)(event->addr >> 32) &&
             row->word[2] == vio_check_le32(event->data))
      vectors->list[vectors->count++] = (uint16_t)entry;
  }
  vectors->known = vectors->count > 0 || !unknown;
}

static void judge_message(vio_checker *checker, const vio_check_vectors *vectors, int64_t issued) {
  if (checker->config.command != NONE && !vio_check_mastering(checker) && issued > checker->command_t)
    vio_check_suspect_add(checker, BREACH_MESSAGE_NO_MASTER, &(vio_check_suspect){0});
  if (!vectors->known || vectors->count != 1) return;
  const uint32_t vector = vectors->list[0];
  const bool masked =
      checker->config.msix_masked == 1 || vio_check_config_entry_masked(&checker->config, vector) == 1;
  if (masked && issued > checker->mask_t)
    vio_check_suspect_add(checker, BREACH_MASKED, &(vio_check_suspect){.addr = vector});
}

static void judge_cause(vio_checker *checker, const vio_check_vectors *vectors) {
  if (!vectors->known || checker->session.phase != PHASE_LIVE) return;
  const int32_t config = vio_check_interrupts_config_vector(checker);
  vio_check_queue *queue = NULL;
  size_t count = 0;
  for (size_t i = 0; i < checker->queue_count; i++)
    if (vio_check_vectors_have(vectors, checker->queues[i]->vector)) {
      queue = checker->queues[i];
      count++;
    }
  if (count != 1 || config == NONE || vio_check_vectors_have(vectors, config)) {
    for (size_t i = 0; i < checker->queue_count && count > 0; i++)
      if (vio_check_vectors_have(vectors, checker->queues[i]->vector)) checker->queues[i]->advances = 0;
    return;
  }
  if (checker->seen_memory && (queue->advances == 0 || queue->uncalled == 1))
    vio_check_publish(checker, &(vio_fact){.kind = FACT_SPURIOUS, .queue = queue});
  if (queue->advances > 0) queue->advances--;
  queue->uncalled = NONE;
}

void vio_check_interrupts_message(vio_checker *checker, const vio_event *event) {
  vio_check_vectors vectors = {.known = true};
  const int64_t issued = vio_check_issued(checker);
  checker->interrupts_seen = true;
  find_vectors(checker, event, &vectors);
  judge_message(checker, &vectors, issued);
  vio_check_publish(checker, &(vio_fact){.kind = FACT_MESSAGE, .vectors = &vectors, .issued = issued});
  for (size_t i = 0; i < checker->queue_count; i++)
    if (!vectors.known || vio_check_vectors_have(&vectors, checker->queues[i]->vector))
      pay(checker, &checker->queues[i]->debt);
  if (!vectors.known || vio_check_vectors_have(&vectors, vio_check_interrupts_config_vector(checker))) {
    checker->config_noticed = true;
    pay(checker, &checker->config_debt);
  }
  judge_cause(checker, &vectors);
}

void vio_check_interrupts_line(vio_checker *checker, const vio_event *event) {
  checker->interrupts_seen = true;
  checker->line_changes++;
  if (event->number && !checker->level) checker->rose_t = checker->event_t;
  checker->level = event->number;
  vio_check_publish(checker, &(vio_fact){.kind = FACT_LINE, .value = event->number});
  if (event->number) pay_lines(checker);
}

void vio_check_interrupts_isr(vio_checker *checker, uint8_t value) {
  vio_check_publish(checker, &(vio_fact){.kind = FACT_ISR_READ, .value = value});
  if (value & VIO_ISR_BIT_CONFIG) {
    checker->config_noticed = true;
    pay(checker, &checker->config_debt);
  }
  if (!(value & VIO_ISR_BIT_QUEUE)) return;
  pay_lines(checker);
  for (size_t i = 0; i < checker->queue_count; i++) checker->queues[i]->advances = 0;
}

static bool is_masked(const vio_checker *checker, const vio_check_debt *debt) {
  const int32_t vector =
      debt->queue == NULL ? vio_check_interrupts_config_vector(checker) : debt->queue->vector;
  if (!debt->message) return false;
  return checker->config.msix_masked == 1 ||
         (vector != NONE && vio_check_config_entry_masked(&checker->config, (uint32_t)vector) == 1);
}

static void fall_due(vio_checker *checker, const vio_check_debt *debt) {
  const bool observable = checker->header.simulated || checker->interrupts_seen;
  const bool troubled = checker->session.needs_reset && debt->queue != NULL;
  const int64_t since = debt->message && checker->mask_t > debt->since ? checker->mask_t : debt->since;
  if (!observable || troubled || is_masked(checker, debt) || checker->now - since <= checker->settle)
    return;
  vio_check_publish(
      checker, &(vio_fact){.kind = FACT_DUE, .what = debt->what, .queue = debt->queue, .late = true});
}

void vio_check_interrupts_queue_over(vio_checker *checker, vio_check_queue *queue) {
  if (!queue->debt.owed) return;
  forget_debt(&queue->debt);
  fall_due(checker, &queue->debt);
}

void vio_check_interrupts_over(vio_checker *checker, bool final) {
  for (vio_check_debt *debt = checker->debts.after, *after; debt != &checker->debts; debt = after) {
    after = debt->after;
    if (!final || checker->orderly) fall_due(checker, debt);
    forget_debt(debt);
  }
}
