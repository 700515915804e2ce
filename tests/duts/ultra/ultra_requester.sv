/// A bus master's AXI4 transactions, one at a time, as RQ descriptors to an UltraScale+ PCIe block, and
/// the RC descriptors that answer its reads. Writes have one beat, reads at most two.
module ultra_requester (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] awaddr,
  input  logic        awvalid,
  output logic        awready,
  input  logic [63:0] wdata,
  input  logic [7:0]  wstrb,
  input  logic        wvalid,
  output logic        wready,
  output logic        bvalid,
  input  logic        bready,
  input  logic [63:0] araddr,
  input  logic [7:0]  arlen,
  input  logic [2:0]  arsize,
  input  logic        arvalid,
  output logic        arready,
  output logic [63:0] rdata,
  output logic [1:0]  rresp,
  output logic        rlast,
  output logic        rvalid,
  input  logic        rready,

  output logic [63:0] rq_tdata,
  output logic [1:0]  rq_tkeep,
  output logic        rq_tlast,
  output logic [61:0] rq_tuser,
  output logic        rq_tvalid,
  input  logic        rq_tready,
  input  logic [63:0] rc_tdata,
  input  logic [1:0]  rc_tkeep,
  input  logic        rc_tlast,
  input  logic        rc_tvalid,
  output logic        rc_tready
);
  typedef enum logic [2:0] {Idle, Address, Rest, Payload, Written, Wait, Return} step_e;
  step_e step;
  logic write, err, complete;
  logic [1:0] beat;
  logic [2:0] got;
  logic [3:0][31:0] data;

  // A read's bytes, from a multiple of its size on.
  wire [4:0] bytes = 5'(5'(arlen[0]) + 5'd1) << arsize;
  wire [3:0] narrow = 4'(((5'd1 << bytes) - 5'd1) << araddr[1:0]);
  wire high_only = wstrb[3:0] == 0;
  wire both = !high_only && wstrb[7:4] != 0;
  wire [10:0] length = write ? (both ? 11'd2 : 11'd1) : (bytes <= 5'd4 ? 11'd1 : 11'(bytes[4:2]));
  wire [3:0] first_be = write ? (high_only ? wstrb[7:4] : wstrb[3:0]) : bytes < 5'd4 ? narrow : 4'hF;
  wire [3:0] last_be = length == 11'd1 ? 4'd0 : write ? wstrb[7:4] : 4'hF;
  wire [63:0] target = write ? {awaddr[63:3], high_only, 2'b00} : {araddr[63:2], 2'b00};

  assign rq_tvalid = step == Address || step == Rest || step == Payload;
  assign rq_tuser = {54'd0, last_be, first_be};
  assign rq_tlast = write ? step == Payload : step == Rest;
  assign rq_tkeep = step == Payload && !both ? 2'b01 : 2'b11;
  always_comb begin
    unique case (step)
      Address: rq_tdata = target;
      Rest:    rq_tdata = {32'd0, 17'd0, 3'd0, write, length};
      default: rq_tdata = high_only ? {32'd0, wdata[63:32]} : wdata;
    endcase
  end

  assign awready = step == Payload && rq_tready;
  assign wready = awready;
  assign bvalid = step == Written;
  assign arready = !write && step == Rest && rq_tready;

  assign rc_tready = 1'b1;
  assign rvalid = step == Return;
  assign rresp = {err, 1'b0};
  assign rlast = beat[0] == arlen[0];
  assign rdata = bytes <= 5'd4 ? {2{data[0]}} : beat[0] ? {data[3], data[2]} : {data[1], data[0]};

  logic [1:0] header;
  always_ff @(posedge clk) begin
    unique case (step)
      Idle: begin
        write <= awvalid && wvalid;
        {got, beat, err} <= '0;
        if ((awvalid && wvalid) || arvalid) step <= Address;
      end
      Address: if (rq_tready) step <= Rest;
      Rest: if (rq_tready) step <= write ? Payload : Wait;
      Payload: if (rq_tready) step <= Written;
      Written: if (bready) step <= Idle;
      Wait: if (rc_tvalid && rc_tlast && complete && header != 0) step <= Return;
      default: if (rready) begin
        beat <= beat + 2'd1;
        if (rlast) step <= Idle;
      end
    endcase

    // A completion's descriptor has three dwords; a read may be answered in parts.
    if (rc_tvalid) begin
      header <= rc_tlast ? 2'd0 : header[1] ? header : header + 2'd1;
      if (header == 2'd0) begin
        complete <= rc_tdata[30];
        err <= err || rc_tdata[15:12] != 0 || rc_tdata[45:43] != 0;
      end else if (header == 2'd1) begin
        if (rc_tkeep[1]) begin
          data[got[1:0]] <= rc_tdata[63:32];
          got <= got + 3'd1;
        end
      end else begin
        data[got[1:0]] <= rc_tdata[31:0];
        if (rc_tkeep[1]) data[got[1:0] + 2'd1] <= rc_tdata[63:32];
        got <= got + (rc_tkeep[1] ? 3'd2 : 3'd1);
      end
    end
    if (rst) begin
      step <= Idle;
      header <= 2'd0;
    end
  end
endmodule
