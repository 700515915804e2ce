/// Records that pass between the stages of the block back end.
package vio_blk_pkg;

  /* verilator lint_off SYMRSVDWORD */ // `queue` is a word of the C++ library

  /// A piece of guest memory.
  typedef struct packed {
    logic [63:0] addr;
    logic [31:0] len;
  } element_t;

  /// What the fetch stage has to know of a chain.
  typedef struct packed {
    logic [15:0] elements;  ///< readable elements
    logic [31:0] want;      ///< bytes to read, from the first readable byte on
  } fetch_t;

  /// A chain that came in complete.
  typedef struct packed {
    logic [15:0] queue;
    logic [7:0]  tag;
    logic        bad;       ///< cannot be a request: nothing was kept of its elements
    logic        silent;    ///< has no status byte
    logic [31:0] out_len;   ///< data bytes after the header; 0 if not in whole sectors
    logic        ragged;    ///< the readable data are not whole sectors
    logic        segment;   ///< the readable data are one 16-byte segment
    logic [31:0] in_len;    ///< writable bytes before the status byte
    logic [15:0] elements;  ///< writable elements, without the status byte
    logic [63:0] status_addr;
  } chain_t;

  typedef enum logic [1:0] {
    OpNone,  ///< nothing but the status
    OpIn,    ///< medium to guest
    OpOut,   ///< guest, or zeroes, to medium
    OpId     ///< identification string to guest
  } op_e;

  /// A range of sectors to discard or to zero (virtio 1.4, 5.2.6).
  typedef struct packed {
    logic [31:0] flags;
    logic [31:0] count;
    logic [63:0] sector;
  } segment_data_t;

  localparam logic [31:0] SegmentLength = $bits(segment_data_t) / 8;

  /// Sectors of one DISCARD or WRITE_ZEROES request.
  localparam logic [31:0] MaxZeroSectors = 32'h8000;

  /// A request on its way to completion.
  typedef struct packed {
    logic [15:0] queue;
    logic [7:0]  tag;
    op_e         op;
    logic        silent;
    logic [7:0]  status;    ///< unless a transfer fails
    logic [31:0] len;       ///< data bytes to write to the guest
    logic [15:0] elements;  ///< writable elements to take or skip
    logic [63:0] status_addr;
    logic [31:0] written;   ///< for the completion
  } request_t;
  /* verilator lint_on SYMRSVDWORD */

endpackage
