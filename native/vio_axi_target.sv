/// The host's AXI4 target for one initiator of the device: pins here, behaviour in C (target.c).
///
/// Simulation only. Samples the pins at the rising edge, tells C what was handed over, and drives
/// what C answers. All outputs are registers.
module vio_axi_target #(
  /// Number of this target in the C library.
  parameter int Port = 0,
  /// Bits of the data bus, a power of two from 8 to 512.
  parameter int DataWidth = 256,
  /// Bits of the ids.
  parameter int IdWidth = 4
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic [IdWidth-1:0]     arid,
  input  logic [63:0]            araddr,
  input  logic [7:0]             arlen,
  input  logic [2:0]             arsize,
  input  logic [1:0]             arburst,
  input  logic                   arvalid,
  output logic                   arready,
  output logic [IdWidth-1:0]     rid,
  output logic [DataWidth-1:0]   rdata,
  output logic [1:0]             rresp,
  output logic                   rlast,
  output logic                   rvalid,
  input  logic                   rready,
  input  logic [IdWidth-1:0]     awid,
  input  logic [63:0]            awaddr,
  input  logic [7:0]             awlen,
  input  logic [2:0]             awsize,
  input  logic [1:0]             awburst,
  input  logic                   awvalid,
  output logic                   awready,
  input  logic [DataWidth-1:0]   wdata,
  input  logic [DataWidth/8-1:0] wstrb,
  input  logic                   wlast,
  input  logic                   wvalid,
  output logic                   wready,
  output logic [IdWidth-1:0]     bid,
  output logic [1:0]             bresp,
  output logic                   bvalid,
  input  logic                   bready
);

  import "DPI-C" function void vio_dpi_target_width(input int port, input int bits);
  import "DPI-C" function void vio_dpi_target_reset(input int port);
  import "DPI-C" function void vio_dpi_target_ar(
      input int port, input int id, input longint addr, input int len, input int size,
      input int burst);
  import "DPI-C" function void vio_dpi_target_aw(
      input int port, input int id, input longint addr, input int len, input int size,
      input int burst);
  import "DPI-C" function void vio_dpi_target_w(
      input int port, input bit [511:0] data, input longint strb, input bit last);
  import "DPI-C" function int vio_dpi_target_rise(input int port, input int pins);
  import "DPI-C" function void vio_dpi_target_r(
      input int port, input int lanes, output bit [511:0] data, output int id, output int resp,
      output bit last);
  import "DPI-C" function void vio_dpi_target_b(
      input int port, output int id, output int resp);

  typedef struct packed {
    logic b_new, r_new, bvalid, rvalid, wready, awready, arready;
  } state_t;

  state_t     state;
  bit [511:0] data;
  int         id, resp;
  bit         last;

  initial vio_dpi_target_width(Port, DataWidth);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      vio_dpi_target_reset(Port);
      {arready, awready, wready, rvalid, bvalid} <= '0;
    end else begin
      if (arvalid && arready) begin
        vio_dpi_target_ar(Port, int'(arid), araddr, int'(arlen), int'(arsize), int'(arburst));
      end
      if (awvalid && awready) begin
        vio_dpi_target_aw(Port, int'(awid), awaddr, int'(awlen), int'(awsize), int'(awburst));
      end
      if (wvalid && wready) vio_dpi_target_w(Port, 512'(wdata), 64'(wstrb), wlast);
      state = 7'(vio_dpi_target_rise(Port, int'({bready, rready, wvalid, awvalid, arvalid})));
      {bvalid, rvalid, wready, awready, arready} <=
          {state.bvalid, state.rvalid, state.wready, state.awready, state.arready};
      if (state.r_new) begin
        vio_dpi_target_r(Port, DataWidth / 8, data, id, resp, last);
        {rdata, rid, rresp, rlast} <= {data[DataWidth-1:0], id[IdWidth-1:0], resp[1:0], last};
      end
      if (state.b_new) begin
        vio_dpi_target_b(Port, id, resp);
        {bid, bresp} <= {id[IdWidth-1:0], resp[1:0]};
      end
    end
  end

endmodule
