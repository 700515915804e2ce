/// Returns finished chains to the driver: used elements, then used.idx (virtio 1.4, 2.7.8), or used
/// descriptors (2.8.1 to 2.8.8), in batches where they are neighbours. With IN_ORDER one entry
/// stands for a batch (2.7.9, 2.8.8). A batch is written at once when the queue has none on its
/// way, and else when it is full.
module vio_ring_used
  import vio_ring_pkg::*;
#(
  parameter int unsigned NumQueues = 8,
  parameter int unsigned QW        = 3,
  parameter int unsigned DataWidth = 256
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  vio_pkg::queue_cfg_t [NumQueues-1:0] cfg_i,
  input  logic                                packed_i,
  input  logic                                in_order_i,
  input  logic [NumQueues-1:0]                stop_i,        ///< discard instead
  input  logic                                all_stop_i,
  input  logic [NumQueues-1:0]                clear_i,
  input  logic [NumQueues-1:0]                ready_i,
  input  logic [NumQueues-1:0]                many_i,
  output logic [QW-1:0]                       pop_queue_o,
  output logic                                pop_o,
  input  finished_t                           finished_i,
  input  logic [NumQueues-1:0]                busy_i,        ///< split: set NO_NOTIFY
  output logic                                quiet_o,       ///< NO_NOTIFY is in line
  output logic [QW-1:0]                       quiet_queue_o,
  output logic                                req_valid_o,
  input  logic                                req_ready_i,
  output vio_pkg::dma_cmd_t                   req_cmd_o,
  output note_t                               req_note_o,
  output logic                                data_valid_o,
  input  logic                                data_ready_i,
  output logic [DataWidth-1:0]                data_o,
  output logic                                data_last_o,
  input  logic                                done_i,        ///< a NoteUsed write is in memory
  input  logic [QW-1:0]                       done_queue_i,
  output logic                                idle_o
);

  import vio_spec_pkg::*;

  localparam int unsigned Lanes = DataWidth / 64;
  localparam int unsigned LaneW = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam int unsigned BatchW = $clog2(BatchUsed);

  typedef enum logic [2:0] {Idle, Gather, Command, Words, Index, IndexData} state_e;

  state_e state_q, state_d;
  logic [QW-1:0] queue_q, queue_d, pick;
  logic any, stop, room, ends, advance;
  // Used positions, relative to the start: a free running index, or a ring position.
  logic [NumQueues-1:0][15:0] used_q;
  logic [NumQueues-1:0][2:0] under_way_q;
  logic [NumQueues-1:0] eligible;
  logic [15:0] pos, pos_after, step_q, step_d, size;
  logic [BatchW:0] count_q, count_d, entries;
  logic [BatchW:0] word_q, word_d, words;
  logic [63:0] entry_mem[BatchUsed];
  logic [63:0] entry, word;
  logic [BatchW-1:0] entry_index;
  logic [DataWidth-1:0] beat_q, beat;
  logic [LaneW-1:0] lane;
  logic beat_full_q, last_q, lane_end, shift, index_busy_q;
  vio_pkg::queue_cfg_t cfg;

  for (genvar q = 0; q < NumQueues; q++) begin : gen_eligible
    assign eligible[q] = ready_i[q] && !all_stop_i
      && (stop_i[q] || under_way_q[q] == '0 || (many_i[q] && under_way_q[q] < 3'd4));
  end
  vio_ring_rr #(.Num(NumQueues)) u_rr (
    .clk_i, .rst_ni,
    .req_i   (eligible),
    .take_i  (state_q == Idle && any),
    .valid_o (any),
    .index_o (pick)
  );

  assign cfg = cfg_i[queue_q];
  assign size = cfg.size;
  assign stop = stop_i[queue_q];
  assign pos = used_q[queue_q] ^ start_pos(packed_i);

  // Gathering: a chain joins while its entry is the neighbour of the one before.
  ring_pos_t packed_pos, packed_after;
  logic unused;
  assign unused = ^{cfg, packed_after};
  logic [15:0] step_after;
  assign pop_queue_o = queue_q;
  assign step_after = step_q + (packed_i ? finished_i.slots : 16'd1);
  assign room = step_q == '0 || (step_after <= size && !last_q);
  assign pop_o = state_q == Gather && ready_i[queue_q]
    && (stop || (room && count_q != (BatchW + 1)'(BatchUsed)));
  // Nothing may follow: the ring's end, a list's gap, or, in order, a buffer not wholly written.
  always_comb begin
    if (in_order_i) ends = !finished_i.full;
    else if (packed_i) ends = finished_i.slots != 16'd1 || packed_after.wrap != packed_pos.wrap;
    else ends = ((pos + step_after) & (size - 16'd1)) == '0;
  end
  assign packed_pos = pos;
  assign packed_after = ring_step(packed_pos, step_after, size);
  assign pos_after = packed_i ? ring_step(packed_pos, step_q, size) : pos + step_q;

  // An entry: {len, id} or {flags, id, len}.
  desc_flags_t flags;
  assign flags = '{used: packed_pos.wrap, avail: packed_pos.wrap, write: finished_i.written != '0,
                   default: '0};
  assign entry = packed_i ? {flags, finished_i.id, finished_i.written}
                          : {finished_i.written, 16'd0, finished_i.id};
  assign entries = in_order_i ? (BatchW + 1)'(1) : count_q;
  assign words = packed_i ? (entries << 1) - (BatchW + 1)'(1) : entries;

  // Words go out lane by lane; between packed entries lies the address, which is not used.
  assign entry_index = in_order_i ? '0 : packed_i ? word_q[BatchW:1] : word_q[BatchW-1:0];
  assign word = packed_i && word_q[0] ? '0 : entry_mem[entry_index];
  assign lane = (Lanes > 1) ? LaneW'(word_q) : '0;
  assign lane_end = lane == LaneW'(Lanes - 1) || word_q == words - (BatchW + 1)'(1);
  always_comb begin
    beat = beat_q;
    beat[64*lane +: 64] = word;
  end
  assign shift = state_q == Words && (!beat_full_q || data_ready_i) && word_q != words;

  always_comb begin
    state_d = state_q;
    queue_d = queue_q;
    count_d = count_q;
    step_d = step_q;
    word_d = word_q;
    req_cmd_o = '{addr: cfg.device, len: 13'(SPLIT_USED_HEADER)};
    unique case (state_q)
      Idle: begin
        queue_d = pick;
        count_d = '0;
        step_d = '0;
        word_d = '0;
        if (any) state_d = Gather;
      end
      Gather: begin
        if (pop_o && !stop) begin
          count_d = count_q + (BatchW + 1)'(1);
          step_d = step_after;
        end else if (!pop_o) begin
          state_d = stop || count_q == '0 ? Idle : Command;
        end
      end
      Command: begin
        if (packed_i) begin
          req_cmd_o = '{addr: cfg.desc + 64'({packed_pos.off, 4'd8}), len: 13'({words, 3'd0})};
        end else begin
          req_cmd_o = '{addr: cfg.device + 64'(SPLIT_USED_HEADER)
                        + 64'({pos & (size - 16'd1), 3'd0}), len: 13'({words, 3'd0})};
        end
        if (stop) state_d = Idle;
        else if (req_ready_i) state_d = Words;
      end
      Words: begin
        if (shift) word_d = word_q + (BatchW + 1)'(1);
        if (word_q == words && data_ready_i) state_d = packed_i ? Idle : Index;
      end
      Index: begin
        if (stop) state_d = Idle;
        else if (req_ready_i) state_d = IndexData;
      end
      IndexData: if (data_ready_i) state_d = Idle;
      default: state_d = Idle;
    endcase
  end

  assign req_valid_o = state_q inside {Command, Index} && !stop;
  assign req_note_o = '{kind: state_q == Command && !packed_i ? NoteNone : NoteUsed,
                        queue: QueueW'(queue_q), pos: pos_after, step: step_q};
  assign data_valid_o = (state_q == Words && beat_full_q) || state_q == IndexData;
  assign data_o = state_q == IndexData ? DataWidth'({pos, 15'd0, index_busy_q}) : beat_q;
  assign data_last_o = state_q == IndexData || word_q == words;
  assign quiet_o = state_q == Index && req_valid_o && req_ready_i && busy_i[queue_q];
  assign quiet_queue_o = queue_q;
  assign idle_o = state_q == Idle && !any;

  assign advance = req_valid_o && req_ready_i && req_note_o.kind == NoteUsed;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Idle;
      queue_q <= '0;
      count_q <= '0;
      step_q <= '0;
      word_q <= '0;
      beat_full_q <= 1'b0;
      last_q <= 1'b0;
      index_busy_q <= 1'b0;
      used_q <= '0;
      under_way_q <= '0;
    end else begin
      state_q <= state_d;
      queue_q <= queue_d;
      count_q <= count_d;
      step_q <= step_d;
      word_q <= word_d;
      if (shift) beat_full_q <= lane_end;
      else if (data_ready_i) beat_full_q <= 1'b0;
      if (pop_o) last_q <= ends;
      index_busy_q <= quiet_o || (index_busy_q && state_q == IndexData);
      for (int unsigned q = 0; q < NumQueues; q++) begin
        if (clear_i[q]) used_q[q] <= '0;
        else if (advance && queue_q == QW'(q)) used_q[q] <= pos_after ^ start_pos(packed_i);
        under_way_q[q] <= under_way_q[q] + 3'(advance && queue_q == QW'(q))
                          - 3'(done_i && done_queue_i == QW'(q));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (pop_o) entry_mem[in_order_i ? '0 : count_q[BatchW-1:0]] <= entry;
    if (shift) beat_q <= beat;
  end

endmodule
