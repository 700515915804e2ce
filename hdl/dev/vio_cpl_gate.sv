/// Holds completions back until every write of their chains is answered, so that no buffer is used
/// whose bytes a host has refused. After an error nothing passes any more.
module vio_cpl_gate
  import vio_pkg::completion_t;
#(
  /// Completions that can wait, a power of two.
  parameter int unsigned Depth = 64
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Forget completions and errors.
  input  logic        clear_i,
  /// A write command was accepted.
  input  logic        write_i,
  input  logic        rsp_valid_i,
  input  logic        rsp_err_i,
  /// A completion, not before the last write command of its chain.
  input  logic        in_valid_i,
  output logic        in_ready_o,
  input  completion_t in_i,
  output logic        cpl_valid_o,
  input  logic        cpl_ready_i,
  output completion_t cpl_o
);

  // Commands so far, modulo far more than can be under way: given, answered, and given up to here.
  typedef logic [9:0] count_t;
  count_t given_q, answered_q, mark, ahead;
  logic   valid, failed_q;

  vio_dma_fifo #(.Width($bits(count_t) + $bits(completion_t)), .Depth(Depth)) u_waiting (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (in_valid_i),
    .wr_ready_o (in_ready_o),
    .wr_data_i  ({given_q + count_t'(write_i), in_i}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (valid),
    .rd_ready_i (cpl_valid_o && cpl_ready_i),
    .rd_data_o  ({mark, cpl_o})
  );
  assign ahead       = answered_q - mark;
  assign cpl_valid_o = valid && !ahead[$bits(count_t)-1] && !failed_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      given_q    <= '0;
      answered_q <= '0;
      failed_q   <= 1'b0;
    end else begin
      given_q    <= given_q + count_t'(write_i);
      answered_q <= answered_q + count_t'(rsp_valid_i);
      failed_q   <= !clear_i && (failed_q || (rsp_valid_i && rsp_err_i));
    end
  end

  logic unused;
  assign unused = ^ahead;

endmodule
