/// Collects the elements of a chain until its last one, so that a request is judged as a whole.
///
/// Elements are kept provisionally; a chain that cannot be a request (no complete header, no
/// writable byte, a readable element after a writable one, an empty element, an element that
/// wraps around the address space, too many of them, more than 2^32-1 bytes) leaves none behind.
module vio_blk_intake
  import vio_pkg::segment_t;
  import vio_blk_pkg::*;
#(
  /// Readable, and writable, elements that can be held: a power of two.
  parameter int unsigned SegDepth = 1024,
  /// Chains that can be held, a power of two.
  parameter int unsigned Chains   = 64
) (
  input  logic     clk_i,
  input  logic     rst_ni,
  /// Forget everything.
  input  logic     clear_i,
  /// Take and forget what comes.
  input  logic     stop_i,

  input  logic     seg_valid_i,
  output logic     seg_ready_o,
  input  segment_t seg_i,
  /// A chain ended without being kept (pulse).
  output logic     aborted_o,
  /// An element wraps around the address space (pulse).
  output logic     wrapped_o,

  output logic     fetch_valid_o,
  input  logic     fetch_ready_i,
  output fetch_t   fetch_o,
  output logic     rd_elem_valid_o,
  input  logic     rd_elem_ready_i,
  output element_t rd_elem_o,

  output logic     chain_valid_o,
  input  logic     chain_ready_i,
  output chain_t   chain_o,
  output logic     wr_elem_valid_o,
  input  logic     wr_elem_ready_i,
  output element_t wr_elem_o
);

  import vio_spec_pkg::*;

  // What is known of the chain so far, and with the element offered now.
  typedef struct packed {
    logic        active;
    logic        bad;
    logic        wrapped;   // so is the last writable element
    logic        writable;  // a writable element came
    logic [31:0] rd_len;
    logic [31:0] wr_len;
    logic [15:0] rd_count;
    logic [15:0] wr_count;
    logic [63:0] status_addr;
  } sum_t;

  sum_t sum_q, old, sum;
  logic [64:0] end_addr;
  logic [32:0] rd_len, wr_len;
  logic [31:0] keep_len;
  logic wraps, too_many, keep, take, relevant, good, fetch_ready, chain_ready, rd_ready, wr_ready;

  always_comb begin
    old = sum_q;
    if (seg_i.first) old = '{active: 1'b1, default: '0};
  end
  assign end_addr = {1'b0, seg_i.addr} + {33'd0, seg_i.len} - 65'd1;
  assign wraps    = end_addr[64] && seg_i.len != '0;
  assign rd_len   = {1'b0, old.rd_len} + {1'b0, seg_i.len};
  assign wr_len   = {1'b0, old.wr_len} + {1'b0, seg_i.len};
  assign too_many = (seg_i.write ? old.wr_count : old.rd_count) == 16'(SegDepth);

  // The status byte ends the chain and is no part of the elements that are kept.
  assign keep_len = seg_i.len - 32'(seg_i.write && seg_i.last);
  assign keep     = !old.bad && !too_many && seg_i.len != '0 && keep_len != '0;

  always_comb begin
    sum     = old;
    sum.bad = old.bad || too_many || wraps || seg_i.len == '0;
    if (seg_i.write) begin
      sum.writable    = 1'b1;
      sum.wrapped     = wraps;
      sum.status_addr = end_addr[63:0];
      sum.wr_len      = wr_len[32] ? '1 : wr_len[31:0];
      sum.wr_count    = old.wr_count + 16'(keep);
      sum.bad         = sum.bad || wr_len[32];
    end else begin
      sum.rd_len   = rd_len[32] ? '1 : rd_len[31:0];
      sum.rd_count = old.rd_count + 16'(keep);
      sum.bad      = sum.bad || rd_len[32] || old.writable;
    end
  end

  logic silent, ragged, segment;
  logic [31:0] out_len;
  assign silent  = !sum.writable || sum.wrapped || sum.wr_len == '0;
  assign out_len = sum.rd_len - BLK_HEADER_LENGTH;
  assign ragged  = out_len[8:0] != '0;
  assign segment = out_len == SegmentLength;
  assign good    = !sum.bad && !silent && sum.rd_len >= BLK_HEADER_LENGTH;

  // Elements before the first of a chain belong to one that was forgotten.
  assign relevant    = seg_valid_i && old.active && !stop_i;
  assign seg_ready_o = stop_i || !old.active
                       || ((!keep || (seg_i.write ? wr_ready : rd_ready))
                           && (!seg_i.last || (fetch_ready && chain_ready)));
  assign take        = relevant && seg_ready_o;
  assign aborted_o   = take && seg_i.last && seg_i.abort;
  assign wrapped_o   = take && wraps;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_q <= '0;
    end else if (clear_i) begin
      sum_q <= '0;
    end else if (take) begin
      sum_q        <= sum;
      sum_q.active <= !seg_i.last;
    end
  end

  logic finish, commit, drop;
  assign finish = take && seg_i.last && !seg_i.abort;
  assign commit = finish && good;
  assign drop   = take && seg_i.last && !commit;

  vio_dma_fifo #(.Width($bits(fetch_t)), .Depth(Chains)) u_fetch (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (commit),
    .wr_ready_o (fetch_ready),
    .wr_data_i  ({sum.rd_count, ragged && !segment ? BLK_HEADER_LENGTH : sum.rd_len}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (fetch_valid_o),
    .rd_ready_i (fetch_ready_i),
    .rd_data_o  (fetch_o)
  );

  chain_t chain;
  assign chain = '{
    queue: seg_i.queue, tag: seg_i.tag, bad: !good, silent: silent,
    out_len: ragged ? '0 : out_len, ragged: ragged, segment: segment,
    in_len: sum.wr_len - 32'd1, elements: sum.wr_count, status_addr: sum.status_addr
  };
  vio_dma_fifo #(.Width($bits(chain_t)), .Depth(Chains)) u_chain (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (finish),
    .wr_ready_o (chain_ready),
    .wr_data_i  (chain),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (chain_valid_o),
    .rd_ready_i (chain_ready_i),
    .rd_data_o  (chain_o)
  );

  vio_dma_fifo #(.Width($bits(element_t)), .Depth(SegDepth)) u_readable (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (take && keep && !seg_i.write),
    .wr_ready_o (rd_ready),
    .wr_data_i  ({seg_i.addr, keep_len}),
    .commit_i   (commit),
    .rollback_i (drop),
    .rd_valid_o (rd_elem_valid_o),
    .rd_ready_i (rd_elem_ready_i),
    .rd_data_o  (rd_elem_o)
  );

  vio_dma_fifo #(.Width($bits(element_t)), .Depth(SegDepth)) u_writable (
    .clk_i, .rst_ni, .clear_i,
    .wr_valid_i (take && keep && seg_i.write),
    .wr_ready_o (wr_ready),
    .wr_data_i  ({seg_i.addr, keep_len}),
    .commit_i   (commit),
    .rollback_i (drop),
    .rd_valid_o (wr_elem_valid_o),
    .rd_ready_i (wr_elem_ready_i),
    .rd_data_o  (wr_elem_o)
  );

endmodule
