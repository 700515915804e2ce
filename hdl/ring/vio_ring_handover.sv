/// Hands the oldest chain's elements to the back end as they come, under a tag; aborts or drops the
/// chains that are malformed, stopped, or behind an error.
module vio_ring_handover
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic [NumQueues-1:0] stop_i,
  input  logic                 all_stop_i,
  input  logic                 halt_i,
  input  logic                 head_valid_i,
  input  logic [QW-1:0]        head_queue_i,
  input  logic [15:0]          head_id_i,
  input  chain_t               head_chain_i,
  input  logic                 head_complete_i,
  input  logic                 head_bad_i,
  input  logic                 head_busy_i,
  input  logic                 head_open_i,     ///< its end has not been passed in the ring
  output logic                 load_o,
  output logic [DepthW-1:0]    load_nth_o,
  input  element_t             element_i,
  output logic                 free_o,
  output logic [DepthW:0]      held_o,          ///< elements of the oldest slot not yet loaded
  input  logic                 tag_valid_i,     ///< a tag is free
  input  logic [TagW-1:0]      tag_i,
  output logic                 begin_o,         ///< the tag is taken for a chain of `queue_o`
  output logic                 commit_o,        ///< the chain is complete with `tag_o`
  output logic [QW-1:0]        queue_o,
  output logic [TagW-1:0]      tag_o,
  output logic [15:0]          id_o,
  output logic [15:0]          slots_o,
  output logic [32:0]          room_o,
  output logic                 abort_o,         ///< the back end has forgotten `abort_tag_o`
  output logic [QW-1:0]        abort_queue_o,
  output logic [TagW-1:0]      abort_tag_o,
  output logic                 seg_valid_o,
  input  logic                 seg_ready_i,
  output vio_pkg::segment_t    seg_o,
  output logic                 idle_o,
  output logic                 error_o          ///< a malformed chain's turn has come
);

  logic [15:0] sent_q;
  logic started_q, valid_q, first_q, abort_q, doomed, give_up, last, room;
  logic [TagW-1:0] tag_q, seg_tag_q;
  logic [QW-1:0] seg_queue_q;
  logic unused;
  assign unused = ^head_chain_i;

  assign doomed = head_bad_i || halt_i || stop_i[head_queue_i];
  assign room = !valid_q || seg_ready_i;
  assign last = head_complete_i && sent_q + 16'd1 == head_chain_i.count;
  // A slot may not be freed while items for it are on their way.
  assign load_o = head_valid_i && !doomed && room && sent_q != head_chain_i.count
    && (started_q || tag_valid_i) && !(last && (head_busy_i || head_open_i));
  assign load_nth_o = sent_q[DepthW-1:0];
  assign give_up = head_valid_i && doomed && !head_busy_i && (all_stop_i || room);
  assign free_o = (load_o && last) || give_up;
  assign held_o = (DepthW + 1)'(head_chain_i.count - sent_q);
  assign error_o = give_up && head_bad_i && !halt_i && !stop_i[head_queue_i];

  assign begin_o = load_o && !started_q;
  assign commit_o = load_o && last;
  assign abort_o = valid_q && abort_q && seg_ready_i && !all_stop_i;
  assign abort_queue_o = seg_queue_q;
  assign abort_tag_o = seg_tag_q;
  assign queue_o = head_queue_i;
  assign tag_o = started_q ? tag_q : tag_i;
  assign id_o = head_id_i;
  assign slots_o = head_chain_i.slots;
  assign room_o = head_chain_i.room;

  assign seg_valid_o = valid_q && !all_stop_i;
  assign seg_o = '{
    queue: 16'(seg_queue_q),
    tag:   8'(seg_tag_q),
    addr:  element_i.addr,
    len:   abort_q ? 32'd0 : element_i.len,
    write: element_i.write,
    first: first_q,
    last:  abort_q || element_i.last,
    abort: abort_q
  };
  assign idle_o = !head_valid_i && !valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sent_q <= '0;
      started_q <= 1'b0;
      valid_q <= 1'b0;
      first_q <= 1'b0;
      abort_q <= 1'b0;
      tag_q <= '0;
      seg_tag_q <= '0;
      seg_queue_q <= '0;
    end else begin
      if (free_o) begin
        sent_q <= '0;
        started_q <= 1'b0;
      end else if (load_o) begin
        sent_q <= sent_q + 16'd1;
        started_q <= 1'b1;
      end
      if (begin_o) tag_q <= tag_i;
      if (load_o || give_up) begin
        first_q <= !started_q;
        abort_q <= give_up;
        seg_tag_q <= started_q ? tag_q : tag_i;
        seg_queue_q <= head_queue_i;
      end
      if (all_stop_i) valid_q <= 1'b0;
      else if (load_o || (give_up && started_q)) valid_q <= 1'b1;
      else if (seg_ready_i) valid_q <= 1'b0;
    end
  end

endmodule
