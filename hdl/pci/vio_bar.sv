/// BAR space: takes accesses from the host port and from the PCI_CFG window, one at a time, and hands
/// each to the structure that it addresses. Anything unmapped reads 0 and ignores writes. The legacy
/// interface, where there is one, lies in BAR0, in I/O space; all else lies in one memory BAR.
///
/// Structures see an access for one cycle and answer a read in the next one.
module vio_bar
  import vio_pkg::*;
#(
  /// Bytes of the device-specific configuration structure.
  parameter int unsigned DeviceCfgLength = 96,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2,
  /// Bytes of the NOTIFY structure.
  parameter int unsigned NotifyLength = 4,
  /// BAR0 is the legacy interface's, at `BarLegacy` on the host port.
  parameter bit          Transitional = 1'b0
) (
  input  logic        clk_i,
  input  logic        rst_ni,

  /// Memory Space Enable: without it the host's accesses reach nothing.
  input  logic        memory_enable_i,
  /// The same for I/O space.
  input  logic        io_enable_i,
  /// MSI-X is on: the legacy interface's device configuration gives way to two vectors.
  input  logic        msix_enable_i,

  input  reg_req_t    host_req_i,
  output logic        host_gnt_o,
  output logic        host_rsp_valid_o,
  /// The PCI_CFG window works without Memory Space Enable: that is what it is for.
  input  reg_req_t    window_req_i,
  output logic        window_gnt_o,
  output logic        window_rsp_valid_o,
  /// What was read, for both.
  output logic [31:0] rsp_rdata_o,

  output reg_req_t    common_req_o,
  input  logic [31:0] common_rdata_i,
  /// The ISR status byte is being read.
  output logic        isr_read_o,
  input  logic [31:0] isr_rdata_i,
  output reg_req_t    device_req_o,
  input  logic [31:0] device_rdata_i,
  output reg_req_t    table_req_o,
  input  logic [31:0] table_rdata_i,
  /// Dword of the pending bit array.
  output logic [10:0] pba_index_o,
  input  logic [31:0] pba_rdata_i,
  output reg_req_t    notify_req_o,
  output reg_req_t    legacy_req_o,
  input  logic [31:0] legacy_rdata_i,
  /// Answer no write to the legacy interface: a legacy driver takes the answer for the effect.
  input  logic        legacy_hold_i,

  /// Start no message: a write that may silence an interrupt waits for those on their way.
  output logic        irq_barrier_o,
  input  logic        irq_quiet_i
);

  localparam logic [31:0] TableLength = 32'(NumVectors * 16);
  localparam logic [31:0] PbaLength   = 32'(((NumVectors + 63) / 64) * 8);

  typedef enum logic [2:0] {
    RegionNone, RegionCommon, RegionIsr, RegionDevice, RegionTable, RegionPba, RegionNotify,
    RegionLegacy
  } region_e;

  function automatic logic lies_in(logic [31:0] addr, logic [31:0] base, logic [31:0] length);
    return addr >= base && addr - base < length;
  endfunction

  function automatic region_e decode(logic [31:0] addr);
    if (lies_in(addr, BarCommon, vio_spec_pkg::COMMON_CFG_LENGTH)) return RegionCommon;
    if (lies_in(addr, BarIsr, 32'd4)) return RegionIsr;
    if (lies_in(addr, BarDevice, DeviceCfgLength)) return RegionDevice;
    if (lies_in(addr, BarTable, TableLength)) return RegionTable;
    if (lies_in(addr, BarPba, PbaLength)) return RegionPba;
    if (lies_in(addr, BarNotify, NotifyLength)) return RegionNotify;
    return RegionNone;
  endfunction

  function automatic reg_req_t region_req(reg_req_t req, logic hit, logic [31:0] base);
    region_req       = req;
    region_req.valid = hit;
    region_req.addr  = req.addr - base;
  endfunction

  logic        busy_q, window_q, write_q;
  region_e     region, region_q;
  reg_req_t    req;
  logic        legacy;         // the access is one to BAR0 of a transitional device
  logic [31:0] legacy_config;  // where that has the device configuration

  assign req           = window_req_i.valid ? window_req_i : host_req_i;
  assign legacy        = Transitional && !window_req_i.valid
                         && lies_in(req.addr, BarLegacy, BarLegacyLength);
  assign legacy_config = BarLegacy + (msix_enable_i ? 32'(vio_spec_pkg::LEGACY_CFG_LENGTH_MSIX)
                                                    : 32'(vio_spec_pkg::LEGACY_CFG_LENGTH));
  always_comb begin : proc_region
    region = RegionNone;
    if (legacy) begin
      if (io_enable_i && req.addr < legacy_config) region = RegionLegacy;
      if (io_enable_i && lies_in(req.addr, legacy_config, DeviceCfgLength)) region = RegionDevice;
    end else if (window_req_i.valid || memory_enable_i) begin
      region = decode(req.addr);
    end
  end

  // A vector register or anything in the MSI-X table: the driver may count on silence afterwards.
  logic may_silence;
  assign may_silence = req.write
                       && (region == RegionTable
                           || (region == RegionLegacy
                               && req.addr - BarLegacy
                                  == vio_spec_pkg::LEGACY_CONFIG_MSIX_VECTOR)
                           || (region == RegionCommon
                               && req.addr inside {vio_spec_pkg::COMMON_CONFIG_MSIX_VECTOR,
                                                   vio_spec_pkg::COMMON_QUEUE_SIZE}));

  logic take;
  assign take         = !busy_q && req.valid && (!may_silence || irq_quiet_i);
  assign window_gnt_o = take && window_req_i.valid;
  assign host_gnt_o   = take && !window_req_i.valid;

  assign common_req_o = region_req(req, take && region == RegionCommon, BarCommon);
  assign isr_read_o   = take && region == RegionIsr && !req.write && req.strb[0];
  assign device_req_o = region_req(req, take && region == RegionDevice,
                                   legacy ? legacy_config : BarDevice);
  assign legacy_req_o = region_req(req, take && region == RegionLegacy, BarLegacy);
  assign table_req_o  = region_req(req, take && region == RegionTable, BarTable);
  assign pba_index_o  = req.addr[12:2] - BarPba[12:2];
  assign notify_req_o = region_req(req, take && region == RegionNotify, BarNotify);

  assign irq_barrier_o      = !busy_q && req.valid && may_silence;
  logic hold;
  assign hold               = Transitional && legacy_hold_i && write_q && region_q == RegionLegacy;
  assign window_rsp_valid_o = busy_q && window_q;
  assign host_rsp_valid_o   = busy_q && !window_q && !hold;

  always_comb begin : proc_rdata
    unique case (region_q)
      RegionCommon: rsp_rdata_o = common_rdata_i;
      RegionIsr:    rsp_rdata_o = isr_rdata_i;
      RegionDevice: rsp_rdata_o = device_rdata_i;
      RegionTable:  rsp_rdata_o = table_rdata_i;
      RegionPba:    rsp_rdata_o = pba_rdata_i;
      RegionLegacy: rsp_rdata_o = legacy_rdata_i;
      default:      rsp_rdata_o = '0;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_access
    if (!rst_ni) begin
      {busy_q, window_q, write_q} <= '0;
      region_q                    <= RegionNone;
    end else if (!(busy_q && hold)) begin
      busy_q   <= take;
      window_q <= window_req_i.valid;
      write_q  <= req.write;
      region_q <= region;
    end
  end

endmodule
