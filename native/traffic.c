/* Block requests kept in flight on one ring, in C, every byte checked. */
#include "dice.h"
#include "ring.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AREA = 512, STATUS = 16, AT_ONCE = 64, ERROR_TEXT = 120 };

/* One request in flight: header, status and data lie in its part of guest memory. */
typedef struct slot {
  uint64_t addr;
  uint8_t *content;
  uint64_t sector;
  bool write;
} slot;

struct vio_traffic {
  vio_memory *memory;
  vio_ring *ring;
  vio_traffic_setup setup;
  vio_kick kick;
  void *context;
  vio_dice dice;
  const uint8_t *medium; /* content from sector 0 on */
  uint64_t part;         /* sectors of the medium that a slot has to itself */
  slot *slots;
  uint32_t *slot_of; /* by buffer id */
  uint64_t posted, done;
  uint32_t wake_every;
  uint64_t next_wake;
  char error[ERROR_TEXT];
};

/* How many whole sectors the medium has from address 0 on, up to what `slots` parts can use. */
static uint64_t capacity(vio_memory *medium, uint32_t sectors, uint32_t depth) {
  uint64_t part = sectors;
  if (vio_memory_at(medium, 0, part * depth * VIO_BLK_SECTOR) == NULL) return 0;
  while (vio_memory_at(medium, 0, 2 * part * depth * VIO_BLK_SECTOR) != NULL) part *= 2;
  return part;
}

vio_traffic *vio_traffic_new(vio_memory *memory, vio_memory *medium, vio_ring *ring,
                             const vio_traffic_setup *setup, vio_kick kick, void *context) {
  if (setup->depth == 0 || setup->sectors == 0 || setup->sectors > 1u << 16) return NULL;
  const uint64_t part = capacity(medium, setup->sectors, setup->depth);
  const uint64_t stride = AREA + (uint64_t)VIO_BLK_SECTOR * setup->sectors;
  uint8_t *content = vio_memory_at(memory, setup->slots, stride * setup->depth);
  vio_traffic *traffic = calloc(1, sizeof *traffic);
  if (part == 0 || content == NULL || traffic == NULL) {
    free(traffic);
    return NULL;
  }
  *traffic = (vio_traffic){.memory = memory, .ring = ring, .setup = *setup, .kick = kick,
                           .context = context, .dice = {setup->seed}, .part = part};
  traffic->medium = vio_memory_at(medium, 0, part * setup->depth * VIO_BLK_SECTOR);
  traffic->slots = calloc(setup->depth, sizeof *traffic->slots);
  traffic->slot_of = calloc(VIO_MAX_QUEUE_SIZE, sizeof *traffic->slot_of);
  if (traffic->slots == NULL || traffic->slot_of == NULL) {
    vio_traffic_free(traffic);
    return NULL;
  }
  for (uint32_t i = 0; i < setup->depth; i++)
    traffic->slots[i] = (slot){.addr = setup->slots + i * stride, .content = content + i * stride};
  return traffic;
}

void vio_traffic_free(vio_traffic *traffic) {
  if (traffic == NULL) return;
  free(traffic->slots);
  free(traffic->slot_of);
  free(traffic);
}

static uint32_t bytes(const vio_traffic *traffic) { return traffic->setup.sectors * VIO_BLK_SECTOR; }

/* The sector's own bytes differ from request to request, so that stale data shows. */
static void fill(vio_traffic *traffic, const slot *s) {
  uint8_t *data = s->content + AREA;
  const uint32_t length = bytes(traffic);
  if (!s->write) {
    memset(data, 0xa5, length);
    return;
  }
  uint64_t word = traffic->posted << 32 | vio_dice_roll(&traffic->dice);
  for (uint32_t at = 0; at < length; at += 8, word += UINT64_C(0x9e3779b97f4a7c15))
    memcpy(data + at, &word, sizeof word);
}

/* The driver's store of what stands at `at` of a slot becomes an event, as the ring's stores do. */
static void stored(const vio_traffic *traffic, const slot *s, uint32_t at, uint32_t length) {
  vio_host *host = traffic->ring->host;
  if (host != NULL)
    vio_host_emit(host, VIO_MEM_WRITE, 0, s->addr + at, length, s->content + at, VIO_NO_TIME, false);
}

