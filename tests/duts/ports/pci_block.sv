/// A PCIe block in front of a device that has none: configuration space, MSI-X table, INTx, BARs.
///
/// The same function as the bench's shell makes of Seedling's manifest: BAR 4 is the device's
/// (4 KiB), BAR 0 the MSI-X table's (64 KiB, at 0x10000 on the host's port; PBA at 0x8000).
module pci_block #(
  /// Vectors of the MSI-X table, at least 2; the capability is left out of the list without `Msix`.
  parameter int unsigned Vectors = 2,
  parameter bit          Msix = 1'b1,
  /// Where the common structure lies in BAR 4, for all that the capability says.
  parameter logic [31:0] CommonOffset = 32'h100
) (
  input  logic        clk,
  input  logic        rst,

  input  logic        cfg_req_valid,
  output logic        cfg_req_ready,
  input  logic        cfg_req_write,
  input  logic [11:0] cfg_req_addr,
  input  logic [31:0] cfg_req_wdata,
  input  logic [3:0]  cfg_req_strb,
  output logic        cfg_cpl_valid,
  output logic [31:0] cfg_cpl_rdata,

  input  logic        bar_req_valid,
  output logic        bar_req_ready,
  input  logic        bar_req_write,
  input  logic [16:0] bar_req_addr,
  input  logic [63:0] bar_req_wdata,
  input  logic [7:0]  bar_req_strb,
  output logic        bar_cpl_valid,
  output logic [63:0] bar_cpl_rdata,

  output logic        dev_req_valid,
  input  logic        dev_req_ready,
  output logic        dev_req_write,
  output logic [11:0] dev_req_addr,
  output logic [63:0] dev_req_wdata,
  output logic [7:0]  dev_req_strb,
  input  logic        dev_cpl_valid,
  input  logic [63:0] dev_cpl_rdata,
  output logic        dev_rst,
  /// Hold DMA back before a function-level reset, until it is quiet.
  output logic        hold,
  input  logic        quiet,
  input  logic        sending,

  input  logic        irq_pulse,
  input  logic [15:0] irq_number,
  input  logic        irq_line,
  output logic        msg_valid,
  input  logic        msg_ready,
  output logic [63:0] msg_addr,
  output logic [31:0] msg_data,
  output logic        intx
);
  localparam logic [5:0] Command = 6'h01, Bar0 = 6'h04, Bar4 = 6'h08, MsixWord = 6'h10;
  localparam logic [5:0] Window = 6'h20, DeviceCaps = 6'h26;

  function automatic logic [31:0] initial_word(input logic [5:0] word);
    case (word)
      6'h00: return 32'h1044_1AF4;
      Command: return 32'h0010_0000;
      6'h02: return 32'h0000_0001;
      6'h0B: return 32'h0040_1AF4;
      6'h0D: return Msix ? 32'h40 : 32'h4C;
      6'h0F: return 32'h0000_0100;
      MsixWord: return {16'(Vectors - 1), 16'h4C11};
      6'h12: return 32'h0000_8000;
      6'h13: return 32'h0110_5C09;
      6'h14, 6'h18, 6'h1C: return 32'h4;
      6'h15: return CommonOffset;
      6'h16: return 32'h40;
      6'h17: return 32'h0310_6C09;
      6'h19: return 32'h180;
      6'h1A: return 32'h1;
      6'h1B: return 32'h0214_8009;
      6'h1D: return 32'h1C0;
      6'h1E: return 32'h4;
      Window: return 32'h0514_9409;
      6'h25: return 32'h0002_0010;
      DeviceCaps: return 32'h1000_8000;
      default: return '0;
    endcase
  endfunction

  // What the host may write.
  function automatic logic [31:0] mask_of(input logic [5:0] word);
    case (word)
      Command: return 32'h0000_0407;
      6'h03, 6'h0F, 6'h21: return 32'h0000_00FF;
      Bar0: return Msix ? 32'hFFFF_0000 : '0;
      Bar4: return 32'hFFFF_F000;
      MsixWord: return 32'hC000_0000;
      6'h22, 6'h23, 6'h24: return 32'hFFFF_FFFF;
      6'h27: return 32'h0000_FFFF;
      default: return '0;
    endcase
  endfunction

  logic [63:0][31:0] space;
  logic [Vectors-1:0][127:0] vectors;
  logic [Vectors-1:0] pending;
  logic resetting;

  wire enabled = Msix && space[MsixWord][31];
  wire master = space[Command][2];
  wire memory = space[Command][1];
  assign intx = irq_line && !enabled && !space[Command][10];

  // Configuration space; pci_cfg_data stands for an access to BAR 4.
  typedef enum logic [1:0] {Ready, Aimed, Waiting} step_e;
  step_e step;
  wire [5:0] word = cfg_req_addr[7:2];
  wire conventional = cfg_req_addr[11:8] == '0;
  wire [31:0] offset = space[Window + 6'd2];
  wire [2:0] length = space[Window + 6'd3][2:0];
  wire structure = offset[31:6] == 26'h4 || offset[31:2] == 30'h70 || offset == 32'h180;
  wire aligned = length == 3'd1 || length == 3'd2 && !offset[0]
                 || length == 3'd4 && offset[1:0] == 2'd0;
  wire sound = aligned && structure && space[Window + 6'd3][31:3] == '0
               && space[Window + 6'd1][7:0] == 8'd4;
  wire through = conventional && word == Window + 6'd4 && sound;
  wire [31:0] merged = {cfg_req_strb[3] ? cfg_req_wdata[31:24] : space[word][31:24],
                        cfg_req_strb[2] ? cfg_req_wdata[23:16] : space[word][23:16],
                        cfg_req_strb[1] ? cfg_req_wdata[15:8] : space[word][15:8],
                        cfg_req_strb[0] ? cfg_req_wdata[7:0] : space[word][7:0]};
  wire [31:0] writable = mask_of(word);
  wire [31:0] after = (space[word] & ~writable) | (merged & writable);
  wire aimed = step == Aimed;
  wire done = (aimed && dev_req_ready && cfg_req_write) || (step == Waiting && dev_cpl_valid);
  wire config_request = step == Ready && cfg_req_valid && !cfg_cpl_valid && !resetting;
  wire simple = config_request && !through && (!cfg_req_write || quiet);
  wire begin_window = config_request && through && !bar_busy && calm;
  assign cfg_req_ready = simple || done;

  // The host's BAR accesses: the table and pending bits here, all else the device's.
  logic bar_busy, bar_cpl_here;
  logic [63:0] here_data;
  wire table_hit = bar_req_addr[16];
  wire bar_local = table_hit || !memory;
  wire table_write = table_hit && bar_req_write;
  wire ordered = table_write ? quiet : bar_req_write || calm;
  wire bar_take = bar_req_valid && !bar_busy && step == Ready && !begin_window && !resetting
                  && ordered;
  wire to_device = bar_take && !bar_local;
  assign bar_req_ready = bar_take && (bar_local || dev_req_ready);
  assign dev_req_valid = aimed || to_device;
  assign dev_req_write = aimed ? cfg_req_write : bar_req_write;
  assign dev_req_addr = aimed ? offset[11:0] : bar_req_addr[11:0];
  assign dev_req_wdata = aimed ? {2{window_word}} << {offset[1:0], 3'd0} : bar_req_wdata;
  assign dev_req_strb = aimed ? 8'((8'd1 << length) - 8'd1) << offset[2:0] : bar_req_strb;
  assign bar_cpl_valid = bar_cpl_here || (bar_busy && dev_cpl_valid);
  assign bar_cpl_rdata = bar_cpl_here ? here_data : dev_cpl_rdata;
  wire [31:0] window_word = after;
  wire [31:0] window_read = 32'(dev_cpl_rdata >> {offset[2:0], 3'd0});
  wire [31:0] window_mask = length == 3'd4 ? '1 : length == 3'd2 ? 32'hFFFF : 32'hFF;

  // Messages: the first vector that may go.
  logic [Vectors-1:0] open;
  logic [$clog2(Vectors)-1:0] first;
  always_comb begin
    first = '0;
    for (int i = Vectors - 1; i >= 0; i--) begin
      open[i] = pending[i] && !vectors[i][96] && enabled && !space[MsixWord][30] && master;
      if (open[i]) first = $clog2(Vectors)'(i);
    end
  end
  assign msg_valid = |open && !hold;
  assign msg_addr = vectors[first][63:0];
  assign msg_data = vectors[first][95:64];

  // What a read tells may not overtake the messages before it, and what stops DMA or messages is
  // taken once none is left on its way.
  wire calm = !irq_pulse && !(|open) && !sending;
  assign hold = resetting || !master || (cfg_req_valid && cfg_req_write && !through)
                || (bar_req_valid && table_write);
  assign dev_rst = rst || (resetting && quiet);

  wire [$clog2(Vectors)-1:0] entry = bar_req_addr[4 +: $clog2(Vectors)];
  wire in_table = 32'(bar_req_addr[15:4]) < Vectors;
  always_ff @(posedge clk) begin
    cfg_cpl_valid <= cfg_req_valid && cfg_req_ready && !cfg_req_write;
    cfg_cpl_rdata <= conventional ? space[word] : '0;
    bar_cpl_here <= bar_take && bar_local && !bar_req_write;
    here_data <= !memory ? '1 : bar_req_addr[15] ? 64'(pending) : in_table
                 ? vectors[entry][64*bar_req_addr[3] +: 64] : '0;
    space[Command][19] <= irq_line && !enabled;

    if (simple && cfg_req_write && conventional) space[word] <= after;
    if (simple && cfg_req_write && conventional && word == DeviceCaps + 6'd1 && merged[15]) begin
      resetting <= 1'b1;
    end
    if (begin_window) step <= Aimed;
    if (aimed && dev_req_ready) step <= cfg_req_write ? Ready : Waiting;
    if (aimed && cfg_req_write) space[word] <= after;
    if (step == Waiting && dev_cpl_valid) begin
      step <= Ready;
      space[word] <= (space[word] & ~window_mask) | (window_read & window_mask);
      cfg_cpl_rdata <= (space[word] & ~window_mask) | (window_read & window_mask);
    end

    if (to_device && dev_req_ready && !bar_req_write) bar_busy <= 1'b1;
    if (bar_busy && dev_cpl_valid) bar_busy <= 1'b0;

    if (bar_take && table_hit && memory && bar_req_write && !bar_req_addr[15] && in_table) begin
      for (int i = 0; i < 8; i++) begin
        if (bar_req_strb[i]) begin
          vectors[entry][64*bar_req_addr[3] + 8*i +: 8] <= bar_req_wdata[8*i +: 8];
        end
      end
      if (bar_req_addr[3]) vectors[entry][127:97] <= '0;
    end

    if (msg_valid && msg_ready) pending[first] <= 1'b0;
    if (irq_pulse && enabled && irq_number < 16'(Vectors)) begin
      pending[irq_number[$clog2(Vectors)-1:0]] <= 1'b1;
    end

    if (rst || (resetting && quiet)) begin
      for (int i = 0; i < 64; i++) space[i] <= initial_word(6'(i));
      for (int i = 0; i < Vectors; i++) vectors[i] <= 128'd1 << 96;
      pending <= '0;
      resetting <= 1'b0;
      step <= Ready;
      bar_busy <= 1'b0;
    end
    if (rst) {cfg_cpl_valid, bar_cpl_here} <= '0;
  end

  wire unused = &{1'b0, cfg_req_addr[1:0]};
endmodule
