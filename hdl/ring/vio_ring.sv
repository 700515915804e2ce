/// Split virtqueue engine (virtio 1.4, 2.7): turns doorbells into chains for the back end, and the
/// back end's completions into used elements and interrupt requests. One chain is walked at a time.
module vio_ring
  import vio_pkg::*;
#(
  parameter int unsigned NumQueues    = 8,     ///< virtqueues, 1 to 64
  parameter int unsigned MaxQueueSize = 1024,  ///< descriptors of the largest queue
  parameter int unsigned DataWidth    = 256    ///< bits of a DMA beat
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  queue_cfg_t [NumQueues-1:0] queue_cfg_i,   ///< what the driver programmed
  input  logic [63:0]                features_i,    ///< negotiated features
  input  logic                       run_i,         ///< new buffers may be fetched
  input  logic                       drain_i,       ///< the device is being suspended
  output logic                       idle_o,        ///< nothing is or will be on the bus while !run_i
  input  logic                       kick_valid_i,  ///< doorbell pulse
  input  logic [15:0]                kick_queue_i,
  input  logic [31:0]                kick_data_i,   ///< a hint only
  input  logic [NumQueues-1:0]       stop_i,        ///< level: forget this queue
  output logic [NumQueues-1:0]       stopped_o,     ///< this queue is silent and back at index 0
  output logic                       irq_valid_o,   ///< used buffer notification request
  output logic [15:0]                irq_queue_o,
  input  logic                       irq_ready_i,
  output logic                       ring_error_o,  ///< pulse: malformed ring or failed DMA
  output logic                       rd_cmd_valid_o,
  input  logic                       rd_cmd_ready_i,
  output dma_cmd_t                   rd_cmd_o,
  input  logic                       rd_rsp_valid_i,
  output logic                       rd_rsp_ready_o,
  input  logic [DataWidth-1:0]       rd_rsp_data_i,
  input  logic                       rd_rsp_last_i,
  input  logic                       rd_rsp_err_i,
  output logic                       wr_cmd_valid_o,
  input  logic                       wr_cmd_ready_i,
  output dma_cmd_t                   wr_cmd_o,
  output logic                       wr_data_valid_o,
  input  logic                       wr_data_ready_i,
  output logic [DataWidth-1:0]       wr_data_o,
  input  logic                       wr_rsp_valid_i,
  input  logic                       wr_rsp_err_i,
  output logic                       seg_valid_o,   ///< elements of chains, in chain order
  input  logic                       seg_ready_i,
  output segment_t                   seg_o,
  input  logic                       cpl_valid_i,   ///< finished chains, in any order
  output logic                       cpl_ready_o,
  input  completion_t                cpl_i,
  output logic                       be_stop_o,     ///< level: the back end forgets all it holds
  input  logic                       be_idle_i
);

  localparam int unsigned QW = NumQueues > 1 ? $clog2(NumQueues) : 1;
  localparam int unsigned NumTags = 32;
  localparam int unsigned TW = $clog2(NumTags);
  localparam int unsigned RspBits = DataWidth < 128 ? 128 : DataWidth;

  typedef enum logic [3:0] {
    FIdle, FIdxCmd, FIdxRsp, FEntCmd, FEntRsp, FDescCmd, FDescRsp, FSeg, FAbort
  } fetch_e;
  typedef enum logic [3:0] {
    UIdle, UElemCmd, UElemData, UIdxCmd, UIdxData, UWait, UFlagCmd, UFlagRsp, UIrq
  } used_e;

  // Shared state.
  logic [NumQueues-1:0] pending_q, pending_d, stopped_q, stopped_d;
  logic [15:0] next_avail_q[NumQueues];
  logic [15:0] used_idx_q[NumQueues];
  logic [TW:0] inflight_q[NumQueues];
  logic [NumTags-1:0] tag_busy_q, tag_busy_d;
  logic [15:0] tag_head_q[NumTags];
  logic error_q, error_d;
  logic all_stop, cpl_fire, cpl_drop;

  // Fetch side.
  fetch_e f_state_q, f_state_d;
  logic [QW-1:0] f_queue_q, f_queue_d;
  logic [15:0] f_head_q, f_head_d, f_index_q, f_index_d, f_count_q, f_count_d;
  logic [2:0] desc_flags;
  logic desc_bad;
  logic f_first_q, f_first_d, f_writable_q, f_writable_d;
  logic [TW-1:0] f_tag_q, f_tag_d, free_tag;
  logic free_tag_valid, f_bad, f_stop, f_advance, f_alloc;
  logic [127:0] desc_q;
  logic [15:0] size, avail_diff, entry;
  queue_cfg_t f_cfg;

  // Used side.
  used_e u_state_q, u_state_d;
  logic [QW-1:0] u_queue_q, u_queue_d;
  logic [15:0] u_head_q, u_head_d;
  logic [31:0] u_len_q, u_len_d;
  logic [1:0] u_wait_q, u_wait_d;
  logic u_bad, u_advance;
  queue_cfg_t u_cfg;

  // One read at a time per side; the fetch side goes first. `owner_q` is whose answer comes next.
  logic f_rd, u_rd, rd_busy_q, owner_q, owner_d, rd_fire, rsp_end, f_rsp, u_rsp;
  dma_cmd_t f_cmd, u_cmd;
  logic [RspBits-1:0] rsp_buf;

  assign all_stop = &stop_i;
  assign be_stop_o = all_stop;
  assign f_cfg = queue_cfg_i[f_queue_q];
  assign u_cfg = queue_cfg_i[u_queue_q];
  assign size = f_cfg.size;
  assign f_stop = stop_i[f_queue_q];

  assign f_rd = f_state_q inside {FIdxCmd, FEntCmd, FDescCmd} && !f_stop;
  assign u_rd = u_state_q == UFlagCmd;
  assign rd_cmd_valid_o = !rd_busy_q && (f_rd || u_rd);
  assign rd_cmd_o = f_rd ? f_cmd : u_cmd;
  assign owner_d = !f_rd;
  assign rd_fire = rd_cmd_valid_o && rd_cmd_ready_i;
  assign rd_rsp_ready_o = 1'b1;
  assign rsp_end = rd_rsp_valid_i && rd_rsp_last_i;
  assign f_rsp = rsp_end && !owner_q;
  assign u_rsp = rsp_end && owner_q;
  if (DataWidth < 128) begin : gen_narrow
    logic [63:0] low_q;
    logic odd_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) odd_q <= 1'b0;
      else if (rd_rsp_valid_i) odd_q <= !rd_rsp_last_i;
    end
    always_ff @(posedge clk_i) low_q <= rd_rsp_data_i[63:0];
    assign rsp_buf = odd_q ? {rd_rsp_data_i, low_q} : {64'd0, rd_rsp_data_i};
  end else begin : gen_wide
    assign rsp_buf = rd_rsp_data_i;
  end

  assign avail_diff = rsp_buf[31:16] - next_avail_q[f_queue_q];
  assign entry = rsp_buf[15:0];
  assign desc_flags = desc_q[98:96];
  assign desc_bad = desc_q[95:64] == 32'd0 || desc_flags[2] || (f_writable_q && !desc_flags[1])
    || (desc_flags[0] && (desc_q[127:112] >= size || f_count_q >= size));

  always_comb begin
    free_tag = '0;
    free_tag_valid = 1'b0;
    for (int unsigned t = 0; t < NumTags; t++) begin
      if (!tag_busy_q[t]) begin
        free_tag = TW'(t);
        free_tag_valid = 1'b1;
      end
    end
  end

  // Fetch: index, entry, then descriptor by descriptor.
  always_comb begin
    f_state_d = f_state_q;
    f_queue_d = f_queue_q;
    f_head_d = f_head_q;
    f_index_d = f_index_q;
    f_count_d = f_count_q;
    f_first_d = f_first_q;
    f_writable_d = f_writable_q;
    f_tag_d = f_tag_q;
    f_bad = 1'b0;
    f_advance = 1'b0;
    f_alloc = 1'b0;
    pending_d = pending_q;
    f_cmd = '{addr: f_cfg.driver, len: 13'd4};
    unique case (f_state_q)
      FIdle: begin
        if (run_i && !error_q) begin
          for (int unsigned i = 0; i < NumQueues; i++) begin
            automatic int unsigned q = (32'(f_queue_q) + NumQueues - i) % NumQueues;
            if (pending_q[q] && queue_cfg_i[q].enabled && !stop_i[q]) begin
              f_queue_d = QW'(q);
              f_state_d = FIdxCmd;
            end
          end
        end
      end
      FIdxCmd: begin
        pending_d[f_queue_q] = 1'b0;
        if (rd_fire) f_state_d = FIdxRsp;
      end
      FIdxRsp: begin
        if (f_rsp) begin
          f_bad = rd_rsp_err_i || avail_diff > size;
          f_state_d = f_bad || avail_diff == 16'd0 ? FIdle : FEntCmd;
        end
      end
      FEntCmd: begin
        f_cmd = '{addr: f_cfg.driver + 64'd4
                  + 64'({next_avail_q[f_queue_q] & (size - 16'd1), 1'b0}), len: 13'd2};
        if (rd_fire) f_state_d = FEntRsp;
      end
      FEntRsp: begin
        f_head_d = entry;
        f_index_d = entry;
        f_count_d = 16'd1;
        f_first_d = 1'b1;
        f_writable_d = 1'b0;
        if (f_rsp) begin
          f_bad = rd_rsp_err_i || entry >= size;
          f_state_d = f_bad ? FIdle : FDescCmd;
        end
      end
      FDescCmd: begin
        f_cmd = '{addr: f_cfg.desc + 64'({f_index_q, 4'd0}), len: 13'd16};
        if (rd_fire) f_state_d = FDescRsp;
      end
      FDescRsp: begin
        if (f_rsp) f_state_d = rd_rsp_err_i ? FAbort : FSeg;
      end
      FSeg: begin
        if (f_first_q) f_tag_d = free_tag;
        if (desc_bad || f_stop) begin
          f_state_d = FAbort;
        end else if (seg_valid_o && seg_ready_i) begin
          f_alloc = f_first_q;
          f_first_d = 1'b0;
          f_writable_d = desc_flags[1];
          f_index_d = desc_q[127:112];
          f_count_d = f_count_q + 16'd1;
          f_state_d = desc_flags[0] ? FDescCmd : FIdle;
          f_advance = !desc_flags[0];
        end
      end
      FAbort: begin
        f_bad = !f_stop && (f_first_q || seg_ready_i);
        if (f_first_q || seg_ready_i || all_stop) f_state_d = FIdle;
      end
      default: f_state_d = FIdle;
    endcase
    if (f_advance) pending_d[f_queue_q] = 1'b1;
    if (f_stop && (f_state_q inside {FIdxCmd, FEntCmd} || f_rsp
                   && f_state_q inside {FIdxRsp, FEntRsp})) begin
      f_state_d = FIdle;
      f_bad = 1'b0;
    end else if (f_stop && (f_state_q == FDescCmd
                            || f_rsp && f_state_q == FDescRsp)) begin
      f_state_d = FAbort;
    end
    if (kick_valid_i && kick_queue_i < 16'(NumQueues)) pending_d[kick_queue_i[QW-1:0]] = 1'b1;
    pending_d &= ~stop_i;
  end

  assign seg_valid_o = !all_stop && ((f_state_q == FSeg && !desc_bad && !f_stop
                                      && (!f_first_q || free_tag_valid))
                                     || (f_state_q == FAbort && !f_first_q));
  assign seg_o = '{
    queue: 16'(f_queue_q),
    tag:   8'(f_first_q ? free_tag : f_tag_q),
    addr:  desc_q[63:0],
    len:   f_state_q == FAbort ? 32'd0 : desc_q[95:64],
    write: desc_flags[1],
    first: f_first_q,
    last:  f_state_q == FAbort || !desc_flags[0],
    abort: f_state_q == FAbort
  };

  // Used: element, index, wait until both are in memory, read the driver's wish, interrupt.
  assign cpl_ready_o = u_state_q == UIdle;
  assign cpl_fire = cpl_valid_i && cpl_ready_o;
  assign cpl_drop = stop_i[cpl_i.queue[QW-1:0]];
  always_comb begin
    u_state_d = u_state_q;
    u_queue_d = u_queue_q;
    u_head_d = u_head_q;
    u_len_d = u_len_q;
    u_wait_d = u_wait_q;
    u_bad = 1'b0;
    u_advance = 1'b0;
    u_cmd = '{addr: u_cfg.driver, len: 13'd2};
    wr_cmd_o = '{addr: u_cfg.device + 64'd4
                 + 64'({used_idx_q[u_queue_q] & (u_cfg.size - 16'd1), 3'd0}), len: 13'd8};
    wr_data_o = DataWidth'({u_len_q, 16'd0, u_head_q});
    unique case (u_state_q)
      UIdle: begin
        u_queue_d = cpl_i.queue[QW-1:0];
        u_head_d = tag_head_q[cpl_i.tag[TW-1:0]];
        u_len_d = cpl_i.written;
        u_wait_d = 2'd2;
        if (cpl_fire && !cpl_drop) u_state_d = UElemCmd;
      end
      UElemCmd: if (wr_cmd_ready_i) u_state_d = UElemData;
      UElemData: begin
        u_advance = wr_data_ready_i;
        if (wr_data_ready_i) u_state_d = UIdxCmd;
      end
      UIdxCmd: begin
        wr_cmd_o = '{addr: u_cfg.device, len: 13'd4};
        if (wr_cmd_ready_i) u_state_d = UIdxData;
      end
      UIdxData: begin
        wr_data_o = DataWidth'({used_idx_q[u_queue_q], 16'd0});
        if (wr_data_ready_i) u_state_d = UWait;
      end
      UWait: if (u_wait_q == 2'd0) u_state_d = stop_i[u_queue_q] || error_q ? UIdle : UFlagCmd;
      UFlagCmd: begin
        if (rd_fire && !f_rd) u_state_d = UFlagRsp;
      end
      UFlagRsp: begin
        if (u_rsp) begin
          u_bad = rd_rsp_err_i;
          u_state_d = rd_rsp_err_i || rsp_buf[0] || stop_i[u_queue_q] ? UIdle : UIrq;
        end
      end
      UIrq: if (irq_ready_i || stop_i[u_queue_q]) u_state_d = UIdle;
      default: u_state_d = UIdle;
    endcase
    if (wr_rsp_valid_i) begin
      u_wait_d = u_wait_q - 2'd1;
      u_bad |= wr_rsp_err_i;
    end
  end
  assign wr_cmd_valid_o = u_state_q inside {UElemCmd, UIdxCmd};
  assign wr_data_valid_o = u_state_q inside {UElemData, UIdxData};
  assign irq_valid_o = u_state_q == UIrq && !stop_i[u_queue_q];
  assign irq_queue_o = 16'(u_queue_q);

  // Tags, errors, stop handshake.
  always_comb begin
    tag_busy_d = tag_busy_q;
    if (f_alloc) tag_busy_d[free_tag] = 1'b1;
    if (f_state_q == FAbort && !f_first_q && seg_valid_o && seg_ready_i) tag_busy_d[f_tag_q] = 1'b0;
    if (cpl_fire) tag_busy_d[cpl_i.tag[TW-1:0]] = 1'b0;
    if (all_stop && be_idle_i) tag_busy_d = '0;
    for (int unsigned q = 0; q < NumQueues; q++) begin
      stopped_d[q] = stop_i[q] && (f_state_q == FIdle || f_queue_q != QW'(q))
                     && (u_state_q == UIdle || u_queue_q != QW'(q))
                     && (all_stop ? be_idle_i : inflight_q[q] == '0);
    end
    error_d = (error_q || f_bad || u_bad) && !(all_stop && &stopped_d);
  end
  assign stopped_o = stopped_q & stop_i;
  assign ring_error_o = (f_bad || u_bad) && !error_q && !all_stop;
  assign idle_o = !run_i && f_state_q == FIdle && u_state_q == UIdle && tag_busy_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      f_state_q <= FIdle;
      f_queue_q <= '0;
      f_head_q <= '0;
      f_index_q <= '0;
      f_count_q <= '0;
      f_first_q <= 1'b0;
      f_writable_q <= 1'b0;
      f_tag_q <= '0;
      u_state_q <= UIdle;
      u_queue_q <= '0;
      u_head_q <= '0;
      u_len_q <= '0;
      u_wait_q <= '0;
      pending_q <= '0;
      stopped_q <= '1;
      tag_busy_q <= '0;
      error_q <= 1'b0;
      rd_busy_q <= 1'b0;
      owner_q <= 1'b0;
    end else begin
      f_state_q <= f_state_d;
      f_queue_q <= f_queue_d;
      f_head_q <= f_head_d;
      f_index_q <= f_index_d;
      f_count_q <= f_count_d;
      f_first_q <= f_first_d;
      f_writable_q <= f_writable_d;
      f_tag_q <= f_tag_d;
      u_state_q <= u_state_d;
      u_queue_q <= u_queue_d;
      u_head_q <= u_head_d;
      u_len_q <= u_len_d;
      u_wait_q <= u_wait_d;
      pending_q <= pending_d;
      stopped_q <= stopped_d;
      tag_busy_q <= tag_busy_d;
      error_q <= error_d;
      if (rd_fire) begin
        rd_busy_q <= 1'b1;
        owner_q <= owner_d;
      end else if (rsp_end) begin
        rd_busy_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (f_rsp && f_state_q == FDescRsp) desc_q <= rsp_buf[127:0];
    if (f_alloc) tag_head_q[free_tag] <= f_head_q;
    for (int unsigned q = 0; q < NumQueues; q++) begin
      if (stopped_q[q]) begin
        next_avail_q[q] <= '0;
        used_idx_q[q] <= '0;
        inflight_q[q] <= '0;
      end else begin
        if (f_advance && f_queue_q == QW'(q)) next_avail_q[q] <= next_avail_q[q] + 16'd1;
        if (u_advance && u_queue_q == QW'(q)) used_idx_q[q] <= used_idx_q[q] + 16'd1;
        inflight_q[q] <= inflight_q[q] + (TW + 1)'(f_alloc && f_queue_q == QW'(q))
          - (TW + 1)'(cpl_fire && cpl_i.queue == 16'(q))
          - (TW + 1)'(f_state_q == FAbort && !f_first_q && seg_valid_o && seg_ready_i
                      && f_queue_q == QW'(q));
      end
    end
  end

  logic unused;
  assign unused = ^{features_i, drain_i, kick_data_i, MaxQueueSize[0], cpl_i.tag, rsp_buf, desc_q,
                    f_cfg, u_cfg, rd_rsp_data_i};

endmodule
