/// AXI4 write bursts as memory write requests, one for each burst.
///
/// Beats are of the full width, and the strobes of a burst enable one run of bytes; the initiator
/// keeps bursts within 4 KiB and Max_Payload_Size, and sends its data without waiting for anybody
/// else. A write is answered OKAY once it is committed to its place in the order of transmission:
/// memory writes are posted, and what becomes of them is never told.
module vio_tlp_write
  import vio_tlp_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  parameter int unsigned IdWidth   = 4,
  localparam int unsigned Lanes    = DataWidth / 32,
  localparam int unsigned LaneBits = $clog2(Lanes)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// Bus, device and function number.
  input  logic [15:0]            requester_i,

  input  logic [IdWidth-1:0]     s_axi_awid,
  input  logic [63:0]            s_axi_awaddr,
  input  logic                   s_axi_awvalid,
  output logic                   s_axi_awready,
  input  logic [DataWidth-1:0]   s_axi_wdata,
  input  logic [DataWidth/8-1:0] s_axi_wstrb,
  input  logic                   s_axi_wlast,
  input  logic                   s_axi_wvalid,
  output logic                   s_axi_wready,
  output logic [IdWidth-1:0]     s_axi_bid,
  output logic [1:0]             s_axi_bresp,
  output logic                   s_axi_bvalid,
  input  logic                   s_axi_bready,

  output logic                   want_o,
  input  logic                   grant_i,
  output logic                   piece_valid_o,
  output logic [Lanes-1:0][31:0] piece_data_o,
  output logic [LaneBits-1:0]    piece_first_o,
  output logic [LaneBits:0]      piece_count_o,
  output logic [10:0]            piece_pos_o,
  output logic                   commit_o,
  output logic [10:0]            length_o
);

  typedef enum logic [1:0] {StAddress, StData, StHeader} state_e;
  state_e state_q;

  logic                 begun_q;     // a byte was enabled
  logic [63:LaneBits+2] word_q;      // of the beat that comes
  logic [63:0]          addr_q;      // of the first dword
  logic [10:0]          dwords_q;
  logic [3:0]           first_be_q, last_be_q;
  logic [10:0]          header;
  assign header = (word_q[63:32] != '0) ? 11'd4 : 11'd3;

  // The run of enabled dwords of this beat.
  logic [LaneBits-1:0] first, last;
  logic                any, beat;
  always_comb begin : proc_run
    {first, last} = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (s_axi_wstrb[4*i +: 4] != '0) last = LaneBits'(i);
      if (s_axi_wstrb[4*(Lanes-1-i) +: 4] != '0) first = LaneBits'(Lanes - 1 - i);
    end
  end
  assign any  = s_axi_wstrb != '0;
  assign beat = s_axi_wvalid && s_axi_wready;

  assign want_o        = state_q == StAddress && s_axi_awvalid && !s_axi_bvalid;
  assign s_axi_awready = state_q == StAddress && grant_i;
  assign s_axi_wready  = state_q == StData;
  assign s_axi_bresp   = 2'b00;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      state_q                                                    <= StAddress;
      {begun_q, word_q, addr_q, dwords_q, first_be_q, last_be_q} <= '0;
      {s_axi_bvalid, s_axi_bid}                                    <= '0;
    end else begin
      if (s_axi_bready) s_axi_bvalid <= 1'b0;
      unique case (state_q)
        StAddress: if (s_axi_awready) begin
          state_q   <= StData;
          word_q    <= s_axi_awaddr[63:LaneBits+2];
          s_axi_bid <= s_axi_awid;
          begun_q   <= 1'b0;
          dwords_q  <= '0;
        end
        StData: if (beat) begin
          if (any) begin
            begun_q   <= 1'b1;
            dwords_q  <= dwords_q + 11'(piece_count_o);
            last_be_q <= s_axi_wstrb[4*last +: 4];
            if (!begun_q) begin
              first_be_q <= s_axi_wstrb[4*first +: 4];
              addr_q     <= {word_q, first, 2'b00};
            end
          end
          if (s_axi_wlast) state_q <= StHeader;
          else word_q <= word_q + (62 - LaneBits)'(1);
        end
        default: begin
          state_q      <= StAddress;
          s_axi_bvalid <= 1'b1;
        end
      endcase
    end
  end

  request_t request;
  always_comb begin : proc_request
    request           = '0;
    request.data      = 1'b1;
    request.wide      = header == 11'd4;
    request.kind      = TypeMemory;
    request.length    = dwords_q;
    request.requester = requester_i;
    request.first_be  = first_be_q;
    request.last_be   = (dwords_q == 11'd1) ? '0 : last_be_q;
    request.addr      = addr_q;
  end

  always_comb begin : proc_piece
    piece_valid_o = beat && any;
    piece_data_o  = s_axi_wdata;
    piece_first_o = first;
    piece_count_o = {1'b0, last} - {1'b0, first} + (LaneBits + 1)'(1);
    piece_pos_o   = header + dwords_q;
    if (state_q == StHeader) begin
      piece_valid_o = begun_q;
      piece_data_o  = DataWidth'(request_header(request));
      piece_first_o = '0;
      piece_count_o = (LaneBits + 1)'(header);
      piece_pos_o   = '0;
    end
  end
  assign commit_o = state_q == StHeader;
  assign length_o = begun_q ? header + dwords_q : '0;

  logic unused;
  assign unused = ^s_axi_awaddr[LaneBits+1:0];

endmodule
