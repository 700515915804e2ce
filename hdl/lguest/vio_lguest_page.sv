/// The descriptor page of lguest's bus with one device in it, in either of its two layouts: what the
/// guest reads, and its stores of status, accepted features and marks of fields that it used. All
/// else of the page is the host's and stays as it is; behind the descriptor type 0 ends the list.
module vio_lguest_page
  import vio_pkg::*;
  import vio_spec_pkg::*;
#(
  parameter int unsigned NumQueues = 1,      ///< virtqueues, 1 to 8
  parameter int unsigned QueueSize = 64,     ///< descriptors of each, a power of two
  parameter logic [31:0] FirstPage = 32'h1,  ///< page frame of queue 0's ring
  parameter logic [31:0] RingPages = 32'h2,  ///< pages of a ring
  parameter logic [31:0] LaterFeatures = '0, ///< offered in the later layout
  parameter logic [31:0] FirstFeatures = '0  ///< offered in the first layout
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        clear_i,    ///< the device was reset (pulse)

  input  reg_req_t                    req_i,      ///< accesses, `addr` relative to the page
  output logic [31:0]                 rdata_o,
  input  logic                        first_i,    ///< the page has the first layout
  input  logic                        lock_i,     ///< the device is in use: features stand still
  input  logic [BLK_CFG_LENGTH*8-1:0] dev_cfg_i,

  input  logic [7:0]                  status_i,
  output logic                        status_write_o,
  output logic [7:0]                  status_wdata_o,
  output logic [31:0]                 features_o  ///< accepted, of those offered
);

  // Places in the later layout.
  localparam int unsigned LaterQueue  = LGUEST_LATER_HEADER;
  localparam int unsigned LaterOffer  = LaterQueue + NumQueues * LGUEST_QUEUE_LENGTH;
  localparam int unsigned LaterConfig = LaterOffer + 8;
  // Places in the first layout: fields behind each other, a type and a length in front of each.
  localparam int unsigned FieldQueue  = LGUEST_FIELD_HEADER + LGUEST_QUEUE_LENGTH;
  localparam int unsigned FirstQueue  = LGUEST_FIRST_HEADER;
  localparam int unsigned FirstOffer  = FirstQueue + NumQueues * FieldQueue;
  localparam int unsigned FirstCap    = FirstOffer + LGUEST_FIELD_HEADER + 8;
  localparam int unsigned FirstSeg    = FirstCap + LGUEST_FIELD_HEADER + 8;
  localparam int unsigned FirstEnd    = FirstSeg + LGUEST_FIELD_HEADER + 4;
  localparam int unsigned NumFields   = NumQueues + 3;
  localparam int unsigned PageBytes   = 256;

  typedef logic [PageBytes-1:0][7:0] page_t;

  logic [3:0][7:0]      accepted_q;
  logic [NumFields-1:0] used_q;

  function automatic logic [63:0] record(int unsigned q);
    return {FirstPage + 32'(q) * RingPages, 16'(q + 1), 16'(QueueSize)};
  endfunction

  /// Where field `f` of the first layout begins: the queues, then features, capacity and seg_max.
  function automatic int unsigned field_place(int unsigned f);
    if (f < NumQueues) return FirstQueue + f * FieldQueue;
    if (f == NumQueues) return FirstOffer;
    return f == NumQueues + 1 ? FirstCap : FirstSeg;
  endfunction

  page_t later, first, page;
  always_comb begin : proc_later
    later = '0;
    later[0 +: LGUEST_LATER_HEADER] = {status_i, 8'(BLK_CFG_LENGTH), 8'd4, 8'(NumQueues),
                                       8'(DEVICE_TYPE_BLK)};
    for (int unsigned q = 0; q < NumQueues; q++) begin
      later[LaterQueue + q * LGUEST_QUEUE_LENGTH +: LGUEST_QUEUE_LENGTH] = record(q);
    end
    later[LaterOffer +: 8]               = {accepted_q, LaterFeatures};
    later[LaterConfig +: BLK_CFG_LENGTH] = dev_cfg_i;
  end

  always_comb begin : proc_first
    first = '0;
    first[0 +: LGUEST_FIRST_HEADER] = {status_i, 8'(FirstEnd - LGUEST_FIRST_HEADER),
                                       8'(DEVICE_TYPE_BLK)};
    for (int unsigned q = 0; q < NumQueues; q++) begin
      first[FirstQueue + q * FieldQueue +: FieldQueue] =
          {record(q), 8'(LGUEST_QUEUE_LENGTH), 8'(LGUEST_FIELD_VIRTQUEUE)};
    end
    first[FirstOffer +: 10] = {accepted_q, FirstFeatures, 8'd8, 8'(LGUEST_FIELD_FEATURES)};
    first[FirstCap +: 10]   = {dev_cfg_i[8*BLK_CFG_CAPACITY +: 64], 8'd8,
                               8'(LGUEST_FIELD_BLK_CAPACITY)};
    first[FirstSeg +: 6]    = {dev_cfg_i[8*BLK_CFG_SEG_MAX +: 32], 8'd4,
                               8'(LGUEST_FIELD_BLK_SEG_MAX)};
    for (int unsigned f = 0; f < NumFields; f++) first[field_place(f)][7] = used_q[f];
  end

  logic [7:0] base;
  assign page = first_i ? first : later;
  assign base = {req_i.addr[7:2], 2'b00};
  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_read
    if (!rst_ni) rdata_o <= '0;
    else         rdata_o <= req_i.addr[11:8] == '0 ? page[base +: 4] : '0;
  end

  // Stores, byte by byte: nothing in the page is aligned.
  logic [8:0] status_place, accepted_place;
  assign status_place   = first_i ? 9'(LGUEST_FIRST_STATUS) : 9'(LGUEST_LATER_STATUS);
  assign accepted_place = first_i ? 9'(FirstOffer + LGUEST_FIELD_HEADER + 4)
                                  : 9'(LaterOffer + 4);

  logic [3:0]      store;
  logic [3:0][8:0] place;
  always_comb begin : proc_store
    status_write_o = 1'b0;
    status_wdata_o = '0;
    for (int unsigned lane = 0; lane < 4; lane++) begin
      store[lane] = req_i.valid && req_i.write && req_i.addr[11:8] == '0 && req_i.strb[lane];
      place[lane] = {1'b0, base} + 9'(lane);
      if (store[lane] && place[lane] == status_place) begin
        status_write_o = 1'b1;
        status_wdata_o = req_i.wdata[8*lane +: 8];
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : proc_stored
    if (!rst_ni) begin
      {accepted_q, used_q} <= '0;
    end else if (clear_i) begin
      {accepted_q, used_q} <= '0;
    end else begin
      for (int unsigned lane = 0; lane < 4; lane++) begin
        for (int unsigned i = 0; i < 4; i++) begin
          if (store[lane] && place[lane] == accepted_place + 9'(i) && !lock_i) begin
            accepted_q[i] <= req_i.wdata[8*lane +: 8];
          end
        end
        for (int unsigned f = 0; f < NumFields; f++) begin
          if (store[lane] && first_i && place[lane] == 9'(field_place(f))) begin
            used_q[f] <= req_i.wdata[8*lane + 7];
          end
        end
      end
    end
  end

  assign features_o = accepted_q & (first_i ? FirstFeatures : LaterFeatures);

  logic unused_addr;
  assign unused_addr = ^{req_i.addr[31:12], req_i.addr[1:0]};

endmodule
