/// The ring's write port: one client's write at a time, its data behind its command; what the write
/// was for comes back with its response.
module vio_ring_wrport
  import vio_ring_pkg::*;
#(
  parameter int unsigned DataWidth  = 256,
  parameter int unsigned NumClients = 2     ///< the highest goes first
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  input  logic [NumClients-1:0]                req_valid_i,
  output logic [NumClients-1:0]                req_ready_o,
  input  vio_pkg::dma_cmd_t [NumClients-1:0]   req_cmd_i,
  input  note_t [NumClients-1:0]               req_note_i,
  input  logic [NumClients-1:0]                data_valid_i,
  output logic [NumClients-1:0]                data_ready_o,
  input  logic [NumClients-1:0][DataWidth-1:0] data_i,
  input  logic [NumClients-1:0]                data_last_i,
  output logic                                 wr_cmd_valid_o,
  input  logic                                 wr_cmd_ready_i,
  output vio_pkg::dma_cmd_t                    wr_cmd_o,
  output logic                                 wr_data_valid_o,
  input  logic                                 wr_data_ready_i,
  output logic [DataWidth-1:0]                 wr_data_o,
  input  logic                                 wr_rsp_valid_i,
  input  logic                                 wr_rsp_err_i,
  output logic                                 done_valid_o,  ///< a write is in memory
  output note_t                                done_note_o,
  output logic                                 done_err_o,
  output logic                                 idle_o
);

  localparam int unsigned ClientW   = $clog2(NumClients);
  localparam int unsigned MaxWrites = 16;
  localparam int unsigned CountW    = $clog2(MaxWrites) + 1;

  logic [ClientW-1:0] pick, client_q;
  logic busy_q, take, note_ready, note_valid;
  logic [CountW-1:0] outstanding_q;

  always_comb begin
    pick = '0;
    for (int unsigned i = 0; i < NumClients; i++) begin
      if (req_valid_i[i]) pick = ClientW'(i);
    end
  end

  assign wr_cmd_valid_o = !busy_q && |req_valid_i && note_ready;
  assign wr_cmd_o = req_cmd_i[pick];
  assign take = wr_cmd_valid_o && wr_cmd_ready_i;
  assign wr_data_valid_o = busy_q && data_valid_i[client_q];
  assign wr_data_o = data_i[client_q];
  always_comb begin
    req_ready_o = '0;
    req_ready_o[pick] = !busy_q && note_ready && wr_cmd_ready_i;
    data_ready_o = '0;
    data_ready_o[client_q] = busy_q && wr_data_ready_i;
  end

  vio_dma_fifo #(.Width($bits(note_t)), .Depth(MaxWrites)) u_notes (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (take),
    .wr_ready_o (note_ready),
    .wr_data_i  (req_note_i[pick]),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (note_valid),
    .rd_ready_i (wr_rsp_valid_i),
    .rd_data_o  (done_note_o)
  );
  assign done_valid_o = wr_rsp_valid_i && note_valid;
  assign done_err_o = done_valid_o && wr_rsp_err_i;
  assign idle_o = outstanding_q == '0 && !busy_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      client_q <= '0;
      outstanding_q <= '0;
    end else begin
      outstanding_q <= outstanding_q + CountW'(take) - CountW'(wr_rsp_valid_i);
      if (take) begin
        busy_q <= 1'b1;
        client_q <= pick;
      end else if (wr_data_valid_o && wr_data_ready_i && data_last_i[client_q]) begin
        busy_q <= 1'b0;
      end
    end
  end

endmodule
