/// Stands between the DMA initiator and the bus for the sake of Bus Master Enable: says when
/// nothing is being presented, and, while a reset drains with bus mastering off, answers what is
/// still queued with errors itself, so that the drain ends and nothing reaches the bus.
///
/// Handshakes only: payloads pass beside it.
module vio_bus_gate #(
  parameter int unsigned IdWidth = 4
) (
  input  logic               clk_i,
  input  logic               rst_ni,

  /// The initiator may present new addresses.
  input  logic               bus_master_i,
  input  logic               pause_i,
  /// The device is being reset.
  input  logic               resetting_i,
  output logic               enable_o,
  /// No address and no write data is being presented or owed.
  output logic               quiet_o,
  /// Reads on the bus await their data.
  output logic               pending_o,

  // The initiator's side.
  input  logic [IdWidth-1:0] arid_i,
  input  logic [7:0]         arlen_i,
  input  logic               arvalid_i,
  output logic               arready_o,
  output logic [IdWidth-1:0] rid_o,
  output logic [1:0]         rresp_o,
  output logic               rlast_o,
  output logic               rvalid_o,
  input  logic               rready_i,
  input  logic [IdWidth-1:0] awid_i,
  input  logic               awvalid_i,
  output logic               awready_o,
  input  logic               wlast_i,
  input  logic               wvalid_i,
  output logic               wready_o,
  output logic [IdWidth-1:0] bid_o,
  output logic [1:0]         bresp_o,
  output logic               bvalid_o,
  input  logic               bready_i,

  // The bus.
  output logic               m_arvalid,
  input  logic               m_arready,
  input  logic [IdWidth-1:0] m_rid,
  input  logic [1:0]         m_rresp,
  input  logic               m_rlast,
  input  logic               m_rvalid,
  output logic               m_rready,
  output logic               m_awvalid,
  input  logic               m_awready,
  output logic               m_wvalid,
  input  logic               m_wready,
  input  logic [IdWidth-1:0] m_bid,
  input  logic [1:0]         m_bresp,
  input  logic               m_bvalid,
  output logic               m_bready
);

  localparam logic [1:0] SlaveError = 2'b10;

  // What the bus owes or is owed: read bursts, write addresses, write data, write responses.
  logic [9:0] reads_q, addrs_q, datas_q;
  logic       sink_q;
  logic       ar, r_end, aw, w_end, b;
  assign ar    = arvalid_i && arready_o;
  assign r_end = rvalid_o && rready_i && rlast_o;
  assign aw    = awvalid_i && awready_o;
  assign w_end = wvalid_i && wready_o && wlast_i;
  assign b     = bvalid_o && bready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_count
    if (!rst_ni) begin
      {reads_q, addrs_q, datas_q} <= '0;
    end else begin
      reads_q <= reads_q + 10'(ar) - 10'(r_end);
      addrs_q <= addrs_q + 10'(aw) - 10'(b);
      datas_q <= datas_q + 10'(w_end) - 10'(b);
    end
  end

  logic idle;
  assign idle      = quiet_o && reads_q == '0 && addrs_q == '0;
  assign quiet_o   = !arvalid_i && !awvalid_i && !wvalid_i && addrs_q == datas_q;
  assign pending_o = !sink_q && reads_q != '0;
  assign enable_o  = sink_q || (bus_master_i && !pause_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_sink
    if (!rst_ni) begin
      sink_q <= 1'b0;
    end else if (sink_q) begin
      sink_q <= resetting_i || !idle;
    end else begin
      sink_q <= resetting_i && !bus_master_i && idle;
    end
  end

  // The sink's read answers: one burst at a time.
  logic               burst_q;
  logic [IdWidth-1:0] burst_id_q;
  logic [7:0]         beats_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_sink_read
    if (!rst_ni) begin
      {burst_q, burst_id_q, beats_q} <= '0;
    end else if (sink_q && ar) begin
      {burst_q, burst_id_q, beats_q} <= {1'b1, arid_i, arlen_i};
    end else if (burst_q && rready_i) begin
      burst_q <= beats_q != '0;
      beats_q <= beats_q - 8'd1;
    end
  end

  assign m_arvalid = arvalid_i && !sink_q;
  assign arready_o = sink_q ? !burst_q : m_arready;
  assign rvalid_o  = sink_q ? burst_q : m_rvalid;
  assign rid_o     = sink_q ? burst_id_q : m_rid;
  assign rresp_o   = sink_q ? SlaveError : m_rresp;
  assign rlast_o   = sink_q ? beats_q == '0 : m_rlast;
  assign m_rready  = rready_i && !sink_q;

  assign m_awvalid = awvalid_i && !sink_q;
  assign awready_o = sink_q || m_awready;
  assign m_wvalid  = wvalid_i && !sink_q;
  assign wready_o  = sink_q || m_wready;
  assign bvalid_o  = sink_q ? addrs_q != '0 && datas_q != '0 : m_bvalid;
  assign bid_o     = sink_q ? awid_i : m_bid;
  assign bresp_o   = sink_q ? SlaveError : m_bresp;
  assign m_bready  = bready_i && !sink_q;

endmodule
