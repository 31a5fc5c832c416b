// What templates/kernel/detect_nonzero.h says, by hand: a word in hand, the first of its lanes that
// are left, its value and column; tokens are passed on.
module detect_nonzero
  (input clk, reset, input [275:0] word, input word_valid, output word_ready,
   output reg [67:0] token, output reg token_valid, input token_ready);
  reg [3:0] kind_kept;
  reg [255:0] word_kept;
  reg [15:0] left_kept, column_kept, next_kept;
  wire wait_for = left_kept == 0;
  wire move = ~token_valid | token_ready;
  assign word_ready = wait_for & move;
  wire have = ~wait_for | word_valid;
  wire [3:0] kind = wait_for ? word[275:272] : kind_kept;
  wire [15:0] left = wait_for ? word[271:256] : left_kept;
  wire [255:0] data = wait_for ? word[255:0] : word_kept;
  wire [15:0] column = wait_for ? next_kept : column_kept;
  wire is_word = kind == 5;
  reg [3:0] lane;
  integer n;
  always @* begin
    lane = 15;
    for (n = 15; n >= 0; n = n - 1) if (left[n]) lane = n;
  end
  wire [15:0] value = data[lane * 16 +: 16];
  wire [15:0] at = column + lane;
  always @(posedge clk)
    if (reset) begin token_valid <= 0; left_kept <= 0; next_kept <= 0; end
    else if (move) begin
      token_valid <= have & (~is_word | left != 0);
      token <= is_word ? {4'd6, 32'd0, value, at} : {kind, data[63:0]};
      if (have) begin
        kind_kept <= kind; word_kept <= data; column_kept <= column;
        left_kept <= is_word ? left & (left - 1'b1) : 16'd0;
        if (kind == 8) next_kept <= 0;
        else if (wait_for & is_word) next_kept <= next_kept + 16;
      end
    end
endmodule
