/// The queue banks of the common configuration structure: one bank of registers per virtqueue,
/// selected by queue_select, and the reset of a single queue (virtio 1.4, 2.6.1 and 4.1.4.3).
///
/// An enabled queue's size and addresses stand still; they change again after a reset of the queue
/// or of the device. A queue that does not exist reads size 0 and ignores writes.
module vio_queue_regs
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Descriptors of the largest queue, a power of two.
  parameter int unsigned MaxQueueSize = 256,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2,
  /// notify_off_multiplier: with 0 all queues share the first doorbell.
  parameter int unsigned NotifyMultiplier = 4,
  /// The last queue is an administration queue: it exists once ADMIN_VQ is negotiated.
  parameter bit          AdminQueue = 1'b0
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       clear_i,
  /// Accesses to the common configuration structure, `addr` relative to it.
  input  reg_req_t                   req_i,
  input  logic [15:0]                queue_select_i,
  /// Content of the dword at `req_i.addr`, 0 outside the banks; for the same cycle.
  output logic [31:0]                rdata_o,

  /// A legacy driver's writes to the selected queue, and what it reads.
  input  logic                       legacy_place_i,
  input  logic                       legacy_vector_i,
  input  logic [31:0]                legacy_wdata_i,
  output logic [31:0]                legacy_page_o,
  output logic [15:0]                legacy_size_o,
  output logic [15:0]                legacy_vector_o,

  /// Negotiated features.
  input  logic [63:0]                features_i,
  output queue_cfg_t [NumQueues-1:0] queue_cfg_o,
  output logic [NumQueues-1:0][15:0] queue_vector_o,

  /// These queues are being reset.
  output logic [NumQueues-1:0]       resetting_o,
  /// Nothing of this queue is left on its way.
  input  logic [NumQueues-1:0]       stopped_i,
  /// The reset of this queue is complete (pulse).
  output logic [NumQueues-1:0]       cleared_o
);

  localparam int unsigned QueueWidth = NumQueues > 1 ? $clog2(NumQueues) : 1;

  typedef struct packed {
    logic [15:0] size;
    logic [15:0] vector;
    logic        enable;
    logic        resetting;
    logic [63:0] desc;
    logic [63:0] driver;
    logic [63:0] device;
  } bank_t;

  localparam bank_t BankReset = '{
    size: 16'(MaxQueueSize), vector: 16'(NO_VECTOR), enable: 1'b0, resetting: 1'b0,
    desc: '0, driver: '0, device: '0
  };

  bank_t [NumQueues-1:0] bank_q;
  bank_t                 bank_d, bank;

  logic                  exists, packed_ring, ring_reset, config_data;
  logic [QueueWidth-1:0] index;
  assign exists      = queue_select_i < 16'(NumQueues) - 16'(AdminQueue)
                       || (AdminQueue && features_i[FEATURE_ADMIN_VQ]
                           && queue_select_i == 16'(NumQueues - 1));
  assign index       = queue_select_i[QueueWidth-1:0];
  assign bank        = bank_q[index];
  assign packed_ring = features_i[FEATURE_RING_PACKED];
  assign ring_reset  = features_i[FEATURE_RING_RESET];
  assign config_data = features_i[FEATURE_NOTIF_CONFIG_DATA];

  function automatic logic valid_size(logic [15:0] size, logic any_number);
    return size != '0 && size <= 16'(MaxQueueSize) && (any_number || (size & (size - 16'd1)) == '0);
  endfunction

  logic [31:0] present;
  always_comb begin : proc_read
    unique case (req_i.addr)
      COMMON_QUEUE_SIZE:       present = {bank.vector, bank.size};
      COMMON_QUEUE_ENABLE: begin
        present = {NotifyMultiplier == 0 ? 16'd0 : queue_select_i, 15'd0, bank.enable};
      end
      COMMON_QUEUE_DESC:       present = bank.desc[31:0];
      COMMON_QUEUE_DESC + 4:   present = bank.desc[63:32];
      COMMON_QUEUE_DRIVER:     present = bank.driver[31:0];
      COMMON_QUEUE_DRIVER + 4: present = bank.driver[63:32];
      COMMON_QUEUE_DEVICE:     present = bank.device[31:0];
      COMMON_QUEUE_DEVICE + 4: present = bank.device[63:32];
      COMMON_QUEUE_NOTIF_CONFIG_DATA: begin
        present = {15'd0, bank.resetting,
                   config_data ? notif_config_data(queue_select_i) : 16'd0};
      end
      default: present = '0;
    endcase
    rdata_o = present;
    if (!exists) rdata_o = req_i.addr == COMMON_QUEUE_SIZE ? {16'(NO_VECTOR), 16'd0} : '0;
  end

  assign legacy_page_o   = exists && bank.enable ? bank.desc[43:12] : '0;
  assign legacy_size_o   = exists ? bank.size : '0;
  assign legacy_vector_o = exists ? bank.vector : 16'(NO_VECTOR);

  // A legacy ring is one block: descriptors, available ring, and from the next page on the used ring.
  localparam logic [63:0] PageMask = ~(64'(LEGACY_PAGE_SIZE) - 64'd1);
  logic [63:0] legacy_start, legacy_size, legacy_used;
  logic        legacy_write;
  assign legacy_start = 64'(legacy_wdata_i) * 64'(LEGACY_PAGE_SIZE);
  assign legacy_size  = 64'(bank.size);
  assign legacy_used  = legacy_start + ((18 * legacy_size + 6 + ~PageMask) & PageMask);
  assign legacy_write = legacy_place_i || legacy_vector_i;

  function automatic logic [15:0] valid_vector(logic [15:0] vector);
    return vector < 16'(NumVectors) ? vector : 16'(NO_VECTOR);
  endfunction

  logic [31:0] merged;
  logic        write;
  assign merged = strobe_merge(present, req_i.wdata, req_i.strb);
  assign write  = ((req_i.valid && req_i.write) || legacy_write) && exists && !bank.resetting;

  always_comb begin : proc_write
    bank_d = bank;
    if (legacy_write) begin
      if (legacy_vector_i) bank_d.vector = valid_vector(legacy_wdata_i[31:16]);
      if (legacy_place_i && !bank.enable && legacy_wdata_i != '0) begin
        bank_d.enable = 1'b1;
        bank_d.desc   = legacy_start;
        bank_d.driver = legacy_start + 64'(DESC_LENGTH) * legacy_size;
        bank_d.device = legacy_used;
      end
      if (legacy_place_i && bank.enable && legacy_wdata_i == '0) bank_d.resetting = 1'b1;
    end else unique case (req_i.addr)
      COMMON_QUEUE_SIZE: begin
        if (!bank.enable && valid_size(merged[15:0], packed_ring)) bank_d.size = merged[15:0];
        if (req_i.strb[3:2] != '0) bank_d.vector = valid_vector(merged[31:16]);
      end
      COMMON_QUEUE_ENABLE: begin
        if (req_i.strb[1:0] != '0 && merged[15:0] == 16'd1) bank_d.enable = 1'b1;
      end
      COMMON_QUEUE_DESC:       if (!bank.enable) bank_d.desc[31:0]    = merged;
      COMMON_QUEUE_DESC + 4:   if (!bank.enable) bank_d.desc[63:32]   = merged;
      COMMON_QUEUE_DRIVER:     if (!bank.enable) bank_d.driver[31:0]  = merged;
      COMMON_QUEUE_DRIVER + 4: if (!bank.enable) bank_d.driver[63:32] = merged;
      COMMON_QUEUE_DEVICE:     if (!bank.enable) bank_d.device[31:0]  = merged;
      COMMON_QUEUE_DEVICE + 4: if (!bank.enable) bank_d.device[63:32] = merged;
      COMMON_QUEUE_NOTIF_CONFIG_DATA: begin
        bank_d.resetting = ring_reset && req_i.strb[3:2] != '0 && merged[31:16] == 16'd1;
      end
      default: ;
    endcase
  end

  for (genvar q = 0; q < int'(NumQueues); q++) begin : gen_bank
    assign queue_vector_o[q] = bank_q[q].vector;
    assign resetting_o[q]    = bank_q[q].resetting;
    assign cleared_o[q]      = bank_q[q].resetting && stopped_i[q];
    assign queue_cfg_o[q]    = '{
      enabled: bank_q[q].enable && !bank_q[q].resetting,
      size:    bank_q[q].size,
      desc:    bank_q[q].desc,
      driver:  bank_q[q].driver,
      device:  bank_q[q].device
    };

    always_ff @(posedge clk_i or negedge rst_ni) begin : proc_bank
      if (!rst_ni) begin
        bank_q[q] <= BankReset;
      end else if (clear_i || cleared_o[q]) begin
        bank_q[q] <= BankReset;
      end else if (write && index == QueueWidth'(q)) begin
        bank_q[q] <= bank_d;
      end
    end
  end

endmodule
