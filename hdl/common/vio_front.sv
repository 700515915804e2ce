/// The virtio-pci front end: configuration space, BAR0 and interrupts of the function, and the
/// device status with everything that hangs on it. The ring engine and the back end see what the
/// driver set up.
module vio_front
  import vio_pkg::*;
#(
  /// Virtio device type number.
  parameter int unsigned DeviceType = 2,
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Descriptors of the largest queue, a power of two.
  parameter int unsigned MaxQueueSize = 256,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2,
  /// notify_off_multiplier: 0, or a power of two from 2 on (from 4 on to offer NOTIFICATION_DATA).
  parameter int unsigned NotifyMultiplier = 4,
  /// The last queue is an administration queue, which num_queues does not count.
  parameter bit          AdminQueue = 1'b0,
  /// Feature bits that the device offers.
  parameter logic [63:0] Offered = 64'h1_0000_0000,
  /// Bytes of the device-specific configuration structure, a multiple of 4.
  parameter int unsigned DeviceCfgLength = 96,
  /// The device serves legacy drivers too, under this PCI device ID.
  parameter bit          Transitional = 1'b0,
  parameter logic [15:0] TransitionalId = 16'h0
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,

  input  reg_req_t                     cfg_req_i,
  output logic                         cfg_gnt_o,
  output logic                         cfg_rsp_valid_o,
  output logic [31:0]                  cfg_rsp_rdata_o,
  input  reg_req_t                     bar_req_i,
  output logic                         bar_gnt_o,
  output logic                         bar_rsp_valid_o,
  output logic [31:0]                  bar_rsp_rdata_o,
  output logic                         intx_o,

  /// DMA and messages may leave.
  output logic                         bus_master_o,
  /// Max_Payload_Size and Max_Read_Request_Size in bytes.
  output logic [12:0]                  max_payload_bytes_o,
  output logic [12:0]                  max_read_bytes_o,
  /// Present no new DMA address.
  output logic                         dma_pause_o,
  input  logic                         dma_quiet_i,
  input  logic                         dma_pending_i,
  /// A reset of the device, by the driver or by FLR, is draining.
  output logic                         resetting_o,

  output queue_cfg_t [NumQueues-1:0]   queue_cfg_o,
  output logic [63:0]                  features_o,
  /// New buffers may be fetched.
  output logic                         run_o,
  /// The device is about to be suspended, or is: finish what was fetched.
  output logic                         drain_o,
  input  logic                         idle_i,
  output logic [NumQueues-1:0]         stop_o,
  input  logic [NumQueues-1:0]         stopped_i,
  output logic                         kick_valid_o,
  output logic [15:0]                  kick_queue_o,
  output logic [31:0]                  kick_data_o,
  input  logic                         irq_valid_i,
  input  logic [15:0]                  irq_queue_i,
  output logic                         irq_ready_o,
  input  logic                         ring_error_i,

  output logic                         msg_valid_o,
  input  logic                         msg_ready_i,
  output logic [63:0]                  msg_addr_o,
  output logic [31:0]                  msg_data_o,
  input  logic                         msg_done_i,

  input  logic [DeviceCfgLength*8-1:0] dev_cfg_i,
  input  logic                         dev_cfg_changed_i,
  output logic                         dev_cfg_we_o,
  output logic [31:0]                  dev_cfg_addr_o,
  output logic [31:0]                  dev_cfg_wdata_o,
  output logic [3:0]                   dev_cfg_strb_o
);

  localparam int unsigned Stride       = NotifyMultiplier < 4 ? 4 : NotifyMultiplier;
  localparam int unsigned NotifyLength = NumQueues * Stride;
  localparam int unsigned BarEnd       = int'(BarNotify) + NotifyLength;
  localparam logic [63:0] BarSize      = 64'd1 << (BarEnd <= 32'h1_0000 ? 16 : $clog2(BarEnd));

  pci_ctrl_t   pci_ctrl;
  logic        flr, clear, live, suspended, features_ok, acceptable, status_notify, cfg_notify;
  logic        interrupt_status, irq_quiet, irq_drained, cfg_barrier, bar_barrier;
  logic        status_write;
  logic [7:0]  status, status_wdata, generation;
  logic [15:0] config_vector;
  reg_req_t    window_req, common_req, device_req, table_req, notify_req, legacy_req;
  logic        isr_read;
  logic [10:0] pba_index;
  logic        window_gnt, window_rsp_valid;
  logic [31:0] common_rdata, isr_rdata, device_rdata, table_rdata, pba_rdata, legacy_rdata;

  // The legacy interface.
  logic        legacy, legacy_used, legacy_isr_read, legacy_kick, modern_kick;
  logic [15:0] legacy_kick_queue, modern_kick_queue;
  legacy_wr_t  legacy_wr;
  legacy_rd_t  legacy_rd;

  logic [NumQueues-1:0]       queue_resetting, queue_cleared, queue_busy, queue_silent;
  logic [NumQueues-1:0][15:0] queue_vector;

  assign queue_silent = stopped_i & ~queue_busy;
  assign stop_o       = queue_resetting | {NumQueues{resetting_o}};
  assign max_payload_bytes_o = 13'd128 << pci_ctrl.max_payload;
  assign max_read_bytes_o    = 13'd128 << pci_ctrl.max_read_request;
  assign bus_master_o = pci_ctrl.bus_master;
  assign run_o        = live && pci_ctrl.bus_master;

  vio_pci_config #(
    .DeviceType       (DeviceType),
    .DeviceCfgLength  (DeviceCfgLength),
    .NumVectors       (NumVectors),
    .NotifyMultiplier (NotifyMultiplier),
    .NotifyLength     (NotifyLength),
    .BarSize          (BarSize),
    .Transitional     (Transitional),
    .TransitionalId   (TransitionalId)
  ) u_config (
    .clk_i, .rst_ni, .dma_pause_o, .dma_quiet_i,
    .req_i                  (cfg_req_i),
    .gnt_o                  (cfg_gnt_o),
    .rsp_valid_o            (cfg_rsp_valid_o),
    .rsp_rdata_o            (cfg_rsp_rdata_o),
    .interrupt_status_i     (interrupt_status),
    .transactions_pending_i (dma_pending_i || resetting_o),
    .ctrl_o                 (pci_ctrl),
    .flr_o                  (flr),
    .irq_barrier_o          (cfg_barrier),
    .irq_quiet_i            (irq_quiet),
    .window_req_o           (window_req),
    .window_gnt_i           (window_gnt),
    .window_rsp_valid_i     (window_rsp_valid),
    .window_rsp_rdata_i     (bar_rsp_rdata_o)
  );

  vio_bar #(
    .DeviceCfgLength (DeviceCfgLength),
    .NumVectors      (NumVectors),
    .NotifyLength    (NotifyLength),
    .Transitional    (Transitional)
  ) u_bar (
    .clk_i, .rst_ni,
    .memory_enable_i    (pci_ctrl.memory),
    .io_enable_i        (pci_ctrl.io),
    .msix_enable_i      (pci_ctrl.msix_enable),
    .legacy_req_o       (legacy_req),
    .legacy_rdata_i     (legacy_rdata),
    .legacy_hold_i      (resetting_o || queue_resetting != '0),
    .host_req_i         (bar_req_i),
    .host_gnt_o         (bar_gnt_o),
    .host_rsp_valid_o   (bar_rsp_valid_o),
    .window_req_i       (window_req),
    .window_gnt_o       (window_gnt),
    .window_rsp_valid_o (window_rsp_valid),
    .rsp_rdata_o        (bar_rsp_rdata_o),
    .common_req_o       (common_req),
    .common_rdata_i     (common_rdata),
    .isr_read_o         (isr_read),
    .isr_rdata_i        (isr_rdata),
    .device_req_o       (device_req),
    .device_rdata_i     (device_rdata),
    .table_req_o        (table_req),
    .table_rdata_i      (table_rdata),
    .pba_index_o        (pba_index),
    .pba_rdata_i        (pba_rdata),
    .notify_req_o       (notify_req),
    .irq_barrier_o      (bar_barrier),
    .irq_quiet_i        (irq_quiet)
  );

  vio_common_cfg #(
    .NumQueues        (NumQueues),
    .MaxQueueSize     (MaxQueueSize),
    .NumVectors       (NumVectors),
    .NotifyMultiplier (NotifyMultiplier),
    .AdminQueue       (AdminQueue),
    .Offered          (Offered)
  ) u_common (
    .clk_i, .rst_ni, .features_o, .queue_cfg_o,
    .legacy_wr_i       (legacy_wr),
    .legacy_rd_o       (legacy_rd),
    .legacy_i          (legacy),
    .legacy_used_i     (legacy_used),
    .req_i             (common_req),
    .rdata_o           (common_rdata),
    .status_i          (status),
    .status_write_o    (status_write),
    .status_wdata_o    (status_wdata),
    .generation_i      (generation),
    .resetting_i       (resetting_o),
    .clear_i           (clear),
    .features_ok_i     (features_ok),
    .acceptable_o      (acceptable),
    .config_vector_o   (config_vector),
    .queue_vector_o    (queue_vector),
    .queue_resetting_o (queue_resetting),
    .queue_stopped_i   (queue_silent),
    .queue_cleared_o   (queue_cleared)
  );

  vio_status u_status (
    .clk_i, .rst_ni, .resetting_o, .drain_o,
    .write_i       (status_write),
    .wdata_i       (status_wdata),
    .status_o      (status),
    .flr_i         (flr),
    .acceptable_i  (acceptable),
    .features_ok_o (features_ok),
    .can_suspend_i (features_o[vio_spec_pkg::FEATURE_SUSPEND]),
    .legacy_i      (legacy),
    .legacy_used_i (legacy_used),
    .error_i       (ring_error_i),
    .live_o        (live),
    .stopped_i     (&stopped_i && irq_quiet),
    .clear_o       (clear),
    .drained_i     (idle_i && irq_drained),
    .suspended_o   (suspended),
    .notify_o      (status_notify)
  );

  vio_device_cfg #(
    .Length (DeviceCfgLength)
  ) u_device_cfg (
    .clk_i, .rst_ni, .dev_cfg_i, .dev_cfg_we_o, .dev_cfg_addr_o, .dev_cfg_wdata_o, .dev_cfg_strb_o,
    .clear_i           (clear),
    .req_i             (device_req),
    .rdata_o           (device_rdata),
    .generation_o      (generation),
    .freeze_i          (suspended),
    .writable_i        ((features_ok || Transitional) && !suspended && !resetting_o),
    .live_i            (live),
    .notify_o          (cfg_notify),
    .dev_cfg_changed_i (dev_cfg_changed_i && status != '0)
  );

  vio_notify #(
    .NumQueues        (NumQueues),
    .NotifyMultiplier (NotifyMultiplier)
  ) u_notify (
    .kick_data_o,
    .kick_valid_o (modern_kick),
    .kick_queue_o (modern_kick_queue),
    .req_i        (notify_req),
    .features_i   (features_o)
  );

  if (Transitional) begin : gen_legacy
    vio_legacy #(
      .NumQueues (NumQueues),
      .Offered   (Offered[31:0])
    ) u_legacy (
      .clk_i, .rst_ni,
      .clear_i       (clear),
      .req_i         (legacy_req),
      .rdata_o       (legacy_rdata),
      .msix_enable_i (pci_ctrl.msix_enable),
      .features_ok_i (features_ok),
      .resetting_i   (resetting_o),
      .status_i      (status),
      .rd_i          (legacy_rd),
      .wr_o          (legacy_wr),
      .legacy_o      (legacy),
      .used_o        (legacy_used),
      .isr_read_o    (legacy_isr_read),
      .isr_rdata_i   (isr_rdata[7:0]),
      .kick_valid_o  (legacy_kick),
      .kick_queue_o  (legacy_kick_queue)
    );
  end else begin : gen_modern
    assign {legacy, legacy_used, legacy_isr_read, legacy_kick} = '0;
    assign {legacy_wr, legacy_rdata, legacy_kick_queue}        = '0;
    logic unused_legacy;
    assign unused_legacy = ^{legacy_req, legacy_rd};
  end
  assign kick_valid_o = modern_kick || legacy_kick;
  assign kick_queue_o = legacy_kick ? legacy_kick_queue : modern_kick_queue;

  // During a reset nothing is notified any more.
  vio_irq #(
    .NumQueues  (NumQueues),
    .NumVectors (NumVectors)
  ) u_irq (
    .clk_i, .rst_ni, .irq_queue_i, .irq_ready_o, .intx_o,
    .msg_valid_o, .msg_ready_i, .msg_addr_o, .msg_data_o, .msg_done_i,
    .bus_master_i       (pci_ctrl.bus_master),
    .msix_enable_i      (pci_ctrl.msix_enable),
    .msix_mask_i        (pci_ctrl.msix_mask),
    .intx_disable_i     (pci_ctrl.intx_disable),
    .flr_i              (flr),
    .clear_i            (clear),
    .queue_clear_i      (queue_cleared),
    .hold_i             (suspended || resetting_o),
    .irq_valid_i        (irq_valid_i && !resetting_o),
    .config_event_i     ((cfg_notify || status_notify) && !resetting_o),
    .config_vector_i    (config_vector),
    .queue_vector_i     (queue_vector),
    .isr_read_i         (isr_read || legacy_isr_read),
    .isr_rdata_o        (isr_rdata),
    .table_req_i        (table_req),
    .table_rdata_o      (table_rdata),
    .pba_index_i        (pba_index),
    .pba_rdata_o        (pba_rdata),
    .interrupt_status_o (interrupt_status),
    .barrier_i          (cfg_barrier || bar_barrier),
    .quiet_o            (irq_quiet),
    .drained_o          (irq_drained),
    .queue_busy_o       (queue_busy)
  );

endmodule
