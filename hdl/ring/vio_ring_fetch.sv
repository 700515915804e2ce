/// The engine's way in: from available buffers to elements at the back end. One of `vio_ring_avail`
/// (with `vio_ring_heads`) and `vio_ring_poll` is at work, by the ring format negotiated.
module vio_ring_fetch
  import vio_pkg::*;
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3,
  parameter int unsigned NumRd     = 4   ///< read clients
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  queue_cfg_t [NumQueues-1:0] queue_cfg_i,
  input  logic                       packed_i,
  input  logic                       indirect_ok_i,
  input  logic                       in_order_i,
  input  logic                       fetch_i,         ///< new buffers may be fetched
  input  logic [NumQueues-1:0]       stop_i,
  input  logic                       all_stop_i,
  input  logic [NumQueues-1:0]       clear_i,
  input  logic                       halt_i,
  output logic                       idle_o,          ///< nothing fetched waits for its turn
  output logic                       error_o,
  // To the doorbells.
  input  logic [NumQueues-1:0]       look_ok_i,
  output logic                       look_o,
  output logic [QW-1:0]              look_queue_o,
  output logic                       result_o,
  output logic [QW-1:0]              result_queue_o,
  output logic                       result_more_o,
  output logic [15:0]                result_pos_o,
  // To the read port.
  output logic [NumRd-1:0]           rd_valid_o,
  input  logic [NumRd-1:0]           rd_ready_i,
  output rd_req_t [NumRd-1:0]        rd_req_o,
  input  logic                       item_valid_i,
  input  item_t                      item_i,
  // To the tags, as in `vio_ring_handover`.
  input  logic                       tag_valid_i,
  input  logic [TagW-1:0]            tag_i,
  output logic                       begin_o,
  output logic                       commit_o,
  output logic [QW-1:0]              queue_o,
  output logic [TagW-1:0]            tag_o,
  output logic [15:0]                id_o,
  output logic [15:0]                slots_o,
  output logic [32:0]                room_o,
  output logic                       abort_o,
  output logic [QW-1:0]              abort_queue_o,
  output logic [TagW-1:0]            abort_tag_o,
  // To the back end.
  output logic                       seg_valid_o,
  input  logic                       seg_ready_i,
  output segment_t                   seg_o
);

  localparam int unsigned RdAvail = 0, RdHeads = 1, RdPoll = 2, RdWalk = 3;
  typedef logic [QW-1:0] queue_t;

  logic avail_error, poll_error, chain_error, heads_idle, poll_idle, hand_idle;
  assign error_o = avail_error || poll_error || chain_error;
  assign idle_o = heads_idle && poll_idle && hand_idle;

  // What the fetcher at work has to tell.
  logic look_avail, look_poll, result_avail, result_poll, more_avail, more_poll;
  queue_t look_queue_avail, look_queue_poll, result_queue_avail, result_queue_poll;
  logic [15:0] result_pos_avail, result_pos_poll;
  assign look_o = packed_i ? look_poll : look_avail;
  assign look_queue_o = packed_i ? look_queue_poll : look_queue_avail;
  assign result_o = packed_i ? result_poll : result_avail;
  assign result_queue_o = packed_i ? result_queue_poll : result_queue_avail;
  assign result_more_o = packed_i ? more_poll : more_avail;
  assign result_pos_o = packed_i ? result_pos_poll : result_pos_avail;

  // The slots, and what their users know of them.
  logic [Slots-1:0] walk_want;
  logic [SlotW-1:0] walk_slot, oldest_slot;
  logic walk_slot_want, walk, oldest_valid, oldest_complete, oldest_bad, oldest_busy, load, free;
  logic oldest_open;
  queue_t walk_queue, oldest_queue;
  chain_t walk_chain, oldest_chain;
  logic [15:0] oldest_id;
  logic [DepthW-1:0] load_nth;
  logic [DepthW:0] held;
  element_t element;

  // Split: available ring, then heads.
  logic head_valid, head_taken;
  queue_t head_queue;
  logic [15:0] head;
  vio_ring_avail #(.NumQueues(NumQueues), .QW(QW)) u_avail (
    .clk_i, .rst_ni, .stop_i, .clear_i, .halt_i, .look_ok_i, .item_valid_i, .item_i,
    .cfg_i          (queue_cfg_i),
    .run_i          (fetch_i && !packed_i),
    .look_o         (look_avail),
    .look_queue_o   (look_queue_avail),
    .result_o       (result_avail),
    .result_queue_o (result_queue_avail),
    .result_more_o  (more_avail),
    .result_pos_o   (result_pos_avail),
    .req_valid_o    (rd_valid_o[RdAvail]),
    .req_ready_i    (rd_ready_i[RdAvail]),
    .req_o          (rd_req_o[RdAvail]),
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
    .clk_i, .rst_ni, .in_order_i, .stop_i, .halt_i,
    .cfg_i         (queue_cfg_i),
    .head_valid_i  (head_valid),
    .head_queue_i  (head_queue),
    .head_i        (head),
    .head_taken_o  (head_taken),
    .slot_free_i   (slot_free),
    .slot_next_i   (slot_next),
    .alloc_o       (alloc_heads),
    .alloc_queue_o (alloc_queue_heads),
    .alloc_head_o  (alloc_head),
    .req_valid_o   (rd_valid_o[RdHeads]),
    .req_ready_i   (rd_ready_i[RdHeads]),
    .req_o         (rd_req_o[RdHeads]),
    .idle_o        (heads_idle)
  );

  // Packed: the descriptor ring.
  vio_ring_poll #(.NumQueues(NumQueues), .QW(QW)) u_poll (
    .clk_i, .rst_ni, .stop_i, .packed_i, .clear_i, .halt_i, .look_ok_i, .item_valid_i, .item_i,
    .cfg_i          (queue_cfg_i),
    .run_i          (fetch_i),
    .look_o         (look_poll),
    .look_queue_o   (look_queue_poll),
    .result_o       (result_poll),
    .result_queue_o (result_queue_poll),
    .result_more_o  (more_poll),
    .result_pos_o   (result_pos_poll),
    .req_valid_o    (rd_valid_o[RdPoll]),
    .req_ready_i    (rd_ready_i[RdPoll]),
    .req_o          (rd_req_o[RdPoll]),
    .slot_free_i    (slot_free),
    .slot_next_i    (slot_next),
    .alloc_o        (alloc_poll),
    .alloc_queue_o  (alloc_queue_poll),
    .feed_o         (feed),
    .feed_slot_o    (feed_slot),
    .feed_bad_o     (feed_bad),
    .feed_full_i    (feed_full),
    .head_queue_i   (oldest_queue),
    .head_slot_i    (oldest_slot),
    .head_open_o    (oldest_open),
    .idle_o         (poll_idle),
    .error_o        (poll_error)
  );

  // Chains being fetched.
  vio_ring_chain #(.NumQueues(NumQueues), .QW(QW)) u_chain (
    .clk_i, .rst_ni, .packed_i, .indirect_ok_i, .item_valid_i, .item_i,
    .cfg_i           (queue_cfg_i),
    .free_o          (slot_free),
    .next_o          (slot_next),
    .alloc_i         (packed_i ? alloc_poll : alloc_heads),
    .alloc_queue_i   (packed_i ? alloc_queue_poll : alloc_queue_heads),
    .alloc_head_i    (alloc_head),
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
    .clk_i, .rst_ni, .stop_i, .packed_i, .halt_i,
    .cfg_i        (queue_cfg_i),
    .want_i       (walk_want),
    .head_slot_i  (oldest_slot),
    .head_held_i  (held),
    .slot_o       (walk_slot),
    .slot_want_i  (walk_slot_want),
    .slot_queue_i (walk_queue),
    .slot_chain_i (walk_chain),
    .walk_o       (walk),
    .req_valid_o  (rd_valid_o[RdWalk]),
    .req_ready_i  (rd_ready_i[RdWalk]),
    .req_o        (rd_req_o[RdWalk])
  );

  // In order, to the back end.
  vio_ring_handover #(.NumQueues(NumQueues), .QW(QW)) u_handover (
    .clk_i, .rst_ni, .stop_i, .all_stop_i, .halt_i, .seg_valid_o, .seg_ready_i, .seg_o,
    .tag_valid_i, .tag_i, .begin_o, .commit_o, .queue_o, .tag_o, .id_o, .slots_o, .room_o,
    .abort_o, .abort_queue_o, .abort_tag_o,
    .head_valid_i    (oldest_valid),
    .head_queue_i    (oldest_queue),
    .head_id_i       (oldest_id),
    .head_chain_i    (oldest_chain),
    .head_complete_i (oldest_complete),
    .head_bad_i      (oldest_bad),
    .head_busy_i     (oldest_busy),
    .head_open_i     (oldest_open),
    .load_o          (load),
    .load_nth_o      (load_nth),
    .element_i       (element),
    .free_o          (free),
    .held_o          (held),
    .idle_o          (hand_idle),
    .error_o         (chain_error)
  );

endmodule
