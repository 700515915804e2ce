/// Remembers whose interrupt messages are on their way; they arrive in the order in which they
/// started, and no source has two at once.
module vio_irq_flight #(
  /// Sources of interrupts, at least 2.
  parameter int unsigned NumSources = 2,
  /// Messages on their way at once, a power of two.
  parameter int unsigned Depth = 8,
  localparam int unsigned SourceWidth = $clog2(NumSources)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// A message of `source_i` starts; only while `free_o`.
  input  logic                   start_i,
  input  logic [SourceWidth-1:0] source_i,
  /// The oldest message has arrived.
  input  logic                   done_i,
  output logic                   free_o,
  /// Sources with a message on its way.
  output logic [NumSources-1:0]  flying_o
);

  localparam int unsigned PtrWidth = $clog2(Depth);

  logic [Depth-1:0][SourceWidth-1:0] order_q;
  logic [PtrWidth:0]                 first_q, next_q;
  logic [NumSources-1:0]             flying_q;
  assign free_o   = first_q[PtrWidth-1:0] != next_q[PtrWidth-1:0] || first_q == next_q;
  assign flying_o = flying_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_flight
    if (!rst_ni) begin
      {order_q, first_q, next_q, flying_q} <= '0;
    end else begin
      if (done_i) begin
        first_q                                   <= first_q + (PtrWidth+1)'(1);
        flying_q[order_q[first_q[PtrWidth-1:0]]] <= 1'b0;
      end
      if (start_i) begin
        next_q                        <= next_q + (PtrWidth+1)'(1);
        order_q[next_q[PtrWidth-1:0]] <= source_i;
        flying_q[source_i]            <= 1'b1;
      end
    end
  end

endmodule
