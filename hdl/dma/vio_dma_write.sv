/// AXI4 write side of the DMA initiator: three clients, one id, bus order is acceptance order.
///
/// A client may offer a command only when its data are there or come without waiting for anybody
/// else on this port: commands of others wait behind it.
module vio_dma_write #(
  parameter int unsigned DataWidth  = 256,
  parameter int unsigned IdWidth    = 4,
  /// The id of all writes.
  parameter int unsigned Id         = 0,
  /// Words of the data queue, a power of two, at least two of the longest bursts.
  parameter int unsigned QueueBeats = 64,
  /// Bursts awaiting their response, a power of two.
  parameter int unsigned MaxWrites  = 32
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  /// Longest burst in bytes, a power of two.
  input  logic [12:0]               limit_i,
  /// While low no new AW is offered.
  input  logic                      enable_i,

  input  logic [1:0]                cmd_valid_i,
  output logic [1:0]                cmd_ready_o,
  input  vio_pkg::dma_cmd_t [1:0]   cmd_i,
  input  logic [1:0]                data_valid_i,
  output logic [1:0]                data_ready_o,
  input  logic [1:0][DataWidth-1:0] data_i,
  output logic [1:0]                rsp_valid_o,
  output logic                      rsp_err_o,

  input  logic                      msg_valid_i,
  output logic                      msg_ready_o,
  input  logic [63:0]               msg_addr_i,
  input  logic [31:0]               msg_data_i,
  output logic                      msg_done_o,

  output logic [2:0]                idle_o,

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
  input  logic [1:0]                m_axi_bresp,
  input  logic                      m_axi_bvalid,
  output logic                      m_axi_bready
);

  import vio_dma_pkg::*;
  import vio_pkg::dma_cmd_t;

  localparam int unsigned MaxCmds = 16;
  localparam int unsigned CountWidth = $clog2(MaxCmds + MaxWrites) + 2;
  typedef logic [CountWidth-1:0] count_t;

  // Turn by turn; a grant is kept until taken only because nobody withdraws an offer.
  logic [2:0] wants, grant;
  logic [1:0] last_q, pick;
  logic       queue_ready, accept;
  assign wants = {msg_valid_i, cmd_valid_i};
  always_comb begin
    pick = last_q;
    for (int unsigned i = 3; i > 0; i--) begin
      if (wants[2'((32'(last_q) + i) % 3)]) pick = 2'((32'(last_q) + i) % 3);
    end
    grant       = '0;
    grant[pick] = wants[pick] && queue_ready;
  end
  assign accept      = |grant;
  assign cmd_ready_o = grant[1:0];
  assign msg_ready_o = grant[DmaMsg];

  dma_cmd_t    picked, cmd;
  logic [1:0]  client;
  logic [31:0] msg_data;
  logic        cmd_valid, cmd_done;
  always_comb begin
    picked = '{addr: msg_addr_i, len: 13'd4};
    if (pick != 2'(DmaMsg)) picked = cmd_i[pick[0]];
  end
  vio_dma_fifo #(.Width(34 + $bits(dma_cmd_t)), .Depth(MaxCmds)) u_cmds (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (accept),
    .wr_ready_o (queue_ready),
    .wr_data_i  ({pick, msg_data_i, picked}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (cmd_valid),
    .rd_ready_i (cmd_done),
    .rd_data_o  ({client, msg_data, cmd})
  );

  logic data_valid, data_take;
  logic [DataWidth-1:0] data;
  always_comb begin
    data       = DataWidth'(msg_data);
    data_valid = 1'b1;
    if (client != 2'(DmaMsg)) begin
      data       = data_i[client[0]];
      data_valid = data_valid_i[client[0]];
    end
    data_ready_o            = '0;
    data_ready_o[client[0]] = data_take && client != 2'(DmaMsg);
  end

  logic beat_valid, beat_ready, beat_last, burst_final;
  logic [DataWidth-1:0]   beat_data;
  logic [DataWidth/8-1:0] beat_strb;
  logic [63:0] burst_addr;
  logic [7:0]  burst_len;
  vio_dma_place #(.DataWidth(DataWidth)) u_place (
    .clk_i, .rst_ni, .limit_i,
    .cmd_valid_i   (cmd_valid),
    .cmd_ready_o   (cmd_done),
    .cmd_i         (cmd),
    .data_valid_i  (data_valid),
    .data_ready_o  (data_take),
    .data_i        (data),
    .beat_valid_o  (beat_valid),
    .beat_ready_i  (beat_ready),
    .beat_data_o   (beat_data),
    .beat_strb_o   (beat_strb),
    .beat_last_o   (beat_last),
    .burst_addr_o  (burst_addr),
    .burst_len_o   (burst_len),
    .burst_final_o (burst_final)
  );

  logic done_valid, done_err, done_final, port_idle;
  logic [1:0] done_client;
  vio_dma_wport #(
    .DataWidth(DataWidth), .IdWidth(IdWidth), .Id(Id), .QueueBeats(QueueBeats),
    .MaxWrites(MaxWrites), .NoteWidth(3)
  ) u_port (
    .clk_i, .rst_ni, .enable_i,
    .clear_i      (1'b0),
    .beat_valid_i (beat_valid),
    .beat_ready_o (beat_ready),
    .beat_data_i  (beat_data),
    .beat_strb_i  (beat_strb),
    .beat_last_i  (beat_last),
    .burst_addr_i (burst_addr),
    .burst_len_i  (burst_len),
    .burst_note_i ({burst_final, client}),
    .done_valid_o (done_valid),
    .done_err_o   (done_err),
    .done_note_o  ({done_final, done_client}),
    .idle_o       (port_idle),
    .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awvalid,
    .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready,
    .m_axi_bresp, .m_axi_bvalid, .m_axi_bready
  );

  // One answer for each command, with any error among its bursts.
  logic [2:0] answer_q;
  logic       err_q;
  assign rsp_valid_o = answer_q[1:0];
  assign msg_done_o  = answer_q[DmaMsg];
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      answer_q  <= '0;
      err_q     <= 1'b0;
      rsp_err_o <= 1'b0;
      last_q    <= '0;
    end else begin
      answer_q <= '0;
      if (done_valid) begin
        answer_q[done_client] <= done_final;
        err_q                 <= !done_final && (err_q || done_err);
        rsp_err_o             <= err_q || done_err;
      end
      if (accept) last_q <= pick;
    end
  end

  for (genvar c = 0; c < 3; c++) begin : gen_idle
    count_t open_q;
    assign idle_o[c] = open_q == '0;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) open_q <= '0;
      else open_q <= open_q + count_t'(grant[c]) - count_t'(answer_q[c]);
    end
  end

  logic unused;
  assign unused = port_idle;

endmodule
