/// AXI4 read bursts as memory read requests, one for each burst, with a tag each; answers of any
/// order and in any number of parts are put together and returned in the order of the bursts.
///
/// Bursts are of full-width beats, or one narrower beat; the initiator keeps them within 4 KiB and
/// Max_Read_Request_Size. A completion with an error status, a poisoned or malformed one, and one
/// that does not come in time end in SLVERR. A tag whose completion did not come in time stays out
/// of use until that comes after all.
module vio_tlp_read
  import vio_tlp_pkg::*;
#(
  parameter int unsigned DataWidth     = 256,
  parameter int unsigned IdWidth       = 4,
  /// Requests in flight, a power of two up to 32.
  parameter int unsigned Tags          = 32,
  /// The longest burst in bytes, a power of two, measured from the start of its first bus word.
  parameter int unsigned MaxBytes      = 512,
  /// Clock cycles until the oldest request is given up.
  parameter int unsigned TimeoutCycles = 12_500_000,
  localparam int unsigned Lanes        = DataWidth / 32,
  localparam int unsigned LaneBits     = $clog2(Lanes)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// Bus, device and function number.
  input  logic [15:0]            requester_i,

  input  logic [IdWidth-1:0]     s_axi_arid,
  input  logic [63:0]            s_axi_araddr,
  input  logic [7:0]             s_axi_arlen,
  input  logic [2:0]             s_axi_arsize,
  input  logic                   s_axi_arvalid,
  output logic                   s_axi_arready,
  output logic [IdWidth-1:0]     s_axi_rid,
  output logic [DataWidth-1:0]   s_axi_rdata,
  output logic [1:0]             s_axi_rresp,
  output logic                   s_axi_rlast,
  output logic                   s_axi_rvalid,
  input  logic                   s_axi_rready,

  output logic                   want_o,
  input  logic                   grant_i,
  output logic                   piece_valid_o,
  output logic [Lanes-1:0][31:0] piece_data_o,
  output logic [LaneBits:0]      piece_count_o,
  output logic                   commit_o,
  output logic [10:0]            length_o,

  /// Completions, a beat in every cycle of valid: header fields stand for the whole packet.
  input  logic                   cpl_valid_i,
  input  logic                   cpl_last_i,
  input  completion_t            cpl_i,
  input  logic [Lanes-1:0][31:0] cpl_data_i,
  input  logic [LaneBits-1:0]    cpl_first_i,
  input  logic [LaneBits:0]      cpl_count_i
);

  localparam int unsigned TagBits   = $clog2(Tags);
  localparam int unsigned SlotWords = MaxBytes / (DataWidth / 8);
  localparam int unsigned SlotBits  = $clog2(SlotWords);
  localparam int unsigned WordBits  = TagBits + SlotBits;
  localparam int unsigned PosBits   = WordBits + LaneBits;
  localparam int unsigned CountBits = SlotBits + LaneBits + 1;
  localparam int unsigned TimerBits = $clog2(TimeoutCycles + 1);
  typedef logic [TagBits:0]     ptr_t;
  typedef logic [TagBits-1:0]   tag_t;
  typedef logic [CountBits-1:0] count_t;

  typedef struct packed {
    logic [IdWidth-1:0]  id;
    logic [SlotBits-1:0] beats;   // minus one
    logic [LaneBits-1:0] lane;    // of the first dword
    count_t              dwords;
  } note_t;

  note_t [Tags-1:0]  note_q;
  count_t [Tags-1:0] got_q;       // dwords that have come
  logic [Tags-1:0]   done_q;      // nothing more is awaited
  logic [Tags-1:0]   err_q;
  logic [Tags-1:0]   lost_q;      // given up, and its completion may still come
  logic [Tags-1:0]   skip_q;      // its turn passes without a request
  ptr_t              head_q, tail_q;
  tag_t              head, tail;
  logic              empty, full;
  assign head  = head_q[TagBits-1:0];
  assign tail  = tail_q[TagBits-1:0];
  assign empty = head_q == tail_q;
  assign full  = tail_q - head_q == ptr_t'(Tags);

  // The request: from the first byte to the end of the last beat.
  logic [63:0] step, stop;
  logic [3:0]  first_be, last_be;
  request_t    request;
  assign step     = 64'd1 << s_axi_arsize;
  assign stop     = (s_axi_araddr & ~(step - 64'd1)) + (64'(s_axi_arlen) << s_axi_arsize) + step
                    - 64'd1;
  assign first_be = 4'hf << s_axi_araddr[1:0];
  assign last_be  = 4'hf >> (2'd3 - stop[1:0]);
  always_comb begin : proc_request
    request           = '0;
    request.wide      = s_axi_araddr[63:32] != '0;
    request.kind      = TypeMemory;
    request.length    = 11'(stop[12:2] - s_axi_araddr[12:2]) + 11'd1;
    request.requester = requester_i;
    request.tag       = 8'(tail);
    request.first_be  = (request.length == 11'd1) ? first_be & last_be : first_be;
    request.last_be   = (request.length == 11'd1) ? '0 : last_be;
    request.addr      = {s_axi_araddr[63:2], 2'b00};
  end

  logic accept, pass;
  assign want_o        = s_axi_arvalid && !full && !lost_q[tail];
  assign s_axi_arready = grant_i;
  assign accept        = grant_i;
  assign pass          = !full && lost_q[tail] && !accept;
  assign piece_valid_o = grant_i;
  assign commit_o      = grant_i;
  assign piece_data_o  = DataWidth'(request_header(request));
  assign piece_count_o = (LaneBits + 1)'(request.wide ? 4 : 3);
  assign length_o      = request.wide ? 11'd4 : 11'd3;

  // What comes back. A part must begin where the one before it ended.
  tag_t        tag;
  logic        expected, fits, good, begins_q, bad_q, final_part, cpl_ends;
  logic [12:0] owed;
  assign tag      = cpl_i.tag[TagBits-1:0];
  assign owed     = (cpl_i.byte_count + 13'(cpl_i.lower[1:0]) + 13'd3) >> 2;
  assign expected = cpl_i.requester == requester_i && 32'(cpl_i.tag) < 32'(Tags)
                    && (lost_q[tag] || !done_q[tag]);
  assign fits     = 13'(note_q[tag].dwords - got_q[tag]) == owed && 13'(cpl_i.length) <= owed;
  assign good     = cpl_i.status == StatusSuccess && cpl_i.data && !cpl_i.poisoned
                    && (begins_q ? fits : !bad_q);
  assign final_part = !cpl_i.data || cpl_i.status != StatusSuccess || 13'(cpl_i.length) >= owed;
  assign cpl_ends   = cpl_valid_i && cpl_last_i && expected && (final_part || !good);

  logic store;
  assign store = cpl_valid_i && expected && good && !lost_q[tag];

  logic [Lanes-1:0]                       we;
  logic [Lanes-1:0][PosBits-LaneBits-1:0] word;
  logic [Lanes-1:0][31:0]                 data;
  vio_tlp_scatter #(.Lanes(Lanes), .PosWidth(PosBits)) u_scatter (
    .data_i  (cpl_data_i),
    .first_i (cpl_first_i),
    .count_i (cpl_count_i),
    .pos_i   ({tag, (SlotBits + LaneBits)'(0)} + PosBits'(note_q[tag].lane) + PosBits'(got_q[tag])),
    .we_o    (we),
    .word_o  (word),
    .data_o  (data)
  );

  // Bursts leave from the head; a word can be read two cycles after it was written.
  logic [SlotBits-1:0] beat_q, beat_d;
  ptr_t                head_d;
  logic                settled_q, r_take, leave, timeout;
  logic [TimerBits-1:0] timer_q;
  assign s_axi_rvalid = settled_q;
  assign s_axi_rid    = note_q[head].id;
  assign s_axi_rresp  = {err_q[head], 1'b0};
  assign s_axi_rlast  = beat_q == note_q[head].beats;
  assign r_take       = s_axi_rvalid && s_axi_rready;
  assign leave        = (r_take && s_axi_rlast) || (!empty && skip_q[head]);
  assign timeout      = timer_q == TimerBits'(TimeoutCycles);
  assign head_d       = head_q + ptr_t'(leave);
  always_comb begin : proc_beat
    beat_d = beat_q;
    if (r_take) beat_d = s_axi_rlast ? '0 : beat_q + SlotBits'(1);
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [31:0] mem [Tags * SlotWords];
    always_ff @(posedge clk_i) begin
      if (store && we[i]) mem[word[i]] <= data[i];
      s_axi_rdata[32*i +: 32] <= mem[{head_d[TagBits-1:0], beat_d}];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_order
    if (!rst_ni) begin
      {head_q, tail_q, beat_q, settled_q, timer_q, bad_q} <= '0;
      begins_q                                            <= 1'b1;
    end else begin
      head_q    <= head_d;
      tail_q    <= tail_q + ptr_t'(accept || pass);
      beat_q    <= beat_d;
      settled_q <= head_d != tail_q && done_q[head_d[TagBits-1:0]]
                   && !skip_q[head_d[TagBits-1:0]];
      if (empty || leave || done_q[head] || (cpl_valid_i && tag == head)) timer_q <= '0;
      else if (!timeout) timer_q <= timer_q + TimerBits'(1);
      if (cpl_valid_i) begin
        begins_q <= cpl_last_i;
        bad_q    <= !good;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_tags
    if (!rst_ni) begin
      {err_q, lost_q, skip_q, got_q, note_q} <= '0;
      done_q                                 <= '1;
    end else begin
      if (timeout && !done_q[head]) begin
        {done_q[head], err_q[head], lost_q[head]} <= '1;
      end
      if (cpl_valid_i && expected && !lost_q[tag]) begin
        got_q[tag] <= got_q[tag] + count_t'(cpl_count_i);
        if (!good) err_q[tag] <= 1'b1;
        if (cpl_ends) done_q[tag] <= 1'b1;
      end
      if (cpl_ends) lost_q[tag] <= 1'b0;
      if (accept || pass) begin
        skip_q[tail] <= pass;
        done_q[tail] <= pass;
        err_q[tail]  <= 1'b0;
        got_q[tail]  <= '0;
        note_q[tail] <= '{
          id:     s_axi_arid,
          beats:  s_axi_arlen[SlotBits-1:0],
          lane:   s_axi_araddr[LaneBits+1:2],
          dwords: request.length[CountBits-1:0]
        };
      end
    end
  end

  logic unused;
  assign unused = ^{s_axi_arlen, stop, cpl_i.lower};

endmodule
