/* The host's AXI4 target: latency, back-pressure, reordering, errors; the twin of tb/ports/axi.py.
 *
 * Channels move at the rising edge. A burst takes effect at one instant, at a falling edge: memory
 * changes or is read, and the event is emitted, together. */
#include "burst.h"
#include "host.h"
#include "vio_spec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OKAY = 0, DECERR = 3, INCR = 1, PAGE = 4096, MESSAGE_LENGTH = 4 };
enum { AHEAD = 2, INTERLEAVED = 4, FAULT_TEXTS = 64, FAULT_TEXT = 120 };

/* A beat of write data that came before its address. */
typedef struct early {
  uint8_t data[64];
  uint64_t strobe;
  bool last;
} early;

/* A beat of read data on its way to the pins. */
typedef struct beat {
  vio_burst *burst;
  uint32_t number;
} beat;

struct vio_target {
  vio_host *host;
  vio_memory *memory;
  vio_target_knobs knobs;
  vio_dice dice;
  vio_sink ar, aw, w;
  vio_source r, b;
  vio_burst *announced;          /* a read burst taken at the last rising edge */
  vio_queue receiving, received; /* write bursts that wait for data, and that have them all */
  vio_queue reads, writes;       /* before their effect */
  vio_queue answers, acks;       /* behind it */
  vio_queue active, sending;     /* read bursts being sent, write responses to be sent */
  vio_queue spare;
  early *early; /* oldest first */
  size_t early_count, early_room;
  beat ahead[AHEAD];
  uint32_t ahead_count;
  vio_word r_word, b_word;
  char (*faults)[FAULT_TEXT];
  uint32_t fault_count;
};

static bool power_of_two(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

int vio_target_open(vio_host *host, int port, vio_memory *memory, const vio_target_knobs *knobs,
                    uint64_t seed) {
  if (port < 0 || port >= VIO_TARGETS || host->targets[port] != NULL) return -1;
  const uint32_t lanes = knobs->lanes == 0 ? vio_target_lanes[port] : knobs->lanes;
  if (!power_of_two(lanes) || lanes > 64) return -1;
  if (knobs->read_least > knobs->read_most || knobs->write_least > knobs->write_most) return -1;
  vio_target *target = calloc(1, sizeof *target);
  if (target == NULL) return -1;
  target->host = host;
  target->memory = memory;
  target->knobs = *knobs;
  target->knobs.lanes = lanes;
  target->dice.state = seed;
  vio_pause *pauses[] = {&target->ar.pause, &target->r.pause, &target->aw.pause, &target->w.pause,
                         &target->b.pause};
  for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
    vio_pause_seed(pauses[i], &target->dice, knobs->stall);
  host->targets[port] = target;
  return 0;
}

static void empty(vio_target *target, vio_queue *queue) {
  for (size_t i = 0; i < queue->count; i++)
    if (!vio_queue_add(&target->spare, queue->items[i])) vio_burst_free(queue->items[i]);
  queue->count = 0;
}

void vio_target_restart(vio_target *target) {
  vio_queue *const queues[] = {&target->receiving, &target->received, &target->reads, &target->writes,
                               &target->answers,   &target->acks,     &target->active, &target->sending};
  if (target->announced != NULL && !vio_queue_add(&target->reads, target->announced))
    vio_burst_free(target->announced);
  target->announced = NULL;
  /* A burst whose last beats wait in `ahead` is in no queue. */
  for (uint32_t i = 0; i < target->ahead_count; i++) {
    vio_burst *burst = target->ahead[i].burst;
    if (target->ahead[i].number + 1 == burst->beats && !vio_queue_add(&target->reads, burst))
      vio_burst_free(burst);
  }
  target->ahead_count = 0;
  target->early_count = 0;
  for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) empty(target, queues[i]);
}

void vio_target_free(vio_target *target) {
  if (target == NULL) return;
  vio_target_restart(target);
  for (size_t i = 0; i < target->spare.count; i++) vio_burst_free(target->spare.items[i]);
  vio_queue *const queues[] = {&target->receiving, &target->received, &target->reads,
                               &target->writes,    &target->answers,  &target->acks,
                               &target->active,    &target->sending,  &target->spare};
  for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) free(queues[i]->items);
  free(target->early);
  free(target->faults);
  free(target);
}

void vio_target_reset(vio_target *target) {
  vio_sink_reset(&target->ar);
  vio_sink_reset(&target->aw);
  vio_sink_reset(&target->w);
  target->r.valid = target->b.valid = false;
}

