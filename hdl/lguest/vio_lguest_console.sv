/// Very early console output: reads a zero-terminated string from guest memory, a beat at a time,
/// and keeps it for the host. It ends at the top of memory too; what finds no room is lost.
module vio_lguest_console
  import vio_pkg::*;
#(
  parameter int unsigned DataWidth = 128,
  parameter logic [31:0] MemoryTop = 32'h1000,
  parameter int unsigned Depth     = 256  ///< characters kept, a power of two
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,     ///< print the string at `addr_i` (pulse, while not busy)
  input  logic [31:0]          addr_i,
  output logic                 busy_o,

  output logic                 rd_cmd_valid_o,
  input  logic                 rd_cmd_ready_i,
  output dma_cmd_t             rd_cmd_o,
  input  logic                 rd_rsp_valid_i,
  input  logic [DataWidth-1:0] rd_rsp_data_i,
  input  logic                 rd_rsp_err_i,

  output logic                 char_valid_o,
  output logic [7:0]           char_o,
  input  logic                 char_ready_i
);

  localparam int unsigned DataBytes = DataWidth / 8;

  typedef enum logic [1:0] {StIdle, StRead, StWait, StKeep} state_e;
  state_e               state_q;
  logic [31:0]          addr_q, next;
  logic [DataWidth-1:0] data_q;
  logic                 last, line_end, unused_ready;

  assign busy_o         = state_q != StIdle;
  assign rd_cmd_valid_o = state_q == StRead;
  assign rd_cmd_o.addr  = 64'(addr_q);
  assign rd_cmd_o.len   = 13'(DataBytes) - 13'(addr_q % DataBytes);
  assign next           = addr_q + 32'd1;
  assign line_end       = next % DataBytes == '0;
  assign last           = data_q[7:0] == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      state_q          <= StIdle;
      {addr_q, data_q} <= '0;
    end else begin
      unique case (state_q)
        StIdle: if (start_i) begin
          state_q <= StRead;
          addr_q  <= addr_i;
        end
        StRead: if (rd_cmd_ready_i) state_q <= StWait;
        StWait: if (rd_rsp_valid_i) begin
          data_q  <= rd_rsp_data_i;
          state_q <= rd_rsp_err_i ? StIdle : StKeep;
        end
        default: begin
          addr_q <= next;
          data_q <= data_q >> 8;
          if (last || next == MemoryTop) state_q <= StIdle;
          else if (line_end) state_q <= StRead;
        end
      endcase
    end
  end

  vio_dma_fifo #(
    .Width (8),
    .Depth (Depth)
  ) u_chars (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (state_q == StKeep && !last),
    .wr_ready_o (unused_ready),
    .wr_data_i  (data_q[7:0]),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (char_valid_o),
    .rd_ready_i (char_ready_i),
    .rd_data_o  (char_o)
  );

endmodule
