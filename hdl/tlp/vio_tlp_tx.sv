/// Transmit side: one source at a time builds a packet from pieces, in any order of its dwords;
/// what was committed leaves in the order of the commits. So nothing ever passes anything.
///
/// A source asks with `want_i`; from its grant on the transmitter takes a piece in every cycle,
/// until the source commits. Every packet begins with a word.
module vio_tlp_tx
  import vio_tlp_pkg::*;
#(
  /// Bits of a beat, a power of two from 128 on.
  parameter int unsigned DataWidth  = 256,
  /// The longest packet, in dwords.
  parameter int unsigned MaxDwords  = 132,
  localparam int unsigned Lanes     = DataWidth / 32,
  localparam int unsigned LaneBits  = $clog2(Lanes)
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,

  input  logic [Sources-1:0]                    want_i,
  output logic [Sources-1:0]                    grant_o,
  input  logic [Sources-1:0]                    piece_valid_i,
  input  logic [Sources-1:0][Lanes-1:0][31:0]   piece_data_i,
  /// The piece's lanes: first, and how many.
  input  logic [Sources-1:0][LaneBits-1:0]      piece_first_i,
  input  logic [Sources-1:0][LaneBits:0]        piece_count_i,
  /// Where the piece lies in the packet, in dwords.
  input  logic [Sources-1:0][10:0]              piece_pos_i,
  /// The packet is whole with this cycle's piece; a length of 0 takes it back.
  input  logic [Sources-1:0]                    commit_i,
  input  logic [Sources-1:0][10:0]              length_i,

  output logic [DataWidth-1:0]                  tlp_tx_tdata,
  /// A bit for each dword.
  output logic [Lanes-1:0]                      tlp_tx_tkeep,
  output logic                                  tlp_tx_tlast,
  output logic                                  tlp_tx_tvalid,
  input  logic                                  tlp_tx_tready
);

  localparam int unsigned MaxWords = (MaxDwords + Lanes - 1) / Lanes;
  localparam int unsigned Depth    = 1 << $clog2(2 * MaxWords);
  localparam int unsigned AddrBits = $clog2(Depth);
  localparam int unsigned PosBits  = 11;
  typedef logic [AddrBits:0] ptr_t;

  // Whose turn it is: whoever was served last waits for the others.
  localparam int unsigned SourceBits = $clog2(Sources);
  logic                  busy_q, room, lengths_ready;
  logic [SourceBits-1:0] owner_q, pick;
  always_comb begin : proc_pick
    pick = owner_q;
    for (int unsigned i = Sources; i > 0; i--) begin
      if (want_i[owner_q + SourceBits'(i)]) pick = owner_q + SourceBits'(i);
    end
    grant_o          = '0;
    grant_o[owner_q] = busy_q;
  end

  logic        piece, commit;
  logic [10:0] length;
  assign piece  = busy_q && piece_valid_i[owner_q];
  assign commit = busy_q && commit_i[owner_q];
  assign length = length_i[owner_q];

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_owner
    if (!rst_ni) begin
      {busy_q, owner_q} <= '0;
    end else if (busy_q) begin
      busy_q <= !commit;
    end else if (want_i[pick] && room && lengths_ready) begin
      busy_q  <= 1'b1;
      owner_q <= pick;
    end
  end

  // The packet that is being built begins at `base_q`; the reader is at `rptr_q`.
  ptr_t base_q, rptr_q, rptr_d;
  logic pop;
  assign room   = ptr_t'(Depth) - (base_q - rptr_q) >= ptr_t'(MaxWords);
  assign rptr_d = rptr_q + ptr_t'(pop);
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_pointers
    if (!rst_ni) begin
      {base_q, rptr_q} <= '0;
    end else begin
      if (commit) base_q <= base_q + ptr_t'((length + 11'(Lanes - 1)) >> LaneBits);
      rptr_q <= rptr_d;
    end
  end

  logic [Lanes-1:0]                       we;
  logic [Lanes-1:0][PosBits-LaneBits-1:0] word;
  logic [Lanes-1:0][31:0]                 data;
  vio_tlp_scatter #(.Lanes(Lanes), .PosWidth(PosBits)) u_scatter (
    .data_i  (piece_data_i[owner_q]),
    .first_i (piece_first_i[owner_q]),
    .count_i (piece_count_i[owner_q]),
    .pos_i   (piece_pos_i[owner_q]),
    .we_o    (we),
    .word_o  (word),
    .data_o  (data)
  );

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [31:0] mem [Depth];
    always_ff @(posedge clk_i) begin
      if (piece && we[i]) mem[base_q[AddrBits-1:0] + AddrBits'(word[i])] <= data[i];
      tlp_tx_tdata[32*i +: 32] <= mem[rptr_d[AddrBits-1:0]];
    end
  end

  logic [10:0] total, sent_q, left;
  logic        ready;
  vio_dma_fifo #(.Width(11), .Depth(16)) u_lengths (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (commit && length != '0),
    .wr_ready_o (lengths_ready),
    .wr_data_i  (length),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (tlp_tx_tvalid),
    .rd_ready_i (ready),
    .rd_data_o  (total)
  );
  assign left       = total - sent_q;
  assign tlp_tx_tlast = left <= 11'(Lanes);
  assign pop        = tlp_tx_tvalid && tlp_tx_tready;
  assign ready      = pop && tlp_tx_tlast;
  for (genvar i = 0; i < Lanes; i++) begin : gen_keep
    assign tlp_tx_tkeep[i] = 11'(i) < left;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_sent
    if (!rst_ni) sent_q <= '0;
    else if (pop) sent_q <= tlp_tx_tlast ? '0 : sent_q + 11'(Lanes);
  end

endmodule
