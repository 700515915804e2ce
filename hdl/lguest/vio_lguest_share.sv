/// Lets the console read guest memory beside the ring engine, through the same DMA client: a read of
/// the console waits until no read of the ring is open, and holds new ones back until it is done.
module vio_lguest_share
  import vio_pkg::*;
(
  input  logic     clk_i,
  input  logic     rst_ni,

  input  logic     ring_valid_i,
  output logic     ring_ready_o,
  input  dma_cmd_t ring_cmd_i,
  output logic     ring_rsp_valid_o,
  input  logic     ring_rsp_ready_i,

  input  logic     console_valid_i,
  output logic     console_ready_o,
  input  dma_cmd_t console_cmd_i,
  output logic     console_rsp_valid_o,

  output logic     rd_cmd_valid_o,
  input  logic     rd_cmd_ready_i,
  output dma_cmd_t rd_cmd_o,
  input  logic     rd_rsp_valid_i,
  output logic     rd_rsp_ready_o,
  input  logic     rd_rsp_last_i
);

  logic [7:0] open_q;
  logic       console_q, offered_q, grant;
  // A command that is offered stands: the console steps in only where the ring offers none.
  assign grant           = console_valid_i && !console_q && open_q == '0
                           && (!ring_valid_i || offered_q);
  assign rd_cmd_valid_o  = grant || (ring_valid_i && !console_q);
  assign rd_cmd_o        = grant ? console_cmd_i : ring_cmd_i;
  assign ring_ready_o    = rd_cmd_ready_i && !console_q && !grant;
  assign console_ready_o = rd_cmd_ready_i && grant;

  assign ring_rsp_valid_o    = rd_rsp_valid_i && !console_q;
  assign console_rsp_valid_o = rd_rsp_valid_i && console_q;
  assign rd_rsp_ready_o      = console_q || ring_rsp_ready_i;

  logic sent, answered;
  assign sent     = ring_valid_i && ring_ready_o;
  assign answered = ring_rsp_valid_o && ring_rsp_ready_i && rd_rsp_last_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_open
    if (!rst_ni) begin
      {open_q, console_q, offered_q} <= '0;
    end else begin
      offered_q <= grant && !rd_cmd_ready_i;
      open_q <= open_q + 8'(sent) - 8'(answered);
      if (console_ready_o) console_q <= 1'b1;
      else if (console_rsp_valid_o && rd_rsp_last_i) console_q <= 1'b0;
    end
  end

endmodule
