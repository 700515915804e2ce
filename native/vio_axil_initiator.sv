/// The host's AXI4-Lite initiator: pins here, behaviour in C (initiator.c).
///
/// Simulation only. Samples the pins at the rising edge and drives what C answers. All outputs are
/// registers.
module vio_axil_initiator #(
  /// Number of this initiator in the C library.
  parameter int Port = 0,
  /// Bits of the data bus, 32 or 64.
  parameter int DataWidth = 32,
  /// Bits of the addresses.
  parameter int AddrWidth = 32
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  output logic [AddrWidth-1:0]   awaddr,
  output logic                   awvalid,
  input  logic                   awready,
  output logic [DataWidth-1:0]   wdata,
  output logic [DataWidth/8-1:0] wstrb,
  output logic                   wvalid,
  input  logic                   wready,
  input  logic [1:0]             bresp,
  input  logic                   bvalid,
  output logic                   bready,
  output logic [AddrWidth-1:0]   araddr,
  output logic                   arvalid,
  input  logic                   arready,
  input  logic [DataWidth-1:0]   rdata,
  input  logic [1:0]             rresp,
  input  logic                   rvalid,
  output logic                   rready
);

  import "DPI-C" function void vio_dpi_initiator_width(input int port, input int bits);
  import "DPI-C" function void vio_dpi_initiator_reset(input int port);
  import "DPI-C" function int vio_dpi_initiator_rise(
      input int port, input int pins, input longint rdata);
  import "DPI-C" function void vio_dpi_initiator_word(
      input int port, output longint awaddr, output longint araddr, output longint wdata,
      output int wstrb);

  typedef struct packed {
    logic ar_new, w_new, aw_new, rready, arvalid, bready, wvalid, awvalid;
  } state_t;

  state_t state;
  longint next_awaddr, next_araddr, next_wdata;
  int     next_wstrb;

  initial vio_dpi_initiator_width(Port, DataWidth);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      vio_dpi_initiator_reset(Port);
      {awvalid, wvalid, bready, arvalid, rready} <= '0;
    end else begin
      state = 8'(vio_dpi_initiator_rise(
          Port, int'({|rresp, rvalid, arready, bvalid, wready, awready}), 64'(rdata)));
      {rready, arvalid, bready, wvalid, awvalid} <=
          {state.rready, state.arvalid, state.bready, state.wvalid, state.awvalid};
      if (state.aw_new || state.w_new || state.ar_new) begin
        vio_dpi_initiator_word(Port, next_awaddr, next_araddr, next_wdata, next_wstrb);
        if (state.aw_new) awaddr <= next_awaddr[AddrWidth-1:0];
        if (state.w_new) {wdata, wstrb} <= {next_wdata[DataWidth-1:0], next_wstrb[DataWidth/8-1:0]};
        if (state.ar_new) araddr <= next_araddr[AddrWidth-1:0];
      end
    end
  end

  // A write's response code is not looked at: PCI writes are posted.
  logic unused_bresp;
  assign unused_bresp = ^bresp;

endmodule
