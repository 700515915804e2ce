/// Seedling with everything on AXI: both host ports AXI4-Lite of 32 bits, DMA of 32 bits without
/// ids, and interrupts as messages on it.
module lite_top #(
  /// Where configuration space says that the common structure is.
  parameter logic [31:0] CommonOffset = 32'h100
) (
  input  logic                core_clk,
  input  logic                core_rst,
  input  logic [11:0]         cfg_axi_awaddr,
  input  logic                cfg_axi_awvalid,
  output logic                cfg_axi_awready,
  input  logic [31:0]         cfg_axi_wdata,
  input  logic [3:0]          cfg_axi_wstrb,
  input  logic                cfg_axi_wvalid,
  output logic                cfg_axi_wready,
  output logic [1:0]          cfg_axi_bresp,
  output logic                cfg_axi_bvalid,
  input  logic                cfg_axi_bready,
  input  logic [11:0]         cfg_axi_araddr,
  input  logic                cfg_axi_arvalid,
  output logic                cfg_axi_arready,
  output logic [31:0]         cfg_axi_rdata,
  output logic [1:0]          cfg_axi_rresp,
  output logic                cfg_axi_rvalid,
  input  logic                cfg_axi_rready,
  input  logic [16:0]         bar_axi_awaddr,
  input  logic                bar_axi_awvalid,
  output logic                bar_axi_awready,
  input  logic [31:0]         bar_axi_wdata,
  input  logic [3:0]          bar_axi_wstrb,
  input  logic                bar_axi_wvalid,
  output logic                bar_axi_wready,
  output logic [1:0]          bar_axi_bresp,
  output logic                bar_axi_bvalid,
  input  logic                bar_axi_bready,
  input  logic [16:0]         bar_axi_araddr,
  input  logic                bar_axi_arvalid,
  output logic                bar_axi_arready,
  output logic [31:0]         bar_axi_rdata,
  output logic [1:0]          bar_axi_rresp,
  output logic                bar_axi_rvalid,
  input  logic                bar_axi_rready,
  output logic [63:0]         dma_awaddr,
  output logic [7:0]          dma_awlen,
  output logic [2:0]          dma_awsize,
  output logic [1:0]          dma_awburst,
  output logic                dma_awvalid,
  input  logic                dma_awready,
  output logic [31:0]         dma_wdata,
  output logic [3:0]          dma_wstrb,
  output logic                dma_wlast,
  output logic                dma_wvalid,
  input  logic                dma_wready,
  input  logic [1:0]          dma_bresp,
  input  logic                dma_bvalid,
  output logic                dma_bready,
  output logic [63:0]         dma_araddr,
  output logic [7:0]          dma_arlen,
  output logic [2:0]          dma_arsize,
  output logic [1:0]          dma_arburst,
  output logic                dma_arvalid,
  input  logic                dma_arready,
  input  logic [31:0]         dma_rdata,
  input  logic [1:0]          dma_rresp,
  input  logic                dma_rlast,
  input  logic                dma_rvalid,
  output logic                dma_rready,
  output logic                intx
);
  logic        cfg_req_valid, cfg_req_ready, cfg_req_write, cfg_cpl_valid;
  logic [11:0] cfg_req_addr;
  logic [31:0] cfg_req_wdata, cfg_cpl_rdata;
  logic [3:0] cfg_req_strb;
  logic        half_req_valid, half_req_ready, half_req_write, half_cpl_valid;
  logic [16:0] half_req_addr;
  logic [31:0] half_req_wdata, half_cpl_rdata;
  logic [3:0] half_req_strb;
  logic        bar_req_valid, bar_req_ready, bar_req_write, bar_cpl_valid;
  logic [16:0] bar_req_addr;
  logic [63:0] bar_req_wdata, bar_cpl_rdata;
  logic [7:0] bar_req_strb;

  lite_bridge #(.Width(32), .AddrWidth(12)) u_cfg (
    .clk(core_clk), .rst(core_rst), .awaddr(cfg_axi_awaddr), .awvalid(cfg_axi_awvalid),
    .awready(cfg_axi_awready), .wdata(cfg_axi_wdata), .wstrb(cfg_axi_wstrb),
    .wvalid(cfg_axi_wvalid), .wready(cfg_axi_wready), .bresp(cfg_axi_bresp),
    .bvalid(cfg_axi_bvalid), .bready(cfg_axi_bready), .araddr(cfg_axi_araddr),
    .arvalid(cfg_axi_arvalid), .arready(cfg_axi_arready), .rdata(cfg_axi_rdata),
    .rresp(cfg_axi_rresp), .rvalid(cfg_axi_rvalid), .rready(cfg_axi_rready),
    .req_valid(cfg_req_valid), .req_ready(cfg_req_ready), .req_write(cfg_req_write),
    .req_addr(cfg_req_addr), .req_wdata(cfg_req_wdata), .req_strb(cfg_req_strb),
    .cpl_valid(cfg_cpl_valid), .cpl_rdata(cfg_cpl_rdata)
  );
  lite_bridge #(.Width(32), .AddrWidth(17)) u_bar (
    .clk(core_clk), .rst(core_rst), .awaddr(bar_axi_awaddr), .awvalid(bar_axi_awvalid),
    .awready(bar_axi_awready), .wdata(bar_axi_wdata), .wstrb(bar_axi_wstrb),
    .wvalid(bar_axi_wvalid), .wready(bar_axi_wready), .bresp(bar_axi_bresp),
    .bvalid(bar_axi_bvalid), .bready(bar_axi_bready), .araddr(bar_axi_araddr),
    .arvalid(bar_axi_arvalid), .arready(bar_axi_arready), .rdata(bar_axi_rdata),
    .rresp(bar_axi_rresp), .rvalid(bar_axi_rvalid), .rready(bar_axi_rready),
    .req_valid(half_req_valid), .req_ready(half_req_ready), .req_write(half_req_write),
    .req_addr(half_req_addr), .req_wdata(half_req_wdata), .req_strb(half_req_strb),
    .cpl_valid(half_cpl_valid), .cpl_rdata(half_cpl_rdata)
  );

  // Half a word of the device's at a time.
  logic upper;
  assign bar_req_valid = half_req_valid;
  assign half_req_ready = bar_req_ready;
  assign bar_req_write = half_req_write;
  assign bar_req_addr = half_req_addr;
  assign bar_req_wdata = {2{half_req_wdata}};
  assign bar_req_strb = half_req_addr[2] ? {half_req_strb, 4'd0} : {4'd0, half_req_strb};
  assign half_cpl_valid = bar_cpl_valid;
  assign half_cpl_rdata = upper ? bar_cpl_rdata[63:32] : bar_cpl_rdata[31:0];
  always_ff @(posedge core_clk) if (bar_req_valid && bar_req_ready) upper <= half_req_addr[2];

  pci_seedling #(.Width(32), .IdWidth(1), .CommonOffset(CommonOffset)) u_core (
    .clk(core_clk), .rst(core_rst), .cfg_req_valid(cfg_req_valid), .cfg_req_ready(cfg_req_ready),
    .cfg_req_write(cfg_req_write), .cfg_req_addr(cfg_req_addr), .cfg_req_wdata(cfg_req_wdata),
    .cfg_req_strb(cfg_req_strb), .cfg_cpl_valid(cfg_cpl_valid), .cfg_cpl_rdata(cfg_cpl_rdata),
    .bar_req_valid(bar_req_valid), .bar_req_ready(bar_req_ready), .bar_req_write(bar_req_write),
    .bar_req_addr(bar_req_addr), .bar_req_wdata(bar_req_wdata), .bar_req_strb(bar_req_strb),
    .bar_cpl_valid(bar_cpl_valid), .bar_cpl_rdata(bar_cpl_rdata), .awid(), .awaddr(dma_awaddr),
    .awlen(dma_awlen), .awsize(dma_awsize), .awburst(dma_awburst), .awvalid(dma_awvalid),
    .awready(dma_awready), .wdata(dma_wdata), .wstrb(dma_wstrb), .wlast(dma_wlast),
    .wvalid(dma_wvalid), .wready(dma_wready), .bid(1'b0), .bresp(dma_bresp), .bvalid(dma_bvalid),
    .bready(dma_bready), .arid(), .araddr(dma_araddr), .arlen(dma_arlen), .arsize(dma_arsize),
    .arburst(dma_arburst), .arvalid(dma_arvalid), .arready(dma_arready), .rid(1'b0),
    .rdata(dma_rdata), .rresp(dma_rresp), .rlast(dma_rlast), .rvalid(dma_rvalid),
    .rready(dma_rready), .intx
  );
endmodule
