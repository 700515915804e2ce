/// Tells C the level of the device's INTx line whenever it changes. Simulation only.
module vio_line_watch (
  /// The line, active high.
  input logic line_i
);

  import "DPI-C" function void vio_dpi_line(input bit level);

  always_comb vio_dpi_line(line_i);

endmodule
