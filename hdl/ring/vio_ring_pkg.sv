/// Types and sizes inside the ring engine.
package vio_ring_pkg;

  localparam int unsigned QueueW       = 6;    ///< bits of a queue number inside the engine
  localparam int unsigned Slots        = 64;   ///< chains being fetched at a time
  localparam int unsigned SlotW        = 6;
  localparam int unsigned SlotDepth    = 32;   ///< elements of a chain fetched ahead
  localparam int unsigned DepthW       = 5;
  localparam int unsigned Tags         = 64;   ///< chains at the back end at a time
  localparam int unsigned TagW         = 6;
  localparam int unsigned HeadDepth    = 128;  ///< available ring entries read ahead
  localparam int unsigned BatchEntries = 32;   ///< available ring entries of one read
  localparam int unsigned BatchDescs   = 16;   ///< descriptors of one read
  localparam int unsigned BatchUsed    = 16;   ///< used elements of one write

  /// Who asked for a read, and so who takes its items.
  typedef enum logic [2:0] {
    OwnIndex,    ///< split: available ring flags and idx
    OwnEntries,  ///< split: available ring entries
    OwnRun,      ///< split: heads of several chains, adjacent in the table
    OwnWalk,     ///< the next descriptors of one chain
    OwnStream,   ///< packed: descriptors in ring order, available or not
    OwnEvent     ///< the driver's wish for used buffer notifications
  } own_e;

  /* verilator lint_off SYMRSVDWORD */ // `queue` is a word of the C++ library
  typedef struct packed {
    own_e              kind;
    logic [QueueW-1:0] queue;
    logic [SlotW-1:0]  slot;   ///< of the first item (OwnRun, OwnWalk)
    logic              down;   ///< OwnRun: the last item is the first slot's
    logic              room;   ///< OwnStream: a slot is reserved for each item
    logic [5:0]        count;  ///< items of this read
    logic              wrap;   ///< OwnStream: the driver's wrap counter at `index`
    logic [15:0]       index;  ///< OwnStream: ring offset of the first item
  } owner_t;
  /* verilator lint_on SYMRSVDWORD */

  typedef struct packed {
    vio_pkg::dma_cmd_t cmd;
    owner_t            own;
  } rd_req_t;

  /// A piece of what was read: an index word, an available ring entry or a descriptor.
  typedef struct packed {
    owner_t       own;
    logic [5:0]   nth;   ///< its place in the read
    logic         last;
    logic         err;
    logic [127:0] data;
  } item_t;

  typedef struct packed {
    logic       used;
    logic [6:0] reserved_hi;
    logic       avail;
    logic [3:0] reserved_lo;
    logic       indirect;
    logic       write;
    logic       next;
  } desc_flags_t;

  /// A place in a packed ring, as event suppression structures hold it.
  typedef struct packed {
    logic        wrap;
    logic [14:0] off;
  } ring_pos_t;

  localparam ring_pos_t RingStart = '{wrap: 1'b1, off: '0};

  /// Where a queue starts: split at index 0, packed with a wrap counter of 1. Positions are kept
  /// relative to it, since a reset queue does not know yet which of the two comes next.
  function automatic logic [15:0] start_pos(logic is_packed);
    return is_packed ? RingStart : '0;
  endfunction

  /// How far the fetch of one chain has come.
  typedef struct packed {
    logic [15:0] count;       ///< elements stored so far
    logic [15:0] index;       ///< next descriptor to read, in the ring or in the table
    logic        in_table;
    logic [63:0] table_addr;
    logic [16:0] table_len;   ///< descriptors of the indirect table
    logic        writable;    ///< a device-writable element was seen
    logic [32:0] room;        ///< bytes of all device-writable elements, saturating
    logic [15:0] slots;       ///< packed: ring slots taken
    logic [15:0] id;          ///< packed: buffer id
  } chain_t;

  typedef struct packed {
    logic        last;
    logic        write;
    logic [31:0] len;
    logic [63:0] addr;
  } element_t;

  /// What is known of a chain when it is used.
  typedef struct packed {
    logic [15:0] id;
    logic [15:0] slots;
    logic [31:0] written;
    logic        full;  ///< all of its writable bytes were written
  } finished_t;

  /// What the response to a write is for.
  typedef enum logic [1:0] {NoteNone, NoteUsed, NoteArm} note_e;

  /* verilator lint_off SYMRSVDWORD */
  typedef struct packed {
    note_e             kind;
    logic [QueueW-1:0] queue;
    logic [15:0]       pos;   ///< NoteUsed: the used index, or position, behind the write
    logic [15:0]       step;  ///< NoteUsed: by how much the write moves it
  } note_t;
  /* verilator lint_on SYMRSVDWORD */

  /// `n` (at most `size`) slots on in a packed ring.
  function automatic ring_pos_t ring_step(ring_pos_t p, logic [15:0] n, logic [15:0] size);
    logic [16:0] sum;
    sum = 17'(p.off) + 17'(n);
    if (sum >= 17'(size)) return '{wrap: !p.wrap, off: 15'(sum - 17'(size))};
    return '{wrap: p.wrap, off: 15'(sum)};
  endfunction

endpackage
