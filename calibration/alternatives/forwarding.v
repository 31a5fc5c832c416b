// Sums of the last three iterations, forwarded: what is carried from one iteration to the next.
// MODE 0: as accumulate.h has it, with zeros of a bank that was cleared in their place when the
// banks change sides. MODE 1: forgotten then, behind a wait of three iterations. MODE 2: nothing is
// forwarded; an entry whose row is that of a recent one waits.
module forwarding #(parameter SUM = 36, ROW = 6, MODE = 0)
  (input clk, input adds, changes, input [ROW-1:0] row, rows, input signed [SUM-1:0] stored,
   input signed [31:0] product, output signed [SUM-1:0] sum, output waits);
  reg signed [SUM-1:0] sum0, sum1, sum2;
  reg [ROW-1:0] row0, row1, row2;
  reg used0, used1, used2;
  wire hit0 = used0 & row0 == row, hit1 = used1 & row1 == row, hit2 = used2 & row2 == row;
  wire signed [SUM-1:0] base = MODE == 2 ? stored : hit0 ? sum0 : hit1 ? sum1 : hit2 ? sum2 : stored;
  assign sum = base + product;
  assign waits = MODE == 2 & (hit0 | hit1 | hit2);
  always @(posedge clk)
    if (changes) begin
      used0 <= MODE == 0 & rows > 0; used1 <= MODE == 0 & rows > 1; used2 <= MODE == 0 & rows > 2;
      if (MODE == 0) begin
        row0 <= rows - 1; row1 <= rows - 2; row2 <= rows - 3;
        sum0 <= 0; sum1 <= 0; sum2 <= 0;
      end
    end else if (adds) begin
      used0 <= 1; used1 <= used0; used2 <= used1;
      row0 <= row; row1 <= row0; row2 <= row1;
      sum0 <= sum; sum1 <= sum0; sum2 <= sum1;
    end
endmodule
module forwarding_zeros #(parameter SUM = 36)
  (input clk, adds, changes, input [5:0] row, rows, input signed [SUM-1:0] stored,
   input signed [31:0] product, output signed [SUM-1:0] sum, output waits);
  forwarding #(.SUM(SUM), .MODE(0)) f (clk, adds, changes, row, rows, stored, product, sum, waits);
endmodule
module forwarding_wait #(parameter SUM = 36)
  (input clk, adds, changes, input [5:0] row, rows, input signed [SUM-1:0] stored,
   input signed [31:0] product, output signed [SUM-1:0] sum, output waits);
  forwarding #(.SUM(SUM), .MODE(1)) f (clk, adds, changes, row, rows, stored, product, sum, waits);
endmodule
module forwarding_none #(parameter SUM = 36)
  (input clk, adds, changes, input [5:0] row, rows, input signed [SUM-1:0] stored,
   input signed [31:0] product, output signed [SUM-1:0] sum, output waits);
  forwarding #(.SUM(SUM), .MODE(2)) f (clk, adds, changes, row, rows, stored, product, sum, waits);
endmodule
