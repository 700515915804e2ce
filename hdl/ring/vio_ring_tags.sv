/// The chains at the back end, a tag each, and per queue the list of those to be used next: in the
/// order of their completion, or, with IN_ORDER, in the order in which they were handed over.
module vio_ring_tags
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          in_order_i,
  input  logic                          clear_i,        ///< forget everything
  output logic                          tag_valid_o,
  output logic [TagW-1:0]               tag_o,          ///< a free tag
  input  logic                          begin_i,
  input  logic                          commit_i,
  input  logic [QW-1:0]                 queue_i,
  input  logic [TagW-1:0]               tag_i,
  input  logic [15:0]                   id_i,
  input  logic [15:0]                   slots_i,
  input  logic [32:0]                   room_i,
  input  logic                          abort_i,
  input  logic [QW-1:0]                 abort_queue_i,
  input  logic [TagW-1:0]               abort_tag_i,
  input  logic                          cpl_valid_i,
  input  vio_pkg::completion_t          cpl_i,
  output logic [NumQueues-1:0]          ready_o,        ///< a chain may be used
  output logic [NumQueues-1:0]          many_o,         ///< a whole batch may be
  input  logic [QW-1:0]                 pop_queue_i,
  input  logic                          pop_i,
  output finished_t                     finished_o,     ///< the next of `pop_queue_i`
  output logic [NumQueues-1:0]          empty_o         ///< no chain of this queue has a tag
);

  typedef logic [TagW:0] count_t;

  typedef struct packed {
    logic [15:0] id;
    logic [15:0] slots;
    logic [32:0] room;
  } info_t;

  // Memories: one writer each.
  info_t info_mem[Tags];
  logic [31:0] written_mem[Tags];
  logic [TagW-1:0] link_mem[Tags];

  logic [Tags-1:0] free_q, free_d, done_q, done_d;
  logic [NumQueues-1:0][TagW-1:0] head_q, head_d, tail_q, tail_d;
  // `live`: with a tag; `listed`: in the list; `finished`: in the list and completed.
  count_t [NumQueues-1:0] live_q, live_d, listed_q, listed_d, finished_q, finished_d;
  logic append, cpl;
  logic [QW-1:0] append_queue, cpl_queue;
  logic [TagW-1:0] append_tag, cpl_tag, pop_tag;
  info_t pop_info;
  logic unused;

  always_comb begin
    tag_valid_o = |free_q;
    tag_o = '0;
    for (int unsigned t = 0; t < Tags; t++) begin
      if (free_q[Tags - 1 - t]) tag_o = TagW'(Tags - 1 - t);
    end
  end

  assign unused = ^{cpl_i.queue, cpl_i.tag};
  assign cpl = cpl_valid_i;
  assign cpl_queue = QW'(cpl_i.queue);
  assign cpl_tag = TagW'(cpl_i.tag);
  assign append = in_order_i ? commit_i : cpl;
  assign append_queue = in_order_i ? queue_i : cpl_queue;
  assign append_tag = in_order_i ? tag_i : cpl_tag;

  assign pop_tag = head_q[pop_queue_i];
  assign pop_info = info_mem[pop_tag];
  assign finished_o = '{id: pop_info.id, slots: pop_info.slots, written: written_mem[pop_tag],
                        full: pop_info.room == 33'(written_mem[pop_tag])};
  for (genvar q = 0; q < NumQueues; q++) begin : gen_status
    assign ready_o[q] = listed_q[q] != '0 && (!in_order_i || done_q[head_q[q]]);
    assign many_o[q] = finished_q[q] >= count_t'(BatchUsed);
    assign empty_o[q] = live_q[q] == '0;
  end

  always_comb begin
    free_d = free_q;
    done_d = done_q;
    head_d = head_q;
    tail_d = tail_q;
    live_d = live_q;
    listed_d = listed_q;
    finished_d = finished_q;
    if (begin_i) begin
      free_d[tag_i] = 1'b0;
      done_d[tag_i] = 1'b0;
      live_d[queue_i] += count_t'(1);
    end
    if (abort_i) begin
      free_d[abort_tag_i] = 1'b1;
      live_d[abort_queue_i] -= count_t'(1);
    end
    if (cpl) begin
      done_d[cpl_tag] = 1'b1;
      finished_d[cpl_queue] += count_t'(1);
    end
    if (pop_i) begin
      free_d[pop_tag] = 1'b1;
      head_d[pop_queue_i] = link_mem[pop_tag];
      live_d[pop_queue_i] -= count_t'(1);
      listed_d[pop_queue_i] -= count_t'(1);
      finished_d[pop_queue_i] -= count_t'(1);
    end
    if (append) begin
      tail_d[append_queue] = append_tag;
      if (listed_d[append_queue] == '0) head_d[append_queue] = append_tag;
      listed_d[append_queue] += count_t'(1);
    end
    if (clear_i) begin
      free_d = '1;
      live_d = '0;
      listed_d = '0;
      finished_d = '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (commit_i) info_mem[tag_i] <= '{id: id_i, slots: slots_i, room: room_i};
    if (cpl) written_mem[cpl_tag] <= cpl_i.written;
    if (append && listed_q[append_queue] != '0) link_mem[tail_q[append_queue]] <= append_tag;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      free_q <= '1;
      done_q <= '0;
      head_q <= '0;
      tail_q <= '0;
      live_q <= '0;
      listed_q <= '0;
      finished_q <= '0;
    end else begin
      free_q <= free_d;
      done_q <= done_d;
      head_q <= head_d;
      tail_q <= tail_d;
      live_q <= live_d;
      listed_q <= listed_d;
      finished_q <= finished_d;
    end
  end

endmodule