static void add_fault(vio_target *target, const char *format, ...) {
  if (target->faults == NULL) target->faults = calloc(FAULT_TEXTS, FAULT_TEXT);
  if (target->faults != NULL && target->fault_count < FAULT_TEXTS) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(target->faults[target->fault_count], FAULT_TEXT, format, arguments);
    va_end(arguments);
  }
  target->fault_count++;
}

#define BURST_TEXT "of %" PRIu32 " x %" PRIu32 " bytes at 0x%" PRIx64
#define BURST_WORDS(burst) (burst)->beats, UINT32_C(1) << (burst)->size, (burst)->addr

static uint32_t log2_of(uint32_t value) { return (uint32_t)__builtin_ctz(value); }

/* A burst as announced, from the spare ones; NULL: out of memory. */
static vio_burst *announce(vio_target *target, uint32_t ident, uint64_t addr, uint32_t length,
                           uint32_t size, uint32_t kind) {
  vio_burst *burst =
      target->spare.count > 0 ? target->spare.items[--target->spare.count] : vio_burst_new();
  if (burst == NULL) return NULL;
  burst->ident = ident;
  burst->addr = addr;
  burst->beats = length + 1;
  burst->size = size;
  burst->asked = target->host->now;
  burst->moved = burst->used = burst->run_count = 0;
  burst->outside = burst->refused = false;
  burst->length = (burst->beats << size) - (uint32_t)(addr & ((UINT64_C(1) << size) - 1));
  if (kind != INCR) add_fault(target, "the burst " BURST_TEXT " is not INCR", BURST_WORDS(burst));
  if (addr / PAGE != (addr + burst->length - 1) / PAGE)
    add_fault(target, "the burst " BURST_TEXT " crosses a 4 KiB boundary", BURST_WORDS(burst));
  if (UINT32_C(1) << size > target->knobs.lanes) {
    add_fault(target, "the burst " BURST_TEXT " has beats wider than the bus", BURST_WORDS(burst));
    burst->size = log2_of(target->knobs.lanes);
  }
  if (!vio_burst_room(burst, (size_t)burst->beats * target->knobs.lanes)) {
    vio_burst_free(burst);
    return NULL;
  }
  return burst;
}

static void lost(vio_target *target) { add_fault(target, "the host ran out of memory: a burst is lost"); }

void vio_target_ar(vio_target *target, uint32_t ident, uint64_t addr, uint32_t length, uint32_t size,
                   uint32_t burst) {
  target->announced = announce(target, ident, addr, length & 255, size & 7, burst);
  if (target->announced == NULL) lost(target);
}

/* Give a beat to the oldest write burst that waits for data. */
static void give(vio_target *target, const uint8_t *data, uint64_t strobe, bool last) {
  vio_burst *burst = target->receiving.items[0];
  if (last != (burst->moved + 1 == burst->beats))
    add_fault(target, "wlast is wrong at beat %" PRIu32 " of the burst " BURST_TEXT, burst->moved,
              BURST_WORDS(burst));
  const bool seen = burst->outside;
  if (!vio_burst_take(burst, target->knobs.lanes, data, strobe)) lost(target);
  if (burst->outside && !seen) burst->outside_beat = burst->moved;
  if (++burst->moved < burst->beats) return;
  if (burst->outside)
    add_fault(target, "beat %" PRIu32 " of the burst " BURST_TEXT " strobes bytes outside it",
              burst->outside_beat, BURST_WORDS(burst));
  vio_queue_remove(&target->receiving, 0);
  if (!vio_queue_add(&target->received, burst)) lost(target);
}

void vio_target_aw(vio_target *target, uint32_t ident, uint64_t addr, uint32_t length, uint32_t size,
                   uint32_t burst) {
  vio_burst *announced = announce(target, ident, addr, length & 255, size & 7, burst);
  if (announced == NULL || !vio_queue_add(&target->receiving, announced)) {
    lost(target);
    return;
  }
  size_t given = 0;
  for (; given < target->early_count && target->receiving.count > 0; given++) {
    const early *word = &target->early[given];
    give(target, word->data, word->strobe, word->last);
  }
  if (given == 0) return;
  target->early_count -= given;
  memmove(target->early, target->early + given, target->early_count * sizeof(early));
}

