/// Walks the elements of one chain after the other and cuts them into DMA commands.
///
/// Commands take `want_i` bytes from the first element on and end at multiples of 4096; elements
/// or parts that are not wanted are skipped.
module vio_blk_walk
  import vio_pkg::dma_cmd_t;
  import vio_blk_pkg::element_t;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Forget the place in the chain.
  input  logic        clear_i,

  /// A chain of `elements_i` elements; gone through when `chain_done_o`.
  input  logic        chain_valid_i,
  input  logic [15:0] elements_i,
  input  logic [31:0] want_i,
  /// No element of this chain is left, and this is the last cycle of the walk.
  output logic        chain_done_o,

  input  logic        elem_valid_i,
  output logic        elem_ready_o,
  input  element_t    elem_i,

  output logic        cmd_valid_o,
  input  logic        cmd_ready_i,
  output dma_cmd_t    cmd_o,
  /// The command is the last of its chain.
  output logic        cmd_last_o
);

  logic [31:0] offset_q, got_q, left, rest, bytes;
  logic [15:0] index_q;
  logic [63:0] addr;
  logic [12:0] room;
  logic        skip, fire, elem_end;

  assign addr = elem_i.addr + 64'(offset_q);
  assign left = elem_i.len - offset_q;
  assign rest = want_i - got_q;
  assign room = 13'd4096 - {1'b0, addr[11:0]};
  always_comb begin
    bytes = (left < rest) ? left : rest;
    if (bytes > 32'(room)) bytes = 32'(room);
  end

  assign skip        = rest == '0;
  assign cmd_valid_o = chain_valid_i && elem_valid_i && index_q != elements_i && !skip;
  assign cmd_o       = '{addr: addr, len: bytes[12:0]};
  assign cmd_last_o  = bytes == rest;
  assign fire        = cmd_valid_o && cmd_ready_i;
  assign elem_end    = bytes == left;

  assign elem_ready_o = chain_valid_i && index_q != elements_i && (skip || (fire && elem_end));
  assign chain_done_o = chain_valid_i
                        && (index_q == elements_i
                            || (elem_valid_i && elem_ready_o && index_q + 16'd1 == elements_i));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      offset_q <= '0;
      got_q    <= '0;
      index_q  <= '0;
    end else if (clear_i || chain_done_o) begin
      offset_q <= '0;
      got_q    <= '0;
      index_q  <= '0;
    end else begin
      if (fire) got_q <= got_q + bytes;
      if (elem_valid_i && elem_ready_o) begin
        offset_q <= '0;
        index_q  <= index_q + 16'd1;
      end else if (fire) begin
        offset_q <= offset_q + bytes;
      end
    end
  end

endmodule
