/// Interrupt pulses with a number as requests that wait for their acknowledgement, up to four.
module acknowledged (
  input  logic        clk,
  input  logic        rst,
  input  logic        pulse,
  input  logic [15:0] number,
  output logic        request,
  output logic [15:0] vector,
  input  logic        acknowledge
);
  logic [3:0][15:0] waiting;
  logic [2:0] count, head;

  assign vector = waiting[head[1:0]];

  always_ff @(posedge clk) begin
    if (pulse) waiting[2'(head + count)] <= number;
    count <= count + 3'(pulse) - 3'(request && acknowledge);
    if (request && acknowledge) begin
      request <= 1'b0;
      head <= 3'(head[1:0] + 2'd1);
    end else begin
      request <= count != '0;
    end
    if (rst) {count, head, request} <= '0;
  end
endmodule
