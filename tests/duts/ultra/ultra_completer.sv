/// Host accesses from an UltraScale+ PCIe block: CQ descriptors in, CC descriptors out, a dword at a time.
///
/// Reads of more than two dwords are aborted; what is no memory access is unsupported.
module ultra_completer (
  input  logic        clk,
  input  logic        rst,
  input  logic [63:0] cq_tdata,
  input  logic        cq_tlast,
  input  logic [87:0] cq_tuser,
  input  logic        cq_tvalid,
  output logic        cq_tready,
  output logic [63:0] cc_tdata,
  output logic [1:0]  cc_tkeep,
  output logic        cc_tlast,
  output logic        cc_tvalid,
  input  logic        cc_tready,

  output logic        req_valid,
  input  logic        req_ready,
  output logic        req_write,
  output logic [11:0] req_addr,
  output logic [63:0] req_wdata,
  output logic [7:0]  req_strb,
  input  logic        cpl_valid,
  input  logic [63:0] cpl_rdata
);
  localparam logic [3:0] MemoryRead = 4'd0, MemoryWrite = 4'd1;
  localparam logic [2:0] Success = 3'd0, Unsupported = 3'd1, Abort = 3'd4;

  typedef enum logic [2:0] {Address, Rest, Write, Drop, Ask, Answer, Send} step_e;
  step_e step;
  logic [11:0] addr;
  logic [3:0] first_be, last_be;
  logic [10:0] length, index;
  logic [15:0] requester;
  logic [7:0] tag;
  logic [5:0] class_and_attr;
  logic [2:0] status;
  logic [1:0][31:0] data;
  logic [1:0] beat;

  wire [3:0] be = index == 0 ? first_be : index == length - 11'd1 ? last_be : 4'hF;
  wire [11:0] place = addr + {index[9:0], 2'b00};
  wire last_dword = index == length - 11'd1;
  wire posted = cq_tdata[14:11] == MemoryWrite;

  function automatic logic [1:0] bytes_before(input logic [3:0] enables);
    return enables[0] ? 2'd0 : enables[1] ? 2'd1 : enables[2] ? 2'd2 : enables[3] ? 2'd3 : 2'd0;
  endfunction

  function automatic logic [1:0] bytes_behind(input logic [3:0] enables);
    return enables[3] ? 2'd0 : enables[2] ? 2'd1 : enables[1] ? 2'd2 : 2'd3;
  endfunction

  wire [1:0] skipped = bytes_before(first_be);
  wire [12:0] bytes = first_be == 0 ? 13'd1
      : {length, 2'b00} - 13'(skipped) - 13'(bytes_behind(length == 11'd1 ? first_be : last_be));
  wire [10:0] carried = status == Success ? length : 11'd0;
  wire [31:0] descriptor0 = {3'b000, bytes, 9'd0, addr[6:2], skipped};
  wire [31:0] descriptor1 = {requester, 2'b00, status, carried};
  wire [31:0] descriptor2 = {1'b0, class_and_attr, 1'b0, 16'd0, tag};

  assign req_valid = (step == Write && cq_tvalid && be != 0) || (step == Ask && be != 0);
  assign req_write = step == Write;
  assign req_addr = place;
  assign req_wdata = {2{index[0] ? cq_tdata[63:32] : cq_tdata[31:0]}};
  assign req_strb = place[2] ? {be, 4'd0} : {4'd0, be};

  wire performed = step == Write && cq_tvalid && (req_ready || be == 0);
  assign cq_tready = step == Address || step == Rest || step == Drop
                     || (performed && (index[0] || last_dword));

  assign cc_tvalid = step == Send;
  assign cc_tdata = beat == 0 ? {descriptor1, descriptor0}
                    : beat == 1 ? {data[0], descriptor2} : {32'd0, data[1]};
  assign cc_tlast = beat == 2 || (beat == 1 && carried < 11'd2);
  assign cc_tkeep = beat == 2 || (beat == 1 && carried == 0) ? 2'b01 : 2'b11;

  always_ff @(posedge clk) begin
    unique case (step)
      Address: if (cq_tvalid) begin
        addr <= {cq_tdata[11:2], 2'b00};
        {last_be, first_be} <= cq_tuser[7:0];
        step <= Rest;
      end
      Rest: if (cq_tvalid) begin
        length <= cq_tdata[10:0];
        requester <= cq_tdata[31:16];
        tag <= cq_tdata[39:32];
        class_and_attr <= cq_tdata[62:57];
        index <= '0;
        beat <= '0;
        status <= cq_tdata[14:11] != MemoryRead ? Unsupported : cq_tdata[10:0] > 11'd2 ? Abort : Success;
        if (posted) step <= Write;
        else if (!cq_tlast) step <= Drop;
        else step <= cq_tdata[14:11] == MemoryRead && cq_tdata[10:0] <= 11'd2 ? Ask : Send;
      end
      Write: if (performed) begin
        index <= index + 11'd1;
        if (last_dword) step <= Address;
      end
      Drop: if (cq_tvalid && cq_tlast) step <= Send;
      Ask: if (be == 0) begin
        data <= '0;
        step <= Send;
      end else if (req_ready) begin
        step <= Answer;
      end
      Answer: if (cpl_valid) begin
        data[index[0]] <= place[2] ? cpl_rdata[63:32] : cpl_rdata[31:0];
        index <= index + 11'd1;
        step <= last_dword ? Send : Ask;
      end
      default: if (cc_tready) begin
        beat <= beat + 2'd1;
        if (cc_tlast) step <= Address;
      end
    endcase
    if (rst) step <= Address;
  end
endmodule
