// What a leaf of templates/kernel/broadcast.h says, by hand: a token in hand for four children, each
// with a count of the cycles in which it had no room.
module broadcast_4
  (input clk, reset, input [67:0] parent, input parent_valid, output parent_ready,
   output [271:0] child, output [3:0] child_valid, input [3:0] child_ready);
  reg [67:0] kept;
  reg [3:0] pending;
  reg [127:0] full;
  wire wait_for = pending == 0;
  assign parent_ready = wait_for;
  wire [67:0] token = wait_for ? parent : kept;
  wire [3:0] offered = wait_for ? {4{parent_valid}} : pending;
  wire [3:0] kind = token[67:64];
  wire counts = kind == 6 | kind == 4 | kind == 8;
  assign child_valid = offered;
  genvar n;
  generate for (n = 0; n < 4; n = n + 1) begin : children
    wire [31:0] so_far = (kind == 3) ? 32'd0 : full[32*n +: 32];
    assign child[68*n +: 68] = {kind, token[63:32],
                                kind == 9 ? so_far : token[31:0]};
    always @(posedge clk)
      if (reset) full[32*n +: 32] <= 0;
      else full[32*n +: 32] <= so_far + (offered[n] & ~child_ready[n] & counts);
  end endgenerate
  always @(posedge clk) begin
    if (reset) pending <= 0;
    else pending <= offered & ~child_ready;
    kept <= token;
  end
endmodule
