/// Reads each request's header, judges the request as a whole, and sends it on its way:
/// sectors to read or write to the medium, everything to the retire stage (virtio 1.4, 5.2.6).
module vio_blk_parse
  import vio_blk_pkg::*;
#(
  parameter int unsigned DataWidth = 256
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Forget everything.
  input  logic                 clear_i,
  /// Begin nothing.
  input  logic                 stop_i,
  /// Sectors of the medium.
  input  logic [63:0]          capacity_i,

  input  logic                 chain_valid_i,
  output logic                 chain_ready_o,
  input  chain_t               chain_i,
  /// Header, then data, in whole beats; nothing for a chain that is bad.
  input  logic                 beat_valid_i,
  output logic                 beat_ready_o,
  input  logic [DataWidth-1:0] beat_i,
  input  logic                 beat_err_i,

  output logic                 request_valid_o,
  input  logic                 request_ready_i,
  output request_t             request_o,

  output logic                 med_rd_valid_o,
  input  logic                 med_rd_ready_i,
  output logic                 med_wr_valid_o,
  input  logic                 med_wr_ready_i,
  output logic [54:0]          med_sector_o,
  output logic [23:0]          med_count_o,
  output logic                 med_data_valid_o,
  input  logic                 med_data_ready_i,
  output logic [DataWidth-1:0] med_data_o,
  output logic                 med_data_skip_o
);

  import vio_spec_pkg::*;

  localparam int unsigned DataBytes = DataWidth / 8;
  localparam int unsigned LaneBits  = $clog2(DataBytes);
  localparam int unsigned HeadBits  = (DataWidth < 128) ? DataWidth : 128;
  localparam bit          TwoBeats  = HeadBits < 128;
  localparam logic [31:0] IdLength  = BLK_ID_LENGTH;

  typedef enum logic [1:0] {StHeader, StJudge, StMove, StDrop} state_e;
  state_e state_q;

  logic [127:0] header_q;
  logic         half_q, err_q;  // first half of a two-beat header is in
  logic         dropped_q;      // data that nobody wants are gone
  logic [31:0]  beats_q;
  logic         header_take, header_end, data_take, judged;

  // The verdict.
  logic [31:0] req_type, in_len;
  logic [22:0] sectors;
  logic [63:0] sector;
  logic [64:0] end_sector;
  logic        beyond;
  op_e         op;
  logic [7:0]  status;
  assign req_type   = header_q[31:0];
  assign sector     = header_q[127:64];
  assign in_len     = chain_i.in_len;
  assign sectors    = (req_type == BLK_REQUEST_IN) ? in_len[31:9] : chain_i.out_len[31:9];
  assign end_sector = {1'b0, sector} + 65'(sectors);
  assign beyond     = end_sector > {1'b0, capacity_i};
  always_comb begin
    op     = OpNone;
    status = 8'(BLK_STATUS_OK);
    if (chain_i.bad || err_q) begin
      status = 8'(BLK_STATUS_IOERR);
    end else begin
      unique case (req_type)
        BLK_REQUEST_IN:
          if (in_len[8:0] != '0 || beyond) status = 8'(BLK_STATUS_IOERR);
          else if (in_len != '0) op = OpIn;
        BLK_REQUEST_OUT:
          if (chain_i.ragged || beyond) status = 8'(BLK_STATUS_IOERR);
          else if (chain_i.out_len != '0) op = OpOut;
        BLK_REQUEST_FLUSH: ;  // earlier writes are on the medium when it retires
        BLK_REQUEST_GET_ID:
          if (in_len != '0) op = OpId;
        default: status = 8'(BLK_STATUS_UNSUPP);
      endcase
    end
  end

  // Bytes written without a gap from the first writable one on.
  logic [31:0] len, written;
  always_comb begin
    len = '0;
    if (op == OpIn) len = in_len;
    if (op == OpId) len = (in_len < IdLength) ? in_len : IdLength;
    written = (len == in_len) ? in_len + 32'd1 : len;
    if (chain_i.silent) written = '0;
  end
  assign request_o = '{
    queue: chain_i.queue, tag: chain_i.tag, op: op, silent: chain_i.silent, status: status,
    len: len, elements: chain_i.bad ? '0 : chain_i.elements,
    status_addr: chain_i.status_addr, written: written
  };

  // Not before all of its data came may a request complete: the driver reuses the buffers then.
  logic drop_first, med_ready;
  assign drop_first = op != OpOut && !chain_i.bad && chain_i.out_len != '0 && !dropped_q;
  assign med_ready = (op == OpIn) ? med_rd_ready_i : (op == OpOut) ? med_wr_ready_i : 1'b1;
  assign judged          = state_q == StJudge && !drop_first && request_ready_i && med_ready
                           && !stop_i;
  assign request_valid_o = judged;
  assign med_rd_valid_o  = judged && op == OpIn;
  assign med_wr_valid_o  = judged && op == OpOut;
  assign med_sector_o    = sector[54:0];
  assign med_count_o     = 24'(sectors);
  assign chain_ready_o   = judged;

  assign header_take = state_q == StHeader && chain_valid_i && !chain_i.bad && beat_valid_i;
  assign header_end  = header_take && (half_q || !TwoBeats);
  assign med_data_valid_o = state_q == StMove && beat_valid_i;
  assign med_data_o       = beat_i;
  assign med_data_skip_o  = beat_err_i;
  assign data_take        = beat_valid_i && (state_q == StDrop
                                             || (state_q == StMove && med_data_ready_i));
  assign beat_ready_o     = !stop_i && (header_take || data_take);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= StHeader;
      half_q    <= 1'b0;
      dropped_q <= 1'b0;
      err_q     <= 1'b0;
      beats_q   <= '0;
      header_q  <= '0;
    end else if (clear_i) begin
      state_q   <= StHeader;
      half_q    <= 1'b0;
      dropped_q <= 1'b0;
    end else if (!stop_i) begin
      unique case (state_q)
        StHeader: begin
          if (header_take) begin
            header_q <= 128'({beat_i[DataWidth-1 -: HeadBits], header_q} >> HeadBits);
            half_q   <= TwoBeats && !half_q;
            err_q    <= beat_err_i;
          end
          if (header_end || (chain_valid_i && chain_i.bad)) state_q <= StJudge;
        end
        StJudge: begin
          beats_q <= chain_i.out_len >> LaneBits;
          if (drop_first)  state_q <= StDrop;
          else if (judged) state_q <= (op == OpOut) ? StMove : StHeader;
          if (judged) dropped_q <= 1'b0;
        end
        default: if (data_take) begin
          beats_q <= beats_q - 32'd1;
          if (beats_q == 32'd1) state_q <= (state_q == StDrop) ? StJudge : StHeader;
          if (state_q == StDrop) dropped_q <= 1'b1;
        end
      endcase
    end
  end

endmodule
