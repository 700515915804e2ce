/* The functions that the checker's files have for each other. */
#ifndef VIO_CHECK_PARTS_H
#define VIO_CHECK_PARTS_H

/* check_sets.c: the session's features */
bool vio_check_set_has(const vio_check_set *set, uint32_t bit);
/* Whether it is NONE, i.e. words 0 and 1 are not both known. */
const vio_check_set *vio_check_set_whole(const vio_check_set *set);
bool vio_check_set_same(const vio_check_set *a, const vio_check_set *b); /* the same bits */
/* The lowest word in which bits are set, or NONE. */
int vio_check_set_first(const vio_check_set *set);
bool vio_check_session_features(const vio_check_session *session, vio_check_set *features);
bool vio_check_session_knows(const vio_check_session *session); /* its features */
bool vio_check_session_has(const vio_check_session *session, uint32_t feature);
bool vio_check_session_lacks(const vio_check_session *session, uint32_t feature);
void vio_check_session_begin(vio_checker *checker, bool known, enum vio_check_reset kind);
void vio_check_session_status(vio_check_session *session, int value);
int vio_check_device_type(const vio_checker *checker); /* NONE if unknown */
/* Bits of a word that the standard surely does not describe for the device type. */
uint32_t vio_check_undescribed(uint32_t word, uint32_t bits, int device_type);
/* The bit whose requirement the set lacks, or NONE. */
int vio_check_missing_requirement(const vio_check_set *set, int device_type);

/* check_index.c */
vio_check_segment *vio_check_segment_add(vio_checker *checker, const vio_check_segment *segment);
void vio_check_segment_remove(vio_checker *checker, vio_check_segment *segment);
vio_wide vio_check_segment_end(const vio_check_segment *segment);
/* Segments that share a byte with the range, in checker->index.found; returns how many. */
size_t vio_check_segments_at(vio_checker *checker, uint64_t addr, uint64_t length);
void vio_check_coverage_add(vio_heap *heap, vio_check_coverage *coverage, uint64_t from, uint64_t to);
int64_t vio_check_coverage_prefix(const vio_check_coverage *coverage); /* NONE when given up */

/* check_cell.c */
void vio_check_cell_store(vio_check_cell *cell, uint32_t at, const uint8_t *data, uint32_t length,
                          int64_t t, bool own);
void vio_check_cell_load(vio_check_cell *cell, uint32_t at, const uint8_t *data, uint32_t length,
                         int64_t number, int64_t issued);
bool vio_check_cell_value(const vio_check_cell *cell, int64_t fresh_since, vio_check_desc *desc);
int vio_check_cell_flags(const vio_check_cell *cell); /* NONE if unknown */
bool vio_check_cell_changes(const vio_check_cell *cell, uint32_t at, const uint8_t *data,
                            uint32_t length);
/* The next piece of the bytes at `offset` of a table of `count` cells; its length, 0 at the end. */
typedef struct vio_check_piece {
  uint64_t offset;
  const uint8_t *data;
  size_t left;
  uint32_t cell, at, length;
} vio_check_piece;
bool vio_check_piece_next(vio_check_piece *piece, uint32_t count);

/* check_chain.c */
vio_check_chain *vio_check_chain_new(vio_checker *checker, vio_check_queue *queue, uint32_t head,
                                     int64_t cover);
void vio_check_chain_free(vio_checker *checker, vio_check_chain *chain);
void vio_check_chain_problem(vio_check_chain *chain, enum vio_check_problem problem, uint32_t at);
void vio_check_chain_element(vio_checker *checker, vio_check_chain *chain, uint64_t addr, uint32_t length,
                             bool write);
void vio_check_chain_table(vio_checker *checker, vio_check_chain *chain, uint64_t addr, uint32_t length);
void vio_check_chain_walk_table(vio_checker *checker, vio_check_chain *chain, uint32_t size);
void vio_check_chain_wrote(vio_checker *checker, vio_check_chain *chain, uint64_t offset,
                           const uint8_t *data, uint64_t length);
void vio_check_chain_read(vio_checker *checker, vio_check_chain *chain, uint64_t offset,
                          const uint8_t *data, uint64_t length);

/* check_ring.c: both formats */
vio_check_ring *vio_check_ring_open(vio_checker *checker, vio_check_queue *queue, uint32_t size,
                                    const uint64_t *areas);
