/// Fills the rings, one block of whole pages, with zeros: the part of a reset that lies in guest
/// memory. One page is written at a time.
module vio_lguest_zero
  import vio_pkg::*;
#(
  parameter int unsigned DataWidth = 128,
  parameter logic [31:0] FirstPage = 32'h1,  ///< page frame where the rings begin
  parameter int unsigned NumPages  = 2
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,   ///< level: write, then stay done
  output logic                 done_o,

  output logic                 wr_cmd_valid_o,
  input  logic                 wr_cmd_ready_i,
  output dma_cmd_t             wr_cmd_o,
  output logic                 wr_data_valid_o,
  input  logic                 wr_data_ready_i,
  output logic [DataWidth-1:0] wr_data_o,
  input  logic                 wr_rsp_valid_i
);

  localparam int unsigned PageLength = vio_spec_pkg::LGUEST_PAGE;
  localparam int unsigned Beats      = PageLength / (DataWidth / 8);

  typedef enum logic [1:0] {StCommand, StData, StResponse, StDone} state_e;
  state_e      state_q;
  logic [31:0] page_q, beat_q;

  assign done_o          = state_q == StDone;
  assign wr_cmd_valid_o  = start_i && state_q == StCommand;
  assign wr_cmd_o.addr   = 64'(FirstPage + page_q) * 64'(PageLength);
  assign wr_cmd_o.len    = 13'(PageLength);
  assign wr_data_valid_o = state_q == StData;
  assign wr_data_o       = '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      state_q          <= StCommand;
      {page_q, beat_q} <= '0;
    end else begin
      unique case (state_q)
        StCommand: if (wr_cmd_valid_o && wr_cmd_ready_i) begin
          state_q <= StData;
          beat_q  <= '0;
        end
        StData: if (wr_data_ready_i) begin
          beat_q <= beat_q + 32'd1;
          if (beat_q == 32'(Beats - 1)) state_q <= StResponse;
        end
        StResponse: if (wr_rsp_valid_i) begin
          page_q  <= page_q + 32'd1;
          state_q <= page_q == 32'(NumPages - 1) ? StDone : StCommand;
        end
        default: if (!start_i) begin
          page_q  <= '0;
          state_q <= StCommand;
        end
      endcase
    end
  end

endmodule
