/// Block device configuration structure (virtio 1.4, 5.2.4); all of it is read-only.
module vio_blk_cfg #(
  parameter int unsigned NumQueues = 8,
  /// Data elements of one request.
  parameter int unsigned SegMax    = 1022,
  /// DISCARD and WRITE_ZEROES are offered.
  parameter bit          Zeroes    = 1'b1
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic [63:0]  medium_sectors_i,
  /// Capacity as the driver can know it, in sectors.
  output logic [63:0]  capacity_o,
  /// The structure, byte 0 in bits [7:0].
  output logic [vio_spec_pkg::BLK_CFG_LENGTH*8-1:0] dev_cfg_o,
  /// The medium changed its size (pulse).
  output logic         dev_cfg_changed_o
);

  import vio_spec_pkg::*;

  logic known_q;  // the size was sampled once since reset
  assign dev_cfg_changed_o = known_q && capacity_o != medium_sectors_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      known_q    <= 1'b0;
      capacity_o <= '0;
    end else begin
      known_q    <= 1'b1;
      capacity_o <= medium_sectors_i;
    end
  end

  always_comb begin
    dev_cfg_o = '0;
    dev_cfg_o[8*BLK_CFG_CAPACITY +: 64]   = capacity_o;
    dev_cfg_o[8*BLK_CFG_SEG_MAX +: 32]    = SegMax;
    dev_cfg_o[8*BLK_CFG_BLK_SIZE +: 32]   = BLK_SECTOR;
    dev_cfg_o[8*BLK_CFG_NUM_QUEUES +: 16] = 16'(NumQueues);
    if (Zeroes) begin
      dev_cfg_o[8*BLK_CFG_MAX_DISCARD_SECTORS +: 32]      = vio_blk_pkg::MaxZeroSectors;
      dev_cfg_o[8*BLK_CFG_MAX_DISCARD_SEG +: 32]          = 32'd1;
      dev_cfg_o[8*BLK_CFG_DISCARD_SECTOR_ALIGNMENT +: 32] = 32'd1;
      dev_cfg_o[8*BLK_CFG_MAX_WRITE_ZEROES_SECTORS +: 32] = vio_blk_pkg::MaxZeroSectors;
      dev_cfg_o[8*BLK_CFG_MAX_WRITE_ZEROES_SEG +: 32]     = 32'd1;
    end
  end

endmodule
