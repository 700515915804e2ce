/* What single rules remember; each group belongs to one file of rules. */
#ifndef VIO_CHECK_RULES_H
#define VIO_CHECK_RULES_H
#include "check_state.h"

enum { VIO_EARLY_LIMIT = 256, VIO_SETS_LIMIT = 64, VIO_SIZES_LIMIT = 65536 };

/* Device configuration as it was read before FEATURES_OK. */
typedef struct vio_early_read {
  uint64_t offset;
  uint32_t length;
  uint8_t *data;
  int64_t generation;
  bool gone;
} vio_early_read;

typedef struct vio_pending_vector {
  int32_t key;
  int64_t vector;
} vio_pending_vector;

typedef struct vio_rules {
  struct {
    bool written;
  } blk;
  struct {
    bool offered_known;
    vio_check_set offered;
    bool before, whole, half_known;
    uint64_t half;
    vio_early_read *early;
    size_t early_count, early_room, early_left;
    int64_t generation, at_read, changed;
  } config;
  struct {
    int64_t taken[VIO_WORDS];
    uint8_t taken_order[VIO_WORDS];
    size_t taken_count;
    vio_check_set *accepted;
    size_t accepted_count, accepted_room;
    bool sr_iov;
    int64_t words[4];
  } features;
  struct {
    bool read, stores;
  } init;
  struct {
    bool notified, used, idle, queue_only;
    uint64_t value;
    int64_t changes;
    uint64_t steps;
    vio_map written; /* vectors by queue + 1; 0: configuration */
    vio_pending_vector *pending;
    size_t pending_count, pending_room;
  } interrupts;
  struct {
    int64_t used_queue;
    bool used;
  } notify;
  struct {
    int64_t flagged;
  } split;
  struct {
    uint8_t sizing, upper_known;
    uint32_t upper[7];
    bool last_known;
    int last_name;
    uint32_t last_half;
    uint64_t last_queue;
    uint64_t bar_size[6];
    bool control_known; /* what the driver wrote to Device Control, at control_t */
    uint32_t control;
    int64_t control_t;
  } pci;
  struct {
    vio_map sizes;  /* as first read */
    vio_map resets; /* since when */
  } queues;         /* numbers by queue */
  struct {
    vio_map maximum;
    vio_check_set *sets; /* feature sets by number */
    size_t set_count, set_room;
  } reset;
  struct {
    bool read, early;
    bool polled, resume_polled;
    int64_t since, resume_since, resumed;
    int16_t bytes[4096], before[4096], written[4096];
    bool bytes_used, written_used;
    int64_t generation;
  } suspend;
} vio_rules;

#endif
