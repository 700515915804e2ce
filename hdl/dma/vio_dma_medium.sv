/// AXI4 initiator for the medium: whole 512-byte sectors at byte address sector * 512.
///
/// A sector is one burst. Reads are issued only when the buffer has room for them; a write is
/// issued when its sector is complete in the queue. Both answer in request order.
module vio_dma_medium #(
  parameter int unsigned DataWidth = 256,
  parameter int unsigned IdWidth   = 4,
  /// Read buffer in bytes, a power of two.
  parameter int unsigned BufBytes  = 16384,
  /// Sectors written and not yet answered, a power of two.
  parameter int unsigned MaxWrites = 32
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Begin no burst that has not begun.
  input  logic                 stop_i,
  /// Forget all requests and data; only while stopped and idle.
  input  logic                 clear_i,
  /// Nothing is on the bus.
  output logic                 idle_o,

  input  logic                 rd_req_valid_i,
  output logic                 rd_req_ready_o,
  input  logic [54:0]          rd_sector_i,
  /// Sectors, at least 1.
  input  logic [23:0]          rd_count_i,
  /// A word came into the read buffer (pulse).
  output logic                 rd_word_o,
  output logic                 rd_valid_o,
  input  logic                 rd_ready_i,
  output logic [DataWidth-1:0] rd_data_o,
  output logic                 rd_err_o,

  input  logic                 wr_req_valid_i,
  output logic                 wr_req_ready_o,
  input  logic [54:0]          wr_sector_i,
  /// Sectors, at least 1.
  input  logic [23:0]          wr_count_i,
  input  logic                 wr_valid_i,
  output logic                 wr_ready_o,
  input  logic [DataWidth-1:0] wr_data_i,
  /// Do not write this word, and answer with an error.
  input  logic                 wr_skip_i,
  /// All sectors of a request are answered (pulse).
  output logic                 wr_done_o,
  output logic                 wr_done_err_o,

  output logic [IdWidth-1:0]     m_axi_arid,
  output logic [63:0]            m_axi_araddr,
  output logic [7:0]             m_axi_arlen,
  output logic [2:0]             m_axi_arsize,
  output logic [1:0]             m_axi_arburst,
  output logic                   m_axi_arvalid,
  input  logic                   m_axi_arready,
  input  logic [IdWidth-1:0]     m_axi_rid,
  input  logic [DataWidth-1:0]   m_axi_rdata,
  input  logic [1:0]             m_axi_rresp,
  input  logic                   m_axi_rlast,
  input  logic                   m_axi_rvalid,
  output logic                   m_axi_rready,
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
  input  logic [IdWidth-1:0]     m_axi_bid,
  input  logic [1:0]             m_axi_bresp,
  input  logic                   m_axi_bvalid,
  output logic                   m_axi_bready
);

  localparam int unsigned DataBytes   = DataWidth / 8;
  localparam int unsigned SectorBeats = 512 / DataBytes;
  localparam int unsigned BeatBits    = $clog2(SectorBeats);
  localparam int unsigned BufWords    = BufBytes / DataBytes;
  localparam int unsigned BufSectors  = BufWords / SectorBeats;
  typedef logic [$clog2(BufSectors):0] sectors_t;
  typedef logic [BeatBits-1:0] beat_t;

  // Reads. `room_q` counts free sectors of the buffer, `open_q` bursts in flight.
  logic [54:0] rd_sector_q;
  logic [23:0] rd_left_q;
  sectors_t    room_q, open_q;
  logic        ar_load, r_accept, sector_out;
  beat_t       out_q;
  assign rd_req_ready_o = rd_left_q == '0;
  assign ar_load  = rd_left_q != '0 && room_q != '0 && !stop_i && (!m_axi_arvalid || m_axi_arready);
  assign r_accept   = m_axi_rvalid && m_axi_rready;
  assign rd_word_o  = r_accept;
  assign sector_out = rd_valid_o && rd_ready_i && out_q == beat_t'(SectorBeats - 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_sector_q   <= '0;
      rd_left_q     <= '0;
      room_q        <= sectors_t'(BufSectors);
      open_q        <= '0;
      out_q         <= '0;
      m_axi_arvalid <= 1'b0;
      m_axi_araddr  <= '0;
    end else if (clear_i) begin
      rd_left_q <= '0;
      room_q    <= sectors_t'(BufSectors);
      out_q     <= '0;
    end else begin
      if (rd_req_valid_i && rd_req_ready_o) begin
        rd_sector_q <= rd_sector_i;
        rd_left_q   <= rd_count_i;
      end else if (ar_load) begin
        rd_sector_q <= rd_sector_q + 55'd1;
        rd_left_q   <= rd_left_q - 24'd1;
      end
      if (ar_load) begin
        m_axi_arvalid <= 1'b1;
        m_axi_araddr  <= {rd_sector_q, 9'd0};
      end else if (m_axi_arready) begin
        m_axi_arvalid <= 1'b0;
      end
      room_q <= room_q - sectors_t'(ar_load) + sectors_t'(sector_out);
      open_q <= open_q + sectors_t'(ar_load) - sectors_t'(r_accept && m_axi_rlast);
      if (rd_valid_o && rd_ready_i) out_q <= out_q + beat_t'(1);
    end
  end
  assign m_axi_arid    = '0;
  assign m_axi_arlen   = 8'(SectorBeats - 1);
  assign m_axi_arsize  = 3'($clog2(DataBytes));
  assign m_axi_arburst = 2'b01;

  vio_dma_fifo #(.Width(DataWidth + 1), .Depth(BufWords)) u_buffer (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (m_axi_rvalid),
    .wr_ready_o (m_axi_rready),
    .wr_data_i  ({m_axi_rresp[1], m_axi_rdata}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o,
    .rd_ready_i,
    .rd_data_o  ({rd_err_o, rd_data_o})
  );

  // Writes.
  logic [54:0] wr_sector_q;
  logic [23:0] wr_left_q;
  beat_t       in_q;
  logic        skip_q, skip, sector_end, wr_accept, beat_ready, port_idle;
  assign wr_req_ready_o = wr_left_q == '0;
  assign wr_ready_o     = wr_left_q != '0 && beat_ready && !stop_i;
  assign wr_accept      = wr_valid_i && wr_ready_o;
  assign sector_end     = in_q == beat_t'(SectorBeats - 1);
  assign skip           = wr_skip_i || (skip_q && in_q != '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_sector_q <= '0;
      wr_left_q   <= '0;
      in_q        <= '0;
      skip_q      <= 1'b0;
    end else if (clear_i) begin
      wr_left_q <= '0;
      in_q      <= '0;
    end else if (wr_req_valid_i && wr_req_ready_o) begin
      wr_sector_q <= wr_sector_i;
      wr_left_q   <= wr_count_i;
    end else if (wr_accept) begin
      in_q   <= in_q + beat_t'(1);
      skip_q <= skip;
      if (sector_end) begin
        wr_sector_q <= wr_sector_q + 55'd1;
        wr_left_q   <= wr_left_q - 24'd1;
      end
    end
  end

  logic done, done_err, done_skip, done_final, err_q;
  vio_dma_wport #(
    .DataWidth(DataWidth), .IdWidth(IdWidth), .Id(0), .QueueBeats(4 * SectorBeats),
    .MaxWrites(MaxWrites), .NoteWidth(2)
  ) u_port (
    .clk_i, .rst_ni, .clear_i,
    .enable_i     (1'b1),
    .beat_valid_i (wr_accept),
    .beat_ready_o (beat_ready),
    .beat_data_i  (wr_data_i),
    .beat_strb_i  ({DataBytes{!wr_skip_i}}),
    .beat_last_i  (sector_end),
    .burst_addr_i ({wr_sector_q, 9'd0}),
    .burst_len_i  (8'(SectorBeats - 1)),
    .burst_note_i ({wr_left_q == 24'd1, skip}),
    .done_valid_o (done),
    .done_err_o   (done_err),
    .done_note_o  ({done_final, done_skip}),
    .idle_o       (port_idle),
    .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awvalid,
    .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready,
    .m_axi_bresp, .m_axi_bvalid, .m_axi_bready
  );
  assign wr_done_o     = done && done_final;
  assign wr_done_err_o = done_err || done_skip || err_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      err_q <= 1'b0;
    else if (clear_i) err_q <= 1'b0;
    else if (done)    err_q <= !done_final && wr_done_err_o;
  end

  assign idle_o = open_q == '0 && port_idle;

  logic unused;
  assign unused = ^{m_axi_rid, m_axi_bid, m_axi_rresp[0]};

endmodule
