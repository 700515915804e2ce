/* The checker's C twin: feeds events to the state, facts to the rules, and keeps the results. */
#include "check_facts.h"
#include "check_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct clause_row {
  const char *id;
  bool mandatory;
  int type; /* of the device that it speaks of, 0 for all */
  uint64_t needs, lacks, offers, offers_not;
} clause_row;
#define VIO_CHECK_CLAUSE_ROWS static const clause_row CLAUSES[] =
#include "check_tables.h"

static const char *const NOTES[VIO_NOTES] = {
    [NOTE_LEGACY] = "the legacy interface is in use: of its sessions rings and resets are judged",
    [NOTE_NO_RESET] = "the driver's bring-up begins without an observed reset",
    [NOTE_MIDDLE] = "the trace begins within a session: what hangs on its beginning is not judged",
};
static const int64_t SETTLE_SIMULATED = 10000000, SETTLE_OTHER = 100000000000;

/* ---- findings ---- */

bool vio_check_breach(vio_checker *checker, enum vio_clause clause, int64_t t, uint64_t line) {
  if (checker->breached[clause]++ > 0) return false;
  vio_finding *finding = &checker->findings[checker->finding_count];
  *finding = (vio_finding){.clause = clause, .t = (uint64_t)t, .line = line};
  return true;
}

void vio_check_say(vio_checker *checker, const char *format, ...) {
  char text[VIO_MESSAGE];
  va_list list;
  va_start(list, format);
  const int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  const size_t size = length < 0 ? 0 : (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
  char *message = vio_heap_take(&checker->heap, size + 1);
  memcpy(message, text, size);
  checker->findings[checker->finding_count++].message = message;
}

void vio_check_publish(vio_checker *checker, const vio_fact *fact) {
  static vio_rule *const RULES[] = {
      vio_rules_blk,     vio_rules_blk_zoned,    vio_rules_capabilities, vio_rules_common,
      vio_rules_config,  vio_rules_entropy,      vio_rules_features,     vio_rules_init,
      vio_rules_isr,
      vio_rules_legacy,
      vio_rules_notify,  vio_rules_notify_place, vio_rules_split,        vio_rules_packed,
      vio_rules_pci,     vio_rules_queue_reset,  vio_rules_reserved,     vio_rules_reset,
      vio_rules_owed,    vio_rules_status,       vio_rules_suspend,      vio_rules_suspend_device,
      vio_rules_vectors,
  };
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) RULES[i](checker, fact);
}

/* ---- life ---- */

static vio_checker *make(int64_t settle, size_t limit) {
  vio_checker *checker = calloc(1, sizeof *checker);
  vio_reader *reader = calloc(1, sizeof *reader);
  if (checker == NULL || reader == NULL) {
    free(checker);
    free(reader);
    return NULL;
  }
  checker->reader = reader;
  checker->settle = settle;
  checker->heap = (vio_heap){.limit = limit, .escape = &checker->escape};
  return checker;
}

static void begin(vio_checker *checker) {
  if (checker->settle < 0) checker->settle = checker->header.simulated ? SETTLE_SIMULATED : SETTLE_OTHER;
  checker->retired_t = checker->command_t = checker->mask_t = NONE;
  checker->event_asked = NONE;
  vio_check_config_begin(&checker->config, &checker->header);
  vio_check_session_begin(checker, false, RESET_NONE);
  for (int i = 0; i < VIO_FIELDS; i++) checker->values[i] = NONE;
  memset(checker->device, 0xff, sizeof checker->device);
  vio_check_legacy_restart(checker);
  vio_check_lguest_begin(checker);
  checker->vector_list = vio_heap_take(&checker->heap, VIO_TABLE_ROWS * sizeof *checker->vector_list);
  checker->past = vio_heap_take(&checker->heap, (VIO_SESSIONS + 1) * sizeof *checker->past);
  vio_check_interrupts_restart(checker);
  vio_rules_begin(&checker->rules);
}

