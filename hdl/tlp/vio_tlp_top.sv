/// Virtio-pci block device behind PCI Express packet streams: `vio_top` and the shim in front of
/// it.
module vio_tlp_top #(
  /// As in `vio_top`.
  parameter int unsigned NumQueues        = 8,
  parameter int unsigned MaxQueueSize     = 1024,
  parameter int unsigned NumVectors       = NumQueues + 1,
  parameter int unsigned NotifyMultiplier = 4,
  parameter logic [63:0] OfferedFeatures  = '1,
  /// Bits of a beat on all ports, a power of two from 128 to 512.
  parameter int unsigned DataWidth        = 256,
  /// Clock cycles until a read without an answer ends in an error.
  parameter int unsigned TimeoutCycles    = 12_500_000,
  localparam int unsigned IdWidth         = 4
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,

  // Packets to the device, first byte in bits [7:0].
  input  logic [DataWidth-1:0]       tlp_rx_tdata,
  input  logic                       tlp_rx_tlast,
  input  logic                       tlp_rx_tvalid,
  output logic                       tlp_rx_tready,
  // Packets from the device; a bit of tkeep for each dword.
  output logic [DataWidth-1:0]       tlp_tx_tdata,
  output logic [DataWidth/32-1:0]    tlp_tx_tkeep,
  output logic                       tlp_tx_tlast,
  output logic                       tlp_tx_tvalid,
  input  logic                       tlp_tx_tready,

  // The medium: byte address = sector * 512.
  output logic [IdWidth-1:0]         m_med_axi_arid,
  output logic [63:0]                m_med_axi_araddr,
  output logic [7:0]                 m_med_axi_arlen,
  output logic [2:0]                 m_med_axi_arsize,
  output logic [1:0]                 m_med_axi_arburst,
  output logic                       m_med_axi_arvalid,
  input  logic                       m_med_axi_arready,
  input  logic [IdWidth-1:0]         m_med_axi_rid,
  input  logic [DataWidth-1:0]       m_med_axi_rdata,
  input  logic [1:0]                 m_med_axi_rresp,
  input  logic                       m_med_axi_rlast,
  input  logic                       m_med_axi_rvalid,
  output logic                       m_med_axi_rready,
  output logic [IdWidth-1:0]         m_med_axi_awid,
  output logic [63:0]                m_med_axi_awaddr,
  output logic [7:0]                 m_med_axi_awlen,
  output logic [2:0]                 m_med_axi_awsize,
  output logic [1:0]                 m_med_axi_awburst,
  output logic                       m_med_axi_awvalid,
  input  logic                       m_med_axi_awready,
  output logic [DataWidth-1:0]       m_med_axi_wdata,
  output logic [DataWidth/8-1:0]     m_med_axi_wstrb,
  output logic                       m_med_axi_wlast,
  output logic                       m_med_axi_wvalid,
  input  logic                       m_med_axi_wready,
  input  logic [IdWidth-1:0]         m_med_axi_bid,
  input  logic [1:0]                 m_med_axi_bresp,
  input  logic                       m_med_axi_bvalid,
  output logic                       m_med_axi_bready,

  /// Capacity of the medium in 512-byte sectors; may change at any time.
  input  logic [63:0]                medium_sectors_i
);

  // The bytes of the memory BAR, as `vio_front` has them.
  localparam int unsigned Stride   = NotifyMultiplier < 4 ? 4 : NotifyMultiplier;
  localparam int unsigned BarEnd   = int'(vio_pkg::BarNotify) + NumQueues * Stride;
  localparam logic [63:0] BarBytes = 64'd1 << (BarEnd <= 32'h1_0000 ? 16 : $clog2(BarEnd));

  logic [11:0]              s_cfg_axil_awaddr, s_cfg_axil_araddr;
  logic                     s_cfg_axil_awvalid, s_cfg_axil_awready, s_cfg_axil_wvalid,
                            s_cfg_axil_wready, s_cfg_axil_bvalid, s_cfg_axil_bready,
                            s_cfg_axil_arvalid, s_cfg_axil_arready, s_cfg_axil_rvalid,
                            s_cfg_axil_rready, s_bar_axil_awvalid, s_bar_axil_awready,
                            s_bar_axil_wvalid, s_bar_axil_wready, s_bar_axil_bvalid,
                            s_bar_axil_bready, s_bar_axil_arvalid, s_bar_axil_arready,
                            s_bar_axil_rvalid, s_bar_axil_rready, m_dma_axi_arvalid,
                            m_dma_axi_arready, m_dma_axi_rlast, m_dma_axi_rvalid,
                            m_dma_axi_rready, m_dma_axi_awvalid, m_dma_axi_awready,
                            m_dma_axi_wlast, m_dma_axi_wvalid, m_dma_axi_wready,
                            m_dma_axi_bvalid, m_dma_axi_bready;
  logic [31:0]              s_cfg_axil_wdata, s_cfg_axil_rdata, s_bar_axil_awaddr,
                            s_bar_axil_wdata, s_bar_axil_araddr, s_bar_axil_rdata;
  logic [3:0]               s_cfg_axil_wstrb, s_bar_axil_wstrb;
  logic [1:0]               s_cfg_axil_bresp, s_cfg_axil_rresp, s_bar_axil_bresp,
                            s_bar_axil_rresp, m_dma_axi_arburst, m_dma_axi_rresp,
                            m_dma_axi_awburst, m_dma_axi_bresp;
  logic [IdWidth-1:0]       m_dma_axi_arid, m_dma_axi_rid, m_dma_axi_awid, m_dma_axi_bid;
  logic [63:0]              m_dma_axi_araddr, m_dma_axi_awaddr;
  logic [7:0]               m_dma_axi_arlen, m_dma_axi_awlen;
  logic [2:0]               m_dma_axi_arsize, m_dma_axi_awsize;
  logic [DataWidth-1:0]     m_dma_axi_rdata, m_dma_axi_wdata;
  logic [DataWidth/8-1:0]   m_dma_axi_wstrb;
  logic                     intx;

  vio_top #(
    .NumQueues        (NumQueues),
    .MaxQueueSize     (MaxQueueSize),
    .NumVectors       (NumVectors),
    .DataWidth        (DataWidth),
    .NotifyMultiplier (NotifyMultiplier),
    .OfferedFeatures  (OfferedFeatures)
  ) u_device (
    .clk_i, .rst_ni, .medium_sectors_i, .intx_o(intx), .s_cfg_axil_awaddr, .s_cfg_axil_awvalid,
    .s_cfg_axil_awready, .s_cfg_axil_wdata, .s_cfg_axil_wstrb, .s_cfg_axil_wvalid,
    .s_cfg_axil_wready, .s_cfg_axil_bresp, .s_cfg_axil_bvalid, .s_cfg_axil_bready,
    .s_cfg_axil_araddr, .s_cfg_axil_arvalid, .s_cfg_axil_arready, .s_cfg_axil_rdata,
    .s_cfg_axil_rresp, .s_cfg_axil_rvalid, .s_cfg_axil_rready, .s_bar_axil_awaddr,
    .s_bar_axil_awvalid, .s_bar_axil_awready, .s_bar_axil_wdata, .s_bar_axil_wstrb,
    .s_bar_axil_wvalid, .s_bar_axil_wready, .s_bar_axil_bresp, .s_bar_axil_bvalid,
    .s_bar_axil_bready, .s_bar_axil_araddr, .s_bar_axil_arvalid, .s_bar_axil_arready,
    .s_bar_axil_rdata, .s_bar_axil_rresp, .s_bar_axil_rvalid, .s_bar_axil_rready,
    .m_dma_axi_arid, .m_dma_axi_araddr, .m_dma_axi_arlen, .m_dma_axi_arsize, .m_dma_axi_arburst,
    .m_dma_axi_arvalid, .m_dma_axi_arready, .m_dma_axi_rid, .m_dma_axi_rdata, .m_dma_axi_rresp,
    .m_dma_axi_rlast, .m_dma_axi_rvalid, .m_dma_axi_rready, .m_dma_axi_awid, .m_dma_axi_awaddr,
    .m_dma_axi_awlen, .m_dma_axi_awsize, .m_dma_axi_awburst, .m_dma_axi_awvalid,
    .m_dma_axi_awready, .m_dma_axi_wdata, .m_dma_axi_wstrb, .m_dma_axi_wlast, .m_dma_axi_wvalid,
    .m_dma_axi_wready, .m_dma_axi_bid, .m_dma_axi_bresp, .m_dma_axi_bvalid, .m_dma_axi_bready,
    .m_med_axi_arid, .m_med_axi_araddr, .m_med_axi_arlen, .m_med_axi_arsize, .m_med_axi_arburst,
    .m_med_axi_arvalid, .m_med_axi_arready, .m_med_axi_rid, .m_med_axi_rdata, .m_med_axi_rresp,
    .m_med_axi_rlast, .m_med_axi_rvalid, .m_med_axi_rready, .m_med_axi_awid, .m_med_axi_awaddr,
    .m_med_axi_awlen, .m_med_axi_awsize, .m_med_axi_awburst, .m_med_axi_awvalid,
    .m_med_axi_awready, .m_med_axi_wdata, .m_med_axi_wstrb, .m_med_axi_wlast, .m_med_axi_wvalid,
    .m_med_axi_wready, .m_med_axi_bid, .m_med_axi_bresp, .m_med_axi_bvalid, .m_med_axi_bready
  );

  vio_tlp_shim #(
    .DataWidth     (DataWidth),
    .IdWidth       (IdWidth),
    .BarBytes      (BarBytes),
    .TimeoutCycles (TimeoutCycles)
  ) u_shim (
    .clk_i, .rst_ni, .tlp_rx_tdata, .tlp_rx_tlast, .tlp_rx_tvalid, .tlp_rx_tready, .tlp_tx_tdata,
    .tlp_tx_tkeep, .tlp_tx_tlast, .tlp_tx_tvalid, .tlp_tx_tready, .intx_i(intx),
    .m_cfg_axil_awaddr(s_cfg_axil_awaddr), .m_cfg_axil_awvalid(s_cfg_axil_awvalid),
    .m_cfg_axil_awready(s_cfg_axil_awready), .m_cfg_axil_wdata(s_cfg_axil_wdata),
    .m_cfg_axil_wstrb(s_cfg_axil_wstrb), .m_cfg_axil_wvalid(s_cfg_axil_wvalid),
    .m_cfg_axil_wready(s_cfg_axil_wready), .m_cfg_axil_bvalid(s_cfg_axil_bvalid),
    .m_cfg_axil_bready(s_cfg_axil_bready), .m_cfg_axil_araddr(s_cfg_axil_araddr),
    .m_cfg_axil_arvalid(s_cfg_axil_arvalid), .m_cfg_axil_arready(s_cfg_axil_arready),
    .m_cfg_axil_rdata(s_cfg_axil_rdata), .m_cfg_axil_rvalid(s_cfg_axil_rvalid),
    .m_cfg_axil_rready(s_cfg_axil_rready), .m_bar_axil_awaddr(s_bar_axil_awaddr),
    .m_bar_axil_awvalid(s_bar_axil_awvalid), .m_bar_axil_awready(s_bar_axil_awready),
    .m_bar_axil_wdata(s_bar_axil_wdata), .m_bar_axil_wstrb(s_bar_axil_wstrb),
    .m_bar_axil_wvalid(s_bar_axil_wvalid), .m_bar_axil_wready(s_bar_axil_wready),
    .m_bar_axil_bvalid(s_bar_axil_bvalid), .m_bar_axil_bready(s_bar_axil_bready),
    .m_bar_axil_araddr(s_bar_axil_araddr), .m_bar_axil_arvalid(s_bar_axil_arvalid),
    .m_bar_axil_arready(s_bar_axil_arready), .m_bar_axil_rdata(s_bar_axil_rdata),
    .m_bar_axil_rresp(s_bar_axil_rresp), .m_bar_axil_rvalid(s_bar_axil_rvalid),
    .m_bar_axil_rready(s_bar_axil_rready), .s_dma_axi_arid(m_dma_axi_arid),
    .s_dma_axi_araddr(m_dma_axi_araddr), .s_dma_axi_arlen(m_dma_axi_arlen),
    .s_dma_axi_arsize(m_dma_axi_arsize), .s_dma_axi_arvalid(m_dma_axi_arvalid),
    .s_dma_axi_arready(m_dma_axi_arready), .s_dma_axi_rid(m_dma_axi_rid),
    .s_dma_axi_rdata(m_dma_axi_rdata), .s_dma_axi_rresp(m_dma_axi_rresp),
    .s_dma_axi_rlast(m_dma_axi_rlast), .s_dma_axi_rvalid(m_dma_axi_rvalid),
    .s_dma_axi_rready(m_dma_axi_rready), .s_dma_axi_awid(m_dma_axi_awid),
    .s_dma_axi_awaddr(m_dma_axi_awaddr), .s_dma_axi_awvalid(m_dma_axi_awvalid),
    .s_dma_axi_awready(m_dma_axi_awready), .s_dma_axi_wdata(m_dma_axi_wdata),
    .s_dma_axi_wstrb(m_dma_axi_wstrb), .s_dma_axi_wlast(m_dma_axi_wlast),
    .s_dma_axi_wvalid(m_dma_axi_wvalid), .s_dma_axi_wready(m_dma_axi_wready),
    .s_dma_axi_bid(m_dma_axi_bid), .s_dma_axi_bresp(m_dma_axi_bresp),
    .s_dma_axi_bvalid(m_dma_axi_bvalid), .s_dma_axi_bready(m_dma_axi_bready)
  );

  // The shim asks for nothing that could fail, and knows what bursts there are.
  logic unused;
  assign unused = ^{s_cfg_axil_bresp, s_cfg_axil_rresp, s_bar_axil_bresp, m_dma_axi_arburst,
                    m_dma_axi_awlen, m_dma_axi_awsize, m_dma_axi_awburst};

endmodule
