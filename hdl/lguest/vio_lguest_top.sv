/// Block device on lguest's bus: the descriptor page and the notify hypercall in place of a PCI
/// function, in front of the same ring engine, DMA initiator and back end.
module vio_lguest_top
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Number of virtqueues, 1 to 8.
  parameter int unsigned NumQueues = 1,
  /// Descriptors of each queue, a power of two.
  parameter int unsigned QueueSize = 64,
  /// Bits of a beat on both AXI4 ports, a power of two from 64 to 512.
  parameter int unsigned DataWidth = 128,
  /// Where guest memory ends and the descriptor page lies; the rings' pages follow it.
  parameter logic [31:0] MemoryTop = 32'h0410_0000,
  localparam int unsigned IdWidth = 4
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  // The page from 0 on, the hypercall at 0x1000, the Launcher's window from 0x2000 on.
  input  logic [31:0]            s_bar_axil_awaddr,
  input  logic                   s_bar_axil_awvalid,
  output logic                   s_bar_axil_awready,
  input  logic [31:0]            s_bar_axil_wdata,
  input  logic [3:0]             s_bar_axil_wstrb,
  input  logic                   s_bar_axil_wvalid,
  output logic                   s_bar_axil_wready,
  output logic [1:0]             s_bar_axil_bresp,
  output logic                   s_bar_axil_bvalid,
  input  logic                   s_bar_axil_bready,
  input  logic [31:0]            s_bar_axil_araddr,
  input  logic                   s_bar_axil_arvalid,
  output logic                   s_bar_axil_arready,
  output logic [31:0]            s_bar_axil_rdata,
  output logic [1:0]             s_bar_axil_rresp,
  output logic                   s_bar_axil_rvalid,
  input  logic                   s_bar_axil_rready,

  // Guest memory and interrupt messages.
  output logic [IdWidth-1:0]     m_dma_axi_arid,
  output logic [63:0]            m_dma_axi_araddr,
  output logic [7:0]             m_dma_axi_arlen,
  output logic [2:0]             m_dma_axi_arsize,
  output logic [1:0]             m_dma_axi_arburst,
  output logic                   m_dma_axi_arvalid,
  input  logic                   m_dma_axi_arready,
  input  logic [IdWidth-1:0]     m_dma_axi_rid,
  input  logic [DataWidth-1:0]   m_dma_axi_rdata,
  input  logic [1:0]             m_dma_axi_rresp,
  input  logic                   m_dma_axi_rlast,
  input  logic                   m_dma_axi_rvalid,
  output logic                   m_dma_axi_rready,
  output logic [IdWidth-1:0]     m_dma_axi_awid,
  output logic [63:0]            m_dma_axi_awaddr,
  output logic [7:0]             m_dma_axi_awlen,
  output logic [2:0]             m_dma_axi_awsize,
  output logic [1:0]             m_dma_axi_awburst,
  output logic                   m_dma_axi_awvalid,
  input  logic                   m_dma_axi_awready,
  output logic [DataWidth-1:0]   m_dma_axi_wdata,
  output logic [DataWidth/8-1:0] m_dma_axi_wstrb,
  output logic                   m_dma_axi_wlast,
  output logic                   m_dma_axi_wvalid,
  input  logic                   m_dma_axi_wready,
  input  logic [IdWidth-1:0]     m_dma_axi_bid,
  input  logic [1:0]             m_dma_axi_bresp,
  input  logic                   m_dma_axi_bvalid,
  output logic                   m_dma_axi_bready,

  // The medium: byte address = sector * 512.
  output logic [IdWidth-1:0]     m_med_axi_arid,
  output logic [63:0]            m_med_axi_araddr,
  output logic [7:0]             m_med_axi_arlen,
  output logic [2:0]             m_med_axi_arsize,
  output logic [1:0]             m_med_axi_arburst,
  output logic                   m_med_axi_arvalid,
  input  logic                   m_med_axi_arready,
  input  logic [IdWidth-1:0]     m_med_axi_rid,
  input  logic [DataWidth-1:0]   m_med_axi_rdata,
  input  logic [1:0]             m_med_axi_rresp,
  input  logic                   m_med_axi_rlast,
  input  logic                   m_med_axi_rvalid,
  output logic                   m_med_axi_rready,
  output logic [IdWidth-1:0]     m_med_axi_awid,
  output logic [63:0]            m_med_axi_awaddr,
  output logic [7:0]             m_med_axi_awlen,
  output logic [2:0]             m_med_axi_awsize,
  output logic [1:0]             m_med_axi_awburst,
  output logic                   m_med_axi_awvalid,
  input  logic                   m_med_axi_awready,
  output logic [DataWidth-1:0]   m_med_axi_wdata,
  output logic [DataWidth/8-1:0] m_med_axi_wstrb,
  output logic                   m_med_axi_wlast,
  output logic                   m_med_axi_wvalid,
  input  logic                   m_med_axi_wready,
  input  logic [IdWidth-1:0]     m_med_axi_bid,
  input  logic [1:0]             m_med_axi_bresp,
  input  logic                   m_med_axi_bvalid,
  output logic                   m_med_axi_bready,

  /// Capacity of the medium in 512-byte sectors; may change at any time.
  input  logic [63:0]            medium_sectors_i
);

  localparam int unsigned DmaRing = vio_dma_pkg::DmaRing;
  localparam int unsigned DmaBack = vio_dma_pkg::DmaBlk;
  localparam logic [31:0] Offered =
      (32'd1 << FEATURE_INDIRECT_DESC) | (32'd1 << FEATURE_EVENT_IDX)
      | (32'd1 << BLK_FEATURE_SEG_MAX) | (32'd1 << BLK_FEATURE_BLK_SIZE)
      | (32'd1 << BLK_FEATURE_FLUSH) | (32'(NumQueues > 1) << BLK_FEATURE_MQ)
      | (32'd1 << BLK_FEATURE_DISCARD) | (32'd1 << BLK_FEATURE_WRITE_ZEROES);

  reg_req_t    req;
  logic        gnt, rsp_valid;
  logic [31:0] rsp_rdata;

  vio_axil_target #(
    .AddrWidth (32)
  ) u_target (
    .clk_i, .rst_ni,
    .s_axil_awaddr  (s_bar_axil_awaddr),
    .s_axil_awvalid (s_bar_axil_awvalid),
    .s_axil_awready (s_bar_axil_awready),
    .s_axil_wdata   (s_bar_axil_wdata),
    .s_axil_wstrb   (s_bar_axil_wstrb),
    .s_axil_wvalid  (s_bar_axil_wvalid),
    .s_axil_wready  (s_bar_axil_wready),
    .s_axil_bresp   (s_bar_axil_bresp),
    .s_axil_bvalid  (s_bar_axil_bvalid),
    .s_axil_bready  (s_bar_axil_bready),
    .s_axil_araddr  (s_bar_axil_araddr),
    .s_axil_arvalid (s_bar_axil_arvalid),
    .s_axil_arready (s_bar_axil_arready),
    .s_axil_rdata   (s_bar_axil_rdata),
    .s_axil_rresp   (s_bar_axil_rresp),
    .s_axil_rvalid  (s_bar_axil_rvalid),
    .s_axil_rready  (s_bar_axil_rready),
    .req_o          (req),
    .gnt_i          (gnt),
    .rsp_valid_i    (rsp_valid),
    .rsp_rdata_i    (rsp_rdata)
  );

  queue_cfg_t [NumQueues-1:0]  queue_cfg;
  logic [63:0]                 features;
  logic                        run, kick_valid, irq_valid, ring_error, be_error, zeroing;
  logic                        unused_idle;
  logic [NumQueues-1:0]        stop, stopped, ring_stopped;
  logic [15:0]                 kick_queue, irq_queue;
  logic                        msg_valid, msg_ready, msg_done;
  logic [63:0]                 msg_addr;
  logic [31:0]                 msg_data;
  logic [BLK_CFG_LENGTH*8-1:0] dev_cfg;
  logic                        unused_changed;
  logic [1:0]                  unused_bus;

  // DMA clients, indexed by DmaRing and DmaBack, and who shares the ring's.
  logic [1:0]                rd_cmd_valid, rd_cmd_ready, rd_rsp_valid, rd_rsp_ready;
  logic [1:0]                rd_rsp_last, rd_rsp_err;
  logic [1:0]                wr_cmd_valid, wr_cmd_ready, wr_data_valid, wr_data_ready;
  logic [1:0]                wr_rsp_valid, wr_rsp_err;
  dma_cmd_t [1:0]            rd_cmd, wr_cmd;
  logic [1:0][DataWidth-1:0] rd_rsp_data, wr_data;
  logic                      ring_rd_cmd_valid, ring_rd_cmd_ready, ring_rd_rsp_valid;
  logic                      ring_rd_rsp_ready, ring_wr_cmd_valid, ring_wr_cmd_ready;
  logic                      ring_wr_data_valid, ring_wr_data_ready, ring_wr_rsp_valid;
  logic                      con_valid, con_ready, con_rsp_valid;
  logic                      zero_cmd_valid, zero_data_valid;
  dma_cmd_t                  ring_rd_cmd, ring_wr_cmd, con_cmd, zero_cmd;
  logic [DataWidth-1:0]      ring_wr_data, zero_data;

  vio_lguest #(
    .NumQueues (NumQueues),
    .QueueSize (QueueSize),
    .DataWidth (DataWidth),
    .MemoryTop (MemoryTop),
    .Offered   (Offered)
  ) u_front (
    .clk_i, .rst_ni,
    .req_i               (req),
    .gnt_o               (gnt),
    .rsp_valid_o         (rsp_valid),
    .rsp_rdata_o         (rsp_rdata),
    .queue_cfg_o         (queue_cfg),
    .features_o          (features),
    .run_o               (run),
    .stop_o              (stop),
    .stopped_i           (stopped),
    .kick_valid_o        (kick_valid),
    .kick_queue_o        (kick_queue),
    .irq_valid_i         (irq_valid),
    .irq_queue_i         (irq_queue),
    .error_i             (ring_error || be_error),
    .msg_valid_o         (msg_valid),
    .msg_ready_i         (msg_ready),
    .msg_addr_o          (msg_addr),
    .msg_data_o          (msg_data),
    .msg_done_i          (msg_done),
    .console_valid_o     (con_valid),
    .console_ready_i     (con_ready),
    .console_cmd_o       (con_cmd),
    .console_rsp_valid_i (con_rsp_valid),
    .console_rsp_data_i  (rd_rsp_data[DmaRing]),
    .console_rsp_err_i   (rd_rsp_err[DmaRing]),
    .zeroing_o           (zeroing),
    .wr_cmd_valid_o      (zero_cmd_valid),
    .wr_cmd_ready_i      (wr_cmd_ready[DmaRing] && zeroing),
    .wr_cmd_o            (zero_cmd),
    .wr_data_valid_o     (zero_data_valid),
    .wr_data_ready_i     (wr_data_ready[DmaRing] && zeroing),
    .wr_data_o           (zero_data),
    .wr_rsp_valid_i      (wr_rsp_valid[DmaRing] && zeroing),
    .dev_cfg_i           (dev_cfg)
  );

  vio_lguest_share u_share (
    .clk_i, .rst_ni,
    .ring_valid_i        (ring_rd_cmd_valid),
    .ring_ready_o        (ring_rd_cmd_ready),
    .ring_cmd_i          (ring_rd_cmd),
    .ring_rsp_valid_o    (ring_rd_rsp_valid),
    .ring_rsp_ready_i    (ring_rd_rsp_ready),
    .console_valid_i     (con_valid),
    .console_ready_o     (con_ready),
    .console_cmd_i       (con_cmd),
    .console_rsp_valid_o (con_rsp_valid),
    .rd_cmd_valid_o      (rd_cmd_valid[DmaRing]),
    .rd_cmd_ready_i      (rd_cmd_ready[DmaRing]),
    .rd_cmd_o            (rd_cmd[DmaRing]),
    .rd_rsp_valid_i      (rd_rsp_valid[DmaRing]),
    .rd_rsp_ready_o      (rd_rsp_ready[DmaRing]),
    .rd_rsp_last_i       (rd_rsp_last[DmaRing])
  );

  // While the rings are zeroed their engine is silent, and its way to memory free.
  assign wr_cmd_valid[DmaRing]  = zeroing ? zero_cmd_valid : ring_wr_cmd_valid;
  assign wr_cmd[DmaRing]        = zeroing ? zero_cmd : ring_wr_cmd;
  assign wr_data_valid[DmaRing] = zeroing ? zero_data_valid : ring_wr_data_valid;
  assign wr_data[DmaRing]       = zeroing ? zero_data : ring_wr_data;
  assign ring_wr_cmd_ready      = wr_cmd_ready[DmaRing] && !zeroing;
  assign ring_wr_data_ready     = wr_data_ready[DmaRing] && !zeroing;
  assign ring_wr_rsp_valid      = wr_rsp_valid[DmaRing] && !zeroing;

  logic        seg_valid, seg_ready, cpl_valid, cpl_ready, be_stop, be_idle;
  segment_t    seg;
  completion_t cpl;

  vio_ring #(
    .NumQueues (NumQueues),
    .DataWidth (DataWidth)
  ) u_ring (
    .clk_i, .rst_ni,
    .seg_valid_o     (seg_valid),
    .seg_ready_i     (seg_ready),
    .seg_o           (seg),
    .cpl_valid_i     (cpl_valid),
    .cpl_ready_o     (cpl_ready),
    .cpl_i           (cpl),
    .be_stop_o       (be_stop),
    .be_idle_i       (be_idle),
    .queue_cfg_i     (queue_cfg),
    .features_i      (features),
    .run_i           (run),
    .drain_i         (1'b0),
    .idle_o          (unused_idle),
    .kick_valid_i    (kick_valid),
    .kick_queue_i    (kick_queue),
    .kick_data_i     ('0),
    .stop_i          (stop),
    .stopped_o       (ring_stopped),
    .irq_valid_o     (irq_valid),
    .irq_queue_o     (irq_queue),
    .irq_ready_i     (1'b1),
    .ring_error_o    (ring_error),
    .rd_cmd_valid_o  (ring_rd_cmd_valid),
    .rd_cmd_ready_i  (ring_rd_cmd_ready),
    .rd_cmd_o        (ring_rd_cmd),
    .rd_rsp_valid_i  (ring_rd_rsp_valid),
    .rd_rsp_ready_o  (ring_rd_rsp_ready),
    .rd_rsp_data_i   (rd_rsp_data[DmaRing]),
    .rd_rsp_last_i   (rd_rsp_last[DmaRing]),
    .rd_rsp_err_i    (rd_rsp_err[DmaRing]),
    .wr_cmd_valid_o  (ring_wr_cmd_valid),
    .wr_cmd_ready_i  (ring_wr_cmd_ready),
    .wr_cmd_o        (ring_wr_cmd),
    .wr_data_valid_o (ring_wr_data_valid),
    .wr_data_ready_i (ring_wr_data_ready),
    .wr_data_o       (ring_wr_data),
    .wr_rsp_valid_i  (ring_wr_rsp_valid),
    .wr_rsp_err_i    (wr_rsp_err[DmaRing])
  );

  vio_blk #(
    .DataWidth (DataWidth),
    .IdWidth   (IdWidth),
    .NumQueues (NumQueues),
    .SegDepth  (QueueSize),
    .Zeroes    (1'b1)
  ) u_blk (
    .clk_i, .rst_ni, .medium_sectors_i,
    .features_i        (features),
    .seg_valid_i       (seg_valid),
    .seg_ready_o       (seg_ready),
    .seg_i             (seg),
    .cpl_valid_o       (cpl_valid),
    .cpl_ready_i       (cpl_ready),
    .cpl_o             (cpl),
    .be_stop_i         (be_stop),
    .be_idle_o         (be_idle),
    .be_error_o        (be_error),
    .rd_cmd_valid_o    (rd_cmd_valid[DmaBack]),
    .rd_cmd_ready_i    (rd_cmd_ready[DmaBack]),
    .rd_cmd_o          (rd_cmd[DmaBack]),
    .rd_rsp_valid_i    (rd_rsp_valid[DmaBack]),
    .rd_rsp_ready_o    (rd_rsp_ready[DmaBack]),
    .rd_rsp_data_i     (rd_rsp_data[DmaBack]),
    .rd_rsp_last_i     (rd_rsp_last[DmaBack]),
    .rd_rsp_err_i      (rd_rsp_err[DmaBack]),
    .wr_cmd_valid_o    (wr_cmd_valid[DmaBack]),
    .wr_cmd_ready_i    (wr_cmd_ready[DmaBack]),
    .wr_cmd_o          (wr_cmd[DmaBack]),
    .wr_data_valid_o   (wr_data_valid[DmaBack]),
    .wr_data_ready_i   (wr_data_ready[DmaBack]),
    .wr_data_o         (wr_data[DmaBack]),
    .wr_rsp_valid_i    (wr_rsp_valid[DmaBack]),
    .wr_rsp_err_i      (wr_rsp_err[DmaBack]),
    .dev_cfg_o         (dev_cfg),
    .dev_cfg_changed_o (unused_changed),
    .dev_cfg_we_i      (1'b0),
    .dev_cfg_addr_i    ('0),
    .dev_cfg_wdata_i   ('0),
    .dev_cfg_strb_i    ('0),
    .m_axi_arid        (m_med_axi_arid),
    .m_axi_araddr      (m_med_axi_araddr),
    .m_axi_arlen       (m_med_axi_arlen),
    .m_axi_arsize      (m_med_axi_arsize),
    .m_axi_arburst     (m_med_axi_arburst),
    .m_axi_arvalid     (m_med_axi_arvalid),
    .m_axi_arready     (m_med_axi_arready),
    .m_axi_rid         (m_med_axi_rid),
    .m_axi_rdata       (m_med_axi_rdata),
    .m_axi_rresp       (m_med_axi_rresp),
    .m_axi_rlast       (m_med_axi_rlast),
    .m_axi_rvalid      (m_med_axi_rvalid),
    .m_axi_rready      (m_med_axi_rready),
    .m_axi_awid        (m_med_axi_awid),
    .m_axi_awaddr      (m_med_axi_awaddr),
    .m_axi_awlen       (m_med_axi_awlen),
    .m_axi_awsize      (m_med_axi_awsize),
    .m_axi_awburst     (m_med_axi_awburst),
    .m_axi_awvalid     (m_med_axi_awvalid),
    .m_axi_awready     (m_med_axi_awready),
    .m_axi_wdata       (m_med_axi_wdata),
    .m_axi_wstrb       (m_med_axi_wstrb),
    .m_axi_wlast       (m_med_axi_wlast),
    .m_axi_wvalid      (m_med_axi_wvalid),
    .m_axi_wready      (m_med_axi_wready),
    .m_axi_bid         (m_med_axi_bid),
    .m_axi_bresp       (m_med_axi_bresp),
    .m_axi_bvalid      (m_med_axi_bvalid),
    .m_axi_bready      (m_med_axi_bready)
  );


  vio_bus_master #(
    .NumQueues (NumQueues),
    .DataWidth (DataWidth),
    .IdWidth   (IdWidth)
  ) u_bus (
    .clk_i, .rst_ni,
    .m_dma_axi_arid, .m_dma_axi_araddr, .m_dma_axi_arlen, .m_dma_axi_arsize, .m_dma_axi_arburst,
    .m_dma_axi_arvalid, .m_dma_axi_arready, .m_dma_axi_rid, .m_dma_axi_rdata, .m_dma_axi_rresp,
    .m_dma_axi_rlast, .m_dma_axi_rvalid, .m_dma_axi_rready, .m_dma_axi_awid, .m_dma_axi_awaddr,
    .m_dma_axi_awlen, .m_dma_axi_awsize, .m_dma_axi_awburst, .m_dma_axi_awvalid,
    .m_dma_axi_awready, .m_dma_axi_wdata, .m_dma_axi_wstrb, .m_dma_axi_wlast, .m_dma_axi_wvalid,
    .m_dma_axi_wready, .m_dma_axi_bid, .m_dma_axi_bresp, .m_dma_axi_bvalid, .m_dma_axi_bready,
    .bus_master_i        (1'b1),
    .pause_i             (1'b0),
    .resetting_i         (1'b0),
    .quiet_o             (unused_bus[0]),
    .pending_o           (unused_bus[1]),
    .ring_stopped_i      (ring_stopped),
    .stopped_o           (stopped),
    .max_payload_bytes_i ('0),
    .max_read_bytes_i    ('0),
    .rd_cmd_valid_i      (rd_cmd_valid),
    .rd_cmd_ready_o      (rd_cmd_ready),
    .rd_cmd_i            (rd_cmd),
    .rd_rsp_valid_o      (rd_rsp_valid),
    .rd_rsp_ready_i      (rd_rsp_ready),
    .rd_rsp_data_o       (rd_rsp_data),
    .rd_rsp_last_o       (rd_rsp_last),
    .rd_rsp_err_o        (rd_rsp_err),
    .wr_cmd_valid_i      (wr_cmd_valid),
    .wr_cmd_ready_o      (wr_cmd_ready),
    .wr_cmd_i            (wr_cmd),
    .wr_data_valid_i     (wr_data_valid),
    .wr_data_ready_o     (wr_data_ready),
    .wr_data_i           (wr_data),
    .wr_rsp_valid_o      (wr_rsp_valid),
    .wr_rsp_err_o        (wr_rsp_err),
    .msg_valid_i         (msg_valid),
    .msg_ready_o         (msg_ready),
    .msg_addr_i          (msg_addr),
    .msg_data_i          (msg_data),
    .msg_done_o          (msg_done)
  );


  logic unused;
  assign unused = ^{unused_idle, unused_bus, unused_changed};

endmodule
