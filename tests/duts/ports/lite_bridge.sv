/// AXI4-Lite to a request/completion pair: one access at a time, a write taken when the request is.
module lite_bridge #(
  parameter int unsigned Width = 32,
  parameter int unsigned AddrWidth = 12
) (
  input  logic                 clk,
  input  logic                 rst,
  input  logic [AddrWidth-1:0] awaddr,
  input  logic                 awvalid,
  output logic                 awready,
  input  logic [Width-1:0]     wdata,
  input  logic [Width/8-1:0]   wstrb,
  input  logic                 wvalid,
  output logic                 wready,
  output logic [1:0]           bresp,
  output logic                 bvalid,
  input  logic                 bready,
  input  logic [AddrWidth-1:0] araddr,
  input  logic                 arvalid,
  output logic                 arready,
  output logic [Width-1:0]     rdata,
  output logic [1:0]           rresp,
  output logic                 rvalid,
  input  logic                 rready,

  output logic                 req_valid,
  input  logic                 req_ready,
  output logic                 req_write,
  output logic [AddrWidth-1:0] req_addr,
  output logic [Width-1:0]     req_wdata,
  output logic [Width/8-1:0]   req_strb,
  input  logic                 cpl_valid,
  input  logic [Width-1:0]     cpl_rdata
);
  logic reading;
  wire free = !reading && !rvalid && !bvalid;

  assign req_write = awvalid && wvalid;
  assign req_valid = free && (req_write || arvalid);
  assign req_addr = req_write ? awaddr : araddr;
  assign req_wdata = wdata;
  assign req_strb = wstrb;
  assign awready = req_valid && req_ready && req_write;
  assign wready = awready;
  assign arready = req_valid && req_ready && !req_write;
  assign bresp = 2'b00;
  assign rresp = 2'b00;

  always_ff @(posedge clk) begin
    if (bvalid && bready) bvalid <= 1'b0;
    if (rvalid && rready) rvalid <= 1'b0;
    if (awready) bvalid <= 1'b1;
    if (arready) reading <= 1'b1;
    if (reading && cpl_valid) begin
      reading <= 1'b0;
      rvalid <= 1'b1;
      rdata <= cpl_rdata;
    end
    if (rst) {reading, rvalid, bvalid} <= '0;
  end
endmodule
