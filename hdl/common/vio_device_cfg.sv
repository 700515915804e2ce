/// Device-specific configuration space as the driver sees it, with its generation (virtio 1.4, 2.5
/// and 4.1.4.3.1).
///
/// A change makes the shown copy dirty; the generation steps when a dirty copy is read, so it cannot
/// wrap round to an old value between two reads. While suspended copy and generation stand still: a
/// copy that is dirty then is counted at once.
module vio_device_cfg
  import vio_pkg::*;
#(
  /// Bytes of the structure, a multiple of 4.
  parameter int unsigned Length = 96
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                clear_i,

  /// Accesses to the structure, `addr` relative to it.
  input  reg_req_t            req_i,
  output logic [31:0]         rdata_o,
  output logic [7:0]          generation_o,

  /// Show no change.
  input  logic                freeze_i,
  /// The driver may write: negotiation is over, and the device is not suspended.
  input  logic                writable_i,
  /// Notifications may be sent.
  input  logic                live_i,
  /// Notify the driver of a change (pulse).
  output logic                notify_o,

  /// What the back end holds.
  input  logic [Length*8-1:0] dev_cfg_i,
  /// The device, not the driver, changed it (pulse).
  input  logic                dev_cfg_changed_i,
  output logic                dev_cfg_we_o,
  output logic [31:0]         dev_cfg_addr_o,
  output logic [31:0]         dev_cfg_wdata_o,
  output logic [3:0]          dev_cfg_strb_o
);

  localparam int unsigned Words      = Length / 4;
  localparam int unsigned IndexWidth = $clog2(Words);

  logic [Words-1:0][31:0] shown_q;
  logic                   dirty_q, changed_q, read;
  logic [7:0]             generation_q;
  assign read         = req_i.valid && !req_i.write;
  assign generation_o = generation_q;
  assign notify_o     = changed_q && live_i;

  assign dev_cfg_we_o    = req_i.valid && req_i.write && writable_i;
  assign dev_cfg_addr_o  = req_i.addr;
  assign dev_cfg_wdata_o = req_i.wdata;
  assign dev_cfg_strb_o  = req_i.strb;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_shown
    if (!rst_ni) begin
      shown_q <= '0;
      rdata_o <= '0;
    end else begin
      if (!freeze_i) shown_q <= dev_cfg_i;
      rdata_o <= shown_q[req_i.addr[2 +: IndexWidth]];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_generation
    if (!rst_ni) begin
      {dirty_q, generation_q} <= '0;
    end else begin
      if ((read || freeze_i) && dirty_q) begin
        dirty_q      <= 1'b0;
        generation_q <= generation_q + 8'd1;
      end
      if (!freeze_i && shown_q != dev_cfg_i) dirty_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_changed
    if (!rst_ni) begin
      changed_q <= 1'b0;
    end else if (clear_i) begin
      changed_q <= 1'b0;
    end else if (dev_cfg_changed_i) begin
      changed_q <= 1'b1;
    end else if (notify_o) begin
      changed_q <= 1'b0;
    end
  end

endmodule
