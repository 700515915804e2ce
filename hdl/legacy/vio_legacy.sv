/// The legacy interface's register block (virtio 1.4, 4.1.4.10): what a legacy driver reads and
/// writes at the start of BAR0, and whether the session is one of such a driver (2.2.3, 3.1.2).
///
/// A field is written as a whole; anything else of a write is lost. ISR status is cleared by a read
/// of its own byte, since the bus does not tell a read of the byte before it from one of both.
module vio_legacy
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// The low 32 of the feature bits that the device offers.
  parameter logic [31:0] Offered = '0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Back to the state after power-up (pulse).
  input  logic        clear_i,

  /// Accesses to the registers, `addr` relative to the block.
  input  reg_req_t    req_i,
  output logic [31:0] rdata_o,
  /// MSI-X is on: the block has its two vectors.
  input  logic        msix_enable_i,

  /// A modern driver has finished negotiation: the session is not for the legacy interface.
  input  logic        features_ok_i,
  input  logic        resetting_i,
  input  logic [7:0]  status_i,
  input  legacy_rd_t  rd_i,
  output legacy_wr_t  wr_o,
  /// The session is a legacy driver's (from its first write on), and it used the device.
  output logic        legacy_o,
  output logic        used_o,

  /// The ISR status byte is being read.
  output logic        isr_read_o,
  input  logic [7:0]  isr_rdata_i,
  output logic        kick_valid_o,
  output logic [15:0] kick_queue_o
);

  localparam logic [31:0] SizeWord   = LEGACY_QUEUE_SIZE;           // queue_size, queue_select
  localparam logic [31:0] NotifyWord = LEGACY_QUEUE_NOTIFY;         // notify, status, ISR status
  localparam logic [31:0] VectorWord = LEGACY_CONFIG_MSIX_VECTOR;   // both vectors

  logic write, whole, low, high;
  assign write = req_i.valid && req_i.write && !resetting_i && !features_ok_i;
  assign whole = write && req_i.strb == '1;
  assign low   = write && req_i.strb[1:0] == '1;
  assign high  = write && req_i.strb[3:2] == '1;

  always_comb begin : proc_write
    wr_o = '0;
    wr_o.features      = whole && req_i.addr == LEGACY_DRIVER_FEATURES;
    wr_o.place         = whole && req_i.addr == LEGACY_QUEUE_ADDRESS;
    wr_o.select        = high && req_i.addr == SizeWord;
    wr_o.config_vector = low && req_i.addr == VectorWord && msix_enable_i;
    wr_o.queue_vector  = high && req_i.addr == VectorWord && msix_enable_i;
    // A reset is taken in any session.
    wr_o.status        = req_i.valid && req_i.write && req_i.addr == NotifyWord && req_i.strb[2]
                         && (req_i.wdata[23:16] == '0 || !features_ok_i);
    wr_o.data          = req_i.wdata;
  end

  assign kick_queue_o = req_i.wdata[15:0];
  assign kick_valid_o = low && req_i.addr == NotifyWord && kick_queue_o < 16'(NumQueues);

  // Until a register was written for good nothing tells one kind of driver from the other.
  logic begins, legacy_q, used_q;
  assign begins = wr_o.features || (wr_o.place && wr_o.data != '0) || kick_valid_o
                  || (wr_o.status && req_i.wdata[23:16] != '0 && !resetting_i);
  assign legacy_o = legacy_q || begins;
  assign used_o   = used_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_session
    if (!rst_ni) begin
      {legacy_q, used_q} <= '0;
    end else if (clear_i) begin
      {legacy_q, used_q} <= '0;
    end else begin
      legacy_q <= legacy_q || begins;
      used_q   <= used_q || kick_valid_o;
    end
  end

  assign isr_read_o = req_i.valid && !req_i.write && req_i.addr == NotifyWord
                      && req_i.strb == 4'b1000;

  logic [31:0] rdata_q;
  logic        isr_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_read
    if (!rst_ni) begin
      {rdata_q, isr_q} <= '0;
    end else begin
      isr_q <= req_i.addr == NotifyWord;
      unique case (req_i.addr)
        LEGACY_DEVICE_FEATURES: rdata_q <= legacy_features(Offered);
        LEGACY_DRIVER_FEATURES: rdata_q <= rd_i.features;
        LEGACY_QUEUE_ADDRESS:   rdata_q <= rd_i.page;
        SizeWord:               rdata_q <= {rd_i.select, rd_i.size};
        NotifyWord:             rdata_q <= {8'd0, status_i, 16'd0};
        VectorWord:             rdata_q <= {rd_i.queue_vector, rd_i.config_vector};
        default:                rdata_q <= '0;
      endcase
    end
  end
  assign rdata_o = {isr_q ? isr_rdata_i : rdata_q[31:24], rdata_q[23:0]};

endmodule
