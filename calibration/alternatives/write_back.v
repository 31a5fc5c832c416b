// Write-back of a sum to 16 bits, in the ways that it could be done: what each takes is printed by
// `python -m calibration.floor`. All give the same 16 bits and mark.

// Half a unit is added to the sum, which is then shifted.
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

// As fixed_point.h has it, which keeps a bit more of it: a product with a power of two in two DSP slices, with a half that is one of
// three constants, and of it 16 bits from one of three places. Shifts of up to 47.
module write_back_dsp #(parameter SUM = 36)
  (input clk, input signed [SUM-1:0] sum, input [5:0] shift, input relu,
   output reg signed [15:0] result, output reg cut);
  localparam LOW = 24, PRODUCT = SUM + 15;
  reg [LOW-1:0] below;
  reg signed [SUM-LOW-1:0] above, above_late;
  reg signed [17:0] power, power_late;
  reg [47:0] half;
  reg [1:0] steps, steps_late, steps_last;
  reg [47:0] low;
  reg [LOW-1:0] low_late;
  reg signed [47:0] high;
  wire signed [PRODUCT-1:0] product = {high[PRODUCT-LOW-1:0], low_late};
  // A window that begins above the product is never asked for.
  wire signed [63:0] wide = product;
  wire negative = product[PRODUCT-1];
  wire fits_0 = &(wide[62:30] ~^ {33{negative}});
  wire fits_1 = &(wide[62:46] ~^ {17{negative}});
  wire fits = steps_last == 0 ? fits_0 : steps_last == 1 | SUM <= 32 ? fits_1 : 1'b1;
  wire [15:0] code = steps_last == 0 ? wide[30:15] :
                     steps_last == 1 | SUM <= 32 ? wide[46:31] : wide[62:47];
  reg [15:0] code_late;
  reg fits_late, negative_late;
  always @(posedge clk) begin
    below <= sum[LOW-1:0]; above <= sum[SUM-1:LOW];
    power <= 18'sd32768 >> shift[3:0];
    half <= {1'b0, shift[5:4] == 2, 15'b0, shift[5:4] == 1, 15'b0, shift[5:4] == 0, 14'b0};
    steps <= shift[5:4];
    low <= $signed({1'b0, below}) * power + $signed(half);
    above_late <= above; power_late <= power; steps_late <= steps;
    high <= above_late * power_late + $signed({1'b0, low[47:LOW]});
    low_late <= low[LOW-1:0]; steps_last <= steps_late;
    code_late <= code; fits_late <= fits; negative_late <= negative;
    result <= relu & negative_late ? 16'd0 :
              fits_late ? code_late : negative_late ? 16'h8000 : 16'h7fff;
    cut <= ~fits_late & ~(relu & negative_late);
  end
endmodule
