/// One read client: cuts commands into bursts, keeps room for what comes back, packs it.
///
/// A burst is offered only when the buffer has room for all of its words, so the response
/// channel is never blocked by this client.
module vio_dma_rclient #(
  parameter int unsigned DataWidth = 256,
  /// Words of the response buffer, a power of two, at least two of the longest bursts.
  parameter int unsigned BufWords  = 512,
  /// Bursts in flight, a power of two.
  parameter int unsigned MaxReads  = 32
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Longest burst in bytes, a power of two.
  input  logic [12:0]          limit_i,

  input  logic                 cmd_valid_i,
  output logic                 cmd_ready_o,
  input  vio_pkg::dma_cmd_t    cmd_i,
  output logic                 rsp_valid_o,
  input  logic                 rsp_ready_i,
  output logic [DataWidth-1:0] rsp_data_o,
  output logic                 rsp_last_o,
  output logic                 rsp_err_o,
  /// Every command accepted has been answered.
  output logic                 idle_o,

  output logic                 ar_valid_o,
  input  logic                 ar_ready_i,
  output logic [63:0]          ar_addr_o,
  output logic [7:0]           ar_len_o,
  output logic [2:0]           ar_size_o,
  input  logic                 r_valid_i,
  output logic                 r_ready_o,
  input  logic [DataWidth-1:0] r_data_i,
  input  logic                 r_err_i,
  input  logic                 r_last_i
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);
  localparam int unsigned MaxCmds   = MaxReads;
  typedef logic [$clog2(BufWords):0] room_t;
  typedef logic [$clog2(MaxCmds)+1:0] cmds_t;

  // Commands: to the splitter now, to the packer when their data is back.
  logic cmd_accept, split_ready, order_ready, order_valid, order_done;
  logic [LaneBits-1:0] order_lane;
  logic [12:0] order_len;
  assign cmd_ready_o = split_ready && order_ready;
  assign cmd_accept  = cmd_valid_i && cmd_ready_o;
  vio_dma_fifo #(.Width(LaneBits + 13), .Depth(MaxCmds)) u_order (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (cmd_accept),
    .wr_ready_o (order_ready),
    .wr_data_i  ({cmd_i.addr[LaneBits-1:0], cmd_i.len}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (order_valid),
    .rd_ready_i (order_done),
    .rd_data_o  ({order_lane, order_len})
  );

  logic burst_valid, burst_more, burst_accept, note_ready;
  vio_dma_split #(.DataWidth(DataWidth)) u_split (
    .clk_i, .rst_ni, .limit_i,
    .cmd_valid_i   (cmd_valid_i && order_ready),
    .cmd_ready_o   (split_ready),
    .cmd_i,
    .burst_valid_o (burst_valid),
    .burst_ready_i (burst_accept),
    .burst_addr_o  (ar_addr_o),
    .burst_len_o   (ar_len_o),
    .burst_size_o  (ar_size_o),
    .burst_more_o  (burst_more)
  );

  // Room in the buffer is taken when a burst is issued and given back when a word leaves.
  room_t room_q, want;
  logic  word_valid, word_ready;
  assign want         = burst_more ? '0 : room_t'(ar_len_o) + room_t'(1);
  assign ar_valid_o   = burst_valid && note_ready && room_q >= want;
  assign burst_accept = ar_valid_o && ar_ready_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      room_q <= room_t'(BufWords);
    end else begin
      room_q <= room_q - (burst_accept ? want : '0) + room_t'(word_valid && word_ready);
    end
  end

  // What a burst's beats mean: their first lane, and whether the word is complete with them.
  logic note_valid, note_more, r_accept;
  logic [LaneBits-1:0] note_lane;
  vio_dma_fifo #(.Width(LaneBits + 1), .Depth(MaxReads)) u_note (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (burst_accept),
    .wr_ready_o (note_ready),
    .wr_data_i  ({burst_more, ar_addr_o[LaneBits-1:0]}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (note_valid),
    .rd_ready_i (r_accept && r_last_i),
    .rd_data_o  ({note_more, note_lane})
  );
  assign r_ready_o = note_valid;
  assign r_accept  = r_valid_i && r_ready_o;

  // Lanes below a piece's first byte come from the pieces before; a whole word has none.
  logic [DataWidth-1:0] merged, held_q;
  logic held_err_q, merged_err, holding_q;
  always_comb begin
    for (int unsigned i = 0; i < DataBytes; i++) begin
      merged[8*i +: 8] = (holding_q && LaneBits'(i) < note_lane) ? held_q[8*i +: 8]
                                                                  : r_data_i[8*i +: 8];
    end
  end
  assign merged_err = r_err_i || (holding_q && held_err_q);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      holding_q  <= 1'b0;
      held_err_q <= 1'b0;
    end else if (r_accept) begin
      holding_q  <= note_more;
      held_err_q <= merged_err;
    end
  end
  always_ff @(posedge clk_i) begin
    if (r_accept) held_q <= merged;
  end

  logic [DataWidth-1:0] word;
  logic word_err, unused_ready;
  vio_dma_fifo #(.Width(DataWidth + 1), .Depth(BufWords)) u_buffer (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (r_accept && !note_more),
    .wr_ready_o (unused_ready),
    .wr_data_i  ({merged_err, merged}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (word_valid),
    .rd_ready_i (word_ready),
    .rd_data_o  ({word_err, word})
  );

  vio_dma_pack #(.DataWidth(DataWidth)) u_pack (
    .clk_i, .rst_ni,
    .cmd_valid_i  (order_valid),
    .cmd_ready_o  (order_done),
    .cmd_lane_i   (order_lane),
    .cmd_len_i    (order_len),
    .word_valid_i (word_valid),
    .word_ready_o (word_ready),
    .word_i       (word),
    .word_err_i   (word_err),
    .rsp_valid_o, .rsp_ready_i, .rsp_data_o, .rsp_last_o, .rsp_err_o
  );

  cmds_t cmds_q;
  assign idle_o = cmds_q == '0;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cmds_q <= '0;
    end else begin
      cmds_q <= cmds_q + cmds_t'(cmd_accept)
                - cmds_t'(rsp_valid_o && rsp_ready_i && rsp_last_o);
    end
  end

endmodule
