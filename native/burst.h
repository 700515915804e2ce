/* AXI4 bursts as byte ranges, and queues of them that wait for their time; inside native/ only. */
#ifndef VIO_BURST_H
#define VIO_BURST_H
#include "dice.h"

#include <stddef.h>

/* Contiguous written bytes: `length` bytes at `addr`, in the burst's data from `offset` on. */
typedef struct vio_run {
  uint64_t addr;
  uint32_t offset, length;
} vio_run;

/* One burst as its address channel announced it. `asked`: time of that handshake; `due`: of its next
 * stage; `answer`: earliest time of its response. `data`: what is read from addr on, or the written
 * bytes run by run. */
typedef struct vio_burst {
  uint64_t addr, asked, due, answer;
  uint32_t ident, beats, size, length;
  uint32_t moved; /* beats received or sent */
  bool refused;
  uint8_t *data;
  size_t data_room;
  uint32_t used;
  vio_run *runs;
  uint32_t run_count, run_room;
  bool outside; /* strobes outside the burst were seen, first at outside_beat */
  uint32_t outside_beat;
} vio_burst;

/* A list of bursts, oldest first. */
typedef struct vio_queue {
  vio_burst **items;
  size_t count, room;
} vio_queue;

vio_burst *vio_burst_new(void);
void vio_burst_free(vio_burst *burst);
/* Make room for `length` bytes of data; false: out of memory. */
bool vio_burst_room(vio_burst *burst, size_t length);
/* First address of a beat and, in *count, its bytes. */
uint64_t vio_burst_beat(const vio_burst *burst, uint32_t beat, uint32_t *count);
/* Take a write beat: the bus's `lanes` bytes and their strobes. */
bool vio_burst_take(vio_burst *burst, uint32_t lanes, const uint8_t *data, uint64_t strobe);
/* The bus's `lanes` bytes of a read beat. */
void vio_burst_word(const vio_burst *burst, uint32_t beat, uint32_t lanes, uint8_t *word);

bool vio_queue_add(vio_queue *queue, vio_burst *burst);
void vio_queue_remove(vio_queue *queue, size_t index);
/* Take a burst that is due and whose id none of `others` has: the oldest, or with `reorder` any that
 * is the oldest of its id. NULL if there is none. */
vio_burst *vio_queue_take(vio_queue *queue, uint64_t now, bool reorder, vio_dice *dice,
                          const vio_queue *others);

#endif
