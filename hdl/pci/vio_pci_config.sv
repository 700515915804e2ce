/// PCI configuration space of a virtio function: type 0 header, power management, PCI Express
/// endpoint, MSI-X and the five virtio capabilities (virtio 1.4, 4.1.2 to 4.1.4). A transitional
/// function has another identity, and an I/O BAR in front of the memory BAR (4.1.2.3, 4.1.4.10).
///
/// A write that stops DMA or silences interrupts is answered once nothing of either is left on its
/// way.
module vio_pci_config
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Virtio device type number.
  parameter int unsigned DeviceType = DEVICE_TYPE_BLK,
  /// Class code: base class, sub-class, programming interface.
  parameter logic [23:0] ClassCode = 24'h01_80_00,
  /// Bytes of the device-specific configuration structure.
  parameter int unsigned DeviceCfgLength = 96,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2,
  /// notify_off_multiplier.
  parameter int unsigned NotifyMultiplier = 4,
  /// Bytes of the NOTIFY structure.
  parameter int unsigned NotifyLength = 4,
  /// Bytes of the memory BAR, a power of two.
  parameter logic [63:0] BarSize = 64'h1_0000,
  /// The function serves legacy drivers too, under this device ID.
  parameter bit          Transitional = 1'b0,
  parameter logic [15:0] TransitionalId = 16'h0
) (
  input  logic        clk_i,
  input  logic        rst_ni,

  input  reg_req_t    req_i,
  output logic        gnt_o,
  output logic        rsp_valid_o,
  output logic [31:0] rsp_rdata_o,

  /// INTx is or would be asserted: the status register's interrupt bit.
  input  logic        interrupt_status_i,
  /// The function has non-posted requests outstanding.
  input  logic        transactions_pending_i,
  output pci_ctrl_t   ctrl_o,
  /// Function-level reset was requested; this module has cleared its own state.
  output logic        flr_o,

  /// Hold back new interrupt messages, and wait for those on their way.
  output logic        irq_barrier_o,
  input  logic        irq_quiet_i,
  /// Present no new DMA address, and wait for what is presented.
  output logic        dma_pause_o,
  input  logic        dma_quiet_i,

  /// BAR access by way of the PCI_CFG window.
  output reg_req_t    window_req_o,
  input  logic        window_gnt_i,
  input  logic        window_rsp_valid_i,
  input  logic [31:0] window_rsp_rdata_i
);

  // Where the capabilities lie, in list order.
  localparam logic [7:0] PosPm     = 8'h40;
  localparam logic [7:0] PosPcie   = 8'h48;
  localparam logic [7:0] PosMsix   = 8'h84;
  localparam logic [7:0] PosCommon = 8'h90;
  localparam logic [7:0] PosNotify = 8'ha0;
  localparam logic [7:0] PosIsr    = 8'hb4;
  localparam logic [7:0] PosDevice = 8'hc4;
  localparam logic [7:0] PosWindow = 8'hd4;

  localparam logic [15:0] DeviceId     = Transitional ? TransitionalId
                                                      : 16'(MODERN_DEVICE_ID_BASE + DeviceType);
  localparam logic [15:0] SubsystemId  = Transitional ? 16'(DeviceType) : DeviceId;
  localparam logic [7:0]  Revision     = Transitional ? 8'h00 : 8'h01;
  localparam logic [7:0]  Bar          = Transitional ? BarTransitional : BarModern;
  localparam logic [9:0]  BarDword     = 10'h004 + 10'(Bar);
  // Memory, bus master, parity, SERR, INTx.
  localparam logic [15:0] CommandMask  = 16'h0546 | 16'(Transitional);
  localparam logic [15:0] DevCtlMask   = 16'h79ff;  // not: FLR, auxiliary power, phantom
  localparam logic [15:0] DevCtlReset  = 16'h2810;  // 512-byte reads, relaxed ordering, no-snoop
  localparam logic [15:0] DevCtl2Mask  = 16'h001f;  // completion timeout
  localparam logic [15:0] LinkCtlMask  = 16'h00c3;
  localparam logic [2:0]  MaxPayload   = 3'd2;      // 512 bytes
  // FLR, role-based error reporting, no latency limits, 8-bit tags.
  localparam logic [31:0] DeviceCaps   = PCIE_DEVICE_CAPABILITIES_FLR | 32'h8fe0
                                         | 32'(MaxPayload);
  localparam logic [63:0] BarMask      = ~(BarSize - 64'd1);

  logic [15:0] command_q, dev_ctl_q, dev_ctl2_q, link_ctl_q;
  logic [63:4] bar_q;
  logic [31:7] io_bar_q;
  logic [7:0]  cache_line_q, int_line_q;
  logic        msix_enable_q, msix_mask_q, d3_q;

  function automatic logic [31:0] virtio_cap(logic [7:0] next, logic [7:0] length,
                                             logic [7:0] cfg_type);
    return {cfg_type, length, next, 8'(PCI_CAP_ID_VENDOR)};
  endfunction

  logic [9:0] dword;
  assign dword = req_i.addr[11:2];

  localparam logic [31:0] PosCommand = PCI_COMMAND;
  localparam logic [31:0] PosPmCtl   = 32'(PosPm) + 32'h4;
  localparam logic [31:0] PosDevCtl  = 32'(PosPcie) + PCIE_DEVICE_CONTROL;

  // The PCI_CFG window owns its capability's dwords behind the first.
  reg_req_t    window_req;
  logic        window_hit, window_done;
  logic [31:0] window_bar, window_offset, window_length, window_data;
  assign window_hit = req_i.addr[31:8] == '0 && req_i.addr[7:0] > PosWindow
                      && req_i.addr[7:0] < PosWindow + 8'(CAP_LENGTH_PCI_CFG);
  always_comb begin : proc_window_req
    window_req       = req_i;
    window_req.valid = req_i.valid && window_hit;
    window_req.addr  = req_i.addr - 32'(PosWindow);
  end

  logic flr;

  vio_pci_window #(
    .Bar (Bar)
  ) u_window (
    .clk_i, .rst_ni,
    .clear_i         (flr),
    .req_i           (window_req),
    .done_o          (window_done),
    .bar_word_o      (window_bar),
    .offset_word_o   (window_offset),
    .length_word_o   (window_length),
    .data_word_o     (window_data),
    .bar_req_o       (window_req_o),
    .bar_gnt_i       (window_gnt_i),
    .bar_rsp_valid_i (window_rsp_valid_i),
    .bar_rsp_rdata_i (window_rsp_rdata_i)
  );

  logic [31:0] rdata;
  always_comb begin : proc_read
    unique case (dword)
      10'h000: rdata = {DeviceId, 16'(VENDOR_ID)};
      10'h001: rdata = {12'h001, interrupt_status_i, 3'h0, command_q};
      10'h002: rdata = {ClassCode, Revision};
      10'h003: rdata = {24'h0, cache_line_q};
      10'h00b: rdata = {SubsystemId, 16'(VENDOR_ID)};
      10'h00d: rdata = {24'h0, PosPm};
      10'h00f: rdata = {16'h0000, 8'h01, int_line_q};  // INTA
      10'h010: rdata = {16'h0003, PosPcie, 8'(PCI_CAP_ID_POWER_MANAGEMENT)};
      10'h011: rdata = {28'h0, 2'b10, d3_q, d3_q};  // no soft reset on the way back to D0
      10'h012: rdata = {16'h0002, PosMsix, 8'(PCI_CAP_ID_PCI_EXPRESS)};
      10'h013: rdata = DeviceCaps;
      10'h014: rdata = {10'h0, transactions_pending_i, 5'h0, dev_ctl_q};
      10'h015: rdata = 32'h0040_7c83;               // 8 GT/s, x8
      10'h016: rdata = {16'h1083, link_ctl_q};
      10'h01b: rdata = 32'h0000_0010;               // completion timeout can be disabled
      10'h01c: rdata = {16'h0, dev_ctl2_q};
      10'h01d: rdata = 32'h0000_000e;
      10'h01e: rdata = 32'h0000_0003;
      10'h021: rdata = {msix_enable_q, msix_mask_q, 3'h0, 11'(NumVectors - 1), PosCommon,
                        8'(PCI_CAP_ID_MSIX)};
      10'h022: rdata = BarTable | 32'(Bar);
      10'h023: rdata = BarPba | 32'(Bar);
      10'h024: rdata = virtio_cap(PosNotify, 8'(CAP_LENGTH), 8'(CAP_TYPE_COMMON));
      10'h025, 10'h029, 10'h02e, 10'h032: rdata = 32'(Bar);
      10'h026: rdata = BarCommon;
      10'h027: rdata = 32'(COMMON_CFG_LENGTH);
      10'h028: rdata = virtio_cap(PosIsr, 8'(CAP_LENGTH_NOTIFY), 8'(CAP_TYPE_NOTIFY));
      10'h02a: rdata = BarNotify;
      10'h02b: rdata = NotifyLength;
      10'h02c: rdata = NotifyMultiplier;
      10'h02d: rdata = virtio_cap(PosDevice, 8'(CAP_LENGTH), 8'(CAP_TYPE_ISR));
      10'h02f: rdata = BarIsr;
      10'h030: rdata = 32'h4;
      10'h031: rdata = virtio_cap(PosWindow, 8'(CAP_LENGTH), 8'(CAP_TYPE_DEVICE));
      10'h033: rdata = BarDevice;
      10'h034: rdata = DeviceCfgLength;
      10'h035: rdata = virtio_cap(8'h00, 8'(CAP_LENGTH_PCI_CFG), 8'(CAP_TYPE_PCI_CFG));
      10'h036: rdata = window_bar;
      10'h037: rdata = window_offset;
      10'h038: rdata = window_length;
      10'h039: rdata = window_data;
      default: rdata = '0;
    endcase
    if (dword == BarDword) rdata = {bar_q[31:4], 4'b0100};
    if (dword == BarDword + 10'd1) rdata = bar_q[63:32];
    if (Transitional && dword == 10'h004) rdata = {io_bar_q, 7'h01};
  end

  // What a write would make of its dword.
  logic [31:0] merged;
  logic        write;
  logic        write_command, write_dev_ctl, write_msix, write_pm;
  assign merged        = strobe_merge(rdata, req_i.wdata, req_i.strb);
  assign write         = req_i.valid && req_i.write;
  assign write_command = write && req_i.addr == PosCommand;
  assign write_pm      = write && req_i.addr == PosPmCtl && req_i.strb[0];
  assign write_dev_ctl = write && req_i.addr == PosDevCtl;
  assign write_msix    = write && req_i.addr == 32'(PosMsix) && req_i.strb[3];

  logic wants_flr, stops_dma;
  assign wants_flr = write_dev_ctl && req_i.strb[1] && req_i.wdata[15];
  assign stops_dma = ctrl_o.bus_master
                     && ((write_command && !merged[2]) || wants_flr
                         || (write_pm && req_i.wdata[1:0] == 2'b11));

  assign irq_barrier_o = stops_dma || write_msix;
  assign dma_pause_o   = stops_dma && irq_quiet_i;
  assign gnt_o = req_i.valid && (!window_hit || window_done) && (!irq_barrier_o || irq_quiet_i)
                 && (!stops_dma || dma_quiet_i);
  assign flr   = wants_flr && gnt_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_response
    if (!rst_ni) begin
      rsp_valid_o <= 1'b0;
      rsp_rdata_o <= '0;
      flr_o       <= 1'b0;
    end else begin
      rsp_valid_o <= gnt_o;
      rsp_rdata_o <= rdata;
      flr_o       <= flr;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_registers
    if (!rst_ni) begin
      {command_q, dev_ctl2_q, link_ctl_q, bar_q, cache_line_q, int_line_q} <= '0;
      io_bar_q                                                             <= '0;
      {msix_enable_q, msix_mask_q, d3_q}                                   <= '0;
      dev_ctl_q                                                            <= DevCtlReset;
    end else if (flr) begin
      // A function-level reset keeps Max_Payload_Size and the link's settings.
      {command_q, dev_ctl2_q, bar_q, cache_line_q, int_line_q} <= '0;
      io_bar_q                                                 <= '0;
      {msix_enable_q, msix_mask_q, d3_q}                       <= '0;
      dev_ctl_q <= {DevCtlReset[15:8], dev_ctl_q[7:5], DevCtlReset[4:0]};
    end else if (write && gnt_o) begin
      if (write_command) command_q <= merged[15:0] & CommandMask;
      if (write_dev_ctl) dev_ctl_q <= merged[15:0] & DevCtlMask;
      if (write_msix) {msix_enable_q, msix_mask_q} <= req_i.wdata[31:30];
      if (write_pm && req_i.wdata[1] == req_i.wdata[0]) d3_q <= req_i.wdata[0];
      unique case (dword)
        10'h003: cache_line_q <= merged[7:0];
        10'h00f: int_line_q   <= merged[7:0];
        10'h016: link_ctl_q   <= merged[15:0] & LinkCtlMask;
        10'h01c: dev_ctl2_q   <= merged[15:0] & DevCtl2Mask;
        default: ;
      endcase
      if (dword == BarDword) bar_q[31:4] <= merged[31:4] & BarMask[31:4];
      if (dword == BarDword + 10'd1) bar_q[63:32] <= merged & BarMask[63:32];
      if (Transitional && dword == 10'h004) io_bar_q <= merged[31:7];
    end
  end

  assign ctrl_o = '{
    io:               command_q[0] && !d3_q,
    memory:           command_q[1] && !d3_q,
    bus_master:       command_q[2] && !d3_q,
    intx_disable:     command_q[10] || d3_q,
    msix_enable:      msix_enable_q,
    msix_mask:        msix_mask_q,
    max_payload:      dev_ctl_q[7:5] > MaxPayload ? MaxPayload : dev_ctl_q[7:5],
    max_read_request: dev_ctl_q[14:12]
  };

endmodule
