/* One AXI channel, clock cycle by clock cycle, with the timing of cocotbext-axi's sources and sinks.
 *
 * Pauses change at the falling edge, everything else happens at the rising edge, from what the pins
 * were before it. */
#ifndef VIO_CHANNEL_H
#define VIO_CHANNEL_H
#include "dice.h"

/* Whether a channel pauses: runs of 1 to 8 cycles, `share` of 2^32 of the runs paused; 0 never. */
typedef struct vio_pause {
  vio_dice dice;
  uint32_t share, left;
  bool paused;
} vio_pause;

static inline void vio_pause_run(vio_pause *pause) {
  pause->paused = vio_dice_chance(&pause->dice, pause->share);
  pause->left = 1 + vio_dice_below(&pause->dice, 8);
}

static inline void vio_pause_seed(vio_pause *pause, vio_dice *dice, uint32_t share) {
  *pause = (vio_pause){.share = share};
  pause->dice.state = vio_dice_roll(dice);
  if (share != 0) vio_pause_run(pause);
}

static inline void vio_pause_fall(vio_pause *pause) {
  if (pause->share != 0 && --pause->left == 0) vio_pause_run(pause);
}

/* The receiving end: `ready` is its pin. Its pause is looked at behind an edge, in an idle channel
 * also when it changes. */
typedef struct vio_sink {
  vio_pause pause;
  bool ready, valid, idle, before; /* before: its pause at the last edge */
} vio_sink;

static inline void vio_sink_reset(vio_sink *sink) {
  sink->ready = sink->valid = sink->idle = false;
  sink->before = sink->pause.paused;
}

/* A rising edge with this `valid`; true if an item was handed over. */
static inline bool vio_sink_rise(vio_sink *sink, bool valid) {
  const bool woken = (valid && !sink->valid) || !sink->idle;
  const bool sampled = woken ? sink->before : sink->pause.paused;
  const bool taken = sink->ready && valid;
  const bool risen = !sampled && !sink->ready;
  sink->ready = !sampled;
  sink->valid = valid;
  sink->idle = (!valid || sampled) && sampled == sink->pause.paused && !risen;
  sink->before = sink->pause.paused;
  return taken;
}

/* The sending end: `valid` is its pin. */
typedef struct vio_source {
  vio_pause pause;
  bool valid;
} vio_source;

/* A rising edge with this `ready` and whether items wait; true if the next one goes to the pins. */
static inline bool vio_source_rise(vio_source *source, bool ready, bool waiting) {
  if (source->valid && !ready) return false;
  source->valid = waiting && !source->pause.paused;
  return source->valid;
}

#endif
