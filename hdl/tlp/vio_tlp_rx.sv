/// Receive side: takes packets apart. Completions go on at once; memory writes are performed, a
/// dword at a time, and their last beat is taken when that is done; all that wants an answer is
/// queued, so that what comes behind can pass it.
///
/// Messages, packets with a prefix, poisoned writes and writes to where the function does not
/// answer are dropped.
module vio_tlp_rx
  import vio_tlp_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  /// Bytes of the memory BAR, a power of two.
  parameter logic [63:0] BarBytes  = 64'h1_0000,
  localparam int unsigned Lanes    = DataWidth / 32,
  localparam int unsigned LaneBits = $clog2(Lanes)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  input  logic [DataWidth-1:0]   tlp_rx_tdata,
  input  logic                   tlp_rx_tlast,
  input  logic                   tlp_rx_tvalid,
  output logic                   tlp_rx_tready,

  /// Where the memory BAR lies, and whether the function answers there.
  input  logic [63:0]            bar_i,
  input  logic                   memory_i,

  // Requests that want an answer, with the first dword of their payload.
  output logic                   request_valid_o,
  input  logic                   request_ready_i,
  output request_t               request_o,
  output logic [31:0]            request_data_o,

  // Completions.
  output logic                   cpl_valid_o,
  output logic                   cpl_last_o,
  output completion_t            cpl_o,
  output logic [Lanes-1:0][31:0] cpl_data_o,
  output logic [LaneBits-1:0]    cpl_first_o,
  output logic [LaneBits:0]      cpl_count_o,

  // Writes of the BAR: byte address = offset.
  output logic [31:0]            m_axil_awaddr,
  output logic                   m_axil_awvalid,
  input  logic                   m_axil_awready,
  output logic [31:0]            m_axil_wdata,
  output logic [3:0]             m_axil_wstrb,
  output logic                   m_axil_wvalid,
  input  logic                   m_axil_wready,
  input  logic                   m_axil_bvalid,
  output logic                   m_axil_bready
);

  logic [Lanes-1:0][31:0] lanes;
  logic [3:0][31:0]       head;
  assign lanes = tlp_rx_tdata;
  assign head  = lanes[3:0];

  typedef enum logic [1:0] {StHead, StWrite, StCompletion, StDrop} state_e;
  state_e state_q;

  request_t    request;
  logic [3:0]  first_be_q, last_be_q;
  completion_t cpl_q;
  logic        completion, posted_write, message, hit;
  assign request      = parse_request(head);
  assign completion   = !request.prefixed && request.kind == TypeCompletion && !request.wide;
  assign posted_write = !request.prefixed && request.kind == TypeMemory && request.data;
  assign message      = request.prefixed || request.kind[4] || (request.kind[4:1] == 4'b0101);
  assign hit          = memory_i && !request.poisoned
                        && (request.addr & ~(BarBytes - 64'd1)) == bar_i;

  // Where in the beat the payload goes on, and how much of it is still to come.
  logic [LaneBits-1:0] lane_q;
  logic [10:0]         left_q;
  logic [LaneBits:0]   here;  // dwords of payload in this beat, from `lane_q` on
  assign here = (left_q > 11'(Lanes) - 11'(lane_q)) ? (LaneBits + 1)'(Lanes) - {1'b0, lane_q}
                                                     : (LaneBits + 1)'(left_q);

  // A header and the payload behind it in the first beat are looked at in two steps.
  logic [LaneBits-1:0] behind_header;
  assign behind_header = LaneBits'(request.wide ? 4 : 3);
  logic header_only;  // the payload begins with the next beat
  assign header_only = Lanes == 4 && request.wide;

  // One dword of a memory write.
  logic [63:0] addr_q;
  logic [3:0]  be;
  logic        aw_done_q, w_done_q, first_q, written, beat_ends;
  always_comb begin : proc_enables
    be = 4'hf;
    if (left_q == 11'd1) be = last_be_q;
    if (first_q) be = first_be_q;
  end
  assign written        = be == '0 || (aw_done_q && w_done_q && m_axil_bvalid);
  assign beat_ends      = here == (LaneBits + 1)'(1) || left_q == '0;
  assign m_axil_awaddr  = 32'(addr_q & (BarBytes - 64'd1));
  assign m_axil_wdata   = lanes[lane_q];
  assign m_axil_wstrb   = be;
  assign m_axil_awvalid = state_q == StWrite && tlp_rx_tvalid && be != '0 && !aw_done_q;
  assign m_axil_wvalid  = state_q == StWrite && tlp_rx_tvalid && be != '0 && !w_done_q;
  assign m_axil_bready  = 1'b1;

  assign cpl_valid_o = state_q == StCompletion && tlp_rx_tvalid;
  assign cpl_last_o  = tlp_rx_tlast;
  assign cpl_o       = cpl_q;
  assign cpl_data_o  = lanes;
  assign cpl_first_o = lane_q;
  assign cpl_count_o = here;

  assign request_valid_o = state_q == StHead && tlp_rx_tvalid && !completion && !posted_write
                           && !message;
  assign request_o       = request;
  assign request_data_o  = lanes[3];

  always_comb begin : proc_ready
    unique case (state_q)
      StHead:       tlp_rx_tready = (request_valid_o && request_ready_i)
                                  || (message && !completion)
                                  || (posted_write && (!hit || header_only));
      StWrite:      tlp_rx_tready = tlp_rx_tvalid && written && beat_ends;
      StCompletion: tlp_rx_tready = 1'b1;
      default:      tlp_rx_tready = 1'b1;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      state_q                                           <= StHead;
      {cpl_q, lane_q, left_q, addr_q}                   <= '0;
      {first_be_q, last_be_q}                           <= '0;
      {aw_done_q, w_done_q, first_q}                    <= '0;
    end else if (tlp_rx_tvalid) begin
      unique case (state_q)
        StHead: begin
          cpl_q      <= parse_completion(head);
          lane_q     <= behind_header;
          left_q     <= request.data ? request.length : '0;
          addr_q     <= request.addr;
          first_be_q <= request.first_be;
          last_be_q  <= request.last_be;
          first_q    <= 1'b1;
          if (completion) state_q <= StCompletion;
          else if (posted_write && hit) state_q <= StWrite;
          else if (tlp_rx_tready && !tlp_rx_tlast) state_q <= StDrop;
        end
        StWrite: begin
          if (m_axil_awready) aw_done_q <= 1'b1;
          if (m_axil_wready) w_done_q <= 1'b1;
          if (written) begin
            {aw_done_q, w_done_q, first_q} <= '0;
            addr_q                         <= addr_q + 64'd4;
            left_q                         <= left_q - 11'd1;
            lane_q                         <= lane_q + LaneBits'(1);
            if (beat_ends) lane_q <= '0;
            if (beat_ends && tlp_rx_tlast) state_q <= StHead;
            else if (left_q == 11'd1) state_q <= StDrop;
          end
        end
        StCompletion: begin
          lane_q <= '0;
          left_q <= left_q - 11'(here);
          if (tlp_rx_tlast) state_q <= StHead;
        end
        default: if (tlp_rx_tlast) state_q <= StHead;
      endcase
    end
  end

endmodule
