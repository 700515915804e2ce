/// Cuts a read command into AXI4 bursts that cover its bytes and no byte more.
///
/// Bursts are as long as `limit_i` and the next multiple of 4 KiB allow, and end with a bus word;
/// what is left of the command's last word is read in single beats of decreasing power-of-two
/// size. So nobody watching the bus sees a byte read that was not asked for.
module vio_dma_split #(
  parameter int unsigned DataWidth = 256
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  /// Longest burst in bytes: a power of two, from the bus word's size to 4096.
  input  logic [12:0]                    limit_i,

  input  logic                           cmd_valid_i,
  output logic                           cmd_ready_o,
  input  vio_pkg::dma_cmd_t              cmd_i,

  output logic                           burst_valid_o,
  input  logic                           burst_ready_i,
  output logic [63:0]                    burst_addr_o,
  /// Beats minus one.
  output logic [7:0]                     burst_len_o,
  /// AXI4 size code.
  output logic [2:0]                     burst_size_o,
  /// Further beats of the same bus word follow in the next burst.
  output logic                           burst_more_o
);

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);

  logic        busy_q;
  logic [63:0] addr_q;
  logic [12:0] left_q;

  logic [LaneBits-1:0] lane;
  logic [12:0] page, reach, room, chunk, bytes, piece_end;
  logic [13:0] stop, beats;
  logic whole, accept, last;

  assign lane  = addr_q[LaneBits-1:0];
  assign page  = 13'd4096 - {1'b0, addr_q[11:0]};
  assign reach = limit_i - 13'(lane);
  assign room  = (page < reach) ? page : reach;
  assign chunk = (left_q < room) ? left_q : room;
  assign stop  = 14'(lane) + 14'(chunk);
  assign whole = stop >= 14'(DataBytes);
  assign beats = stop >> LaneBits;

  // The largest aligned block that holds the first byte and ends within the command.
  always_comb begin
    piece_end = 13'(lane) + 13'd1;
    for (int unsigned s = 1; s < LaneBits; s++) begin
      if (((14'(lane) >> s) + 14'd1) << s <= stop) piece_end = ((13'(lane) >> s) + 13'd1) << s;
    end
  end

  // The smallest size code whose block holds the first byte and the last one.
  logic [12:0] size_end;
  always_comb begin
    size_end     = whole ? 13'(DataBytes) : piece_end;
    burst_size_o = 3'(LaneBits);
    if (!whole || beats == 14'd1) begin
      for (int unsigned s = LaneBits; s > 0; s--) begin
        if (((13'(lane) >> (s - 1)) + 13'd1) << (s - 1) == size_end) burst_size_o = 3'(s - 1);
      end
    end
  end

  assign bytes        = whole ? chunk - 13'(stop[LaneBits-1:0]) : piece_end - 13'(lane);
  assign burst_len_o  = whole ? 8'(beats - 14'd1) : 8'd0;
  assign burst_addr_o = addr_q;
  assign last         = bytes == left_q;
  assign burst_more_o = !whole && !last;

  assign burst_valid_o = busy_q;
  assign accept        = burst_valid_o && burst_ready_i;
  assign cmd_ready_o   = !busy_q || (accept && last);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      addr_q <= '0;
      left_q <= '0;
    end else if (cmd_ready_o) begin
      busy_q <= cmd_valid_i;
      addr_q <= cmd_i.addr;
      left_q <= cmd_i.len;
    end else if (accept) begin
      addr_q <= addr_q + 64'(bytes);
      left_q <= left_q - bytes;
    end
  end

endmodule
