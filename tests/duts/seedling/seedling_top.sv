/// Seedling: a virtio entropy device for a vendor's PCIe block, one queue of 8.
module seedling_top (
  input  logic        core_clk,
  input  logic        core_rst,
  input  logic        bar_req_valid,
  output logic        bar_req_ready,
  input  logic        bar_req_write,
  input  logic [11:0] bar_req_addr,
  input  logic [63:0] bar_req_wdata,
  input  logic [7:0]  bar_req_strb,
  output logic        bar_cpl_valid,
  output logic [63:0] bar_cpl_rdata,

  output logic [63:0] dma_awaddr,
  output logic [7:0]  dma_awlen,
  output logic [2:0]  dma_awsize,
  output logic [1:0]  dma_awburst,
  output logic        dma_awvalid,
  input  logic        dma_awready,
  output logic [63:0] dma_wdata,
  output logic [7:0]  dma_wstrb,
  output logic        dma_wlast,
  output logic        dma_wvalid,
  input  logic        dma_wready,
  input  logic [1:0]  dma_bresp,
  input  logic        dma_bvalid,
  output logic        dma_bready,
  output logic [63:0] dma_araddr,
  output logic [7:0]  dma_arlen,
  output logic [2:0]  dma_arsize,
  output logic [1:0]  dma_arburst,
  output logic        dma_arvalid,
  input  logic        dma_arready,
  input  logic [63:0] dma_rdata,
  input  logic [1:0]  dma_rresp,
  input  logic        dma_rlast,
  input  logic        dma_rvalid,
  output logic        dma_rready,

  output logic        irq_pulse,
  output logic [15:0] irq_number,
  output logic        irq_line
);
  logic [63:0] ring_desc, ring_driver, ring_device;
  logic [15:0] ring_size, queue_vector, config_vector;
  logic run, kick, halt, halted, broken, used_something, config_changed;

  seedling_regs u_regs (
    .clk(core_clk), .rst(core_rst),
    .req_valid(bar_req_valid), .req_ready(bar_req_ready), .req_write(bar_req_write),
    .req_addr(bar_req_addr), .req_wdata(bar_req_wdata), .req_strb(bar_req_strb),
    .cpl_valid(bar_cpl_valid), .cpl_rdata(bar_cpl_rdata),
    .line(irq_line), .*
  );

  seedling_dma u_dma (
    .clk(core_clk), .rst(core_rst), .irq_valid(irq_pulse), .irq_vector(irq_number),
    .awaddr(dma_awaddr), .awlen(dma_awlen), .awsize(dma_awsize), .awburst(dma_awburst),
    .awvalid(dma_awvalid), .awready(dma_awready), .wdata(dma_wdata), .wstrb(dma_wstrb),
    .wlast(dma_wlast), .wvalid(dma_wvalid), .wready(dma_wready), .bresp(dma_bresp),
    .bvalid(dma_bvalid), .bready(dma_bready), .araddr(dma_araddr), .arlen(dma_arlen),
    .arsize(dma_arsize), .arburst(dma_arburst), .arvalid(dma_arvalid), .arready(dma_arready),
    .rdata(dma_rdata), .rresp(dma_rresp), .rlast(dma_rlast), .rvalid(dma_rvalid),
    .rready(dma_rready), .*
  );
endmodule
