/// Split: reads the available ring (virtio 1.4, 2.7.6). First its index, then, in batches, the
/// entries that the index covers, whose heads go to `vio_ring_heads`.
module vio_ring_avail
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                run_i,          ///< split, and fetching is allowed
  input  logic [NumQueues-1:0]                stop_i,
  input  logic [NumQueues-1:0]                clear_i,
  input  logic                                halt_i,         ///< a ring error: take nothing more
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
  output logic                                head_valid_o,   ///< always taken
  output logic [QW-1:0]                       head_queue_o,
  output logic [15:0]                         head_o,
  input  logic                                head_taken_i,   ///< a head has left its queue
  output logic                                error_o
);

  import vio_spec_pkg::*;

  // From so many new entries on it pays to look again before arming a notification.
  localparam logic [15:0] MoreFrom = 16'd4;
  typedef logic [$clog2(HeadDepth):0] room_t;

  // `seen`: the index as last read; `next`: the first entry not asked for yet.
  logic [NumQueues-1:0][15:0] next_q, next_d, seen_q, seen_d;
  logic [NumQueues-1:0] looking_q, looking_d, want_entries, want_index;
  logic any, chosen_q, chosen_d, issue, entries;
  logic [QW-1:0] pick, queue_q, item_queue;
  room_t room_q, room_d;
  logic [15:0] left, slot, to_end, to_line, count, news, size;
  logic [63:0] entry_addr;
  logic item_index, item_entry, item_live;
  vio_pkg::queue_cfg_t cfg;
  logic unused;
  assign unused = ^{cfg, item_i};

  for (genvar q = 0; q < NumQueues; q++) begin : gen_want
    logic on;
    assign on = run_i && !stop_i[q] && cfg_i[q].enabled;
    assign want_entries[q] = on && next_q[q] != seen_q[q];
    assign want_index[q] = on && next_q[q] == seen_q[q] && look_ok_i[q] && !looking_q[q];
  end

  vio_ring_rr #(.Num(NumQueues)) u_rr (
    .clk_i, .rst_ni,
    .req_i   (want_entries | want_index),
    .take_i  (!chosen_q && any),
    .valid_o (any),
    .index_o (pick)
  );

  assign cfg = cfg_i[queue_q];
  assign entries = want_entries[queue_q];
  assign left = seen_q[queue_q] - next_q[queue_q];
  assign slot = next_q[queue_q] & (cfg.size - 16'd1);
  assign to_end = cfg.size - slot;
  assign entry_addr = cfg.driver + 64'(SPLIT_AVAIL_HEADER) + 64'({slot, 1'b0});
  // Batches end where the bus does not have to cut them.
  assign to_line = 16'(BatchEntries) - (entry_addr[16:1] % 16'(BatchEntries));
  always_comb begin
    count = left < to_end ? left : to_end;
    if (count > to_line) count = to_line;
    req_o.own = '{kind: entries ? OwnEntries : OwnIndex, queue: QueueW'(queue_q), slot: '0,
                  down: 1'b0, room: 1'b0, count: entries ? count[5:0] : 6'd1, wrap: 1'b0,
                  index: '0};
    if (entries) begin
      req_o.cmd = '{addr: entry_addr, len: 13'({count[5:0], 1'b0})};
    end else begin
      req_o.cmd = '{addr: cfg.driver, len: 13'(SPLIT_AVAIL_HEADER)};
    end
  end
  assign req_valid_o = chosen_q && (entries ? 16'(room_q) >= count : want_index[queue_q]);
  assign issue = req_valid_o && req_ready_i;
  assign look_o = issue && !entries;
  assign look_queue_o = queue_q;

  // Answers. What comes for a queue being stopped, or after an error, is not looked at.
  assign item_queue = QW'(item_i.own.queue);
  assign item_index = item_valid_i && item_i.own.kind == OwnIndex;
  assign item_entry = item_valid_i && item_i.own.kind == OwnEntries;
  assign item_live = !stop_i[item_queue] && !halt_i;
  assign size = cfg_i[item_queue].size;
  assign news = item_i.data[31:16] - seen_q[item_queue];
  assign head_o = item_i.data[15:0];
  assign head_queue_o = item_queue;
  assign head_valid_o = item_entry && item_live && !error_o;
  assign error_o = item_live && (item_index || item_entry)
    && (item_i.err || (item_index ? news > size : head_o >= size));
  assign result_o = item_index && item_live && !error_o;
  assign result_queue_o = item_queue;
  assign result_more_o = news >= MoreFrom;
  assign result_pos_o = item_i.data[31:16];

  always_comb begin
    next_d = next_q;
    seen_d = seen_q;
    looking_d = looking_q;
    room_d = room_q + room_t'(head_taken_i) + room_t'(item_entry && !head_valid_o);
    chosen_d = !chosen_q && any;
    if (chosen_q && req_valid_o && !req_ready_i) chosen_d = 1'b1;
    if (issue) begin
      if (entries) begin
        next_d[queue_q] = next_q[queue_q] + count;
        room_d = room_d - room_t'(count);
      end else begin
        looking_d[queue_q] = 1'b1;
      end
    end
    if (item_index) looking_d[item_queue] = 1'b0;
    if (result_o) seen_d[item_queue] = item_i.data[31:16];
    for (int unsigned q = 0; q < NumQueues; q++) begin
      if (clear_i[q]) begin
        next_d[q] = '0;
        seen_d[q] = '0;
        looking_d[q] = 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_q <= '0;
      seen_q <= '0;
      looking_q <= '0;
      chosen_q <= 1'b0;
      queue_q <= '0;
      room_q <= room_t'(HeadDepth);
    end else begin
      next_q <= next_d;
      seen_q <= seen_d;
      looking_q <= looking_d;
      chosen_q <= chosen_d;
      if (!chosen_q) queue_q <= pick;
      room_q <= room_d;
    end
  end

endmodule
