/// Brings requests to their end, in order: data to the guest, the status byte behind them, and the
/// completion when both are in guest memory.
///
/// A command is given only when its data are in the medium's buffer. A write to the medium, and
/// a flush behind it, is completed only when the medium has answered.
module vio_blk_retire
  import vio_pkg::dma_cmd_t;
  import vio_pkg::completion_t;
  import vio_blk_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  /// Bytes that the medium's read buffer holds.
  parameter int unsigned BufBytes  = 16384,
  /// Requests between their header and their completion, a power of two.
  parameter int unsigned Chains    = 64,
  /// The answer to GET_ID, its first character in bits [7:0].
  parameter logic [159:0] IdString = '0
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Forget everything; only while stopped and idle.
  input  logic                 clear_i,
  /// Give no further command.
  input  logic                 stop_i,
  /// Every command has been answered.
  output logic                 idle_o,

  input  logic                 request_valid_i,
  output logic                 request_ready_o,
  input  request_t             request_i,
  input  logic                 elem_valid_i,
  output logic                 elem_ready_o,
  input  element_t             elem_i,

  /// A word came into the medium's read buffer (pulse).
  input  logic                 med_word_i,
  input  logic                 med_valid_i,
  output logic                 med_ready_o,
  input  logic [DataWidth-1:0] med_data_i,
  input  logic                 med_err_i,
  /// A write to the medium is answered (pulse).
  input  logic                 med_done_i,
  input  logic                 med_done_err_i,

  output logic                 wr_cmd_valid_o,
  input  logic                 wr_cmd_ready_i,
  output dma_cmd_t             wr_cmd_o,
  output logic                 wr_data_valid_o,
  input  logic                 wr_data_ready_i,
  output logic [DataWidth-1:0] wr_data_o,
  input  logic                 wr_rsp_valid_i,
  input  logic                 wr_rsp_err_i,

  output logic                 cpl_valid_o,
  input  logic                 cpl_ready_i,
  output completion_t          cpl_o
);

  import vio_spec_pkg::*;

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned MaxCmds   = 16;
  typedef logic [$clog2(BufBytes):0] avail_t;
  typedef logic [$clog2(MaxCmds)+5:0] open_t;

  request_t request;
  logic     request_valid, request_done;
  vio_dma_fifo #(.Width($bits(request_t)), .Depth(Chains)) u_request (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (request_valid_i),
    .wr_ready_o (request_ready_o),
    .wr_data_i  (request_i),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (request_valid),
    .rd_ready_i (request_done),
    .rd_data_o  (request)
  );

  // Answers of the medium to writes, one for each request.
  logic med_done, med_done_err, unused_ready;
  vio_dma_fifo #(.Width(1), .Depth(Chains)) u_done (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (med_done_i),
    .wr_ready_o (unused_ready),
    .wr_data_i  (med_done_err_i),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (med_done),
    .rd_ready_i (request_done && request.op == OpOut),
    .rd_data_o  (med_done_err)
  );

  // First the data, or the skipping of unused elements, then the status byte.
  typedef enum logic {StData, StStatus} state_e;
  state_e   state_q, state;
  dma_cmd_t data_cmd;
  logic     data_valid, data_last, walk_done, data_ready, enough, feed_ready, cpl_ready;
  logic     data_fire, status_fire, cmd_fire;
  avail_t   avail_q;
  assign state  = (request.elements == '0) ? StStatus : state_q;
  assign enough = request.op == OpId || avail_q >= avail_t'(data_cmd.len);
  assign data_ready = wr_cmd_ready_i && feed_ready && enough && !stop_i;
  assign data_fire  = data_valid && data_ready;

  vio_blk_walk u_walk (
    .clk_i, .rst_ni, .clear_i,
    .chain_valid_i (request_valid && state == StData),
    .elements_i    (request.elements),
    .want_i        (request.len),
    .chain_done_o  (walk_done),
    .elem_valid_i, .elem_ready_o, .elem_i,
    .cmd_valid_o   (data_valid),
    .cmd_ready_i   (data_ready),
    .cmd_o         (data_cmd),
    .cmd_last_o    (data_last)
  );

  logic status_due;
  assign status_due   = request_valid && state == StStatus && cpl_ready && !stop_i
                        && (request.op != OpOut || med_done);
  assign status_fire  = status_due && !request.silent && wr_cmd_ready_i && feed_ready;
  assign request_done = status_due && (request.silent || status_fire);

  always_comb begin
    wr_cmd_o       = data_cmd;
    wr_cmd_valid_o = data_valid && feed_ready && enough && !stop_i;
    if (state == StStatus) begin
      wr_cmd_o       = '{addr: request.status_addr, len: 13'd1};
      wr_cmd_valid_o = status_due && !request.silent && feed_ready;
    end
  end
  assign cmd_fire = wr_cmd_valid_o && wr_cmd_ready_i;

  logic [7:0] status;
  assign status = (request.op == OpOut && med_done_err) ? 8'(BLK_STATUS_IOERR) : request.status;
  vio_blk_feed #(.DataWidth(DataWidth), .MaxCmds(MaxCmds), .IdString(IdString)) u_feed (
    .clk_i, .rst_ni, .clear_i,
    .cmd_valid_i  (data_fire || status_fire),
    .cmd_ready_o  (feed_ready),
    .cmd_status_i (state == StStatus),
    .cmd_id_i     (request.op == OpId),
    .cmd_len_i    (wr_cmd_o.len),
    .cmd_value_i  (status),
    .med_valid_i, .med_ready_o, .med_data_i, .med_err_i,
    .wr_data_valid_o, .wr_data_ready_i, .wr_data_o
  );

  open_t open_q;
  assign idle_o = open_q == '0;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StData;
      avail_q <= '0;
      open_q  <= '0;
    end else begin
      open_q <= open_q + open_t'(cmd_fire) - open_t'(wr_rsp_valid_i);
      if (clear_i) begin
        state_q <= StData;
        avail_q <= '0;
      end else begin
        if (request_done)   state_q <= StData;
        else if (walk_done) state_q <= StStatus;
        avail_q <= avail_q + (med_word_i ? avail_t'(DataBytes) : '0)
                   - (data_fire && request.op == OpIn ? avail_t'(data_cmd.len) : '0);
      end
    end
  end

  vio_cpl_gate #(.Depth(Chains)) u_cpl (
    .clk_i, .rst_ni, .clear_i, .cpl_valid_o, .cpl_ready_i, .cpl_o,
    .write_i     (cmd_fire),
    .rsp_valid_i (wr_rsp_valid_i),
    .rsp_err_i   (wr_rsp_err_i),
    .in_valid_i  (request_done),
    .in_ready_o  (cpl_ready),
    .in_i        ('{queue: request.queue, tag: request.tag, written: request.written})
  );

  logic unused;
  assign unused = data_last;

endmodule
