// Whether the ways to write back give the same: random sums and shifts, held until all are through.
module write_back_check;
  reg clk = 0;
  reg signed [35:0] sum;
  reg [5:0] shift;
  reg relu;
  wire signed [15:0] half, plus, short, dsp;
  wire half_cut, plus_cut, short_cut, dsp_cut;
  write_back_half a (clk, sum, shift, relu, half, half_cut);
  write_back_bit b (clk, sum, shift, relu, plus, plus_cut);
  write_back_bit_15 c (clk, sum, shift[3:0], relu, short, short_cut);
  write_back_dsp d (clk, sum, shift, relu, dsp, dsp_cut);
  integer n, cycle, wrong = 0;
  initial begin
    for (n = 0; n < 200000; n = n + 1) begin
      sum = $signed({$urandom, $urandom}) >>> $urandom_range(35);
      shift = $urandom_range(35);
      relu = $urandom_range(1);
      // Half a unit must fit beside the sum, as the packer's proof has it.
      if (sum > 36'sd34359738367 - (36'sd1 <<< 34)) sum = sum >>> 2;
      // Around the ends of 16 bits, too.
      if (n % 3 == 0) sum = ((n % 2 ? 36'sd32767 : -36'sd32768) <<< shift) + sum % 64;
      if (n % 3 == 0 && shift > 18) sum = 36'sd5;
      for (cycle = 0; cycle < 8; cycle = cycle + 1) begin
        #1 clk = 1;
        #1 clk = 0;
      end
      if ({plus, plus_cut} !== {half, half_cut}) wrong = wrong + 1;
      if (shift < 16 && {short, short_cut} !== {half, half_cut}) wrong = wrong + 1;
      if ({dsp, dsp_cut} !== {half, half_cut}) wrong = wrong + 1;
      if (wrong == 1) $display("sum %0d shift %0d relu %0d: %0d %0d %0d", sum, shift, relu, half, plus, dsp);
    end
    $display("%0d wrong", wrong);
    $finish;
  end
endmodule
