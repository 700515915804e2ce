/// Where the dwords of one beat go in a memory that has a lane of its own for each dword of a word:
/// any run of dwords, to any position, in one step.
module vio_tlp_scatter #(
  /// Dwords of a word, a power of two.
  parameter int unsigned Lanes     = 8,
  /// Bits of a position in dwords.
  parameter int unsigned PosWidth  = 12,
  localparam int unsigned LaneBits = $clog2(Lanes)
) (
  input  logic [Lanes-1:0][31:0]                  data_i,
  /// First lane that counts, and how many do; the run does not wrap.
  input  logic [LaneBits-1:0]                     first_i,
  input  logic [LaneBits:0]                       count_i,
  /// Position of the first dword in the memory.
  input  logic [PosWidth-1:0]                     pos_i,

  output logic [Lanes-1:0]                        we_o,
  output logic [Lanes-1:0][PosWidth-LaneBits-1:0] word_o,
  output logic [Lanes-1:0][31:0]                  data_o
);

  logic [LaneBits-1:0] turn;
  assign turn = first_i - pos_i[LaneBits-1:0];

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [LaneBits-1:0] behind;  // dwords of the run before the one in this lane
    logic [LaneBits-1:0] source;
    assign behind    = LaneBits'(i) - pos_i[LaneBits-1:0];
    assign source    = LaneBits'(i) + turn;
    assign we_o[i]   = {1'b0, behind} < count_i;
    assign data_o[i] = data_i[source];
    /* verilator lint_off CMPCONST */ // the last lane never wraps
    assign word_o[i] = pos_i[PosWidth-1:LaneBits]
                       + (PosWidth - LaneBits)'(LaneBits'(i) < pos_i[LaneBits-1:0]);
    /* verilator lint_on CMPCONST */
  end

endmodule