void vio_check_ring_close(vio_checker *checker, vio_check_ring *ring);
vio_check_slot *vio_check_ring_slot(vio_checker *checker, vio_check_ring *ring, uint32_t index);
vio_check_cell *vio_check_ring_cell(vio_checker *checker, vio_check_ring *ring, uint32_t index);
bool vio_check_ring_certain(const vio_check_ring *ring);
void vio_check_ring_fly(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain);
/* Take a chain out of flight; it stays valid until vio_chain_free. */
void vio_check_ring_land(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain);
void vio_check_ring_take(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain,
                         uint64_t addr, uint32_t length, uint32_t flags);
void vio_check_ring_walk_table(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain);
void vio_check_ring_made(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain);
void vio_check_ring_table_read(vio_checker *checker, vio_check_chain *chain, uint64_t offset,
                               const uint8_t *data, uint64_t length);
void vio_check_ring_store_allowed(vio_checker *checker, vio_check_ring *ring);
void vio_check_ring_exposed(vio_checker *checker, vio_check_ring *ring, bool changed, uint32_t slot);
void vio_check_ring_doorbell(vio_checker *checker, vio_check_ring *ring, uint64_t value, uint64_t length);
void vio_check_ring_owe_kick(vio_checker *checker, vio_check_ring *ring, enum vio_check_what what);
/* Publishes the buffer that has waited longest, if it is too long: when the ring's session ends. */
void vio_check_ring_unserved(vio_checker *checker, vio_check_ring *ring);
void vio_check_ring_settle(vio_checker *checker, vio_check_ring *ring);
void vio_check_ring_settle_kick(vio_checker *checker, vio_check_ring *ring);
bool vio_check_ring_asked_fresh(const vio_checker *checker, const vio_check_ring *ring);
bool vio_check_need_event(uint32_t event, uint32_t to, uint32_t from);
uint32_t vio_check_le16(const uint8_t *data);
uint32_t vio_check_le32(const uint8_t *data);

/* check_split.c, check_split_chain.c, check_used.c, check_packed.c, check_packed_used.c: the driver's and
 * the device's side */
typedef struct vio_check_touch {
  enum vio_check_kind part;
  uint64_t offset, length;
  const uint8_t *data;
} vio_check_touch;
void vio_check_split_read(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch);
void vio_check_split_store(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch);
void vio_check_split_told(vio_checker *checker, vio_check_ring *ring, uint32_t value);
void vio_check_split_give_back(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain);
void vio_check_split_forget_cover(vio_check_ring *ring, uint32_t position);
/* Entries up to the free-running index `value` are available. */
void vio_check_split_extend(vio_checker *checker, vio_check_ring *ring, uint32_t value);
/* Make a chain of the newest available entry in ring slot `index` if its content is known. */
void vio_check_split_resolve(vio_checker *checker, vio_check_ring *ring, uint32_t index);
/* Follow a chain from a descriptor on as far as descriptors are known. */
void vio_check_split_walk(vio_checker *checker, vio_check_ring *ring, vio_check_chain *chain,
                          uint32_t index);
bool vio_check_split_certain(const vio_check_ring *ring);
void vio_check_split_write(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch);
void vio_check_split_asked(vio_checker *checker, vio_check_ring *ring, bool wanted);
void vio_check_split_asked_event(vio_checker *checker, vio_check_ring *ring, uint32_t value);
vio_check_entry *vio_check_split_entry(vio_checker *checker, vio_check_ring *ring, uint32_t index);
void vio_check_packed_read(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch);
void vio_check_packed_write(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch);
void vio_check_packed_store(vio_checker *checker, vio_check_ring *ring, const vio_check_touch *touch);
void vio_check_packed_collect(vio_checker *checker, vio_check_ring *ring);
bool vio_check_packed_owned(const vio_check_ring *ring, uint32_t slot);
void vio_check_packed_used(vio_checker *checker, vio_check_ring *ring, const vio_check_piece *piece);
void vio_check_packed_asked(vio_checker *checker, vio_check_ring *ring);
void vio_check_packed_settle(vio_checker *checker, vio_check_ring *ring);

/* check_config.c */
void vio_check_config_begin(vio_check_config *config, const vio_check_header *header);
int64_t vio_check_config_value(const vio_check_config *config, uint32_t offset, uint32_t length);
void vio_check_config_read(vio_check_config *config, const vio_event *event);
bool vio_check_config_write(vio_check_config *config,
                            const vio_event *event); /* whether that begins an FLR */
