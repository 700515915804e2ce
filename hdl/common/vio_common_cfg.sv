/// The common configuration structure (virtio 1.4, 4.1.4.3): puts the registers of feature
/// negotiation, device status and queue banks at their offsets.
///
/// Only the bytes that an access writes change. While a reset is under way, writes are ignored.
module vio_common_cfg
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Descriptors of the largest queue, a power of two.
  parameter int unsigned MaxQueueSize = 256,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2,
  /// notify_off_multiplier.
  parameter int unsigned NotifyMultiplier = 4,
  /// The last queue is an administration queue, which num_queues does not count.
  parameter bit          AdminQueue = 1'b0,
  /// Feature bits that the device offers.
  parameter logic [63:0] Offered = 64'h1_0000_0000
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,

  /// Accesses to the structure, `addr` relative to it.
  input  reg_req_t                   req_i,
  output logic [31:0]                rdata_o,

  input  logic [7:0]                 status_i,
  output logic                       status_write_o,
  output logic [7:0]                 status_wdata_o,
  input  logic [7:0]                 generation_i,
  /// The device is being reset.
  input  logic                       resetting_i,
  /// Back to the state after power-up (pulse).
  input  logic                       clear_i,

  /// What a legacy driver writes and reads; whether the session is its own, and the device used.
  input  legacy_wr_t                 legacy_wr_i,
  output legacy_rd_t                 legacy_rd_o,
  input  logic                       legacy_i,
  input  logic                       legacy_used_i,

  input  logic                       features_ok_i,
  output logic                       acceptable_o,
  output logic [63:0]                features_o,

  output logic [15:0]                config_vector_o,
  output queue_cfg_t [NumQueues-1:0] queue_cfg_o,
  output logic [NumQueues-1:0][15:0] queue_vector_o,
  output logic [NumQueues-1:0]       queue_resetting_o,
  input  logic [NumQueues-1:0]       queue_stopped_i,
  output logic [NumQueues-1:0]       queue_cleared_o
);

  // The dwords that hold several fields.
  localparam logic [31:0] VectorWord = COMMON_CONFIG_MSIX_VECTOR;  // config_msix_vector, num_queues
  localparam logic [31:0] StatusWord = COMMON_DEVICE_STATUS;       // generation, queue_select

  logic [15:0] config_vector_q, queue_select_q;
  logic        write;
  reg_req_t    req;
  always_comb begin : proc_lock
    req       = req_i;
    req.valid = req_i.valid && !(req_i.write && resetting_i);
  end
  assign write = req.valid && req.write;

  legacy_wr_t legacy_wr;
  assign legacy_wr = resetting_i ? '0 : legacy_wr_i;

  assign status_write_o  = (write && req.addr == StatusWord && req.strb[0]) || legacy_wr.status;
  assign status_wdata_o  = legacy_wr.status ? legacy_wr.data[23:16] : req.wdata[7:0];
  assign config_vector_o = config_vector_q;

  logic [31:0] device_select, device_feature, driver_select, driver_feature, queue_rdata;

  vio_features #(
    .Offered (Offered)
  ) u_features (
    .clk_i, .rst_ni, .clear_i, .features_ok_i, .acceptable_o, .features_o,
    .legacy_i, .legacy_used_i,
    .legacy_write_i   (legacy_wr.features),
    .legacy_wdata_i   (legacy_wr.data),
    .req_i            (req),
    .device_select_o  (device_select),
    .device_feature_o (device_feature),
    .driver_select_o  (driver_select),
    .driver_feature_o (driver_feature)
  );

  vio_queue_regs #(
    .NumQueues        (NumQueues),
    .MaxQueueSize     (MaxQueueSize),
    .NumVectors       (NumVectors),
    .NotifyMultiplier (NotifyMultiplier),
    .AdminQueue       (AdminQueue)
  ) u_queues (
    .clk_i, .rst_ni, .clear_i, .queue_cfg_o, .queue_vector_o,
    .req_i           (req),
    .queue_select_i  (queue_select_q),
    .rdata_o         (queue_rdata),
    .legacy_place_i  (legacy_wr.place),
    .legacy_vector_i (legacy_wr.queue_vector),
    .legacy_wdata_i  (legacy_wr.data),
    .legacy_page_o   (legacy_rd_o.page),
    .legacy_size_o   (legacy_rd_o.size),
    .legacy_vector_o (legacy_rd_o.queue_vector),
    .features_i      (features_o),
    .resetting_o     (queue_resetting_o),
    .stopped_i       (queue_stopped_i),
    .cleared_o       (queue_cleared_o)
  );

  localparam int unsigned Ordinary = NumQueues - 32'(AdminQueue);
  logic [31:0] rdata, admin_rdata;
  assign admin_rdata = AdminQueue && features_o[FEATURE_ADMIN_VQ] ? {16'd1, 16'(Ordinary)} : '0;
  always_comb begin : proc_read
    unique case (req.addr)
      COMMON_DEVICE_FEATURE_SELECT: rdata = device_select;
      COMMON_DEVICE_FEATURE:        rdata = device_feature;
      COMMON_DRIVER_FEATURE_SELECT: rdata = driver_select;
      COMMON_DRIVER_FEATURE:        rdata = driver_feature;
      VectorWord:                   rdata = {16'(Ordinary), config_vector_q};
      StatusWord:                   rdata = {queue_select_q, generation_i, status_i};
      COMMON_ADMIN_QUEUE_INDEX:     rdata = admin_rdata;
      default:                      rdata = queue_rdata;
    endcase
  end

  assign legacy_rd_o.features      = features_o[31:0];
  assign legacy_rd_o.select        = queue_select_q;
  assign legacy_rd_o.config_vector = config_vector_q;

  function automatic logic [15:0] valid_vector(logic [15:0] vector);
    return vector < 16'(NumVectors) ? vector : 16'(NO_VECTOR);
  endfunction

  logic [31:0] merged;
  assign merged = strobe_merge(rdata, req.wdata, req.strb);

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_registers
    if (!rst_ni) begin
      rdata_o         <= '0;
      config_vector_q <= 16'(NO_VECTOR);
      queue_select_q  <= '0;
    end else begin
      rdata_o <= rdata;
      if (clear_i) begin
        config_vector_q <= 16'(NO_VECTOR);
        queue_select_q  <= '0;
      end else if (legacy_wr.select || legacy_wr.config_vector) begin
        if (legacy_wr.select) queue_select_q <= legacy_wr.data[31:16];
        if (legacy_wr.config_vector) config_vector_q <= valid_vector(legacy_wr.data[15:0]);
      end else if (write && req.addr == VectorWord && req.strb[1:0] != '0) begin
        config_vector_q <= valid_vector(merged[15:0]);
      end else if (write && req.addr == StatusWord) begin
        queue_select_q <= merged[31:16];
      end
    end
  end

endmodule
