// What HLS puts around the operators: states, pipelines, handshakes, adapters.

// A state machine, one bit a state, that waits in every second state for an input.
module states #(parameter WIDTH = 4)
  (input clk, reset, input [WIDTH-1:0] wait_for, branch, output [WIDTH-1:0] state);
  reg [WIDTH-1:0] now;
  integer n;
  always @(posedge clk)
    if (reset) now <= 1;
    else for (n = 0; n < WIDTH; n = n + 1)
      // From the state before unless it waits, and from this one while it does.
      now[n] <= (now[(n + WIDTH - 1) % WIDTH] & (wait_for[(n + WIDTH - 1) % WIDTH]))
              | (now[(n + WIDTH - 2) % WIDTH] & branch[(n + WIDTH - 2) % WIDTH])
              | (now[n] & ~wait_for[n] & ~branch[n]);
  assign state = now;
endmodule

// A pipeline of WIDTH stages that stalls as a whole: a valid bit a stage, and whether one that is
// valid waits. The first and the last stage have a stream.
module pipeline #(parameter WIDTH = 4)
  (input clk, reset, start, input_n, output_n, leave, output stalled, output [WIDTH-1:0] valid,
   output enable, output done);
  reg [WIDTH-1:0] stage;
  assign stalled = (stage[0] & ~input_n) | (stage[WIDTH-1] & ~output_n);
  assign enable = ~stalled;
  always @(posedge clk)
    if (reset) stage <= 0;
    else if (~stalled) stage <= {stage[WIDTH-2:0], start & ~leave};
  assign valid = stage & {WIDTH{~stalled}};
  assign done = leave & stage[WIDTH-1] & ~stalled;
endmodule

// Start and done of a loop that was made a module of its own.
module loop_handshake #(parameter WIDTH = 1)
  (input clk, reset, start, last, advance, output reg running, output done, ready, idle, first);
  reg done_kept, begun;
  assign done = (running & last & advance) | done_kept;
  assign ready = running & last & advance;
  assign idle = ~start & ~running;
  assign first = start & ~begun;
  always @(posedge clk)
    if (reset) begin running <= 0; done_kept <= 0; begun <= 0; end
    else begin
      running <= start | (running & ~(last & advance));
      done_kept <= done & ~start;
      begun <= start & ~ready;
    end
endmodule

// Start and done of a process in a dataflow region, with the queue of starts of two.
module process_handshake #(parameter WIDTH = 1)
  (input clk, reset, start_in, start_full_n, go_on, finish, output ready, done, idle,
   output reg start_out, output start_write);
  reg done_kept, started, queue_full_n, queue_empty_n;
  reg [1:0] starts;
  wire push = start_in & queue_full_n, pop = ready & queue_empty_n;
  wire real_start = queue_empty_n & (started | start_full_n);
  assign start_write = real_start & ~started;
  assign ready = finish & real_start;
  assign done = finish | done_kept;
  assign idle = ~real_start & ~finish;
  always @(posedge clk)
    if (reset) begin
      done_kept <= 0; started <= 0; start_out <= 0; starts <= 0; queue_full_n <= 1;
      queue_empty_n <= 0;
    end else begin
      done_kept <= go_on ? 1'b0 : done;
      started <= real_start & ~ready & (started | start_full_n);
      start_out <= start_write;
      if (push & ~pop) begin
        starts <= starts + 1'b1; queue_empty_n <= 1; queue_full_n <= starts == 0;
      end else if (pop & ~push) begin
        starts <= starts - 1'b1; queue_full_n <= 1; queue_empty_n <= starts != 1;
      end
    end
endmodule

