/// Types and the register map that cross module boundaries of the virtio device.
package vio_pkg;

  /* verilator lint_off UNUSEDPARAM */ // a map: a device on another bus has no use for it
  // Where the structures lie in BAR0 (byte offsets); NOTIFY is last because its length varies.
  localparam logic [31:0] BarCommon = 32'h0000;
  localparam logic [31:0] BarIsr    = 32'h1000;
  localparam logic [31:0] BarDevice = 32'h2000;
  localparam logic [31:0] BarTable  = 32'h4000;
  localparam logic [31:0] BarPba    = 32'h6000;
  localparam logic [31:0] BarNotify = 32'h8000;

  // The BAR of the structures, and in a transitional device BAR0's place on the same port and size.
  localparam logic [7:0]  BarModern       = 8'd0;
  localparam logic [7:0]  BarTransitional = 8'd2;
  localparam logic [31:0] BarLegacy       = 32'h8000_0000;
  localparam logic [31:0] BarLegacyLength = 32'h80;
  /* verilator lint_on UNUSEDPARAM */

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

  /// What a legacy driver writes into its register block in this cycle, a whole field at a time.
  typedef struct packed {
    logic        features;
    logic        place;          ///< Queue Address: the page of the selected queue, 0 takes it away
    logic        select;
    logic        config_vector;
    logic        queue_vector;
    logic        status;
    logic [31:0] data;           ///< the dword that the field lies in
  } legacy_wr_t;

  /// What a legacy driver reads, as the selected queue's bank and the shared registers have it.
  typedef struct packed {
    logic [31:0] features;       ///< accepted
    logic [31:0] page;
    logic [15:0] size;
    logic [15:0] select;
    logic [15:0] config_vector;
    logic [15:0] queue_vector;
  } legacy_rd_t;

  /// What the PCI configuration space tells the rest of the device.
  typedef struct packed {
    logic       io;                ///< I/O Space Enable, in D0
    logic       memory;            ///< Memory Space Enable, in D0
    logic       bus_master;        ///< Bus Master Enable, in D0: DMA and messages may leave
    logic       intx_disable;
    logic       msix_enable;
    logic       msix_mask;         ///< MSI-X Function Mask
    logic [2:0] max_payload;       ///< writes carry at most 128 << this many bytes
    logic [2:0] max_read_request;  ///< reads ask for at most 128 << this many bytes
  } pci_ctrl_t;

  /// Replace the bytes of `old` that a register write carries.
  function automatic logic [31:0] strobe_merge(logic [31:0] old, logic [31:0] wdata,
                                              logic [3:0] strb);
    for (int unsigned i = 0; i < 4; i++) begin
      strobe_merge[8*i +: 8] = strb[i] ? wdata[8*i +: 8] : old[8*i +: 8];
    end
  endfunction

  /// What the driver has to write into a doorbell for queue `queue` once NOTIF_CONFIG_DATA is
  /// negotiated: never a valid queue index, so that the two cannot be taken for each other.
  function automatic logic [15:0] notif_config_data(logic [15:0] queue);
    return queue ^ 16'h4000;
  endfunction

  /// What a device whose low feature bits are `offered` offers to a legacy driver.
  function automatic logic [31:0] legacy_features(logic [31:0] offered);
    return offered | (32'd1 << vio_spec_pkg::FEATURE_ANY_LAYOUT);
  endfunction

  /// A DMA command: `len` bytes (1 to 4096) from byte address `addr`; alignment is free.
  typedef struct packed {
    logic [63:0] addr;
    logic [12:0] len;
  } dma_cmd_t;

  /* verilator lint_off SYMRSVDWORD */ // `queue` and `abort` are words of the C++ library
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
  /* verilator lint_on SYMRSVDWORD */

endpackage
