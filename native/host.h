/* What the bus models and the simulator's side know of a host; inside native/ only. */
#ifndef VIO_HOST_H
#define VIO_HOST_H
#include "channel.h"
#include "vio_native.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct vio_target vio_target;
typedef struct vio_initiator vio_initiator;

typedef struct vio_message {
  uint64_t addr;
  uint32_t data;
} vio_message;

struct vio_host {
  uint64_t origin, now, period;
  uint64_t alarm; /* in simulation time, VIO_NO_TIME: none */
  vio_events *events;
  vio_target *targets[VIO_TARGETS];
  vio_initiator *initiators[VIO_INITIATORS];
  vio_message *messages; /* a ring of message_room, a power of two */
  uint32_t message_from, message_count, message_room;
  vio_message_sink on_message;
  void *message_context;
  bool wake, risen;
  uint8_t intx; /* the level that was last reported */
};

/* The host that the pins reach, or NULL. */
extern vio_host *vio_active;
/* Data buses of the wrapper's ports in bytes, 0 where there is none. */
extern uint32_t vio_target_lanes[VIO_TARGETS], vio_initiator_lanes[VIO_INITIATORS];
/* The INTx pin. */
extern uint8_t vio_line;
/* The clock that main.cpp drives. */
typedef struct vio_clock {
  uint64_t half, next; /* half a period, and when the level changes next */
  bool running, high;
} vio_clock;
extern vio_clock vio_sim_clock;
/* The software that waits for a wake-up, NULL if nobody does. */
extern void (*vio_sleeper)(void);

/* The simulator's side (main.cpp, dpi.c). A time step at simulation time `time`. */
void vio_host_time(vio_host *host, uint64_t time);
/* The rising clock edge, before the pins move. */
void vio_host_rise(vio_host *host);
/* The falling clock edge: pauses change, bursts take effect, INTx is looked at. */
void vio_host_fall(vio_host *host);
/* An interrupt message left the device (its event is emitted). */
void vio_host_deliver(vio_host *host, uint64_t addr, uint32_t data);
/* Emit an event of this moment. */
void vio_host_emit(vio_host *host, uint8_t kind, uint8_t number, uint64_t addr, uint32_t length,
                   const uint8_t *data, uint64_t asked, bool err);

/* A data bus of at most 64 bytes, and what goes with it. */
typedef struct vio_word {
  uint8_t data[64];
  uint32_t ident, response;
  bool last;
} vio_word;

/* Pins of a target at a rising edge, and its pins behind it. */
enum vio_target_pins {
  VIO_AR_VALID = 1, VIO_AW_VALID = 2, VIO_W_VALID = 4, VIO_R_READY = 8, VIO_B_READY = 16
};
enum vio_target_state {
  VIO_AR_READY = 1, VIO_AW_READY = 2, VIO_W_READY = 4, VIO_R_VALID = 8, VIO_B_VALID = 16,
  VIO_R_NEW = 32, VIO_B_NEW = 64 /* another word is to be fetched */
};
vio_target *vio_target_at(vio_host *host, int port);
void vio_target_reset(vio_target *target);
/* What is handed over at this edge, told before vio_target_rise. */
void vio_target_ar(vio_target *target, uint32_t ident, uint64_t addr, uint32_t length, uint32_t size,
                   uint32_t burst);
void vio_target_aw(vio_target *target, uint32_t ident, uint64_t addr, uint32_t length, uint32_t size,
                   uint32_t burst);
void vio_target_w(vio_target *target, const uint8_t *data, uint64_t strobe, bool last);
uint32_t vio_target_rise(vio_target *target, uint32_t pins);
const vio_word *vio_target_r(const vio_target *target);
const vio_word *vio_target_b(const vio_target *target);
void vio_target_fall(vio_target *target);
void vio_target_restart(vio_target *target);
void vio_target_free(vio_target *target);

/* Pins of an initiator at a rising edge, and its pins behind it. */
enum vio_initiator_pins {
  VIO_M_AW_READY = 1, VIO_M_W_READY = 2, VIO_M_B_VALID = 4, VIO_M_AR_READY = 8, VIO_M_R_VALID = 16,
  VIO_M_R_ERROR = 32
};
enum vio_initiator_state {
  VIO_M_AW_VALID = 1, VIO_M_W_VALID = 2, VIO_M_B_READY = 4, VIO_M_AR_VALID = 8, VIO_M_R_READY = 16,
  VIO_M_AW_NEW = 32, VIO_M_W_NEW = 64, VIO_M_AR_NEW = 128
};
/* What the address and data pins show. */
typedef struct vio_initiator_word {
  uint64_t awaddr, araddr, wdata;
  uint32_t wstrb;
} vio_initiator_word;
vio_initiator *vio_initiator_at(vio_host *host, int port);
void vio_initiator_reset(vio_initiator *initiator);
uint32_t vio_initiator_rise(vio_initiator *initiator, uint32_t pins, uint64_t rdata);
const vio_initiator_word *vio_initiator_word_of(const vio_initiator *initiator);
void vio_initiator_fall(vio_initiator *initiator);
void vio_initiator_free(vio_initiator *initiator);

#ifdef __cplusplus
}
#endif
#endif
