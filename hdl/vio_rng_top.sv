/// Virtio-pci entropy device: the device core and the entropy back end. One clock; reset may be
/// asserted at any time and is released with the clock.
module vio_rng_top
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Descriptors of the largest queue, a power of two up to 32768.
  parameter int unsigned MaxQueueSize = 1024,
  /// Bits of a beat, a power of two from 64 to 512.
  parameter int unsigned DataWidth = 256,
  /// notify_off_multiplier, as in `vio_core`.
  parameter int unsigned NotifyMultiplier = 4,
  /// What may be offered on top of VERSION_1, of all that this device can do.
  parameter logic [63:0] OfferedFeatures = '1,
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

  // BAR0: byte address = offset in the BAR.
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
  output logic                   intx_o
);

  logic                 seg_valid, seg_ready, cpl_valid, cpl_ready, be_stop, be_idle, be_error;
  segment_t             seg;
  completion_t          cpl;
  logic                 wr_cmd_valid, wr_cmd_ready, wr_data_valid, wr_data_ready;
  logic                 wr_rsp_valid, wr_rsp_err;
  dma_cmd_t             wr_cmd;
  logic [DataWidth-1:0] wr_data;

  // An entropy device reads nothing and has no configuration.
  logic [63:0]          features;
  logic                 rd_cmd_ready, rd_rsp_valid, rd_rsp_last, rd_rsp_err, dev_cfg_we, unused;
  logic [DataWidth-1:0] rd_rsp_data;
  logic [31:0]          dev_cfg_addr, dev_cfg_wdata;
  logic [3:0]           dev_cfg_strb;
  assign unused = ^{features, rd_cmd_ready, rd_rsp_valid, rd_rsp_last, rd_rsp_err, rd_rsp_data,
                    dev_cfg_we, dev_cfg_addr, dev_cfg_wdata, dev_cfg_strb};

  vio_core #(
    .DeviceType       (DEVICE_TYPE_ENTROPY),
    .DeviceCfgLength  (8),  // nothing is in it
    .NumQueues        (1),
    .MaxQueueSize     (MaxQueueSize),
    .DataWidth        (DataWidth),
    .NotifyMultiplier (NotifyMultiplier),
    .OfferedFeatures  (OfferedFeatures),
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
    .seg_valid_o       (seg_valid),
    .seg_ready_i       (seg_ready),
    .seg_o             (seg),
    .cpl_valid_i       (cpl_valid),
    .cpl_ready_o       (cpl_ready),
    .cpl_i             (cpl),
    .be_stop_o         (be_stop),
    .be_idle_i         (be_idle),
    .be_error_i        (be_error),
    .wr_cmd_valid_i    (wr_cmd_valid),
    .wr_cmd_ready_o    (wr_cmd_ready),
    .wr_cmd_i          (wr_cmd),
    .wr_data_valid_i   (wr_data_valid),
    .wr_data_ready_o   (wr_data_ready),
    .wr_data_i         (wr_data),
    .wr_rsp_valid_o    (wr_rsp_valid),
    .wr_rsp_err_o      (wr_rsp_err),
    .features_o        (features),
    .rd_cmd_valid_i    (1'b0),
    .rd_cmd_ready_o    (rd_cmd_ready),
    .rd_cmd_i          ('0),
    .rd_rsp_valid_o    (rd_rsp_valid),
    .rd_rsp_ready_i    (1'b1),
    .rd_rsp_data_o     (rd_rsp_data),
    .rd_rsp_last_o     (rd_rsp_last),
    .rd_rsp_err_o      (rd_rsp_err),
    .dev_cfg_i         ('0),
    .dev_cfg_changed_i (1'b0),
    .dev_cfg_we_o      (dev_cfg_we),
    .dev_cfg_addr_o    (dev_cfg_addr),
    .dev_cfg_wdata_o   (dev_cfg_wdata),
    .dev_cfg_strb_o    (dev_cfg_strb)
  );

  vio_rng #(.DataWidth(DataWidth)) u_rng (
    .clk_i, .rst_ni,
    .seg_valid_i     (seg_valid),
    .seg_ready_o     (seg_ready),
    .seg_i           (seg),
    .cpl_valid_o     (cpl_valid),
    .cpl_ready_i     (cpl_ready),
    .cpl_o           (cpl),
    .be_stop_i       (be_stop),
    .be_idle_o       (be_idle),
    .be_error_o      (be_error),
    .wr_cmd_valid_o  (wr_cmd_valid),
    .wr_cmd_ready_i  (wr_cmd_ready),
    .wr_cmd_o        (wr_cmd),
    .wr_data_valid_o (wr_data_valid),
    .wr_data_ready_i (wr_data_ready),
    .wr_data_o       (wr_data),
    .wr_rsp_valid_i  (wr_rsp_valid),
    .wr_rsp_err_i    (wr_rsp_err)
  );

endmodule
