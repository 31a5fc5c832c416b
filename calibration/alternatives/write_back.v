// Write-back of a sum to 16 bits, in the ways that it could be done: what each takes is printed by
// `python -m calibration.floor`. All but the last give the same 16 bits and mark.

// As fixed_point.h has it: half a unit is added to the sum, which is then shifted.
module write_back_half #(parameter SUM = 36)
  (input clk, input signed [SUM-1:0] sum, input [5:0] shift, input relu,
   output reg signed [15:0] result, output reg cut);
  reg signed [SUM-1:0] rectified, half, rounded;
  wire signed [15:0] value;
  wire cuts;
  saturate #(.WIDTH(SUM)) saturation (.a(rounded), .y(value), .cut(cuts));
  always @(posedge clk) begin
    rectified <= relu & sum[SUM-1] ? 0 : sum;
    half <= shift == 0 ? 0 : {{SUM-1{1'b0}}, 1'b1} << (shift - 6'd1);
    rounded <= (rectified + half) >>> shift;
    result <= value; cut <= cuts;
  end
endmodule

// The bit below the cut is what half a unit carries: it is added to the 16 bits.
module write_back_bit #(parameter SUM = 36, SHIFT = 6)
  (input clk, input signed [SUM-1:0] sum, input [SHIFT-1:0] shift, input relu,
   output reg signed [15:0] result, output reg cut);
  reg signed [SUM:0] shifted;  // with the bit below
  wire signed [SUM-1:0] whole = shifted[SUM:1];
  wire high = ~whole[SUM-1] & (|whole[SUM-2:15] | (&whole[14:0] & shifted[0]));
  wire low = whole[SUM-1] & ~(&whole[SUM-2:15]);
  // Of -32769 and a half the sum with it is -32768, which fits.
  wire fits = low & shifted[0] & &whole[14:0] & &whole[SUM-2:16] & ~whole[15];
  reg clip_high, clip_low;
  reg signed [15:0] value;
  always @(posedge clk) begin
    shifted <= $signed({relu & sum[SUM-1] ? {SUM{1'b0}} : sum, 1'b0}) >>> shift;
    value <= whole[15:0] + shifted[0]; clip_high <= high; clip_low <= low & ~fits;
    result <= clip_high ? 16'sh7fff : clip_low ? -16'sh8000 : value;
    cut <= clip_high | clip_low;
  end
endmodule

// The same with shifts up to 15.
module write_back_bit_15 #(parameter SUM = 36)
  (input clk, input signed [SUM-1:0] sum, input [3:0] shift, input relu,
   output signed [15:0] result, output cut);
  write_back_bit #(.SUM(SUM), .SHIFT(4)) short (.clk(clk), .sum(sum), .shift(shift), .relu(relu),
                                                .result(result), .cut(cut));
endmodule

// A product with a power of two in DSP slices, of which the upper bits are the shifted sum: shifts
// of 0 to 16 (17 - shift in 18 bits, one of them the sign's). Half a unit is a constant there.
module write_back_dsp #(parameter SUM = 36)
  (input clk, input signed [SUM-1:0] sum, input [4:0] shift, input relu,
   output reg signed [15:0] result, output reg cut);
  reg signed [SUM-1:0] rectified;
  reg signed [17:0] power;
  // Low 17 bits without a sign and the rest with one: what a DSP slice multiplies, and its cascade.
  reg signed [34:0] low;
  reg signed [SUM+1:0] product;
  reg signed [SUM+18:0] high;
  wire signed [SUM+18:0] shifted = high >>> 17;
  wire signed [15:0] value;
  wire cuts;
  saturate #(.WIDTH(SUM)) saturation (.a(shifted[SUM-1:0]), .y(value), .cut(cuts));
  always @(posedge clk) begin
    rectified <= relu & sum[SUM-1] ? 0 : sum;
    power <= 18'sd65536 >> shift;
    low <= $signed({1'b0, rectified[16:0]}) * power;
    product <= $signed(rectified[SUM-1:17]) * power;
    high <= ((product <<< 17) + low + 18'sd32768) <<< 1;
    result <= value; cut <= cuts;
  end
endmodule