void vio_target_w(vio_target *target, const uint8_t *data, uint64_t strobe, bool last) {
  if (target->receiving.count > 0) {
    give(target, data, strobe, last);
    return;
  }
  if (target->early_count == target->early_room) {
    const size_t room = target->early_room + 64;
    early *grown = realloc(target->early, room * sizeof *grown);
    if (grown == NULL) {
      lost(target);
      return;
    }
    target->early = grown;
    target->early_room = room;
  }
  early *word = &target->early[target->early_count++];
  memcpy(word->data, data, target->knobs.lanes);
  word->strobe = strobe;
  word->last = last;
}

/* Put the next read beat on the pins. */
static void show_beat(vio_target *target) {
  const beat next = target->ahead[0];
  vio_word *word = &target->r_word;
  target->ahead[0] = target->ahead[1];
  target->ahead_count--;
  vio_burst_word(next.burst, next.number, target->knobs.lanes, word->data);
  word->ident = next.burst->ident;
  word->response = next.burst->refused ? DECERR : OKAY;
  word->last = next.number + 1 == next.burst->beats;
  if (word->last && !vio_queue_add(&target->spare, next.burst)) vio_burst_free(next.burst);
}

static void show_response(vio_target *target) {
  vio_burst *burst = target->sending.items[0];
  vio_queue_remove(&target->sending, 0);
  target->b_word.ident = burst->ident;
  target->b_word.response = burst->refused ? DECERR : OKAY;
  if (!vio_queue_add(&target->spare, burst)) vio_burst_free(burst);
}

uint32_t vio_target_rise(vio_target *target, uint32_t pins) {
  const bool r_new = vio_source_rise(&target->r, pins & VIO_R_READY, target->ahead_count > 0);
  const bool b_new = vio_source_rise(&target->b, pins & VIO_B_READY, target->sending.count > 0);
  if (r_new) show_beat(target);
  if (b_new) show_response(target);
  vio_sink_rise(&target->ar, pins & VIO_AR_VALID);
  vio_sink_rise(&target->aw, pins & VIO_AW_VALID);
  vio_sink_rise(&target->w, pins & VIO_W_VALID);
  return (uint32_t)target->ar.ready * VIO_AR_READY | (uint32_t)target->aw.ready * VIO_AW_READY |
         (uint32_t)target->w.ready * VIO_W_READY | (uint32_t)target->r.valid * VIO_R_VALID |
         (uint32_t)target->b.valid * VIO_B_VALID | (uint32_t)r_new * VIO_R_NEW |
         (uint32_t)b_new * VIO_B_NEW;
}

const vio_word *vio_target_r(const vio_target *target) { return &target->r_word; }

const vio_word *vio_target_b(const vio_target *target) { return &target->b_word; }

/* Draw when the burst takes effect and when it is answered, and queue it. */
static void schedule(vio_target *target, vio_burst *burst, vio_queue *queue, uint32_t least,
                     uint32_t most) {
  const uint64_t now = target->host->now, period = target->host->period;
  uint32_t cycles = least, effect = 0;
  if (most > 0) {
    cycles = vio_dice_between(&target->dice, least, most);
    effect = vio_dice_between(&target->dice, 0, cycles);
  }
  burst->answer = now + cycles * period;
  burst->due = now + effect * period;
  if (!vio_queue_add(queue, burst)) lost(target);
}

static void effect_read(vio_target *target, vio_burst *burst) {
  burst->refused = !vio_memory_permits(target->memory, burst->addr, burst->length, VIO_READ) ||
                   vio_memory_dma_read(target->memory, burst->addr, burst->length, burst->data) < 0;
  if (burst->refused) memset(burst->data, 0, burst->length);
  if (target->knobs.guest)
    vio_host_emit(target->host, VIO_DMA_READ, 0, burst->addr, burst->length, burst->data,
                  burst->asked, burst->refused);
}

static bool is_message(const vio_run *run) {
  return run->addr >= VIO_MSI_ADDRESS_BASE && run->addr < VIO_MSI_ADDRESS_END &&
         run->length == MESSAGE_LENGTH;
}

/* Write one run of bytes; false if it is refused. */
static bool write_run(vio_target *target, const vio_burst *burst, const vio_run *run) {
  const uint8_t *data = burst->data + run->offset;
  const bool permitted =
      vio_memory_permits(target->memory, burst->addr, burst->length, VIO_WRITE);
  if (target->knobs.guest && permitted && is_message(run)) {
    uint32_t value;
    memcpy(&value, data, sizeof value);
    vio_host_emit(target->host, VIO_MSIX, 0, run->addr, run->length, data, burst->asked, false);
    vio_host_deliver(target->host, run->addr, value);
    return true;
  }
  const bool done =
      permitted && vio_memory_dma_write(target->memory, run->addr, run->length, data) == 0;
  if (target->knobs.guest)
    vio_host_emit(target->host, VIO_DMA_WRITE, 0, run->addr, run->length, data, burst->asked, !done);
  return done;
}

