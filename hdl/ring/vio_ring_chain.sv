/// The chains being fetched: a slot each, in the order in which they will be handed over, with the
/// elements fetched so far and the place where the chain goes on.
module vio_ring_chain
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                packed_i,
  input  logic                                indirect_ok_i,
  output logic [SlotW:0]                      free_o,
  output logic [SlotW-1:0]                    next_o,
  input  logic                                alloc_i,
  input  logic [QW-1:0]                       alloc_queue_i,
  input  logic [15:0]                         alloc_head_i,    ///< split: first descriptor
  input  logic                                item_valid_i,
  input  item_t                               item_i,
  input  logic                                feed_i,          ///< packed: `item_i` is for...
  input  logic [SlotW-1:0]                    feed_slot_i,     ///< this slot
  input  logic                                feed_bad_i,
  output logic                                feed_full_o,
  output logic [Slots-1:0]                    want_o,          ///< has room and needs a read
  input  logic [SlotW-1:0]                    walk_slot_i,     ///< slot shown to the walker
  output logic                                walk_want_o,
  output logic [QW-1:0]                       walk_queue_o,
  output chain_t                              walk_chain_o,
  input  logic                                walk_i,          ///< its read is on its way
  output logic                                head_valid_o,    ///< there is an oldest slot
  output logic [SlotW-1:0]                    head_slot_o,
  output logic [QW-1:0]                       head_queue_o,
  output logic [15:0]                         head_id_o,       ///< split head, packed buffer id
  output chain_t                              head_chain_o,
  output logic                                head_complete_o,
  output logic                                head_bad_o,
  output logic                                head_busy_o,     ///< a read of it is under way
  input  logic [DepthW:0]                     head_held_i,     ///< elements of it not yet loaded
  input  logic                                load_i,          ///< take an element of the oldest
  input  logic [DepthW-1:0]                   load_nth_i,
  output element_t                            element_o,       ///< one cycle later, and held
  input  logic                                free_i           ///< the oldest slot is done with
);

  localparam logic [15:0] Depth = 16'(SlotDepth);

  logic [Slots-1:0] fresh_q, fresh_d, busy_q, busy_d, want_q, want_d, full_q, full_d;
  logic [Slots-1:0] complete_q, complete_d, bad_q, bad_d;
  logic [SlotW:0] count_q;
  logic [SlotW-1:0] tail_q, head_q, slot;
  logic skip_q, skip_d;

  // Memories: one writer each.
  logic [QW+15:0] owner_mem[Slots];
  chain_t chain_mem[Slots];
  element_t element_mem[Slots*SlotDepth];

  assign next_o = tail_q;
  assign free_o = (SlotW + 1)'(Slots) - count_q;

  // What the item does to its chain.
  logic is_run, is_walk, is_feed, first, apply, full, store, done, bad, in_line, ended;
  logic [QW-1:0] queue;
  logic [15:0] size;
  chain_t was, after;
  element_t element;

  assign is_run = item_valid_i && item_i.own.kind == OwnRun;
  assign is_walk = item_valid_i && item_i.own.kind == OwnWalk;
  assign is_feed = feed_i;
  always_comb begin
    slot = item_i.own.slot;
    if (is_feed) slot = feed_slot_i;
    else if (is_run && item_i.own.down) slot = item_i.own.slot + SlotW'(item_i.own.count - 6'd1
                                                                        - item_i.nth);
    else if (is_run) slot = item_i.own.slot + SlotW'(item_i.nth);
  end
  assign first = is_feed && alloc_i ? 1'b1 : fresh_q[slot];
  assign queue = QW'(item_i.own.queue);
  assign size = cfg_i[queue].size;
  always_comb begin
    was = chain_mem[slot];
    if (first) begin
      was = '0;
      was.index = item_i.own.index + 16'(item_i.nth);
    end
  end
  assign full = is_feed && was.count >= Depth;
  assign feed_full_o = full;
  assign apply = (is_run || is_walk || is_feed) && !full && !(is_walk && skip_q)
    && (first || !bad_q[slot]);

  vio_ring_desc u_desc (
    .packed_i, .indirect_ok_i,
    .size_i    (size),
    .chain_i   (was),
    .desc_i    (item_i.data),
    .err_i     (item_i.err || (is_feed && feed_bad_i)),
    .chain_o   (after),
    .store_o   (store),
    .element_o (element),
    .done_o    (done),
    .bad_o     (bad),
    .in_line_o (in_line)
  );
  assign ended = apply ? done || bad : complete_q[slot] || bad_q[slot];

  always_comb begin
    fresh_d = fresh_q;
    busy_d = busy_q;
    want_d = want_q;
    full_d = full_q;
    complete_d = complete_q;
    bad_d = bad_q;
    skip_d = skip_q;
    if (alloc_i) begin
      fresh_d[tail_q] = 1'b1;
      busy_d[tail_q] = !packed_i;
      want_d[tail_q] = 1'b0;
      full_d[tail_q] = 1'b0;
      complete_d[tail_q] = 1'b0;
      bad_d[tail_q] = 1'b0;
    end
    if (walk_i) begin
      want_d[walk_slot_i] = 1'b0;
      busy_d[walk_slot_i] = 1'b1;
    end
    if (apply) begin
      fresh_d[slot] = 1'b0;
      complete_d[slot] = done;
      bad_d[slot] = bad;
      if (store && after.count >= Depth) full_d[slot] = 1'b1;
    end
    if (is_run) begin
      busy_d[slot] = 1'b0;
      want_d[slot] = !ended;
    end
    if (is_walk) begin
      skip_d = !item_i.last && (skip_q || !in_line);
      if (item_i.last) begin
        busy_d[slot] = 1'b0;
        want_d[slot] = !ended;
      end
    end
    // From the ring into a table, or more elements than there is room for: read on by oneself.
    if (is_feed && !(bad_q[slot] && !first)) want_d[slot] = full || (!store && !bad);
  end

  // The oldest slot is given room as it is emptied; the others are filled once.
  always_comb begin
    want_o = want_q & ~full_q;
    want_o[head_q] = want_q[head_q] && head_held_i <= (DepthW + 1)'(SlotDepth / 2);
  end
  assign walk_want_o = want_q[walk_slot_i];
  assign walk_chain_o = chain_mem[walk_slot_i];
  assign walk_queue_o = owner_mem[walk_slot_i][QW+15:16];

  assign head_valid_o = count_q != '0;
  assign head_slot_o = head_q;
  always_comb begin
    head_chain_o = chain_mem[head_q];
    if (fresh_q[head_q]) head_chain_o = '0;
    {head_queue_o, head_id_o} = owner_mem[head_q];
    if (packed_i) head_id_o = head_chain_o.id;
  end
  assign head_complete_o = complete_q[head_q];
  assign head_bad_o = bad_q[head_q];
  assign head_busy_o = busy_q[head_q];

  always_ff @(posedge clk_i) begin
    if (alloc_i) owner_mem[tail_q] <= {alloc_queue_i, alloc_head_i};
    if (apply) chain_mem[slot] <= after;
    if (apply && store) element_mem[{slot, was.count[DepthW-1:0]}] <= element;
    if (load_i) element_o <= element_mem[{head_q, load_nth_i}];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fresh_q <= '0;
      busy_q <= '0;
      want_q <= '0;
      full_q <= '0;
      complete_q <= '0;
      bad_q <= '0;
      skip_q <= 1'b0;
      count_q <= '0;
      tail_q <= '0;
      head_q <= '0;
    end else begin
      fresh_q <= fresh_d;
      busy_q <= busy_d;
      want_q <= free_i ? want_d & ~(Slots'(1) << head_q) : want_d;
      full_q <= full_d;
      complete_q <= complete_d;
      bad_q <= bad_d;
      skip_q <= skip_d;
      count_q <= count_q + (SlotW + 1)'(alloc_i) - (SlotW + 1)'(free_i);
      tail_q <= tail_q + SlotW'(alloc_i);
      head_q <= head_q + SlotW'(free_i);
    end
  end

endmodule
