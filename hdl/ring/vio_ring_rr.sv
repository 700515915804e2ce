/// Round robin: the next requester after the one taken last.
module vio_ring_rr #(
  parameter int unsigned Num   = 8,  ///< requesters
  parameter int unsigned Width = (Num > 1) ? $clog2(Num) : 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Num-1:0]   req_i,
  input  logic             take_i,  ///< the one shown has been served
  output logic             valid_o,
  output logic [Width-1:0] index_o
);

  logic [Num-1:0]   after, masked;
  logic [Width-1:0] last_q;

  assign after[0] = 1'b0;
  for (genvar i = 1; i < Num; i++) begin : gen_after
    assign after[i] = Width'(i) > last_q;
  end
  assign masked = |(req_i & after) ? req_i & after : req_i;
  logic unused;
  assign unused = ^last_q;
  assign valid_o = |req_i;

  always_comb begin
    index_o = '0;
    for (int unsigned i = 0; i < Num; i++) begin
      if (masked[Num - 1 - i]) index_o = Width'(Num - 1 - i);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) last_q <= '0;
    else if (take_i) last_q <= index_o;
  end

endmodule
