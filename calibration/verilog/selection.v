// Multiplexers, gates, shifts.

// One of WAYS words.
module select #(parameter WIDTH = 8, WAYS = 2)
  (input [WAYS*WIDTH-1:0] a, input [$clog2(WAYS)-1:0] which, output [WIDTH-1:0] y);
  genvar bit_, way;
  generate for (bit_ = 0; bit_ < WIDTH; bit_ = bit_ + 1) begin : bits
    wire [WAYS-1:0] ways;
    for (way = 0; way < WAYS; way = way + 1) begin : each
      assign ways[way] = a[way * WIDTH + bit_];
    end
    assign y[bit_] = ways[which];
  end endgenerate
endmodule

// A word or zero.
module mask #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, input keep, output [WIDTH-1:0] y);
  assign y = keep ? a : {WIDTH{1'b0}};
endmodule

// Two words, bit by bit: OR stands for every function of two bits.
module logic2 #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, b, output [WIDTH-1:0] y);
  assign y = a | b;
endmodule

// Whether any bit is set.
module any #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, output y);
  assign y = |a;
endmodule

// Which of WIDTH bits is the first that is set.
module first_set #(parameter WIDTH = 16)
  (input [WIDTH-1:0] a, output reg [$clog2(WIDTH)-1:0] y);
  integer bit_;
  always @* begin
    y = WIDTH - 1;
    for (bit_ = WIDTH - 1; bit_ >= 0; bit_ = bit_ - 1) if (a[bit_]) y = bit_;
  end
endmodule

module shift_left #(parameter WIDTH = 32)
  (input [WIDTH-1:0] a, input [$clog2(WIDTH)-1:0] by, output [WIDTH-1:0] y);
  assign y = a << by;
endmodule

module shift_right #(parameter WIDTH = 32)
  (input [WIDTH-1:0] a, input [$clog2(WIDTH)-1:0] by, output [WIDTH-1:0] y);
  assign y = a >> by;
endmodule

module shift_arithmetic #(parameter WIDTH = 32)
  (input signed [WIDTH-1:0] a, input [$clog2(WIDTH)-1:0] by, output signed [WIDTH-1:0] y);
  assign y = a >>> by;
endmodule

// By a constant: wires.
module shift_constant #(parameter WIDTH = 32)
  (input [WIDTH-1:0] a, output [WIDTH-1:0] y);
  assign y = a >> (WIDTH / 4);
endmodule

// A single bit at a place that is not known: 1 << by.
module decode #(parameter WIDTH = 32)
  (input [$clog2(WIDTH)-1:0] by, output [WIDTH-1:0] y);
  assign y = {{WIDTH-1{1'b0}}, 1'b1} << by;
endmodule

// Of a signed sum of WIDTH bits to 16: cut off what does not fit, and say so.
module saturate #(parameter WIDTH = 36)
  (input signed [WIDTH-1:0] a, output signed [15:0] y, output cut);
  wire high = ~a[WIDTH-1] & (|a[WIDTH-2:15]);
  wire low = a[WIDTH-1] & ~(&a[WIDTH-2:15]);
  assign y = high ? 16'sh7fff : low ? -16'sh8000 : a[15:0];
  assign cut = high | low;
endmodule
