/// Turns bus words into a command's packed beats: its first byte is bits [7:0] of its first beat.
module vio_dma_pack #(
  parameter int unsigned DataWidth = 256
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,

  input  logic                           cmd_valid_i,
  output logic                           cmd_ready_o,
  /// The command's first byte lane.
  input  logic [$clog2(DataWidth/8)-1:0] cmd_lane_i,
  input  logic [12:0]                    cmd_len_i,

  input  logic                           word_valid_i,
  output logic                           word_ready_o,
  input  logic [DataWidth-1:0]           word_i,
  input  logic                           word_err_i,

  output logic                           rsp_valid_o,
  input  logic                           rsp_ready_i,
  output logic [DataWidth-1:0]           rsp_data_o,
  output logic                           rsp_last_o,
  /// The response brought an error at or before this beat of the command.
  output logic                           rsp_err_o
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);
  typedef logic [13-LaneBits:0] count_t;

  count_t words, beats, words_left, beats_left, words_q, beats_q;
  logic   active_q, err_q;
  logic [DataWidth-1:0] turned, prev_q, beat;

  assign words      = count_t'((14'(cmd_lane_i) + 14'(cmd_len_i) + 14'(DataBytes - 1)) >> LaneBits);
  assign beats      = count_t'((14'(cmd_len_i) + 14'(DataBytes - 1)) >> LaneBits);
  assign words_left = active_q ? words_q : words;
  assign beats_left = active_q ? beats_q : beats;

  // Lanes below DataBytes-lane of the turned word belong to this beat, the others to the next.
  assign turned = DataWidth'({word_i, word_i} >> {cmd_lane_i, 3'b000});
  logic from_prev;  // the low lanes come from the word before
  assign from_prev = active_q && cmd_lane_i != '0;
  always_comb begin
    for (int unsigned i = 0; i < DataBytes; i++) begin
      if (from_prev && i + 32'(cmd_lane_i) < DataBytes) begin
        beat[8*i +: 8] = prev_q[8*i +: 8];
      end else begin
        beat[8*i +: 8] = turned[8*i +: 8];
      end
    end
  end

  logic need_word, emits, space, step;
  assign need_word = words_left != '0;
  assign emits     = active_q || cmd_lane_i == '0 || words == count_t'(1);
  assign space     = !rsp_valid_o || rsp_ready_i;
  assign step      = cmd_valid_i && (!need_word || word_valid_i) && (!emits || space);

  assign word_ready_o = step && need_word;
  assign cmd_ready_o  = step && emits && beats_left == count_t'(1);

  logic err;
  assign err = (active_q && err_q) || (need_word && word_err_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q    <= 1'b0;
      words_q     <= '0;
      beats_q     <= '0;
      err_q       <= 1'b0;
      rsp_valid_o <= 1'b0;
    end else begin
      if (step) begin
        active_q <= !cmd_ready_o;
        words_q  <= words_left - count_t'(need_word);
        beats_q  <= beats_left - count_t'(emits);
        err_q    <= err;
      end
      if (space) rsp_valid_o <= step && emits;
    end
  end

  always_ff @(posedge clk_i) begin
    if (step && need_word) prev_q <= turned;
    if (step && emits) begin
      rsp_data_o <= beat;
      rsp_last_o <= cmd_ready_o;
      rsp_err_o  <= err;
    end
  end

endmodule
