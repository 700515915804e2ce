/// What one descriptor does to its chain (virtio 1.4, 2.7.5 and 2.8.5 to 2.8.7): the element in it,
/// where the chain goes on, and whether it is well formed.
module vio_ring_desc
  import vio_ring_pkg::*;
(
  input  logic         packed_i,
  input  logic         indirect_ok_i,  ///< INDIRECT_DESC is negotiated
  input  logic [15:0]  size_i,         ///< queue size
  input  chain_t       chain_i,
  input  logic [127:0] desc_i,
  input  logic         err_i,          ///< the read failed
  output chain_t       chain_o,
  output logic         store_o,        ///< there is an element
  output element_t     element_o,
  output logic         done_o,         ///< the chain ends here
  output logic         bad_o,
  output logic         in_line_o       ///< the chain goes on with the descriptor behind this one
);

  logic [63:0] addr;
  logic [31:0] len;
  logic [64:0] past;
  logic [15:0] id, next;
  desc_flags_t flags;
  logic more, indirect, bad_table, bad_element, bad_next;
  logic [32:0] room;
  logic [16:0] after;
  logic unused;

  assign addr = desc_i[63:0];
  assign len = desc_i[95:64];
  assign id = desc_i[111:96];
  assign next = desc_i[127:112];
  assign flags = packed_i ? desc_i[127:112] : desc_i[111:96];
  assign past = 65'(addr) + 65'(len) - 65'd1;
  assign unused = ^{flags, past};

  // In a packed table only WRITE has a meaning, and the table's length says where it ends.
  assign after = 17'(chain_i.index) + 17'd1;
  assign more = (packed_i && chain_i.in_table) ? after != chain_i.table_len : flags.next;
  assign indirect = flags.indirect && !(packed_i && chain_i.in_table);

  assign bad_table = !indirect_ok_i || chain_i.in_table || flags.next || len[3:0] != '0
    || (packed_i && (chain_i.slots != '0 || len[31:4] > 28'(size_i)));
  assign bad_element = (chain_i.writable && !flags.write)
    || (more && chain_i.count + 16'd1 >= size_i)
    || (more && packed_i && !chain_i.in_table && chain_i.slots + 16'd1 >= size_i);
  assign bad_next = !packed_i && more
    && 17'(next) >= (chain_i.in_table ? chain_i.table_len : 17'(size_i));
  assign bad_o = err_i || len == '0 || past[64]
    || (indirect ? bad_table : (bad_element || bad_next));

  assign store_o = !indirect && !bad_o;
  assign done_o = store_o && !more;
  assign in_line_o = store_o && more && 17'(chain_o.index) == after;
  assign element_o = '{last: !more, write: flags.write, len: len, addr: addr};

  assign room = chain_i.room + 33'(len);
  always_comb begin
    chain_o = chain_i;
    if (indirect) begin
      chain_o.in_table = 1'b1;
      chain_o.table_addr = addr;
      chain_o.table_len = len[31:20] != '0 ? 17'h10000 : 17'(len[31:4]);
      chain_o.index = '0;
    end else begin
      chain_o.count = chain_i.count + 16'd1;
      chain_o.writable = chain_i.writable || flags.write;
      if (flags.write) chain_o.room = chain_i.room[32] ? chain_i.room : room;
      if (!packed_i) chain_o.index = next;
      else if (!chain_i.in_table && after == 17'(size_i)) chain_o.index = '0;
      else chain_o.index = after[15:0];
    end
    if (!chain_i.in_table) begin
      chain_o.slots = chain_i.slots + 16'd1;
      chain_o.id = id;
    end
  end

endmodule
