/// AXI4-Lite target that turns its five channels into one register access at a time.
///
/// Addresses and data may come in any order. A write's data are taken when the write has been
/// performed, not before: from then on its effect is there for all to see. A write that was there
/// before a read's address came is performed before that read, unless the host holds back an earlier
/// write's response. Every access is answered OKAY.
module vio_axil_target
  import vio_pkg::*;
#(
  /// Width of the byte address.
  parameter int unsigned AddrWidth = 32
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,

  input  logic [AddrWidth-1:0] s_axil_awaddr,
  input  logic                 s_axil_awvalid,
  output logic                 s_axil_awready,
  input  logic [31:0]          s_axil_wdata,
  input  logic [3:0]           s_axil_wstrb,
  input  logic                 s_axil_wvalid,
  output logic                 s_axil_wready,
  output logic [1:0]           s_axil_bresp,
  output logic                 s_axil_bvalid,
  input  logic                 s_axil_bready,
  input  logic [AddrWidth-1:0] s_axil_araddr,
  input  logic                 s_axil_arvalid,
  output logic                 s_axil_arready,
  output logic [31:0]          s_axil_rdata,
  output logic [1:0]           s_axil_rresp,
  output logic                 s_axil_rvalid,
  input  logic                 s_axil_rready,

  /// The access; it stands still until granted.
  output reg_req_t             req_o,
  /// The access is taken in this cycle.
  input  logic                 gnt_i,
  /// The access is complete (one pulse per grant, at the earliest in the cycle behind it).
  input  logic                 rsp_valid_i,
  /// What was read, all four bytes; ignored for a write.
  input  logic [31:0]          rsp_rdata_i
);

  logic                 aw_full_q, w_full_q, ar_full_q;  // of W: a copy, before it is taken
  logic [AddrWidth-1:0] aw_addr_q, ar_addr_q;
  logic [31:0]          w_data_q;
  logic [3:0]           w_strb_q;
  logic                 busy_q, busy_write_q;  // an access is on its way
  logic                 read_behind_q;         // the waiting read came after the waiting write
  logic                 b_valid_q, r_valid_q;
  logic                 b_stuck_q;             // the host did not take the last response at once
  logic [31:0]          r_data_q;

  logic locked_q, locked_write_q;  // an offered access keeps its turn until it is granted

  logic can_write, can_read, pick_write;
  assign can_write  = aw_full_q && w_full_q && !b_valid_q;
  assign can_read   = ar_full_q && !r_valid_q
                      && !(read_behind_q && aw_full_q && w_full_q && !b_stuck_q);
  assign pick_write = locked_q ? locked_write_q : can_write && !can_read;

  assign req_o.valid = !busy_q && (can_write || can_read);
  assign req_o.write = pick_write;
  assign req_o.wdata = w_data_q;

  logic [AddrWidth-1:2] word;
  assign word       = pick_write ? aw_addr_q[AddrWidth-1:2] : ar_addr_q[AddrWidth-1:2];
  assign req_o.addr = 32'({word, 2'b00});
  assign req_o.strb = pick_write ? w_strb_q : 4'hf << ar_addr_q[1:0];

  assign s_axil_awready = !aw_full_q;
  assign s_axil_arready = !ar_full_q;
  assign s_axil_bvalid  = b_valid_q;
  assign s_axil_bresp   = 2'b00;
  assign s_axil_rvalid  = r_valid_q;
  assign s_axil_rdata   = r_data_q;
  assign s_axil_rresp   = 2'b00;

  logic taken_write, taken_read;
  assign taken_write   = gnt_i && req_o.valid && pick_write;
  assign taken_read    = gnt_i && req_o.valid && !pick_write;
  assign s_axil_wready = taken_write;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_slots
    if (!rst_ni) begin
      {aw_full_q, w_full_q, ar_full_q, read_behind_q} <= '0;
      {aw_addr_q, ar_addr_q, w_data_q, w_strb_q}      <= '0;
    end else begin
      if (s_axil_awvalid && !aw_full_q) begin
        aw_full_q <= 1'b1;
        aw_addr_q <= s_axil_awaddr;
      end
      if (s_axil_wvalid && !w_full_q) begin
        w_full_q <= 1'b1;
        w_data_q <= s_axil_wdata;
        w_strb_q <= s_axil_wstrb;
      end
      if (s_axil_arvalid && !ar_full_q) begin
        ar_full_q     <= 1'b1;
        ar_addr_q     <= s_axil_araddr;
        read_behind_q <= aw_full_q && w_full_q && !taken_write;
      end
      if (taken_write) begin
        {aw_full_q, w_full_q, read_behind_q} <= '0;
      end
      if (taken_read) ar_full_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_answers
    if (!rst_ni) begin
      {busy_q, busy_write_q, b_valid_q, r_valid_q} <= '0;
      {locked_q, locked_write_q, b_stuck_q}        <= '0;
      r_data_q                                     <= '0;
    end else begin
      b_stuck_q      <= b_valid_q && !s_axil_bready;
      locked_q       <= req_o.valid && !gnt_i;
      locked_write_q <= pick_write;
      if (s_axil_bready) b_valid_q <= 1'b0;
      if (s_axil_rready) r_valid_q <= 1'b0;
      if (gnt_i && req_o.valid) begin
        busy_q       <= 1'b1;
        busy_write_q <= pick_write;
      end
      if (rsp_valid_i && busy_q) begin
        busy_q <= 1'b0;
        if (busy_write_q) begin
          b_valid_q <= 1'b1;
        end else begin
          r_valid_q <= 1'b1;
          r_data_q  <= rsp_rdata_i;
        end
      end
    end
  end

  logic unused_addr_low;
  assign unused_addr_low = ^aw_addr_q[1:0];

endmodule
