/// The INTx line as Assert_INTA and Deassert_INTA messages, behind whatever was written before.
module vio_tlp_interrupt
  import vio_tlp_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  localparam int unsigned Lanes    = DataWidth / 32
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// Bus, device and function number.
  input  logic [15:0]            requester_i,
  input  logic                   intx_i,
  /// A write that may change the line is not completed yet: tell of the line behind its completion.
  input  logic                   hold_i,

  output logic                   want_o,
  input  logic                   grant_i,
  output logic [Lanes-1:0][31:0] piece_data_o
);

  logic     level_q, offered_q;
  request_t request;
  assign want_o = intx_i != level_q && !hold_i;

  // The level of the moment in which the message was asked for: it may be gone at the grant.
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_level
    if (!rst_ni) begin
      {level_q, offered_q} <= '0;
    end else if (grant_i) begin
      level_q <= offered_q;
    end else begin
      offered_q <= intx_i;
    end
  end

  always_comb begin : proc_message
    request                               = '0;
    request.wide                          = 1'b1;
    request.kind                          = TypeMessage;
    request.requester                     = requester_i;
    {request.last_be, request.first_be} = offered_q ? AssertInta : DeassertInta;
  end
  assign piece_data_o = DataWidth'(request_header(request));

endmodule
