/// Seedling behind the user side of an UltraScale+ PCIe block (CQ, CC, RQ, RC of 64 bits): configuration
/// space and the MSI-X table are the block's.
module ultra_top (
  input  logic        user_clk,
  input  logic        user_reset,

  input  logic [63:0] s_axis_cq_tdata,
  input  logic [1:0]  s_axis_cq_tkeep,
  input  logic        s_axis_cq_tlast,
  input  logic [87:0] s_axis_cq_tuser,
  input  logic        s_axis_cq_tvalid,
  output logic        s_axis_cq_tready,
  output logic [63:0] m_axis_cc_tdata,
  output logic [1:0]  m_axis_cc_tkeep,
  output logic        m_axis_cc_tlast,
  output logic [32:0] m_axis_cc_tuser,
  output logic        m_axis_cc_tvalid,
  input  logic        m_axis_cc_tready,
  output logic [63:0] m_axis_rq_tdata,
  output logic [1:0]  m_axis_rq_tkeep,
  output logic        m_axis_rq_tlast,
  output logic [61:0] m_axis_rq_tuser,
  output logic        m_axis_rq_tvalid,
  input  logic        m_axis_rq_tready,
  input  logic [63:0] s_axis_rc_tdata,
  input  logic [1:0]  s_axis_rc_tkeep,
  input  logic        s_axis_rc_tlast,
  input  logic [74:0] s_axis_rc_tuser,
  input  logic        s_axis_rc_tvalid,
  output logic        s_axis_rc_tready,

  output logic        irq_pulse,
  output logic [15:0] irq_number,
  output logic        irq_line
);
  logic bar_req_valid, bar_req_ready, bar_req_write, bar_cpl_valid;
  logic [11:0] bar_req_addr;
  logic [63:0] bar_req_wdata, bar_cpl_rdata;
  logic [7:0] bar_req_strb;
  logic [63:0] dma_awaddr, dma_wdata, dma_araddr, dma_rdata;
  logic [7:0] dma_awlen, dma_wstrb, dma_arlen;
  logic [2:0] dma_awsize, dma_arsize;
  logic [1:0] dma_awburst, dma_bresp, dma_arburst, dma_rresp;
  logic dma_awvalid, dma_awready, dma_wlast, dma_wvalid, dma_wready, dma_bvalid, dma_bready;
  logic dma_arvalid, dma_arready, dma_rlast, dma_rvalid, dma_rready;

  assign m_axis_cc_tuser = '0;
  assign dma_bresp = 2'b00;

  seedling_top u_device (.core_clk(user_clk), .core_rst(user_reset), .*);

  ultra_completer u_completer (
    .clk(user_clk), .rst(user_reset),
    .cq_tdata(s_axis_cq_tdata), .cq_tlast(s_axis_cq_tlast), .cq_tuser(s_axis_cq_tuser),
    .cq_tvalid(s_axis_cq_tvalid), .cq_tready(s_axis_cq_tready),
    .cc_tdata(m_axis_cc_tdata), .cc_tkeep(m_axis_cc_tkeep), .cc_tlast(m_axis_cc_tlast),
    .cc_tvalid(m_axis_cc_tvalid), .cc_tready(m_axis_cc_tready),
    .req_valid(bar_req_valid), .req_ready(bar_req_ready), .req_write(bar_req_write),
    .req_addr(bar_req_addr), .req_wdata(bar_req_wdata), .req_strb(bar_req_strb),
    .cpl_valid(bar_cpl_valid), .cpl_rdata(bar_cpl_rdata)
  );

  ultra_requester u_requester (
    .clk(user_clk), .rst(user_reset),
    .awaddr(dma_awaddr), .awvalid(dma_awvalid), .awready(dma_awready), .wdata(dma_wdata),
    .wstrb(dma_wstrb), .wvalid(dma_wvalid), .wready(dma_wready), .bvalid(dma_bvalid),
    .bready(dma_bready), .araddr(dma_araddr), .arlen(dma_arlen), .arsize(dma_arsize),
    .arvalid(dma_arvalid), .arready(dma_arready), .rdata(dma_rdata), .rresp(dma_rresp),
    .rlast(dma_rlast), .rvalid(dma_rvalid), .rready(dma_rready),
    .rq_tdata(m_axis_rq_tdata), .rq_tkeep(m_axis_rq_tkeep), .rq_tlast(m_axis_rq_tlast),
    .rq_tuser(m_axis_rq_tuser), .rq_tvalid(m_axis_rq_tvalid), .rq_tready(m_axis_rq_tready),
    .rc_tdata(s_axis_rc_tdata), .rc_tkeep(s_axis_rc_tkeep), .rc_tlast(s_axis_rc_tlast),
    .rc_tvalid(s_axis_rc_tvalid), .rc_tready(s_axis_rc_tready)
  );
endmodule
