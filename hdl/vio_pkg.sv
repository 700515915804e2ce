/// Types that cross module boundaries of the virtio device.
package vio_pkg;

  /// What the driver programmed into one queue's bank of the common configuration structure.
  typedef struct packed {
    logic        enabled;  ///< queue_enable reads 1 and the queue is not being reset
    logic [15:0] size;     ///< queue_size in descriptors
    logic [63:0] desc;     ///< queue_desc: descriptor table or packed descriptor ring
    logic [63:0] driver;   ///< queue_driver: available ring or driver event suppression
    logic [63:0] device;   ///< queue_device: used ring or device event suppression
  } queue_cfg_t;

  /// One access to the device's register space, already decoded to a byte offset in one BAR.
  typedef struct packed {
    logic        valid;
    logic        write;
    logic [31:0] addr;   ///< byte offset, the low two bits are zero
    logic [31:0] wdata;
    logic [3:0]  strb;   ///< bytes written, or bytes wanted by a read
  } reg_req_t;

  /// A DMA command: `len` bytes (1 to 4096) from byte address `addr`; alignment is free.
  typedef struct packed {
    logic [63:0] addr;
    logic [12:0] len;
  } dma_cmd_t;

  /// One buffer element of a chain, in chain order, as the ring hands it to a device back end.
  typedef struct packed {
    logic [15:0] queue;
    logic [7:0]  tag;    ///< names the chain until its completion
    logic [63:0] addr;
    logic [31:0] len;    ///< bytes; zero only in an aborted element
    logic        write;  ///< device-writable
    logic        first;
    logic        last;   ///< no element of this chain follows
    logic        abort;  ///< the chain is broken: forget it, complete nothing (comes with last)
  } segment_t;

  /// The back end is done with a chain: the ring may use it.
  typedef struct packed {
    logic [15:0] queue;
    logic [7:0]  tag;
    logic [31:0] written;  ///< bytes written from the first device-writable byte on
  } completion_t;

endpackage
