/// Block device back end (virtio 1.4, 5.2): turns chains into transfers between guest memory and
/// the medium. Requests overlap and complete in the order in which their chains came in.
///
/// Types IN, OUT, FLUSH and GET_ID, and if negotiated DISCARD (which changes nothing) and
/// WRITE_ZEROES, of one range each; anything else is answered UNSUPP. How a request is cut into
/// elements does not matter. A request that lies beyond the capacity, or whose data are not whole
/// sectors, is answered IOERR and moves no data. A chain without a status byte completes with 0
/// bytes written and has no effect.
module vio_blk
  import vio_pkg::*;
#(
  parameter int unsigned  DataWidth = 256,
  parameter int unsigned  IdWidth   = 4,
  parameter int unsigned  NumQueues = 8,
  /// Readable, and writable, elements of a request: no chain that fits in a queue is refused if
  /// this is at least the largest queue's size. At least 4; rounded up to a power of two.
  parameter int unsigned  SegDepth  = 1024,
  /// Requests in flight, a power of two.
  parameter int unsigned  Chains    = 64,
  /// Read buffer between medium and guest in bytes, a power of two, at least 8192.
  parameter int unsigned  BufBytes  = 16384,
  /// DISCARD and WRITE_ZEROES are offered.
  parameter bit           Zeroes    = 1'b1,
  /// The answer to GET_ID, its first character in bits [7:0], so the text reads backwards.
  parameter logic [159:0] IdString  = "kcolb misoc-oitriv"
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Negotiated features.
  input  logic [63:0]          features_i,

  input  logic                 seg_valid_i,
  output logic                 seg_ready_o,
  input  segment_t             seg_i,
  output logic                 cpl_valid_o,
  input  logic                 cpl_ready_i,
  output completion_t          cpl_o,
  /// Forget all chains; finish what was begun on a bus.
  input  logic                 be_stop_i,
  /// No chain is held and nothing is on a bus.
  output logic                 be_idle_o,
  /// Guest memory could not be accessed (pulse).
  output logic                 be_error_o,

  output logic                 rd_cmd_valid_o,
  input  logic                 rd_cmd_ready_i,
  output dma_cmd_t             rd_cmd_o,
  input  logic                 rd_rsp_valid_i,
  output logic                 rd_rsp_ready_o,
  input  logic [DataWidth-1:0] rd_rsp_data_i,
  input  logic                 rd_rsp_last_i,
  input  logic                 rd_rsp_err_i,
  output logic                 wr_cmd_valid_o,
  input  logic                 wr_cmd_ready_i,
  output dma_cmd_t             wr_cmd_o,
  output logic                 wr_data_valid_o,
  input  logic                 wr_data_ready_i,
  output logic [DataWidth-1:0] wr_data_o,
  input  logic                 wr_rsp_valid_i,
  input  logic                 wr_rsp_err_i,

  /// Capacity of the medium in sectors of 512 bytes.
  input  logic [63:0]          medium_sectors_i,
  /// Device configuration structure, byte 0 in bits [7:0].
  output logic [vio_spec_pkg::BLK_CFG_LENGTH*8-1:0] dev_cfg_o,
  /// The device changed the structure (pulse).
  output logic                 dev_cfg_changed_o,
  /// A driver's write to the structure; nothing in it is writable.
  input  logic                 dev_cfg_we_i,
  input  logic [31:0]          dev_cfg_addr_i,
  input  logic [31:0]          dev_cfg_wdata_i,
  input  logic [3:0]           dev_cfg_strb_i,

  output logic [IdWidth-1:0]     m_axi_arid,
  output logic [63:0]            m_axi_araddr,
  output logic [7:0]             m_axi_arlen,
  output logic [2:0]             m_axi_arsize,
  output logic [1:0]             m_axi_arburst,
  output logic                   m_axi_arvalid,
  input  logic                   m_axi_arready,
  input  logic [IdWidth-1:0]     m_axi_rid,
  input  logic [DataWidth-1:0]   m_axi_rdata,
  input  logic [1:0]             m_axi_rresp,
  input  logic                   m_axi_rlast,
  input  logic                   m_axi_rvalid,
  output logic                   m_axi_rready,
  output logic [IdWidth-1:0]     m_axi_awid,
  output logic [63:0]            m_axi_awaddr,
  output logic [7:0]             m_axi_awlen,
  output logic [2:0]             m_axi_awsize,
  output logic [1:0]             m_axi_awburst,
  output logic                   m_axi_awvalid,
  input  logic                   m_axi_awready,
  output logic [DataWidth-1:0]   m_axi_wdata,
  output logic [DataWidth/8-1:0] m_axi_wstrb,
  output logic                   m_axi_wlast,
  output logic                   m_axi_wvalid,
  input  logic                   m_axi_wready,
  input  logic [IdWidth-1:0]     m_axi_bid,
  input  logic [1:0]             m_axi_bresp,
  input  logic                   m_axi_bvalid,
  output logic                   m_axi_bready
);

  import vio_blk_pkg::*;
  import vio_spec_pkg::BLK_FEATURE_DISCARD;
  import vio_spec_pkg::BLK_FEATURE_WRITE_ZEROES;

  localparam int unsigned Elements = 1 << $clog2(SegDepth);
  typedef logic [$clog2(Chains)+2:0] held_t;

  // Stop: begin nothing, wait for what was begun, forget the rest, stay so until released.
  typedef enum logic [1:0] {StRun, StDrain, StClear, StStopped} stop_e;
  stop_e stop_q;
  held_t held_q;
  logic  stop, clear, quiet, chain_in, aborted, wrapped, cpl_out;
  logic  fetch_idle, retire_idle, medium_idle;
  assign stop     = stop_q != StRun || be_stop_i;
  assign clear    = stop_q == StClear;
  assign quiet    = fetch_idle && retire_idle && medium_idle;
  assign chain_in = seg_valid_i && seg_ready_o && seg_i.first && !stop;
  assign cpl_out  = cpl_valid_o && cpl_ready_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      stop_q <= StRun;
      held_q <= '0;
    end else begin
      unique case (stop_q)
        StRun:     if (be_stop_i) stop_q <= StDrain;
        StDrain:   if (quiet) stop_q <= StClear;
        StClear:   stop_q <= StStopped;
        default:   if (!be_stop_i) stop_q <= StRun;
      endcase
      if (clear) held_q <= '0;
      else held_q <= held_q + held_t'(chain_in) - held_t'(cpl_out) - held_t'(aborted);
    end
  end
  assign be_idle_o  = stop ? stop_q == StStopped : held_q == '0 && quiet;
  assign be_error_o = !stop && (wrapped || (wr_rsp_valid_i && wr_rsp_err_i)
                                || (rd_rsp_valid_i && rd_rsp_ready_o && rd_rsp_last_i
                                    && rd_rsp_err_i));

  logic [63:0] capacity;
  vio_blk_cfg #(.NumQueues(NumQueues), .SegMax(Elements - 2), .Zeroes(Zeroes)) u_cfg (
    .clk_i, .rst_ni, .medium_sectors_i,
    .capacity_o (capacity),
    .dev_cfg_o, .dev_cfg_changed_o
  );

  logic     fetch_valid, fetch_ready, rd_elem_valid, rd_elem_ready;
  logic     chain_valid, chain_ready, wr_elem_valid, wr_elem_ready;
  fetch_t   fetch;
  chain_t   chain;
  element_t rd_elem, wr_elem;
  vio_blk_intake #(.SegDepth(Elements), .Chains(Chains)) u_intake (
    .clk_i, .rst_ni,
    .clear_i         (clear),
    .stop_i          (stop),
    .seg_valid_i, .seg_ready_o, .seg_i,
    .aborted_o       (aborted),
    .wrapped_o       (wrapped),
    .fetch_valid_o   (fetch_valid),
    .fetch_ready_i   (fetch_ready),
    .fetch_o         (fetch),
    .rd_elem_valid_o (rd_elem_valid),
    .rd_elem_ready_i (rd_elem_ready),
    .rd_elem_o       (rd_elem),
    .chain_valid_o   (chain_valid),
    .chain_ready_i   (chain_ready),
    .chain_o         (chain),
    .wr_elem_valid_o (wr_elem_valid),
    .wr_elem_ready_i (wr_elem_ready),
    .wr_elem_o       (wr_elem)
  );

  logic beat_valid, beat_ready, beat_err;
  logic [DataWidth-1:0] beat;
  vio_blk_fetch #(.DataWidth(DataWidth)) u_fetch (
    .clk_i, .rst_ni,
    .clear_i       (clear),
    .stop_i        (stop),
    .idle_o        (fetch_idle),
    .fetch_valid_i (fetch_valid),
    .fetch_ready_o (fetch_ready),
    .fetch_i       (fetch),
    .elem_valid_i  (rd_elem_valid),
    .elem_ready_o  (rd_elem_ready),
    .elem_i        (rd_elem),
    .rd_cmd_valid_o, .rd_cmd_ready_i, .rd_cmd_o,
    .rd_rsp_valid_i, .rd_rsp_ready_o, .rd_rsp_data_i, .rd_rsp_last_i, .rd_rsp_err_i,
    .beat_valid_o  (beat_valid),
    .beat_ready_i  (beat_ready),
    .beat_o        (beat),
    .beat_err_o    (beat_err)
  );

  logic request_valid, request_ready;
  logic med_rd_valid, med_rd_ready, med_wr_valid, med_wr_ready, out_valid, out_ready, out_skip;
  logic [54:0] med_sector;
  logic [23:0] med_count;
  logic [DataWidth-1:0] out_data;
  request_t request;
  vio_blk_parse #(.DataWidth(DataWidth)) u_parse (
    .clk_i, .rst_ni,
    .clear_i          (clear),
    .stop_i           (stop),
    .capacity_i       (capacity),
    .discard_i        (features_i[BLK_FEATURE_DISCARD]),
    .zeroes_i         (features_i[BLK_FEATURE_WRITE_ZEROES]),
    .chain_valid_i    (chain_valid),
    .chain_ready_o    (chain_ready),
    .chain_i          (chain),
    .beat_valid_i     (beat_valid),
    .beat_ready_o     (beat_ready),
    .beat_i           (beat),
    .beat_err_i       (beat_err),
    .request_valid_o  (request_valid),
    .request_ready_i  (request_ready),
    .request_o        (request),
    .med_rd_valid_o   (med_rd_valid),
    .med_rd_ready_i   (med_rd_ready),
    .med_wr_valid_o   (med_wr_valid),
    .med_wr_ready_i   (med_wr_ready),
    .med_sector_o     (med_sector),
    .med_count_o      (med_count),
    .med_data_valid_o (out_valid),
    .med_data_ready_i (out_ready),
    .med_data_o       (out_data),
    .med_data_skip_o  (out_skip)
  );

  logic in_word, in_valid, in_ready, in_err, out_done, out_done_err;
  logic [DataWidth-1:0] in_data;
  vio_dma_medium #(.DataWidth(DataWidth), .IdWidth(IdWidth), .BufBytes(BufBytes)) u_medium (
    .clk_i, .rst_ni,
    .stop_i         (stop),
    .clear_i        (clear),
    .idle_o         (medium_idle),
    .rd_req_valid_i (med_rd_valid),
    .rd_req_ready_o (med_rd_ready),
    .rd_sector_i    (med_sector),
    .rd_count_i     (med_count),
    .rd_word_o      (in_word),
    .rd_valid_o     (in_valid),
    .rd_ready_i     (in_ready),
    .rd_data_o      (in_data),
    .rd_err_o       (in_err),
    .wr_req_valid_i (med_wr_valid),
    .wr_req_ready_o (med_wr_ready),
    .wr_sector_i    (med_sector),
    .wr_count_i     (med_count),
    .wr_valid_i     (out_valid),
    .wr_ready_o     (out_ready),
    .wr_data_i      (out_data),
    .wr_skip_i      (out_skip),
    .wr_done_o      (out_done),
    .wr_done_err_o  (out_done_err),
    .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arvalid,
    .m_axi_arready, .m_axi_rid, .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid,
    .m_axi_rready, .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst,
    .m_axi_awvalid, .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid,
    .m_axi_wready, .m_axi_bid, .m_axi_bresp, .m_axi_bvalid, .m_axi_bready
  );

  vio_blk_retire #(
    .DataWidth(DataWidth), .BufBytes(BufBytes), .Chains(Chains), .IdString(IdString)
  ) u_retire (
    .clk_i, .rst_ni,
    .clear_i         (clear),
    .stop_i          (stop),
    .idle_o          (retire_idle),
    .request_valid_i (request_valid),
    .request_ready_o (request_ready),
    .request_i       (request),
    .elem_valid_i    (wr_elem_valid),
    .elem_ready_o    (wr_elem_ready),
    .elem_i          (wr_elem),
    .med_word_i      (in_word),
    .med_valid_i     (in_valid),
    .med_ready_o     (in_ready),
    .med_data_i      (in_data),
    .med_err_i       (in_err),
    .med_done_i      (out_done),
    .med_done_err_i  (out_done_err),
    .wr_cmd_valid_o, .wr_cmd_ready_i, .wr_cmd_o,
    .wr_data_valid_o, .wr_data_ready_i, .wr_data_o, .wr_rsp_valid_i,
    .wr_rsp_err_i, .cpl_valid_o, .cpl_ready_i, .cpl_o
  );

  logic unused;
  assign unused = ^{features_i, dev_cfg_we_i, dev_cfg_addr_i, dev_cfg_wdata_i, dev_cfg_strb_i};

endmodule
