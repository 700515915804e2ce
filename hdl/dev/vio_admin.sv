/// Group administration commands (virtio 1.4, 2.12.1) for a function that owns the self group alone
/// and supports LIST_QUERY and LIST_USE: executes the chains of an administration queue one by one.
///
/// What a buffer is short of reads as zero and is not written (2.13.1). A refused command changes
/// nothing. With enable_i low the list of used commands is what it is after a reset.
module vio_admin
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Bits of a beat, a power of two from 64 to 512.
  parameter int unsigned DataWidth = 256
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// ADMIN_VQ is negotiated.
  input  logic                 enable_i,

  input  logic                 seg_valid_i,
  output logic                 seg_ready_o,
  input  segment_t             seg_i,
  output logic                 cpl_valid_o,
  input  logic                 cpl_ready_i,
  output completion_t          cpl_o,
  /// Forget all chains; finish what was begun on the bus.
  input  logic                 be_stop_i,
  /// No chain is held and nothing is on the bus.
  output logic                 be_idle_o,
  /// Guest memory could not be accessed (pulse).
  output logic                 be_error_o,

  output logic                 rd_cmd_valid_o,
  input  logic                 rd_cmd_ready_i,
  output dma_cmd_t             rd_cmd_o,
  input  logic                 rd_rsp_valid_i,
  output logic                 rd_rsp_ready_o,
  input  logic [DataWidth-1:0] rd_rsp_data_i,
  input  logic                 rd_rsp_last_i,
  input  logic                 rd_rsp_err_i,
  output logic                 wr_cmd_valid_o,
  input  logic                 wr_cmd_ready_i,
  output dma_cmd_t             wr_cmd_o,
  output logic                 wr_data_valid_o,
  input  logic                 wr_data_ready_i,
  output logic [DataWidth-1:0] wr_data_o,
  input  logic                 wr_rsp_valid_i,
  input  logic                 wr_rsp_err_i
);

  // With opcodes below 64, lists are one word: behind the header, and behind the status.
  localparam int unsigned CmdBytes  = ADMIN_HEADER_LENGTH + 8;
  localparam int unsigned RspBytes  = ADMIN_STATUS_LENGTH + 8;
  localparam int unsigned DataBytes = DataWidth / 8;
  localparam logic [1:0]  Supported = (2'd1 << ADMIN_COMMAND_LIST_QUERY)
                                      | (2'd1 << ADMIN_COMMAND_LIST_USE);
  typedef logic [$clog2(CmdBytes):0] bytes_t;
  typedef logic [CmdBytes*8-1:0]     cmd_t;
  typedef logic [RspBytes*8-1:0]     rsp_t;

  typedef enum logic [2:0] {Take, Read, Write, Next, Complete} state_e;
  state_e      state_q, state_d;
  cmd_t        cmd_q;
  logic [1:0]  used_q;
  bytes_t      got_q, put_q, left_q;
  logic        failed_q, failed;
  completion_t cpl_q;

  // The command as far as it has been read, and its answer.
  logic [15:0] opcode, group, status, qualifier;
  logic [63:0] list, result;
  logic        query, use_list, fits;
  rsp_t        rsp;
  bytes_t      rsp_bytes;
  assign opcode = cmd_q[15:0];
  assign group  = cmd_q[31:16];
  assign list   = cmd_q[8*ADMIN_HEADER_LENGTH +: 64];
  assign query  = opcode == 16'(ADMIN_COMMAND_LIST_QUERY);
  assign fits   = (list & ~64'(Supported)) == '0;
  always_comb begin : proc_answer
    status    = 16'(ADMIN_STATUS_EINVAL);
    qualifier = 16'(ADMIN_QUALIFIER_OK);
    if (group != 16'(ADMIN_GROUP_SELF)) begin
      qualifier = 16'(ADMIN_QUALIFIER_INVALID_GROUP);
    end else if (opcode[15:1] != '0 || !used_q[opcode[0]]) begin
      qualifier = 16'(ADMIN_QUALIFIER_INVALID_OPCODE);
    end else if (!query && !fits) begin
      qualifier = 16'(ADMIN_QUALIFIER_INVALID_FIELD);
    end else begin
      status = 16'(ADMIN_STATUS_OK);
    end
  end
  assign use_list  = status == 16'(ADMIN_STATUS_OK) && !query;
  assign result    = status == 16'(ADMIN_STATUS_OK) && query ? 64'(Supported) : '0;
  assign rsp       = {result, 32'd0, qualifier, status};
  assign rsp_bytes = query ? bytes_t'(RspBytes) : bytes_t'(ADMIN_STATUS_LENGTH);

  // What the element offered now is good for.
  bytes_t room, bytes;
  assign room  = seg_i.write ? rsp_bytes - put_q : bytes_t'(CmdBytes) - got_q;
  assign bytes = failed_q ? '0 : seg_i.len < 32'(room) ? bytes_t'(seg_i.len) : room;

  logic offer;
  assign offer           = state_q == Take && seg_valid_i && bytes != '0 && !be_stop_i;
  assign rd_cmd_valid_o  = offer && !seg_i.write;
  assign wr_cmd_valid_o  = offer && seg_i.write;
  assign rd_cmd_o        = '{addr: seg_i.addr, len: 13'(bytes)};
  assign wr_cmd_o        = rd_cmd_o;
  assign rd_rsp_ready_o  = state_q == Read;
  assign wr_data_valid_o = state_q == Write && left_q != '0;
  assign wr_data_o       = DataWidth'(rsp >> {put_q, 3'd0});
  assign seg_ready_o     = be_stop_i || state_q == Next;
  assign cpl_valid_o     = state_q == Complete;
  assign cpl_o           = cpl_q;

  // A beat carries `step` of the `left_q` bytes.
  logic   rd_beat, wr_beat, finish;
  bytes_t step;
  cmd_t   shifted;
  assign rd_beat = rd_rsp_valid_i && rd_rsp_ready_o;
  assign wr_beat = wr_data_valid_o && wr_data_ready_i;
  assign step    = 32'(left_q) < DataBytes ? left_q : bytes_t'(DataBytes);
  assign shifted = cmd_t'(rd_rsp_data_i) << {got_q, 3'd0};
  assign failed  = (rd_beat && rd_rsp_err_i) || (state_q == Write && wr_rsp_valid_i && wr_rsp_err_i);
  assign finish  = state_q == Next && seg_i.last;

  assign be_error_o = failed && !failed_q && !be_stop_i;
  assign be_idle_o  = state_q != Read && state_q != Write
                      && (be_stop_i || (state_q == Take && !seg_valid_i));

  always_comb begin : proc_state
    state_d = state_q;
    unique case (state_q)
      Take: begin
        if (rd_cmd_valid_o && rd_cmd_ready_i) state_d = Read;
        else if (wr_cmd_valid_o && wr_cmd_ready_i) state_d = Write;
        else if (seg_valid_i && !offer) state_d = Next;
      end
      Read:     if (rd_beat && rd_rsp_last_i) state_d = Next;
      Write:    if (wr_rsp_valid_i) state_d = Next;
      Next:     state_d = seg_i.last && !seg_i.abort && !failed_q ? Complete : Take;
      Complete: if (cpl_ready_i) state_d = Take;
      default:  state_d = Take;
    endcase
    if (be_stop_i && (state_d == Next || state_d == Complete)) state_d = Take;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_registers
    if (!rst_ni) begin
      state_q  <= Take;
      cmd_q    <= '0;
      used_q   <= Supported;
      got_q    <= '0;
      put_q    <= '0;
      left_q   <= '0;
      failed_q <= 1'b0;
      cpl_q    <= '0;
    end else begin
      state_q  <= state_d;
      failed_q <= !be_stop_i && (failed_q || failed);
      if (state_q == Take) left_q <= bytes;
      else if (rd_beat || wr_beat) left_q <= left_q - step;
      if (rd_beat) got_q <= got_q + step;
      if (wr_beat) put_q <= put_q + step;
      for (int unsigned i = 0; i < CmdBytes; i++) begin
        if (rd_beat && bytes_t'(i) >= got_q && bytes_t'(i) - got_q < step) begin
          cmd_q[8*i +: 8] <= shifted[8*i +: 8];
        end
      end
      if (finish) cpl_q <= '{queue: seg_i.queue, tag: seg_i.tag, written: 32'(put_q)};
      if (finish || (be_stop_i && state_q != Read && state_q != Write)) begin
        cmd_q <= '0;
        got_q <= '0;
        put_q <= '0;
      end
      if (!enable_i) used_q <= Supported;
      else if (finish && state_d == Complete && use_list) used_q <= list[1:0];
    end
  end

  // No command uses a member identifier, and none is as long as a beat of 512 bits.
  logic unused;
  assign unused = ^{seg_i.first, cmd_q[8*ADMIN_HEADER_LENGTH-1:32], rd_rsp_data_i};

endmodule