void vio_check_config_reset(vio_check_config *config);
void vio_check_config_take_control(vio_check_config *config, uint32_t from, uint32_t to);
const vio_check_place *vio_check_config_locate(const vio_check_config *config, uint32_t bar,
                                               uint64_t addr);
bool vio_check_config_window(const vio_check_config *config, uint32_t *bar, uint64_t *offset,
                             uint64_t *length);
bool vio_check_config_table_read(vio_check_config *config, uint64_t offset, const uint8_t *data,
                                 uint64_t length);
void vio_check_config_table_write(vio_check_config *config, uint64_t offset, const uint8_t *data,
                                  uint64_t length);
int vio_check_config_entry_masked(const vio_check_config *config, uint32_t entry);
int vio_check_config_sr_iov(
    const vio_check_config *config); /* its position, 0 if there is none, NONE if unknown */

/* check_capabilities.c */
void vio_check_config_walk(vio_check_config *config);

/* check_common.c, check_device.c */
void vio_check_common_read(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length);
void vio_check_common_write(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length);
void vio_check_common_restart(vio_checker *checker);
void vio_check_status_write(vio_checker *checker, int value);
void vio_check_status_read(vio_checker *checker, int value);
const char *vio_check_field_name(enum vio_check_field field);
enum vio_check_reg vio_check_field_reg(enum vio_check_field field, uint32_t half);
void vio_check_device_read(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length);
void vio_check_device_write(vio_checker *checker, uint64_t offset, const uint8_t *data, uint64_t length);
void vio_check_device_restart(vio_checker *checker);
/* The value of `width` bytes as the driver last read them, or NONE. */
int64_t vio_check_device_value(const vio_checker *checker, uint32_t offset, uint32_t width);
typedef struct vio_check_device_field {
  const char *name;
  int type;
  uint32_t offset, width, writable;
  uint64_t features; /* of which one must be offered */
} vio_check_device_field;
const vio_check_device_field *vio_check_device_fields(size_t *count);

/* check_queue.c */
vio_check_queue *vio_check_queue_at(vio_checker *checker, uint32_t index);
bool vio_check_queue_has(const vio_check_queue *queue, uint32_t feature);
bool vio_check_queue_packed(const vio_check_queue *queue);
/* Whether it is an administration queue, or may be one as far as it is known (2.13). */
bool vio_check_queue_is_admin(const vio_checker *checker, const vio_check_queue *queue);
int64_t vio_check_queue_area(const vio_check_queue *queue, enum vio_check_reg low, uint64_t *addr);
void vio_check_queue_restart(vio_check_queue *queue);
void vio_check_queue_enable(vio_checker *checker, vio_check_queue *queue);
void vio_check_queue_reset_done(vio_checker *checker, vio_check_queue *queue);
void vio_check_queue_unbury(vio_checker *checker, vio_check_queue *queue);
void vio_check_queues_clear(vio_checker *checker);
void vio_check_doorbell_ring(vio_checker *checker, const vio_check_place *place, uint64_t offset,
                             const uint8_t *data, uint64_t length);

/* check_interrupts.c */
void vio_check_interrupts_restart(vio_checker *checker);
int32_t vio_check_interrupts_config_vector(const vio_checker *checker);
void vio_check_interrupts_remap(vio_checker *checker, vio_check_queue *queue, uint32_t vector);
void vio_check_interrupts_owe(vio_checker *checker, enum vio_check_what what, vio_check_queue *queue);
void vio_check_interrupts_advanced(vio_checker *checker, vio_check_queue *queue, bool called);
void vio_check_interrupts_called(vio_check_queue *queue);
void vio_check_interrupts_queue_over(vio_checker *checker, vio_check_queue *queue);
void vio_check_interrupts_over(vio_checker *checker, bool final);
void vio_check_interrupts_message(vio_checker *checker, const vio_event *event);
void vio_check_interrupts_line(vio_checker *checker, const vio_event *event);
void vio_check_interrupts_isr(vio_checker *checker, uint8_t value);
bool vio_check_interrupts_mapped(const vio_checker *checker, const vio_check_vectors *vectors,
                                 int64_t issued);
bool vio_check_vectors_have(const vio_check_vectors *vectors, int32_t vector);