/* Write a request into its slot and add its chain; false if the ring is full. */
static bool post(vio_traffic *traffic, uint32_t index) {
  slot *s = &traffic->slots[index];
  vio_dice *dice = &traffic->dice;
  const uint32_t places = (uint32_t)(traffic->part / traffic->setup.sectors);
  s->write = vio_dice_chance(dice, traffic->setup.writes);
  s->sector = index * traffic->part + (uint64_t)vio_dice_below(dice, places) * traffic->setup.sectors;
  const uint32_t head[4] = {s->write ? VIO_BLK_REQUEST_OUT : VIO_BLK_REQUEST_IN, 0,
                            (uint32_t)s->sector, (uint32_t)(s->sector >> 32)};
  memcpy(s->content, head, sizeof head);
  s->content[STATUS] = 0xff;
  fill(traffic, s);
  stored(traffic, s, 0, STATUS + 1);
  if (s->write) stored(traffic, s, AREA, bytes(traffic));
  const vio_element chain[3] = {{s->addr, VIO_BLK_HEADER_LENGTH, false},
                                {s->addr + AREA, bytes(traffic), !s->write},
                                {s->addr + STATUS, 1, true}};
  const int id = vio_ring_add(traffic->ring, chain, 3);
  if (id < 0) return false;
  traffic->slot_of[id] = index;
  traffic->posted++;
  return true;
}

static void publish(vio_traffic *traffic) {
  if (!vio_ring_publish(traffic->ring)) return;
  const uint32_t data = traffic->setup.notification_data ? vio_ring_position(traffic->ring) : 0;
  traffic->kick(traffic->context, traffic->setup.queue | data);
}

/* How many chains to ask an interrupt for: never more than are left. */
static uint32_t next_batch(const vio_traffic *traffic) {
  const uint64_t left = traffic->posted - traffic->done;
  return left < traffic->setup.batch ? (uint32_t)left : traffic->setup.batch;
}

void vio_traffic_start(vio_traffic *traffic) {
  for (uint32_t i = 0; i < traffic->setup.depth && traffic->posted < traffic->setup.total; i++)
    if (!post(traffic, i)) break;
  vio_ring_arm(traffic->ring, next_batch(traffic));
  publish(traffic);
}

static void check(vio_traffic *traffic, uint32_t index, uint32_t length) {
  const slot *s = &traffic->slots[index];
  const uint32_t wanted = s->write ? 1 : bytes(traffic) + 1;
  const uint8_t *medium = traffic->medium + s->sector * VIO_BLK_SECTOR;
  const char *what = NULL;
  if (s->content[STATUS] != VIO_BLK_STATUS_OK) what = "its status is not OK";
  else if (length != wanted) what = "its used length is wrong";
  else if (memcmp(s->content + AREA, medium, bytes(traffic)) != 0) what = "its data is wrong";
  if (what != NULL && traffic->error[0] == '\0')
    snprintf(traffic->error, ERROR_TEXT, "request %" PRIu64 ", a %s of sector %" PRIu64 ": %s",
             traffic->done, s->write ? "write" : "read", s->sector, what);
}

/* Check and repost what is used by now. */
static uint32_t reap(vio_traffic *traffic) {
  uint32_t ids[AT_ONCE], lengths[AT_ONCE], total = 0;
  int count;
  while ((count = vio_ring_reap(traffic->ring, ids, lengths, AT_ONCE)) > 0) {
    for (int i = 0; i < count; i++) {
      const uint32_t index = traffic->slot_of[ids[i]];
      check(traffic, index, lengths[i]);
      traffic->done++;
      if (traffic->posted < traffic->setup.total) post(traffic, index);
    }
    total += (uint32_t)count;
  }
  if (count < 0 && traffic->error[0] == '\0')
    snprintf(traffic->error, ERROR_TEXT, "the device used a chain that was not available");
  return total;
}

uint32_t vio_traffic_turn(vio_traffic *traffic) {
  uint32_t total = 0, more;
  /* What was used before the interrupt was armed raises none: look again. */
  do {
    more = reap(traffic);
    total += more;
    if (more > 0 && traffic->posted > traffic->done) vio_ring_arm(traffic->ring, next_batch(traffic));
    publish(traffic);
  } while (more > 0);
  return total;
}

uint64_t vio_traffic_done(const vio_traffic *traffic) { return traffic->done; }

const char *vio_traffic_error(const vio_traffic *traffic) {
  return traffic->error[0] == '\0' ? NULL : traffic->error;
}

static bool on_message(void *context, uint64_t addr, uint32_t data) {
  vio_traffic *traffic = context;
  (void)addr;
  (void)data;
  vio_traffic_turn(traffic);
  if (traffic->done < traffic->next_wake && traffic->done < traffic->setup.total &&
      traffic->error[0] == '\0')
    return false;
  traffic->next_wake = traffic->done + traffic->wake_every;
  return true;
}

void vio_traffic_serve(vio_traffic *traffic, vio_host *host, uint32_t wake_every) {
  traffic->wake_every = wake_every;
  traffic->next_wake = traffic->done + wake_every;
  vio_host_on_message(host, wake_every == 0 ? NULL : on_message, traffic);
}

void vio_doorbell_ring(void *context, uint32_t value) {
  const vio_doorbell *doorbell = context;
  vio_access_start(doorbell->host, doorbell->port, doorbell->bar, doorbell->base, doorbell->addr,
                   doorbell->length, true, value, true);
}
