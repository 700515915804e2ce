/// Used buffer notifications: once a used write is in memory, reads what the driver wishes (virtio
/// 1.4, 2.7.7 and 2.8.10) and asks for an interrupt where it is due. One look covers all that was
/// used before it.
module vio_ring_event
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                packed_i,
  input  logic                                event_idx_i,
  input  logic [NumQueues-1:0]                stop_i,
  input  logic [NumQueues-1:0]                clear_i,
  input  logic                                done_i,       ///< a NoteUsed write is in memory
  input  note_t                               done_note_i,
  output logic                                req_valid_o,
  input  logic                                req_ready_i,
  output rd_req_t                             req_o,
  input  logic                                item_valid_i,
  input  item_t                               item_i,
  output logic                                irq_valid_o,
  output logic [15:0]                         irq_queue_o,
  input  logic                                irq_ready_i,
  output logic                                idle_o,
  output logic                                error_o
);

  import vio_spec_pkg::*;

  // Used positions: `now` in memory, `told` at the last decision (relative to
  // the start), `asked` when the look began; and
  // how many steps were made since the last look, and in the look under way.
  logic [NumQueues-1:0][15:0] now_q, told_q, asked_q, steps_q, asked_steps_q;
  logic [NumQueues-1:0] due_q, due_d, looking_q, looking_d, irq_q, irq_d;

  logic any, ask, answer;
  logic [QW-1:0] pick, done_queue, iq;
  vio_pkg::queue_cfg_t cfg;
  logic unused;
  assign unused = ^{cfg, item_i, done_note_i.kind};

  assign done_queue = QW'(done_note_i.queue);
  vio_ring_rr #(.Num(NumQueues)) u_rr (
    .clk_i, .rst_ni,
    .req_i   (due_q & ~looking_q & ~stop_i),
    .take_i  (ask),
    .valid_o (any),
    .index_o (pick)
  );
  assign cfg = cfg_i[pick];
  assign req_valid_o = any;
  assign ask = req_valid_o && req_ready_i;
  always_comb begin
    req_o.cmd = '{addr: cfg.driver, len: packed_i ? 13'(PACKED_EVENT_LENGTH) : 13'd2};
    if (!packed_i && event_idx_i) begin
      req_o.cmd.addr = cfg.driver + 64'(SPLIT_AVAIL_HEADER) + 64'({cfg.size, 1'b0});
    end
    req_o.own = '{kind: OwnEvent, queue: QueueW'(pick), slot: '0, down: 1'b0, room: 1'b0,
                  count: 6'd1, wrap: 1'b0, index: '0};
  end

  // The answer. A packed event position counts from the last decision's, round the ring twice.
  logic wanted;
  logic [15:0] told, now, steps;
  ring_pos_t event_pos, told_pos;
  logic [1:0] event_flags;
  logic [17:0] distance;
  assign iq = QW'(item_i.own.queue);
  assign answer = item_valid_i && item_i.own.kind == OwnEvent;
  assign error_o = answer && item_i.err && !stop_i[iq];
  assign told = told_q[iq] ^ start_pos(packed_i);
  assign now = asked_q[iq];
  assign steps = asked_steps_q[iq];
  assign event_pos = item_i.data[15:0];
  assign event_flags = item_i.data[17:16];
  assign told_pos = told;
  always_comb begin
    distance = 18'(event_pos.off) - 18'(told_pos.off);
    if (event_pos.wrap != told_pos.wrap) distance = distance + 18'(cfg_i[iq].size);
    else if (event_pos.off < told_pos.off) distance = distance + 18'({cfg_i[iq].size, 1'b0});
    if (packed_i) begin
      unique case (event_flags)
        2'(RING_EVENT_DISABLE): wanted = 1'b0;
        2'(RING_EVENT_DESC):    wanted = !event_idx_i || distance < 18'(steps);
        default:                wanted = 1'b1;
      endcase
    end else if (event_idx_i) begin
      wanted = (now - item_i.data[15:0] - 16'd1) < (now - told);
    end else begin
      wanted = (item_i.data[15:0] & 16'(AVAIL_F_NO_INTERRUPT)) == '0;
    end
  end

  logic irq_any, irq_valid_q;
  logic [QW-1:0] irq_pick, irq_queue_q;
  vio_ring_rr #(.Num(NumQueues)) u_irq_rr (
    .clk_i, .rst_ni,
    .req_i   (irq_q & ~stop_i),
    .take_i  (!irq_valid_q && irq_any),
    .valid_o (irq_any),
    .index_o (irq_pick)
  );
  assign irq_valid_o = irq_valid_q && !stop_i[irq_queue_q];
  assign irq_queue_o = 16'(irq_queue_q);
  assign idle_o = due_q == '0 && looking_q == '0 && irq_q == '0 && !irq_valid_q;

  always_comb begin
    due_d = due_q;
    looking_d = looking_q;
    irq_d = irq_q;
    if (ask) begin
      due_d[pick] = 1'b0;
      looking_d[pick] = 1'b1;
    end
    if (answer) begin
      looking_d[iq] = 1'b0;
      if (wanted && !item_i.err) irq_d[iq] = 1'b1;
    end
    if (!irq_valid_q && irq_any) irq_d[irq_pick] = 1'b0;
    if (done_i) due_d[done_queue] = 1'b1;
    due_d &= ~stop_i;
    irq_d &= ~stop_i;
  end

  for (genvar q = 0; q < NumQueues; q++) begin : gen_steps
    logic asked, counts;
    logic [15:0] kept;
    logic [16:0] sum;
    assign asked = ask && pick == QW'(q);
    assign counts = done_i && done_queue == QW'(q);
    assign kept = asked ? '0 : steps_q[q];
    assign sum = 17'(kept) + 17'(done_note_i.step);
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        now_q[q] <= '0;
        told_q[q] <= '0;
        asked_q[q] <= '0;
        steps_q[q] <= '0;
        asked_steps_q[q] <= '0;
      end else begin
        if (!counts) steps_q[q] <= kept;
        else steps_q[q] <= sum[16] ? 16'hffff : sum[15:0];
        if (counts) now_q[q] <= done_note_i.pos;
        if (asked) begin
          asked_q[q] <= now_q[q];
          asked_steps_q[q] <= steps_q[q];
        end
        if (answer && iq == QW'(q)) told_q[q] <= asked_q[q] ^ start_pos(packed_i);
        if (clear_i[q]) begin
          told_q[q] <= '0;
          steps_q[q] <= '0;
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      due_q <= '0;
      looking_q <= '0;
      irq_q <= '0;
      irq_valid_q <= 1'b0;
      irq_queue_q <= '0;
    end else begin
      due_q <= due_d;
      looking_q <= looking_d;
      irq_q <= irq_d;
      if (!irq_valid_q) begin
        irq_valid_q <= irq_any;
        irq_queue_q <= irq_pick;
      end else if (irq_ready_i || stop_i[irq_queue_q]) begin
        irq_valid_q <= 1'b0;
      end
    end
  end

endmodule
