/// The ring's read port: takes turns between its clients, remembers whose answer is next, and cuts
/// answers into items, one a cycle. Clients ask only for what they have room for.
module vio_ring_rdport
  import vio_ring_pkg::*;
#(
  parameter int unsigned DataWidth  = 256,
  parameter int unsigned NumClients = 5
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [NumClients-1:0]     req_valid_i,
  output logic [NumClients-1:0]     req_ready_o,
  input  rd_req_t [NumClients-1:0]  req_i,
  output logic                      rd_cmd_valid_o,
  input  logic                      rd_cmd_ready_i,
  output vio_pkg::dma_cmd_t         rd_cmd_o,
  input  logic                      rd_rsp_valid_i,
  output logic                      rd_rsp_ready_o,
  input  logic [DataWidth-1:0]      rd_rsp_data_i,
  input  logic                      rd_rsp_err_i,
  output logic                      item_valid_o,
  output item_t                     item_o,
  output logic                      idle_o          ///< nothing asked for, nothing to come
);

  localparam int unsigned MaxReads  = 32;
  localparam int unsigned ClientW   = $clog2(NumClients);
  localparam int unsigned Entries   = DataWidth / 16;
  localparam int unsigned Descs     = DataWidth < 128 ? 1 : DataWidth / 128;
  localparam int unsigned EntryW    = $clog2(Entries);

  logic any, owner_ready, take;
  logic [ClientW-1:0] pick;
  vio_ring_rr #(.Num(NumClients)) u_rr (
    .clk_i, .rst_ni, .req_i(req_valid_i), .take_i(take), .valid_o(any), .index_o(pick)
  );
  assign rd_cmd_valid_o = any && owner_ready;
  assign rd_cmd_o = req_i[pick].cmd;
  assign take = rd_cmd_valid_o && rd_cmd_ready_i;
  always_comb begin
    req_ready_o = '0;
    req_ready_o[pick] = owner_ready && rd_cmd_ready_i;
  end

  owner_t owner;
  logic owner_valid, owner_done;
  vio_dma_fifo #(.Width($bits(owner_t)), .Depth(MaxReads)) u_owner (
    .clk_i, .rst_ni,
    .clear_i    (1'b0),
    .wr_valid_i (take),
    .wr_ready_o (owner_ready),
    .wr_data_i  (req_i[pick].own),
    .commit_i   (1'b1),
    .rollback_i (1'b0),
    .rd_valid_o (owner_valid),
    .rd_ready_i (owner_done),
    .rd_data_o  (owner)
  );

  // Items of the beat at hand: `lane_q` counts them, `nth_q` those of the whole read.
  logic [EntryW-1:0] lane_q;
  logic [5:0] nth_q;
  logic [$clog2(MaxReads):0] outstanding_q;
  logic is_desc, beat_end, half, item_valid, item_last;
  logic [127:0] desc, data;
  logic desc_err;

  assign is_desc = owner.kind inside {OwnRun, OwnWalk, OwnStream};
  if (DataWidth < 128) begin : gen_halves
    logic low_valid_q, low_err_q;
    logic [63:0] low_q;
    assign half = is_desc && !low_valid_q;
    assign desc = {rd_rsp_data_i, low_q};
    assign desc_err = rd_rsp_err_i || low_err_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) low_valid_q <= 1'b0;
      else if (rd_rsp_valid_i && owner_valid && is_desc) low_valid_q <= !low_valid_q;
    end
    always_ff @(posedge clk_i) begin
      if (half) begin
        low_q <= rd_rsp_data_i;
        low_err_q <= rd_rsp_err_i;
      end
    end
  end else begin : gen_whole
    logic [Descs-1:0][127:0] descs;
    assign half = 1'b0;
    assign descs = rd_rsp_data_i;
    if (Descs > 1) begin : gen_lanes
      assign desc = descs[lane_q[$clog2(Descs)-1:0]];
    end else begin : gen_lane
      assign desc = descs;
    end
    assign desc_err = rd_rsp_err_i;
  end

  always_comb begin
    unique case (owner.kind)
      OwnEntries:         data = 128'(rd_rsp_data_i[16*lane_q +: 16]);
      OwnIndex, OwnEvent: data = 128'(rd_rsp_data_i[31:0]);
      default:            data = desc;
    endcase
  end
  assign item_valid = rd_rsp_valid_i && owner_valid && !half;
  assign item_last = nth_q == owner.count - 6'd1;
  assign beat_end = item_last || lane_q == (is_desc ? EntryW'(Descs - 1) : EntryW'(Entries - 1));
  assign rd_rsp_ready_o = owner_valid && (half || beat_end);
  assign owner_done = item_valid && item_last;
  assign idle_o = !owner_valid && outstanding_q == '0 && !item_valid_o && !any;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lane_q <= '0;
      nth_q <= '0;
      item_valid_o <= 1'b0;
      outstanding_q <= '0;
    end else begin
      item_valid_o <= item_valid;
      outstanding_q <= outstanding_q + ($clog2(MaxReads) + 1)'(take)
                       - ($clog2(MaxReads) + 1)'(owner_done);
      if (item_valid) begin
        lane_q <= beat_end ? '0 : lane_q + EntryW'(1);
        nth_q <= item_last ? '0 : nth_q + 6'd1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (item_valid) begin
      item_o <= '{own: owner, nth: nth_q, last: item_last, err: is_desc ? desc_err : rd_rsp_err_i,
                  data: data};
    end
  end

endmodule
