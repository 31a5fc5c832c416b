// The data path of a PE, written by hand for its area: queue, column fetch with two banks of
// pointers, work queue, multiply-accumulate with three forwarded sums, write-back. A floor to
// compare with, and a whole against which a sum of operators is checked; never simulated.
module pe #(parameter ADDRESS = 11, POINTER_ADDRESS = 10, ROW = 6, SUM = 36, CODE = 7)
  (input clk, reset,
   input [33:0] token, input token_valid, output token_ready,  // kind 2, column 16, value 16
   input [ADDRESS-3:0] entry_to, input [35:0] entry_in, input entry_write,
   input [POINTER_ADDRESS-1:0] pointer_to, input [ADDRESS+1:0] pointer_in0, pointer_in1,
   input pointer_write0, pointer_write1,
   input [CODE-1:0] code_to, input [15:0] code_in, input code_write,
   input [2:0] layer, input [5:0] shift, input relu, write_back, input [ROW-1:0] row_back,
   input signed [SUM-1:0] bias, output reg signed [15:0] result, output reg cut, result_valid);
  // Column fetch.
  wire [33:0] head;
  wire head_valid, work_ready;
  reg fetched_valid, odd;
  reg [1:0] fetched_kind;
  reg [15:0] fetched_value;
  wire take = head_valid & work_ready;
  fifo #(.WIDTH(34), .DEPTH(32)) queue
    (.clk(clk), .reset(reset), .data_in(token), .write(token_valid), .full_n(token_ready),
     .data_out(head), .read(take), .empty_n(head_valid));
  (* ram_style = "block" *) reg [ADDRESS+1:0] even_pointers [0:(1<<POINTER_ADDRESS)-1];
  (* ram_style = "block" *) reg [ADDRESS+1:0] odd_pointers [0:(1<<POINTER_ADDRESS)-1];
  reg [ADDRESS+1:0] even_pointer, odd_pointer;
  always @(posedge clk) begin
    if (pointer_write0) even_pointers[pointer_to] <= pointer_in0;
    if (pointer_write1) odd_pointers[pointer_to] <= pointer_in1;
    even_pointer <= even_pointers[head[16 +: POINTER_ADDRESS] + head[16]];
    odd_pointer <= odd_pointers[head[16 +: POINTER_ADDRESS]];
    odd <= head[16]; fetched_value <= head[15:0]; fetched_kind <= head[33:32];
    fetched_valid <= take;
  end
  wire [ADDRESS+1:0] first = odd ? odd_pointer : even_pointer;
  wire [ADDRESS+1:0] last = odd ? even_pointer : odd_pointer;
  wire [7:0] length = last - first;
  localparam WORK = 2 + 16 + 8 + ADDRESS + 2;
  wire [WORK-1:0] work;
  wire work_valid, pop;
  fifo #(.WIDTH(WORK), .DEPTH(32)) works
    (.clk(clk), .reset(reset), .data_in({fetched_kind, fetched_value, length, first}),
     .write(fetched_valid & (length != 0 | fetched_kind != 0)), .full_n(work_ready),
     .data_out(work), .read(pop), .empty_n(work_valid));
  // Entries.
  (* ram_style = "block" *) reg [35:0] entries [0:(1<<(ADDRESS-2))-1];
  reg active, is_first;
  reg [7:0] left;
  reg [ADDRESS+1:0] address;
  reg [15:0] value;
  assign pop = work_valid & (~active | left == 1);
  always @(posedge clk)
    if (reset) active <= 0;
    else if (pop) begin
      active <= 1; is_first <= 1; left <= work[ADDRESS+2 +: 8]; address <= work[ADDRESS+1:0];
      value <= work[ADDRESS+10 +: 16];
    end else if (active) begin
      left <= left - 1; address <= address + 1; is_first <= 0;
      if (left == 1) active <= 0;
    end
  reg [35:0] word;
  reg [1:0] lane;
  reg go1, first1, go2, go3, go4, go5;
  reg [15:0] value1, value2;
  reg signed [15:0] value3, weight;
  reg [3:0] code;
  reg [ROW-1:0] row, row3, row4, row5;
  reg signed [31:0] product4, product5;
  wire [8:0] entry = word >> (lane * 9);
  (* ram_style = "distributed" *) reg [15:0] codebook [0:(1<<CODE)-1];
  always @(posedge clk) begin
    if (entry_write) entries[entry_to] <= entry_in;
    word <= entries[address[ADDRESS:2]]; lane <= address[1:0]; go1 <= active; first1 <= is_first;
    value1 <= value;
    row <= (first1 ? 0 : row + 1) + entry[4:0]; code <= entry[8:5]; go2 <= go1 & (entry[8:5] != 0);
    value2 <= value1;
    if (code_write) codebook[code_to] <= code_in;
    weight <= codebook[{layer, code}]; value3 <= value2; row3 <= row; go3 <= go2;
    product4 <= weight * value3; row4 <= row3; go4 <= go3;
    product5 <= product4; row5 <= row4; go5 <= go4;
  end
  // Sums.
  (* ram_style = "distributed" *) reg signed [SUM-1:0] sums [0:(1<<ROW)-1];
  reg signed [SUM-1:0] read, sum1, sum2, sum3;
  reg [ROW-1:0] old1, old2, old3;
  reg used1, used2, used3;
  wire signed [SUM-1:0] base = (used1 & old1 == row5) ? sum1 : (used2 & old2 == row5) ? sum2
                             : (used3 & old3 == row5) ? sum3 : read;
  wire signed [SUM-1:0] sum = base + product5;
  always @(posedge clk) begin
    read <= sums[write_back ? row_back : row4];
    if (go5 | write_back) sums[write_back ? row_back : row5] <= write_back ? 0 : sum;
    used1 <= go5; old1 <= row5; sum1 <= sum;
    used2 <= used1; old2 <= old1; sum2 <= sum1;
    used3 <= used2; old3 <= old2; sum3 <= sum2;
  end
  // Write-back.
  reg signed [SUM-1:0] biased, rounded;
  reg back2, back3;
  wire signed [SUM-1:0] shifted = rounded >>> shift;
  wire high = shifted > 32767, low = shifted < -32768;
  always @(posedge clk) begin
    biased <= read + bias; back2 <= write_back;
    rounded <= ((relu & biased[SUM-1]) ? 0 : biased) + ((36'd1 << shift) >> 1); back3 <= back2;
    result <= high ? 16'sd32767 : low ? -16'sd32768 : shifted[15:0];
    cut <= high | low; result_valid <= back3;
  end
endmodule
