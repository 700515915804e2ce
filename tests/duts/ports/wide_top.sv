/// Seedling with configuration space as requests, BARs as AXI4-Lite of 64 bits, and DMA of 512 bits
/// with ids.
module wide_top (
  input  logic                core_clk,
  input  logic                core_rst,
  input  logic                cfg_req_valid,
  output logic                cfg_req_ready,
  input  logic                cfg_req_write,
  input  logic [11:0]         cfg_req_addr,
  input  logic [31:0]         cfg_req_wdata,
  input  logic [3:0]          cfg_req_strb,
  output logic                cfg_cpl_valid,
  output logic [31:0]         cfg_cpl_rdata,
  input  logic [16:0]         bar_axi_awaddr,
  input  logic                bar_axi_awvalid,
  output logic                bar_axi_awready,
  input  logic [63:0]         bar_axi_wdata,
  input  logic [7:0]          bar_axi_wstrb,
  input  logic                bar_axi_wvalid,
  output logic                bar_axi_wready,
  output logic [1:0]          bar_axi_bresp,
  output logic                bar_axi_bvalid,
  input  logic                bar_axi_bready,
  input  logic [16:0]         bar_axi_araddr,
  input  logic                bar_axi_arvalid,
  output logic                bar_axi_arready,
  output logic [63:0]         bar_axi_rdata,
  output logic [1:0]          bar_axi_rresp,
  output logic                bar_axi_rvalid,
  input  logic                bar_axi_rready,
  output logic [3:0]          dma_awid,
  output logic [63:0]         dma_awaddr,
  output logic [7:0]          dma_awlen,
  output logic [2:0]          dma_awsize,
  output logic [1:0]          dma_awburst,
  output logic                dma_awvalid,
  input  logic                dma_awready,
  output logic [511:0]        dma_wdata,
  output logic [63:0]         dma_wstrb,
  output logic                dma_wlast,
  output logic                dma_wvalid,
  input  logic                dma_wready,
  input  logic [3:0]          dma_bid,
  input  logic [1:0]          dma_bresp,
  input  logic                dma_bvalid,
  output logic                dma_bready,
  output logic [3:0]          dma_arid,
  output logic [63:0]         dma_araddr,
  output logic [7:0]          dma_arlen,
  output logic [2:0]          dma_arsize,
  output logic [1:0]          dma_arburst,
  output logic                dma_arvalid,
  input  logic                dma_arready,
  input  logic [3:0]          dma_rid,
  input  logic [511:0]        dma_rdata,
  input  logic [1:0]          dma_rresp,
  input  logic                dma_rlast,
  input  logic                dma_rvalid,
  output logic                dma_rready,
  output logic                intx
);
  logic        bar_req_valid, bar_req_ready, bar_req_write, bar_cpl_valid;
  logic [16:0] bar_req_addr;
  logic [63:0] bar_req_wdata, bar_cpl_rdata;
  logic [7:0] bar_req_strb;

  lite_bridge #(.Width(64), .AddrWidth(17)) u_bar (
    .clk(core_clk), .rst(core_rst), .awaddr(bar_axi_awaddr), .awvalid(bar_axi_awvalid),
    .awready(bar_axi_awready), .wdata(bar_axi_wdata), .wstrb(bar_axi_wstrb),
    .wvalid(bar_axi_wvalid), .wready(bar_axi_wready), .bresp(bar_axi_bresp),
    .bvalid(bar_axi_bvalid), .bready(bar_axi_bready), .araddr(bar_axi_araddr),
    .arvalid(bar_axi_arvalid), .arready(bar_axi_arready), .rdata(bar_axi_rdata),
    .rresp(bar_axi_rresp), .rvalid(bar_axi_rvalid), .rready(bar_axi_rready),
    .req_valid(bar_req_valid), .req_ready(bar_req_ready), .req_write(bar_req_write),
    .req_addr(bar_req_addr), .req_wdata(bar_req_wdata), .req_strb(bar_req_strb),
    .cpl_valid(bar_cpl_valid), .cpl_rdata(bar_cpl_rdata)
  );

  pci_seedling #(.Width(512), .IdWidth(4)) u_core (
    .clk(core_clk), .rst(core_rst), .cfg_req_valid(cfg_req_valid), .cfg_req_ready(cfg_req_ready),
    .cfg_req_write(cfg_req_write), .cfg_req_addr(cfg_req_addr), .cfg_req_wdata(cfg_req_wdata),
    .cfg_req_strb(cfg_req_strb), .cfg_cpl_valid(cfg_cpl_valid), .cfg_cpl_rdata(cfg_cpl_rdata),
    .bar_req_valid(bar_req_valid), .bar_req_ready(bar_req_ready), .bar_req_write(bar_req_write),
    .bar_req_addr(bar_req_addr), .bar_req_wdata(bar_req_wdata), .bar_req_strb(bar_req_strb),
    .bar_cpl_valid(bar_cpl_valid), .bar_cpl_rdata(bar_cpl_rdata), .awid(dma_awid),
    .awaddr(dma_awaddr), .awlen(dma_awlen), .awsize(dma_awsize), .awburst(dma_awburst),
    .awvalid(dma_awvalid), .awready(dma_awready), .wdata(dma_wdata), .wstrb(dma_wstrb),
    .wlast(dma_wlast), .wvalid(dma_wvalid), .wready(dma_wready), .bid(dma_bid), .bresp(dma_bresp),
    .bvalid(dma_bvalid), .bready(dma_bready), .arid(dma_arid), .araddr(dma_araddr),
    .arlen(dma_arlen), .arsize(dma_arsize), .arburst(dma_arburst), .arvalid(dma_arvalid),
    .arready(dma_arready), .rid(dma_rid), .rdata(dma_rdata), .rresp(dma_rresp), .rlast(dma_rlast),
    .rvalid(dma_rvalid), .rready(dma_rready), .intx
  );
endmodule
