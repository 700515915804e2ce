/// The PCI_CFG capability's registers: bar, offset, length and pci_cfg_data, through which a host
/// that has mapped nothing reaches the structures' BAR (virtio 1.4, 4.1.4.9).
///
/// An access to pci_cfg_data performs a BAR access of 1, 2 or 4 bytes before it is answered. With
/// another BAR, another length or a misaligned offset it performs none.
module vio_pci_window
  import vio_pkg::*;
#(
  /// The BAR that the window reaches.
  parameter logic [7:0] Bar = BarModern
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,

  /// Register writes and accesses to pci_cfg_data; `addr` is the offset in the capability. Held
  /// until `done_o`.
  input  reg_req_t    req_i,
  output logic        done_o,

  output logic [31:0] bar_word_o,     ///< the capability's dword 4: bar in its first byte
  output logic [31:0] offset_word_o,
  output logic [31:0] length_word_o,
  output logic [31:0] data_word_o,    ///< pci_cfg_data, as it stands in the cycle of `done_o`

  output reg_req_t    bar_req_o,
  input  logic        bar_gnt_i,
  input  logic        bar_rsp_valid_i,
  input  logic [31:0] bar_rsp_rdata_i
);

  localparam logic [31:0] OffBar    = 32'h4;
  localparam logic [31:0] OffOffset = 32'h8;
  localparam logic [31:0] OffLength = 32'hc;
  localparam logic [31:0] OffData   = vio_spec_pkg::CAP_PCI_CFG_DATA;

  logic [7:0]  bar_q;
  logic [31:0] offset_q, length_q, data_q;

  typedef enum logic [1:0] {StIdle, StRequest, StWait} state_e;
  state_e state_q;

  logic [3:0] lanes;       // bytes of the window, from the first one on
  logic       aligned;
  always_comb begin : proc_size
    unique case (length_q)
      32'd1:   {lanes, aligned} = {4'b0001, 1'b1};
      32'd2:   {lanes, aligned} = {4'b0011, !offset_q[0]};
      32'd4:   {lanes, aligned} = {4'b1111, offset_q[1:0] == 2'b00};
      default: {lanes, aligned} = '0;
    endcase
  end

  logic access, data_hit;
  assign data_hit = req_i.valid && req_i.addr == OffData && (!req_i.write || req_i.strb != '0);
  assign access   = bar_q == Bar && aligned;

  logic [4:0] shift;
  assign shift           = {offset_q[1:0], 3'b000};
  assign bar_req_o.valid = state_q == StRequest;
  assign bar_req_o.write = req_i.write;
  assign bar_req_o.addr  = {offset_q[31:2], 2'b00};
  assign bar_req_o.wdata = data_q << shift;
  assign bar_req_o.strb  = lanes << offset_q[1:0];

  logic        rsp, fill;  // a read stores what it got into the first bytes of pci_cfg_data
  logic [31:0] filled;
  assign rsp    = state_q == StWait && bar_rsp_valid_i;
  assign fill   = rsp && !req_i.write;
  assign filled = strobe_merge(data_q, bar_rsp_rdata_i >> shift, lanes);

  assign done_o        = req_i.valid && (rsp || (state_q == StIdle && !(data_hit && access)));
  assign bar_word_o    = {24'h0, bar_q};
  assign offset_word_o = offset_q;
  assign length_word_o = length_q;
  assign data_word_o   = fill ? filled : data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_state
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      unique case (state_q)
        StIdle:    if (data_hit && access) state_q <= StRequest;
        StRequest: if (bar_gnt_i) state_q <= StWait;
        StWait:    if (bar_rsp_valid_i) state_q <= StIdle;
        default:   state_q <= StIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_registers
    if (!rst_ni) begin
      {bar_q, offset_q, length_q, data_q} <= '0;
    end else if (clear_i) begin
      {bar_q, offset_q, length_q, data_q} <= '0;
    end else if (fill) begin
      data_q <= filled;
    end else if (req_i.valid && req_i.write && state_q == StIdle) begin
      unique case (req_i.addr)
        OffBar:    if (req_i.strb[0]) bar_q <= req_i.wdata[7:0];
        OffOffset: offset_q <= strobe_merge(offset_q, req_i.wdata, req_i.strb);
        OffLength: length_q <= strobe_merge(length_q, req_i.wdata, req_i.strb);
        OffData:   data_q <= strobe_merge(data_q, req_i.wdata, req_i.strb);
        default:   ;
      endcase
    end
  end

endmodule
