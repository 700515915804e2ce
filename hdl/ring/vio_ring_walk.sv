/// Reads on in chains that are longer than what came with their first read: the next descriptor of
/// a split chain, or as many neighbours as there is room for in an indirect table or a packed ring.
module vio_ring_walk
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                packed_i,
  input  logic [NumQueues-1:0]                stop_i,
  input  logic                                halt_i,
  input  logic [Slots-1:0]                    want_i,
  input  logic [SlotW-1:0]                    head_slot_i,
  input  logic [DepthW:0]                     head_held_i,   ///< elements the oldest slot holds
  output logic [SlotW-1:0]                    slot_o,
  input  logic                                slot_want_i,
  input  logic [QW-1:0]                       slot_queue_i,
  input  chain_t                              slot_chain_i,
  output logic                                walk_o,
  output logic                                req_valid_o,
  input  logic                                req_ready_i,
  output rd_req_t                             req_o
);

  logic any, chosen_q, at_head, by_one;
  logic [SlotW-1:0] pick, slot_q;
  logic [DepthW:0] held, room;
  logic [16:0] left;
  logic [5:0] count;
  vio_pkg::queue_cfg_t cfg;
  logic unused;
  assign unused = ^{cfg, slot_chain_i};

  // The oldest chain first: all others wait behind it.
  always_comb begin
    any = |want_i;
    pick = '0;
    for (int unsigned i = 0; i < Slots; i++) begin
      if (want_i[Slots - 1 - i]) pick = SlotW'(Slots - 1 - i);
    end
    if (want_i[head_slot_i]) pick = head_slot_i;
  end

  assign slot_o = slot_q;
  assign cfg = cfg_i[slot_queue_i];
  assign by_one = !packed_i && !slot_chain_i.in_table;
  assign at_head = slot_q == head_slot_i;
  assign held = at_head ? head_held_i : slot_chain_i.count[DepthW:0];
  assign room = (DepthW + 1)'(SlotDepth) - held;
  always_comb begin
    left = (slot_chain_i.in_table ? slot_chain_i.table_len : 17'(cfg.size))
      - 17'(slot_chain_i.index);
    if (by_one) count = 6'd1;
    else count = left < 17'(room) ? left[5:0] : 6'(room);
  end
  assign req_valid_o = chosen_q && slot_want_i && !halt_i && !stop_i[slot_queue_i] && room != '0;
  assign req_o.cmd = '{addr: (slot_chain_i.in_table ? slot_chain_i.table_addr : cfg.desc)
                       + 64'({slot_chain_i.index, 4'd0}), len: 13'({count, 4'd0})};
  assign req_o.own = '{kind: OwnWalk, queue: QueueW'(slot_queue_i), slot: slot_q, down: 1'b0,
                       room: 1'b0, count: count, wrap: 1'b0, index: '0};
  assign walk_o = req_valid_o && req_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      chosen_q <= 1'b0;
      slot_q <= '0;
    end else begin
      chosen_q <= chosen_q ? req_valid_o && !req_ready_i : any;
      if (!chosen_q) slot_q <= pick;
    end
  end

endmodule
