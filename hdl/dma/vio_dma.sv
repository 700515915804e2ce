/// AXI4 initiator for guest memory: reads for the ring engine and the back end, writes for these
/// and for interrupt messages.
///
/// Clients are indexed as in `vio_dma_pkg` (DmaRing, DmaBlk, DmaMsg). Reads: one AXI id per client
/// (its index), answered in command order, packed so that the first byte asked for is bits [7:0]
/// of the first beat; bytes after the last one are undefined. Writes: one id, on the bus in the
/// order in which commands were accepted, whoever gave them; data packed in the same way, one
/// answer for each command. Write data must be there, or come for sure, when its command is
/// offered. Commands are 1 to 4096 bytes of any alignment.
module vio_dma #(
  parameter int unsigned DataWidth     = 256,
  parameter int unsigned IdWidth       = 4,
  /// Read bursts in flight over all clients, a power of two.
  parameter int unsigned MaxReads      = 32,
  /// Write bursts awaiting their response, a power of two.
  parameter int unsigned MaxWrites     = 64,
  /// Longest read burst in bytes, a power of two up to 4096.
  parameter int unsigned MaxReadBurst  = 512,
  /// Longest write burst in bytes, a power of two up to 4096.
  parameter int unsigned MaxWriteBurst = 256,
  /// Response buffer of the ring client in bytes, a power of two.
  parameter int unsigned RingBufBytes  = 4096,
  /// Response buffer of the back end in bytes, a power of two.
  parameter int unsigned BlkBufBytes   = 16384
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  /// PCIe Max_Payload_Size in bytes (128 to 4096, a power of two); 0: no limit of its own.
  input  logic [12:0]               max_payload_bytes_i,
  /// PCIe Max_Read_Request_Size in bytes (128 to 4096, a power of two); 0: no limit of its own.
  input  logic [12:0]               max_read_bytes_i,
  /// Bus master enable: while low no new read or write is offered on the bus.
  input  logic                      enable_i,

  input  logic [1:0]                rd_cmd_valid_i,
  output logic [1:0]                rd_cmd_ready_o,
  input  vio_pkg::dma_cmd_t [1:0]   rd_cmd_i,
  output logic [1:0]                rd_rsp_valid_o,
  input  logic [1:0]                rd_rsp_ready_i,
  output logic [1:0][DataWidth-1:0] rd_rsp_data_o,
  output logic [1:0]                rd_rsp_last_o,
  /// An error response at or before this beat of the command.
  output logic [1:0]                rd_rsp_err_o,

  input  logic [1:0]                wr_cmd_valid_i,
  output logic [1:0]                wr_cmd_ready_o,
  input  vio_pkg::dma_cmd_t [1:0]   wr_cmd_i,
  input  logic [1:0]                wr_data_valid_i,
  output logic [1:0]                wr_data_ready_o,
  input  logic [1:0][DataWidth-1:0] wr_data_i,
  output logic [1:0]                wr_rsp_valid_o,
  output logic [1:0]                wr_rsp_err_o,

  input  logic                      msg_valid_i,
  output logic                      msg_ready_o,
  input  logic [63:0]               msg_addr_i,
  input  logic [31:0]               msg_data_i,
  /// The message's write response came.
  output logic                      msg_done_o,

  /// Per client (ring, back end, messages): every command accepted has been answered.
  output logic [2:0]                dma_idle_o,

  output logic [IdWidth-1:0]        m_axi_arid,
  output logic [63:0]               m_axi_araddr,
  output logic [7:0]                m_axi_arlen,
  output logic [2:0]                m_axi_arsize,
  output logic [1:0]                m_axi_arburst,
  output logic                      m_axi_arvalid,
  input  logic                      m_axi_arready,
  input  logic [IdWidth-1:0]        m_axi_rid,
  input  logic [DataWidth-1:0]      m_axi_rdata,
  input  logic [1:0]                m_axi_rresp,
  input  logic                      m_axi_rlast,
  input  logic                      m_axi_rvalid,
  output logic                      m_axi_rready,
  output logic [IdWidth-1:0]        m_axi_awid,
  output logic [63:0]               m_axi_awaddr,
  output logic [7:0]                m_axi_awlen,
  output logic [2:0]                m_axi_awsize,
  output logic [1:0]                m_axi_awburst,
  output logic                      m_axi_awvalid,
  input  logic                      m_axi_awready,
  output logic [DataWidth-1:0]      m_axi_wdata,
  output logic [DataWidth/8-1:0]    m_axi_wstrb,
  output logic                      m_axi_wlast,
  output logic                      m_axi_wvalid,
  input  logic                      m_axi_wready,
  input  logic [IdWidth-1:0]        m_axi_bid,
  input  logic [1:0]                m_axi_bresp,
  input  logic                      m_axi_bvalid,
  output logic                      m_axi_bready
);

  localparam int unsigned DataBytes  = DataWidth / 8;
  // An AXI4 burst has at most 256 beats.
  localparam int unsigned BurstCap   = (256 * DataBytes < 4096) ? 256 * DataBytes : 4096;
  localparam int unsigned ReadCap    = (MaxReadBurst < BurstCap) ? MaxReadBurst : BurstCap;
  localparam int unsigned WriteCap   = (MaxWriteBurst < BurstCap) ? MaxWriteBurst : BurstCap;
  localparam int unsigned WriteBeats = WriteCap / DataBytes;
  localparam int unsigned QueueBeats = (WriteBeats < 16) ? 64 : 4 * WriteBeats;

  function automatic logic [12:0] limit(logic [12:0] asked, logic [12:0] cap);
    return (asked == '0 || asked > cap) ? cap : asked;
  endfunction

  logic [12:0] rd_limit_q, wr_limit_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_limit_q <= 13'd128;
      wr_limit_q <= 13'd128;
    end else begin
      rd_limit_q <= limit(max_read_bytes_i, 13'(ReadCap));
      wr_limit_q <= limit(max_payload_bytes_i, 13'(WriteCap));
    end
  end

  logic [1:0] rd_idle;
  vio_dma_read #(
    .DataWidth(DataWidth), .IdWidth(IdWidth), .MaxReads(MaxReads),
    .RingBufWords(RingBufBytes / DataBytes), .BlkBufWords(BlkBufBytes / DataBytes)
  ) u_read (
    .clk_i, .rst_ni, .enable_i,
    .limit_i     (rd_limit_q),
    .cmd_valid_i (rd_cmd_valid_i),
    .cmd_ready_o (rd_cmd_ready_o),
    .cmd_i       (rd_cmd_i),
    .rsp_valid_o (rd_rsp_valid_o),
    .rsp_ready_i (rd_rsp_ready_i),
    .rsp_data_o  (rd_rsp_data_o),
    .rsp_last_o  (rd_rsp_last_o),
    .rsp_err_o   (rd_rsp_err_o),
    .idle_o      (rd_idle),
    .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arvalid,
    .m_axi_arready, .m_axi_rid, .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid,
    .m_axi_rready
  );

  logic [2:0] wr_idle;
  logic       wr_err;
  vio_dma_write #(
    .DataWidth(DataWidth), .IdWidth(IdWidth), .Id(0), .QueueBeats(QueueBeats),
    .MaxWrites(MaxWrites)
  ) u_write (
    .clk_i, .rst_ni, .enable_i,
    .limit_i      (wr_limit_q),
    .cmd_valid_i  (wr_cmd_valid_i),
    .cmd_ready_o  (wr_cmd_ready_o),
    .cmd_i        (wr_cmd_i),
    .data_valid_i (wr_data_valid_i),
    .data_ready_o (wr_data_ready_o),
    .data_i       (wr_data_i),
    .rsp_valid_o  (wr_rsp_valid_o),
    .rsp_err_o    (wr_err),
    .msg_valid_i, .msg_ready_o, .msg_addr_i, .msg_data_i, .msg_done_o,
    .idle_o       (wr_idle),
    .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awvalid,
    .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready,
    .m_axi_bresp, .m_axi_bvalid, .m_axi_bready
  );

  assign wr_rsp_err_o = {2{wr_err}} & wr_rsp_valid_o;
  assign dma_idle_o   = wr_idle & {1'b1, rd_idle};

  logic unused;
  assign unused = ^m_axi_bid;  // one id: all responses come in order

endmodule
