/// Writes the device's own suppression words: used.flags or avail_event (virtio 1.4, 2.7.10), or
/// the packed ring's device event structure (2.8.10, 2.8.14).
module vio_ring_arm
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3,
  parameter int unsigned DataWidth = 256
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                packed_i,
  input  logic                                event_idx_i,
  input  logic [NumQueues-1:0]                arm_i,
  input  logic [NumQueues-1:0]                hush_i,
  input  logic [NumQueues-1:0][15:0]          pos_i,
  input  logic [NumQueues-1:0]                block_i,       ///< not these queues
  output logic                                wrote_o,
  output logic                                wrote_arm_o,
  output logic [QW-1:0]                       wrote_queue_o,
  output logic                                req_valid_o,
  input  logic                                req_ready_i,
  output vio_pkg::dma_cmd_t                   req_cmd_o,
  output note_t                               req_note_o,
  output logic                                data_valid_o,
  input  logic                                data_ready_i,
  output logic [DataWidth-1:0]                data_o
);

  import vio_spec_pkg::*;

  logic any, sending_q;
  logic [QW-1:0] queue;
  logic [15:0] flags;
  logic [63:0] device;
  logic [31:0] data_q;

  vio_ring_rr #(.Num(NumQueues)) u_rr (
    .clk_i, .rst_ni,
    .req_i   ((arm_i | hush_i) & ~block_i),
    .take_i  (wrote_o),
    .valid_o (any),
    .index_o (queue)
  );
  assign device = cfg_i[queue].device;
  assign wrote_o = req_valid_o && req_ready_i;
  assign wrote_arm_o = arm_i[queue];
  assign wrote_queue_o = queue;
  assign req_valid_o = any && !sending_q;
  assign req_note_o = '{kind: wrote_arm_o ? NoteArm : NoteNone, queue: QueueW'(queue), pos: '0,
                        step: '0};
  always_comb begin
    if (packed_i) begin
      req_cmd_o = '{addr: device, len: 13'd4};
    end else if (event_idx_i) begin
      req_cmd_o = '{addr: device + 64'(SPLIT_USED_HEADER)
                    + 64'(SPLIT_USED_ELEMENT) * 64'(cfg_i[queue].size), len: 13'd2};
    end else begin
      req_cmd_o = '{addr: device, len: 13'd2};
    end
    if (!wrote_arm_o) flags = 16'(RING_EVENT_DISABLE);
    else flags = event_idx_i ? 16'(RING_EVENT_DESC) : 16'(RING_EVENT_ENABLE);
  end
  assign data_valid_o = sending_q;
  assign data_o = DataWidth'(data_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sending_q <= 1'b0;
    end else if (wrote_o) begin
      sending_q <= 1'b1;
    end else if (data_ready_i) begin
      sending_q <= 1'b0;
    end
  end

  // Split rings without EVENT_IDX are armed by used.flags of zero.
  always_ff @(posedge clk_i) begin
    if (wrote_o) data_q <= {packed_i ? flags : 16'd0, event_idx_i ? pos_i[queue] : 16'd0};
  end

endmodule
