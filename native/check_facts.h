/* What events mean: the facts that rules judge, and the checker that holds everything. */
#ifndef VIO_CHECK_FACTS_H
#define VIO_CHECK_FACTS_H
#include "check_state.h"
#include "check_rules.h"

/* A fact is published after the state took it in, unless it says otherwise. */
enum vio_fact_kind {
  FACT_LAYOUT,        /* the capability list is as known as it will be */
  FACT_MESSAGE,       /* vectors, issued */
  FACT_LINE,          /* value: the level */
  FACT_BAD_ACCESS,    /* offset, length, write; common: of the common structure */
  FACT_FIELD_READ,    /* name, value, half, queue; before the state takes it in */
  FACT_FIELD_WRITE,   /* as above */
  FACT_STATUS_WRITE,  /* value, before, restarted; before the state takes it in */
  FACT_STATUS_READ,   /* value, before; before the state takes it in */
  FACT_RESET_STARTED, /* reset */
  FACT_RESET_DONE,    /* reset, by_read */
  FACT_SESSION_OVER,  /* final */
  FACT_FEATURES_OK,   /* offered, accepted: NULL where not whole */
  FACT_NEGOTIATED,    /* kept */
  FACT_QUEUE_ENABLED, /* queue, again */
  FACT_QUEUE_RESET_WRITTEN,
  FACT_QUEUE_RESET_DONE,
  FACT_DOORBELL,    /* queue or NULL, offset, length, value */
  FACT_ISR_READ,    /* value */
  FACT_CONFIG_READ, /* device configuration: offset, length, data, changed */
  FACT_CONFIG_WRITE,
  FACT_AVAIL_INDEX, /* queue, by_device, from, to, outstanding */
  FACT_AVAIL_FLAGS, /* queue, value */
  FACT_USED_FLAGS,
  FACT_CHAIN_MADE,    /* queue, chain */
  FACT_USED_INDEX,    /* queue, from, to, unwritten, excess */
  FACT_BUFFER_USED,   /* queue, chain or NULL, value: id, length, written, in_order, certain */
  FACT_USED_ADVANCED, /* queue */
  FACT_PACKED_USED,   /* queue, slot, problem */
  FACT_DRIVER_STORE,  /* queue, problem, slot */
  FACT_DMA,           /* write, addr, length, issued, stray, readable, table, ... */
  FACT_DUE,           /* what, queue or NULL, late */
  FACT_UNSERVED,      /* queue, chain, issued: since when the device could have used it */
  FACT_SPURIOUS,      /* queue */
  FACT_BREACH,        /* breach; t, line: of its event; write, addr, length of DMA */
  FACT_SUSPENSION,    /* entered */
  FACT_PCI_READ,      /* the event itself: offset, length, data, t_req */
  FACT_PCI_WRITE,
  FACT_LEGACY_OFFER,  /* value */
  FACT_LEGACY_VECTOR, /* before: what was written, value */
  FACT_LGUEST_ACCEPTED, /* value */
  FACT_LGUEST_ZEROED,   /* value: bytes written, length: bytes needed */
  FACT_LGUEST_WARNINGS, /* from: kicks that came too early, value */
  VIO_FACTS
};
enum vio_store_problem {
  STORE_FINE,
  STORE_EXPOSED,
  STORE_PARTIAL,
  STORE_DEVICE_RESET,
  STORE_QUEUE_RESET,
  STORE_TAKEN_BACK
};
enum vio_used_problem { USED_FINE, USED_CHANGED, USED_POLARITY, USED_GAP };

typedef struct vio_fact {
  enum vio_fact_kind kind;
  vio_check_queue *queue;
  vio_check_chain *chain;
  enum vio_check_field name;
  uint32_t half;
  uint64_t value, addr, offset, length;
  const uint8_t *data;
  int before;
  bool write, common, restarted, by_read, final, kept, again, changed, by_device, in_order, certain, late;
  bool entered, ring, packed, writable_only;
  enum vio_check_reset reset;
  enum vio_check_what what;
  enum vio_check_breach_kind breach;
  int problem;
  uint32_t slot, from, to, outstanding, unwritten, excess;
  int64_t written, stray, issued, t;
  uint64_t readable, table, line;
  const vio_check_vectors *vectors;
  const vio_check_set *offered, *accepted;
} vio_fact;

typedef struct vio_finding {
  enum vio_clause clause;
  uint64_t t, line, event;
  char *message;
} vio_finding;

enum { VIO_NOTES = 3, VIO_SESSIONS = 64, VIO_DEVICE_CONFIG = 4096, VIO_MESSAGE = 240 };
enum vio_note { NOTE_LEGACY, NOTE_NO_RESET, NOTE_MIDDLE };

/* What was offered and negotiated in a session that is over. */
typedef struct vio_check_past {
  vio_check_set offered, features;
  bool features_known;
} vio_check_past;

struct vio_reader;

struct vio_checker {
  vio_heap heap;
  jmp_buf escape;
  bool broken, finished, at_end, orderly, seen_memory, settled, via_window, began;
  struct vio_reader *reader;
  vio_check_header header;
  int64_t settle, now, number;
  const vio_event *event; /* the current one; its times stay when it is over */
  int64_t event_t, event_asked;
  uint64_t event_line;
  uint8_t event_kind;
  uint64_t events;
  vio_check_config config;
  vio_check_session session;
  uint64_t serials;
  int64_t values[VIO_FIELDS]; /* of the common structure */
  int16_t device[VIO_DEVICE_CONFIG];
  bool device_dirty;
  vio_check_legacy legacy;
  vio_check_lguest lguest;
  vio_map queue_map;
  vio_check_queue **queues; /* in the order in which they were met */
  size_t queue_count, queue_room;
  vio_check_index index;
  /* memory */
  vio_check_suspect suspects[BREACH_SUSPECTS];
  size_t suspect_count;
  int64_t retired_t, command_t, mask_t;
  /* interrupts */
  int level;
  int64_t rose_t;
  uint64_t line_changes;
  bool interrupts_seen, config_noticed;
  vio_check_debt debts; /* head of the ring of debts, and */
  vio_check_debt config_debt;
  int32_t config_mapped;
  vio_map retired; /* vector: when it was unmapped last */
  uint16_t *vector_list;
  /* results */
  vio_check_past *past;
  size_t past_count;
  bool notes[VIO_NOTES];
  uint8_t note_order[VIO_NOTES];
  size_t note_count;
  uint64_t held[VIO_CLAUSES], breached[VIO_CLAUSES];
  vio_finding findings[VIO_CLAUSES];
  size_t finding_count;
  int32_t first[VIO_CLAUSES]; /* the clause's finding, or NONE */
  vio_rules rules;
};

#include "check_parts.h"
#endif
