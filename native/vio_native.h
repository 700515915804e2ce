/* The native path's contract: guest memory, the event stream, host-side bus models, bulk ring work.
 *
 * Addresses and lengths are in bytes, times in picoseconds, values little-endian. Functions that can
 * fail return 0 or a pointer on success and -1 or NULL on failure; nothing here aborts, prints or
 * keeps a pointer into the caller's memory unless it says so. One thread at a time. What is NOT
 * checked: pointers that did not come from here.
 *
 * binding.py hands this file to cffi: below the include guard only plain C declarations, no macros.
 */
#ifndef VIO_NATIVE_H
#define VIO_NATIVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define VIO_NO_TIME UINT64_MAX /* a time that is unknown */
#ifdef __cplusplus
extern "C" {
#endif

/* ---- guest memory: sparse regions of a 64-bit address space ---- */

typedef struct vio_memory vio_memory;
enum vio_access { VIO_READ = 1, VIO_WRITE = 2 };

vio_memory *vio_memory_new(void);
void vio_memory_free(vio_memory *memory);
/* Add zeroed memory whose pages cost nothing until touched; NULL if empty, overlapping or wrapping.
 * The content stays where it is until it is removed. */
uint8_t *vio_memory_add(vio_memory *memory, uint64_t base, uint64_t length);
/* Add the caller's memory, which must stay until it is removed. */
int vio_memory_map(vio_memory *memory, uint64_t base, uint64_t length, uint8_t *data);
/* Remove the memory that begins at base; -1 if none does. */
int vio_memory_unmap(vio_memory *memory, uint64_t base);
/* Remove all memory; what may be done with ranges stays. */
void vio_memory_clear(vio_memory *memory);
/* The content at addr, or NULL unless all `length` bytes lie in one region. */
uint8_t *vio_memory_at(vio_memory *memory, uint64_t addr, uint64_t length);
/* Refuse the device the accesses `deny` to a range and grant it `allow` (sums of vio_access) from now
 * on. All is allowed at first. */
int vio_memory_protect(vio_memory *memory, uint64_t addr, uint64_t length, int deny, int allow);
/* Whether nothing is refused there, be it memory or not. */
bool vio_memory_permits(const vio_memory *memory, uint64_t addr, uint64_t length, int access);
/* Whether the device may do `access` with the whole range (false outside the regions). */
bool vio_memory_allows(const vio_memory *memory, uint64_t addr, uint64_t length, int access);
/* A recorded session: the device's next read of this piece finds `data` there, whatever was stored.
 * Reads in other pieces find the oldest recorded content of their bytes. -1: no memory. */
int vio_memory_record(vio_memory *memory, uint64_t addr, uint32_t length, const uint8_t *data);
/* The device's accesses: refused (-1, nothing changed) outside the regions or where not allowed. */
int vio_memory_dma_read(vio_memory *memory, uint64_t addr, uint32_t length, uint8_t *data);
int vio_memory_dma_write(vio_memory *memory, uint64_t addr, uint32_t length, const uint8_t *data);

/* ---- events: what crossed the host boundary, in the order of completion ---- */

enum vio_event_kind {
  VIO_CFG_READ, VIO_CFG_WRITE, VIO_BAR_READ, VIO_BAR_WRITE, VIO_DMA_READ, VIO_DMA_WRITE,
  VIO_MEM_WRITE, VIO_MSIX, VIO_MSIX_VECTOR, VIO_INTX, VIO_RESET, VIO_MARK, VIO_EVENT_KINDS
};

/* One fact. `t_req` is VIO_NO_TIME where unknown. `data`: the bytes in address order; of VIO_MSIX the
 * four bytes of the message; of VIO_RESET and VIO_MARK UTF-8 text. */
typedef struct vio_event {
  uint64_t t, t_req, addr;  /* addr of VIO_MSIX_VECTOR: the vector */
  uint32_t length;
  uint8_t kind;             /* enum vio_event_kind */
  uint8_t number;           /* BAR number, or INTx level */
  uint8_t err;              /* DMA that the host answered with an error */
  uint8_t reserved;
  const uint8_t *data;
} vio_event;

typedef struct vio_events vio_events;
/* Called for every event, in order, many at a time: a judge between two steps of a simulator costs both
 * of them their caches. `event` is valid during the call only. */
typedef void (*vio_event_sink)(void *context, const vio_event *event);

vio_events *vio_events_new(void);
void vio_events_free(vio_events *events);
/* Add a sink for further events, called in the order of adding (NULL sink: remove all with this context,
 * behind the events so far). At most 8. */
int vio_events_listen(vio_events *events, vio_event_sink sink, void *context);
void vio_events_emit(vio_events *events, const vio_event *event);
/* Call the sinks for all events so far. */
void vio_events_settle(vio_events *events);
uint64_t vio_events_count(const vio_events *events);
/* Keep events for vio_events_drain from now on (or drop what is kept and keep no more). */
void vio_events_keep(vio_events *events, bool keep);
/* Bytes that a drain would return; whether memory ran out and events are missing there. */
size_t vio_events_kept(const vio_events *events);
bool vio_events_lost(const vio_events *events);
/* Move whole records into `out`, oldest first; returns the bytes used. A record: t, t_req, addr
 * (8 bytes each), length (4), kind, number, err, 0 (1 each), then the data, padded to 8. */
size_t vio_events_drain(vio_events *events, uint8_t *out, size_t size);
/* Write events as vtrace lines to `path` (created or emptied) behind `header`, a whole line; whole
 * lines only ever reach the file, at vio_events_flush and about every 64 KiB. -1: errno says why, and
 * from then on flush and close say -1 as well. */
int vio_events_trace(vio_events *events, const char *path, const char *header);
int vio_events_flush(vio_events *events);
int vio_events_trace_close(vio_events *events);
/* The vtrace line of one event, without the line end; bytes needed, of which at most `size` are written. */
size_t vio_event_line(const vio_event *event, char *out, size_t size);

/* ---- the host: one per test; the simulator talks to the active one ---- */

typedef struct vio_host vio_host;
/* Targets and initiators are named by the number that the bench wrapper gave them. */
enum vio_limits { VIO_TARGETS = 4, VIO_INITIATORS = 4 };

/* A host without ports; `period` is the clock's. `origin` is the simulation time of its time 0. */
vio_host *vio_host_new(uint64_t origin, uint64_t period);
void vio_host_free(vio_host *host);
/* The host that the simulator's pins reach from now on (NULL: none, every pin stays low). */
void vio_host_activate(vio_host *host);
vio_events *vio_host_events(vio_host *host);
uint64_t vio_host_now(const vio_host *host);
/* Call `wake` once (main.cpp does), at the next moment at which something happened on the active host
 * that its software may wait for: an access moved on, a message came, INTx changed, many events are
 * kept, or the time of vio_host_alarm came. NULL: call nothing. What happened before is forgotten. */
void vio_host_sleep(void (*wake)(void));
/* Wake the sleeper at this time at the latest; forgotten at its next wake-up. */
void vio_host_alarm(vio_host *host, uint64_t time);
/* Take the oldest interrupt message; false if there is none. */
bool vio_host_message(vio_host *host, uint64_t *addr, uint32_t *data);
uint32_t vio_host_messages(const vio_host *host);
int vio_host_intx(const vio_host *host);
/* Called for each message instead of queueing it, where set; true: it shall wake the software. */
typedef bool (*vio_message_sink)(void *context, uint64_t addr, uint32_t data);
void vio_host_on_message(vio_host *host, vio_message_sink sink, void *context);
/* Drop messages and what is in flight on every target: the device is being reset. */
void vio_host_restart(vio_host *host);

/* The clock of the native simulator: low from `now` (simulation time) on, high after half a period. */
void vio_clock_start(uint64_t now, uint64_t period);
void vio_clock_stop(void);

/* ---- AXI4 target: guest memory (with interrupt window and events) or a medium (silent) ---- */

/* The wrapper's parameters and the test's knobs: latencies in clock cycles; `stall` of 2^32 is the
 * share of pauses; `lanes` the data bus in bytes, a power of two up to 64 (0: as in the wrapper). */
typedef struct vio_target_knobs {
  uint32_t read_least, read_most, write_least, write_most;
  uint32_t stall;
  bool reorder, interleave, guest;
  uint32_t lanes;
} vio_target_knobs;

/* Serve target number `port` from `memory`, which must outlive the host. -1: no such port or lanes. */
int vio_target_open(vio_host *host, int port, vio_memory *memory, const vio_target_knobs *knobs,
                    uint64_t seed);
/* Nothing is in flight. */
bool vio_target_idle(const vio_host *host, int port);
/* What the device did that AXI4 forbids: how many, and the text of one of the first 64. */
uint32_t vio_target_faults(const vio_host *host, int port);
const char *vio_target_fault(const vio_host *host, int port, uint32_t index);

/* ---- AXI4-Lite initiator: the host's accesses to configuration space or BARs ---- */

/* `lanes` is the data bus in bytes, 4 or 8 (0: as in the wrapper); `stall` as above. */
int vio_initiator_open(vio_host *host, int port, uint32_t lanes, uint32_t stall, uint64_t seed);
enum vio_access_state { VIO_RUNNING, VIO_TAKEN, VIO_DONE };
/* Start an access of 1 to 8 bytes at byte `addr` of a BAR that lies at `base` on the bus (of
 * configuration space: bar = -1). Several are served in order; its event is emitted when the device
 * took the write or answered the read. Returns a number for the two calls below, or -1 (64 are
 * running). `posted`: nobody will ask for its end. */
int vio_access_start(vio_host *host, int port, int bar, uint64_t base, uint64_t addr, uint32_t length,
                     bool write, uint64_t value, bool posted);
int vio_access_state(const vio_host *host, int port, int access);
/* Forget the access and return what it read (an error reads as all ones). */
uint64_t vio_access_finish(vio_host *host, int port, int access);

/* ---- virtqueues in bulk: the driver's side of a ring in guest memory ---- */

typedef struct vio_ring vio_ring;
typedef struct vio_ring_setup {
  uint64_t desc, driver, device; /* as in the common structure */
  uint32_t size;                 /* descriptors: a power of two for a split ring */
  bool packed, event_idx;
} vio_ring_setup;
typedef struct vio_element {
  uint64_t addr;
  uint32_t length;
  bool write; /* device-writable */
} vio_element;

/* A ring over zeroed memory. Its stores become events of `host` (NULL: no events). NULL: the setup is
 * no ring, or not in memory. `memory` and `host` must outlive it. */
vio_ring *vio_ring_new(vio_memory *memory, vio_host *host, const vio_ring_setup *setup);
void vio_ring_free(vio_ring *ring);
/* Write a chain; the device cannot see it before vio_ring_publish. Returns its buffer id, or -1 if
 * there are not that many free descriptors. */
int vio_ring_add(vio_ring *ring, const vio_element *elements, uint32_t count);
/* Make all chains added so far available; true: the device wants a notification. */
bool vio_ring_publish(vio_ring *ring);
/* What the available buffer notification's 32 bits say of this ring with NOTIFICATION_DATA. */
uint32_t vio_ring_position(const vio_ring *ring);
/* Take used chains, oldest first: ids and lengths. -1: the device used what was not available. */
int vio_ring_reap(vio_ring *ring, uint32_t *ids, uint32_t *lengths, uint32_t most);
/* Ask for an interrupt once `chains` more of those added are used (0: for none; without event_idx: for
 * each). What is used already raises none: reap again behind it. */
void vio_ring_arm(vio_ring *ring, uint32_t chains);

/* ---- traffic: block requests kept in flight on one ring, every byte checked ---- */

typedef struct vio_traffic vio_traffic;
/* How a doorbell is rung: with what stands at the queue's notify address. */
typedef void (*vio_kick)(void *context, uint32_t value);
typedef struct vio_traffic_setup {
  uint64_t slots;      /* guest memory for the requests: depth * (512 + 512 * sectors) bytes */
  uint64_t total;      /* requests */
  uint64_t seed;
  uint32_t depth;      /* requests in flight */
  uint32_t sectors;    /* of each request */
  uint32_t batch;      /* chains for which an interrupt is asked for at a time (event_idx) */
  uint32_t writes;     /* share of 2^32 that are writes */
  uint32_t queue;
  bool notification_data;
} vio_traffic_setup;

/* Requests over `ring` on the medium whose content `medium` holds from 0 on; each of the `depth` slots
 * has its own part of it. NULL: slots or medium too small. All arguments must outlive it. */
vio_traffic *vio_traffic_new(vio_memory *memory, vio_memory *medium, vio_ring *ring,
                             const vio_traffic_setup *setup, vio_kick kick, void *context);
void vio_traffic_free(vio_traffic *traffic);
/* Fill the ring and ring the doorbell. */
void vio_traffic_start(vio_traffic *traffic);
/* What a driver does at an interrupt: check what is used, post as many anew, ring the doorbell if
 * wanted, arm the next interrupt. Returns how many requests were done. */
uint32_t vio_traffic_turn(vio_traffic *traffic);
uint64_t vio_traffic_done(const vio_traffic *traffic);
/* The first thing that went wrong, NULL if nothing did. */
const char *vio_traffic_error(const vio_traffic *traffic);
/* Let C take the turns at each of the host's messages and wake the software every `wake_every`
 * requests, at the end, and when something goes wrong (0: leave the messages to the software). */
void vio_traffic_serve(vio_traffic *traffic, vio_host *host, uint32_t wake_every);
/* A kick through the host: a posted 16-bit or, with notification_data, 32-bit write to a BAR. */
typedef struct vio_doorbell {
  vio_host *host;
  int port, bar;
  uint64_t base, addr;
  uint32_t length;
} vio_doorbell;
void vio_doorbell_ring(void *doorbell, uint32_t value);

#ifdef __cplusplus
}
#endif
#endif
