/* The host: time, interrupts, wake-ups, and the ports that share them. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Kept events are worth a wake-up from this many bytes on. */
#define KEPT_WAKE ((size_t)1 << 20)

vio_host *vio_active;
uint32_t vio_target_lanes[VIO_TARGETS], vio_initiator_lanes[VIO_INITIATORS];
uint8_t vio_line;
vio_clock vio_sim_clock;
void (*vio_sleeper)(void);

vio_host *vio_host_new(uint64_t origin, uint64_t period) {
  vio_host *host = calloc(1, sizeof *host);
  if (host == NULL) return NULL;
  host->origin = origin;
  host->period = period;
  host->alarm = VIO_NO_TIME;
  host->events = vio_events_new();
  host->message_room = 64;
  host->messages = calloc(host->message_room, sizeof *host->messages);
  if (host->events != NULL && host->messages != NULL) return host;
  vio_host_free(host);
  return NULL;
}

void vio_host_free(vio_host *host) {
  if (host == NULL) return;
  if (vio_active == host) vio_active = NULL;
  for (int i = 0; i < VIO_TARGETS; i++) vio_target_free(host->targets[i]);
  for (int i = 0; i < VIO_INITIATORS; i++) vio_initiator_free(host->initiators[i]);
  vio_events_free(host->events);
  free(host->messages);
  free(host);
}

void vio_host_activate(vio_host *host) { vio_active = host; }

void vio_clock_start(uint64_t now, uint64_t period) {
  vio_sim_clock = (vio_clock){period / 2, now + period / 2, true, false};
}

void vio_clock_stop(void) { vio_sim_clock.running = false; }

void vio_host_sleep(void (*wake)(void)) {
  vio_sleeper = wake;
  if (vio_active == NULL) return;
  vio_active->wake = false;
  if (wake == NULL) vio_active->alarm = VIO_NO_TIME;
}

void vio_host_alarm(vio_host *host, uint64_t time) {
  const uint64_t at = time > UINT64_MAX - host->origin ? VIO_NO_TIME : time + host->origin;
  if (at < host->alarm) host->alarm = at;
}

vio_events *vio_host_events(vio_host *host) { return host->events; }

uint64_t vio_host_now(const vio_host *host) { return host->now; }

void vio_host_time(vio_host *host, uint64_t time) { host->now = time - host->origin; }

vio_target *vio_target_at(vio_host *host, int port) {
  return host == NULL || port < 0 || port >= VIO_TARGETS ? NULL : host->targets[port];
}

vio_initiator *vio_initiator_at(vio_host *host, int port) {
  return host == NULL || port < 0 || port >= VIO_INITIATORS ? NULL : host->initiators[port];
}

bool vio_host_message(vio_host *host, uint64_t *addr, uint32_t *data) {
  if (host->message_count == 0) return false;
  const vio_message message = host->messages[host->message_from];
  host->message_from = (host->message_from + 1) & (host->message_room - 1);
  host->message_count--;
  *addr = message.addr;
  *data = message.data;
  return true;
}

uint32_t vio_host_messages(const vio_host *host) { return host->message_count; }

int vio_host_intx(const vio_host *host) { return host->intx; }

void vio_host_on_message(vio_host *host, vio_message_sink sink, void *context) {
  host->on_message = sink;
  host->message_context = context;
}

void vio_host_restart(vio_host *host) {
  host->message_count = 0;
  for (int i = 0; i < VIO_TARGETS; i++)
    if (host->targets[i] != NULL) vio_target_restart(host->targets[i]);
}

static bool grow_messages(vio_host *host) {
  const uint32_t room = host->message_room;
  vio_message *grown = calloc(2 * (size_t)room, sizeof *grown);
  if (grown == NULL) return false;
  for (uint32_t i = 0; i < host->message_count; i++)
    grown[i] = host->messages[(host->message_from + i) & (room - 1)];
  free(host->messages);
  host->messages = grown;
  host->message_from = 0;
  host->message_room = 2 * room;
  return true;
}

void vio_host_deliver(vio_host *host, uint64_t addr, uint32_t data) {
  if (host->on_message != NULL) {
    if (host->on_message(host->message_context, addr, data)) host->wake = true;
    return;
  }
  if (host->message_count == host->message_room && !grow_messages(host)) return;
  const uint32_t to = (host->message_from + host->message_count++) & (host->message_room - 1);
  host->messages[to] = (vio_message){addr, data};
  host->wake = true;
}

void vio_host_emit(vio_host *host, uint8_t kind, uint8_t number, uint64_t addr, uint32_t length,
                   const uint8_t *data, uint64_t asked, bool err) {
  const vio_event event = {host->now, asked, addr, length, kind, number, err, 0, data};
  vio_events_emit(host->events, &event);
}

static void watch_line(vio_host *host) {
  host->intx = vio_line;
  vio_host_emit(host, VIO_INTX, host->intx, 0, 0, NULL, VIO_NO_TIME, false);
  host->wake = true;
}

void vio_host_rise(vio_host *host) { host->risen = true; }

void vio_host_fall(vio_host *host) {
  if (!host->risen) return; /* the clock was high when this host began */
  for (int i = 0; i < VIO_TARGETS; i++)
    if (host->targets[i] != NULL) vio_target_fall(host->targets[i]);
  for (int i = 0; i < VIO_INITIATORS; i++)
    if (host->initiators[i] != NULL) vio_initiator_fall(host->initiators[i]);
  if (vio_line != host->intx) watch_line(host);
  if (vio_events_kept(host->events) >= KEPT_WAKE) host->wake = true;
}