/* Everything fails from now on, with this reason if the reader has none. */
static void give_up(vio_checker *checker) {
  checker->broken = true;
  vio_reader *reader = checker->reader;
  if (reader->failed) return;
  reader->failed = true;
  reader->error_line = reader->line;
  snprintf(reader->reason, sizeof reader->reason, "following it takes more memory than the %zu MiB allowed",
           checker->heap.limit >> 20);
}

/* Do some work that may run out of memory; false if it did. */
__attribute__((noinline)) static bool attempt(vio_checker *checker, void (*work)(vio_checker *, const void *),
                                              const void *what) {
  if (setjmp(checker->escape) != 0) {
    give_up(checker);
    return false;
  }
  work(checker, what);
  return true;
}

static void take_header(vio_checker *checker, const void *text) {
  vio_reader_open(checker->reader, &checker->heap, NULL);
  checker->header = (vio_check_header){.type = NONE, .entries = NONE};
  if (text != NULL && !vio_reader_parse(checker->reader, text, &checker->header)) checker->broken = true;
  checker->reader->line = 0;
  begin(checker);
}

static void take_path(vio_checker *checker, const void *path) {
  checker->broken = !vio_reader_open(checker->reader, &checker->heap, path) ||
                    !vio_reader_header(checker->reader, &checker->header);
  begin(checker);
}

vio_checker *vio_checker_new(const char *header, int64_t settle, size_t limit) {
  vio_checker *checker = make(settle, limit);
  if (checker != NULL) (void)attempt(checker, take_header, header);
  return checker;
}

vio_checker *vio_checker_open(const char *path, int64_t settle, size_t limit) {
  vio_checker *checker = make(settle, limit);
  if (checker != NULL) (void)attempt(checker, take_path, path);
  return checker;
}

void vio_checker_free(vio_checker *checker) {
  if (checker == NULL) return;
  vio_reader_close(checker->reader);
  vio_heap_clear(&checker->heap);
  free(checker->reader);
  free(checker);
}

/* ---- events ---- */

static bool is_event(const vio_event *event) {
  if (event->t > INT64_MAX || (event->t_req > INT64_MAX && event->t_req != VIO_NO_TIME)) return false;
  switch (event->kind) {
    case VIO_CFG_READ:
    case VIO_CFG_WRITE:
      return event->length > 0 && event->addr < VIO_CONFIG_LENGTH &&
             event->length <= VIO_CONFIG_LENGTH - event->addr;
    case VIO_BAR_READ:
    case VIO_BAR_WRITE:
      return event->length > 0 && event->length <= 4096 && event->number < 6;
    case VIO_MSIX:
      return event->length == 4;
    case VIO_MSIX_VECTOR:
      return event->addr <= UINT16_MAX;
    case VIO_INTX:
      return event->number <= 1;
    default:
      return event->kind < VIO_EVENT_KINDS;
  }
}

static void take_in(vio_checker *checker, const void *event) {
  checker->events++;
  checker->event_line = checker->reader->file >= 0 ? checker->reader->line : checker->events;
  vio_check_boundary_observe(checker, event);
}

int vio_checker_observe(vio_checker *checker, const vio_event *event) {
  if (checker->broken || checker->finished || !is_event(event)) return -1;
  return attempt(checker, take_in, event) ? 0 : -1;
}

void vio_checker_sink(void *context, const vio_event *event) {
  vio_checker *checker = context;
  if (vio_checker_observe(checker, event) == 0 || checker->broken || checker->finished) return;
  checker->broken = true;
  vio_reader_refuse(checker->reader, "event %llu of kind %u cannot be", (unsigned long long)checker->events + 1,
                    event->kind);
}

static void run(vio_checker *checker, const void *count) {
  for (uint64_t left = *(const uint64_t *)count; left > 0; left--) {
    vio_event event;
    const int got = vio_reader_next(checker->reader, &event);
    checker->broken = got < 0;
    checker->at_end = got == 0;
    if (got < 1) return;
    take_in(checker, &event);
  }
}

