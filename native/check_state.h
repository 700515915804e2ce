/* What the checker's C twin knows of a session; inside native/check*.c only.
 *
 * Integers that may be unknown are signed and then NONE. Everything lives on the checker's own heap.
 */
#ifndef VIO_CHECK_STATE_H
#define VIO_CHECK_STATE_H
#include "check_heap.h"
#include "check_space.h"
#include "check_tables.h"
#include "checker.h"
#include "vio_spec.h"

#define NONE (-1)
__extension__ typedef unsigned __int128 vio_wide; /* holds sums of two addresses */

/* ---- feature sets: 64 words; `known` has a bit for each word that was seen ---- */

enum { VIO_WORDS = 64 };
typedef struct vio_check_set {
  uint32_t word[VIO_WORDS];
  uint64_t known;
} vio_check_set;

/* ---- the session ---- */

enum vio_check_phase {
  PHASE_UNKNOWN,
  PHASE_RESETTING,
  PHASE_RESET,
  PHASE_INIT,
  PHASE_LIVE,
  PHASE_SUSPENDED
};
enum vio_check_reset { RESET_NONE, RESET_STATUS, RESET_FLR, RESET_HOT, RESET_POWER };

typedef struct vio_check_session {
  uint64_t serial;
  bool known, begun, reset_polled, features_ok_written, driver_ok, failed, needs_reset;
  bool suspend_written, resume_written, dirty, draining;
  bool troubled; /* by a malformed buffer or a refused access, which may have stopped the device */
  int features_ok; /* what the read-back said, or NONE */
  int status;
  enum vio_check_phase phase;
  enum vio_check_reset reset_kind;
  int64_t reset_t, live_t; /* live_t: when the device was last set to work */
  vio_check_set offered, accepted;
} vio_check_session;

/* ---- address ranges ---- */

enum vio_check_kind { SEG_DESC, SEG_DRIVER, SEG_DEVICE, SEG_READABLE, SEG_WRITABLE, SEG_TABLE, SEG_DEAD };

typedef struct vio_check_ring vio_check_ring;
typedef struct vio_check_chain vio_check_chain;

/* `ring` is set for its three parts, `chain` for elements and tables; dead ground has the number of its
 * queue. `offset`: of an element in its half of the chain. */
typedef struct vio_check_segment {
  uint64_t addr, length, offset, serial;
  vio_check_ring *ring;
  vio_check_chain *chain;
  uint32_t queue;
  enum vio_check_kind kind;
} vio_check_segment;

enum { VIO_SIZE_CLASSES = 65, VIO_COVERAGE_LIMIT = 1024 };
/* A segment's place in an index; address and length stand here too: a search then reads one array. */
typedef struct vio_check_located {
  uint64_t addr, length, serial;
  vio_check_segment *segment;
} vio_check_located;
typedef struct vio_check_class {
  vio_check_located *rows; /* by address, then age */
  size_t count, room;
} vio_check_class;

/* Segments by the bit length of their size; `active` lists the classes in use, oldest first. */
typedef struct vio_check_index {
  vio_check_class classes[VIO_SIZE_CLASSES];
  uint8_t active[VIO_SIZE_CLASSES];
  size_t active_count;
  uint64_t next;
  vio_check_segment **found; /* what the last search found */
  size_t found_room;
} vio_check_index;

typedef struct vio_check_span {
  uint64_t from, to;
} vio_check_span;

/* Which bytes were touched, as merged ranges; given up (`lost`) beyond the limit. */
typedef struct vio_check_coverage {
  vio_check_span *spans;
  uint32_t count, room;
  bool lost;
} vio_check_coverage;

/* ---- descriptors ---- */

enum { VIO_CELL = 16, VIO_CELL_FULL = 0xffff };

/* 16 bytes of ring memory: what was stored (bytes `known`), what the device read (bytes `seen`). */
typedef struct vio_check_cell {
  uint8_t stored[VIO_CELL], read[VIO_CELL];
  uint32_t known, seen;
  bool own;
  int64_t stored_t, since;
} vio_check_cell;

