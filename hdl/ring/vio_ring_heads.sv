/// Split: gives each head a slot, and reads heads that are neighbours in the descriptor table,
/// upwards or downwards, with one read. With IN_ORDER the descriptors up to the next head are the
/// chain's own (virtio 1.4, 2.7.5), and are read with it.
module vio_ring_heads
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                in_order_i,
  input  logic [NumQueues-1:0]                stop_i,
  input  logic                                halt_i,
  input  logic                                head_valid_i,
  input  logic [QW-1:0]                       head_queue_i,
  input  logic [15:0]                         head_i,
  output logic                                head_taken_o,
  input  logic [SlotW:0]                      slot_free_i,   ///< slots not in use
  input  logic [SlotW-1:0]                    slot_next_i,   ///< the one given out next
  output logic                                alloc_o,
  output logic [QW-1:0]                       alloc_queue_o,
  output logic [15:0]                         alloc_head_o,
  output logic                                req_valid_o,
  input  logic                                req_ready_i,
  output rd_req_t                             req_o,
  output logic                                idle_o
);

  // Neighbours come one a cycle; so long without one and the run is over.
  localparam logic [2:0] Patience = 3'd4;

  typedef struct packed {
    logic [QW-1:0]    owner;
    logic [15:0]      first;
    logic [15:0]      last;
    logic [SlotW-1:0] slot;
    logic             down;
    logic [4:0]       count;
    logic [DepthW:0]  span;   ///< descriptors of a run of one
  } run_t;

  run_t run_q, run_d;
  logic issue_q, issue_d, valid, pop, drop, joins, up, down, ready_unused;
  logic [QW-1:0] owner;
  logic [15:0] head;
  logic [2:0] wait_q, wait_d;
  logic [$clog2(HeadDepth):0] held_q;
  logic [15:0] gap;
  logic [5:0] items;

  vio_dma_fifo #(.Width(QW + 16), .Depth(HeadDepth)) u_heads (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (head_valid_i),
    .wr_ready_o (ready_unused),
    .wr_data_i  ({head_queue_i, head_i}),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (valid),
    .rd_ready_i (pop),
    .rd_data_o  ({owner, head})
  );

  assign drop = valid && (halt_i || stop_i[owner]);
  assign up = head == run_q.last + 16'd1 && (run_q.count == 5'd1 || !run_q.down);
  assign down = head == run_q.last - 16'd1 && (run_q.count == 5'd1 || run_q.down);
  // A run starts only when it can become long: short ones cost a read each.
  assign joins = run_q.count == '0
    ? slot_free_i >= (SlotW + 1)'(BatchDescs)
    : owner == run_q.owner && (up || down) && run_q.count < 5'(BatchDescs) && slot_free_i != '0;
  assign alloc_o = valid && !drop && !issue_q && joins;
  assign alloc_queue_o = owner;
  assign alloc_head_o = head;
  assign gap = (head > run_q.last ? head : cfg_i[run_q.owner].size) - run_q.last;
  assign pop = alloc_o || drop;
  assign head_taken_o = pop;
  assign idle_o = held_q == '0 && run_q.count == '0;

  always_comb begin
    run_d = run_q;
    issue_d = issue_q;
    wait_d = wait_q + 3'd1;
    if (issue_q) begin
      if (req_ready_i) begin
        issue_d = 1'b0;
        run_d.count = '0;
      end
    end else if (alloc_o) begin
      wait_d = '0;
      run_d.last = head;
      run_d.count = run_q.count + 5'd1;
      if (run_q.count == '0) begin
        run_d.owner = owner;
        run_d.first = head;
        run_d.slot = slot_next_i;
        run_d.down = 1'b0;
      end else if (run_q.count == 5'd1) begin
        run_d.down = !up;
      end
    end else if (run_q.count != '0 && (valid || wait_q >= Patience)) begin
      issue_d = 1'b1;
      run_d.span = (DepthW + 1)'(1);
      if (in_order_i && valid && owner == run_q.owner && run_q.count == 5'd1) begin
        run_d.span = gap < 16'(SlotDepth) ? gap[DepthW:0] : (DepthW + 1)'(SlotDepth);
      end
    end
  end

  assign req_valid_o = issue_q;
  assign items = run_q.count == 5'd1 ? 6'(run_q.span) : 6'(run_q.count);
  assign req_o.cmd = '{addr: cfg_i[run_q.owner].desc
                       + 64'({run_q.down ? run_q.last : run_q.first, 4'd0}),
                       len: 13'({items, 4'd0})};
  assign req_o.own = '{kind: run_q.count == 5'd1 ? OwnWalk : OwnRun,
                       queue: QueueW'(run_q.owner), slot: run_q.slot, down: run_q.down,
                       room: 1'b0, count: items, wrap: 1'b0, index: run_q.first};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q <= '0;
      issue_q <= 1'b0;
      wait_q <= '0;
      held_q <= '0;
    end else begin
      run_q <= run_d;
      issue_q <= issue_d;
      wait_q <= wait_d;
      held_q <= held_q + ($clog2(HeadDepth) + 1)'(head_valid_i)
                - ($clog2(HeadDepth) + 1)'(pop);
    end
  end

endmodule
