/// Seedling behind the PCIe block: configuration space and BARs as requests, DMA of any width.
module pci_seedling #(
  parameter int unsigned Width = 64,
  parameter int unsigned IdWidth = 1,
  parameter bit          Msix = 1'b1,
  parameter logic [31:0] CommonOffset = 32'h100
) (
  input  logic                clk,
  input  logic                rst,
  input  logic                cfg_req_valid,
  output logic                cfg_req_ready,
  input  logic                cfg_req_write,
  input  logic [11:0]         cfg_req_addr,
  input  logic [31:0]         cfg_req_wdata,
  input  logic [3:0]          cfg_req_strb,
  output logic                cfg_cpl_valid,
  output logic [31:0]         cfg_cpl_rdata,
  input  logic                bar_req_valid,
  output logic                bar_req_ready,
  input  logic                bar_req_write,
  input  logic [16:0]         bar_req_addr,
  input  logic [63:0]         bar_req_wdata,
  input  logic [7:0]          bar_req_strb,
  output logic                bar_cpl_valid,
  output logic [63:0]         bar_cpl_rdata,
  output logic [IdWidth-1:0]  awid,
  output logic [63:0]         awaddr,
  output logic [7:0]          awlen,
  output logic [2:0]          awsize,
  output logic [1:0]          awburst,
  output logic                awvalid,
  input  logic                awready,
  output logic [Width-1:0]    wdata,
  output logic [Width/8-1:0]  wstrb,
  output logic                wlast,
  output logic                wvalid,
  input  logic                wready,
  input  logic [IdWidth-1:0]  bid,
  input  logic [1:0]          bresp,
  input  logic                bvalid,
  output logic                bready,
  output logic [IdWidth-1:0]  arid,
  output logic [63:0]         araddr,
  output logic [7:0]          arlen,
  output logic [2:0]          arsize,
  output logic [1:0]          arburst,
  output logic                arvalid,
  input  logic                arready,
  input  logic [IdWidth-1:0]  rid,
  input  logic [Width-1:0]    rdata,
  input  logic [1:0]          rresp,
  input  logic                rlast,
  input  logic                rvalid,
  output logic                rready,
  output logic                intx
);
  logic        dev_req_valid, dev_req_ready, dev_req_write, dev_cpl_valid, dev_rst, hold, quiet,
               sending;
  logic [11:0] dev_req_addr;
  logic [63:0] dev_req_wdata, dev_cpl_rdata, msg_addr;
  logic [7:0]  dev_req_strb;
  logic        irq_pulse, irq_line, msg_valid, msg_ready;
  logic [15:0] irq_number;
  logic [31:0] msg_data;
  logic [63:0] s_awaddr, s_araddr, s_wdata, s_rdata;
  logic [7:0]  s_awlen, s_arlen, s_wstrb;
  logic [2:0]  s_awsize, s_arsize;
  logic [1:0]  s_awburst, s_arburst, s_bresp, s_rresp;
  logic        s_awvalid, s_awready, s_wlast, s_wvalid, s_wready, s_bvalid, s_bready;
  logic        s_arvalid, s_arready, s_rlast, s_rvalid, s_rready;

  pci_block #(.Msix(Msix), .CommonOffset(CommonOffset)) u_pci (.*);

  seedling_top u_seedling (
    .core_clk(clk), .core_rst(dev_rst), .bar_req_valid(dev_req_valid),
    .bar_req_ready(dev_req_ready), .bar_req_write(dev_req_write), .bar_req_addr(dev_req_addr),
    .bar_req_wdata(dev_req_wdata), .bar_req_strb(dev_req_strb), .bar_cpl_valid(dev_cpl_valid),
    .bar_cpl_rdata(dev_cpl_rdata), .irq_pulse, .irq_number, .irq_line,
    .dma_awaddr(s_awaddr), .dma_awlen(s_awlen), .dma_awsize(s_awsize), .dma_awburst(s_awburst),
    .dma_awvalid(s_awvalid), .dma_awready(s_awready), .dma_wdata(s_wdata), .dma_wstrb(s_wstrb),
    .dma_wlast(s_wlast), .dma_wvalid(s_wvalid), .dma_wready(s_wready), .dma_bresp(s_bresp),
    .dma_bvalid(s_bvalid), .dma_bready(s_bready), .dma_araddr(s_araddr), .dma_arlen(s_arlen),
    .dma_arsize(s_arsize), .dma_arburst(s_arburst), .dma_arvalid(s_arvalid),
    .dma_arready(s_arready), .dma_rdata(s_rdata), .dma_rresp(s_rresp), .dma_rlast(s_rlast),
    .dma_rvalid(s_rvalid), .dma_rready(s_rready)
  );

  dma_adapter #(.Width(Width), .IdWidth(IdWidth)) u_dma (.*);

  wire unused = &{1'b0, s_awlen, s_awburst, s_arburst, s_wlast};
endmodule
