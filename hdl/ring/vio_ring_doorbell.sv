/// Per queue: doorbells, and whether the device is asleep (the driver will ring) or awake (it looks
/// for itself). It falls asleep only after a look that found nothing behind an armed notification,
/// so no buffer is left behind (virtio 1.4, 2.7.10 and 2.8.10).
module vio_ring_doorbell
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       packed_i,
  input  logic                       event_idx_i,
  input  logic [NumQueues-1:0]       clear_i,          ///< forget the queue
  input  logic                       kick_valid_i,
  input  logic [15:0]                kick_queue_i,
  output logic [NumQueues-1:0]       look_ok_o,        ///< the queue may be looked at
  input  logic                       look_i,           ///< a look at the very next place starts
  input  logic [QW-1:0]              look_queue_i,
  input  logic                       result_i,         ///< a look has ended
  input  logic [QW-1:0]              result_queue_i,
  input  logic                       result_more_i,    ///< worth another look at once
  input  logic [15:0]                result_pos_i,     ///< the next place that is not available
  output logic [NumQueues-1:0]       arm_o,            ///< notifications are to be enabled
  output logic [NumQueues-1:0]       hush_o,           ///< notifications may be disabled
  output logic [NumQueues-1:0][15:0] pos_o,            ///< where the driver's next buffer goes
  input  logic                       wrote_i,          ///< that write has been put in line
  input  logic                       wrote_arm_i,
  input  logic [QW-1:0]              wrote_queue_i,
  input  logic                       armed_i,          ///< the enabling write is in memory
  input  logic [QW-1:0]              armed_queue_i,
  output logic [NumQueues-1:0]       busy_o,           ///< split: used.flags may be NO_NOTIFY
  input  logic                       quiet_i,          ///< NO_NOTIFY has been put in line
  input  logic [QW-1:0]              quiet_queue_i,
  output logic                       idle_o            ///< no arming under way
);

  typedef enum logic [1:0] {Asleep, Awake, Arm, ArmWait} state_e;

  logic [NumQueues-1:0] settled;
  assign idle_o = &settled;

  for (genvar q = 0; q < NumQueues; q++) begin : gen_queue
    state_e state_q, state_d;
    logic pend_q, pend_d, busy_q, busy_d, hush_q, hush_d;
    // `quiet_q`: the driver is told not to ring; `event_q`: the event word is in use.
    logic quiet_q, quiet_d, event_q, event_d;
    logic [15:0] pos_q, pos_d, armed_q, armed_d;
    logic look, result, wrote, needs_arm;

    assign look = look_i && look_queue_i == QW'(q);
    assign result = result_i && result_queue_i == QW'(q);
    assign wrote = wrote_i && wrote_queue_i == QW'(q);
    assign needs_arm = event_idx_i ? (result_pos_i != armed_q || (packed_i && !event_q)) : quiet_q;

    always_comb begin
      state_d = state_q;
      pend_d = pend_q;
      busy_d = busy_q;
      hush_d = hush_q;
      quiet_d = quiet_q;
      event_d = event_q;
      pos_d = pos_q;
      armed_d = armed_q;
      if (look) begin
        pend_d = 1'b0;
        if (state_q == Asleep) state_d = Awake;
      end
      if (result) begin
        pos_d = result_pos_i;
        busy_d = result_more_i && !event_idx_i;
        if (result_more_i) begin
          state_d = Awake;
          hush_d = packed_i && !event_idx_i && !quiet_q;
        end else begin
          state_d = needs_arm ? Arm : Asleep;
          hush_d = 1'b0;
        end
      end else if (state_q == Asleep && quiet_q && !look) begin
        state_d = Arm;
      end
      if (wrote) begin
        quiet_d = !wrote_arm_i;
        hush_d = 1'b0;
        if (wrote_arm_i) begin
          state_d = ArmWait;
          event_d = event_idx_i;
          armed_d = pos_q;
        end
      end
      if (quiet_i && quiet_queue_i == QW'(q)) quiet_d = 1'b1;
      if (armed_i && armed_queue_i == QW'(q)) state_d = Awake;
      if (kick_valid_i && kick_queue_i == 16'(q)) pend_d = 1'b1;
    end

    assign look_ok_o[q] = state_q == Awake || (state_q == Asleep && pend_q && !quiet_q);
    assign arm_o[q] = state_q == Arm;
    assign hush_o[q] = hush_q;
    assign pos_o[q] = pos_q;
    assign busy_o[q] = busy_q && state_q == Awake;
    assign settled[q] = !hush_q && (state_q == Awake || (state_q == Asleep && !quiet_q));

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        state_q <= Asleep;
        pend_q <= 1'b0;
        busy_q <= 1'b0;
        hush_q <= 1'b0;
        quiet_q <= 1'b0;
        event_q <= 1'b0;
        pos_q <= '0;
        armed_q <= '0;
      end else if (clear_i[q]) begin
        state_q <= Asleep;
        pend_q <= 1'b0;
        busy_q <= 1'b0;
        hush_q <= 1'b0;
        quiet_q <= 1'b0;
        event_q <= 1'b0;
        pos_q <= '0;
        armed_q <= '0;
      end else begin
        state_q <= state_d;
        pend_q <= pend_d;
        busy_q <= busy_d;
        hush_q <= hush_d;
        quiet_q <= quiet_d;
        event_q <= event_d;
        pos_q <= pos_d;
        armed_q <= armed_d;
      end
    end
  end

endmodule
