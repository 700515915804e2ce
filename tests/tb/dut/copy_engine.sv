/// A device under test for the bench's own tests: copies one burst of guest memory, then raises INTx.
///
/// BAR words: 0, 1 source; 2, 3 destination; 4 beats, whose write starts the copy; 5 copies done, whose
/// read lowers INTx; 6 the last write response; 7 says how to misbehave: bit 0 lowers awvalid before
/// awready, bit 1 raises wlast a beat early, bit 2 ends the simulation, bit 3 never answers a BAR read.
module copy_engine #(
  parameter DataWidth = 64
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [11:0] s_cfg_axil_awaddr,
  input  logic s_cfg_axil_awvalid,
  output logic s_cfg_axil_awready,
  input  logic [31:0] s_cfg_axil_wdata,
  input  logic [3:0] s_cfg_axil_wstrb,
  input  logic s_cfg_axil_wvalid,
  output logic s_cfg_axil_wready,
  output logic [1:0] s_cfg_axil_bresp,
  output logic s_cfg_axil_bvalid,
  input  logic s_cfg_axil_bready,
  input  logic [11:0] s_cfg_axil_araddr,
  input  logic s_cfg_axil_arvalid,
  output logic s_cfg_axil_arready,
  output logic [31:0] s_cfg_axil_rdata,
  output logic [1:0] s_cfg_axil_rresp,
  output logic s_cfg_axil_rvalid,
  input  logic s_cfg_axil_rready,

  input  logic [11:0] s_bar_axil_awaddr,
  input  logic s_bar_axil_awvalid,
  output logic s_bar_axil_awready,
  input  logic [31:0] s_bar_axil_wdata,
  input  logic [3:0] s_bar_axil_wstrb,
  input  logic s_bar_axil_wvalid,
  output logic s_bar_axil_wready,
  output logic [1:0] s_bar_axil_bresp,
  output logic s_bar_axil_bvalid,
  input  logic s_bar_axil_bready,
  input  logic [11:0] s_bar_axil_araddr,
  input  logic s_bar_axil_arvalid,
  output logic s_bar_axil_arready,
  output logic [31:0] s_bar_axil_rdata,
  output logic [1:0] s_bar_axil_rresp,
  output logic s_bar_axil_rvalid,
  input  logic s_bar_axil_rready,

  output logic [3:0] m_dma_axi_arid,
  output logic [63:0] m_dma_axi_araddr,
  output logic [7:0] m_dma_axi_arlen,
  output logic [2:0] m_dma_axi_arsize,
  output logic [1:0] m_dma_axi_arburst,
  output logic m_dma_axi_arvalid,
  input  logic m_dma_axi_arready,
  input  logic [3:0] m_dma_axi_rid,
  input  logic [DataWidth-1:0] m_dma_axi_rdata,
  input  logic [1:0] m_dma_axi_rresp,
  input  logic m_dma_axi_rlast,
  input  logic m_dma_axi_rvalid,
  output logic m_dma_axi_rready,
  output logic [3:0] m_dma_axi_awid,
  output logic [63:0] m_dma_axi_awaddr,
  output logic [7:0] m_dma_axi_awlen,
  output logic [2:0] m_dma_axi_awsize,
  output logic [1:0] m_dma_axi_awburst,
  output logic m_dma_axi_awvalid,
  input  logic m_dma_axi_awready,
  output logic [DataWidth-1:0] m_dma_axi_wdata,
  output logic [DataWidth/8-1:0] m_dma_axi_wstrb,
  output logic m_dma_axi_wlast,
  output logic m_dma_axi_wvalid,
  input  logic m_dma_axi_wready,
  input  logic [3:0] m_dma_axi_bid,
  input  logic [1:0] m_dma_axi_bresp,
  input  logic m_dma_axi_bvalid,
  output logic m_dma_axi_bready,

  output logic intx_o
);
  typedef enum logic [2:0] {Idle, Ask, Receive, Announce, Send, Confirm} state_e;

  logic [511:0] bar;
  logic [15:0] bar_read, bar_written;
  logic done, answered;
  logic [1:0] answer;

  registers #(.Reset(32'h1042_1af4)) u_config (
    .clk_i, .rst_ni,
    .mute_i (1'b0),
    .done_i (1'b0), .answered_i (1'b0), .answer_i (2'b0),
    .words_o (), .read_o (), .written_o (),
    .awaddr (s_cfg_axil_awaddr),
    .awvalid (s_cfg_axil_awvalid),
    .awready (s_cfg_axil_awready),
    .wdata (s_cfg_axil_wdata),
    .wstrb (s_cfg_axil_wstrb),
    .wvalid (s_cfg_axil_wvalid),
    .wready (s_cfg_axil_wready),
    .bresp (s_cfg_axil_bresp),
    .bvalid (s_cfg_axil_bvalid),
    .bready (s_cfg_axil_bready),
    .araddr (s_cfg_axil_araddr),
    .arvalid (s_cfg_axil_arvalid),
    .arready (s_cfg_axil_arready),
    .rdata (s_cfg_axil_rdata),
    .rresp (s_cfg_axil_rresp),
    .rvalid (s_cfg_axil_rvalid),
    .rready (s_cfg_axil_rready)
  );

  registers #(.Reset(32'h0)) u_bar (
    .clk_i, .rst_ni,
    .mute_i (bar[32*7+3]),
    .done_i (done), .answered_i (answered), .answer_i (answer),
    .words_o (bar), .read_o (bar_read), .written_o (bar_written),
    .awaddr (s_bar_axil_awaddr),
    .awvalid (s_bar_axil_awvalid),
    .awready (s_bar_axil_awready),
    .wdata (s_bar_axil_wdata),
    .wstrb (s_bar_axil_wstrb),
    .wvalid (s_bar_axil_wvalid),
    .wready (s_bar_axil_wready),
    .bresp (s_bar_axil_bresp),
    .bvalid (s_bar_axil_bvalid),
    .bready (s_bar_axil_bready),
    .araddr (s_bar_axil_araddr),
    .arvalid (s_bar_axil_arvalid),
    .arready (s_bar_axil_arready),
    .rdata (s_bar_axil_rdata),
    .rresp (s_bar_axil_rresp),
    .rvalid (s_bar_axil_rvalid),
    .rready (s_bar_axil_rready)
  );

  state_e state;
  logic [DataWidth-1:0] data [16];
  logic [3:0] beat, last;
  logic hesitate;

  assign last = bar[32*4 +: 4] - 4'd1;
  assign m_dma_axi_arid = 4'd2;
  assign m_dma_axi_araddr = {bar[32*1 +: 32], bar[32*0 +: 32]};
  assign m_dma_axi_arlen = {4'd0, last};
  assign m_dma_axi_arsize = 3'($clog2(DataWidth / 8));
  assign m_dma_axi_arburst = 2'b01;
  assign m_dma_axi_arvalid = state == Ask;
  assign m_dma_axi_rready = state == Receive;
  assign m_dma_axi_awid = 4'd1;
  assign m_dma_axi_awaddr = {bar[32*3 +: 32], bar[32*2 +: 32]};
  assign m_dma_axi_awlen = {4'd0, last};
  assign m_dma_axi_awsize = 3'($clog2(DataWidth / 8));
  assign m_dma_axi_awburst = 2'b01;
  assign m_dma_axi_awvalid = state == Announce && !hesitate;
  assign m_dma_axi_wdata = data[beat];
  assign m_dma_axi_wstrb = '1;
  assign m_dma_axi_wlast = beat == last - 4'(bar[32*7+1]);
  assign m_dma_axi_wvalid = state == Send;
  assign m_dma_axi_bready = state == Confirm;
  assign done = state == Confirm && m_dma_axi_bvalid;
  assign answered = done;
  assign answer = m_dma_axi_bresp;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state <= Idle;
      beat <= '0;
      hesitate <= 1'b0;
      intx_o <= 1'b0;
    end else begin
      hesitate <= bar[32*7+0] && m_dma_axi_awvalid && !m_dma_axi_awready;
      if (bar_read[5]) intx_o <= 1'b0;
      if (bar[32*7+2]) $finish;
      unique case (state)
        Idle: if (bar_written[4]) begin
          state <= Ask;
          beat <= '0;
        end
        Ask: if (m_dma_axi_arready) state <= Receive;
        Receive: if (m_dma_axi_rvalid) begin
          data[beat] <= m_dma_axi_rdata;
          beat <= m_dma_axi_rlast ? '0 : beat + 4'd1;
          if (m_dma_axi_rlast) state <= Announce;
        end
        Announce: if (m_dma_axi_awvalid && m_dma_axi_awready) state <= Send;
        Send: if (m_dma_axi_wready) begin
          beat <= beat + 4'd1;
          if (beat == last) state <= Confirm;
        end
        default: if (m_dma_axi_bvalid) begin
          state <= Idle;
          intx_o <= 1'b1;
        end
      endcase
    end
  end
endmodule

/// Sixteen 32-bit words behind AXI4-Lite.
module registers #(
  parameter logic [31:0] Reset = '0
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic mute_i,
  input  logic done_i,
  input  logic answered_i,
  input  logic [1:0] answer_i,
  output logic [511:0] words_o,
  output logic [15:0] read_o,
  output logic [15:0] written_o,
input  logic [11:0] awaddr,
  input  logic awvalid,
  output logic awready,
  input  logic [31:0] wdata,
  input  logic [3:0] wstrb,
  input  logic wvalid,
  output logic wready,
  output logic [1:0] bresp,
  output logic bvalid,
  input  logic bready,
  input  logic [11:0] araddr,
  input  logic arvalid,
  output logic arready,
  output logic [31:0] rdata,
  output logic [1:0] rresp,
  output logic rvalid,
  input  logic rready
);
  logic write, read;

  assign write = awvalid && wvalid && !bvalid;
  assign awready = write;
  assign wready = write;
  assign bresp = 2'b00;
  assign read = arvalid && !rvalid && !mute_i;
  assign arready = read;
  assign rresp = 2'b00;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      words_o <= {16{Reset}};
      {bvalid, rvalid, read_o, written_o, rdata} <= '0;
    end else begin
      bvalid <= write || (bvalid && !bready);
      rvalid <= read || (rvalid && !rready);
      read_o <= 16'(read) << araddr[5:2];
      written_o <= 16'(write) << awaddr[5:2];
      if (read) rdata <= words_o[32*araddr[5:2] +: 32];
      if (done_i) words_o[32*5 +: 32] <= words_o[32*5 +: 32] + 32'd1;
      if (answered_i) words_o[32*6 +: 32] <= {30'd0, answer_i};
      for (int b = 0; b < 4; b++) begin
        if (write && wstrb[b]) words_o[32*awaddr[5:2] + 8*b +: 8] <= wdata[8*b +: 8];
      end
    end
  end
endmodule
