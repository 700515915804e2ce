/// Entropy device back end (virtio 1.4, 5.4): fills device-writable buffers with random bytes, in the
/// order in which their chains came in.
///
/// A request gets at most MaxBytes; what lies behind them stays as it is. A chain with a readable
/// element is an error. The generator is a stand-in: a product has its noise source in its place.
module vio_rng
  import vio_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  /// Bytes given to one request, at least 1.
  parameter int unsigned MaxBytes  = 4096
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,

  input  logic                 seg_valid_i,
  output logic                 seg_ready_o,
  input  segment_t             seg_i,
  output logic                 cpl_valid_o,
  input  logic                 cpl_ready_i,
  output completion_t          cpl_o,
  /// Forget all chains; finish what was begun on the bus.
  input  logic                 be_stop_i,
  /// No chain is held and nothing is on the bus.
  output logic                 be_idle_o,
  /// Guest memory could not be accessed, or an element is readable (pulse).
  output logic                 be_error_o,

  output logic                 wr_cmd_valid_o,
  input  logic                 wr_cmd_ready_i,
  output dma_cmd_t             wr_cmd_o,
  output logic                 wr_data_valid_o,
  input  logic                 wr_data_ready_i,
  output logic [DataWidth-1:0] wr_data_o,
  input  logic                 wr_rsp_valid_i,
  input  logic                 wr_rsp_err_i
);

  localparam int unsigned LaneBits = $clog2(DataWidth / 8);
  localparam int unsigned Lanes    = DataWidth / 64;
  typedef logic [$clog2(MaxBytes):0] total_t;

  // The element offered now: `offset_q` bytes of it, and `total_q` of its chain, are on their way.
  logic        active_q, active, fire, ends, take, room;
  logic [31:0] offset_q, left, bytes;
  total_t      total_q, budget;
  logic [63:0] addr;
  logic [12:0] to_page;

  assign active  = active_q || seg_i.first;
  assign addr    = seg_i.addr + 64'(offset_q);
  assign left    = seg_i.len - offset_q;
  assign budget  = total_t'(MaxBytes) - total_q;
  assign to_page = 13'd4096 - {1'b0, addr[11:0]};
  always_comb begin
    bytes = (left < 32'(budget)) ? left : 32'(budget);
    if (!seg_i.write || !active) bytes = '0;
    if (bytes > 32'(to_page)) bytes = 32'(to_page);
  end

  // There is room for the completion when an element is taken.
  assign wr_cmd_valid_o = seg_valid_i && bytes != '0 && room && !be_stop_i;
  assign wr_cmd_o       = '{addr: addr, len: bytes[12:0]};
  assign fire           = wr_cmd_valid_o && wr_cmd_ready_i;
  assign ends           = bytes == left || bytes == 32'(budget) || !seg_i.write || !active;
  assign seg_ready_o    = be_stop_i || (room && ends && (fire || bytes == '0));
  assign take           = seg_valid_i && seg_ready_o && active && !be_stop_i;

  assign be_error_o = !be_stop_i && ((wr_rsp_valid_i && wr_rsp_err_i)
                                     || (take && !seg_i.write && !seg_i.abort));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      offset_q <= '0;
      total_q  <= '0;
    end else if (be_stop_i) begin
      active_q <= 1'b0;
      offset_q <= '0;
      total_q  <= '0;
    end else begin
      if (fire) begin
        offset_q <= offset_q + bytes;
        total_q  <= total_q + total_t'(bytes);
      end
      if (take) begin
        active_q <= !seg_i.last;
        offset_q <= '0;
        if (seg_i.last) total_q <= '0;
      end
    end
  end

  logic done;
  assign done = take && seg_i.last && !seg_i.abort;
  vio_cpl_gate u_cpl (
    .clk_i, .rst_ni, .cpl_valid_o, .cpl_ready_i, .cpl_o,
    .clear_i     (be_stop_i),
    .write_i     (fire),
    .rsp_valid_i (wr_rsp_valid_i),
    .rsp_err_i   (wr_rsp_err_i),
    .in_valid_i  (done),
    .in_ready_o  (room),
    .in_i        ('{queue: seg_i.queue, tag: seg_i.tag, written: 32'(total_q) + bytes})
  );

  // Beats owed for accepted commands, commands that are not answered, and chains that are held.
  logic [15:0] owed_q, beats;
  logic [8:0]  open_q;
  logic [7:0]  held_q;
  assign beats           = 16'((bytes + 32'(DataWidth / 8 - 1)) >> LaneBits);
  assign wr_data_valid_o = owed_q != '0;
  assign be_idle_o       = open_q == '0 && (be_stop_i || !(active_q || seg_valid_i || held_q != '0));
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owed_q <= '0;
      open_q <= '0;
      held_q <= '0;
    end else begin
      held_q <= be_stop_i ? '0 : held_q + 8'(done) - 8'(cpl_valid_o && cpl_ready_i);
      owed_q <= owed_q + (fire ? beats : '0) - 16'(wr_data_valid_o && wr_data_ready_i);
      open_q <= open_q + 9'(fire) - 9'(wr_rsp_valid_i);
    end
  end

  // A 64-bit xorshift generator for each lane, running freely.
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [63:0] state_q, left_shifted, right_shifted;
    assign left_shifted  = state_q ^ (state_q << 13);
    assign right_shifted = left_shifted ^ (left_shifted >> 7);
    assign wr_data_o[64*i +: 64] = state_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) state_q <= 64'h9e37_79b9_7f4a_7c15 * 64'(i + 1);
      else state_q <= right_shifted ^ (right_shifted << 17);
    end
  end

endmodule
