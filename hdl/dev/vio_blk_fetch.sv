/// Reads the readable bytes of every chain, ahead of knowing what they ask for, and joins them:
/// the 16-byte header ends on a beat's boundary, and the data after it begin with a beat.
module vio_blk_fetch
  import vio_pkg::dma_cmd_t;
  import vio_blk_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  /// Commands between acceptance and the last beat of their answer, a power of two.
  parameter int unsigned MaxCmds   = 64
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Forget everything; only while stopped and idle.
  input  logic                 clear_i,
  /// Give no command; take and forget what comes.
  input  logic                 stop_i,
  /// Every command is answered.
  output logic                 idle_o,

  input  logic                 fetch_valid_i,
  output logic                 fetch_ready_o,
  input  fetch_t               fetch_i,
  input  logic                 elem_valid_i,
  output logic                 elem_ready_o,
  input  element_t             elem_i,

  output logic                 rd_cmd_valid_o,
  input  logic                 rd_cmd_ready_i,
  output dma_cmd_t             rd_cmd_o,
  input  logic                 rd_rsp_valid_i,
  output logic                 rd_rsp_ready_o,
  input  logic [DataWidth-1:0] rd_rsp_data_i,
  input  logic                 rd_rsp_last_i,
  input  logic                 rd_rsp_err_i,

  output logic                 beat_valid_o,
  input  logic                 beat_ready_i,
  output logic [DataWidth-1:0] beat_o,
  /// An error response at or before this beat of the chain.
  output logic                 beat_err_o
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);
  localparam int unsigned Header    = vio_spec_pkg::BLK_HEADER_LENGTH;
  localparam logic [LaneBits-1:0] StartLane = LaneBits'(0 - Header);
  typedef logic [LaneBits:0] bytes_t;

  logic walk_valid, walk_ready, walk_last, note_ready, note_valid, note_last, note_pop;
  logic [LaneBits-1:0] note_len;
  assign walk_ready     = rd_cmd_ready_i && note_ready && !stop_i;
  assign rd_cmd_valid_o = walk_valid && note_ready && !stop_i;
  vio_blk_walk u_walk (
    .clk_i, .rst_ni, .clear_i,
    .chain_valid_i (fetch_valid_i && !stop_i),
    .elements_i    (fetch_i.elements),
    .want_i        (fetch_i.want),
    .chain_done_o  (fetch_ready_o),
    .elem_valid_i, .elem_ready_o, .elem_i,
    .cmd_valid_o   (walk_valid),
    .cmd_ready_i   (walk_ready),
    .cmd_o         (rd_cmd_o),
    .cmd_last_o    (walk_last)
  );

  // Bytes of a command's last beat (0: all), and whether it ends its chain.
  vio_dma_fifo #(.Width(LaneBits + 1), .Depth(MaxCmds)) u_note (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (rd_cmd_valid_o && rd_cmd_ready_i),
    .wr_ready_o (note_ready),
    .wr_data_i  ({walk_last, rd_cmd_o.len[LaneBits-1:0]}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (note_valid),
    .rd_ready_i (note_pop),
    .rd_data_o  ({note_last, note_len})
  );

  // `lane_q` bytes of the next beat are in `held_q`; the response is turned to follow them.
  logic [LaneBits-1:0]  lane_q;
  logic [DataWidth-1:0] held_q, turned, joined;
  logic err_q, err, full, space, take, ends;
  logic flush_q, flush, rest_err_q;  // the chain's last bytes do not fill a beat
  bytes_t bytes, fill;
  assign bytes  = (rd_rsp_last_i && note_len != '0) ? bytes_t'(note_len) : bytes_t'(DataBytes);
  assign fill   = bytes_t'(lane_q) + bytes;
  assign turned = DataWidth'({rd_rsp_data_i, rd_rsp_data_i}
                             >> ((LaneBits + 4)'(DataWidth) - {1'b0, lane_q, 3'b000}));
  always_comb begin
    for (int unsigned i = 0; i < DataBytes; i++) begin
      joined[8*i +: 8] = (LaneBits'(i) < lane_q) ? held_q[8*i +: 8] : turned[8*i +: 8];
    end
  end

  assign full  = fill[LaneBits];
  assign space = !beat_valid_o || beat_ready_i;
  assign rd_rsp_ready_o = stop_i || (note_valid && !flush_q && (!full || space));
  assign flush    = flush_q && space && !stop_i;
  assign take     = rd_rsp_valid_i && rd_rsp_ready_o && !stop_i;
  assign ends     = take && rd_rsp_last_i && note_last;
  assign note_pop = take && rd_rsp_last_i;
  assign err      = err_q || rd_rsp_err_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lane_q       <= StartLane;
      err_q        <= 1'b0;
      flush_q      <= 1'b0;
      rest_err_q   <= 1'b0;
      beat_valid_o <= 1'b0;
    end else if (clear_i) begin
      lane_q       <= StartLane;
      err_q        <= 1'b0;
      flush_q      <= 1'b0;
      beat_valid_o <= 1'b0;
    end else begin
      if (take) begin
        lane_q     <= ends ? StartLane : fill[LaneBits-1:0];
        err_q      <= err && !ends;
        flush_q    <= ends && fill[LaneBits-1:0] != '0;
        rest_err_q <= err;
      end else if (flush) begin
        flush_q <= 1'b0;
      end
      if (space) beat_valid_o <= flush || (take && full);
    end
  end
  always_ff @(posedge clk_i) begin
    if (take) held_q <= full ? turned : joined;
    if (take && full) begin
      beat_o     <= joined;
      beat_err_o <= err;
    end else if (flush) begin
      beat_o     <= held_q;
      beat_err_o <= rest_err_q;
    end
  end

  logic [$clog2(MaxCmds)+1:0] open_q;
  assign idle_o = open_q == '0;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q <= '0;
    end else begin
      open_q <= open_q + ($clog2(MaxCmds) + 2)'(rd_cmd_valid_o && rd_cmd_ready_i)
                - ($clog2(MaxCmds) + 2)'(rd_rsp_valid_i && rd_rsp_ready_o && rd_rsp_last_i);
    end
  end

endmodule
