/// The device's way to guest memory: the DMA initiator, whose clients are indexed as in
/// `vio_dma_pkg`, and the gate that keeps it off the bus while Bus Master Enable is clear.
module vio_bus_master
  import vio_pkg::*;
#(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Bits of a beat.
  parameter int unsigned DataWidth = 256,
  parameter int unsigned IdWidth   = 4
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,

  /// Bus Master Enable.
  input  logic                     bus_master_i,
  /// Present no new address.
  input  logic                     pause_i,
  /// The device is being reset: with bus mastering off, what is queued is answered by errors.
  input  logic                     resetting_i,
  /// No address and no write data is being presented or owed.
  output logic                     quiet_o,
  /// Reads on the bus await their data.
  output logic                     pending_o,
  /// The ring engine is done with these queues.
  input  logic [NumQueues-1:0]     ring_stopped_i,
  /// Nothing of these queues is on the bus.
  output logic [NumQueues-1:0]     stopped_o,

  /// PCIe Max_Payload_Size in bytes (128 to 4096, a power of two); 0: no limit of its own.
  input  logic [12:0]              max_payload_bytes_i,
  /// PCIe Max_Read_Request_Size in bytes (128 to 4096, a power of two); 0: no limit of its own.
  input  logic [12:0]              max_read_bytes_i,

  input  logic [1:0]               rd_cmd_valid_i,
  output logic [1:0]               rd_cmd_ready_o,
  input  dma_cmd_t [1:0]           rd_cmd_i,
  output logic [1:0]               rd_rsp_valid_o,
  input  logic [1:0]               rd_rsp_ready_i,
  output logic [1:0][DataWidth-1:0] rd_rsp_data_o,
  output logic [1:0]               rd_rsp_last_o,
  /// An error response at or before this beat of the command.
  output logic [1:0]               rd_rsp_err_o,

  input  logic [1:0]               wr_cmd_valid_i,
  output logic [1:0]               wr_cmd_ready_o,
  input  dma_cmd_t [1:0]           wr_cmd_i,
  input  logic [1:0]               wr_data_valid_i,
  output logic [1:0]               wr_data_ready_o,
  input  logic [1:0][DataWidth-1:0] wr_data_i,
  output logic [1:0]               wr_rsp_valid_o,
  output logic [1:0]               wr_rsp_err_o,

  input  logic                     msg_valid_i,
  output logic                     msg_ready_o,
  input  logic [63:0]              msg_addr_i,
  input  logic [31:0]              msg_data_i,
  /// The message's write response came.
  output logic                     msg_done_o,

  // Guest memory and interrupt messages.
  output logic [IdWidth-1:0]       m_dma_axi_arid,
  output logic [63:0]              m_dma_axi_araddr,
  output logic [7:0]               m_dma_axi_arlen,
  output logic [2:0]               m_dma_axi_arsize,
  output logic [1:0]               m_dma_axi_arburst,
  output logic                     m_dma_axi_arvalid,
  input  logic                     m_dma_axi_arready,
  input  logic [IdWidth-1:0]       m_dma_axi_rid,
  input  logic [DataWidth-1:0]     m_dma_axi_rdata,
  input  logic [1:0]               m_dma_axi_rresp,
  input  logic                     m_dma_axi_rlast,
  input  logic                     m_dma_axi_rvalid,
  output logic                     m_dma_axi_rready,
  output logic [IdWidth-1:0]       m_dma_axi_awid,
  output logic [63:0]              m_dma_axi_awaddr,
  output logic [7:0]               m_dma_axi_awlen,
  output logic [2:0]               m_dma_axi_awsize,
  output logic [1:0]               m_dma_axi_awburst,
  output logic                     m_dma_axi_awvalid,
  input  logic                     m_dma_axi_awready,
  output logic [DataWidth-1:0]     m_dma_axi_wdata,
  output logic [DataWidth/8-1:0]   m_dma_axi_wstrb,
  output logic                     m_dma_axi_wlast,
  output logic                     m_dma_axi_wvalid,
  input  logic                     m_dma_axi_wready,
  input  logic [IdWidth-1:0]       m_dma_axi_bid,
  input  logic [1:0]               m_dma_axi_bresp,
  input  logic                     m_dma_axi_bvalid,
  output logic                     m_dma_axi_bready
);

  localparam int unsigned DmaBlk = vio_dma_pkg::DmaBlk;

  // The initiator; its handshakes go through the gate, its payloads beside it.
  logic               enable;
  logic               arvalid, arready, rvalid, rready, rlast;
  logic               awvalid, awready, wvalid, wready, bvalid, bready;
  logic [IdWidth-1:0] rid, bid;
  logic [1:0]         rresp, bresp;
  logic [2:0]         unused_dma_idle;

  vio_dma #(
    .DataWidth (DataWidth),
    .IdWidth   (IdWidth)
  ) u_dma (
    .clk_i, .rst_ni, .max_payload_bytes_i, .max_read_bytes_i,
    .rd_cmd_valid_i, .rd_cmd_ready_o, .rd_cmd_i,
    .rd_rsp_valid_o, .rd_rsp_ready_i, .rd_rsp_data_o, .rd_rsp_last_o, .rd_rsp_err_o,
    .wr_cmd_valid_i, .wr_cmd_ready_o, .wr_cmd_i, .wr_data_valid_i, .wr_data_ready_o, .wr_data_i,
    .wr_rsp_valid_o, .wr_rsp_err_o,
    .msg_valid_i, .msg_ready_o, .msg_addr_i, .msg_data_i, .msg_done_o,
    .enable_i            (enable),
    .dma_idle_o          (unused_dma_idle),
    .m_axi_arid          (m_dma_axi_arid),
    .m_axi_araddr        (m_dma_axi_araddr),
    .m_axi_arlen         (m_dma_axi_arlen),
    .m_axi_arsize        (m_dma_axi_arsize),
    .m_axi_arburst       (m_dma_axi_arburst),
    .m_axi_arvalid       (arvalid),
    .m_axi_arready       (arready),
    .m_axi_rid           (rid),
    .m_axi_rdata         (m_dma_axi_rdata),
    .m_axi_rresp         (rresp),
    .m_axi_rlast         (rlast),
    .m_axi_rvalid        (rvalid),
    .m_axi_rready        (rready),
    .m_axi_awid          (m_dma_axi_awid),
    .m_axi_awaddr        (m_dma_axi_awaddr),
    .m_axi_awlen         (m_dma_axi_awlen),
    .m_axi_awsize        (m_dma_axi_awsize),
    .m_axi_awburst       (m_dma_axi_awburst),
    .m_axi_awvalid       (awvalid),
    .m_axi_awready       (awready),
    .m_axi_wdata         (m_dma_axi_wdata),
    .m_axi_wstrb         (m_dma_axi_wstrb),
    .m_axi_wlast         (m_dma_axi_wlast),
    .m_axi_wvalid        (wvalid),
    .m_axi_wready        (wready),
    .m_axi_bid           (bid),
    .m_axi_bresp         (bresp),
    .m_axi_bvalid        (bvalid),
    .m_axi_bready        (bready)
  );

  vio_bus_gate #(
    .IdWidth (IdWidth)
  ) u_gate (
    .clk_i, .rst_ni, .bus_master_i, .pause_i, .resetting_i, .quiet_o, .pending_o,
    .enable_o     (enable),
    .arid_i       (m_dma_axi_arid),
    .arlen_i      (m_dma_axi_arlen),
    .arvalid_i    (arvalid),
    .arready_o    (arready),
    .rid_o        (rid),
    .rresp_o      (rresp),
    .rlast_o      (rlast),
    .rvalid_o     (rvalid),
    .rready_i     (rready),
    .awid_i       (m_dma_axi_awid),
    .awvalid_i    (awvalid),
    .awready_o    (awready),
    .wlast_i      (m_dma_axi_wlast),
    .wvalid_i     (wvalid),
    .wready_o     (wready),
    .bid_o        (bid),
    .bresp_o      (bresp),
    .bvalid_o     (bvalid),
    .bready_i     (bready),
    .m_arvalid    (m_dma_axi_arvalid),
    .m_arready    (m_dma_axi_arready),
    .m_rid        (m_dma_axi_rid),
    .m_rresp      (m_dma_axi_rresp),
    .m_rlast      (m_dma_axi_rlast),
    .m_rvalid     (m_dma_axi_rvalid),
    .m_rready     (m_dma_axi_rready),
    .m_awvalid    (m_dma_axi_awvalid),
    .m_awready    (m_dma_axi_awready),
    .m_wvalid     (m_dma_axi_wvalid),
    .m_wready     (m_dma_axi_wready),
    .m_bid        (m_dma_axi_bid),
    .m_bresp      (m_dma_axi_bresp),
    .m_bvalid     (m_dma_axi_bvalid),
    .m_bready     (m_dma_axi_bready)
  );

  vio_fence #(
    .NumQueues (NumQueues)
  ) u_fence (
    .clk_i, .rst_ni, .stopped_o,
    .command_i  (wr_cmd_valid_i[DmaBlk] && wr_cmd_ready_o[DmaBlk]),
    .response_i (wr_rsp_valid_o[DmaBlk]),
    .stopped_i  (ring_stopped_i)
  );

endmodule
