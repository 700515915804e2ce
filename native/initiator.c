/* The host's AXI4-Lite initiator: byte-exact accesses of 1 to 8 bytes; the twin of tb/ports/axil.py. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

enum { ACCESSES = 64, PIECES = ACCESSES, CONFIG_SPACE = -1 };

typedef enum stage { FREE, RUNNING, TAKEN, DONE } stage;

/* An access, cut into pieces that fit the bus; one piece is under way at a time. */
typedef struct access {
  stage stage;
  bool write, posted, last_sent;
  int bar;
  uint64_t base, addr, value, asked;
  uint32_t length, done, piece; /* bytes done, bytes of the piece under way */
} access;

/* Accesses in order: at most one piece of each is in a queue. */
typedef struct fifo {
  uint8_t items[PIECES];
  uint32_t from, count;
} fifo;

struct vio_initiator {
  vio_host *host;
  uint32_t lanes;
  access accesses[ACCESSES];
  vio_source aw, w, ar;
  vio_sink b, r;
  fifo aw_queue, w_queue, ar_queue; /* pieces to be sent */
  fifo writes, reads;               /* pieces to be answered */
  vio_initiator_word word;
};

static void push(fifo *queue, uint32_t item) {
  queue->items[(queue->from + queue->count++) % PIECES] = (uint8_t)item;
}

static uint32_t front(const fifo *queue) { return queue->items[queue->from]; }

static uint32_t pop(fifo *queue) {
  const uint32_t item = front(queue);
  queue->from = (queue->from + 1) % PIECES;
  queue->count--;
  return item;
}

int vio_initiator_open(vio_host *host, int port, uint32_t lanes, uint32_t stall, uint64_t seed) {
  if (port < 0 || port >= VIO_INITIATORS || host->initiators[port] != NULL) return -1;
  if (lanes == 0) lanes = vio_initiator_lanes[port];
  if (lanes != 4 && lanes != 8) return -1;
  vio_initiator *initiator = calloc(1, sizeof *initiator);
  if (initiator == NULL) return -1;
  initiator->host = host;
  initiator->lanes = lanes;
  vio_dice dice = {seed};
  vio_pause *pauses[] = {&initiator->aw.pause, &initiator->w.pause, &initiator->b.pause,
                         &initiator->ar.pause, &initiator->r.pause};
  for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) vio_pause_seed(pauses[i], &dice, stall);
  host->initiators[port] = initiator;
  return 0;
}

void vio_initiator_free(vio_initiator *initiator) { free(initiator); }

void vio_initiator_reset(vio_initiator *initiator) {
  initiator->aw.valid = initiator->w.valid = initiator->ar.valid = false;
  vio_sink_reset(&initiator->b);
  vio_sink_reset(&initiator->r);
}

static uint64_t bus_address(const access *a) { return a->base + a->addr + a->done; }

static uint32_t lane_of(const vio_initiator *initiator, const access *a) {
  return (uint32_t)(bus_address(a) & (initiator->lanes - 1));
}

static void send_piece(vio_initiator *initiator, uint32_t index) {
  access *a = &initiator->accesses[index];
  const uint32_t room = initiator->lanes - lane_of(initiator, a);
  const uint32_t left = a->length - a->done;
  a->piece = left < room ? left : room;
  if (a->write) {
    a->last_sent = a->piece == left;
    push(&initiator->aw_queue, index);
    push(&initiator->w_queue, index);
    push(&initiator->writes, index);
  } else {
    push(&initiator->ar_queue, index);
    push(&initiator->reads, index);
  }
}

int vio_access_start(vio_host *host, int port, int bar, uint64_t base, uint64_t addr, uint32_t length,
                     bool write, uint64_t value, bool posted) {
  vio_initiator *initiator = vio_initiator_at(host, port);
  if (initiator == NULL || length == 0 || length > 8 || bar < CONFIG_SPACE || bar > 5) return -1;
  uint32_t index = 0;
  while (index < ACCESSES && initiator->accesses[index].stage != FREE) index++;
  if (index == ACCESSES) return -1;
  initiator->accesses[index] = (access){
      .stage = RUNNING, .write = write, .posted = posted, .bar = bar, .base = base, .addr = addr,
      .value = write ? value : 0, .asked = host->now, .length = length};
  send_piece(initiator, index);
  return (int)index;
}

static const access *access_at(const vio_host *host, int port, int index) {
  const vio_initiator *initiator = vio_initiator_at((vio_host *)host, port);
  return initiator == NULL || index < 0 || index >= ACCESSES ? NULL : &initiator->accesses[index];
}

int vio_access_state(const vio_host *host, int port, int index) {
  const access *a = access_at(host, port, index);
  if (a == NULL || a->stage == FREE) return -1;
  return a->stage == RUNNING ? VIO_RUNNING : a->stage == TAKEN ? VIO_TAKEN : VIO_DONE;
}

uint64_t vio_access_finish(vio_host *host, int port, int index) {
  access *a = (access *)access_at(host, port, index);
  if (a == NULL) return UINT64_MAX;
  if (a->stage == DONE) a->stage = FREE;
  else a->posted = true; /* given up: its pieces still run */
  return a->value;
}

