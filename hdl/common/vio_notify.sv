/// The NOTIFY structure: decodes a doorbell write into a kick of one queue (virtio 1.4, 2.9,
/// 4.1.4.4 and 4.1.5.2).
///
/// With a multiplier the address names the queue, without one the value does. A doorbell of the
/// wrong width, or of a queue that does not exist, is no doorbell.
module vio_notify
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// notify_off_multiplier: 0, or a power of two from 2 on.
  parameter int unsigned NotifyMultiplier = 4
) (
  /// Accesses to the structure, `addr` relative to it.
  input  reg_req_t    req_i,
  /// Negotiated features.
  input  logic [63:0] features_i,

  output logic        kick_valid_o,
  output logic [15:0] kick_queue_o,
  /// The 32 bits written; with NOTIFICATION_DATA next_off and next_wrap are in the upper half.
  output logic [31:0] kick_data_o
);

  logic        whole;   // NOTIFICATION_DATA: a 32-bit doorbell
  logic        upper;   // the doorbell lies in the upper half of the dword
  logic        width_ok, place_ok;
  logic [15:0] value;
  logic [31:0] index;
  assign whole    = features_i[FEATURE_NOTIFICATION_DATA];
  assign upper    = !whole && req_i.strb[1:0] == '0;
  assign width_ok = (upper || req_i.strb[1:0] == '1)
                    && (!(whole || upper) || req_i.strb[3:2] == '1);
  assign value    = upper ? req_i.wdata[31:16] : req_i.wdata[15:0];

  if (NotifyMultiplier == 0) begin : gen_by_value
    assign place_ok = req_i.addr == '0 && !upper;
    assign index    = 32'(features_i[FEATURE_NOTIF_CONFIG_DATA] ? notif_config_data(value) : value);
  end else begin : gen_by_address
    localparam int unsigned Shift = $clog2(NotifyMultiplier);
    logic [31:0] place;
    assign place    = {req_i.addr[31:2], upper, 1'b0};
    assign place_ok = place[Shift-1:0] == '0;
    assign index    = place >> Shift;
  end

  assign kick_valid_o = req_i.valid && req_i.write && width_ok && place_ok && index < NumQueues;
  assign kick_queue_o = index[15:0];
  assign kick_data_o  = whole ? req_i.wdata : {16'd0, value};

endmodule