static void effect_write(vio_target *target, vio_burst *burst) {
  for (uint32_t i = 0; i < burst->run_count; i++)
    if (!write_run(target, burst, &burst->runs[i])) burst->refused = true;
}

/* Let what is due take effect; then it waits for its answer's time. */
static void take_effect(vio_target *target, vio_queue *from, vio_queue *to,
                        void (*effect)(vio_target *, vio_burst *)) {
  vio_burst *burst;
  const bool reorder = target->knobs.reorder;
  while ((burst = vio_queue_take(from, target->host->now, reorder, &target->dice, NULL)) != NULL) {
    effect(target, burst);
    burst->due = burst->answer;
    burst->moved = 0;
    if (!vio_queue_add(to, burst)) lost(target);
  }
}

/* The burst whose beat is sent next, NULL if there is none. */
static vio_burst *pick_active(vio_target *target) {
  const vio_target_knobs *knobs = &target->knobs;
  vio_queue *active = &target->active;
  vio_burst *more = NULL;
  if (active->count == 0 || (knobs->interleave && active->count < INTERLEAVED))
    more = vio_queue_take(&target->answers, target->host->now, knobs->reorder, &target->dice, active);
  if (more != NULL && !vio_queue_add(active, more)) lost(target);
  if (active->count == 0) return NULL;
  return active->items[active->count > 1 ? vio_dice_below(&target->dice, (uint32_t)active->count) : 0];
}

static void send_reads(vio_target *target) {
  vio_burst *burst;
  while (target->ahead_count < AHEAD && (burst = pick_active(target)) != NULL) {
    target->ahead[target->ahead_count++] = (beat){burst, burst->moved++};
    if (burst->moved < burst->beats) continue;
    size_t index = 0;
    while (target->active.items[index] != burst) index++;
    vio_queue_remove(&target->active, index);
  }
}

static void send_responses(vio_target *target) {
  vio_burst *burst;
  while ((burst = vio_queue_take(&target->acks, target->host->now, target->knobs.reorder,
                                 &target->dice, NULL)) != NULL)
    if (!vio_queue_add(&target->sending, burst)) lost(target);
}

static void move_pauses(vio_target *target) {
  vio_pause_fall(&target->ar.pause);
  vio_pause_fall(&target->r.pause);
  vio_pause_fall(&target->aw.pause);
  vio_pause_fall(&target->w.pause);
  vio_pause_fall(&target->b.pause);
}

void vio_target_fall(vio_target *target) {
  const vio_target_knobs *knobs = &target->knobs;
  if (knobs->stall != 0) move_pauses(target);
  if (target->announced != NULL) {
    schedule(target, target->announced, &target->reads, knobs->read_least, knobs->read_most);
    target->announced = NULL;
  }
  for (size_t i = 0; i < target->received.count; i++)
    schedule(target, target->received.items[i], &target->writes, knobs->write_least,
             knobs->write_most);
  target->received.count = 0;
  if (target->reads.count > 0) take_effect(target, &target->reads, &target->answers, effect_read);
  if (target->writes.count > 0) take_effect(target, &target->writes, &target->acks, effect_write);
  if (target->answers.count > 0 || target->active.count > 0) send_reads(target);
  if (target->acks.count > 0) send_responses(target);
}

bool vio_target_idle(const vio_host *host, int port) {
  const vio_target *target = vio_target_at((vio_host *)host, port);
  if (target == NULL) return true;
  const size_t waiting = target->receiving.count + target->received.count + target->reads.count +
                         target->writes.count + target->answers.count + target->acks.count +
                         target->active.count + target->sending.count + target->early_count;
  return waiting == 0 && target->announced == NULL && target->ahead_count == 0 && !target->r.valid &&
         !target->b.valid;
}

uint32_t vio_target_faults(const vio_host *host, int port) {
  const vio_target *target = vio_target_at((vio_host *)host, port);
  return target == NULL ? 0 : target->fault_count;
}

const char *vio_target_fault(const vio_host *host, int port, uint32_t index) {
  const vio_target *target = vio_target_at((vio_host *)host, port);
  const bool there = target != NULL && target->faults != NULL && index < target->fault_count;
  return there && index < FAULT_TEXTS ? target->faults[index] : NULL;
}
