/// A virtio-pci device without its back end: the front end, the ring engine and the DMA initiator,
/// wired up. What the device type adds are the ports at the end.
module vio_core
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Virtio device type number.
  parameter int unsigned DeviceType = DEVICE_TYPE_BLK,
  /// Bytes of the device-specific configuration structure, a multiple of 4, at least 8.
  parameter int unsigned DeviceCfgLength = BLK_CFG_LENGTH,
  /// The device type's own feature bits.
  parameter logic [63:0] DeviceFeatures = '0,
  /// Number of virtqueues, 1 to 64, beside the administration queue.
  parameter int unsigned NumQueues = 8,
  /// There is one more queue behind these, for administration commands.
  parameter bit          AdminQueue = 1'b0,
  /// Descriptors of the largest queue, a power of two up to 32768.
  parameter int unsigned MaxQueueSize = 1024,
  /// Entries of the MSI-X table, up to 512.
  parameter int unsigned NumVectors = NumQueues + 32'(AdminQueue) + 1,
  /// Bits of a beat, a power of two from 64 to 512.
  parameter int unsigned DataWidth = 256,
  /// notify_off_multiplier: 0, or a power of two from 2 on (below 4 but 0 NOTIFICATION_DATA is not
  /// offered).
  parameter int unsigned NotifyMultiplier = 4,
  /// What may be offered on top of VERSION_1, of all that this device can do.
  parameter logic [63:0] OfferedFeatures = '1,
  /// The device serves legacy drivers too, under this PCI device ID.
  parameter bit          Transitional = 1'b0,
  parameter logic [15:0] TransitionalId = 16'h0,
  parameter int unsigned IdWidth = 4
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  // PCI configuration space: byte address = configuration offset.
  input  logic [11:0]            s_cfg_axil_awaddr,
  input  logic                   s_cfg_axil_awvalid,
  output logic                   s_cfg_axil_awready,
  input  logic [31:0]            s_cfg_axil_wdata,
  input  logic [3:0]             s_cfg_axil_wstrb,
  input  logic                   s_cfg_axil_wvalid,
  output logic                   s_cfg_axil_wready,
  output logic [1:0]             s_cfg_axil_bresp,
  output logic                   s_cfg_axil_bvalid,
  input  logic                   s_cfg_axil_bready,
  input  logic [11:0]            s_cfg_axil_araddr,
  input  logic                   s_cfg_axil_arvalid,
  output logic                   s_cfg_axil_arready,
  output logic [31:0]            s_cfg_axil_rdata,
  output logic [1:0]             s_cfg_axil_rresp,
  output logic                   s_cfg_axil_rvalid,
  input  logic                   s_cfg_axil_rready,

  // BAR space: byte address = offset in the memory BAR.
  input  logic [31:0]            s_bar_axil_awaddr,
  input  logic                   s_bar_axil_awvalid,
  output logic                   s_bar_axil_awready,
  input  logic [31:0]            s_bar_axil_wdata,
  input  logic [3:0]             s_bar_axil_wstrb,
  input  logic                   s_bar_axil_wvalid,
  output logic                   s_bar_axil_wready,
  output logic [1:0]             s_bar_axil_bresp,
  output logic                   s_bar_axil_bvalid,
  input  logic                   s_bar_axil_bready,
  input  logic [31:0]            s_bar_axil_araddr,
  input  logic                   s_bar_axil_arvalid,
  output logic                   s_bar_axil_arready,
  output logic [31:0]            s_bar_axil_rdata,
  output logic [1:0]             s_bar_axil_rresp,
  output logic                   s_bar_axil_rvalid,
  input  logic                   s_bar_axil_rready,

  // Guest memory and interrupt messages.
  output logic [IdWidth-1:0]     m_dma_axi_arid,
  output logic [63:0]            m_dma_axi_araddr,
  output logic [7:0]             m_dma_axi_arlen,
  output logic [2:0]             m_dma_axi_arsize,
  output logic [1:0]             m_dma_axi_arburst,
  output logic                   m_dma_axi_arvalid,
  input  logic                   m_dma_axi_arready,
  input  logic [IdWidth-1:0]     m_dma_axi_rid,
  input  logic [DataWidth-1:0]   m_dma_axi_rdata,
  input  logic [1:0]             m_dma_axi_rresp,
  input  logic                   m_dma_axi_rlast,
  input  logic                   m_dma_axi_rvalid,
  output logic                   m_dma_axi_rready,
  output logic [IdWidth-1:0]     m_dma_axi_awid,
  output logic [63:0]            m_dma_axi_awaddr,
  output logic [7:0]             m_dma_axi_awlen,
  output logic [2:0]             m_dma_axi_awsize,
  output logic [1:0]             m_dma_axi_awburst,
  output logic                   m_dma_axi_awvalid,
  input  logic                   m_dma_axi_awready,
  output logic [DataWidth-1:0]   m_dma_axi_wdata,
  output logic [DataWidth/8-1:0] m_dma_axi_wstrb,
  output logic                   m_dma_axi_wlast,
  output logic                   m_dma_axi_wvalid,
  input  logic                   m_dma_axi_wready,
  input  logic [IdWidth-1:0]     m_dma_axi_bid,
  input  logic [1:0]             m_dma_axi_bresp,
  input  logic                   m_dma_axi_bvalid,
  output logic                   m_dma_axi_bready,

  /// INTx, active high.
  output logic                   intx_o,

  // The back end: chains and completions, as `vio_ring` has them, and negotiated features.
  output logic [63:0]            features_o,
  output logic                   seg_valid_o,
  input  logic                   seg_ready_i,
  output segment_t               seg_o,
  input  logic                   cpl_valid_i,
  output logic                   cpl_ready_o,
  input  completion_t            cpl_i,
  output logic                   be_stop_o,
  input  logic                   be_idle_i,
  /// Guest memory could not be accessed, or a chain makes no sense (pulse).
  input  logic                   be_error_i,

  // The back end's access to guest memory, as `vio_dma` has it.
  input  logic                   rd_cmd_valid_i,
  output logic                   rd_cmd_ready_o,
  input  dma_cmd_t               rd_cmd_i,
  output logic                   rd_rsp_valid_o,
  input  logic                   rd_rsp_ready_i,
  output logic [DataWidth-1:0]   rd_rsp_data_o,
  output logic                   rd_rsp_last_o,
  output logic                   rd_rsp_err_o,
  input  logic                   wr_cmd_valid_i,
  output logic                   wr_cmd_ready_o,
  input  dma_cmd_t               wr_cmd_i,
  input  logic                   wr_data_valid_i,
  output logic                   wr_data_ready_o,
  input  logic [DataWidth-1:0]   wr_data_i,
  output logic                   wr_rsp_valid_o,
  output logic                   wr_rsp_err_o,

  // The device-specific configuration structure, as `vio_device_cfg` has it.
  input  logic [DeviceCfgLength*8-1:0] dev_cfg_i,
  input  logic                   dev_cfg_changed_i,
  output logic                   dev_cfg_we_o,
  output logic [31:0]            dev_cfg_addr_o,
  output logic [31:0]            dev_cfg_wdata_o,
  output logic [3:0]             dev_cfg_strb_o
);

  localparam int unsigned DmaRing = vio_dma_pkg::DmaRing;
  localparam int unsigned DmaBack = vio_dma_pkg::DmaBlk;

  // What the ring engine and the front end can do, and from that what is offered.
  localparam logic [63:0] RingFeatures =
      (64'd1 << FEATURE_INDIRECT_DESC) | (64'd1 << FEATURE_EVENT_IDX)
      | (64'd1 << FEATURE_RING_PACKED) | (64'd1 << FEATURE_IN_ORDER)
      | (64'd1 << FEATURE_ACCESS_PLATFORM) | (64'd1 << FEATURE_ORDER_PLATFORM)
      | (64'd1 << FEATURE_NOTIF_CONFIG_DATA) | (64'd1 << FEATURE_RING_RESET)
      | (64'd1 << FEATURE_SUSPEND) | (64'(AdminQueue) << FEATURE_ADMIN_VQ)
      | (64'(NotifyMultiplier == 0 || NotifyMultiplier >= 4) << FEATURE_NOTIFICATION_DATA);
  localparam logic [63:0] Offered =
      (OfferedFeatures & (RingFeatures | DeviceFeatures)) | (64'd1 << FEATURE_VERSION_1);

  // Front end to ring engine.
  localparam int unsigned Rings = NumQueues + 32'(AdminQueue);
  queue_cfg_t [Rings-1:0] queue_cfg;
  logic                   run, drain, idle, resetting;
  logic [Rings-1:0]       stop, stopped, ring_stopped;
  logic                   kick_valid, irq_valid, irq_ready, ring_error;
  logic [15:0]            kick_queue, irq_queue;
  logic [31:0]            kick_data;

  // Interrupt messages, and the DMA initiator's leash.
  logic        msg_valid, msg_ready, msg_done, dma_pause, dma_quiet, dma_pending;
  logic        bus_master;
  logic [12:0] max_payload_bytes, max_read_bytes;
  logic [63:0] msg_addr;
  logic [31:0] msg_data;

  vio_host #(
    .DeviceType       (DeviceType),
    .NumQueues        (Rings),
    .MaxQueueSize     (MaxQueueSize),
    .NumVectors       (NumVectors),
    .NotifyMultiplier (NotifyMultiplier),
    .AdminQueue       (AdminQueue),
    .Offered          (Offered),
    .DeviceCfgLength  (DeviceCfgLength),
    .Transitional     (Transitional),
    .TransitionalId   (TransitionalId)
  ) u_host (
    .clk_i, .rst_ni, .intx_o,
    .dev_cfg_i, .dev_cfg_changed_i, .dev_cfg_we_o, .dev_cfg_addr_o, .dev_cfg_wdata_o, .dev_cfg_strb_o,
    .s_cfg_axil_awaddr, .s_cfg_axil_awvalid, .s_cfg_axil_awready, .s_cfg_axil_wdata,
    .s_cfg_axil_wstrb, .s_cfg_axil_wvalid, .s_cfg_axil_wready, .s_cfg_axil_bresp,
    .s_cfg_axil_bvalid, .s_cfg_axil_bready, .s_cfg_axil_araddr, .s_cfg_axil_arvalid,
    .s_cfg_axil_arready, .s_cfg_axil_rdata, .s_cfg_axil_rresp, .s_cfg_axil_rvalid,
    .s_cfg_axil_rready, .s_bar_axil_awaddr, .s_bar_axil_awvalid, .s_bar_axil_awready,
    .s_bar_axil_wdata, .s_bar_axil_wstrb, .s_bar_axil_wvalid, .s_bar_axil_wready,
    .s_bar_axil_bresp, .s_bar_axil_bvalid, .s_bar_axil_bready, .s_bar_axil_araddr,
    .s_bar_axil_arvalid, .s_bar_axil_arready, .s_bar_axil_rdata, .s_bar_axil_rresp,
    .s_bar_axil_rvalid, .s_bar_axil_rready,
    .bus_master_o        (bus_master),
    .max_payload_bytes_o (max_payload_bytes),
    .max_read_bytes_o    (max_read_bytes),
    .dma_pause_o         (dma_pause),
    .dma_quiet_i         (dma_quiet),
    .dma_pending_i       (dma_pending),
    .resetting_o         (resetting),
    .queue_cfg_o         (queue_cfg),
    .features_o          (features_o),
    .run_o               (run),
    .drain_o             (drain),
    .idle_i              (idle),
    .stop_o              (stop),
    .stopped_i           (stopped),
    .kick_valid_o        (kick_valid),
    .kick_queue_o        (kick_queue),
    .kick_data_o         (kick_data),
    .irq_valid_i         (irq_valid),
    .irq_queue_i         (irq_queue),
    .irq_ready_o         (irq_ready),
    .ring_error_i        (ring_error || be_error_i),
    .msg_valid_o         (msg_valid),
    .msg_ready_i         (msg_ready),
    .msg_addr_o          (msg_addr),
    .msg_data_o          (msg_data),
    .msg_done_i          (msg_done)
  );

  // DMA clients, indexed by DmaRing and DmaBack.
  logic [1:0]                rd_cmd_valid, rd_cmd_ready, rd_rsp_valid, rd_rsp_ready;
  logic [1:0]                rd_rsp_last, rd_rsp_err;
  logic [1:0]                wr_cmd_valid, wr_cmd_ready, wr_data_valid, wr_data_ready;
  logic [1:0]                wr_rsp_valid, wr_rsp_err;
  dma_cmd_t [1:0]            rd_cmd, wr_cmd;
  logic [1:0][DataWidth-1:0] rd_rsp_data, wr_data;

  assign rd_cmd_valid[DmaBack]  = rd_cmd_valid_i;
  assign rd_cmd_ready_o         = rd_cmd_ready[DmaBack];
  assign rd_cmd[DmaBack]        = rd_cmd_i;
  assign rd_rsp_valid_o         = rd_rsp_valid[DmaBack];
  assign rd_rsp_ready[DmaBack]  = rd_rsp_ready_i;
  assign rd_rsp_data_o          = rd_rsp_data[DmaBack];
  assign rd_rsp_last_o          = rd_rsp_last[DmaBack];
  assign rd_rsp_err_o           = rd_rsp_err[DmaBack];
  assign wr_cmd_valid[DmaBack]  = wr_cmd_valid_i;
  assign wr_cmd_ready_o         = wr_cmd_ready[DmaBack];
  assign wr_cmd[DmaBack]        = wr_cmd_i;
  assign wr_data_valid[DmaBack] = wr_data_valid_i;
  assign wr_data_ready_o        = wr_data_ready[DmaBack];
  assign wr_data[DmaBack]       = wr_data_i;
  assign wr_rsp_valid_o         = wr_rsp_valid[DmaBack];
  assign wr_rsp_err_o           = wr_rsp_err[DmaBack];

  vio_ring #(
    .NumQueues (Rings),
    .DataWidth (DataWidth)
  ) u_ring (
    .clk_i, .rst_ni,
    .seg_valid_o, .seg_ready_i, .seg_o, .cpl_valid_i, .cpl_ready_o, .cpl_i, .be_stop_o, .be_idle_i,
    .queue_cfg_i     (queue_cfg),
    .features_i      (features_o),
    .run_i           (run),
    .drain_i         (drain),
    .idle_o          (idle),
    .kick_valid_i    (kick_valid),
    .kick_queue_i    (kick_queue),
    .kick_data_i     (kick_data),
    .stop_i          (stop),
    .stopped_o       (ring_stopped),
    .irq_valid_o     (irq_valid),
    .irq_queue_o     (irq_queue),
    .irq_ready_i     (irq_ready),
    .ring_error_o    (ring_error),
    .rd_cmd_valid_o  (rd_cmd_valid[DmaRing]),
    .rd_cmd_ready_i  (rd_cmd_ready[DmaRing]),
    .rd_cmd_o        (rd_cmd[DmaRing]),
    .rd_rsp_valid_i  (rd_rsp_valid[DmaRing]),
    .rd_rsp_ready_o  (rd_rsp_ready[DmaRing]),
    .rd_rsp_data_i   (rd_rsp_data[DmaRing]),
    .rd_rsp_last_i   (rd_rsp_last[DmaRing]),
    .rd_rsp_err_i    (rd_rsp_err[DmaRing]),
    .wr_cmd_valid_o  (wr_cmd_valid[DmaRing]),
    .wr_cmd_ready_i  (wr_cmd_ready[DmaRing]),
    .wr_cmd_o        (wr_cmd[DmaRing]),
    .wr_data_valid_o (wr_data_valid[DmaRing]),
    .wr_data_ready_i (wr_data_ready[DmaRing]),
    .wr_data_o       (wr_data[DmaRing]),
    .wr_rsp_valid_i  (wr_rsp_valid[DmaRing]),
    .wr_rsp_err_i    (wr_rsp_err[DmaRing])
  );

  vio_bus_master #(
    .NumQueues (Rings),
    .DataWidth (DataWidth),
    .IdWidth   (IdWidth)
  ) u_bus (
    .clk_i, .rst_ni,
    .m_dma_axi_arid, .m_dma_axi_araddr, .m_dma_axi_arlen, .m_dma_axi_arsize, .m_dma_axi_arburst,
    .m_dma_axi_arvalid, .m_dma_axi_arready, .m_dma_axi_rid, .m_dma_axi_rdata, .m_dma_axi_rresp,
    .m_dma_axi_rlast, .m_dma_axi_rvalid, .m_dma_axi_rready, .m_dma_axi_awid, .m_dma_axi_awaddr,
    .m_dma_axi_awlen, .m_dma_axi_awsize, .m_dma_axi_awburst, .m_dma_axi_awvalid,
    .m_dma_axi_awready, .m_dma_axi_wdata, .m_dma_axi_wstrb, .m_dma_axi_wlast, .m_dma_axi_wvalid,
    .m_dma_axi_wready, .m_dma_axi_bid, .m_dma_axi_bresp, .m_dma_axi_bvalid, .m_dma_axi_bready,
    .bus_master_i        (bus_master),
    .pause_i             (dma_pause),
    .resetting_i         (resetting),
    .quiet_o             (dma_quiet),
    .pending_o           (dma_pending),
    .ring_stopped_i      (ring_stopped),
    .stopped_o           (stopped),
    .max_payload_bytes_i (max_payload_bytes),
    .max_read_bytes_i    (max_read_bytes),
    .rd_cmd_valid_i      (rd_cmd_valid),
    .rd_cmd_ready_o      (rd_cmd_ready),
    .rd_cmd_i            (rd_cmd),
    .rd_rsp_valid_o      (rd_rsp_valid),
    .rd_rsp_ready_i      (rd_rsp_ready),
    .rd_rsp_data_o       (rd_rsp_data),
    .rd_rsp_last_o       (rd_rsp_last),
    .rd_rsp_err_o        (rd_rsp_err),
    .wr_cmd_valid_i      (wr_cmd_valid),
    .wr_cmd_ready_o      (wr_cmd_ready),
    .wr_cmd_i            (wr_cmd),
    .wr_data_valid_i     (wr_data_valid),
    .wr_data_ready_o     (wr_data_ready),
    .wr_data_i           (wr_data),
    .wr_rsp_valid_o      (wr_rsp_valid),
    .wr_rsp_err_o        (wr_rsp_err),
    .msg_valid_i         (msg_valid),
    .msg_ready_o         (msg_ready),
    .msg_addr_i          (msg_addr),
    .msg_data_i          (msg_data),
    .msg_done_o          (msg_done)
  );

endmodule
