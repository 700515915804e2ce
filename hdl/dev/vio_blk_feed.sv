/// Gives each write command its packed beats: sectors from the medium, the identification string,
/// or a status byte that knows whether the data before it were read without an error.
module vio_blk_feed #(
  parameter int unsigned  DataWidth = 256,
  /// Commands that wait for their data to move, a power of two.
  parameter int unsigned  MaxCmds   = 16,
  /// The answer to GET_ID, its first character in bits [7:0].
  parameter logic [159:0] IdString  = '0
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 clear_i,

  input  logic                 cmd_valid_i,
  output logic                 cmd_ready_o,
  /// A status byte; otherwise data.
  input  logic                 cmd_status_i,
  /// The data are the identification string.
  input  logic                 cmd_id_i,
  input  logic [12:0]          cmd_len_i,
  /// The status byte's value.
  input  logic [7:0]           cmd_value_i,

  input  logic                 med_valid_i,
  output logic                 med_ready_o,
  input  logic [DataWidth-1:0] med_data_i,
  input  logic                 med_err_i,

  output logic                 wr_data_valid_o,
  input  logic                 wr_data_ready_i,
  output logic [DataWidth-1:0] wr_data_o
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);
  localparam int unsigned IdBits    = (DataWidth > 192) ? DataWidth : 192;
  typedef logic [LaneBits:0] bytes_t;

  logic        valid, done, status, is_id;
  logic [12:0] len;
  logic [7:0]  value;
  vio_dma_fifo #(.Width(23), .Depth(MaxCmds)) u_cmds (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (cmd_valid_i),
    .wr_ready_o (cmd_ready_o),
    .wr_data_i  ({cmd_status_i, cmd_id_i, cmd_len_i, cmd_value_i}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (valid),
    .rd_ready_i (done),
    .rd_data_o  ({status, is_id, len, value})
  );

  // The source in whole beats. What a failed read brought is not shown to the guest.
  logic [IdBits-1:0]    id_q;
  logic [DataWidth-1:0] source;
  logic                 source_valid, source_take;
  assign source       = is_id ? id_q[DataWidth-1:0] : med_err_i ? '0 : med_data_i;
  assign source_valid = is_id || med_valid_i;
  assign med_ready_o  = source_take && !is_id;

  // The bytes of `held_q`, the last source beat, before `lane_q` are used up.
  logic [LaneBits-1:0]  lane_q;
  logic [DataWidth-1:0] held_q, joined;
  logic [12:0]          sent_q, left;
  logic                 err_q, need, space, step;
  bytes_t               bytes, rest;
  assign left   = len - sent_q;
  assign bytes  = (left < 13'(DataBytes)) ? bytes_t'(left) : bytes_t'(DataBytes);
  assign rest   = (lane_q == '0) ? '0 : bytes_t'(DataBytes) - bytes_t'(lane_q);  // unused in held_q
  assign need   = !status && bytes > rest;
  assign joined = (lane_q == '0) ? source : DataWidth'({source, held_q} >> {lane_q, 3'b000});

  assign space       = !wr_data_valid_o || wr_data_ready_i;
  assign step        = valid && space && (!need || source_valid);
  assign source_take = step && need;
  assign done        = step && (status || left == 13'(bytes));

  logic err;
  assign err = err_q || (source_take && !is_id && med_err_i);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lane_q          <= '0;
      sent_q          <= '0;
      err_q           <= 1'b0;
      id_q            <= IdBits'(IdString);
      wr_data_valid_o <= 1'b0;
    end else if (clear_i) begin
      lane_q          <= '0;
      sent_q          <= '0;
      err_q           <= 1'b0;
      id_q            <= IdBits'(IdString);
      wr_data_valid_o <= 1'b0;
    end else begin
      if (step) begin
        sent_q <= done ? '0 : sent_q + 13'(bytes);
        lane_q <= status ? '0 : LaneBits'(bytes_t'(lane_q) + bytes);
        err_q  <= err && !status;
      end
      if (step && status) id_q <= IdBits'(IdString);
      else if (source_take && is_id) id_q <= IdBits'(id_q[IdBits-1:DataWidth-1] >> 1);
      if (space) wr_data_valid_o <= step;
    end
  end
  always_ff @(posedge clk_i) begin
    if (source_take) held_q <= source;
    if (step) begin
      wr_data_o <= joined;
      if (status) wr_data_o <= DataWidth'(err_q ? 8'(vio_spec_pkg::BLK_STATUS_IOERR) : value);
    end
  end

endmodule