/* A descriptor of a ring: its cell, the head of the chain that it belongs to, who waits for it. */
typedef struct vio_check_slot {
  vio_check_cell cell;
  bool used; /* the cell was made */
  int32_t head;
  vio_check_chain *waiting, *chain; /* chain: in flight with this head (split) or id (packed) */
} vio_check_slot;

typedef struct vio_check_desc {
  uint64_t addr;
  uint32_t len;
  uint16_t low, high; /* flags and next (split), id and flags (packed) */
} vio_check_desc;

typedef struct vio_check_table {
  vio_map cells;
  uint32_t count;
} vio_check_table;

enum vio_check_problem {
  BAD_ORDER,
  BAD_BYTES,
  BAD_LONG,
  BAD_RANGE,
  BAD_DUPLICATE,
  BAD_NEXT_ORDER,
  BAD_INDIRECT,
  BAD_NESTED,
  BAD_INDIRECT_NEXT,
  BAD_TABLE_ORDER,
  BAD_TABLE_FLAGS,
  BAD_SPACE,
  VIO_PROBLEMS
};

enum { VIO_CAPTURE = 16 + 16 * 32, VIO_REPLY = 32 };

/* A buffer that the driver made available. */
struct vio_check_chain {
  struct vio_check_queue *queue;
  vio_check_chain *before, *after; /* in flight, oldest first */
  uint32_t head, id, slots, count;
  uint64_t position;
  int64_t cover, since; /* since: when it became known */
  bool packed, in_order, complete, open, indirect_write, flying, refused;
  int32_t wait_at; /* the descriptor that it waits for */
  uint16_t *ring;
  uint32_t ring_count, ring_room;
  vio_check_segment **segments;
  uint32_t segment_count, segment_room;
  uint32_t problems; /* a bit each */
  uint32_t problem_at[VIO_PROBLEMS];
  uint64_t readable, writable;
  vio_check_coverage written, fetched, captured;
  uint8_t *capture;
  uint8_t reply[VIO_REPLY];
  int status;
  vio_check_table *table;
  uint32_t table_entry;
};

/* ---- queues and rings ---- */

enum vio_check_field {
  F_DEVICE_FEATURE_SELECT,
  F_DEVICE_FEATURE,
  F_DRIVER_FEATURE_SELECT,
  F_DRIVER_FEATURE,
  F_CONFIG_VECTOR,
  F_NUM_QUEUES,
  F_STATUS,
  F_GENERATION,
  F_QUEUE_SELECT,
  F_QUEUE_SIZE,
  F_QUEUE_VECTOR,
  F_QUEUE_ENABLE,
  F_NOTIFY_OFF,
  F_DESC,
  F_DRIVER,
  F_DEVICE,
  F_CONFIG_DATA,
  F_QUEUE_RESET,
  F_ADMIN_INDEX,
  F_ADMIN_NUM,
  VIO_FIELDS
};
/* A queue's registers: its fields, the 64-bit ones in two halves. */
enum vio_check_reg {
  R_SIZE,
  R_VECTOR,
  R_ENABLE,
  R_NOTIFY_OFF,
  R_DESC,
  R_DESC_HIGH,
  R_DRIVER,
  R_DRIVER_HIGH,
  R_DEVICE,
  R_DEVICE_HIGH,
  R_CONFIG_DATA,
  R_RESET,
  VIO_REGS
};

enum vio_check_what {
  OWED_USED_FLAGS,
  OWED_USED_EVENT,
  OWED_PACKED,
  OWED_NEEDS_RESET,
  OWED_DOORBELL_FLAGS,
  OWED_DOORBELL_EVENT
};

typedef struct vio_check_debt {
  struct vio_check_debt *before, *after;
  struct vio_check_queue *queue; /* NULL: configuration */
  enum vio_check_what what;
  int64_t since;
  bool owed, message;
} vio_check_debt;

