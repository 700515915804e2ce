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
  /// DISCARD is negotiated.
  input  logic                 discard_i,
  /// WRITE_ZEROES is negotiated.
  input  logic                 zeroes_i,

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

  typedef enum logic [2:0] {StHeader, StJudge, StMove, StZero, StDrop} state_e;
  state_e state_q;

  logic [127:0] header_q, data_q;  // the header, and the last 16 bytes of data that went by
  logic         half_q, err_q;  // first half of a two-beat header is in
  logic         dropped_q;      // data that nobody wants are gone
  logic [31:0]  beats_q;
  logic         header_take, header_end, data_take, judged;

  // The verdict.
  logic [31:0]   req_type, in_len;
  logic [22:0]   sectors;
  logic [63:0]   sector;
  logic [64:0]   end_sector;
  logic          beyond, range, zero;  // the request names a range; it writes zeroes
  segment_data_t segment;
  op_e           op;
  logic [7:0]    status;
  assign req_type   = header_q[31:0];
  assign in_len     = chain_i.in_len;
  assign segment    = data_q;
  assign range      = (req_type == BLK_REQUEST_DISCARD && discard_i)
                      || (req_type == BLK_REQUEST_WRITE_ZEROES && zeroes_i);
  assign sector     = range ? segment.sector : header_q[127:64];
  always_comb begin
    sectors = (req_type == BLK_REQUEST_IN) ? in_len[31:9] : chain_i.out_len[31:9];
    if (range) sectors = segment.count[22:0];
  end
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
        default:
          if (!range || !chain_i.segment || segment.flags[31:1] != '0
              || (segment.flags[0] && req_type == BLK_REQUEST_DISCARD)) begin
            status = 8'(BLK_STATUS_UNSUPP);
          end else if (segment.count > MaxZeroSectors || beyond) begin
            status = 8'(BLK_STATUS_IOERR);
          end else if (segment.count != '0 && req_type == BLK_REQUEST_WRITE_ZEROES) begin
            op = OpOut;
          end
      endcase
    end
  end
  assign zero = range && op == OpOut;

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

  // Data that do not go to the medium come before the verdict: a range is part of it, and when a
  // request completes the driver reuses the buffers.
  logic drop_first, med_ready;
  assign drop_first = !chain_i.bad && !dropped_q
                      && (chain_i.segment || (op != OpOut && chain_i.out_len != '0));
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
  assign med_data_valid_o = state_q == StZero || (state_q == StMove && beat_valid_i);
  assign med_data_o       = (state_q == StZero) ? '0 : beat_i;
  assign med_data_skip_o  = state_q == StMove && beat_err_i;
  always_comb begin
    unique case (state_q)
      StZero:  data_take = med_data_ready_i;
      StMove:  data_take = med_data_ready_i && beat_valid_i;
      StDrop:  data_take = beat_valid_i;
      default: data_take = 1'b0;
    endcase
  end
  assign beat_ready_o = !stop_i && (header_take || (data_take && state_q != StZero));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= StHeader;
      half_q    <= 1'b0;
      dropped_q <= 1'b0;
      err_q     <= 1'b0;
      beats_q   <= '0;
      header_q  <= '0;
      data_q    <= '0;
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
          if (chain_i.segment) beats_q <= TwoBeats ? 32'd2 : 32'd1;
          if (zero && judged)  beats_q <= 32'(sectors) << (9 - LaneBits);
          if (drop_first)  state_q <= StDrop;
          else if (judged) state_q <= zero ? StZero : (op == OpOut) ? StMove : StHeader;
          if (judged) dropped_q <= 1'b0;
        end
        default: if (data_take) begin
          beats_q <= beats_q - 32'd1;
          if (beats_q == 32'd1) state_q <= (state_q == StDrop) ? StJudge : StHeader;
          if (state_q == StDrop) begin
            dropped_q <= 1'b1;
            data_q    <= 128'({beat_i[HeadBits-1:0], data_q} >> HeadBits);
            if (chain_i.segment) err_q <= err_q || beat_err_i;
          end
        end
      endcase
    end
  end

endmodule