static void emit(vio_initiator *initiator, const access *a) {
  const bool config = a->bar == CONFIG_SPACE;
  const uint8_t kind = a->write ? (config ? VIO_CFG_WRITE : VIO_BAR_WRITE)
                                : (config ? VIO_CFG_READ : VIO_BAR_READ);
  vio_host_emit(initiator->host, kind, config ? 0 : (uint8_t)a->bar, a->addr, a->length,
                (const uint8_t *)&a->value, a->asked, false);
}

static void finish(vio_initiator *initiator, access *a) {
  a->stage = a->posted ? FREE : DONE;
  if (!a->posted) initiator->host->wake = true;
}

/* The address and data channels are empty: the device has every write whose last piece was sent. */
static void take_writes(vio_initiator *initiator) {
  for (uint32_t i = 0; i < initiator->writes.count; i++) {
    access *a = &initiator->accesses[initiator->writes.items[(initiator->writes.from + i) % PIECES]];
    if (a->stage != RUNNING || !a->last_sent) continue;
    a->stage = TAKEN;
    emit(initiator, a);
  }
}

static void end_write_piece(vio_initiator *initiator) {
  const uint32_t index = pop(&initiator->writes);
  access *a = &initiator->accesses[index];
  a->done += a->piece;
  if (a->done < a->length) {
    send_piece(initiator, index);
    return;
  }
  if (a->stage == RUNNING) emit(initiator, a); /* answered before its data went: the device's fault */
  finish(initiator, a);
}

static void end_read_piece(vio_initiator *initiator, uint64_t rdata, bool error) {
  const uint32_t index = pop(&initiator->reads);
  access *a = &initiator->accesses[index];
  const uint64_t mask = a->piece == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * a->piece) - 1;
  const uint64_t part = error ? mask : rdata >> 8 * lane_of(initiator, a) & mask;
  a->value |= part << 8 * a->done;
  a->done += a->piece;
  if (a->done < a->length) {
    send_piece(initiator, index);
    return;
  }
  emit(initiator, a);
  finish(initiator, a);
}

static void show_aw(vio_initiator *initiator) {
  initiator->word.awaddr = bus_address(&initiator->accesses[pop(&initiator->aw_queue)]);
}

static void show_w(vio_initiator *initiator) {
  const access *a = &initiator->accesses[pop(&initiator->w_queue)];
  const uint32_t lane = lane_of(initiator, a);
  const uint64_t mask = a->piece == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * a->piece) - 1;
  initiator->word.wdata = (a->value >> 8 * a->done & mask) << 8 * lane;
  initiator->word.wstrb = ((UINT32_C(1) << a->piece) - 1) << lane;
}

static void show_ar(vio_initiator *initiator) {
  initiator->word.araddr = bus_address(&initiator->accesses[pop(&initiator->ar_queue)]);
}

uint32_t vio_initiator_rise(vio_initiator *initiator, uint32_t pins, uint64_t rdata) {
  vio_initiator *m = initiator;
  const bool aw_new = vio_source_rise(&m->aw, pins & VIO_M_AW_READY, m->aw_queue.count > 0);
  const bool w_new = vio_source_rise(&m->w, pins & VIO_M_W_READY, m->w_queue.count > 0);
  const bool ar_new = vio_source_rise(&m->ar, pins & VIO_M_AR_READY, m->ar_queue.count > 0);
  if (aw_new) show_aw(m);
  if (w_new) show_w(m);
  if (ar_new) show_ar(m);
  const bool sent = m->aw_queue.count + m->w_queue.count == 0 && !m->aw.valid && !m->w.valid;
  if (sent && m->writes.count > 0) take_writes(m);
  if (vio_sink_rise(&m->b, pins & VIO_M_B_VALID) && m->writes.count > 0) end_write_piece(m);
  if (vio_sink_rise(&m->r, pins & VIO_M_R_VALID) && m->reads.count > 0)
    end_read_piece(m, rdata, pins & VIO_M_R_ERROR);
  return (uint32_t)m->aw.valid * VIO_M_AW_VALID | (uint32_t)m->w.valid * VIO_M_W_VALID |
         (uint32_t)m->b.ready * VIO_M_B_READY | (uint32_t)m->ar.valid * VIO_M_AR_VALID |
         (uint32_t)m->r.ready * VIO_M_R_READY | (uint32_t)aw_new * VIO_M_AW_NEW |
         (uint32_t)w_new * VIO_M_W_NEW | (uint32_t)ar_new * VIO_M_AR_NEW;
}

const vio_initiator_word *vio_initiator_word_of(const vio_initiator *initiator) {
  return &initiator->word;
}

void vio_initiator_fall(vio_initiator *initiator) {
  vio_pause_fall(&initiator->aw.pause);
  vio_pause_fall(&initiator->w.pause);
  vio_pause_fall(&initiator->b.pause);
  vio_pause_fall(&initiator->ar.pause);
  vio_pause_fall(&initiator->r.pause);
}
