/// The host's side of the device: two AXI4-Lite targets, for PCI configuration and BAR space, in
/// front of the virtio-pci front end.
module vio_host
  import vio_pkg::*;
#(
  /// Virtio device type number.
  parameter int unsigned DeviceType = 2,
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Descriptors of the largest queue, a power of two.
  parameter int unsigned MaxQueueSize = 256,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2,
  /// notify_off_multiplier: 0, or a power of two from 2 on (from 4 on to offer NOTIFICATION_DATA).
  parameter int unsigned NotifyMultiplier = 4,
  /// The last queue is an administration queue, which num_queues does not count.
  parameter bit          AdminQueue = 1'b0,
  /// Feature bits that the device offers.
  parameter logic [63:0] Offered = 64'h1_0000_0000,
  /// Bytes of the device-specific configuration structure, a multiple of 4.
  parameter int unsigned DeviceCfgLength = 96,
  /// The device serves legacy drivers too, under this PCI device ID.
  parameter bit          Transitional = 1'b0,
  parameter logic [15:0] TransitionalId = 16'h0
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,

  // PCI configuration space: byte address = configuration offset.
  input  logic [11:0]                  s_cfg_axil_awaddr,
  input  logic                         s_cfg_axil_awvalid,
  output logic                         s_cfg_axil_awready,
  input  logic [31:0]                  s_cfg_axil_wdata,
  input  logic [3:0]                   s_cfg_axil_wstrb,
  input  logic                         s_cfg_axil_wvalid,
  output logic                         s_cfg_axil_wready,
  output logic [1:0]                   s_cfg_axil_bresp,
  output logic                         s_cfg_axil_bvalid,
  input  logic                         s_cfg_axil_bready,
  input  logic [11:0]                  s_cfg_axil_araddr,
  input  logic                         s_cfg_axil_arvalid,
  output logic                         s_cfg_axil_arready,
  output logic [31:0]                  s_cfg_axil_rdata,
  output logic [1:0]                   s_cfg_axil_rresp,
  output logic                         s_cfg_axil_rvalid,
  input  logic                         s_cfg_axil_rready,

  // BAR space: byte address = offset in the BAR.
  input  logic [31:0]                  s_bar_axil_awaddr,
  input  logic                         s_bar_axil_awvalid,
  output logic                         s_bar_axil_awready,
  input  logic [31:0]                  s_bar_axil_wdata,
  input  logic [3:0]                   s_bar_axil_wstrb,
  input  logic                         s_bar_axil_wvalid,
  output logic                         s_bar_axil_wready,
  output logic [1:0]                   s_bar_axil_bresp,
  output logic                         s_bar_axil_bvalid,
  input  logic                         s_bar_axil_bready,
  input  logic [31:0]                  s_bar_axil_araddr,
  input  logic                         s_bar_axil_arvalid,
  output logic                         s_bar_axil_arready,
  output logic [31:0]                  s_bar_axil_rdata,
  output logic [1:0]                   s_bar_axil_rresp,
  output logic                         s_bar_axil_rvalid,
  input  logic                         s_bar_axil_rready,

  output logic                         intx_o,

  /// DMA and messages may leave.
  output logic                         bus_master_o,
  /// Max_Payload_Size and Max_Read_Request_Size in bytes.
  output logic [12:0]                  max_payload_bytes_o,
  output logic [12:0]                  max_read_bytes_o,
  /// Present no new DMA address.
  output logic                         dma_pause_o,
  input  logic                         dma_quiet_i,
  input  logic                         dma_pending_i,
  /// A reset of the device, by the driver or by FLR, is draining.
  output logic                         resetting_o,

  output queue_cfg_t [NumQueues-1:0]   queue_cfg_o,
  output logic [63:0]                  features_o,
  /// New buffers may be fetched.
  output logic                         run_o,
  /// The device is about to be suspended, or is: finish what was fetched.
  output logic                         drain_o,
  input  logic                         idle_i,
  output logic [NumQueues-1:0]         stop_o,
  input  logic [NumQueues-1:0]         stopped_i,
  output logic                         kick_valid_o,
  output logic [15:0]                  kick_queue_o,
  output logic [31:0]                  kick_data_o,
  input  logic                         irq_valid_i,
  input  logic [15:0]                  irq_queue_i,
  output logic                         irq_ready_o,
  input  logic                         ring_error_i,

  output logic                         msg_valid_o,
  input  logic                         msg_ready_i,
  output logic [63:0]                  msg_addr_o,
  output logic [31:0]                  msg_data_o,
  input  logic                         msg_done_i,

  input  logic [DeviceCfgLength*8-1:0] dev_cfg_i,
  input  logic                         dev_cfg_changed_i,
  output logic                         dev_cfg_we_o,
  output logic [31:0]                  dev_cfg_addr_o,
  output logic [31:0]                  dev_cfg_wdata_o,
  output logic [3:0]                   dev_cfg_strb_o
);

  reg_req_t    cfg_req, bar_req;
  logic        cfg_gnt, cfg_rsp_valid, bar_gnt, bar_rsp_valid;
  logic [31:0] cfg_rsp_rdata, bar_rsp_rdata;

  vio_axil_target #(
    .AddrWidth (12)
  ) u_cfg_target (
    .clk_i, .rst_ni,
    .s_axil_awaddr  (s_cfg_axil_awaddr),
    .s_axil_awvalid (s_cfg_axil_awvalid),
    .s_axil_awready (s_cfg_axil_awready),
    .s_axil_wdata   (s_cfg_axil_wdata),
    .s_axil_wstrb   (s_cfg_axil_wstrb),
    .s_axil_wvalid  (s_cfg_axil_wvalid),
    .s_axil_wready  (s_cfg_axil_wready),
    .s_axil_bresp   (s_cfg_axil_bresp),
    .s_axil_bvalid  (s_cfg_axil_bvalid),
    .s_axil_bready  (s_cfg_axil_bready),
    .s_axil_araddr  (s_cfg_axil_araddr),
    .s_axil_arvalid (s_cfg_axil_arvalid),
    .s_axil_arready (s_cfg_axil_arready),
    .s_axil_rdata   (s_cfg_axil_rdata),
    .s_axil_rresp   (s_cfg_axil_rresp),
    .s_axil_rvalid  (s_cfg_axil_rvalid),
    .s_axil_rready  (s_cfg_axil_rready),
    .req_o          (cfg_req),
    .gnt_i          (cfg_gnt),
    .rsp_valid_i    (cfg_rsp_valid),
    .rsp_rdata_i    (cfg_rsp_rdata)
  );

  vio_axil_target #(
    .AddrWidth (32)
  ) u_bar_target (
    .clk_i, .rst_ni,
    .s_axil_awaddr  (s_bar_axil_awaddr),
    .s_axil_awvalid (s_bar_axil_awvalid),
    .s_axil_awready (s_bar_axil_awready),
    .s_axil_wdata   (s_bar_axil_wdata),
    .s_axil_wstrb   (s_bar_axil_wstrb),
    .s_axil_wvalid  (s_bar_axil_wvalid),
    .s_axil_wready  (s_bar_axil_wready),
    .s_axil_bresp   (s_bar_axil_bresp),
    .s_axil_bvalid  (s_bar_axil_bvalid),
    .s_axil_bready  (s_bar_axil_bready),
    .s_axil_araddr  (s_bar_axil_araddr),
    .s_axil_arvalid (s_bar_axil_arvalid),
    .s_axil_arready (s_bar_axil_arready),
    .s_axil_rdata   (s_bar_axil_rdata),
    .s_axil_rresp   (s_bar_axil_rresp),
    .s_axil_rvalid  (s_bar_axil_rvalid),
    .s_axil_rready  (s_bar_axil_rready),
    .req_o          (bar_req),
    .gnt_i          (bar_gnt),
    .rsp_valid_i    (bar_rsp_valid),
    .rsp_rdata_i    (bar_rsp_rdata)
  );

  vio_front #(
    .DeviceType       (DeviceType),
    .NumQueues        (NumQueues),
    .MaxQueueSize     (MaxQueueSize),
    .NumVectors       (NumVectors),
    .NotifyMultiplier (NotifyMultiplier),
    .AdminQueue       (AdminQueue),
    .Offered          (Offered),
    .DeviceCfgLength  (DeviceCfgLength),
    .Transitional     (Transitional),
    .TransitionalId   (TransitionalId)
  ) u_front (
    .clk_i, .rst_ni, .intx_o, .bus_master_o, .max_payload_bytes_o, .max_read_bytes_o, .dma_pause_o,
    .dma_quiet_i, .dma_pending_i, .resetting_o, .queue_cfg_o, .features_o, .run_o, .drain_o,
    .idle_i, .stop_o, .stopped_i, .kick_valid_o, .kick_queue_o, .kick_data_o, .irq_valid_i,
    .irq_queue_i, .irq_ready_o, .ring_error_i, .msg_valid_o, .msg_ready_i, .msg_addr_o,
    .msg_data_o, .msg_done_i, .dev_cfg_i, .dev_cfg_changed_i, .dev_cfg_we_o, .dev_cfg_addr_o,
    .dev_cfg_wdata_o, .dev_cfg_strb_o,
    .cfg_req_i       (cfg_req),
    .cfg_gnt_o       (cfg_gnt),
    .cfg_rsp_valid_o (cfg_rsp_valid),
    .cfg_rsp_rdata_o (cfg_rsp_rdata),
    .bar_req_i       (bar_req),
    .bar_gnt_o       (bar_gnt),
    .bar_rsp_valid_o (bar_rsp_valid),
    .bar_rsp_rdata_o (bar_rsp_rdata)
  );

endmodule
