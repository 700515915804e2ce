/// Seedling behind the descriptor-bypass port of a DMA core: no bus, but a stream of commands
/// (direction, address, length), a data stream each way, and a status for every write.
///
/// Data are 64 bits a beat, the command's first byte in the lowest lane of the first beat.
module bypass_top (
  input  logic        core_clk,
  input  logic        core_rst,
  input  logic        bar_req_valid,
  output logic        bar_req_ready,
  input  logic        bar_req_write,
  input  logic [11:0] bar_req_addr,
  input  logic [63:0] bar_req_wdata,
  input  logic [7:0]  bar_req_strb,
  output logic        bar_cpl_valid,
  output logic [63:0] bar_cpl_rdata,

  output logic        dma_cmd_valid,
  input  logic        dma_cmd_ready,
  output logic        dma_cmd_write,
  output logic [63:0] dma_cmd_addr,
  output logic [11:0] dma_cmd_length,
  // Card to host: what is written.
  output logic        dma_c2h_valid,
  input  logic        dma_c2h_ready,
  output logic [63:0] dma_c2h_data,
  input  logic        dma_sts_valid,
  output logic        dma_sts_ready,
  input  logic        dma_sts_error,
  // Host to card: what was read.
  input  logic        dma_h2c_valid,
  output logic        dma_h2c_ready,
  input  logic [63:0] dma_h2c_data,
  input  logic        dma_h2c_last,
  input  logic        dma_h2c_error,

  output logic        irq_pulse,
  output logic [15:0] irq_number,
  output logic        irq_line
);
  logic [63:0] awaddr, araddr, wdata, rdata;
  logic [7:0]  awlen, arlen, wstrb;
  logic [2:0]  awsize, arsize;
  logic [1:0]  awburst, arburst;
  logic        awvalid, awready, wlast, wvalid, wready, bvalid, bready;
  logic        arvalid, arready, rlast, rvalid, rready;

  seedling_top u_seedling (
    .core_clk, .core_rst, .bar_req_valid, .bar_req_ready, .bar_req_write, .bar_req_addr,
    .bar_req_wdata, .bar_req_strb, .bar_cpl_valid, .bar_cpl_rdata,
    .irq_pulse, .irq_number, .irq_line,
    .dma_awaddr(awaddr), .dma_awlen(awlen), .dma_awsize(awsize), .dma_awburst(awburst),
    .dma_awvalid(awvalid), .dma_awready(awready), .dma_wdata(wdata), .dma_wstrb(wstrb),
    .dma_wlast(wlast), .dma_wvalid(wvalid), .dma_wready(wready), .dma_bresp({dma_sts_error, 1'b0}),
    .dma_bvalid(bvalid), .dma_bready(bready), .dma_araddr(araddr), .dma_arlen(arlen),
    .dma_arsize(arsize), .dma_arburst(arburst), .dma_arvalid(arvalid), .dma_arready(arready),
    .dma_rdata(rdata), .dma_rresp({dma_h2c_error, 1'b0}), .dma_rlast(rlast), .dma_rvalid(rvalid),
    .dma_rready(rready)
  );

  // The first strobed lane, and how many are.
  logic [2:0] lane;
  logic [3:0] bytes;
  always_comb begin
    lane = '0;
    bytes = '0;
    for (int i = 7; i >= 0; i--) begin
      if (wstrb[i]) lane = 3'(i);
      bytes += 4'(wstrb[i]);
    end
  end

  // Seedling writes single beats, has one access under way, and reads within words or whole ones.
  logic named;  // the write's command was taken, its data were not
  wire write = awvalid && wvalid && !named;
  assign dma_cmd_valid = write || arvalid;
  assign dma_cmd_write = write;
  assign dma_cmd_addr = write ? {awaddr[63:3], lane} : araddr;
  assign dma_cmd_length = write ? 12'(bytes) : 12'((12'(arlen) + 12'd1) << arsize);
  assign awready = write && dma_cmd_ready;
  assign arready = !write && dma_cmd_ready;

  assign dma_c2h_valid = named && wvalid;
  assign dma_c2h_data = wdata >> {lane, 3'b000};
  assign wready = named && dma_c2h_ready;
  assign bvalid = dma_sts_valid;
  assign dma_sts_ready = bready;

  assign rvalid = dma_h2c_valid;
  assign dma_h2c_ready = rready;
  assign rlast = dma_h2c_last;
  logic [2:0] shift;
  assign rdata = dma_h2c_data << {shift, 3'b000};

  always_ff @(posedge core_clk) begin
    if (core_rst) named <= 1'b0;
    else if (awvalid && awready) named <= 1'b1;
    else if (wvalid && wready) named <= 1'b0;
    if (arvalid && arready) shift <= araddr[2:0];
  end

  wire unused = &{1'b0, awlen, awsize, awburst, arburst, wlast, awaddr[2:0]};
endmodule
