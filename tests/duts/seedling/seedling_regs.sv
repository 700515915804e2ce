/// Register file of Seedling, a virtio entropy device of one queue: everything that its host can see.
///
/// One request at a time; 64-bit words. Layout: common structure at 0x100, ISR at 0x180, doorbell at
/// 0x1C0. The PCIe block in front of it keeps configuration space and the MSI-X table.
module seedling_regs #(
  /// Most entries of the queue, a power of two.
  parameter int unsigned QueueSize = 8,
  /// Vectors of the PCIe block's MSI-X table.
  parameter int unsigned Vectors = 2
) (
  input  logic        clk,
  input  logic        rst,
  input  logic        req_valid,
  output logic        req_ready,
  input  logic        req_write,
  input  logic [11:0] req_addr,
  input  logic [63:0] req_wdata,
  input  logic [7:0]  req_strb,
  output logic        cpl_valid,
  output logic [63:0] cpl_rdata,

  output logic [63:0] ring_desc,
  output logic [63:0] ring_driver,
  output logic [63:0] ring_device,
  output logic [15:0] ring_size,
  output logic        run,
  output logic        kick,
  output logic        halt,
  input  logic        halted,
  input  logic        broken,
  input  logic        used_something,
  output logic [15:0] queue_vector,
  output logic [15:0] config_vector,
  output logic        config_changed,
  output logic        line
);
  localparam logic [63:0] Offered = 64'h1_0000_0000;  // VERSION_1
  localparam logic [7:0] FeaturesOk = 8'h08, NeedsReset = 8'h40;
  localparam logic [7:0] Writable = 8'h87;  // FAILED, DRIVER_OK, DRIVER, ACKNOWLEDGE

  logic [31:0] device_select, driver_select;
  logic [63:0] accepted;
  logic [15:0] select;
  logic [7:0] status, isr;
  logic enabled, resetting;
  logic [63:0] desc, driver, device;
  logic [15:0] size, vector, vector_config;

  wire take = req_valid && req_ready;
  wire common = req_addr[11:6] == 6'h04;
  wire [5:3] word = req_addr[5:3];
  wire mine = select == 16'd0;
  wire open = mine && !enabled;

  assign ring_desc = desc;
  assign ring_driver = driver;
  assign ring_device = device;
  assign ring_size = size;
  assign queue_vector = vector;
  assign config_vector = vector_config;
  assign run = status[2] && !status[6] && enabled && !resetting;
  assign halt = resetting;
  assign line = isr != 8'd0;
  assign req_ready = !cpl_valid;

  function automatic logic [15:0] checked(input logic [15:0] wanted);
    return wanted < 16'(Vectors) ? wanted : 16'hFFFF;
  endfunction

  function automatic logic [31:0] merged(input logic [31:0] old, input logic [31:0] data,
                                         input logic [3:0] strobes);
    for (int i = 0; i < 4; i++) merged[8*i +: 8] = strobes[i] ? data[8*i +: 8] : old[8*i +: 8];
  endfunction

  // Reading: words 0 to 7 of the common structure, the ISR byte, zeroes elsewhere.
  logic [63:0] common_word;
  always_comb begin
    unique case (word)
      3'd0: common_word = {device_select == 0 ? Offered[31:0] : device_select == 1 ? Offered[63:32]
                           : 32'd0, device_select};
      3'd1: common_word = {driver_select == 0 ? accepted[31:0] : driver_select == 1
                           ? accepted[63:32] : 32'd0, driver_select};
      3'd2: common_word = {select, 8'd0, status, 16'd1, vector_config};
      3'd3: common_word = mine ? {16'd0, 15'd0, enabled, vector, size} : 64'h0000_0000_FFFF_0000;
      3'd4: common_word = mine ? desc : '0;
      3'd5: common_word = mine ? driver : '0;
      3'd6: common_word = mine ? device : '0;
      default: common_word = '0;
    endcase
  end

  always_ff @(posedge clk) begin
    cpl_valid <= take && !req_write;
    cpl_rdata <= common ? common_word : req_addr[11:3] == 9'h030 ? {56'd0, isr} : '0;
    kick <= take && req_write && req_addr[11:6] == 6'h07;
    config_changed <= 1'b0;

    if (take && !req_write && req_addr[11:3] == 9'h030) isr <= '0;
    if (used_something) isr[0] <= 1'b1;
    if (broken && status[2] && !status[6]) begin
      status <= status | NeedsReset;
      isr[1] <= 1'b1;
      config_changed <= 1'b1;
    end

    if (take && req_write && common) begin
      unique case (word)
        3'd0: if (|req_strb[3:0]) device_select <= merged(device_select, req_wdata[31:0], req_strb[3:0]);
        3'd1: begin
          if (|req_strb[3:0]) driver_select <= merged(driver_select, req_wdata[31:0], req_strb[3:0]);
          if (|req_strb[7:4] && !status[3] && driver_select < 2) begin
            accepted[32*driver_select[0] +: 32] <=
                merged(accepted[32*driver_select[0] +: 32], req_wdata[63:32], req_strb[7:4]);
          end
        end
        3'd2: begin
          if (req_strb[0]) vector_config <= checked(req_wdata[15:0]);
          if (req_strb[4] && req_wdata[39:32] == 0) resetting <= 1'b1;
          else if (req_strb[4] && !resetting) begin
            status <= (req_wdata[39:32] & Writable) | (status & (NeedsReset | FeaturesOk))
                      | (accepted == Offered ? req_wdata[39:32] & FeaturesOk : 8'd0);
          end
          if (req_strb[6]) select <= req_wdata[63:48];
        end
        3'd3: if (open) begin
          if (req_strb[0]) size <= req_wdata[15:0];
          if (req_strb[2]) vector <= checked(req_wdata[31:16]);
          if (req_strb[4] && req_wdata[32]) enabled <= 1'b1;
        end else if (mine && req_strb[2]) begin
          vector <= checked(req_wdata[31:16]);
        end
        3'd4: if (open) desc <= {merged(desc[63:32], req_wdata[63:32], req_strb[7:4]),
                                 merged(desc[31:0], req_wdata[31:0], req_strb[3:0])};
        3'd5: if (open) driver <= {merged(driver[63:32], req_wdata[63:32], req_strb[7:4]),
                                   merged(driver[31:0], req_wdata[31:0], req_strb[3:0])};
        3'd6: if (open) device <= {merged(device[63:32], req_wdata[63:32], req_strb[7:4]),
                                   merged(device[31:0], req_wdata[31:0], req_strb[3:0])};
        default: ;
      endcase
    end

    // A reset is over once nothing of the queue is on the bus any more.
    if (rst || (resetting && halted)) begin
      device_select <= '0;
      driver_select <= '0;
      accepted <= '0;
      select <= '0;
      status <= '0;
      isr <= '0;
      enabled <= 1'b0;
      resetting <= 1'b0;
      desc <= '0;
      driver <= '0;
      device <= '0;
      size <= 16'(QueueSize);
      vector <= 16'hFFFF;
      vector_config <= 16'hFFFF;
    end
    if (rst) begin
      cpl_valid <= 1'b0;
      kick <= 1'b0;
    end
  end

  wire unused = &{1'b0, req_addr[2:0], req_wdata[47:40]};
endmodule
