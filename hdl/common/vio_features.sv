/// Feature negotiation: the four feature registers and the verdict on FEATURES_OK
/// (virtio 1.4, 2.2 and 4.1.4.3). A legacy driver's choice of the low 32 bits is in force as soon as
/// written, until the device is first used (3.1.2).
module vio_features
  import vio_pkg::*;
#(
  /// Feature bits that the device offers, VERSION_1 included.
  parameter logic [63:0] Offered = 64'h1_0000_0000
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,
  /// Writes to the common configuration structure, `addr` relative to it.
  input  reg_req_t    req_i,
  /// FEATURES_OK is set: the driver's choice is final.
  input  logic        features_ok_i,
  /// The session is a legacy driver's, and the device was used in it.
  input  logic        legacy_i,
  input  logic        legacy_used_i,
  input  logic        legacy_write_i,
  input  logic [31:0] legacy_wdata_i,

  output logic [31:0] device_select_o,
  output logic [31:0] device_feature_o,
  output logic [31:0] driver_select_o,
  output logic [31:0] driver_feature_o,

  /// The driver's choice can be accepted: nothing but offered bits, VERSION_1 among them. None of
  /// the features that this device offers depends on another.
  output logic        acceptable_o,
  /// Negotiated features; zero until FEATURES_OK.
  output logic [63:0] features_o
);

  // ANY_LAYOUT asks nothing of a device that never looks at how a request is cut.
  localparam logic [31:0] LegacyOffered = legacy_features(Offered[31:0]);

  logic [31:0]      device_select_q, driver_select_q;
  logic [1:0][31:0] driver_feature_q;

  // Words behind the second hold no feature of this device: they read 0 and ignore writes.
  assign device_select_o  = device_select_q;
  assign driver_select_o  = driver_select_q;
  assign device_feature_o = device_select_q[31:1] == '0 ? Offered[32*device_select_q[0] +: 32] : '0;
  assign driver_feature_o = driver_select_q[31:1] == '0 ? driver_feature_q[driver_select_q[0]] : '0;

  assign acceptable_o = (driver_feature_q & ~Offered) == '0
                        && driver_feature_q[1][vio_spec_pkg::FEATURE_VERSION_1 - 32];
  always_comb begin : proc_features
    features_o = '0;
    if (legacy_i) features_o[31:0] = driver_feature_q[0] & LegacyOffered;
    else if (features_ok_i) features_o = driver_feature_q;
  end

  logic write;
  assign write = req_i.valid && req_i.write;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_registers
    if (!rst_ni) begin
      {device_select_q, driver_select_q, driver_feature_q} <= '0;
    end else if (clear_i) begin
      {device_select_q, driver_select_q, driver_feature_q} <= '0;
    end else if (legacy_write_i) begin
      if (!features_ok_i && !legacy_used_i) driver_feature_q[0] <= legacy_wdata_i;
    end else if (write) begin
      unique case (req_i.addr)
        vio_spec_pkg::COMMON_DEVICE_FEATURE_SELECT: begin
          device_select_q <= strobe_merge(device_select_q, req_i.wdata, req_i.strb);
        end
        vio_spec_pkg::COMMON_DRIVER_FEATURE_SELECT: begin
          driver_select_q <= strobe_merge(driver_select_q, req_i.wdata, req_i.strb);
        end
        vio_spec_pkg::COMMON_DRIVER_FEATURE: begin
          if (driver_select_q[31:1] == '0 && !features_ok_i) begin
            driver_feature_q[driver_select_q[0]]
              <= strobe_merge(driver_feature_q[driver_select_q[0]], req_i.wdata, req_i.strb);
          end
        end
        default: ;
      endcase
    end
  end

endmodule
