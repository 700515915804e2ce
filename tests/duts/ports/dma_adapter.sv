/// One AXI4 access of a 64-bit initiator at a time onto a bus of 32 to 512 bits, and
/// messages between.
///
/// The initiator's bursts are of one or two beats, its address and first data word come together.
module dma_adapter #(
  parameter int unsigned Width = 64,
  parameter int unsigned IdWidth = 1
) (
  input  logic               clk,
  input  logic               rst,
  /// Begin nothing, and nothing is under way.
  input  logic               hold,
  output logic               quiet,
  /// A message is on its way.
  output logic               sending,

  input  logic               msg_valid,
  output logic               msg_ready,
  input  logic [63:0]        msg_addr,
  input  logic [31:0]        msg_data,

  input  logic [63:0]        s_awaddr,
  input  logic [2:0]         s_awsize,
  input  logic               s_awvalid,
  output logic               s_awready,
  input  logic [63:0]        s_wdata,
  input  logic [7:0]         s_wstrb,
  input  logic               s_wvalid,
  output logic               s_wready,
  output logic [1:0]         s_bresp,
  output logic               s_bvalid,
  input  logic               s_bready,
  input  logic [63:0]        s_araddr,
  input  logic [7:0]         s_arlen,
  input  logic [2:0]         s_arsize,
  input  logic               s_arvalid,
  output logic               s_arready,
  output logic [63:0]        s_rdata,
  output logic [1:0]         s_rresp,
  output logic               s_rlast,
  output logic               s_rvalid,
  input  logic               s_rready,

  output logic [IdWidth-1:0] awid,
  output logic [63:0]        awaddr,
  output logic [7:0]         awlen,
  output logic [2:0]         awsize,
  output logic [1:0]         awburst,
  output logic               awvalid,
  input  logic               awready,
  output logic [Width-1:0]   wdata,
  output logic [Width/8-1:0] wstrb,
  output logic               wlast,
  output logic               wvalid,
  input  logic               wready,
  input  logic [IdWidth-1:0] bid,
  input  logic [1:0]         bresp,
  input  logic               bvalid,
  output logic               bready,
  output logic [IdWidth-1:0] arid,
  output logic [63:0]        araddr,
  output logic [7:0]         arlen,
  output logic [2:0]         arsize,
  output logic [1:0]         arburst,
  output logic               arvalid,
  input  logic               arready,
  input  logic [IdWidth-1:0] rid,
  input  logic [Width-1:0]   rdata,
  input  logic [1:0]         rresp,
  input  logic               rlast,
  input  logic               rvalid,
  output logic               rready
);
  localparam bit Narrow = Width < 64;

  typedef enum logic [2:0] {Idle, Write, Acknowledge, Read, Answer} step_e;
  step_e step;
  logic [63:0] addr, data;
  logic [7:0] strobes;
  logic [2:0] size;
  logic [1:0] resp;
  logic [1:0][63:0] words;
  // Beats done (of the bus, in Answer of the initiator), and the initiator's beats.
  logic [1:0] at, beats;
  logic for_message;
  logic [IdWidth-1:0] ident;

  wire message = msg_valid && step == Idle;
  wire fetch = s_arvalid && !hold && !message && step == Idle;
  wire store = s_awvalid && s_wvalid && !hold && !message && !fetch && step == Idle;
  wire split = Narrow && size == 3'd3;

  assign quiet = step == Idle;
  assign sending = step != Idle && for_message;
  assign msg_ready = message;
  assign s_arready = fetch;
  assign s_awready = store;
  assign s_wready = store;
  assign s_bvalid = step == Acknowledge && bvalid && !for_message;
  assign s_bresp = bresp;
  assign s_rvalid = step == Answer;
  assign s_rdata = words[at[0]];
  assign s_rresp = resp;
  assign s_rlast = at + 2'd1 == beats;

  assign {awid, arid} = {ident, ident};
  assign awaddr = addr;
  assign araddr = addr;
  assign awlen = split ? 8'd1 : 8'd0;
  assign arlen = split ? {5'd0, beats, 1'b0} - 8'd1 : 8'(beats) - 8'd1;
  assign awsize = split ? 3'd2 : size;
  assign arsize = awsize;
  assign awburst = 2'b01;
  assign arburst = 2'b01;
  assign wlast = !split || at[0];
  assign bready = step == Acknowledge && (for_message || s_bready);
  assign rready = step == Read;

  logic [63:0] word;
  if (Narrow) begin : g_narrow
    wire half = split ? at[0] : addr[2];
    assign wdata = half ? data[63:32] : data[31:0];
    assign wstrb = half ? strobes[7:4] : strobes[3:0];
    assign word = {2{rdata}};
  end else begin : g_wide
    localparam int unsigned Words = Width / 64;
    localparam int unsigned Select = Words > 1 ? $clog2(Words) : 1;
    wire [Select-1:0] lane = Words > 1 ? addr[3 +: Select] + Select'(at) : '0;
    wire [Select-1:0] write_lane = Words > 1 ? addr[3 +: Select] : '0;
    assign wdata = {Words{data}};
    assign wstrb = (Width/8)'(strobes) << {write_lane, 3'd0};
    assign word = rdata[64*lane +: 64];
  end

  always_ff @(posedge clk) begin
    if (awvalid && awready) awvalid <= 1'b0;
    if (arvalid && arready) arvalid <= 1'b0;
    unique case (step)
      Idle: begin
        at <= '0;
        resp <= '0;
        ident <= ident + 1'b1;
        for_message <= message;
        if (message) begin
          {addr, size, data} <= {msg_addr, 3'd2, {2{msg_data}}};
          strobes <= msg_addr[2] ? 8'hF0 : 8'h0F;
        end else if (fetch) begin
          {addr, size, beats} <= {s_araddr, s_arsize, s_arlen[1:0] + 2'd1};
        end else begin
          {addr, size, data, strobes} <= {s_awaddr, s_awsize, s_wdata, s_wstrb};
        end
        awvalid <= message || store;
        wvalid <= message || store;
        arvalid <= fetch;
        if (message || store) step <= Write;
        else if (fetch) step <= Read;
      end
      Write: if (wvalid && wready) begin
        at <= at + 2'd1;
        if (wlast) begin
          wvalid <= 1'b0;
          step <= Acknowledge;
        end
      end
      Acknowledge: if (bvalid && bready) step <= Idle;
      Read: if (rvalid) begin
        at <= rlast ? '0 : at + 2'd1;
        resp <= resp | rresp;
        if (!split) words[at[0]] <= word;
        else if (at[0]) words[at[1]][63:32] <= word[31:0];
        else words[at[1]][31:0] <= word[31:0];
        if (rlast) step <= Answer;
      end
      Answer: if (s_rready) begin
        at <= at + 2'd1;
        if (s_rlast) step <= Idle;
      end
      default: step <= Idle;
    endcase
    if (rst) begin
      step <= Idle;
      awvalid <= 1'b0;
      wvalid <= 1'b0;
      arvalid <= 1'b0;
      ident <= '0;
    end
  end

  wire unused = &{1'b0, bid, rid, s_arlen[7:2]};
endmodule
