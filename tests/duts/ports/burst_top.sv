/// Seedling for a PCIe block in a clock domain of its own: BAR 4 as AXI4 of 64 bits there, DMA of
/// 128 bits with ids and interrupts as acknowledged requests in the core's.
module burst_top (
  input  logic                host_clk,
  input  logic                host_rst_n,
  input  logic                core_clk,
  input  logic                core_rst,
  input  logic [1:0]          bar_axi_awid,
  input  logic [11:0]         bar_axi_awaddr,
  input  logic [7:0]          bar_axi_awlen,
  input  logic [2:0]          bar_axi_awsize,
  input  logic [1:0]          bar_axi_awburst,
  input  logic                bar_axi_awvalid,
  output logic                bar_axi_awready,
  input  logic [63:0]         bar_axi_wdata,
  input  logic [7:0]          bar_axi_wstrb,
  input  logic                bar_axi_wlast,
  input  logic                bar_axi_wvalid,
  output logic                bar_axi_wready,
  output logic [1:0]          bar_axi_bid,
  output logic [1:0]          bar_axi_bresp,
  output logic                bar_axi_bvalid,
  input  logic                bar_axi_bready,
  input  logic [1:0]          bar_axi_arid,
  input  logic [11:0]         bar_axi_araddr,
  input  logic [7:0]          bar_axi_arlen,
  input  logic [2:0]          bar_axi_arsize,
  input  logic [1:0]          bar_axi_arburst,
  input  logic                bar_axi_arvalid,
  output logic                bar_axi_arready,
  output logic [1:0]          bar_axi_rid,
  output logic [63:0]         bar_axi_rdata,
  output logic [1:0]          bar_axi_rresp,
  output logic                bar_axi_rlast,
  output logic                bar_axi_rvalid,
  input  logic                bar_axi_rready,
  output logic [5:0]          dma_awid,
  output logic [63:0]         dma_awaddr,
  output logic [7:0]          dma_awlen,
  output logic [2:0]          dma_awsize,
  output logic [1:0]          dma_awburst,
  output logic                dma_awvalid,
  input  logic                dma_awready,
  output logic [127:0]        dma_wdata,
  output logic [15:0]         dma_wstrb,
  output logic                dma_wlast,
  output logic                dma_wvalid,
  input  logic                dma_wready,
  input  logic [5:0]          dma_bid,
  input  logic [1:0]          dma_bresp,
  input  logic                dma_bvalid,
  output logic                dma_bready,
  output logic [5:0]          dma_arid,
  output logic [63:0]         dma_araddr,
  output logic [7:0]          dma_arlen,
  output logic [2:0]          dma_arsize,
  output logic [1:0]          dma_arburst,
  output logic                dma_arvalid,
  input  logic                dma_arready,
  input  logic [5:0]          dma_rid,
  input  logic [127:0]        dma_rdata,
  input  logic [1:0]          dma_rresp,
  input  logic                dma_rlast,
  input  logic                dma_rvalid,
  output logic                dma_rready,
  output logic                irq_request,
  output logic [15:0]         irq_number,
  input  logic                irq_acknowledge,
  output logic                irq_line
);
  logic        host_req_valid, host_req_ready, host_req_write, host_cpl_valid;
  logic [11:0] host_req_addr;
  logic [63:0] host_req_wdata, host_cpl_rdata;
  logic [7:0] host_req_strb;
  logic        bar_req_valid, bar_req_ready, bar_req_write, bar_cpl_valid;
  logic [11:0] bar_req_addr;
  logic [63:0] bar_req_wdata, bar_cpl_rdata;
  logic [7:0] bar_req_strb;
  logic [63:0] s_awaddr, s_araddr, s_wdata, s_rdata;
  logic [7:0]  s_awlen, s_arlen, s_wstrb;
  logic [2:0]  s_awsize, s_arsize;
  logic [1:0]  s_awburst, s_arburst, s_bresp, s_rresp;
  logic        s_awvalid, s_awready, s_wlast, s_wvalid, s_wready, s_bvalid, s_bready;
  logic        s_arvalid, s_arready, s_rlast, s_rvalid, s_rready;
  logic        pulse, quiet, sending, message;
  logic [15:0] number;

  // One access at a time, so that an answer's id is the last one asked with.
  logic [1:0] read_id, write_id;
  assign bar_axi_rid = read_id;
  assign bar_axi_bid = write_id;
  assign bar_axi_rlast = 1'b1;
  always_ff @(posedge host_clk) begin
    if (bar_axi_arvalid && bar_axi_arready) read_id <= bar_axi_arid;
    if (bar_axi_awvalid && bar_axi_awready) write_id <= bar_axi_awid;
  end

  lite_bridge #(.Width(64), .AddrWidth(12)) u_bar (
    .clk(host_clk), .rst(!host_rst_n), .awaddr(bar_axi_awaddr), .awvalid(bar_axi_awvalid),
    .awready(bar_axi_awready), .wdata(bar_axi_wdata), .wstrb(bar_axi_wstrb),
    .wvalid(bar_axi_wvalid), .wready(bar_axi_wready), .bresp(bar_axi_bresp),
    .bvalid(bar_axi_bvalid), .bready(bar_axi_bready), .araddr(bar_axi_araddr),
    .arvalid(bar_axi_arvalid), .arready(bar_axi_arready), .rdata(bar_axi_rdata),
    .rresp(bar_axi_rresp), .rvalid(bar_axi_rvalid), .rready(bar_axi_rready),
    .req_valid(host_req_valid), .req_ready(host_req_ready), .req_write(host_req_write),
    .req_addr(host_req_addr), .req_wdata(host_req_wdata), .req_strb(host_req_strb),
    .cpl_valid(host_cpl_valid), .cpl_rdata(host_cpl_rdata)
  );

  request_crossing #(.AddrWidth(12)) u_crossing (
    .host_clk, .host_rst(!host_rst_n), .core_clk, .core_rst,
    .host_req_valid, .host_req_ready, .host_req_write, .host_req_addr, .host_req_wdata,
    .host_req_strb, .host_cpl_valid, .host_cpl_rdata, .core_req_valid(bar_req_valid),
    .core_req_ready(bar_req_ready), .core_req_write(bar_req_write), .core_req_addr(bar_req_addr),
    .core_req_wdata(bar_req_wdata), .core_req_strb(bar_req_strb), .core_cpl_valid(bar_cpl_valid),
    .core_cpl_rdata(bar_cpl_rdata)
  );

  seedling_top u_seedling (
    .core_clk, .core_rst, .bar_req_valid, .bar_req_ready, .bar_req_write, .bar_req_addr,
    .bar_req_wdata, .bar_req_strb, .bar_cpl_valid, .bar_cpl_rdata, .irq_pulse(pulse),
    .irq_number(number), .irq_line,
    .dma_awaddr(s_awaddr), .dma_awlen(s_awlen), .dma_awsize(s_awsize), .dma_awburst(s_awburst),
    .dma_awvalid(s_awvalid), .dma_awready(s_awready), .dma_wdata(s_wdata), .dma_wstrb(s_wstrb),
    .dma_wlast(s_wlast), .dma_wvalid(s_wvalid), .dma_wready(s_wready), .dma_bresp(s_bresp),
    .dma_bvalid(s_bvalid), .dma_bready(s_bready), .dma_araddr(s_araddr), .dma_arlen(s_arlen),
    .dma_arsize(s_arsize), .dma_arburst(s_arburst), .dma_arvalid(s_arvalid),
    .dma_arready(s_arready), .dma_rdata(s_rdata), .dma_rresp(s_rresp), .dma_rlast(s_rlast),
    .dma_rvalid(s_rvalid), .dma_rready(s_rready)
  );

  dma_adapter #(.Width(128), .IdWidth(6)) u_dma (
    .clk(core_clk), .rst(core_rst), .hold(1'b0), .quiet, .sending, .msg_valid(1'b0),
    .msg_ready(message), .msg_addr('0), .msg_data('0),
    .s_awaddr, .s_awsize, .s_awvalid, .s_awready, .s_wdata, .s_wstrb, .s_wvalid, .s_wready,
    .s_bresp, .s_bvalid, .s_bready, .s_araddr, .s_arlen, .s_arsize, .s_arvalid, .s_arready,
    .s_rdata, .s_rresp, .s_rlast, .s_rvalid, .s_rready,
    .awid(dma_awid), .awaddr(dma_awaddr), .awlen(dma_awlen), .awsize(dma_awsize),
    .awburst(dma_awburst), .awvalid(dma_awvalid), .awready(dma_awready), .wdata(dma_wdata),
    .wstrb(dma_wstrb), .wlast(dma_wlast), .wvalid(dma_wvalid), .wready(dma_wready), .bid(dma_bid),
    .bresp(dma_bresp), .bvalid(dma_bvalid), .bready(dma_bready), .arid(dma_arid),
    .araddr(dma_araddr), .arlen(dma_arlen), .arsize(dma_arsize), .arburst(dma_arburst),
    .arvalid(dma_arvalid), .arready(dma_arready), .rid(dma_rid), .rdata(dma_rdata),
    .rresp(dma_rresp), .rlast(dma_rlast), .rvalid(dma_rvalid), .rready(dma_rready)
  );

  acknowledged u_irq (
    .clk(core_clk), .rst(core_rst), .pulse, .number, .request(irq_request), .vector(irq_number),
    .acknowledge(irq_acknowledge)
  );

  wire unused = &{1'b0, bar_axi_awlen, bar_axi_awsize, bar_axi_awburst, bar_axi_wlast,
                  bar_axi_arlen, bar_axi_arsize, bar_axi_arburst, s_awlen, s_awburst, s_arburst,
                  s_wlast, quiet, sending, message};
endmodule
