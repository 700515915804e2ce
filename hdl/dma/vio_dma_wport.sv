/// AXI4 write port: collects the beats of a burst, then issues it; one id, responses in order.
///
/// AW is offered only when all data of its burst is in the queue, W never waits for AWREADY,
/// and neither VALID drops. The burst's address, length and note come with its last beat.
module vio_dma_wport #(
  parameter int unsigned DataWidth  = 256,
  parameter int unsigned IdWidth    = 4,
  /// The id of all writes.
  parameter int unsigned Id         = 0,
  /// Words of the data queue: a power of two, at least twice the longest burst in beats.
  parameter int unsigned QueueBeats = 64,
  /// Bursts between their last beat and their response, a power of two.
  parameter int unsigned MaxWrites  = 32,
  /// Bits of the note that comes back with the response.
  parameter int unsigned NoteWidth  = 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// Forget the beats of a burst that is not complete; only while idle.
  input  logic                   clear_i,
  /// While low no new AW is offered.
  input  logic                   enable_i,

  input  logic                   beat_valid_i,
  output logic                   beat_ready_o,
  input  logic [DataWidth-1:0]   beat_data_i,
  input  logic [DataWidth/8-1:0] beat_strb_i,
  input  logic                   beat_last_i,
  /// First byte of the burst.
  input  logic [63:0]            burst_addr_i,
  /// Beats of the burst minus one.
  input  logic [7:0]             burst_len_i,
  input  logic [NoteWidth-1:0]   burst_note_i,

  /// One cycle for each burst, when its response came.
  output logic                   done_valid_o,
  output logic                   done_err_o,
  output logic [NoteWidth-1:0]   done_note_o,
  /// No complete burst awaits its response.
  output logic                   idle_o,

  output logic [IdWidth-1:0]     m_axi_awid,
  output logic [63:0]            m_axi_awaddr,
  output logic [7:0]             m_axi_awlen,
  output logic [2:0]             m_axi_awsize,
  output logic [1:0]             m_axi_awburst,
  output logic                   m_axi_awvalid,
  input  logic                   m_axi_awready,
  output logic [DataWidth-1:0]   m_axi_wdata,
  output logic [DataWidth/8-1:0] m_axi_wstrb,
  output logic                   m_axi_wlast,
  output logic                   m_axi_wvalid,
  input  logic                   m_axi_wready,
  input  logic [1:0]             m_axi_bresp,
  input  logic                   m_axi_bvalid,
  output logic                   m_axi_bready
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned CountWidth = $clog2(MaxWrites) + 1;
  typedef logic [CountWidth-1:0] count_t;

  logic push, burst_end, w_ready, aw_ready, note_ready;
  assign beat_ready_o = w_ready && aw_ready && note_ready;
  assign push         = beat_valid_i && beat_ready_o;
  assign burst_end    = push && beat_last_i;

  logic w_valid;
  vio_dma_fifo #(.Width(DataWidth + DataBytes + 1), .Depth(QueueBeats)) u_w (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (push),
    .wr_ready_o (w_ready),
    .wr_data_i  ({beat_last_i, beat_strb_i, beat_data_i}),
    .commit_i   (burst_end),
    .rollback_i (1'b0),
    .rd_valid_o (w_valid),
    .rd_ready_i (m_axi_wvalid && m_axi_wready),
    .rd_data_o  ({m_axi_wlast, m_axi_wstrb, m_axi_wdata})
  );

  logic aw_valid, aw_load;
  logic [63:0] aw_addr;
  logic [7:0] aw_len;
  vio_dma_fifo #(.Width(72), .Depth(MaxWrites)) u_aw (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (burst_end),
    .wr_ready_o (aw_ready),
    .wr_data_i  ({burst_len_i, burst_addr_i}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (aw_valid),
    .rd_ready_i (aw_load),
    .rd_data_o  ({aw_len, aw_addr})
  );

  logic note_valid;
  vio_dma_fifo #(.Width(NoteWidth), .Depth(MaxWrites)) u_note (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (burst_end),
    .wr_ready_o (note_ready),
    .wr_data_i  (burst_note_i),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (note_valid),
    .rd_ready_i (m_axi_bvalid),
    .rd_data_o  (done_note_o)
  );

  assign m_axi_bready = note_valid;
  assign done_valid_o = m_axi_bvalid && m_axi_bready;
  assign done_err_o   = m_axi_bresp[1];

  assign aw_load = aw_valid && enable_i && (!m_axi_awvalid || m_axi_awready);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      m_axi_awvalid <= 1'b0;
      m_axi_awaddr  <= '0;
      m_axi_awlen   <= '0;
    end else if (aw_load) begin
      m_axi_awvalid <= 1'b1;
      m_axi_awaddr  <= aw_addr;
      m_axi_awlen   <= aw_len;
    end else if (m_axi_awready) begin
      m_axi_awvalid <= 1'b0;
    end
  end
  assign m_axi_awid    = IdWidth'(Id);
  assign m_axi_awsize  = 3'($clog2(DataBytes));
  assign m_axi_awburst = 2'b01;

  // Bursts whose address was offered and whose data is not all gone: only those show WVALID.
  count_t offered_q, bursts_q;
  logic w_end;
  assign m_axi_wvalid = w_valid && (offered_q != '0);
  assign w_end        = m_axi_wvalid && m_axi_wready && m_axi_wlast;
  assign idle_o       = bursts_q == '0;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      offered_q <= '0;
      bursts_q  <= '0;
    end else begin
      offered_q <= offered_q + count_t'(aw_load) - count_t'(w_end);
      bursts_q  <= bursts_q + count_t'(burst_end) - count_t'(done_valid_o);
    end
  end

  logic unused;
  assign unused = m_axi_bresp[0];

endmodule