typedef struct vio_check_queue {
  uint64_t serial;
  uint32_t index;
  bool features_known;
  uint64_t features;
  int64_t regs[VIO_REGS];
  uint32_t written; /* a bit for each register */
  int enabled;
  bool resetting, was_reset;
  int32_t vector;
  vio_check_ring *ring;
  vio_check_debt debt;
  int32_t mapped; /* the vector that the driver wrote */
  int64_t legacy_vector; /* the same through the legacy interface, or NONE */
  uint32_t advances;
  int uncalled;
  vio_check_segment **dead;
  size_t dead_count;
} vio_check_queue;

/* An entry of the available ring, and of the used ring. */
typedef struct vio_check_entry {
  int32_t stored, read;
  int64_t stored_t, number;
  uint8_t element[VIO_SPLIT_USED_ELEMENT];
  uint32_t element_known;
} vio_check_entry;

typedef struct vio_check_cover {
  uint16_t position;
  int64_t number;
} vio_check_cover;

typedef struct vio_check_early {
  vio_check_desc desc;
  uint64_t serial;
} vio_check_early;

struct vio_check_ring {
  vio_check_queue *queue;
  bool packed;
  uint32_t size;
  bool event_idx, in_order, indirect;
  bool lost, stores_seen, dma_seen;
  int64_t touched_t; /* when the device's last access to it completed */
  int64_t worked_t;  /* when the device last touched or returned one of its buffers */
  bool opened_by_kick; /* known only from its first kick on, which may have announced what was stored */
  int64_t kick_since;
  enum vio_check_what kick_what;
  bool kick_called, needless_kick;
  vio_check_segment *areas[3];
  vio_map slots; /* descriptors, and chains by head or id */
  vio_check_chain *oldest, *newest;
  /* split */
  vio_map entries;
  uint16_t cover;
  vio_check_cover *covers;
  size_t cover_from, cover_count, cover_room;
  bool avail_seen;
  int32_t avail_stored;
  uint16_t avail_read, flags, used_event;
  int64_t avail_read_t;
  uint16_t used_index, used_flags, avail_event;
  /* packed */
  uint32_t position, wrap, outstanding;
  uint64_t serial;
  bool seen, stuck;
  uint8_t driver_event[4];
  uint32_t used_position, used_wrap;
  vio_map early;
  uint64_t early_serial;
  /* both: the step whose notification is not decided yet */
  bool undecided;
  uint32_t undecided_from, undecided_wrap, undecided_to;
  int64_t written_t;
};

/* ---- the legacy interface: NONE where the driver wrote nothing since the last reset ---- */

typedef struct vio_check_legacy {
  int64_t select, config_vector;
} vio_check_legacy;

/* ---- lguest's bus ---- */

/* The page, NONE where a byte is not known; `early` kicks, bytes `zeroed` since a reset began, and
 * `console`: what of a string is read next. */
typedef struct vio_check_lguest {
  int16_t bytes[VIO_LGUEST_PAGE];
  bool first, seen, fresh;
  uint32_t early;
  uint64_t zeroed;
  int64_t console;
} vio_check_lguest;

/* ---- interrupts ---- */

/* The vectors that a message may be: `known` false where that cannot be said. */
typedef struct vio_check_vectors {
  bool known;
  uint32_t count;
  uint16_t *list;
} vio_check_vectors;

enum vio_check_breach_kind {
  BREACH_NO_MASTER,
  BREACH_BEFORE_DRIVER_OK,
  BREACH_SUSPENDED,
  BREACH_MESSAGE_NO_MASTER,
  BREACH_MASKED,
  BREACH_SUSPECTS,
  BREACH_AFTER_RESET = BREACH_SUSPECTS,
  BREACH_AFTER_QUEUE_RESET,
  BREACH_MSIX_CHANGED
};

/* A breach that waits for the next host write to explain it. */
typedef struct vio_check_suspect {
  enum vio_check_breach_kind kind;
  int64_t t;
  uint64_t line, addr, length, session;
  bool write;
} vio_check_suspect;

#endif
