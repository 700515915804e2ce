/// AXI4 read side of the DMA initiator: two clients, one id each, one limit of reads in flight.
module vio_dma_read #(
  parameter int unsigned DataWidth    = 256,
  parameter int unsigned IdWidth      = 4,
  /// Bursts in flight over all clients, a power of two.
  parameter int unsigned MaxReads     = 32,
  /// Words of the ring client's response buffer, a power of two.
  parameter int unsigned RingBufWords = 128,
  /// Words of the back end's response buffer, a power of two.
  parameter int unsigned BlkBufWords  = 512
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  /// Longest burst in bytes, a power of two.
  input  logic [12:0]               limit_i,
  /// While low no new AR is offered.
  input  logic                      enable_i,

  input  logic [1:0]                cmd_valid_i,
  output logic [1:0]                cmd_ready_o,
  input  vio_pkg::dma_cmd_t [1:0]   cmd_i,
  output logic [1:0]                rsp_valid_o,
  input  logic [1:0]                rsp_ready_i,
  output logic [1:0][DataWidth-1:0] rsp_data_o,
  output logic [1:0]                rsp_last_o,
  output logic [1:0]                rsp_err_o,
  output logic [1:0]                idle_o,

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
  output logic                      m_axi_rready
);

  localparam int unsigned CountWidth = $clog2(MaxReads) + 1;
  typedef logic [CountWidth-1:0] count_t;

  logic [1:0]       ar_valid, ar_ready, r_ready;
  logic [1:0][63:0] ar_addr;
  logic [1:0][7:0]  ar_len;
  logic [1:0][2:0]  ar_size;

  for (genvar c = 0; c < 2; c++) begin : gen_client
    localparam int unsigned BufWords = (c == vio_dma_pkg::DmaRing) ? RingBufWords : BlkBufWords;
    vio_dma_rclient #(
      .DataWidth(DataWidth), .BufWords(BufWords), .MaxReads(MaxReads)
    ) u_client (
      .clk_i, .rst_ni, .limit_i,
      .cmd_valid_i (cmd_valid_i[c]),
      .cmd_ready_o (cmd_ready_o[c]),
      .cmd_i       (cmd_i[c]),
      .rsp_valid_o (rsp_valid_o[c]),
      .rsp_ready_i (rsp_ready_i[c]),
      .rsp_data_o  (rsp_data_o[c]),
      .rsp_last_o  (rsp_last_o[c]),
      .rsp_err_o   (rsp_err_o[c]),
      .idle_o      (idle_o[c]),
      .ar_valid_o  (ar_valid[c]),
      .ar_ready_i  (ar_ready[c]),
      .ar_addr_o   (ar_addr[c]),
      .ar_len_o    (ar_len[c]),
      .ar_size_o   (ar_size[c]),
      .r_valid_i   (m_axi_rvalid && m_axi_rid[0] == 1'(c)),
      .r_ready_o   (r_ready[c]),
      .r_data_i    (m_axi_rdata),
      .r_err_i     (m_axi_rresp[1]),
      .r_last_i    (m_axi_rlast)
    );
  end
  assign m_axi_rready = r_ready[m_axi_rid[0]];

  // Turn by turn: whoever was served last waits for the other.
  count_t reads_q;
  logic   last_q, pick, load, free, done;
  assign pick = ar_valid[!last_q] ? !last_q : last_q;
  assign free = !m_axi_arvalid || m_axi_arready;
  assign load = ar_valid[pick] && free && enable_i && reads_q != count_t'(MaxReads);
  assign done = m_axi_rvalid && m_axi_rready && m_axi_rlast;
  always_comb begin
    ar_ready       = '0;
    ar_ready[pick] = load;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reads_q       <= '0;
      last_q        <= 1'b0;
      m_axi_arvalid <= 1'b0;
      m_axi_arid    <= '0;
      m_axi_araddr  <= '0;
      m_axi_arlen   <= '0;
      m_axi_arsize  <= '0;
    end else begin
      reads_q <= reads_q + count_t'(load) - count_t'(done);
      if (load) begin
        last_q        <= pick;
        m_axi_arvalid <= 1'b1;
        m_axi_arid    <= IdWidth'(pick);
        m_axi_araddr  <= ar_addr[pick];
        m_axi_arlen   <= ar_len[pick];
        m_axi_arsize  <= ar_size[pick];
      end else if (m_axi_arready) begin
        m_axi_arvalid <= 1'b0;
      end
    end
  end
  assign m_axi_arburst = 2'b01;

  logic unused;
  assign unused = ^{m_axi_rid, m_axi_rresp[0]};

endmodule
