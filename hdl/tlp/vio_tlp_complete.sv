/// Answers requests in their order: configuration accesses and reads of the BAR, a dword at a time.
/// Whatever the function does not have is answered as an unsupported request.
///
/// A completion ends at the next multiple of 128 bytes (the read completion boundary of an
/// endpoint). What the function decodes is learnt from its own header, which is read after every
/// configuration write, and its bus and device number from the write itself.
module vio_tlp_complete
  import vio_tlp_pkg::*;
#(
  parameter int unsigned DataWidth = 256,
  /// The memory BAR (of 64 bits) and its size in bytes, a power of two.
  parameter int unsigned Bar       = 0,
  parameter logic [63:0] BarBytes  = 64'h1_0000,
  localparam int unsigned Lanes    = DataWidth / 32,
  localparam int unsigned LaneBits = $clog2(Lanes)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  input  logic                   request_valid_i,
  output logic                   request_ready_o,
  input  request_t               request_i,
  input  logic [31:0]            request_data_i,

  /// Bus, device and function number.
  output logic [15:0]            function_o,
  /// Where the memory BAR lies, and whether the function answers there.
  output logic [63:0]            bar_o,
  output logic                   memory_o,

  /// A configuration write is performed, and its completion is still to come.
  output logic                   writing_o,

  output logic                   want_o,
  input  logic                   grant_i,
  output logic                   piece_valid_o,
  output logic [Lanes-1:0][31:0] piece_data_o,
  output logic [LaneBits:0]      piece_count_o,
  output logic [10:0]            piece_pos_o,
  output logic                   commit_o,
  output logic [10:0]            length_o,

  // Configuration space: byte address = offset.
  output logic [11:0]            m_cfg_axil_awaddr,
  output logic                   m_cfg_axil_awvalid,
  input  logic                   m_cfg_axil_awready,
  output logic [31:0]            m_cfg_axil_wdata,
  output logic [3:0]             m_cfg_axil_wstrb,
  output logic                   m_cfg_axil_wvalid,
  input  logic                   m_cfg_axil_wready,
  input  logic                   m_cfg_axil_bvalid,
  output logic                   m_cfg_axil_bready,
  output logic [11:0]            m_cfg_axil_araddr,
  output logic                   m_cfg_axil_arvalid,
  input  logic                   m_cfg_axil_arready,
  input  logic [31:0]            m_cfg_axil_rdata,
  input  logic                   m_cfg_axil_rvalid,
  output logic                   m_cfg_axil_rready,

  // Reads of the BAR: byte address = offset.
  output logic [31:0]            m_bar_axil_araddr,
  output logic                   m_bar_axil_arvalid,
  input  logic                   m_bar_axil_arready,
  input  logic [31:0]            m_bar_axil_rdata,
  input  logic [1:0]             m_bar_axil_rresp,
  input  logic                   m_bar_axil_rvalid,
  output logic                   m_bar_axil_rready
);

  localparam int unsigned ChunkDwords = 32;  // 128 bytes
  localparam logic [11:0] Command     = 12'h004;
  localparam logic [11:0] BarLow      = 12'(16 + 4 * Bar);
  localparam logic [11:0] BarHigh     = BarLow + 12'd4;

  typedef enum logic [2:0] {
    StIdle, StWrite, StLearnCommand, StLearnLow, StLearnHigh, StRead, StHeader, StData
  } state_e;
  state_e state_q;

  request_t    request_q;
  logic [31:0] data_q;
  logic        config_q;            // the request is one of configuration space
  logic [2:0]  status_q;
  logic [10:0] left_q;              // dwords still to be read
  logic [9:0]  place_q;             // of the next one: bits 11 to 2 of its address
  logic [5:0]  count_q;             // dwords that this completion carries so far
  logic [12:0] bytes_q;             // bytes still to be completed
  logic [6:0]  lower_q;
  logic [ChunkDwords-1:0][31:0] chunk_q;
  logic [5:0]  sent_q;

  // What kind of request the next one is.
  logic cfg_access, bar_read, known;
  assign cfg_access = request_i.kind == TypeConfig0 && !request_i.wide
                      && request_i.addr[18:16] == '0;
  assign bar_read   = request_i.kind == TypeMemory && !request_i.data && memory_o
                      && (request_i.addr & ~(BarBytes - 64'd1)) == bar_o;
  assign known      = (cfg_access || bar_read) && !request_i.poisoned;

  logic [3:0]  last_be;
  logic [12:0] bytes;
  assign last_be = (request_i.length == 11'd1) ? request_i.first_be : request_i.last_be;
  always_comb begin : proc_bytes
    bytes = {request_i.length, 2'b00} - 13'(bytes_before(request_i.first_be))
            - 13'(bytes_behind(last_be));
    if (request_i.first_be == '0) bytes = 13'd1;
    if (request_i.kind != TypeMemory) bytes = 13'd4;
  end

  // The access to a dword.
  logic        addressed_q, data_taken_q, empty_read, read_done, chunk_ends;
  logic [1:0]  skip;
  logic [31:0] rdata;
  assign skip       = (count_q == '0) ? lower_q[1:0] : 2'd0;
  assign empty_read = !config_q && request_q.first_be == '0;
  assign rdata      = empty_read ? '0 : (config_q ? m_cfg_axil_rdata : m_bar_axil_rdata);
  assign read_done  = empty_read || (config_q ? m_cfg_axil_rvalid : m_bar_axil_rvalid);
  assign chunk_ends = left_q == 11'd1 || place_q[4:0] == 5'h1f;

  logic learning;
  assign learning = state_q inside {StLearnCommand, StLearnLow, StLearnHigh};
  assign m_cfg_axil_awaddr  = request_q.addr[11:0];
  assign m_cfg_axil_wdata   = data_q;
  assign m_cfg_axil_wstrb   = request_q.first_be;
  assign m_cfg_axil_awvalid = state_q == StWrite && !addressed_q;
  assign m_cfg_axil_wvalid  = state_q == StWrite && !data_taken_q;
  assign m_cfg_axil_bready  = 1'b1;
  assign m_cfg_axil_arvalid = !addressed_q && (learning || (state_q == StRead && config_q));
  assign m_cfg_axil_rready  = 1'b1;
  assign m_bar_axil_arvalid = !addressed_q && state_q == StRead && !config_q && !empty_read;
  assign m_bar_axil_araddr  = {20'h0, place_q, skip}
                              | 32'(request_q.addr & (BarBytes - 64'd1) & ~64'hfff);
  assign m_bar_axil_rready  = 1'b1;
  always_comb begin : proc_cfg_address
    unique case (state_q)
      StLearnCommand: m_cfg_axil_araddr = Command;
      StLearnLow:     m_cfg_axil_araddr = BarLow;
      StLearnHigh:    m_cfg_axil_araddr = BarHigh;
      default:        m_cfg_axil_araddr = {place_q, bytes_before(request_q.first_be)};
    endcase
  end

  assign request_ready_o = state_q == StIdle;

  // What the bytes of this completion are, counted from the first enabled one.
  logic [12:0] carried;
  assign carried = {5'h0, count_q, 2'b00} - 13'(lower_q[1:0]);

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      state_q                                                  <= StIdle;
      {request_q, data_q, config_q, status_q, left_q, place_q} <= '0;
      {count_q, bytes_q, lower_q, chunk_q, sent_q}             <= '0;
      {addressed_q, data_taken_q}                              <= '0;
      {function_o, bar_o, memory_o}                            <= '0;
    end else begin
      unique case (state_q)
        StIdle: if (request_valid_i) begin
          request_q <= request_i;
          data_q    <= request_data_i;
          config_q  <= cfg_access;
          status_q  <= known ? StatusSuccess : StatusUnsupported;
          left_q    <= (known && !request_i.data) ? request_i.length : '0;
          place_q   <= request_i.addr[11:2];
          bytes_q   <= bytes;
          lower_q   <= (request_i.kind == TypeMemory)
                       ? {request_i.addr[6:2], bytes_before(request_i.first_be)} : '0;
          count_q   <= '0;
          state_q   <= !known ? StHeader : (request_i.data ? StWrite : StRead);
        end
        StWrite: begin
          if (m_cfg_axil_awready) addressed_q <= 1'b1;
          if (m_cfg_axil_wready) data_taken_q <= 1'b1;
          if (addressed_q && data_taken_q && m_cfg_axil_bvalid) begin
            {addressed_q, data_taken_q} <= '0;
            function_o                  <= request_q.addr[31:16];
            state_q                     <= StLearnCommand;
          end
        end
        StLearnCommand, StLearnLow, StLearnHigh: begin
          if (m_cfg_axil_arready) addressed_q <= 1'b1;
          if (addressed_q && m_cfg_axil_rvalid) begin
            addressed_q <= 1'b0;
            unique case (state_q)
              StLearnCommand: {state_q, memory_o}     <= {StLearnLow, m_cfg_axil_rdata[1]};
              StLearnLow:     {state_q, bar_o[31:0]}  <= {StLearnHigh,
                                                          m_cfg_axil_rdata[31:4], 4'h0};
              default:        {state_q, bar_o[63:32]} <= {StHeader, m_cfg_axil_rdata};
            endcase
          end
        end
        StRead: begin
          if (config_q ? m_cfg_axil_arready : m_bar_axil_arready) addressed_q <= 1'b1;
          if ((addressed_q || empty_read) && read_done) begin
            addressed_q           <= 1'b0;
            chunk_q[count_q[4:0]] <= rdata;
            count_q               <= count_q + 6'd1;
            left_q                <= left_q - 11'd1;
            place_q               <= place_q + 10'd1;
            if (!config_q && m_bar_axil_rresp[1] && !empty_read) begin
              {status_q, left_q, count_q} <= {StatusAbort, 11'd0, 6'd0};
              state_q                     <= StHeader;
            end else if (chunk_ends) begin
              state_q <= StHeader;
            end
          end
        end
        StHeader: if (grant_i) begin
          sent_q  <= '0;
          state_q <= (count_q == '0) ? StIdle : StData;
        end
        default: begin
          sent_q <= sent_q + 6'(Lanes);
          if (commit_o) begin
            bytes_q <= bytes_q - carried;
            lower_q <= '0;
            count_q <= '0;
            state_q <= (left_q == '0) ? StIdle : StRead;
          end
        end
      endcase
    end
  end

  completion_t cpl;
  always_comb begin : proc_completion
    cpl            = '0;
    cpl.data       = count_q != '0;
    cpl.length     = 11'(count_q);
    cpl.status     = status_q;
    cpl.byte_count = bytes_q;
    cpl.lower      = lower_q;
  end

  logic [5:0] remaining;
  assign remaining = count_q - sent_q;
  assign want_o    = state_q == StHeader;
  assign writing_o = config_q && request_q.data && state_q != StIdle;
  assign length_o  = 11'd3 + 11'(count_q);
  always_comb begin : proc_piece
    piece_valid_o = state_q == StData;
    piece_data_o  = chunk_q[sent_q[4:0] +: Lanes];
    piece_count_o = (remaining < 6'(Lanes)) ? (LaneBits + 1)'(remaining) : (LaneBits + 1)'(Lanes);
    piece_pos_o   = 11'd3 + 11'(sent_q);
    commit_o      = state_q == StData && remaining <= 6'(Lanes);
    if (state_q == StHeader) begin
      piece_valid_o = grant_i;
      piece_data_o  = DataWidth'(completion_header(cpl, request_q, function_o));
      piece_count_o = (LaneBits + 1)'(3);
      piece_pos_o   = '0;
      commit_o      = grant_i && count_q == '0;
    end
  end

  logic unused;
  assign unused = ^{request_q, m_bar_axil_rresp[0]};

endmodule
