/// Virtio-pci block device: the device core and the block back end. One clock; reset may be asserted at any time and is released with the clock.
module vio_top
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Number of request queues, 1 to 64.
  parameter int unsigned NumQueues = 8,
  /// Offer ADMIN_VQ, with one administration queue behind the request queues.
  parameter bit          AdminQueue = 1'b0,
  /// Descriptors of the largest queue, a power of two up to 32768.
  parameter int unsigned MaxQueueSize = 1024,
  /// Entries of the MSI-X table, up to 512.
  parameter int unsigned NumVectors = NumQueues + 32'(AdminQueue) + 1,
  /// Bits of a beat on both AXI4 ports, a power of two from 64 to 512.
  parameter int unsigned DataWidth = 256,
  /// notify_off_multiplier: 0, or a power of two from 2 on (below 4 but 0 NOTIFICATION_DATA is not
  /// offered).
  parameter int unsigned NotifyMultiplier = 4,
  /// What may be offered on top of VERSION_1, of all that this device can do.
  parameter logic [63:0] OfferedFeatures = '1,
  /// Serve legacy drivers too: BAR0 is the legacy interface in I/O space, from `BarLegacy` on at the
  /// BAR port, and the structures lie in BAR2.
  parameter bit          Transitional = 1'b0,
  localparam int unsigned IdWidth = 4
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

  // BAR space: byte address = offset in the memory BAR (BAR0; of a transitional device BAR2).
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

  // The medium: byte address = sector * 512.
  output logic [IdWidth-1:0]     m_med_axi_arid,
  output logic [63:0]            m_med_axi_araddr,
  output logic [7:0]             m_med_axi_arlen,
  output logic [2:0]             m_med_axi_arsize,
  output logic [1:0]             m_med_axi_arburst,
  output logic                   m_med_axi_arvalid,
  input  logic                   m_med_axi_arready,
  input  logic [IdWidth-1:0]     m_med_axi_rid,
  input  logic [DataWidth-1:0]   m_med_axi_rdata,
  input  logic [1:0]             m_med_axi_rresp,
  input  logic                   m_med_axi_rlast,
  input  logic                   m_med_axi_rvalid,
  output logic                   m_med_axi_rready,
  output logic [IdWidth-1:0]     m_med_axi_awid,
  output logic [63:0]            m_med_axi_awaddr,
  output logic [7:0]             m_med_axi_awlen,
  output logic [2:0]             m_med_axi_awsize,
  output logic [1:0]             m_med_axi_awburst,
  output logic                   m_med_axi_awvalid,
  input  logic                   m_med_axi_awready,
  output logic [DataWidth-1:0]   m_med_axi_wdata,
  output logic [DataWidth/8-1:0] m_med_axi_wstrb,
  output logic                   m_med_axi_wlast,
  output logic                   m_med_axi_wvalid,
  input  logic                   m_med_axi_wready,
  input  logic [IdWidth-1:0]     m_med_axi_bid,
  input  logic [1:0]             m_med_axi_bresp,
  input  logic                   m_med_axi_bvalid,
  output logic                   m_med_axi_bready,

  /// Capacity of the medium in 512-byte sectors; may change at any time.
  input  logic [63:0]            medium_sectors_i,
  /// INTx, active high.
  output logic                   intx_o
);

  localparam logic [63:0] BlkFeatures =
      (64'd1 << BLK_FEATURE_SEG_MAX) | (64'd1 << BLK_FEATURE_BLK_SIZE)
      | (64'd1 << BLK_FEATURE_FLUSH) | (64'(NumQueues > 1) << BLK_FEATURE_MQ)
      | (64'd1 << BLK_FEATURE_DISCARD) | (64'd1 << BLK_FEATURE_WRITE_ZEROES);
  localparam logic [63:0] Offered = OfferedFeatures & BlkFeatures;

  logic [63:0]                 features;
  logic                        seg_valid, seg_ready, cpl_valid, cpl_ready;
  logic                        be_stop, be_idle, be_error;
  segment_t                    seg;
  completion_t                 cpl;
  logic                        rd_cmd_valid, rd_cmd_ready, rd_rsp_valid, rd_rsp_ready;
  logic                        rd_rsp_last, rd_rsp_err, wr_cmd_valid, wr_cmd_ready;
  logic                        wr_data_valid, wr_data_ready, wr_rsp_valid, wr_rsp_err;
  dma_cmd_t                    rd_cmd, wr_cmd;
  logic [DataWidth-1:0]        rd_rsp_data, wr_data;
  logic [BLK_CFG_LENGTH*8-1:0] dev_cfg;
  logic                        dev_cfg_changed, dev_cfg_we;
  logic [31:0]                 dev_cfg_addr, dev_cfg_wdata;
  logic [3:0]                  dev_cfg_strb;

  // The same at the block back end, where the administration queue makes a difference.
  logic                        dev_seg_valid, dev_seg_ready, dev_cpl_valid, dev_cpl_ready;
  logic                        dev_be_idle, dev_be_error, dev_rd_cmd_valid, dev_rd_cmd_ready;
  logic                        dev_rd_rsp_valid, dev_rd_rsp_ready, dev_wr_cmd_valid;
  logic                        dev_wr_cmd_ready, dev_wr_data_valid, dev_wr_data_ready;
  logic                        dev_wr_rsp_valid;
  completion_t                 dev_cpl;
  dma_cmd_t                    dev_rd_cmd, dev_wr_cmd;
  logic [DataWidth-1:0]        dev_wr_data;

  vio_core #(
    .DeviceType       (DEVICE_TYPE_BLK),
    .DeviceCfgLength  (BLK_CFG_LENGTH),
    .DeviceFeatures   (BlkFeatures),
    .NumQueues        (NumQueues),
    .AdminQueue       (AdminQueue),
    .MaxQueueSize     (MaxQueueSize),
    .NumVectors       (NumVectors),
    .DataWidth        (DataWidth),
    .NotifyMultiplier (NotifyMultiplier),
    .OfferedFeatures  (OfferedFeatures),
    .Transitional     (Transitional),
    .TransitionalId   (16'(TRANSITIONAL_DEVICE_ID_BLK)),
    .IdWidth          (IdWidth)
  ) u_core (
    .clk_i, .rst_ni, .intx_o, .s_cfg_axil_awaddr, .s_cfg_axil_awvalid, .s_cfg_axil_awready,
    .s_cfg_axil_wdata, .s_cfg_axil_wstrb, .s_cfg_axil_wvalid, .s_cfg_axil_wready,
    .s_cfg_axil_bresp, .s_cfg_axil_bvalid, .s_cfg_axil_bready, .s_cfg_axil_araddr,
    .s_cfg_axil_arvalid, .s_cfg_axil_arready, .s_cfg_axil_rdata, .s_cfg_axil_rresp,
    .s_cfg_axil_rvalid, .s_cfg_axil_rready, .s_bar_axil_awaddr, .s_bar_axil_awvalid,
    .s_bar_axil_awready, .s_bar_axil_wdata, .s_bar_axil_wstrb, .s_bar_axil_wvalid,
    .s_bar_axil_wready, .s_bar_axil_bresp, .s_bar_axil_bvalid, .s_bar_axil_bready,
    .s_bar_axil_araddr, .s_bar_axil_arvalid, .s_bar_axil_arready, .s_bar_axil_rdata,
    .s_bar_axil_rresp, .s_bar_axil_rvalid, .s_bar_axil_rready, .m_dma_axi_arid,
    .m_dma_axi_araddr, .m_dma_axi_arlen, .m_dma_axi_arsize, .m_dma_axi_arburst,
    .m_dma_axi_arvalid, .m_dma_axi_arready, .m_dma_axi_rid, .m_dma_axi_rdata, .m_dma_axi_rresp,
    .m_dma_axi_rlast, .m_dma_axi_rvalid, .m_dma_axi_rready, .m_dma_axi_awid, .m_dma_axi_awaddr,
    .m_dma_axi_awlen, .m_dma_axi_awsize, .m_dma_axi_awburst, .m_dma_axi_awvalid,
    .m_dma_axi_awready, .m_dma_axi_wdata, .m_dma_axi_wstrb, .m_dma_axi_wlast, .m_dma_axi_wvalid,
    .m_dma_axi_wready, .m_dma_axi_bid, .m_dma_axi_bresp, .m_dma_axi_bvalid, .m_dma_axi_bready,
    .features_o        (features),
    .seg_valid_o       (seg_valid),
    .seg_ready_i       (seg_ready),
    .seg_o             (seg),
    .cpl_valid_i       (cpl_valid),
    .cpl_ready_o       (cpl_ready),
    .cpl_i             (cpl),
    .be_stop_o         (be_stop),
    .be_idle_i         (be_idle),
    .be_error_i        (be_error),
    .rd_cmd_valid_i    (rd_cmd_valid),
    .rd_cmd_ready_o    (rd_cmd_ready),
    .rd_cmd_i          (rd_cmd),
    .rd_rsp_valid_o    (rd_rsp_valid),
    .rd_rsp_ready_i    (rd_rsp_ready),
    .rd_rsp_data_o     (rd_rsp_data),
    .rd_rsp_last_o     (rd_rsp_last),
    .rd_rsp_err_o      (rd_rsp_err),
    .wr_cmd_valid_i    (wr_cmd_valid),
    .wr_cmd_ready_o    (wr_cmd_ready),
    .wr_cmd_i          (wr_cmd),
    .wr_data_valid_i   (wr_data_valid),
    .wr_data_ready_o   (wr_data_ready),
    .wr_data_i         (wr_data),
    .wr_rsp_valid_o    (wr_rsp_valid),
    .wr_rsp_err_o      (wr_rsp_err),
    .dev_cfg_i         (dev_cfg),
    .dev_cfg_changed_i (dev_cfg_changed),
    .dev_cfg_we_o      (dev_cfg_we),
    .dev_cfg_addr_o    (dev_cfg_addr),
    .dev_cfg_wdata_o   (dev_cfg_wdata),
    .dev_cfg_strb_o    (dev_cfg_strb)
  );

  vio_admin_share #(
    .AdminQueue (AdminQueue),
    .AdminIndex (NumQueues),
    .DataWidth  (DataWidth)
  ) u_admin (
    .clk_i, .rst_ni,
    .enable_i            (features[FEATURE_ADMIN_VQ]),
    .be_stop_i           (be_stop),
    .seg_valid_i         (seg_valid),
    .seg_ready_o         (seg_ready),
    .seg_i               (seg),
    .cpl_valid_o         (cpl_valid),
    .cpl_ready_i         (cpl_ready),
    .cpl_o               (cpl),
    .be_idle_o           (be_idle),
    .be_error_o          (be_error),
    .rd_cmd_valid_o      (rd_cmd_valid),
    .rd_cmd_ready_i      (rd_cmd_ready),
    .rd_cmd_o            (rd_cmd),
    .rd_rsp_valid_i      (rd_rsp_valid),
    .rd_rsp_ready_o      (rd_rsp_ready),
    .rd_rsp_data_i       (rd_rsp_data),
    .rd_rsp_last_i       (rd_rsp_last),
    .rd_rsp_err_i        (rd_rsp_err),
    .wr_cmd_valid_o      (wr_cmd_valid),
    .wr_cmd_ready_i      (wr_cmd_ready),
    .wr_cmd_o            (wr_cmd),
    .wr_data_valid_o     (wr_data_valid),
    .wr_data_ready_i     (wr_data_ready),
    .wr_data_o           (wr_data),
    .wr_rsp_valid_i      (wr_rsp_valid),
    .wr_rsp_err_i        (wr_rsp_err),
    .dev_seg_valid_o     (dev_seg_valid),
    .dev_seg_ready_i     (dev_seg_ready),
    .dev_cpl_valid_i     (dev_cpl_valid),
    .dev_cpl_ready_o     (dev_cpl_ready),
    .dev_cpl_i           (dev_cpl),
    .dev_be_idle_i       (dev_be_idle),
    .dev_be_error_i      (dev_be_error),
    .dev_rd_cmd_valid_i  (dev_rd_cmd_valid),
    .dev_rd_cmd_ready_o  (dev_rd_cmd_ready),
    .dev_rd_cmd_i        (dev_rd_cmd),
    .dev_rd_rsp_valid_o  (dev_rd_rsp_valid),
    .dev_rd_rsp_ready_i  (dev_rd_rsp_ready),
    .dev_wr_cmd_valid_i  (dev_wr_cmd_valid),
    .dev_wr_cmd_ready_o  (dev_wr_cmd_ready),
    .dev_wr_cmd_i        (dev_wr_cmd),
    .dev_wr_data_valid_i (dev_wr_data_valid),
    .dev_wr_data_ready_o (dev_wr_data_ready),
    .dev_wr_data_i       (dev_wr_data),
    .dev_wr_rsp_valid_o  (dev_wr_rsp_valid)
  );

  vio_blk #(
    .DataWidth (DataWidth),
    .IdWidth   (IdWidth),
    .NumQueues (NumQueues),
    .SegDepth  (MaxQueueSize),
    .Zeroes    (Offered[BLK_FEATURE_DISCARD] || Offered[BLK_FEATURE_WRITE_ZEROES])
  ) u_blk (
    .clk_i, .rst_ni, .medium_sectors_i,
    .features_i        (features),
    .seg_valid_i       (dev_seg_valid),
    .seg_ready_o       (dev_seg_ready),
    .seg_i             (seg),
    .cpl_valid_o       (dev_cpl_valid),
    .cpl_ready_i       (dev_cpl_ready),
    .cpl_o             (dev_cpl),
    .be_stop_i         (be_stop),
    .be_idle_o         (dev_be_idle),
    .be_error_o        (dev_be_error),
    .rd_cmd_valid_o    (dev_rd_cmd_valid),
    .rd_cmd_ready_i    (dev_rd_cmd_ready),
    .rd_cmd_o          (dev_rd_cmd),
    .rd_rsp_valid_i    (dev_rd_rsp_valid),
    .rd_rsp_ready_o    (dev_rd_rsp_ready),
    .rd_rsp_data_i     (rd_rsp_data),
    .rd_rsp_last_i     (rd_rsp_last),
    .rd_rsp_err_i      (rd_rsp_err),
    .wr_cmd_valid_o    (dev_wr_cmd_valid),
    .wr_cmd_ready_i    (dev_wr_cmd_ready),
    .wr_cmd_o          (dev_wr_cmd),
    .wr_data_valid_o   (dev_wr_data_valid),
    .wr_data_ready_i   (dev_wr_data_ready),
    .wr_data_o         (dev_wr_data),
    .wr_rsp_valid_i    (dev_wr_rsp_valid),
    .wr_rsp_err_i      (wr_rsp_err),
    .dev_cfg_o         (dev_cfg),
    .dev_cfg_changed_o (dev_cfg_changed),
    .dev_cfg_we_i      (dev_cfg_we),
    .dev_cfg_addr_i    (dev_cfg_addr),
    .dev_cfg_wdata_i   (dev_cfg_wdata),
    .dev_cfg_strb_i    (dev_cfg_strb),
    .m_axi_arid        (m_med_axi_arid),
    .m_axi_araddr      (m_med_axi_araddr),
    .m_axi_arlen       (m_med_axi_arlen),
    .m_axi_arsize      (m_med_axi_arsize),
    .m_axi_arburst     (m_med_axi_arburst),
    .m_axi_arvalid     (m_med_axi_arvalid),
    .m_axi_arready     (m_med_axi_arready),
    .m_axi_rid         (m_med_axi_rid),
    .m_axi_rdata       (m_med_axi_rdata),
    .m_axi_rresp       (m_med_axi_rresp),
    .m_axi_rlast       (m_med_axi_rlast),
    .m_axi_rvalid      (m_med_axi_rvalid),
    .m_axi_rready      (m_med_axi_rready),
    .m_axi_awid        (m_med_axi_awid),
    .m_axi_awaddr      (m_med_axi_awaddr),
    .m_axi_awlen       (m_med_axi_awlen),
    .m_axi_awsize      (m_med_axi_awsize),
    .m_axi_awburst     (m_med_axi_awburst),
    .m_axi_awvalid     (m_med_axi_awvalid),
    .m_axi_awready     (m_med_axi_awready),
    .m_axi_wdata       (m_med_axi_wdata),
    .m_axi_wstrb       (m_med_axi_wstrb),
    .m_axi_wlast       (m_med_axi_wlast),
    .m_axi_wvalid      (m_med_axi_wvalid),
    .m_axi_wready      (m_med_axi_wready),
    .m_axi_bid         (m_med_axi_bid),
    .m_axi_bresp       (m_med_axi_bresp),
    .m_axi_bvalid      (m_med_axi_bvalid),
    .m_axi_bready      (m_med_axi_bready)
  );

endmodule
