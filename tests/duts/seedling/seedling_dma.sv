/// Bus master of Seedling: walks the split ring one buffer at a time and fills buffers with noise.
///
/// One AXI4 transaction at a time, no ids. The interrupt leaves as a pulse with a vector number once
/// the used index is known to be in memory.
module seedling_dma (
  input  logic        clk,
  input  logic        rst,
  input  logic        run,
  input  logic        kick,
  input  logic        halt,
  output logic        halted,
  output logic        broken,
  output logic        used_something,
  input  logic [63:0] ring_desc,
  input  logic [63:0] ring_driver,
  input  logic [63:0] ring_device,
  input  logic [15:0] ring_size,
  input  logic [15:0] queue_vector,
  input  logic [15:0] config_vector,
  input  logic        config_changed,

  output logic        irq_valid,
  output logic [15:0] irq_vector,

  output logic [63:0] awaddr,
  output logic [7:0]  awlen,
  output logic [2:0]  awsize,
  output logic [1:0]  awburst,
  output logic        awvalid,
  input  logic        awready,
  output logic [63:0] wdata,
  output logic [7:0]  wstrb,
  output logic        wlast,
  output logic        wvalid,
  input  logic        wready,
  input  logic [1:0]  bresp,
  input  logic        bvalid,
  output logic        bready,
  output logic [63:0] araddr,
  output logic [7:0]  arlen,
  output logic [2:0]  arsize,
  output logic [1:0]  arburst,
  output logic        arvalid,
  input  logic        arready,
  input  logic [63:0] rdata,
  input  logic [1:0]  rresp,
  input  logic        rlast,
  input  logic        rvalid,
  output logic        rready
);
  localparam int unsigned FlagNext = 0, FlagWrite = 1, FlagIndirect = 2;
  localparam logic [15:0] NoVector = 16'hFFFF;

  typedef enum logic [3:0] {
    Idle, Index, Head, Descriptor, Fill, UsedId, UsedLength, UsedIndex, Flags, Dead
  } step_e;

  step_e step;
  logic busy, kicked, irq_due, config_due;
  logic [15:0] seen, head, next, flags, count;
  logic [63:0] at, noise;
  logic [31:0] left, filled;
  logic [63:0] descriptor_low;

  wire [15:0] slot = seen & (ring_size - 16'd1);
  wire answered = (rvalid && rready && rlast) || (bvalid && bready);
  wire failed = (rvalid && rready && rresp != 0) || (bvalid && bready && bresp != 0);
  wire [15:0] half = rdata[16*araddr[2:1] +: 16];

  // How many bytes the next word of the buffer takes.
  wire [3:0] room = 4'd8 - {1'b0, at[2:0]};
  wire [3:0] part = left < 32'(room) ? left[3:0] : room;
  wire [7:0] strobes = 8'(((9'd1 << part) - 9'd1) << at[2:0]);

  assign bready = 1'b1;
  assign rready = 1'b1;
  assign awlen = 8'd0;
  assign awburst = 2'b01;
  assign arburst = 2'b01;
  assign wlast = 1'b1;
  assign halted = !busy;
  assign broken = step == Dead;

  task automatic read(input logic [63:0] address, input logic [2:0] size, input logic [7:0] beats);
    araddr <= address;
    arsize <= size;
    arlen <= beats;
    arvalid <= 1'b1;
    busy <= 1'b1;
  endtask

  task automatic write(input logic [63:0] address, input logic [2:0] size, input logic [63:0] data,
                       input logic [7:0] strobe);
    awaddr <= address;
    awsize <= size;
    awvalid <= 1'b1;
    wdata <= data;
    wstrb <= strobe;
    wvalid <= 1'b1;
    busy <= 1'b1;
  endtask

  // A 4-byte or 2-byte value in all lanes that its size fits, and the strobes at its address.
  task automatic put4(input logic [63:0] address, input logic [31:0] value);
    write(address, 3'd2, {2{value}}, address[2] ? 8'hF0 : 8'h0F);
  endtask

  task automatic put2(input logic [63:0] address, input logic [15:0] value);
    write(address, 3'd1, {4{value}}, 8'(8'h03 << address[2:0]));
  endtask

  always_ff @(posedge clk) begin
    noise <= {noise[62:0], noise[63] ^ noise[62] ^ noise[60] ^ noise[59]};
    used_something <= 1'b0;
    irq_valid <= 1'b0;
    if (arvalid && arready) arvalid <= 1'b0;
    if (awvalid && awready) awvalid <= 1'b0;
    if (wvalid && wready) wvalid <= 1'b0;
    if (answered) busy <= 1'b0;
    if (kick) kicked <= 1'b1;
    if (config_changed) config_due <= 1'b1;
    if (rvalid && rready && !rlast) descriptor_low <= rdata;

    if (irq_due) begin
      irq_due <= 1'b0;
      used_something <= 1'b1;
      irq_valid <= queue_vector != NoVector;
      irq_vector <= queue_vector;
    end else if (config_due) begin
      config_due <= 1'b0;
      irq_valid <= config_vector != NoVector;
      irq_vector <= config_vector;
    end

    if (run && !halt && (!busy || answered)) begin
      unique case (step)
        Idle: if (kicked) begin
          kicked <= kick;
          step <= Index;
          read(ring_driver + 64'd2, 3'd1, 8'd0);
        end
        Index: if (half == seen) begin
          step <= Idle;
        end else if (16'(half - seen) > ring_size) begin
          step <= Dead;
        end else begin
          step <= Head;
          read(ring_driver + 64'd4 + {47'd0, slot, 1'b0}, 3'd1, 8'd0);
        end
        Head: begin
          head <= half;
          count <= 16'd0;
          filled <= 32'd0;
          step <= half < ring_size ? Descriptor : Dead;
          if (half < ring_size) read(ring_desc + {44'd0, half, 4'd0}, 3'd3, 8'd1);
        end
        Descriptor: begin
          at <= descriptor_low;
          left <= rdata[32 + FlagWrite] ? rdata[31:0] : 32'd0;
          flags <= rdata[47:32];
          next <= rdata[63:48];
          count <= count + 16'd1;
          step <= rdata[32 + FlagIndirect] || count >= ring_size ? Dead : Fill;
        end
        Fill: if (left != 32'd0) begin
          write({at[63:3], 3'd0}, 3'd3, noise, strobes);
          at <= at + 64'(part);
          left <= left - 32'(part);
          filled <= filled + 32'(part);
        end else if (flags[FlagNext]) begin
          step <= next < ring_size ? Descriptor : Dead;
          if (next < ring_size) read(ring_desc + {44'd0, next, 4'd0}, 3'd3, 8'd1);
        end else begin
          step <= UsedId;
          put4(ring_device + 64'd4 + {45'd0, slot, 3'd0}, {16'd0, head});
        end
        UsedId: begin
          step <= UsedLength;
          put4(ring_device + 64'd8 + {45'd0, slot, 3'd0}, filled);
        end
        UsedLength: begin
          step <= UsedIndex;
          seen <= seen + 16'd1;
          put2(ring_device + 64'd2, seen + 16'd1);
        end
        UsedIndex: begin
          step <= Flags;
          read(ring_driver, 3'd1, 8'd0);
        end
        Flags: begin
          irq_due <= !half[0];
          step <= Index;
          read(ring_driver + 64'd2, 3'd1, 8'd0);
        end
        default: ;
      endcase
      if (answered && failed) begin
        step <= Dead;
        arvalid <= 1'b0;
        awvalid <= 1'b0;
        wvalid <= 1'b0;
        busy <= 1'b0;
      end
    end

    if (rst || (halt && !busy)) begin
      step <= Idle;
      kicked <= 1'b0;
      seen <= '0;
      irq_due <= 1'b0;
      config_due <= 1'b0;
    end
    if (rst) begin
      busy <= 1'b0;
      arvalid <= 1'b0;
      awvalid <= 1'b0;
      wvalid <= 1'b0;
      irq_valid <= 1'b0;
      used_something <= 1'b0;
      noise <= 64'h1234_5678_9ABC_DEF1;
    end
  end
endmodule
