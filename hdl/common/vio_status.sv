/// device_status and the transitions behind it: initialisation, reset with drain, NEEDS_RESET and
/// suspend (virtio 1.4, 2.1, 2.4 and 3.4).
///
/// A reset is complete, and the status reads 0, only when every queue has stopped and no interrupt
/// message is left on its way. Until then the status keeps its last, non-zero value.
module vio_status
  import vio_spec_pkg::*;
(
  input  logic       clk_i,
  input  logic       rst_ni,

  /// The driver writes `wdata_i` to device_status.
  input  logic       write_i,
  input  logic [7:0] wdata_i,
  output logic [7:0] status_o,

  /// Function-level reset.
  input  logic       flr_i,
  /// The driver's feature choice can be accepted.
  input  logic       acceptable_i,
  output logic       features_ok_o,
  /// VIRTIO_F_SUSPEND is negotiated.
  input  logic       can_suspend_i,
  /// The session is a legacy driver's: no FEATURES_OK, and the device may be used at once (3.1.2).
  input  logic       legacy_i,
  /// A legacy driver rang a doorbell.
  input  logic       legacy_used_i,
  /// A queue or its DMA failed for good (pulse).
  input  logic       error_i,

  /// DRIVER_OK, no reset under way, not suspended or about to be, no NEEDS_RESET.
  output logic       live_o,
  /// Stop all queues and forget everything; the state to clear is cleared with `clear_o`.
  output logic       resetting_o,
  input  logic       stopped_i,
  output logic       clear_o,

  /// Finish what was fetched, fetch no more: the device is about to be, or is, suspended.
  output logic       drain_o,
  /// All that was fetched has been used and notified.
  input  logic       drained_i,
  output logic       suspended_o,
  /// Notify the driver that NEEDS_RESET was set (pulse).
  output logic       notify_o
);

  localparam logic [7:0] DriverBits =
      8'(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_FAILED);
  localparam logic [7:0] DriverOk   = 8'(STATUS_DRIVER_OK);
  localparam logic [7:0] FeaturesOk = 8'(STATUS_FEATURES_OK);
  localparam logic [7:0] Suspend    = 8'(STATUS_SUSPEND);
  localparam logic [7:0] NeedsReset = 8'(STATUS_DEVICE_NEEDS_RESET);

  logic [7:0] status_d, status_q;
  logic       resetting_d, resetting_q, draining_d, draining_q;
  logic       driver_ok, suspended, needs_reset;
  assign driver_ok   = (status_q & DriverOk) != '0;
  assign suspended   = (status_q & Suspend) != '0;
  assign needs_reset = (status_q & NeedsReset) != '0;

  assign status_o      = status_q;
  assign features_ok_o = (status_q & FeaturesOk) != '0;
  assign live_o        = (driver_ok || legacy_used_i) && !resetting_q && !draining_q && !needs_reset;
  assign resetting_o   = resetting_q;
  assign drain_o       = draining_q || suspended;
  assign suspended_o   = suspended;

  // Bits are set, never cleared; what the driver may not set is dropped.
  logic [7:0] set;
  always_comb begin : proc_set
    set = wdata_i & DriverBits;
    if (!acceptable_i || legacy_i) set &= ~FeaturesOk;
    if ((wdata_i & DriverOk) != '0 && (legacy_i || ((status_q | set) & FeaturesOk) != '0)) begin
      set |= DriverOk;
    end
  end

  logic reset_wanted, suspend_wanted;
  assign reset_wanted   = flr_i || (write_i && wdata_i == '0);
  assign suspend_wanted = write_i && (wdata_i & Suspend) != '0 && can_suspend_i && live_o;

  always_comb begin : proc_next
    status_d    = status_q;
    resetting_d = resetting_q;
    draining_d  = draining_q;
    clear_o     = 1'b0;
    notify_o    = 1'b0;
    if (resetting_q) begin
      clear_o = stopped_i;
    end else if (reset_wanted) begin
      // With status 0 the queues stand still since the last reset: nothing to wait for.
      clear_o     = status_q == '0 && !legacy_used_i;
      resetting_d = !clear_o;
      draining_d  = 1'b0;
    end else begin
      if (write_i && wdata_i != '0) begin
        if (suspended && (wdata_i & DriverOk) != '0) status_d &= ~Suspend;
        status_d |= set;
      end
      if (suspend_wanted) draining_d = 1'b1;
      if (draining_q && drained_i) begin
        draining_d = 1'b0;
        status_d   = (status_d & ~DriverOk) | Suspend;
      end
      if (error_i && status_q != '0 && !needs_reset) begin
        status_d   |= NeedsReset;
        draining_d  = 1'b0;
        notify_o    = driver_ok;
      end
    end
    if (clear_o) begin
      status_d    = '0;
      resetting_d = 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      {status_q, resetting_q, draining_q} <= '0;
    end else begin
      {status_q, resetting_q, draining_q} <= {status_d, resetting_d, draining_d};
    end
  end

endmodule
