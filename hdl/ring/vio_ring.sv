/// Virtqueue engine (virtio 1.4, 2.7 and 2.8): turns doorbells into chains for the back end, and
/// the back end's completions into used buffers and interrupt requests. Split and packed rings, as
/// negotiated, share all but the way in which availability is seen. Reads of the ring are issued,
/// and relied upon, in order; so are writes.
///
/// Doorbell -> `vio_ring_fetch`: `vio_ring_avail` and `vio_ring_heads` (split) or `vio_ring_poll`
/// (packed), `vio_ring_chain` with `vio_ring_walk`, `vio_ring_handover` -> back end ->
/// `vio_ring_return`: `vio_ring_tags`, `vio_ring_used`, `vio_ring_event` -> interrupt.
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
  // Read clients: those of `vio_ring_fetch`, then one. Write clients: the highest goes first.
  localparam int unsigned NumRdFetch = 4, RdEvent = 4, NumRd = 5;
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
  logic fetch_error, event_error, write_error;
  logic fetch_idle, read_idle, write_idle, used_idle, event_idle, arm_idle;
  assign error = fetch_error || event_error || write_error;
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
    .fetch_idle_i (fetch_idle),
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

  // Doorbells, and the device's own suppression words.
  queues_t look_ok, arm, hush, busy;
  logic [NumQueues-1:0][15:0] arm_pos;
  logic look, result, result_more;
  queue_t look_queue, result_queue;
  logic [15:0] result_pos;
  logic wrote, wrote_arm, quiet;
  queue_t wrote_queue, quiet_queue;
  vio_ring_doorbell #(.NumQueues(NumQueues), .QW(QW)) u_doorbell (
    .clk_i, .rst_ni, .kick_valid_i, .kick_queue_i,
    .packed_i       (packed_ring),
    .event_idx_i    (event_idx),
    .clear_i        (clear | stop_i),
    .look_ok_o      (look_ok),
    .look_i         (look),
    .look_queue_i   (look_queue),
    .result_i       (result),
    .result_queue_i (result_queue),
    .result_more_i  (result_more),
    .result_pos_i   (result_pos),
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

  // From the ring to the back end, and back.
  logic tag_valid, begins, commits, aborts;
  logic [TagW-1:0] free_tag, hand_tag, abort_tag;
  queue_t hand_queue, abort_queue;
  logic [15:0] hand_id, hand_slots;
  logic [32:0] hand_room;
  vio_ring_fetch #(.NumQueues(NumQueues), .QW(QW), .NumRd(NumRdFetch)) u_fetch (
    .clk_i, .rst_ni, .queue_cfg_i, .stop_i, .seg_valid_o, .seg_ready_i, .seg_o,
    .packed_i       (packed_ring),
    .indirect_ok_i  (indirect),
    .in_order_i     (in_order),
    .fetch_i        (fetch),
    .all_stop_i     (all_stop),
    .clear_i        (clear),
    .halt_i         (halt),
    .idle_o         (fetch_idle),
    .error_o        (fetch_error),
    .look_ok_i      (look_ok),
    .look_o         (look),
    .look_queue_o   (look_queue),
    .result_o       (result),
    .result_queue_o (result_queue),
    .result_more_o  (result_more),
    .result_pos_o   (result_pos),
    .rd_valid_o     (rd_valid[NumRdFetch-1:0]),
    .rd_ready_i     (rd_ready[NumRdFetch-1:0]),
    .rd_req_o       (rd_req[NumRdFetch-1:0]),
    .item_valid_i   (item_valid),
    .item_i         (item),
    .tag_valid_i    (tag_valid),
    .tag_i          (free_tag),
    .begin_o        (begins),
    .commit_o       (commits),
    .queue_o        (hand_queue),
    .tag_o          (hand_tag),
    .id_o           (hand_id),
    .slots_o        (hand_slots),
    .room_o         (hand_room),
    .abort_o        (aborts),
    .abort_queue_o  (abort_queue),
    .abort_tag_o    (abort_tag)
  );

  assign cpl_ready_o = 1'b1;
  vio_ring_return #(.NumQueues(NumQueues), .QW(QW), .DataWidth(DataWidth)) u_return (
    .clk_i, .rst_ni, .queue_cfg_i, .stop_i, .cpl_valid_i, .cpl_i,
    .irq_valid_o, .irq_queue_o, .irq_ready_i,
    .packed_i        (packed_ring),
    .event_idx_i     (event_idx),
    .in_order_i      (in_order),
    .all_stop_i      (all_stop),
    .clear_i         (clear),
    .clear_tags_i    (clear_tags),
    .empty_o         (empty),
    .used_idle_o     (used_idle),
    .event_idle_o    (event_idle),
    .error_o         (event_error),
    .tag_valid_o     (tag_valid),
    .tag_o           (free_tag),
    .begin_i         (begins),
    .commit_i        (commits),
    .queue_i         (hand_queue),
    .tag_i           (hand_tag),
    .id_i            (hand_id),
    .slots_i         (hand_slots),
    .room_i          (hand_room),
    .abort_i         (aborts),
    .abort_queue_i   (abort_queue),
    .abort_tag_i     (abort_tag),
    .busy_i          (busy),
    .quiet_o         (quiet),
    .quiet_queue_o   (quiet_queue),
    .wr_valid_o      (wr_valid[WrUsed]),
    .wr_ready_i      (wr_ready[WrUsed]),
    .wr_cmd_o        (wr_cmd[WrUsed]),
    .wr_note_o       (wr_note[WrUsed]),
    .wr_data_valid_o (wr_data_valid[WrUsed]),
    .wr_data_ready_i (wr_data_ready[WrUsed]),
    .wr_data_o       (wr_data[WrUsed]),
    .wr_data_last_o  (wr_data_last[WrUsed]),
    .done_i          (used_done),
    .done_note_i     (done_note),
    .rd_valid_o      (rd_valid[RdEvent]),
    .rd_ready_i      (rd_ready[RdEvent]),
    .rd_req_o        (rd_req[RdEvent]),
    .item_valid_i    (item_valid),
    .item_i          (item)
  );

endmodule
