/// First-in first-out queue on one memory with a registered read port (block RAM where deep).
///
/// A word can be read two cycles after it was written and committed. Words after the last
/// `commit_i` are invisible to the reader; `rollback_i` forgets them. An ordinary queue ties
/// `commit_i` to one and `rollback_i` to zero.
module vio_dma_fifo #(
  /// Bits of a word.
  parameter int unsigned Width = 32,
  /// Words, a power of two, at least 2.
  parameter int unsigned Depth = 32
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Forget everything.
  input  logic             clear_i,
  input  logic             wr_valid_i,
  output logic             wr_ready_o,
  input  logic [Width-1:0] wr_data_i,
  /// Make all words written so far readable, one written in this cycle included.
  input  logic             commit_i,
  /// Forget all words after the last commit, one written in this cycle included.
  input  logic             rollback_i,
  output logic             rd_valid_o,
  input  logic             rd_ready_i,
  output logic [Width-1:0] rd_data_o
);

  localparam int unsigned AddrWidth = $clog2(Depth);
  typedef logic [AddrWidth:0] ptr_t;

  logic [Width-1:0] mem [Depth];
  ptr_t wptr_q, cptr_q, rptr_q, wptr_d, rptr_d;
  logic push, pop;

  assign wr_ready_o = (wptr_q - rptr_q) != ptr_t'(Depth);
  assign push       = wr_valid_i && wr_ready_o;
  assign pop        = rd_valid_o && rd_ready_i;
  assign wptr_d     = wptr_q + ptr_t'(push);
  assign rptr_d     = rptr_q + ptr_t'(pop);

  always_ff @(posedge clk_i) begin
    if (push) mem[wptr_q[AddrWidth-1:0]] <= wr_data_i;
    rd_data_o <= mem[rptr_d[AddrWidth-1:0]];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q     <= '0;
      cptr_q     <= '0;
      rptr_q     <= '0;
      rd_valid_o <= 1'b0;
    end else if (clear_i) begin
      wptr_q     <= '0;
      cptr_q     <= '0;
      rptr_q     <= '0;
      rd_valid_o <= 1'b0;
    end else begin
      wptr_q     <= rollback_i ? cptr_q : wptr_d;
      cptr_q     <= (commit_i && !rollback_i) ? wptr_d : cptr_q;
      rptr_q     <= rptr_d;
      rd_valid_o <= rptr_d != cptr_q;
    end
  end

endmodule
