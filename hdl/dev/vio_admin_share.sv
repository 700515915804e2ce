/// Stands between the device core and its back end where there is an administration queue: that
/// queue's chains go to `vio_admin`, all others to the back end. Without one it is wires.
///
/// Both use the back end's port to guest memory. Its answers come in order and unnamed, so one of the
/// two uses it at a time; a command of the administration queue waits for what the back end has under
/// way, and the back end's next one for it.
module vio_admin_share
  import vio_pkg::*;
#(
  /// There is an administration queue, of this index.
  parameter bit          AdminQueue = 1'b0,
  parameter int unsigned AdminIndex = 8,
  /// Bits of a beat, a power of two from 64 to 512.
  parameter int unsigned DataWidth  = 256
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// ADMIN_VQ is negotiated.
  input  logic                 enable_i,
  input  logic                 be_stop_i,

  // The core's side.
  input  logic                 seg_valid_i,
  output logic                 seg_ready_o,
  input  segment_t             seg_i,
  output logic                 cpl_valid_o,
  input  logic                 cpl_ready_i,
  output completion_t          cpl_o,
  output logic                 be_idle_o,
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

  // The back end's side: handshakes, and what differs from the core's; the rest goes past.
  output logic                 dev_seg_valid_o,
  input  logic                 dev_seg_ready_i,
  input  logic                 dev_cpl_valid_i,
  output logic                 dev_cpl_ready_o,
  input  completion_t          dev_cpl_i,
  input  logic                 dev_be_idle_i,
  input  logic                 dev_be_error_i,
  input  logic                 dev_rd_cmd_valid_i,
  output logic                 dev_rd_cmd_ready_o,
  input  dma_cmd_t             dev_rd_cmd_i,
  output logic                 dev_rd_rsp_valid_o,
  input  logic                 dev_rd_rsp_ready_i,
  input  logic                 dev_wr_cmd_valid_i,
  output logic                 dev_wr_cmd_ready_o,
  input  dma_cmd_t             dev_wr_cmd_i,
  input  logic                 dev_wr_data_valid_i,
  output logic                 dev_wr_data_ready_o,
  input  logic [DataWidth-1:0] dev_wr_data_i,
  output logic                 dev_wr_rsp_valid_o
);

  if (!AdminQueue) begin : gen_none
    assign dev_seg_valid_o     = seg_valid_i;
    assign seg_ready_o         = dev_seg_ready_i;
    assign cpl_valid_o         = dev_cpl_valid_i;
    assign dev_cpl_ready_o     = cpl_ready_i;
    assign cpl_o               = dev_cpl_i;
    assign be_idle_o           = dev_be_idle_i;
    assign be_error_o          = dev_be_error_i;
    assign rd_cmd_valid_o      = dev_rd_cmd_valid_i;
    assign dev_rd_cmd_ready_o  = rd_cmd_ready_i;
    assign rd_cmd_o            = dev_rd_cmd_i;
    assign dev_rd_rsp_valid_o  = rd_rsp_valid_i;
    assign rd_rsp_ready_o      = dev_rd_rsp_ready_i;
    assign wr_cmd_valid_o      = dev_wr_cmd_valid_i;
    assign dev_wr_cmd_ready_o  = wr_cmd_ready_i;
    assign wr_cmd_o            = dev_wr_cmd_i;
    assign wr_data_valid_o     = dev_wr_data_valid_i;
    assign dev_wr_data_ready_o = wr_data_ready_i;
    assign wr_data_o           = dev_wr_data_i;
    assign dev_wr_rsp_valid_o  = wr_rsp_valid_i;
    logic unused;
    assign unused = ^{clk_i, rst_ni, enable_i, be_stop_i, seg_i, rd_rsp_data_i, rd_rsp_last_i,
                      rd_rsp_err_i, wr_rsp_err_i};
  end else begin : gen_admin
    logic        seg_ready, cpl_valid, cpl_ready, be_idle, be_error;
    logic        rd_cmd_valid, rd_cmd_ready, rd_rsp_ready;
    logic        wr_cmd_valid, wr_cmd_ready, wr_data_valid;
    completion_t cpl;
    dma_cmd_t    rd_cmd, wr_cmd;
    logic [DataWidth-1:0] wr_data;

    // Commands under way: the back end's by number, of the administration queue one at most.
    typedef logic [15:0] count_t;
    count_t rd_open_q, wr_open_q;
    logic   rd_mine_q, wr_mine_q, rd_turn, wr_turn;
    assign rd_turn = rd_cmd_valid && rd_open_q == '0;
    assign wr_turn = wr_cmd_valid && wr_open_q == '0;

    assign rd_cmd_valid_o     = rd_turn || dev_rd_cmd_valid_i && !rd_cmd_valid && !rd_mine_q;
    assign rd_cmd_o           = rd_cmd_valid ? rd_cmd : dev_rd_cmd_i;
    assign rd_cmd_ready       = rd_cmd_ready_i && rd_turn;
    assign dev_rd_cmd_ready_o = rd_cmd_ready_i && !rd_cmd_valid && !rd_mine_q;
    assign dev_rd_rsp_valid_o = rd_rsp_valid_i && !rd_mine_q;
    assign rd_rsp_ready_o     = rd_mine_q ? rd_rsp_ready : dev_rd_rsp_ready_i;

    assign wr_cmd_valid_o      = wr_turn || dev_wr_cmd_valid_i && !wr_cmd_valid && !wr_mine_q;
    assign wr_cmd_o            = wr_cmd_valid ? wr_cmd : dev_wr_cmd_i;
    assign wr_cmd_ready        = wr_cmd_ready_i && wr_turn;
    assign dev_wr_cmd_ready_o  = wr_cmd_ready_i && !wr_cmd_valid && !wr_mine_q;
    assign wr_data_valid_o     = wr_mine_q ? wr_data_valid : dev_wr_data_valid_i;
    assign wr_data_o           = wr_mine_q ? wr_data : dev_wr_data_i;
    assign dev_wr_data_ready_o = wr_data_ready_i && !wr_mine_q;
    assign dev_wr_rsp_valid_o  = wr_rsp_valid_i && !wr_mine_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin : proc_open
      if (!rst_ni) begin
        rd_open_q <= '0;
        wr_open_q <= '0;
        rd_mine_q <= 1'b0;
        wr_mine_q <= 1'b0;
      end else begin
        rd_open_q <= rd_open_q + count_t'(dev_rd_cmd_valid_i && dev_rd_cmd_ready_o)
                     - count_t'(dev_rd_rsp_valid_o && dev_rd_rsp_ready_i && rd_rsp_last_i);
        wr_open_q <= wr_open_q + count_t'(dev_wr_cmd_valid_i && dev_wr_cmd_ready_o)
                     - count_t'(dev_wr_rsp_valid_o);
        if (rd_cmd_ready) rd_mine_q <= 1'b1;
        else if (rd_rsp_valid_i && rd_rsp_ready_o && rd_rsp_last_i) rd_mine_q <= 1'b0;
        if (wr_cmd_ready) wr_mine_q <= 1'b1;
        else if (wr_rsp_valid_i) wr_mine_q <= 1'b0;
      end
    end

    // A completion that is offered stays until it is taken.
    logic mine, cpl_offered_q, cpl_mine_q;
    assign mine            = cpl_offered_q ? cpl_mine_q : cpl_valid;
    assign cpl_valid_o     = mine ? cpl_valid : dev_cpl_valid_i;
    assign cpl_o           = mine ? cpl : dev_cpl_i;
    assign cpl_ready       = cpl_ready_i && mine;
    assign dev_cpl_ready_o = cpl_ready_i && !mine;
    always_ff @(posedge clk_i or negedge rst_ni) begin : proc_completion
      if (!rst_ni) begin
        cpl_offered_q <= 1'b0;
        cpl_mine_q    <= 1'b0;
      end else begin
        cpl_offered_q <= cpl_valid_o && !cpl_ready_i && !be_stop_i;
        cpl_mine_q    <= mine;
      end
    end

    logic ours;
    assign ours            = seg_i.queue == 16'(AdminIndex);
    assign dev_seg_valid_o = seg_valid_i && !ours;
    assign seg_ready_o     = ours ? seg_ready : dev_seg_ready_i;
    assign be_idle_o       = be_idle && dev_be_idle_i;
    assign be_error_o      = be_error || dev_be_error_i;

    vio_admin #(
      .DataWidth (DataWidth)
    ) u_admin (
      .clk_i, .rst_ni, .enable_i, .seg_i, .be_stop_i,
      .rd_rsp_data_i, .rd_rsp_last_i, .rd_rsp_err_i, .wr_rsp_err_i,
      .seg_valid_i     (seg_valid_i && ours),
      .seg_ready_o     (seg_ready),
      .cpl_valid_o     (cpl_valid),
      .cpl_ready_i     (cpl_ready),
      .cpl_o           (cpl),
      .be_idle_o       (be_idle),
      .be_error_o      (be_error),
      .rd_cmd_valid_o  (rd_cmd_valid),
      .rd_cmd_ready_i  (rd_cmd_ready),
      .rd_cmd_o        (rd_cmd),
      .rd_rsp_valid_i  (rd_rsp_valid_i && rd_mine_q),
      .rd_rsp_ready_o  (rd_rsp_ready),
      .wr_cmd_valid_o  (wr_cmd_valid),
      .wr_cmd_ready_i  (wr_cmd_ready),
      .wr_cmd_o        (wr_cmd),
      .wr_data_valid_o (wr_data_valid),
      .wr_data_ready_i (wr_data_ready_i && wr_mine_q),
      .wr_data_o       (wr_data),
      .wr_rsp_valid_i  (wr_rsp_valid_i && wr_mine_q)
    );
  end

endmodule
