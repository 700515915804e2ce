/// The engine's stops: a ring error, a suspended device, and queues that are being reset. New
/// buffers are not fetched while any queue is being reset; a stopped queue is silent and forgotten.
module vio_ring_stop
#(
  parameter int unsigned NumQueues = 8
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 run_i,
  input  logic [NumQueues-1:0] stop_i,
  output logic [NumQueues-1:0] stopped_o,
  output logic [NumQueues-1:0] clear_o,       ///< take the queue back to its start
  output logic                 all_stop_o,
  output logic                 clear_tags_o,  ///< the back end has forgotten all chains
  input  logic                 be_idle_i,
  input  logic                 error_i,
  output logic                 error_o,       ///< pulse to the front end
  output logic                 halt_o,        ///< an error: fetch nothing, hand over nothing
  output logic                 fetch_o,       ///< new buffers may be fetched
  input  logic                 fetch_idle_i,  ///< nothing fetched waits for its turn
  input  logic                 bus_idle_i,    ///< no read or write of the engine is under way
  input  logic                 used_idle_i,
  input  logic                 event_idle_i,
  input  logic                 arm_idle_i,
  input  logic [NumQueues-1:0] empty_i,       ///< the back end has no chain of this queue
  output logic                 idle_o
);

  // The back end sees the stop before its idle counts.
  localparam logic [2:0] Settle = 3'd4;

  logic [NumQueues-1:0] stopped_q, stopped_d;
  logic halt_q, quiet, be_idle;
  logic [2:0] settle_q;

  assign all_stop_o = &stop_i;
  assign quiet = fetch_idle_i && bus_idle_i && used_idle_i;
  assign be_idle = all_stop_o && be_idle_i && settle_q == Settle;
  assign clear_tags_o = be_idle && used_idle_i;
  assign stopped_d = stop_i & {NumQueues{quiet}}
    & (all_stop_o ? {NumQueues{be_idle}} : empty_i);
  assign clear_o = stopped_q;
  assign stopped_o = stopped_q & stop_i;
  assign halt_o = halt_q;
  assign error_o = error_i && !halt_q && !all_stop_o;
  assign fetch_o = run_i && !halt_q && stop_i == '0;
  assign idle_o = !run_i && quiet && event_idle_i && arm_idle_i && &empty_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      stopped_q <= '1;
      halt_q <= 1'b0;
      settle_q <= '0;
    end else begin
      stopped_q <= stopped_d;
      halt_q <= (halt_q || error_i) && !(all_stop_o && &stopped_d);
      if (!all_stop_o) settle_q <= '0;
      else if (settle_q != Settle) settle_q <= settle_q + 3'd1;
    end
  end

endmodule
