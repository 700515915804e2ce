/// PCI Express packets on one side, a device's AXI ports on the other.
///
/// The receive stream carries the host's requests and the completions of the device's own; the
/// transmit stream carries the device's completions, its requests and INTx messages, in one order:
/// what the device's AXI side regards as done is in front of what comes later. So a completion
/// never passes a write, and an interrupt message is behind the writes that it announces.
module vio_tlp_shim
  import vio_tlp_pkg::*;
#(
  /// Bits of a beat of both streams and of the DMA port, a power of two from 128 on.
  parameter int unsigned DataWidth     = 256,
  parameter int unsigned IdWidth       = 4,
  /// The memory BAR (of 64 bits) and its size in bytes, a power of two.
  parameter int unsigned Bar           = 0,
  parameter logic [63:0] BarBytes      = 64'h1_0000,
  /// The device's longest bursts in bytes, powers of two.
  parameter int unsigned MaxReadBytes  = 512,
  parameter int unsigned MaxWriteBytes = 256,
  /// Clock cycles until a read without an answer ends in an error.
  parameter int unsigned TimeoutCycles = 12_500_000,
  localparam int unsigned Lanes        = DataWidth / 32
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  // Packets to the device: first byte in bits [7:0], every packet begins with a beat.
  input  logic [DataWidth-1:0]   tlp_rx_tdata,
  input  logic                   tlp_rx_tlast,
  input  logic                   tlp_rx_tvalid,
  output logic                   tlp_rx_tready,
  // Packets from the device; a bit of tkeep for each dword.
  output logic [DataWidth-1:0]   tlp_tx_tdata,
  output logic [Lanes-1:0]       tlp_tx_tkeep,
  output logic                   tlp_tx_tlast,
  output logic                   tlp_tx_tvalid,
  input  logic                   tlp_tx_tready,

  // Configuration space: byte address = offset.
  output logic [11:0]            m_cfg_axil_awaddr,
  output logic                   m_cfg_axil_awvalid,
  input  logic                   m_cfg_axil_awready,
  output logic [31:0]            m_cfg_axil_wdata,
  output logic [3:0]             m_cfg_axil_wstrb,
  output logic                   m_cfg_axil_wvalid,
  input  logic                   m_cfg_axil_wready,
  input  logic                   m_cfg_axil_bvalid,
  output logic                   m_cfg_axil_bready,
  output logic [11:0]            m_cfg_axil_araddr,
  output logic                   m_cfg_axil_arvalid,
  input  logic                   m_cfg_axil_arready,
  input  logic [31:0]            m_cfg_axil_rdata,
  input  logic                   m_cfg_axil_rvalid,
  output logic                   m_cfg_axil_rready,

  // The memory BAR: byte address = offset.
  output logic [31:0]            m_bar_axil_awaddr,
  output logic                   m_bar_axil_awvalid,
  input  logic                   m_bar_axil_awready,
  output logic [31:0]            m_bar_axil_wdata,
  output logic [3:0]             m_bar_axil_wstrb,
  output logic                   m_bar_axil_wvalid,
  input  logic                   m_bar_axil_wready,
  input  logic                   m_bar_axil_bvalid,
  output logic                   m_bar_axil_bready,
  output logic [31:0]            m_bar_axil_araddr,
  output logic                   m_bar_axil_arvalid,
  input  logic                   m_bar_axil_arready,
  input  logic [31:0]            m_bar_axil_rdata,
  input  logic [1:0]             m_bar_axil_rresp,
  input  logic                   m_bar_axil_rvalid,
  output logic                   m_bar_axil_rready,

  // Guest memory and interrupt messages.
  input  logic [IdWidth-1:0]     s_dma_axi_arid,
  input  logic [63:0]            s_dma_axi_araddr,
  input  logic [7:0]             s_dma_axi_arlen,
  input  logic [2:0]             s_dma_axi_arsize,
  input  logic                   s_dma_axi_arvalid,
  output logic                   s_dma_axi_arready,
  output logic [IdWidth-1:0]     s_dma_axi_rid,
  output logic [DataWidth-1:0]   s_dma_axi_rdata,
  output logic [1:0]             s_dma_axi_rresp,
  output logic                   s_dma_axi_rlast,
  output logic                   s_dma_axi_rvalid,
  input  logic                   s_dma_axi_rready,
  input  logic [IdWidth-1:0]     s_dma_axi_awid,
  input  logic [63:0]            s_dma_axi_awaddr,
  input  logic                   s_dma_axi_awvalid,
  output logic                   s_dma_axi_awready,
  input  logic [DataWidth-1:0]   s_dma_axi_wdata,
  input  logic [DataWidth/8-1:0] s_dma_axi_wstrb,
  input  logic                   s_dma_axi_wlast,
  input  logic                   s_dma_axi_wvalid,
  output logic                   s_dma_axi_wready,
  output logic [IdWidth-1:0]     s_dma_axi_bid,
  output logic [1:0]             s_dma_axi_bresp,
  output logic                   s_dma_axi_bvalid,
  input  logic                   s_dma_axi_bready,

  /// INTx, active high.
  input  logic                   intx_i
);

  localparam int unsigned LaneBits   = $clog2(Lanes);
  localparam int unsigned MaxPayload = (MaxWriteBytes > 128) ? MaxWriteBytes : 128;
  localparam int unsigned Requests   = 8;

  logic [15:0] requester;
  logic [63:0] bar;
  logic        memory;

  logic [Sources-1:0]                  want, grant, piece_valid, commit;
  logic [Sources-1:0][Lanes-1:0][31:0] piece_data;
  logic [Sources-1:0][LaneBits-1:0]    piece_first;
  logic [Sources-1:0][LaneBits:0]      piece_count;
  logic [Sources-1:0][10:0]            piece_pos, length;

  logic                   arrived_valid, arrived_ready, request_valid, request_ready;
  request_t               arrived, request;
  logic [31:0]            arrived_data, request_data;
  logic                   cpl_valid, cpl_last;
  completion_t            cpl;
  logic [Lanes-1:0][31:0] cpl_data;
  logic [LaneBits-1:0]    cpl_first;
  logic [LaneBits:0]      cpl_count;

  vio_tlp_rx #(.DataWidth(DataWidth), .BarBytes(BarBytes)) u_rx (
    .clk_i, .rst_ni, .tlp_rx_tdata, .tlp_rx_tlast, .tlp_rx_tvalid, .tlp_rx_tready,
    .bar_i           (bar),
    .memory_i        (memory),
    .request_valid_o (arrived_valid),
    .request_ready_i (arrived_ready),
    .request_o       (arrived),
    .request_data_o  (arrived_data),
    .cpl_valid_o     (cpl_valid),
    .cpl_last_o      (cpl_last),
    .cpl_o           (cpl),
    .cpl_data_o      (cpl_data),
    .cpl_first_o     (cpl_first),
    .cpl_count_o     (cpl_count),
    .m_axil_awaddr   (m_bar_axil_awaddr),
    .m_axil_awvalid  (m_bar_axil_awvalid),
    .m_axil_awready  (m_bar_axil_awready),
    .m_axil_wdata    (m_bar_axil_wdata),
    .m_axil_wstrb    (m_bar_axil_wstrb),
    .m_axil_wvalid   (m_bar_axil_wvalid),
    .m_axil_wready   (m_bar_axil_wready),
    .m_axil_bvalid   (m_bar_axil_bvalid),
    .m_axil_bready   (m_bar_axil_bready)
  );

  vio_dma_fifo #(.Width(32 + $bits(request_t)), .Depth(Requests)) u_requests (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (arrived_valid),
    .wr_ready_o (arrived_ready),
    .wr_data_i  ({arrived_data, arrived}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (request_valid),
    .rd_ready_i (request_ready),
    .rd_data_o  ({request_data, request})
  );

  logic complete_want, writing;
  vio_tlp_complete #(.DataWidth(DataWidth), .Bar(Bar), .BarBytes(BarBytes)) u_complete (
    .clk_i, .rst_ni, .m_cfg_axil_awaddr, .m_cfg_axil_awvalid, .m_cfg_axil_awready,
    .m_cfg_axil_wdata, .m_cfg_axil_wstrb, .m_cfg_axil_wvalid, .m_cfg_axil_wready,
    .m_cfg_axil_bvalid, .m_cfg_axil_bready, .m_cfg_axil_araddr, .m_cfg_axil_arvalid,
    .m_cfg_axil_arready, .m_cfg_axil_rdata, .m_cfg_axil_rvalid, .m_cfg_axil_rready,
    .m_bar_axil_araddr, .m_bar_axil_arvalid, .m_bar_axil_arready, .m_bar_axil_rdata,
    .m_bar_axil_rresp, .m_bar_axil_rvalid, .m_bar_axil_rready,
    .request_valid_i (request_valid),
    .request_ready_o (request_ready),
    .request_i       (request),
    .request_data_i  (request_data),
    .function_o      (requester),
    .bar_o           (bar),
    .memory_o        (memory),
    .writing_o       (writing),
    .want_o          (complete_want),
    .grant_i         (grant[SourceComplete]),
    .piece_valid_o   (piece_valid[SourceComplete]),
    .piece_data_o    (piece_data[SourceComplete]),
    .piece_count_o   (piece_count[SourceComplete]),
    .piece_pos_o     (piece_pos[SourceComplete]),
    .commit_o        (commit[SourceComplete]),
    .length_o        (length[SourceComplete])
  );
  assign piece_first[SourceComplete] = '0;
  // What was read may have changed the line: the host hears of that first.
  assign want[SourceComplete]        = complete_want && !want[SourceInterrupt];

  vio_tlp_write #(.DataWidth(DataWidth), .IdWidth(IdWidth)) u_write (
    .clk_i, .rst_ni,
    .requester_i   (requester),
    .s_axi_awid    (s_dma_axi_awid),
    .s_axi_awaddr  (s_dma_axi_awaddr),
    .s_axi_awvalid (s_dma_axi_awvalid),
    .s_axi_awready (s_dma_axi_awready),
    .s_axi_wdata   (s_dma_axi_wdata),
    .s_axi_wstrb   (s_dma_axi_wstrb),
    .s_axi_wlast   (s_dma_axi_wlast),
    .s_axi_wvalid  (s_dma_axi_wvalid),
    .s_axi_wready  (s_dma_axi_wready),
    .s_axi_bid     (s_dma_axi_bid),
    .s_axi_bresp   (s_dma_axi_bresp),
    .s_axi_bvalid  (s_dma_axi_bvalid),
    .s_axi_bready  (s_dma_axi_bready),
    .want_o        (want[SourceWrite]),
    .grant_i       (grant[SourceWrite]),
    .piece_valid_o (piece_valid[SourceWrite]),
    .piece_data_o  (piece_data[SourceWrite]),
    .piece_first_o (piece_first[SourceWrite]),
    .piece_count_o (piece_count[SourceWrite]),
    .piece_pos_o   (piece_pos[SourceWrite]),
    .commit_o      (commit[SourceWrite]),
    .length_o      (length[SourceWrite])
  );

  vio_tlp_read #(
    .DataWidth(DataWidth), .IdWidth(IdWidth), .MaxBytes(MaxReadBytes),
    .TimeoutCycles(TimeoutCycles)
  ) u_read (
    .clk_i, .rst_ni,
    .requester_i   (requester),
    .s_axi_arid    (s_dma_axi_arid),
    .s_axi_araddr  (s_dma_axi_araddr),
    .s_axi_arlen   (s_dma_axi_arlen),
    .s_axi_arsize  (s_dma_axi_arsize),
    .s_axi_arvalid (s_dma_axi_arvalid),
    .s_axi_arready (s_dma_axi_arready),
    .s_axi_rid     (s_dma_axi_rid),
    .s_axi_rdata   (s_dma_axi_rdata),
    .s_axi_rresp   (s_dma_axi_rresp),
    .s_axi_rlast   (s_dma_axi_rlast),
    .s_axi_rvalid  (s_dma_axi_rvalid),
    .s_axi_rready  (s_dma_axi_rready),
    .want_o        (want[SourceRead]),
    .grant_i       (grant[SourceRead]),
    .piece_valid_o (piece_valid[SourceRead]),
    .piece_data_o  (piece_data[SourceRead]),
    .piece_count_o (piece_count[SourceRead]),
    .commit_o      (commit[SourceRead]),
    .length_o      (length[SourceRead]),
    .cpl_valid_i   (cpl_valid),
    .cpl_last_i    (cpl_last),
    .cpl_i         (cpl),
    .cpl_data_i    (cpl_data),
    .cpl_first_i   (cpl_first),
    .cpl_count_i   (cpl_count)
  );
  assign piece_first[SourceRead] = '0;
  assign piece_pos[SourceRead]   = '0;

  vio_tlp_interrupt #(.DataWidth(DataWidth)) u_interrupt (
    .clk_i, .rst_ni, .intx_i,
    .requester_i  (requester),
    .hold_i       (writing),
    .want_o       (want[SourceInterrupt]),
    .grant_i      (grant[SourceInterrupt]),
    .piece_data_o (piece_data[SourceInterrupt])
  );
  assign piece_valid[SourceInterrupt] = grant[SourceInterrupt];
  assign piece_first[SourceInterrupt] = '0;
  assign piece_count[SourceInterrupt] = (LaneBits + 1)'(4);
  assign piece_pos[SourceInterrupt]   = '0;
  assign commit[SourceInterrupt]      = grant[SourceInterrupt];
  assign length[SourceInterrupt]      = 11'd4;

  vio_tlp_tx #(.DataWidth(DataWidth), .MaxDwords(4 + MaxPayload / 4)) u_tx (
    .clk_i, .rst_ni, .tlp_tx_tdata, .tlp_tx_tkeep, .tlp_tx_tlast, .tlp_tx_tvalid, .tlp_tx_tready,
    .want_i        (want),
    .grant_o       (grant),
    .piece_valid_i (piece_valid),
    .piece_data_i  (piece_data),
    .piece_first_i (piece_first),
    .piece_count_i (piece_count),
    .piece_pos_i   (piece_pos),
    .commit_i      (commit),
    .length_i      (length)
  );

endmodule
