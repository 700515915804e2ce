/// Requests from one clock to another, one at a time: each side tells the other by a toggle.
module request_crossing #(
  parameter int unsigned AddrWidth = 12
) (
  input  logic                 host_clk,
  input  logic                 host_rst,
  input  logic                 host_req_valid,
  output logic                 host_req_ready,
  input  logic                 host_req_write,
  input  logic [AddrWidth-1:0] host_req_addr,
  input  logic [63:0]          host_req_wdata,
  input  logic [7:0]           host_req_strb,
  output logic                 host_cpl_valid,
  output logic [63:0]          host_cpl_rdata,

  input  logic                 core_clk,
  input  logic                 core_rst,
  output logic                 core_req_valid,
  input  logic                 core_req_ready,
  output logic                 core_req_write,
  output logic [AddrWidth-1:0] core_req_addr,
  output logic [63:0]          core_req_wdata,
  output logic [7:0]           core_req_strb,
  input  logic                 core_cpl_valid,
  input  logic [63:0]          core_cpl_rdata
);
  logic asked, answered, reading;
  logic [2:0] asked_core, answered_host;
  wire back = answered_host[2] != answered_host[1];
  wire arrived = asked_core[2] != asked_core[1];
  wire done = (core_req_valid && core_req_ready && core_req_write) || core_cpl_valid;

  logic busy;
  assign host_req_ready = !busy;
  assign host_cpl_valid = back && reading;

  always_ff @(posedge host_clk) begin
    answered_host <= {answered_host[1:0], answered};
    if (back) busy <= 1'b0;
    if (host_req_valid && host_req_ready) begin
      busy <= 1'b1;
      asked <= !asked;
      reading <= !host_req_write;
      core_req_write <= host_req_write;
      core_req_addr <= host_req_addr;
      core_req_wdata <= host_req_wdata;
      core_req_strb <= host_req_strb;
    end
    if (host_rst) {busy, asked, reading, answered_host} <= '0;
  end

  always_ff @(posedge core_clk) begin
    asked_core <= {asked_core[1:0], asked};
    if (arrived) core_req_valid <= 1'b1;
    if (core_req_valid && core_req_ready) core_req_valid <= 1'b0;
    if (core_cpl_valid) host_cpl_rdata <= core_cpl_rdata;
    if (done) answered <= !answered;
    if (core_rst) {core_req_valid, answered, asked_core} <= '0;
  end
endmodule
