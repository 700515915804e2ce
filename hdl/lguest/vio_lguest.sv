/// The front end of lguest's bus: the descriptor page just above the top of guest memory, the notify
/// hypercall, and the Launcher's own window, all on one register port (page at 0, hypercall at
/// 0x1000, window at 0x2000).
///
/// A notification of the descriptor's own address resets the device: its write is answered when the
/// queues are silent, their rings zeroed and the page is as at the start. One of a ring's page is a
/// kick, or a warning while the status is 0. Any other address below the top of memory is very early
/// console output; its write is answered when the string has been read.
module vio_lguest
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  parameter int unsigned NumQueues = 1,
  parameter int unsigned QueueSize = 64,
  parameter int unsigned DataWidth = 128,
  parameter logic [31:0] MemoryTop = 32'h0410_0000, ///< where memory ends, a multiple of the page
  parameter logic [31:0] Offered   = '0             ///< feature bits of device and rings
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  input  reg_req_t                    req_i,
  output logic                        gnt_o,
  output logic                        rsp_valid_o,
  output logic [31:0]                 rsp_rdata_o,

  output queue_cfg_t [NumQueues-1:0]  queue_cfg_o,
  output logic [63:0]                 features_o,
  output logic                        run_o,
  output logic [NumQueues-1:0]        stop_o,
  input  logic [NumQueues-1:0]        stopped_i,
  output logic                        kick_valid_o,
  output logic [15:0]                 kick_queue_o,
  input  logic                        irq_valid_i,
  input  logic [15:0]                 irq_queue_i,
  input  logic                        error_i,

  output logic                        msg_valid_o,
  input  logic                        msg_ready_i,
  output logic [63:0]                 msg_addr_o,
  output logic [31:0]                 msg_data_o,
  input  logic                        msg_done_i,

  output logic                        console_valid_o,  ///< its reads of guest memory
  input  logic                        console_ready_i,
  output dma_cmd_t                    console_cmd_o,
  input  logic                        console_rsp_valid_i,
  input  logic [DataWidth-1:0]        console_rsp_data_i,
  input  logic                        console_rsp_err_i,

  output logic                        zeroing_o,        ///< the write client is the reset's
  output logic                        wr_cmd_valid_o,
  input  logic                        wr_cmd_ready_i,
  output dma_cmd_t                    wr_cmd_o,
  output logic                        wr_data_valid_o,
  input  logic                        wr_data_ready_i,
  output logic [DataWidth-1:0]        wr_data_o,
  input  logic                        wr_rsp_valid_i,

  input  logic [BLK_CFG_LENGTH*8-1:0] dev_cfg_i
);

  function automatic int unsigned align_page(int unsigned length);
    return (length + LGUEST_PAGE - 1) / LGUEST_PAGE * LGUEST_PAGE;
  endfunction

  localparam int unsigned UsedOffset = align_page(18 * QueueSize + 6);
  localparam int unsigned RingPages  = (UsedOffset + align_page(8 * QueueSize + 6)) / LGUEST_PAGE;
  localparam logic [31:0] FirstPage  = MemoryTop / LGUEST_PAGE + 32'd1;
  // What has no field in the first layout, or whose limits have none, cannot be offered there.
  localparam logic [31:0] Untyped    =
      (32'd1 << BLK_FEATURE_GEOMETRY) | (32'd1 << BLK_FEATURE_BLK_SIZE)
      | (32'd1 << BLK_FEATURE_TOPOLOGY) | (32'd1 << BLK_FEATURE_CONFIG_WCE)
      | (32'd1 << BLK_FEATURE_MQ) | (32'd1 << BLK_FEATURE_DISCARD)
      | (32'd1 << BLK_FEATURE_WRITE_ZEROES);
  localparam logic [31:0] LaterOffer = legacy_features(Offered);
  localparam logic [31:0] FirstOffer = LaterOffer & ~Untyped;

  // Which of the three the access is for.
  typedef enum logic [1:0] {ToPage, ToHypercall, ToLauncher, ToNothing} target_e;
  target_e  target, target_q;
  reg_req_t page_req;
  logic     busy_q, reset_q, resetting, console_busy;
  assign target = req_i.addr[31:12] < 20'd3 ? target_e'(req_i.addr[13:12]) : ToNothing;
  assign gnt_o  = req_i.valid && !busy_q;
  assign rsp_valid_o = busy_q && !(reset_q && resetting)
                       && !(target_q == ToHypercall && console_busy);
  always_comb begin : proc_page_req
    page_req       = req_i;
    page_req.valid = gnt_o && target == ToPage;
  end

  // The hypercall.
  logic                 notify, to_device, to_ring, to_console, early, kick;
  logic [31:0]          address;
  logic [NumQueues-1:0] ring_hit;
  logic [7:0]           status;
  assign address = req_i.wdata;
  assign notify  = gnt_o && target == ToHypercall && req_i.write && req_i.strb == '1
                   && req_i.addr[11:2] == '0;
  always_comb begin : proc_hit
    kick_queue_o = '0;
    for (int unsigned q = 0; q < NumQueues; q++) begin
      ring_hit[q] = address / LGUEST_PAGE == FirstPage + 32'(q) * RingPages;
      if (ring_hit[q]) kick_queue_o = 16'(q);
    end
  end
  assign to_device    = notify && address == MemoryTop;
  assign to_ring      = notify && ring_hit != '0;
  assign to_console   = notify && address < MemoryTop;
  assign kick         = to_ring && status != '0 && !resetting;
  assign early        = to_ring && status == '0;
  assign kick_valid_o = kick;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_access
    if (!rst_ni) begin
      {busy_q, reset_q} <= '0;
      target_q          <= ToPage;
    end else if (gnt_o) begin
      {busy_q, reset_q} <= {1'b1, to_device};
      target_q          <= target;
    end else if (rsp_valid_o) begin
      busy_q <= 1'b0;
    end
  end

  // Status and reset. There is no negotiation that ends: first use makes the features final.
  logic       live, clear, used_q, status_write, irq_quiet, zeroed, silent, first_q;
  logic [7:0] status_wdata;
  logic [3:0] unused_status;
  assign silent    = &stopped_i && irq_quiet;
  assign zeroing_o = resetting && silent;

  vio_status u_status (
    .clk_i, .rst_ni,
    .write_i       (status_write && status_wdata != '0),
    .wdata_i       (status_wdata),
    .status_o      (status),
    .flr_i         (to_device),
    .acceptable_i  (1'b0),
    .features_ok_o (unused_status[0]),
    .can_suspend_i (1'b0),
    .legacy_i      (1'b1),
    .legacy_used_i (1'b1),
    .error_i       (error_i),
    .live_o        (live),
    .resetting_o   (resetting),
    .stopped_i     (silent && zeroed),
    .clear_o       (clear),
    .drain_o       (unused_status[1]),
    .drained_i     (1'b0),
    .suspended_o   (unused_status[2]),
    .notify_o      (unused_status[3])
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_used
    if (!rst_ni)    used_q <= 1'b0;
    else if (clear) used_q <= 1'b0;
    else if (kick)  used_q <= 1'b1;
  end
  assign run_o  = live && used_q;
  assign stop_o = {NumQueues{resetting}};

  logic [31:0] page_rdata, features;
  vio_lguest_page #(
    .NumQueues     (NumQueues),
    .QueueSize     (QueueSize),
    .FirstPage     (FirstPage),
    .RingPages     (RingPages),
    .LaterFeatures (LaterOffer),
    .FirstFeatures (FirstOffer)
  ) u_page (
    .clk_i, .rst_ni, .dev_cfg_i,
    .clear_i        (clear),
    .req_i          (page_req),
    .rdata_o        (page_rdata),
    .first_i        (first_q),
    .lock_i         (used_q || resetting),
    .status_i       (status),
    .status_write_o (status_write),
    .status_wdata_o (status_wdata),
    .features_o     (features)
  );
  assign features_o = 64'(features);

  for (genvar q = 0; q < int'(NumQueues); q++) begin : gen_queue
    localparam logic [63:0] Start = 64'(FirstPage + 32'(q) * RingPages) * 64'(LGUEST_PAGE);
    assign queue_cfg_o[q] = '{
      enabled: used_q && !resetting,
      size:    16'(QueueSize),
      desc:    Start,
      driver:  Start + 64'(DESC_LENGTH * QueueSize),
      device:  Start + 64'(UsedOffset)
    };
  end

  vio_lguest_irq #(
    .NumQueues (NumQueues)
  ) u_irq (
    .clk_i, .rst_ni, .irq_valid_i, .irq_queue_i,
    .msg_valid_o, .msg_ready_i, .msg_addr_o, .msg_data_o, .msg_done_i,
    .clear_i (resetting),
    .quiet_o (irq_quiet)
  );

  vio_lguest_zero #(
    .DataWidth (DataWidth),
    .FirstPage (FirstPage),
    .NumPages  (NumQueues * RingPages)
  ) u_zero (
    .clk_i, .rst_ni, .wr_cmd_valid_o, .wr_cmd_ready_i, .wr_cmd_o, .wr_data_valid_o,
    .wr_data_ready_i, .wr_data_o, .wr_rsp_valid_i,
    .start_i (zeroing_o),
    .done_o  (zeroed)
  );

  // The Launcher's window.
  logic        launcher_read, launcher_write, char_valid;
  logic [7:0]  character;
  logic [15:0] early_q, nothing_q;
  logic [31:0] launcher_q;
  assign launcher_read  = gnt_o && target == ToLauncher && !req_i.write;
  assign launcher_write = gnt_o && target == ToLauncher && req_i.write;

  vio_lguest_console #(
    .DataWidth (DataWidth),
    .MemoryTop (MemoryTop)
  ) u_console (
    .clk_i, .rst_ni,
    .start_i        (to_console),
    .addr_i         (address),
    .busy_o         (console_busy),
    .rd_cmd_valid_o (console_valid_o),
    .rd_cmd_ready_i (console_ready_i),
    .rd_cmd_o       (console_cmd_o),
    .rd_rsp_valid_i (console_rsp_valid_i),
    .rd_rsp_data_i  (console_rsp_data_i),
    .rd_rsp_err_i   (console_rsp_err_i),
    .char_valid_o   (char_valid),
    .char_o         (character),
    .char_ready_i   (launcher_read && req_i.addr[11:0] == 12'(LGUEST_LAUNCHER_CONSOLE))
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_launcher
    if (!rst_ni) begin
      {early_q, nothing_q, launcher_q, first_q} <= '0;
    end else begin
      early_q   <= early_q + 16'(early);
      nothing_q <= nothing_q + 16'(notify && !to_device && !to_ring && !to_console);
      if (launcher_write && req_i.addr[11:0] == 12'(LGUEST_LAUNCHER_LAYOUT) && req_i.strb[0]
          && status == '0) begin
        first_q <= req_i.wdata[0];
      end
      unique case (req_i.addr[11:0])
        12'(LGUEST_LAUNCHER_CONSOLE):  launcher_q <= char_valid ? {24'h1, character} : '0;
        12'(LGUEST_LAUNCHER_WARNINGS): launcher_q <= {nothing_q, early_q};
        12'(LGUEST_LAUNCHER_LAYOUT):   launcher_q <= 32'(first_q);
        default:                       launcher_q <= '0;
      endcase
    end
  end

  always_comb begin : proc_rdata
    unique case (target_q)
      ToPage:     rsp_rdata_o = page_rdata;
      ToLauncher: rsp_rdata_o = launcher_q;
      default:    rsp_rdata_o = '0;
    endcase
  end

  logic unused;
  assign unused = ^{unused_status, req_i.addr[1:0]};

endmodule
