/// Virtqueue engine (virtio 1.4, 2.7 and 2.8): turns doorbells into chains for the back end, and the
/// back end's completions into used buffers and interrupt requests. Split and packed rings, as
/// negotiated, share all but the way in which availability is seen. Reads of the ring are issued, and
/// relied upon, in order; so are writes.
///
/// Doorbell -> `vio_ring_avail` and `vio_ring_heads` (split) or `vio_ring_poll` (packed) ->
/// `vio_ring_chain` with `vio_ring_walk` -> `vio_ring_handover` -> back end -> `vio_ring_tags` ->
/// `vio_ring_used` -> `vio_ring_event` -> interrupt.
module vio_ring
  import vio_pkg::*;
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,    ///< virtqueues, 1 to 64
  parameter int unsigned DataWidth = 256   ///< bits of a DMA beat, 64 to 512
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  queue_cfg_t [NumQueues-1:0] queue_cfg_i,   ///< what the driver programmed
  input  logic [63:0]                features_i,    ///< negotiated features
  input  logic                       run_i,         ///< new buffers may be fetched
  input  logic                       drain_i,       ///< the device is being suspended
  output logic                       idle_o,        ///< !run_i, and all that was fetched is used
  input  logic                       kick_valid_i,  ///< doorbell pulse
  input  logic [15:0]                kick_queue_i,
  input  logic [31:0]                kick_data_i,   ///< a hint; the ring in memory is the truth
  input  logic [NumQueues-1:0]       stop_i,        ///< level: forget this queue
  output logic [NumQueues-1:0]       stopped_o,     ///< this queue is silent and at its start
  output logic                       irq_valid_o,   ///< used buffer notification request
  output logic [15:0]                irq_queue_o,
  input  logic                       irq_ready_i,
  output logic                       ring_error_o,  ///< pulse: malformed ring or failed DMA
  output logic                       rd_cmd_valid_o,
  input  logic                       rd_cmd_ready_i,
  output dma_cmd_t                   rd_cmd_o,
  input  logic                       rd_rsp_valid_i,
  output logic                       rd_rsp_ready_o,
  input  logic [DataWidth-1:0]       rd_rsp_data_i,
  input  logic                       rd_rsp_last_i,
  input  logic                       rd_rsp_err_i,
  output logic                       wr_cmd_valid_o,
  input  logic                       wr_cmd_ready_i,
  output dma_cmd_t                   wr_cmd_o,
  output logic                       wr_data_valid_o,
  input  logic                       wr_data_ready_i,
  output logic [DataWidth-1:0]       wr_data_o,
  input  logic                       wr_rsp_valid_i,
  input  logic                       wr_rsp_err_i,
  output logic                       seg_valid_o,   ///< elements of chains, in chain order
  input  logic                       seg_ready_i,
  output segment_t                   seg_o,
  input  logic                       cpl_valid_i,   ///< finished chains, in any order
  output logic                       cpl_ready_o,
  input  completion_t                cpl_i,
  output logic                       be_stop_o,     ///< level: the back end forgets all it holds
  input  logic                       be_idle_i
);

  import vio_spec_pkg::*;

  localparam int unsigned QW = (NumQueues > 1) ? $clog2(NumQueues) : 1;
  // Read clients, write clients (the highest first).
  localparam int unsigned RdAvail = 0, RdHeads = 1, RdPoll = 2, RdWalk = 3, RdEvent = 4, NumRd = 5;
  localparam int unsigned WrUsed = 0, WrArm = 1, NumWr = 2;

  typedef logic [QW-1:0] queue_t;
  typedef logic [NumQueues-1:0] queues_t;

  logic packed_ring, event_idx, indirect, in_order, unused;
  assign packed_ring = features_i[FEATURE_RING_PACKED];
  assign event_idx = features_i[FEATURE_EVENT_IDX];
  assign indirect = features_i[FEATURE_INDIRECT_DESC];
  assign in_order = features_i[FEATURE_IN_ORDER];
  assign unused = ^{features_i, drain_i, kick_data_i, rd_rsp_last_i};

  // Stops.
  queues_t clear, empty;
  logic all_stop, clear_tags, halt, fetch, error;
  logic avail_error, poll_error, chain_error, event_error, write_error;
  logic heads_idle, poll_idle, hand_idle, read_idle, write_idle, used_idle, event_idle, arm_idle;
  assign error = avail_error || poll_error || chain_error || event_error || write_error;
  assign be_stop_o = all_stop;
  vio_ring_stop #(.NumQueues(NumQueues)) u_stop (
    .clk_i, .rst_ni, .run_i, .stop_i, .stopped_o, .be_idle_i, .idle_o,
    .clear_o      (clear),
    .all_stop_o   (all_stop),
    .clear_tags_o (clear_tags),
    .error_i      (error),
    .error_o      (ring_error_o),
    .halt_o       (halt),
    .fetch_o      (fetch),
    .fetch_idle_i (heads_idle && poll_idle && hand_idle),
    .bus_idle_i   (read_idle && write_idle),
    .used_idle_i  (used_idle),
    .event_idle_i (event_idle),
    .arm_idle_i   (arm_idle),
    .empty_i      (empty)
  );

  // Ports to memory.
  logic [NumRd-1:0] rd_valid, rd_ready;
  rd_req_t [NumRd-1:0] rd_req;
  logic item_valid;
  item_t item;
  vio_ring_rdport #(.DataWidth(DataWidth), .NumClients(NumRd)) u_rdport (
    .clk_i, .rst_ni, .rd_cmd_valid_o, .rd_cmd_ready_i, .rd_cmd_o,
    .rd_rsp_valid_i, .rd_rsp_ready_o, .rd_rsp_data_i, .rd_rsp_err_i,
    .req_valid_i  (rd_valid),
    .req_ready_o  (rd_ready),
    .req_i        (rd_req),
    .item_valid_o (item_valid),
    .item_o       (item),
    .idle_o       (read_idle)
  );

  logic [NumWr-1:0] wr_valid, wr_ready, wr_data_valid, wr_data_ready, wr_data_last;
  dma_cmd_t [NumWr-1:0] wr_cmd;
  note_t [NumWr-1:0] wr_note;
  logic [NumWr-1:0][DataWidth-1:0] wr_data;
  logic done_valid, used_done, arm_done;
  note_t done_note;
  queue_t done_queue;
  vio_ring_wrport #(.DataWidth(DataWidth), .NumClients(NumWr)) u_wrport (
    .clk_i, .rst_ni, .wr_cmd_valid_o, .wr_cmd_ready_i, .wr_cmd_o,
    .wr_data_valid_o, .wr_data_ready_i, .wr_data_o, .wr_rsp_valid_i, .wr_rsp_err_i,
    .req_valid_i  (wr_valid),
    .req_ready_o  (wr_ready),
    .req_cmd_i    (wr_cmd),
    .req_note_i   (wr_note),
    .data_valid_i (wr_data_valid),
    .data_ready_o (wr_data_ready),
    .data_i       (wr_data),
    .data_last_i  (wr_data_last),
    .done_valid_o (done_valid),
    .done_note_o  (done_note),
    .done_err_o   (write_error),
    .idle_o       (write_idle)
  );
  assign done_queue = queue_t'(done_note.queue);
  assign used_done = done_valid && done_note.kind == NoteUsed;
  assign arm_done = done_valid && done_note.kind == NoteArm;

  // Doorbells, and the device's own suppression words. One of the two fetchers is at work.
  queues_t look_ok, arm, hush, busy;
  logic [NumQueues-1:0][15:0] arm_pos;
  logic look_avail, look_poll, result_avail, result_poll, more_avail, more_poll;
  queue_t look_queue_avail, look_queue_poll, result_queue_avail, result_queue_poll;
  logic [15:0] result_pos_avail, result_pos_poll;
  logic wrote, wrote_arm, quiet;
  queue_t wrote_queue, quiet_queue;
  vio_ring_doorbell #(.NumQueues(NumQueues), .QW(QW)) u_doorbell (
    .clk_i, .rst_ni, .kick_valid_i, .kick_queue_i,
    .packed_i       (packed_ring),
    .event_idx_i    (event_idx),
    .clear_i        (clear | stop_i),
    .look_ok_o      (look_ok),
    .look_i         (packed_ring ? look_poll : look_avail),
    .look_queue_i   (packed_ring ? look_queue_poll : look_queue_avail),
    .result_i       (packed_ring ? result_poll : result_avail),
    .result_queue_i (packed_ring ? result_queue_poll : result_queue_avail),
    .result_more_i  (packed_ring ? more_poll : more_avail),
    .result_pos_i   (packed_ring ? result_pos_poll : result_pos_avail),
    .arm_o          (arm),
    .hush_o         (hush),
    .pos_o          (arm_pos),
    .wrote_i        (wrote),
    .wrote_arm_i    (wrote_arm),
    .wrote_queue_i  (wrote_queue),
    .armed_i        (arm_done),
    .armed_queue_i  (done_queue),
    .busy_o         (busy),
    .quiet_i        (quiet),
    .quiet_queue_i  (quiet_queue),
    .idle_o         (arm_idle)
  );
  vio_ring_arm #(.NumQueues(NumQueues), .QW(QW), .DataWidth(DataWidth)) u_arm (
    .clk_i, .rst_ni,
    .cfg_i         (queue_cfg_i),
    .packed_i      (packed_ring),
    .event_idx_i   (event_idx),
    .arm_i         (arm),
    .hush_i        (hush),
    .pos_i         (arm_pos),
    .block_i       (stop_i | {NumQueues{halt}}),
    .wrote_o       (wrote),
    .wrote_arm_o   (wrote_arm),
    .wrote_queue_o (wrote_queue),
    .req_valid_o   (wr_valid[WrArm]),
    .req_ready_i   (wr_ready[WrArm]),
    .req_cmd_o     (wr_cmd[WrArm]),
    .req_note_o    (wr_note[WrArm]),
    .data_valid_o  (wr_data_valid[WrArm]),
    .data_ready_i  (wr_data_ready[WrArm]),
    .data_o        (wr_data[WrArm])
  );
  assign wr_data_last[WrArm] = 1'b1;

  // Split: available ring, then heads.
  logic head_valid, head_taken;
  queue_t head_queue;
  logic [15:0] head;
  vio_ring_avail #(.NumQueues(NumQueues), .QW(QW)) u_avail (
    .clk_i, .rst_ni, .stop_i,
    .cfg_i          (queue_cfg_i),
    .run_i          (fetch && !packed_ring),
    .clear_i        (clear),
    .halt_i         (halt),
    .look_ok_i      (look_ok),
    .look_o         (look_avail),
    .look_queue_o   (look_queue_avail),
    .result_o       (result_avail),
    .result_queue_o (result_queue_avail),
    .result_more_o  (more_avail),
    .result_pos_o   (result_pos_avail),
    .req_valid_o    (rd_valid[RdAvail]),
    .req_ready_i    (rd_ready[RdAvail]),
    .req_o          (rd_req[RdAvail]),
    .item_valid_i   (item_valid),
    .item_i         (item),
    .head_valid_o   (head_valid),
    .head_queue_o   (head_queue),
    .head_o         (head),
    .head_taken_i   (head_taken),
    .error_o        (avail_error)
  );

  logic [SlotW:0] slot_free;
  logic [SlotW-1:0] slot_next, feed_slot;
  logic alloc_heads, alloc_poll, feed, feed_bad, feed_full;
  queue_t alloc_queue_heads, alloc_queue_poll;
  logic [15:0] alloc_head;
  vio_ring_heads #(.NumQueues(NumQueues), .QW(QW)) u_heads (
    .clk_i, .rst_ni, .stop_i,
    .cfg_i         (queue_cfg_i),
    .halt_i        (halt),
    .head_valid_i  (head_valid),
    .head_queue_i  (head_queue),
    .head_i        (head),
    .head_taken_o  (head_taken),
    .slot_free_i   (slot_free),
    .slot_next_i   (slot_next),
    .alloc_o       (alloc_heads),
    .alloc_queue_o (alloc_queue_heads),
    .alloc_head_o  (alloc_head),
    .req_valid_o   (rd_valid[RdHeads]),
    .req_ready_i   (rd_ready[RdHeads]),
    .req_o         (rd_req[RdHeads]),
    .idle_o        (heads_idle)
  );

  // Packed: the descriptor ring.
  vio_ring_poll #(.NumQueues(NumQueues), .QW(QW)) u_poll (
    .clk_i, .rst_ni, .stop_i,
    .cfg_i          (queue_cfg_i),
    .packed_i       (packed_ring),
    .run_i          (fetch),
    .clear_i        (clear),
    .halt_i         (halt),
    .look_ok_i      (look_ok),
    .look_o         (look_poll),
    .look_queue_o   (look_queue_poll),
    .result_o       (result_poll),
    .result_queue_o (result_queue_poll),
    .result_more_o  (more_poll),
    .result_pos_o   (result_pos_poll),
    .req_valid_o    (rd_valid[RdPoll]),
    .req_ready_i    (rd_ready[RdPoll]),
    .req_o          (rd_req[RdPoll]),
    .item_valid_i   (item_valid),
    .item_i         (item),
    .slot_free_i    (slot_free),
    .slot_next_i    (slot_next),
    .alloc_o        (alloc_poll),
    .alloc_queue_o  (alloc_queue_poll),
    .feed_o         (feed),
    .feed_slot_o    (feed_slot),
    .feed_bad_o     (feed_bad),
    .feed_full_i    (feed_full),
    .idle_o         (poll_idle),
    .error_o        (poll_error)
  );

  // Chains being fetched.
  logic [Slots-1:0] walk_want;
  logic [SlotW-1:0] walk_slot, oldest_slot;
  logic walk_slot_want, walk, oldest_valid, oldest_complete, oldest_bad, oldest_busy, load, free;
  queue_t walk_queue, oldest_queue;
  chain_t walk_chain, oldest_chain;
  logic [15:0] oldest_id;
  logic [DepthW-1:0] load_nth;
  logic [DepthW:0] held;
  element_t element;
  vio_ring_chain #(.NumQueues(NumQueues), .QW(QW)) u_chain (
    .clk_i, .rst_ni,
    .cfg_i           (queue_cfg_i),
    .packed_i        (packed_ring),
    .indirect_ok_i   (indirect),
    .free_o          (slot_free),
    .next_o          (slot_next),
    .alloc_i         (packed_ring ? alloc_poll : alloc_heads),
    .alloc_queue_i   (packed_ring ? alloc_queue_poll : alloc_queue_heads),
    .alloc_head_i    (alloc_head),
    .item_valid_i    (item_valid),
    .item_i          (item),
    .feed_i          (feed),
    .feed_slot_i     (feed_slot),
    .feed_bad_i      (feed_bad),
    .feed_full_o     (feed_full),
    .want_o          (walk_want),
    .walk_slot_i     (walk_slot),
    .walk_want_o     (walk_slot_want),
    .walk_queue_o    (walk_queue),
    .walk_chain_o    (walk_chain),
    .walk_i          (walk),
    .head_valid_o    (oldest_valid),
    .head_slot_o     (oldest_slot),
    .head_queue_o    (oldest_queue),
    .head_id_o       (oldest_id),
    .head_chain_o    (oldest_chain),
    .head_complete_o (oldest_complete),
    .head_bad_o      (oldest_bad),
    .head_busy_o     (oldest_busy),
    .head_held_i     (held),
    .load_i          (load),
    .load_nth_i      (load_nth),
    .element_o       (element),
    .free_i          (free)
  );
  vio_ring_walk #(.NumQueues(NumQueues), .QW(QW)) u_walk (
    .clk_i, .rst_ni, .stop_i,
    .cfg_i        (queue_cfg_i),
    .packed_i     (packed_ring),
    .halt_i       (halt),
    .want_i       (walk_want),
    .head_slot_i  (oldest_slot),
    .head_held_i  (held),
    .slot_o       (walk_slot),
    .slot_want_i  (walk_slot_want),
    .slot_queue_i (walk_queue),
    .slot_chain_i (walk_chain),
    .walk_o       (walk),
    .req_valid_o  (rd_valid[RdWalk]),
    .req_ready_i  (rd_ready[RdWalk]),
    .req_o        (rd_req[RdWalk])
  );

  // To the back end and back.
  logic tag_valid, begins, commits, aborts, pop;
  logic [TagW-1:0] free_tag, hand_tag, abort_tag;
  queue_t hand_queue, abort_queue, pop_queue;
  logic [15:0] hand_id, hand_slots;
  logic [32:0] hand_room;
  finished_t finished;
  queues_t ready, many;
  vio_ring_handover #(.NumQueues(NumQueues), .QW(QW)) u_handover (
    .clk_i, .rst_ni, .stop_i, .seg_valid_o, .seg_ready_i, .seg_o,
    .all_stop_i      (all_stop),
    .halt_i          (halt),
    .head_valid_i    (oldest_valid),
    .head_queue_i    (oldest_queue),
    .head_id_i       (oldest_id),
    .head_chain_i    (oldest_chain),
    .head_complete_i (oldest_complete),
    .head_bad_i      (oldest_bad),
    .head_busy_i     (oldest_busy),
    .load_o          (load),
    .load_nth_o      (load_nth),
    .element_i       (element),
    .free_o          (free),
    .held_o          (held),
    .tag_valid_i     (tag_valid),
    .tag_i           (free_tag),
    .begin_o         (begins),
    .commit_o        (commits),
    .queue_o         (hand_queue),
    .tag_o           (hand_tag),
    .id_o            (hand_id),
    .slots_o         (hand_slots),
    .room_o          (hand_room),
    .abort_o         (aborts),
    .abort_queue_o   (abort_queue),
    .abort_tag_o     (abort_tag),
    .idle_o          (hand_idle),
    .error_o         (chain_error)
  );
  assign cpl_ready_o = 1'b1;
  vio_ring_tags #(.NumQueues(NumQueues), .QW(QW)) u_tags (
    .clk_i, .rst_ni, .cpl_i,
    .in_order_i    (in_order),
    .clear_i       (clear_tags),
    .tag_valid_o   (tag_valid),
    .tag_o         (free_tag),
    .begin_i       (begins),
    .commit_i      (commits),
    .queue_i       (hand_queue),
    .tag_i         (hand_tag),
    .id_i          (hand_id),
    .slots_i       (hand_slots),
    .room_i        (hand_room),
    .abort_i       (aborts),
    .abort_queue_i (abort_queue),
    .abort_tag_i   (abort_tag),
    .cpl_valid_i   (cpl_valid_i && !all_stop),
    .ready_o       (ready),
    .many_o        (many),
    .pop_queue_i   (pop_queue),
    .pop_i         (pop),
    .finished_o    (finished),
    .empty_o       (empty)
  );

  // Used buffers, and who wants to hear of them.
  vio_ring_used #(.NumQueues(NumQueues), .QW(QW), .DataWidth(DataWidth)) u_used (
    .clk_i, .rst_ni, .stop_i,
    .cfg_i         (queue_cfg_i),
    .packed_i      (packed_ring),
    .in_order_i    (in_order),
    .all_stop_i    (all_stop),
    .clear_i       (clear),
    .ready_i       (ready),
    .many_i        (many),
    .pop_queue_o   (pop_queue),
    .pop_o         (pop),
    .finished_i    (finished),
    .busy_i        (busy),
    .quiet_o       (quiet),
    .quiet_queue_o (quiet_queue),
    .req_valid_o   (wr_valid[WrUsed]),
    .req_ready_i   (wr_ready[WrUsed]),
    .req_cmd_o     (wr_cmd[WrUsed]),
    .req_note_o    (wr_note[WrUsed]),
    .data_valid_o  (wr_data_valid[WrUsed]),
    .data_ready_i  (wr_data_ready[WrUsed]),
    .data_o        (wr_data[WrUsed]),
    .data_last_o   (wr_data_last[WrUsed]),
    .done_i        (used_done),
    .done_queue_i  (done_queue),
    .idle_o        (used_idle)
  );
  vio_ring_event #(.NumQueues(NumQueues), .QW(QW)) u_event (
    .clk_i, .rst_ni, .stop_i, .irq_valid_o, .irq_queue_o, .irq_ready_i,
    .cfg_i        (queue_cfg_i),
    .packed_i     (packed_ring),
    .event_idx_i  (event_idx),
    .clear_i      (clear),
    .done_i       (used_done),
    .done_note_i  (done_note),
    .req_valid_o  (rd_valid[RdEvent]),
    .req_ready_i  (rd_ready[RdEvent]),
    .req_o        (rd_req[RdEvent]),
    .item_valid_i (item_valid),
    .item_i       (item),
    .idle_o       (event_idle),
    .error_o      (event_error)
  );

endmodule
