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

endpackage
