/// The engine's way back: from finished chains to used buffers in the ring and interrupt requests.
module vio_ring_return
  import vio_pkg::*;
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3,
  parameter int unsigned DataWidth = 256
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  queue_cfg_t [NumQueues-1:0] queue_cfg_i,
  input  logic                       packed_i,
  input  logic                       event_idx_i,
  input  logic                       in_order_i,
  input  logic [NumQueues-1:0]       stop_i,
  input  logic                       all_stop_i,
  input  logic [NumQueues-1:0]       clear_i,
  input  logic                       clear_tags_i,
  output logic [NumQueues-1:0]       empty_o,        ///< the back end has no chain of this queue
  output logic                       used_idle_o,
  output logic                       event_idle_o,
  output logic                       error_o,
  // From the hand-over, as in `vio_ring_tags`.
  output logic                       tag_valid_o,
  output logic [TagW-1:0]            tag_o,
  input  logic                       begin_i,
  input  logic                       commit_i,
  input  logic [QW-1:0]              queue_i,
  input  logic [TagW-1:0]            tag_i,
  input  logic [15:0]                id_i,
  input  logic [15:0]                slots_i,
  input  logic [32:0]                room_i,
  input  logic                       abort_i,
  input  logic [QW-1:0]              abort_queue_i,
  input  logic [TagW-1:0]            abort_tag_i,
  input  logic                       cpl_valid_i,
  input  completion_t                cpl_i,
  // To the doorbells.
  input  logic [NumQueues-1:0]       busy_i,
  output logic                       quiet_o,
  output logic [QW-1:0]              quiet_queue_o,
  // To the write port.
  output logic                       wr_valid_o,
  input  logic                       wr_ready_i,
  output dma_cmd_t                   wr_cmd_o,
  output note_t                      wr_note_o,
  output logic                       wr_data_valid_o,
  input  logic                       wr_data_ready_i,
  output logic [DataWidth-1:0]       wr_data_o,
  output logic                       wr_data_last_o,
  input  logic                       done_i,         ///< a NoteUsed write is in memory
  input  note_t                      done_note_i,
  // To the read port.
  output logic                       rd_valid_o,
  input  logic                       rd_ready_i,
  output rd_req_t                    rd_req_o,
  input  logic                       item_valid_i,
  input  item_t                      item_i,
  // To the front end.
  output logic                       irq_valid_o,
  output logic [15:0]                irq_queue_o,
  input  logic                       irq_ready_i
);

  logic [QW-1:0] pop_queue;
  logic pop;
  finished_t finished;
  logic [NumQueues-1:0] ready, many;

  vio_ring_tags #(.NumQueues(NumQueues), .QW(QW)) u_tags (
    .clk_i, .rst_ni, .in_order_i, .tag_valid_o, .tag_o, .begin_i, .commit_i, .queue_i, .tag_i,
    .id_i, .slots_i, .room_i, .abort_i, .abort_queue_i, .abort_tag_i, .cpl_i, .empty_o,
    .clear_i     (clear_tags_i),
    .cpl_valid_i (cpl_valid_i && !all_stop_i),
    .ready_o     (ready),
    .many_o      (many),
    .pop_queue_i (pop_queue),
    .pop_i       (pop),
    .finished_o  (finished)
  );

  vio_ring_used #(.NumQueues(NumQueues), .QW(QW), .DataWidth(DataWidth)) u_used (
    .clk_i, .rst_ni, .packed_i, .in_order_i, .stop_i, .all_stop_i, .clear_i, .busy_i, .quiet_o,
    .quiet_queue_o, .done_i,
    .cfg_i        (queue_cfg_i),
    .ready_i      (ready),
    .many_i       (many),
    .pop_queue_o  (pop_queue),
    .pop_o        (pop),
    .finished_i   (finished),
    .req_valid_o  (wr_valid_o),
    .req_ready_i  (wr_ready_i),
    .req_cmd_o    (wr_cmd_o),
    .req_note_o   (wr_note_o),
    .data_valid_o (wr_data_valid_o),
    .data_ready_i (wr_data_ready_i),
    .data_o       (wr_data_o),
    .data_last_o  (wr_data_last_o),
    .done_queue_i (QW'(done_note_i.queue)),
    .idle_o       (used_idle_o)
  );

  vio_ring_event #(.NumQueues(NumQueues), .QW(QW)) u_event (
    .clk_i, .rst_ni, .packed_i, .event_idx_i, .stop_i, .clear_i, .done_i, .done_note_i,
    .item_valid_i, .item_i, .irq_valid_o, .irq_queue_o, .irq_ready_i, .error_o,
    .cfg_i       (queue_cfg_i),
    .req_valid_o (rd_valid_o),
    .req_ready_i (rd_ready_i),
    .req_o       (rd_req_o),
    .idle_o      (event_idle_o)
  );

endmodule
