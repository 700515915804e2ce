/// PCI Express transaction layer packets: header fields and how they lie in the first four dwords.
///
/// In a stream the first byte of a packet (Fmt and Type) is bits [7:0]; header fields are big-
/// endian within their dwords, as PCI Express has them, payload bytes lie in address order.
package vio_tlp_pkg;

  localparam logic [4:0] TypeMemory     = 5'b00000;
  localparam logic [4:0] TypeConfig0    = 5'b00100;
  localparam logic [4:0] TypeCompletion = 5'b01010;
  localparam logic [4:0] TypeMessage    = 5'b10100;  // local: it ends at the receiver

  localparam logic [7:0] AssertInta   = 8'h20;
  localparam logic [7:0] DeassertInta = 8'h24;

  localparam logic [2:0] StatusSuccess     = 3'b000;
  localparam logic [2:0] StatusUnsupported = 3'b001;
  localparam logic [2:0] StatusAbort       = 3'b100;

  // Who may build a packet, as the transmitter indexes them.
  localparam int unsigned Sources         = 4;
  localparam int unsigned SourceComplete  = 0;
  localparam int unsigned SourceWrite     = 1;
  localparam int unsigned SourceRead      = 2;
  localparam int unsigned SourceInterrupt = 3;

  /// A request. `addr` of a configuration request: {bus, device, function, register number, 2'b00}.
  typedef struct packed {
    logic        prefixed;   ///< a TLP prefix stands where the header should
    logic        data;       ///< a payload follows
    logic        wide;       ///< the header has four dwords
    logic [4:0]  kind;       ///< Type
    logic [2:0]  tc;         ///< traffic class
    logic [2:0]  attr;
    logic        poisoned;
    logic [10:0] length;     ///< dwords, 1 to 1024
    logic [15:0] requester;
    logic [7:0]  tag;
    logic [3:0]  first_be;
    logic [3:0]  last_be;
    logic [63:0] addr;       ///< of the first dword
  } request_t;

  /// A completion.
  typedef struct packed {
    logic        data;
    logic        poisoned;
    logic [10:0] length;
    logic [2:0]  status;
    logic [12:0] byte_count; ///< bytes still to come, those in this packet included: 1 to 4096
    logic [15:0] requester;
    logic [7:0]  tag;
    logic [6:0]  lower;      ///< low bits of the address of the first byte in this packet
  } completion_t;

  /* verilator lint_off UNUSEDSIGNAL */ // headers have reserved bits, and no packet has all fields
  /// A dword as the header's tables show it, most significant byte first.
  function automatic logic [31:0] turned(logic [31:0] dword);
    return {dword[7:0], dword[15:8], dword[23:16], dword[31:24]};
  endfunction

  /// Read the header of a request from a packet's first four dwords.
  function automatic request_t parse_request(logic [3:0][31:0] head);
    logic [31:0] first, second, third, fourth;
    request_t    request;
    {fourth, third, second, first} = {turned(head[3]), turned(head[2]), turned(head[1]),
                                      turned(head[0])};
    request = '{
      prefixed:  first[31],
      data:      first[30],
      wide:      first[29],
      kind:      first[28:24],
      tc:        first[22:20],
      attr:      {first[18], first[13:12]},
      poisoned:  first[14],
      length:    {first[9:0] == '0, first[9:0]},
      requester: second[31:16],
      tag:       second[15:8],
      last_be:   second[7:4],
      first_be:  second[3:0],
      addr:      first[29] ? {third, fourth[31:2], 2'b00} : {32'h0, third[31:2], 2'b00}
    };
    return request;
  endfunction

  /// Read the header of a completion from a packet's first dwords.
  function automatic completion_t parse_completion(logic [3:0][31:0] head);
    logic [31:0] first, second, third;
    {third, second, first} = {turned(head[2]), turned(head[1]), turned(head[0])};
    return '{
      data:       first[30],
      poisoned:   first[14],
      length:     {first[9:0] == '0, first[9:0]},
      status:     second[15:13],
      byte_count: {second[11:0] == '0, second[11:0]},
      requester:  third[31:16],
      tag:        third[15:8],
      lower:      third[6:0]
    };
  endfunction

  /// The header of a request, with the first dword in the lowest lane.
  function automatic logic [3:0][31:0] request_header(request_t request);
    logic [31:0] first, second;
    first  = {1'b0, request.data, request.wide, request.kind, 1'b0, request.tc, 1'b0,
              request.attr[2], 3'b000, request.poisoned, request.attr[1:0], 2'b00,
              request.length[9:0]};
    second = {request.requester, request.tag, request.last_be, request.first_be};
    return {turned(request.addr[31:0]),
            turned(request.wide ? request.addr[63:32] : request.addr[31:0]),
            turned(second), turned(first)};
  endfunction

  /// The header of a completion by `completer` to `request`, first dword in the lowest lane.
  function automatic logic [3:0][31:0] completion_header(completion_t cpl, request_t request,
                                                         logic [15:0] completer);
    logic [31:0] first, second, third;
    first  = {1'b0, cpl.data, 1'b0, TypeCompletion, 1'b0, request.tc, 1'b0, request.attr[2], 3'b000,
              cpl.poisoned, request.attr[1:0], 2'b00, cpl.data ? cpl.length[9:0] : 10'd0};
    second = {completer, cpl.status, 1'b0, cpl.byte_count[11:0]};
    third  = {request.requester, request.tag, 1'b0, cpl.lower};
    return {32'h0, turned(third), turned(second), turned(first)};
  endfunction

  /// Bytes of a dword before the first enabled one; 0 where none is.
  function automatic logic [1:0] bytes_before(logic [3:0] be);
    if (be[0] || be == '0) return 2'd0;
    if (be[1]) return 2'd1;
    return be[2] ? 2'd2 : 2'd3;
  endfunction

  /// Bytes of a dword behind the last enabled one; 3 where none is.
  function automatic logic [1:0] bytes_behind(logic [3:0] be);
    if (be[3]) return 2'd0;
    if (be[2]) return 2'd1;
    return be[1] ? 2'd2 : 2'd3;
  endfunction

  /* verilator lint_on UNUSEDSIGNAL */

endpackage
