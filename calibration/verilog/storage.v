// What keeps bits: registers, queues, memories of LUTs.

module register #(parameter WIDTH = 8)
  (input clk, enable, input [WIDTH-1:0] a, output reg [WIDTH-1:0] y);
  always @(posedge clk) if (enable) y <= a;
endmodule

// A stream between two processes: shift registers for the data, a count of what is in them, flags.
module fifo #(parameter WIDTH = 8, DEPTH = 2)
  (input clk, reset, input [WIDTH-1:0] data_in, input write, output reg full_n,
   output [WIDTH-1:0] data_out, input read, output reg empty_n);
  localparam BITS = $clog2(DEPTH);
  reg [BITS:0] last;  // index of the oldest element; all ones if there is none
  wire push = write & full_n, pop = read & empty_n;
  genvar n;
  generate for (n = 0; n < WIDTH; n = n + 1) begin : bits
    reg [DEPTH-1:0] shift;
    always @(posedge clk) if (push) shift <= {shift[DEPTH-2:0], data_in[n]};
    assign data_out[n] = shift[last[BITS-1:0]];
  end endgenerate
  always @(posedge clk)
    if (reset) begin
      last <= {BITS+1{1'b1}}; full_n <= 1'b1; empty_n <= 1'b0;
    end else if (push & ~pop) begin
      last <= last + 1'b1; empty_n <= 1'b1; full_n <= last != DEPTH - 2;
    end else if (pop & ~push) begin
      last <= last - 1'b1; full_n <= 1'b1; empty_n <= last != 0;
    end
endmodule

// A memory of LUTs with one port.
module lutram_1p #(parameter WIDTH = 16, DEPTH = 64)
  (input clk, write, input [$clog2(DEPTH)-1:0] address, input [WIDTH-1:0] data,
   output reg [WIDTH-1:0] y);
  (* ram_style = "distributed" *) reg [WIDTH-1:0] memory [0:DEPTH-1];
  always @(posedge clk) begin
    if (write) memory[address] <= data;
    y <= memory[address];
  end
endmodule

// With a port to write and one to read.
module lutram_sdp #(parameter WIDTH = 16, DEPTH = 64)
  (input clk, write, input [$clog2(DEPTH)-1:0] to, from, input [WIDTH-1:0] data,
   output reg [WIDTH-1:0] y);
  (* ram_style = "distributed" *) reg [WIDTH-1:0] memory [0:DEPTH-1];
  always @(posedge clk) begin
    if (write) memory[to] <= data;
    y <= memory[from];
  end
endmodule