// A register slice of an AXI4-Stream port: two words, so that neither side waits for the other.
module axis_slice #(parameter WIDTH = 81)
  (input clk, reset, input [WIDTH-1:0] data_in, input valid_in, output ready_out,
   output [WIDTH-1:0] data_out, output valid_out, input ready_in);
  reg [WIDTH-1:0] word0, word1;
  reg [1:0] count;
  reg read, write;
  assign ready_out = count != 2;
  assign valid_out = count != 0;
  wire push = valid_in & ready_out, pop = valid_out & ready_in;
  assign data_out = read ? word1 : word0;
  always @(posedge clk) begin
    if (push & ~write) word0 <= data_in;
    if (push & write) word1 <= data_in;
    if (reset) begin count <= 0; read <= 0; write <= 0; end
    else begin
      count <= count + push - pop;
      if (push) write <= ~write;
      if (pop) read <= ~read;
    end
  end
endmodule

// An AXI4-Lite slave: the registers of a kernel's control, and WIDTH outputs of 32 bits, each with a
// flag that it was written and is cleared when it is read.
module axilite #(parameter WIDTH = 6)
  (input clk, reset, input [7:0] awaddr, input awvalid, output awready, input [31:0] wdata,
   input [3:0] wstrb, input wvalid, output wready, output bvalid, input bready,
   input [7:0] araddr, input arvalid, output arready, output reg [31:0] rdata, output rvalid,
   input rready, output reg start, input done, ready, idle, output interrupt,
   input [32*WIDTH-1:0] values, input [WIDTH-1:0] written);
  reg [1:0] wstate, rstate;
  reg [7:0] waddr;
  reg restart, global, done_kept;
  reg [1:0] enable, pending;
  reg [32*WIDTH-1:0] kept;
  reg [WIDTH-1:0] flags;
  integer n;
  assign awready = wstate == 0;
  assign wready = wstate == 1;
  assign bvalid = wstate == 2;
  assign arready = rstate == 0;
  assign rvalid = rstate == 1;
  wire w = wvalid & wready, r = arvalid & arready;
  assign interrupt = global & (|pending);
  always @(posedge clk)
    if (reset) begin
      wstate <= 0; rstate <= 0; start <= 0; restart <= 0; global <= 0; enable <= 0; pending <= 0;
      done_kept <= 0; flags <= 0; kept <= 0;
    end else begin
      case (wstate)
        0: if (awvalid) begin wstate <= 1; waddr <= awaddr; end
        1: if (wvalid) wstate <= 2;
        default: if (bready) wstate <= 0;
      endcase
      case (rstate)
        0: if (arvalid) rstate <= 1;
        default: if (rready) rstate <= 0;
      endcase
      if (w & waddr == 0 & wstrb[0] & wdata[0]) start <= 1;
      else if (ready) start <= restart;
      if (w & waddr == 0 & wstrb[0]) restart <= wdata[7];
      if (w & waddr == 4 & wstrb[0]) global <= wdata[0];
      if (w & waddr == 8 & wstrb[0]) enable <= wdata[1:0];
      if (done & enable[0]) pending[0] <= 1;
      else if (w & waddr == 12 & wstrb[0]) pending[0] <= pending[0] ^ wdata[0];
      if (ready & enable[1]) pending[1] <= 1;
      else if (w & waddr == 12 & wstrb[0]) pending[1] <= pending[1] ^ wdata[1];
      if (done) done_kept <= 1;
      else if (r & araddr == 0) done_kept <= 0;
      for (n = 0; n < WIDTH; n = n + 1) begin
        if (written[n]) kept[32*n +: 32] <= values[32*n +: 32];
        if (written[n]) flags[n] <= 1;
        else if (r & araddr == 16 * n + 20) flags[n] <= 0;
      end
      if (r) begin
        rdata <= 0;
        if (araddr == 0) rdata <= {restart, 3'b0, ready, idle, done_kept, start};
        if (araddr == 4) rdata <= global;
        if (araddr == 8) rdata <= enable;
        if (araddr == 12) rdata <= pending;
        for (n = 0; n < WIDTH; n = n + 1) begin
          if (araddr == 16 * n + 16) rdata <= kept[32*n +: 32];
          if (araddr == 16 * n + 20) rdata <= flags[n];
        end
      end
    end
endmodule
