/// Clients of the DMA initiator, as indexes into its port vectors.
package vio_dma_pkg;

  localparam int unsigned DmaRing = 0;  ///< the ring engine: reads and writes
  localparam int unsigned DmaBlk  = 1;  ///< the device back end: reads and writes
  localparam int unsigned DmaMsg  = 2;  ///< interrupt messages: writes

endpackage