int vio_checker_run(vio_checker *checker, uint64_t count) {
  if (checker->broken || checker->finished || !attempt(checker, run, &count) || checker->broken) return -1;
  return checker->at_end ? 0 : 1;
}

static void finish(vio_checker *checker, const void *unused) {
  (void)unused;
  checker->finished = true;
  vio_check_boundary_finish(checker);
}

void vio_checker_finish(vio_checker *checker) {
  if (!checker->broken && !checker->finished) (void)attempt(checker, finish, NULL);
}

const char *vio_checker_error(const vio_checker *checker) {
  return checker->broken ? checker->reader->reason : NULL;
}

uint64_t vio_checker_error_line(const vio_checker *checker) { return checker->reader->error_line; }

/* ---- results ---- */

uint32_t vio_checker_clauses(void) { return VIO_CLAUSES; }

const char *vio_checker_clause(uint32_t clause) {
  return clause < VIO_CLAUSES ? CLAUSES[clause].id : NULL;
}

uint64_t vio_checker_held(const vio_checker *checker, uint32_t clause) { return checker->held[clause]; }

uint64_t vio_checker_breached(const vio_checker *checker, uint32_t clause) {
  return checker->breached[clause];
}

static uint64_t low_bits(const vio_check_set *set) { return set->word[0] | (uint64_t)set->word[1] << 32; }

/* Whether a clause surely does not speak of a session with these features. */
static bool is_foreign(const clause_row *row, const vio_check_past *past) {
  const uint64_t offered = low_bits(&past->offered), features = low_bits(&past->features);
  if ((offered & row->offers) != row->offers || (offered & row->offers_not) != 0) return true;
  if ((row->needs == 0 && row->lacks == 0) || !past->features_known) return false;
  return (features & row->needs) != row->needs || (features & row->lacks) != 0;
}

enum vio_verdict vio_checker_verdict(const vio_checker *checker, uint32_t clause) {
  const clause_row *row = &CLAUSES[clause];
  if (checker->breached[clause] > 0) return row->mandatory ? VIO_VIOLATED : VIO_NOT_EXERCISED;
  if (checker->held[clause] > 0) return VIO_HELD;
  const int type = vio_check_device_type(checker);
  if (row->type != 0 && type != NONE && type != row->type) return VIO_NOT_APPLICABLE;
  for (size_t i = 0; i < checker->past_count; i++)
    if (!is_foreign(row, &checker->past[i])) return VIO_NOT_EXERCISED;
  return checker->past_count > 0 ? VIO_NOT_APPLICABLE : VIO_NOT_EXERCISED;
}

void vio_checker_outcomes(const vio_checker *checker, uint8_t *verdicts, uint64_t *held,
                          uint64_t *breached) {
  for (uint32_t clause = 0; clause < VIO_CLAUSES; clause++)
    verdicts[clause] = (uint8_t)vio_checker_verdict(checker, clause);
  memcpy(held, checker->held, VIO_CLAUSES * sizeof *held);
  memcpy(breached, checker->breached, VIO_CLAUSES * sizeof *breached);
}

uint32_t vio_checker_findings(const vio_checker *checker) { return (uint32_t)checker->finding_count; }

vio_checker_finding vio_checker_finding_at(const vio_checker *checker, uint32_t index) {
  const vio_finding *finding = &checker->findings[index];
  return (vio_checker_finding){.clause = finding->clause,
                               .mandatory = CLAUSES[finding->clause].mandatory,
                               .t = finding->t,
                               .line = finding->line,
                               .message = finding->message};
}

uint64_t vio_checker_events(const vio_checker *checker) { return checker->events; }

uint64_t vio_checker_ignored(const vio_checker *checker) { return checker->reader->ignored; }

bool vio_checker_orderly(const vio_checker *checker) { return checker->orderly; }

const char *vio_checker_note(const vio_checker *checker, uint32_t index) {
  return index < checker->note_count ? NOTES[checker->note_order[index]] : NULL;
}
