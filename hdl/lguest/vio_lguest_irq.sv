/// Interrupts of lguest's bus: each queue has its own, which leaves as one write of its number. An
/// event that comes while the queue's last one is still waiting is told by that one.
module vio_lguest_irq #(
  parameter int unsigned NumQueues = 1,
  parameter logic [63:0] Address   = 64'hfee0_0000  ///< where the numbers are written to
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,     ///< level: forget all events, send none
  input  logic        irq_valid_i,
  input  logic [15:0] irq_queue_i,
  output logic        quiet_o,     ///< no message is on its way

  output logic        msg_valid_o,
  input  logic        msg_ready_i,
  output logic [63:0] msg_addr_o,
  output logic [31:0] msg_data_o,
  input  logic        msg_done_i
);

  logic [NumQueues-1:0] pending_q;
  logic [15:0]          queue_q, pick;
  logic                 any, valid_q, flying_q;

  always_comb begin : proc_pick
    {any, pick} = '0;
    for (int unsigned i = 0; i < NumQueues; i++) begin
      if (pending_q[i] && !any) {any, pick} = {1'b1, 16'(i)};
    end
  end

  assign quiet_o     = !valid_q && !flying_q;
  assign msg_valid_o = valid_q;
  assign msg_addr_o  = Address;
  assign msg_data_o  = 32'(queue_q) + 32'd1;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_send
    if (!rst_ni) begin
      {pending_q, queue_q, valid_q, flying_q} <= '0;
    end else begin
      if (quiet_o && any && !clear_i) begin
        {valid_q, queue_q} <= {1'b1, pick};
        for (int unsigned i = 0; i < NumQueues; i++) if (pick == 16'(i)) pending_q[i] <= 1'b0;
      end
      if (valid_q && msg_ready_i) {valid_q, flying_q} <= 2'b01;
      if (msg_done_i) flying_q <= 1'b0;
      for (int unsigned i = 0; i < NumQueues; i++) begin
        if (irq_valid_i && irq_queue_i == 16'(i)) pending_q[i] <= 1'b1;
      end
      if (clear_i) pending_q <= '0;
    end
  end

endmodule
