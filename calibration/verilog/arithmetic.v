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

// The same without DSP slices, as BIND_OP impl = fabric asks: rows of partial products, two to an
// adder, and a tree of adders below them, which is what carry chains are good for.
module rows #(parameter WIDTH = 16, ROWS = 16, OUT = 32)
  (input [WIDTH-1:0] a, input [ROWS-1:0] b, output [OUT-1:0] y);
  generate if (ROWS == 1) begin : one
    assign y = a & {WIDTH{b[0]}};
  end else if (ROWS == 2) begin : two
    assign y = (a & {WIDTH{b[0]}}) + {a & {WIDTH{b[1]}}, 1'b0};
  end else begin : more
    localparam HALF = ROWS / 2;
    localparam LOW = WIDTH + HALF < OUT ? WIDTH + HALF : OUT;
    localparam LEFT = OUT - HALF;
    localparam HIGH = WIDTH + HALF < LEFT ? WIDTH + HALF : LEFT;
    wire [LOW-1:0] low;
    wire [HIGH-1:0] high;
    rows #(.WIDTH(WIDTH), .ROWS(HALF), .OUT(LOW)) lower (.a(a), .b(b[HALF-1:0]), .y(low));
    rows #(.WIDTH(WIDTH), .ROWS(HALF), .OUT(HIGH)) upper (.a(a), .b(b[ROWS-1:HALF]), .y(high));
    assign y = {low[LOW-1:HALF] + high, low[HALF-1:0]};
  end endgenerate
endmodule

(* keep_hierarchy *)
module multiply_fabric #(parameter WIDTH = 16)
  (input [WIDTH-1:0] a, b, output [2*WIDTH-1:0] y);
  rows #(.WIDTH(WIDTH), .ROWS(WIDTH), .OUT(2 * WIDTH)) product (.a(a), .b(b), .y(y));
endmodule

// Of which only the low half is wanted.
(* keep_hierarchy *)
module multiply_fabric_low #(parameter WIDTH = 16)
  (input [WIDTH-1:0] a, b, output [WIDTH-1:0] y);
  rows #(.WIDTH(WIDTH), .ROWS(WIDTH), .OUT(WIDTH)) product (.a(a), .b(b), .y(y));
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

// One step of CRC-32 (reflected, 0xEDB88320) over WIDTH bits, lowest first, as crc32.h has it: each
// bit of the next one is the XOR of some bits of this one and of the data.
module crc32 #(parameter WIDTH = 64)
  (input [31:0] crc, input [WIDTH-1:0] data, output [31:0] y);
  // What bit `set` alone leaves in the register.
  function [31:0] left_by(input integer set);
    integer n;
    begin
      left_by = 0;
      for (n = 0; n < WIDTH; n = n + 1)
        left_by = (left_by >> 1) ^ ((left_by[0] ^ (n == set)) ? 32'hedb88320 : 32'h0);
    end
  endfunction
  function [WIDTH-1:0] mask_of(input integer bit_);
    integer set;
    reg [31:0] found;
    for (set = 0; set < WIDTH; set = set + 1) begin
      found = left_by(set);
      mask_of[set] = found[bit_];
    end
  endfunction
  // A register wider than the data is shifted on.
  wire [WIDTH-1:0] bits = data ^ crc;
  wire [31:0] rest = WIDTH < 32 ? crc >> WIDTH : 32'h0;
  genvar n;
  generate for (n = 0; n < 32; n = n + 1) begin : each
    localparam [WIDTH-1:0] MASK = mask_of(n);
    assign y[n] = (^(bits & MASK)) ^ rest[n];
  end endgenerate
endmodule
