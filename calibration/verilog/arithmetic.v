// Sums, comparisons and products, as a process has them between two registers.

module add #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, b, output [WIDTH-1:0] y);
  assign y = a + b;
endmodule

// A counter's step: one operand is a constant.
module increment #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, output [WIDTH-1:0] y);
  assign y = a + 1'b1;
endmodule

module equal #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, b, output y);
  assign y = a == b;
endmodule

// Against a constant; every second bit of it is set, so that nothing falls away.
module equal_constant #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, output y);
  localparam [511:0] PATTERN = {256{2'b10}};
  assign y = a == PATTERN[WIDTH-1:0];
endmodule

module less #(parameter WIDTH = 8)
  (input [WIDTH-1:0] a, b, output y);
  assign y = a < b;
endmodule

module multiply #(parameter WIDTH = 16)
  (input signed [WIDTH-1:0] a, b, output signed [2*WIDTH-1:0] y);
  assign y = a * b;
endmodule

// The same without DSP slices, as BIND_OP impl = fabric asks.
module multiply_fabric #(parameter WIDTH = 16)
  (input [WIDTH-1:0] a, b, output [2*WIDTH-1:0] y);
  assign y = a * b;
endmodule

// How many of WIDTH bits are set.
module count_ones #(parameter WIDTH = 16)
  (input [WIDTH-1:0] a, output reg [$clog2(WIDTH+1)-1:0] y);
  integer bit_;
  always @* begin
    y = 0;
    for (bit_ = 0; bit_ < WIDTH; bit_ = bit_ + 1) y = y + a[bit_];
  end
endmodule

// One step of CRC-32 (reflected, 0xEDB88320) over WIDTH bits, lowest first.
module crc32 #(parameter WIDTH = 64)
  (input [31:0] crc, input [WIDTH-1:0] data, output reg [31:0] y);
  integer bit_;
  always @* begin
    y = crc;
    for (bit_ = 0; bit_ < WIDTH; bit_ = bit_ + 1)
      y = (y >> 1) ^ ((y[0] ^ data[bit_]) ? 32'hedb88320 : 32'h0);
  end
endmodule

// Of which only the low half is wanted.
module multiply_fabric_low #(parameter WIDTH = 16)
  (input [WIDTH-1:0] a, b, output [WIDTH-1:0] y);
  assign y = a * b;
endmodule
