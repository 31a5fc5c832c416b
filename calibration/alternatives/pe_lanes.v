// The data path of whole/pe.v with lanes: an entry is fetched, decoded and its row compared once, and
// added to a sum in each lane; sums are written back one lane after another. Written for its area, to
// see what a lane adds; never simulated.
module pe_lanes #(parameter LANES = 2, ADDRESS = 11, POINTER_ADDRESS = 10, ROW = 6, SUM = 36, CODE = 7)
  (input clk, reset,
   input [17+16*LANES:0] token, input token_valid, output token_ready,  // kind 2, column 16, a value a lane
   input [ADDRESS-3:0] entry_to, input [35:0] entry_in, input entry_write,
   input [POINTER_ADDRESS-1:0] pointer_to, input [ADDRESS+1:0] pointer_in0, pointer_in1,
   input pointer_write0, pointer_write1,
   input [CODE-1:0] code_to, input [15:0] code_in, input code_write,
   input [2:0] layer, input [5:0] shift, input relu, write_back, input [ROW-1:0] row_back,
   input [$clog2(LANES+1)-1:0] lane_back,
   input signed [SUM-1:0] bias, output reg signed [15:0] result, output reg cut, result_valid);
  // Column fetch.
  localparam VALUES = 16 * LANES;
  wire [17+VALUES:0] head;
  wire head_valid, work_ready;
  reg fetched_valid, odd;
  reg [1:0] fetched_kind;
  reg [VALUES-1:0] fetched_value;
  wire take = head_valid & work_ready;
  fifo #(.WIDTH(18 + VALUES), .DEPTH(32)) queue
    (.clk(clk), .reset(reset), .data_in(token), .write(token_valid), .full_n(token_ready),
     .data_out(head), .read(take), .empty_n(head_valid));
  (* ram_style = "block" *) reg [ADDRESS+1:0] even_pointers [0:(1<<POINTER_ADDRESS)-1];
  (* ram_style = "block" *) reg [ADDRESS+1:0] odd_pointers [0:(1<<POINTER_ADDRESS)-1];
  reg [ADDRESS+1:0] even_pointer, odd_pointer;
  always @(posedge clk) begin
    if (pointer_write0) even_pointers[pointer_to] <= pointer_in0;
    if (pointer_write1) odd_pointers[pointer_to] <= pointer_in1;
    even_pointer <= even_pointers[head[VALUES +: POINTER_ADDRESS] + head[VALUES]];
    odd_pointer <= odd_pointers[head[VALUES +: POINTER_ADDRESS]];
    odd <= head[VALUES]; fetched_value <= head[VALUES-1:0]; fetched_kind <= head[VALUES+16 +: 2];
    fetched_valid <= take;
  end
  wire [ADDRESS+1:0] first = odd ? odd_pointer : even_pointer;
  wire [ADDRESS+1:0] last = odd ? even_pointer : odd_pointer;
  wire [7:0] length = last - first;
  localparam WORK = 2 + VALUES + 8 + ADDRESS + 2;
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
  reg [VALUES-1:0] value;
  assign pop = work_valid & (~active | left == 1);
  always @(posedge clk)
    if (reset) active <= 0;
    else if (pop) begin
      active <= 1; is_first <= 1; left <= work[ADDRESS+2 +: 8]; address <= work[ADDRESS+1:0];
      value <= work[ADDRESS+10 +: VALUES];
    end else if (active) begin
      left <= left - 1; address <= address + 1; is_first <= 0;
      if (left == 1) active <= 0;
    end
  reg [35:0] word;
  reg [1:0] lane;
  reg go1, first1, go2, go3, go4, go5;
  reg [VALUES-1:0] value1, value2, value3;
  reg signed [15:0] weight;
  reg [3:0] code;
  reg [ROW-1:0] row, row3, row4, row5;
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
    row4 <= row3; go4 <= go3;
    row5 <= row4; go5 <= go4;
  end
  // Sums: rows are compared once.
  reg [ROW-1:0] old1, old2, old3;
  reg used1, used2, used3;
  wire hit1 = used1 & old1 == row5, hit2 = used2 & old2 == row5, hit3 = used3 & old3 == row5;
  always @(posedge clk) begin
    used1 <= go5; old1 <= row5; used2 <= used1; old2 <= old1; used3 <= used2; old3 <= old2;
  end
  wire signed [SUM-1:0] lanes_read [0:LANES-1];
  genvar n;
  generate for (n = 0; n < LANES; n = n + 1) begin : each
    (* ram_style = "distributed" *) reg signed [SUM-1:0] sums [0:(1<<ROW)-1];
    reg signed [SUM-1:0] read, sum1, sum2, sum3;
    reg signed [31:0] product4, product5;
    wire signed [15:0] of_lane = value3[16*n +: 16];
    wire signed [SUM-1:0] base = hit1 ? sum1 : hit2 ? sum2 : hit3 ? sum3 : read;
    wire signed [SUM-1:0] sum = base + product5;
    wire clears = write_back & lane_back == n;
    assign lanes_read[n] = read;
    always @(posedge clk) begin
      product4 <= weight * of_lane; product5 <= product4;
      read <= sums[write_back ? row_back : row4];
      if (go5 | clears) sums[write_back ? row_back : row5] <= write_back ? 0 : sum;
      sum1 <= sum; sum2 <= sum1; sum3 <= sum2;
    end
  end endgenerate
  // Write-back.
  reg signed [SUM-1:0] biased, rounded;
  reg back2, back3;
  reg [$clog2(LANES+1)-1:0] lane_back2;
  wire signed [SUM-1:0] shifted = rounded >>> shift;
  wire high = shifted > 32767, low = shifted < -32768;
  always @(posedge clk) begin
    biased <= lanes_read[lane_back2] + bias; lane_back2 <= lane_back; back2 <= write_back;
    rounded <= ((relu & biased[SUM-1]) ? 0 : biased) + ((36'd1 << shift) >> 1); back3 <= back2;
    result <= high ? 16'sd32767 : low ? -16'sd32768 : shifted[15:0];
    cut <= high | low; result_valid <= back3;
  end
endmodule

module pe_1
  (input clk, reset,
   input [17+16*1:0] token, input token_valid, output token_ready,  // kind 2, column 16, a value a lane
   input [8:0] entry_to, input [35:0] entry_in, input entry_write,
   input [9:0] pointer_to, input [12:0] pointer_in0, pointer_in1,
   input pointer_write0, pointer_write1,
   input [6:0] code_to, input [15:0] code_in, input code_write,
   input [2:0] layer, input [5:0] shift, input relu, write_back, input [5:0] row_back,
   input [$clog2(1+1)-1:0] lane_back,
   input signed [35:0] bias, output signed [15:0] result, output cut, result_valid);
  pe_lanes #(.LANES(1)) pe (.clk(clk), .reset(reset), .token(token), .token_valid(token_valid), .token_ready(token_ready), .entry_to(entry_to), .entry_in(entry_in), .entry_write(entry_write), .pointer_to(pointer_to), .pointer_in0(pointer_in0), .pointer_in1(pointer_in1), .pointer_write0(pointer_write0), .pointer_write1(pointer_write1), .code_to(code_to), .code_in(code_in), .code_write(code_write), .layer(layer), .shift(shift), .relu(relu), .write_back(write_back), .row_back(row_back), .lane_back(lane_back), .bias(bias), .result(result), .cut(cut), .result_valid(result_valid));
endmodule

module pe_2
  (input clk, reset,
   input [17+16*2:0] token, input token_valid, output token_ready,  // kind 2, column 16, a value a lane
   input [8:0] entry_to, input [35:0] entry_in, input entry_write,
   input [9:0] pointer_to, input [12:0] pointer_in0, pointer_in1,
   input pointer_write0, pointer_write1,
   input [6:0] code_to, input [15:0] code_in, input code_write,
   input [2:0] layer, input [5:0] shift, input relu, write_back, input [5:0] row_back,
   input [$clog2(2+1)-1:0] lane_back,
   input signed [35:0] bias, output signed [15:0] result, output cut, result_valid);
  pe_lanes #(.LANES(2)) pe (.clk(clk), .reset(reset), .token(token), .token_valid(token_valid), .token_ready(token_ready), .entry_to(entry_to), .entry_in(entry_in), .entry_write(entry_write), .pointer_to(pointer_to), .pointer_in0(pointer_in0), .pointer_in1(pointer_in1), .pointer_write0(pointer_write0), .pointer_write1(pointer_write1), .code_to(code_to), .code_in(code_in), .code_write(code_write), .layer(layer), .shift(shift), .relu(relu), .write_back(write_back), .row_back(row_back), .lane_back(lane_back), .bias(bias), .result(result), .cut(cut), .result_valid(result_valid));
endmodule

module pe_4
  (input clk, reset,
   input [17+16*4:0] token, input token_valid, output token_ready,  // kind 2, column 16, a value a lane
   input [8:0] entry_to, input [35:0] entry_in, input entry_write,
   input [9:0] pointer_to, input [12:0] pointer_in0, pointer_in1,
   input pointer_write0, pointer_write1,
   input [6:0] code_to, input [15:0] code_in, input code_write,
   input [2:0] layer, input [5:0] shift, input relu, write_back, input [5:0] row_back,
   input [$clog2(4+1)-1:0] lane_back,
   input signed [35:0] bias, output signed [15:0] result, output cut, result_valid);
  pe_lanes #(.LANES(4)) pe (.clk(clk), .reset(reset), .token(token), .token_valid(token_valid), .token_ready(token_ready), .entry_to(entry_to), .entry_in(entry_in), .entry_write(entry_write), .pointer_to(pointer_to), .pointer_in0(pointer_in0), .pointer_in1(pointer_in1), .pointer_write0(pointer_write0), .pointer_write1(pointer_write1), .code_to(code_to), .code_in(code_in), .code_write(code_write), .layer(layer), .shift(shift), .relu(relu), .write_back(write_back), .row_back(row_back), .lane_back(lane_back), .bias(bias), .result(result), .cut(cut), .result_valid(result_valid));
endmodule
