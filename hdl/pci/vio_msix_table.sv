/// The MSI-X table: message address and data of each vector in memory, the mask bits beside it in
/// registers. Two readers: the host, and the sender of messages.
module vio_msix_table
  import vio_pkg::*;
#(
  /// Entries of the table.
  parameter int unsigned NumVectors = 2,
  localparam int unsigned VectorWidth = NumVectors > 1 ? $clog2(NumVectors) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  /// Mask all vectors again.
  input  logic                   clear_i,

  input  reg_req_t               req_i,
  output logic [31:0]            rdata_o,

  /// The mask bit of each vector.
  output logic [NumVectors-1:0]  masked_o,
  input  logic [VectorWidth-1:0] vector_i,
  /// Message of `vector_i`, one cycle later, unless the host read or wrote the table in that cycle.
  output logic [63:0]            msg_addr_o,
  output logic [31:0]            msg_data_o
);

  // One memory per field, so that a whole message is read at once; a reset leaves them alone.
  logic [31:0] addr_low_mem [NumVectors];
  logic [31:0] addr_high_mem[NumVectors];
  logic [31:0] data_mem     [NumVectors];

  logic [NumVectors-1:0]  masked_q;
  logic [VectorWidth-1:0] entry, index;
  logic [1:0]             field, field_q;
  logic                   write;
  assign entry = req_i.addr[4 +: VectorWidth];
  assign field = req_i.addr[3:2];
  assign index = req_i.valid ? entry : vector_i;
  assign write = req_i.valid && req_i.write;

  logic [31:0] addr_low, addr_low_q, addr_high_q, data_q;
  logic        entry_masked_q;
  assign addr_low = {req_i.wdata[31:2], 2'b00};  // messages are dwords
  always_ff @(posedge clk_i) begin : proc_memories
    addr_low_q     <= addr_low_mem[index];
    addr_high_q    <= addr_high_mem[index];
    data_q         <= data_mem[index];
    entry_masked_q <= masked_q[index];
    field_q        <= field;
    for (int unsigned i = 0; i < 4; i++) begin
      if (write && req_i.strb[i]) begin
        if (field == 2'd0) addr_low_mem[entry][8*i +: 8] <= addr_low[8*i +: 8];
        if (field == 2'd1) addr_high_mem[entry][8*i +: 8] <= req_i.wdata[8*i +: 8];
        if (field == 2'd2) data_mem[entry][8*i +: 8] <= req_i.wdata[8*i +: 8];
      end
    end
  end

  always_comb begin : proc_rdata
    unique case (field_q)
      2'd0: rdata_o = addr_low_q;
      2'd1: rdata_o = addr_high_q;
      2'd2: rdata_o = data_q;
      2'd3: rdata_o = {31'h0, entry_masked_q};
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_masks
    if (!rst_ni) begin
      masked_q <= '1;
    end else if (clear_i) begin
      masked_q <= '1;
    end else if (write && field == 2'd3 && req_i.strb[0]) begin
      masked_q[entry] <= req_i.wdata[0];
    end
  end

  assign masked_o   = masked_q;
  assign msg_addr_o = {addr_high_q, addr_low_q};
  assign msg_data_o = data_q;

  logic unused_req;
  assign unused_req = ^{req_i.addr[31:4+VectorWidth], req_i.addr[1:0]};

endmodule
