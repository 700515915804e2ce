/// Interrupts of the function: takes used buffer and configuration change notifications, and turns
/// each into an MSI-X message, or into ISR bits and INTx while MSI-X is off (virtio 1.4, 4.1.4.5,
/// 4.1.5).
///
/// An event is kept per source (queue or configuration), not per vector, until its message has
/// left: so a reset queue takes its own events with it, also where a vector is shared.
module vio_irq
  import vio_pkg::*;
#(
  /// Number of virtqueues.
  parameter int unsigned NumQueues = 1,
  /// Entries of the MSI-X table.
  parameter int unsigned NumVectors = 2
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,

  /// Bus Master Enable, and MSI-X Enable and Function Mask.
  input  logic                       bus_master_i,
  input  logic                       msix_enable_i,
  input  logic                       msix_mask_i,
  input  logic                       intx_disable_i,
  /// Function-level reset: forget everything, mask all vectors.
  input  logic                       flr_i,
  /// The virtio device was reset: forget events and ISR, keep what belongs to MSI-X.
  input  logic                       clear_i,
  /// Forget the events of these queues.
  input  logic [NumQueues-1:0]       queue_clear_i,
  /// Keep events, send nothing (suspended).
  input  logic                       hold_i,

  input  logic                       irq_valid_i,
  input  logic [15:0]                irq_queue_i,
  output logic                       irq_ready_o,
  input  logic                       config_event_i,

  input  logic [15:0]                config_vector_i,
  input  logic [NumQueues-1:0][15:0] queue_vector_i,

  /// The driver reads the ISR status byte.
  input  logic                       isr_read_i,
  output logic [31:0]                isr_rdata_o,
  input  reg_req_t                   table_req_i,
  output logic [31:0]                table_rdata_o,
  /// Dword of the pending bit array that is read.
  input  logic [10:0]                pba_index_i,
  output logic [31:0]                pba_rdata_o,

  output logic                       intx_o,
  output logic                       interrupt_status_o,

  output logic                       msg_valid_o,
  input  logic                       msg_ready_i,
  output logic [63:0]                msg_addr_o,
  output logic [31:0]                msg_data_o,
  input  logic                       msg_done_i,

  /// Start no message.
  input  logic                       barrier_i,
  /// No message is on its way.
  output logic                       quiet_o,
  /// No message is on its way and none could be sent now.
  output logic                       drained_o,
  /// A message of this queue is on its way.
  output logic [NumQueues-1:0]       queue_busy_o
);

  localparam int unsigned NumSources  = NumQueues + 1;
  localparam int unsigned Config      = NumQueues;
  localparam int unsigned SourceWidth = $clog2(NumSources);
  localparam int unsigned VectorWidth = NumVectors > 1 ? $clog2(NumVectors) : 1;

  logic [NumSources-1:0]       event_now, pending_q, routable, ready, sent, flying;
  logic [NumSources-1:0][15:0] vector;
  logic [NumVectors-1:0]       masked;
  logic [1:0]                  isr_q;
  logic                        to_isr;

  assign irq_ready_o = 1'b1;
  assign vector      = {config_vector_i, queue_vector_i};

  always_comb begin : proc_sources
    for (int unsigned i = 0; i < NumQueues; i++) begin
      event_now[i] = irq_valid_i && irq_queue_i == 16'(i);
    end
    event_now[Config] = config_event_i;
    for (int unsigned i = 0; i < NumSources; i++) begin
      routable[i] = vector[i] < 16'(NumVectors);
      ready[i]    = pending_q[i] && routable[i] && !flying[i]
                    && !masked[vector[i][VectorWidth-1:0]];
    end
  end

  logic may_send;
  assign may_send = msix_enable_i && !msix_mask_i && bus_master_i && !hold_i;

  // Round robin over the sources that could send.
  logic [SourceWidth-1:0] last_q, pick;
  logic                   any;
  always_comb begin : proc_pick
    any  = 1'b0;
    pick = '0;
    for (int unsigned i = 0; i < NumSources; i++) begin
      if (ready[i] && !any) {any, pick} = {1'b1, SourceWidth'(i)};
    end
    for (int unsigned i = NumSources; i > 0; i--) begin
      if (ready[i-1] && SourceWidth'(i - 1) > last_q) pick = SourceWidth'(i - 1);
    end
  end

  typedef enum logic [1:0] {StIdle, StLookup, StSend} state_e;
  state_e state_q;
  logic   start, flights_free;
  assign start = state_q == StIdle && any && may_send && !barrier_i && !table_req_i.valid
                 && flights_free;

  always_comb begin : proc_sent
    sent = '0;
    if (start) sent[pick] = 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_send
    if (!rst_ni) begin
      state_q <= StIdle;
      last_q  <= '0;
    end else begin
      unique case (state_q)
        StIdle: if (start) begin
          state_q <= StLookup;
          last_q  <= pick;
        end
        StLookup: state_q <= StSend;
        StSend:   if (msg_ready_i) state_q <= StIdle;
        default:  state_q <= StIdle;
      endcase
    end
  end

  logic [63:0] table_addr, msg_addr_q;
  logic [31:0] table_data, msg_data_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_message
    if (!rst_ni) begin
      {msg_addr_q, msg_data_q} <= '0;
    end else if (state_q == StLookup) begin
      {msg_addr_q, msg_data_q} <= {table_addr, table_data};
    end
  end

  assign msg_valid_o = state_q == StSend;
  assign msg_addr_o  = msg_addr_q;
  assign msg_data_o  = msg_data_q;
  assign quiet_o     = flying == '0;
  assign drained_o   = quiet_o && !(any && may_send) && event_now == '0;
  assign queue_busy_o = flying[NumQueues-1:0];

  vio_irq_flight #(
    .NumSources (NumSources)
  ) u_flight (
    .clk_i, .rst_ni,
    .start_i  (start),
    .source_i (pick),
    .done_i   (msg_done_i),
    .free_o   (flights_free),
    .flying_o (flying)
  );

  // Events wait here only under MSI-X; without it they go to the ISR status at once.
  assign to_isr = !msix_enable_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_pending
    if (!rst_ni) begin
      pending_q <= '0;
    end else if (flr_i || clear_i || to_isr) begin
      pending_q <= '0;
    end else begin
      pending_q <= ((pending_q & ~sent) | event_now) & routable & ~{1'b0, queue_clear_i};
    end
  end

  logic [1:0] isr_set;
  assign isr_set[0] = to_isr && |(event_now[NumQueues-1:0] | pending_q[NumQueues-1:0]);
  assign isr_set[1] = event_now[Config] || (to_isr && pending_q[Config]);
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_isr
    if (!rst_ni) begin
      isr_q       <= '0;
      isr_rdata_o <= '0;
    end else begin
      isr_rdata_o <= {30'h0, isr_q};
      if (flr_i || clear_i) begin
        isr_q <= '0;
      end else if (isr_read_i) begin
        isr_q <= isr_set;
      end else begin
        isr_q <= isr_q | isr_set;
      end
    end
  end

  assign interrupt_status_o = !msix_enable_i && isr_q != '0;
  assign intx_o             = interrupt_status_o && !intx_disable_i;

  // The pending bit of a vector is the union of the waiting events that are mapped to it.
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_pba
    if (!rst_ni) begin
      pba_rdata_o <= '0;
    end else begin
      pba_rdata_o <= '0;
      for (int unsigned i = 0; i < NumSources; i++) begin
        if (pending_q[i] && vector[i][15:5] == pba_index_i) begin
          pba_rdata_o[vector[i][4:0]] <= 1'b1;
        end
      end
    end
  end

  vio_msix_table #(
    .NumVectors (NumVectors)
  ) u_table (
    .clk_i, .rst_ni,
    .clear_i    (flr_i),
    .req_i      (table_req_i),
    .rdata_o    (table_rdata_o),
    .masked_o   (masked),
    .vector_i   (vector[pick][VectorWidth-1:0]),
    .msg_addr_o (table_addr),
    .msg_data_o (table_data)
  );

endmodule
