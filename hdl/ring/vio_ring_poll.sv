/// Packed: reads the descriptor ring in ring order (virtio 1.4, 2.8.1 to 2.8.6), a batch at a time,
/// and takes from it what the driver has made available. A batch that meets a descriptor which is
/// not available ends there; what was asked for behind it is dropped and read again later.
module vio_ring_poll
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                packed_i,
  input  logic                                run_i,           ///< new chains may be fetched
  input  logic [NumQueues-1:0]                stop_i,
  input  logic [NumQueues-1:0]                clear_i,
  input  logic                                halt_i,
  input  logic [NumQueues-1:0]                look_ok_i,
  output logic                                look_o,
  output logic [QW-1:0]                       look_queue_o,
  output logic                                result_o,
  output logic [QW-1:0]                       result_queue_o,
  output logic                                result_more_o,
  output logic [15:0]                         result_pos_o,
  output logic                                req_valid_o,
  input  logic                                req_ready_i,
  output rd_req_t                             req_o,
  input  logic                                item_valid_i,
  input  item_t                               item_i,
  input  logic [SlotW:0]                      slot_free_i,
  input  logic [SlotW-1:0]                    slot_next_i,
  output logic                                alloc_o,
  output logic [QW-1:0]                       alloc_queue_o,
  output logic                                feed_o,          ///< the item belongs to this slot
  output logic [SlotW-1:0]                    feed_slot_o,
  output logic                                feed_bad_o,      ///< and breaks its chain
  input  logic                                feed_full_i,     ///< no room: the slot reads it again
  input  logic [QW-1:0]                       head_queue_i,    ///< the oldest slot
  input  logic [SlotW-1:0]                    head_slot_i,
  output logic                                head_open_o,     ///< its end is not yet seen here
  output logic                                idle_o,          ///< no chain half read
  output logic                                error_o
);

  localparam logic [2:0] MaxJobs = 3'd4;

  // Where the ring goes on: `base` for what was taken, `ask` for what was asked for.
  ring_pos_t [NumQueues-1:0] base_q, base_d, ask_q, ask_d;
  logic [NumQueues-1:0][2:0] jobs_q, jobs_d;
  // `drop`: answers under way are void; `hot`: the last batch was available as a whole.
  logic [NumQueues-1:0] drop_q, drop_d, hot_q, hot_d, fresh, more, finish;
  // The chain that a batch has left half read: its slot, whether that reads on by itself
  // (`spill`), its length so far, and whether it has been read again since it looked torn.
  logic [NumQueues-1:0] open_q, open_d, spill_q, spill_d, again_q, again_d;
  logic [NumQueues-1:0][SlotW-1:0] slot_q, slot_d;
  logic [NumQueues-1:0][15:0] length_q, length_d;

  // Jobs. A half read chain is finished even when no new one may start.
  logic any, chosen_q, chosen_d, reserve, issue;
  logic [QW-1:0] pick, queue_q;
  logic [SlotW:0] reserved_q, reserved_d, spare;
  ring_pos_t from;
  logic [15:0] to_end, align_end, count;
  vio_pkg::queue_cfg_t cfg;

  assign spare = slot_free_i - reserved_q;
  for (genvar q = 0; q < NumQueues; q++) begin : gen_want
    logic on, room;
    assign on = packed_i && !stop_i[q] && !halt_i && !drop_q[q];
    assign room = run_i && cfg_i[q].enabled && look_ok_i[q]
      && spare >= (SlotW + 1)'(BatchDescs);
    assign fresh[q] = on && room && jobs_q[q] == '0;
    assign more[q] = on && room && hot_q[q] && jobs_q[q] != '0 && jobs_q[q] < MaxJobs;
    assign finish[q] = on && open_q[q] && jobs_q[q] == '0;
  end

  vio_ring_rr #(.Num(NumQueues)) u_rr (
    .clk_i, .rst_ni,
    .req_i   (fresh | more | finish),
    .take_i  (!chosen_q && any),
    .valid_o (any),
    .index_o (pick)
  );

  assign cfg = cfg_i[queue_q];
  assign reserve = fresh[queue_q] || more[queue_q];
  assign from = jobs_q[queue_q] == '0 ? base_q[queue_q] : ask_q[queue_q];
  assign to_end = cfg.size - 16'(from.off);
  assign align_end = 16'(BatchDescs) - 16'(from.off % 15'(BatchDescs));
  assign count = to_end < align_end ? to_end : align_end;
  assign req_valid_o = chosen_q && (reserve || finish[queue_q]);
  assign req_o.cmd = '{addr: cfg.desc + 64'({from.off, 4'd0}), len: 13'({count[5:0], 4'd0})};
  assign req_o.own = '{kind: OwnStream, queue: QueueW'(queue_q), slot: '0, down: 1'b0,
                       room: reserve, count: count[5:0], wrap: from.wrap, index: 16'(from.off)};
  assign issue = req_valid_o && req_ready_i;
  assign look_o = issue && jobs_q[queue_q] == '0;
  assign look_queue_o = queue_q;

  // Answers, one descriptor a cycle.
  logic live, available, is_open, broken, torn, taken, long;
  logic [QW-1:0] iq;
  desc_flags_t flags;
  logic [5:0] used_q, used_d;
  logic [15:0] size;
  logic unused;
  assign unused = ^{cfg, item_i, flags};

  assign iq = QW'(item_i.own.queue);
  assign size = cfg_i[iq].size;
  assign flags = item_i.data[127:112];
  assign live = item_valid_i && item_i.own.kind == OwnStream && !drop_q[iq] && !stop_i[iq]
    && !halt_i;
  assign available = flags.avail == item_i.own.wrap && flags.used != item_i.own.wrap;
  assign is_open = open_q[iq];
  // No chain starts here: nothing there, or no slot for it.
  assign broken = live && !is_open && !item_i.err && (!available || !item_i.own.room);
  // A list whose tail looks older than its head may have been read before it was complete.
  assign torn = live && is_open && !item_i.err && !available && !again_q[iq];
  assign taken = live && !broken && !torn && !error_o;
  assign long = flags.next && length_q[iq] + 16'd1 >= size;
  assign error_o = live && (item_i.err || (is_open && spill_q[iq] && (long || !available))
                            && !torn);
  assign alloc_o = taken && !is_open;
  assign alloc_queue_o = iq;
  assign feed_o = taken && !(is_open && spill_q[iq]);
  assign feed_slot_o = is_open ? slot_q[iq] : slot_next_i;
  assign feed_bad_o = is_open && !available;

  // The look's result: the first place not available, or more of the same.
  assign result_o = (broken && item_i.own.room) || (taken && item_i.last && item_i.own.room);
  assign result_queue_o = iq;
  assign result_more_o = taken;
  assign result_pos_o = base_q[iq];
  assign idle_o = open_q == '0;
  // Once used, a chain's slots may change: it is handed over only when this side has passed it.
  assign head_open_o = open_q[head_queue_i] && slot_q[head_queue_i] == head_slot_i;

  always_comb begin
    base_d = base_q;
    ask_d = ask_q;
    jobs_d = jobs_q;
    drop_d = drop_q;
    hot_d = hot_q;
    open_d = open_q;
    spill_d = spill_q;
    again_d = again_q;
    slot_d = slot_q;
    length_d = length_q;
    used_d = used_q;
    reserved_d = reserved_q;
    chosen_d = chosen_q ? req_valid_o && !req_ready_i : any;
    if (issue) begin
      ask_d[queue_q] = ring_step(from, count, cfg.size);
      jobs_d[queue_q] = jobs_q[queue_q] + 3'd1;
      if (reserve) reserved_d = reserved_d + (SlotW + 1)'(count);
    end
    if (taken) begin
      base_d[iq] = ring_step(base_q[iq], 16'd1, size);
      again_d[iq] = 1'b0;
      open_d[iq] = flags.next;
      if (!is_open) slot_d[iq] = slot_next_i;
      spill_d[iq] = flags.next && (spill_q[iq] || feed_full_i);
      length_d[iq] = flags.next ? length_q[iq] + 16'd1 : '0;
    end
    if (broken || torn) begin
      drop_d[iq] = 1'b1;
      hot_d[iq] = 1'b0;
    end
    if (torn) again_d[iq] = 1'b1;
    if (alloc_o) begin
      reserved_d = reserved_d - (SlotW + 1)'(1);
      used_d = used_q + 6'd1;
    end
    if (item_valid_i && item_i.own.kind == OwnStream && item_i.last) begin
      if (taken) hot_d[iq] = 1'b1;
      if (item_i.own.room) reserved_d = reserved_d - (SlotW + 1)'(item_i.own.count - used_d);
      used_d = '0;
      jobs_d[iq] = jobs_d[iq] - 3'd1;
      if (jobs_d[iq] == '0) drop_d[iq] = 1'b0;
    end
    for (int unsigned q = 0; q < NumQueues; q++) begin
      // What a stopped queue or an error left half read will never be finished.
      if (stop_i[q] || halt_i) open_d[q] = 1'b0;
      if (clear_i[q]) begin
        base_d[q] = RingStart;
        hot_d[q] = 1'b0;
        spill_d[q] = 1'b0;
        again_d[q] = 1'b0;
        length_d[q] = '0;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      base_q <= {NumQueues{RingStart}};
      ask_q <= '0;
      jobs_q <= '0;
      drop_q <= '0;
      hot_q <= '0;
      open_q <= '0;
      spill_q <= '0;
      again_q <= '0;
      slot_q <= '0;
      length_q <= '0;
      used_q <= '0;
      reserved_q <= '0;
      chosen_q <= 1'b0;
      queue_q <= '0;
    end else begin
      base_q <= base_d;
      ask_q <= ask_d;
      jobs_q <= jobs_d;
      drop_q <= drop_d;
      hot_q <= hot_d;
      open_q <= open_d;
      spill_q <= spill_d;
      again_q <= again_d;
      slot_q <= slot_d;
      length_q <= length_d;
      used_q <= used_d;
      reserved_q <= reserved_d;
      chosen_q <= chosen_d;
      if (!chosen_q) queue_q <= pick;
    end
  end

endmodule