/* check_dma.c */
void vio_check_dma_access(vio_checker *checker, const vio_event *event, bool write);
void vio_check_dma_store(vio_checker *checker, const vio_event *event);
void vio_check_suspect_add(vio_checker *checker, enum vio_check_breach_kind kind,
                           const vio_check_suspect *what);
void vio_check_suspects_explain(vio_checker *checker);
void vio_check_suspects_confirm(vio_checker *checker);
bool vio_check_mastering(const vio_checker *checker);

/* check_boundary.c */
void vio_check_boundary_observe(vio_checker *checker, const vio_event *event);
void vio_check_boundary_finish(vio_checker *checker);
void vio_check_boundary_settle_layout(vio_checker *checker);
void vio_check_boundary_begin_reset(vio_checker *checker, enum vio_check_reset kind);
void vio_check_boundary_end_reset(vio_checker *checker, bool by_read);
void vio_check_boundary_lose(vio_checker *checker);
int64_t vio_check_issued(const vio_checker *checker);
/* Something of a session was seen whose beginning was not. */
void vio_check_note_start(vio_checker *checker);
void vio_check_note(vio_checker *checker, enum vio_note note);

/* checker.c */
void vio_check_publish(vio_checker *checker, const vio_fact *fact);
/* Count a breach; true if it is the clause's first, whose message is wanted then. */
bool vio_check_breach(vio_checker *checker, enum vio_clause clause, int64_t t, uint64_t line);
__attribute__((format(printf, 2, 3))) void vio_check_say(vio_checker *checker, const char *format, ...);

/* A clause was put to the test and held. */
#define HELD(clause) ((void)checker->held[clause]++)
#define BREACHED_AT(clause, when, at, ...)                                                \
  do {                                                                                    \
    if (vio_check_breach(checker, clause, when, at)) vio_check_say(checker, __VA_ARGS__); \
  } while (0)
/* A clause was breached by the current event. */
#define BREACHED(clause, ...) BREACHED_AT(clause, checker->event_t, checker->event_line, __VA_ARGS__)
#define JUDGE(clause, good, ...)        \
  do {                                  \
    if (good) HELD(clause);             \
    else BREACHED(clause, __VA_ARGS__); \
  } while (0)

/* Rules, in the order in which they judge a fact. */
typedef void vio_rule(vio_checker *checker, const vio_fact *fact);
vio_rule vio_rules_blk, vio_rules_blk_zoned, vio_rules_capabilities, vio_rules_common, vio_rules_config,
    vio_rules_entropy, vio_rules_features, vio_rules_init, vio_rules_isr, vio_rules_legacy, vio_rules_notify, vio_rules_notify_place,
    vio_rules_split, vio_rules_packed, vio_rules_pci, vio_rules_queue_reset, vio_rules_reserved,
    vio_rules_reset, vio_rules_owed, vio_rules_status, vio_rules_suspend, vio_rules_suspend_device,
    vio_rules_vectors;

/* check_legacy.c: drivers from before virtio 1 */
bool vio_check_legacy_at(const vio_checker *checker, uint32_t bar); /* its registers answer there */
void vio_check_legacy_restart(vio_checker *checker);
void vio_check_legacy_read(vio_checker *checker, uint64_t addr, const uint8_t *data, uint64_t length);
void vio_check_legacy_write(vio_checker *checker, uint64_t addr, const uint8_t *data, uint64_t length);
void vio_check_legacy_begin(vio_checker *checker); /* the driver uses the device */
void vio_check_legacy_open(vio_checker *checker, vio_check_queue *queue, uint32_t size, uint32_t page);
void vio_check_legacy_kick(vio_checker *checker, vio_check_queue *queue);
/* check_lguest.c */
void vio_check_lguest_begin(vio_checker *checker);
void vio_check_lguest_read(vio_checker *checker, uint32_t bar, uint64_t addr, const uint8_t *data,
                           uint64_t length);
void vio_check_lguest_write(vio_checker *checker, uint32_t bar, uint64_t addr, const uint8_t *data,
                            uint64_t length);
bool vio_check_lguest_printed(vio_checker *checker, const vio_event *event); /* a read of the console */
void vio_check_lguest_wrote(vio_checker *checker, const vio_event *event);
void vio_check_queue_open(vio_checker *checker, vio_check_queue *queue, uint32_t size,
                          const uint64_t *areas);
void vio_check_queue_close(vio_checker *checker, vio_check_queue *queue);
void vio_rules_begin(vio_rules *rules);
#endif
