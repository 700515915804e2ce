/// Holds back the word that a queue has stopped until every write of the back end that was accepted
/// before has its response: a chain is complete, for the ring engine, when its data are on their
/// way.
///
/// Responses come in the order of the commands, so counting them is enough.
module vio_fence #(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Bits of the count of writes awaiting their response.
  parameter int unsigned CountWidth = 12
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// A write command was accepted.
  input  logic                 command_i,
  /// A write command was answered.
  input  logic                 response_i,
  /// The ring engine is done with these queues.
  input  logic [NumQueues-1:0] stopped_i,
  /// Nothing of these queues is on the bus.
  output logic [NumQueues-1:0] stopped_o
);

  logic [CountWidth-1:0] open_q, open_d, left_q;
  logic [NumQueues-1:0]  waiting_q, passed_q, fresh;
  assign open_d    = open_q + CountWidth'(command_i) - CountWidth'(response_i);
  assign fresh     = stopped_i & ~passed_q;
  assign stopped_o = stopped_i & passed_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_fence
    if (!rst_ni) begin
      {open_q, left_q, waiting_q, passed_q} <= '0;
    end else begin
      open_q <= open_d;
      if (waiting_q == '0) begin
        waiting_q <= fresh;
        left_q    <= open_d;
        passed_q  <= passed_q & stopped_i;
      end else if (left_q == '0) begin
        waiting_q <= '0;
        passed_q  <= (passed_q | waiting_q) & stopped_i;
      end else begin
        left_q   <= left_q - CountWidth'(response_i);
        passed_q <= passed_q & stopped_i;
      end
    end
  end

endmodule
