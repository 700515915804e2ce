/// Turns a write command and its packed beats into bus words with strobes, cut into bursts.
module vio_dma_place #(
  parameter int unsigned DataWidth = 256
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// Longest burst in bytes, a power of two.
  input  logic [12:0]            limit_i,

  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  vio_pkg::dma_cmd_t      cmd_i,
  input  logic                   data_valid_i,
  output logic                   data_ready_o,
  input  logic [DataWidth-1:0]   data_i,

  output logic                   beat_valid_o,
  input  logic                   beat_ready_i,
  output logic [DataWidth-1:0]   beat_data_o,
  output logic [DataWidth/8-1:0] beat_strb_o,
  /// Last beat of a burst: its address and length are valid.
  output logic                   beat_last_o,
  output logic [63:0]            burst_addr_o,
  output logic [7:0]             burst_len_o,
  /// The burst is the command's last.
  output logic                   burst_final_o
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);
  typedef logic [13-LaneBits:0] count_t;

  logic [LaneBits-1:0] lane, end_lane;
  logic [13:0] stop;
  count_t words, inputs, index_q;
  logic first, final_word, need_data, step;

  assign lane       = cmd_i.addr[LaneBits-1:0];
  assign stop       = 14'(lane) + 14'(cmd_i.len);
  assign end_lane   = stop[LaneBits-1:0] - LaneBits'(1);  // last lane of the last word
  assign words      = count_t'((stop + 14'(DataBytes - 1)) >> LaneBits);
  assign inputs     = count_t'((14'(cmd_i.len) + 14'(DataBytes - 1)) >> LaneBits);
  assign first      = index_q == '0;
  assign final_word = index_q == words - count_t'(1);
  assign need_data  = index_q < inputs;

  // Lanes from `lane` up belong to this word, the lower ones to the next.
  logic [DataWidth-1:0] turned, prev_q;
  assign turned = DataWidth'({data_i, data_i}
                             >> ((LaneBits + 4)'(DataWidth) - {1'b0, lane, 3'b000}));
  always_comb begin
    for (int unsigned i = 0; i < DataBytes; i++) begin
      beat_data_o[8*i +: 8] = (LaneBits'(i) < lane) ? prev_q[8*i +: 8] : turned[8*i +: 8];
      beat_strb_o[i] = !(first && LaneBits'(i) < lane) && !(final_word && LaneBits'(i) > end_lane);
    end
  end

  logic [63:0] addr, start_q;
  logic [7:0]  len_q;
  logic [12:0] after;
  assign addr  = first ? cmd_i.addr
                       : {cmd_i.addr[63:LaneBits] + (64-LaneBits)'(index_q), LaneBits'(0)};
  assign after = {addr[12:LaneBits], LaneBits'(0)} + 13'(DataBytes);
  assign beat_last_o   = final_word || (after & (limit_i - 13'd1)) == '0;
  assign burst_addr_o  = (len_q == '0) ? addr : start_q;
  assign burst_len_o   = len_q;
  assign burst_final_o = final_word;

  assign beat_valid_o = cmd_valid_i && (!need_data || data_valid_i);
  assign step         = beat_valid_o && beat_ready_i;
  assign data_ready_o = step && need_data;
  assign cmd_ready_o  = step && final_word;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      index_q <= '0;
      len_q   <= '0;
      start_q <= '0;
    end else if (step) begin
      index_q <= final_word ? '0 : index_q + count_t'(1);
      len_q   <= beat_last_o ? '0 : len_q + 8'd1;
      start_q <= burst_addr_o;
    end
  end
  always_ff @(posedge clk_i) begin
    if (step) prev_q <= turned;
  end

endmodule
