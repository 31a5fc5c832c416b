// A stand-in for what Vitis HLS makes of kernel/eie.cpp, for one PE with plain pointers and entries
// of 8 bits: the same ports, packets and answers. It keeps a packet whole, obeys it an entry or a
// row a clock, and answers. Slow, and written for simulators only.
//
// `+fault=N` breaks it in one way; N is a number of FAULTS in standin.py.
`timescale 1 ns / 1 ps

module eie (
    ap_clk, ap_rst_n, interrupt,
    packets_in_TDATA, packets_in_TKEEP, packets_in_TSTRB, packets_in_TLAST, packets_in_TVALID,
    packets_in_TREADY, packets_out_TDATA, packets_out_TKEEP, packets_out_TSTRB, packets_out_TLAST,
    packets_out_TVALID, packets_out_TREADY, s_axi_control_AWVALID, s_axi_control_AWREADY,
    s_axi_control_AWADDR, s_axi_control_WVALID, s_axi_control_WREADY, s_axi_control_WDATA,
    s_axi_control_WSTRB, s_axi_control_ARVALID, s_axi_control_ARREADY, s_axi_control_ARADDR,
    s_axi_control_RVALID, s_axi_control_RREADY, s_axi_control_RDATA, s_axi_control_RRESP,
    s_axi_control_BVALID, s_axi_control_BREADY, s_axi_control_BRESP
);

parameter C_S_AXI_CONTROL_DATA_WIDTH = 32;
parameter C_S_AXI_CONTROL_ADDR_WIDTH = 7;
parameter C_S_AXI_CONTROL_WSTRB_WIDTH = (32 / 8);

input ap_clk, ap_rst_n, packets_in_TVALID, packets_out_TREADY;
output interrupt, packets_in_TREADY, packets_out_TVALID;
input [63:0] packets_in_TDATA;
input [7:0] packets_in_TKEEP, packets_in_TSTRB;
input [0:0] packets_in_TLAST;
output [63:0] packets_out_TDATA;
output [7:0] packets_out_TKEEP, packets_out_TSTRB;
output [0:0] packets_out_TLAST;
input s_axi_control_AWVALID, s_axi_control_WVALID, s_axi_control_ARVALID;
output s_axi_control_AWREADY, s_axi_control_WREADY, s_axi_control_ARREADY;
input s_axi_control_RREADY, s_axi_control_BREADY;
output s_axi_control_RVALID, s_axi_control_BVALID;
input [C_S_AXI_CONTROL_ADDR_WIDTH - 1:0] s_axi_control_AWADDR, s_axi_control_ARADDR;
input [C_S_AXI_CONTROL_DATA_WIDTH - 1:0] s_axi_control_WDATA;
input [C_S_AXI_CONTROL_WSTRB_WIDTH - 1:0] s_axi_control_WSTRB;
output [C_S_AXI_CONTROL_DATA_WIDTH - 1:0] s_axi_control_RDATA;
output [1:0] s_axi_control_RRESP, s_axi_control_BRESP;

localparam WRONG_WORD = 1, NO_LAST = 2, HANG_ANSWER = 3, HANG_REQUEST = 4, FEW_CYCLES = 5,
    EARLY = 6, EXTRA_BEAT = 7, WRONG_KEEP = 8, WRONG_REGISTER = 9, LOST_BEAT = 10,
    POWER_UP = 11, NO_RESTART = 12, NO_CRC = 13, UNASKED = 14, DEAF = 15;
integer fault;

// What packets say (eie/hls/spec/packets.py).
localparam MAGIC = 32'h50454945, VERSION = 8'd3;
localparam DESIGN_BEATS = 11;
localparam IDENTIFY = 8'd1, LOAD = 8'd2, RUN = 8'd3, COUNTERS = 8'd4;
localparam OK = 0, BAD_MAGIC = 1, BAD_VERSION = 2, BAD_HEADER_CRC = 3, BAD_KIND = 4,
    BAD_LENGTH = 5, BAD_CRC = 6, NO_NETWORK = 7, WRONG_NETWORK = 8, BAD_BATCH = 9,
    BAD_SECTION = 10, BAD_CONTENTS = 11, BAD_LAYERS = 12;

localparam IDLE = 0, RECEIVE = 1, OBEY = 2, ENTRIES = 3, ROWS = 4, FINISH = 5, SEND = 6, DONE = 7,
    HUNG = 8;
reg [3:0] state;

wire ap_start;
reg [31:0] design_id, format_version, out_network_id, packets, errors, cycles;

eie_control_s_axi control_s_axi_U (
    .ACLK(ap_clk), .ARESET(~ap_rst_n), .interrupt(interrupt),
    .AWVALID(s_axi_control_AWVALID), .AWREADY(s_axi_control_AWREADY), .AWADDR(s_axi_control_AWADDR),
    .WVALID(s_axi_control_WVALID), .WREADY(s_axi_control_WREADY), .WDATA(s_axi_control_WDATA),
    .WSTRB(s_axi_control_WSTRB), .BVALID(s_axi_control_BVALID), .BREADY(s_axi_control_BREADY),
    .BRESP(s_axi_control_BRESP), .ARVALID(s_axi_control_ARVALID & (fault != DEAF)),
    .ARREADY(s_axi_control_ARREADY), .ARADDR(s_axi_control_ARADDR), .RVALID(s_axi_control_RVALID),
    .RREADY(s_axi_control_RREADY), .RDATA(s_axi_control_RDATA), .RRESP(s_axi_control_RRESP),
    .ap_start(ap_start), .ap_ready(state == DONE), .ap_idle(state == IDLE),
    .design_id(design_id), .format_version(format_version), .network_id(out_network_id),
    .packets(packets), .errors(errors), .cycles(cycles)
);

// The packet, and the answer to it.
reg [63:0] beats [0:1023];
reg [63:0] answer [0:1023];
reg [63:0] design_record [0:DESIGN_BEATS - 1];
integer received, length, place, answer_beats, last_vector;

// What is resident.
reg valid;
reg [31:0] network_id, layers, input_beats, output_beats;
reg [31:0] pointers [0:63], columns [0:1], rows [0:1], local_rows [0:1];
reg [31:0] pointer_base [0:1], bias_base [0:1];
reg [15:0] shift [0:1];
reg half_even [0:1];
reg signed [15:0] low [0:1], high [0:1];
reg signed [15:0] codebooks [0:31];
reg signed [63:0] biases [0:63];
reg [7:0] entries [0:255];

// The run under way.
reg signed [15:0] source [0:63], results [0:63];
reg signed [63:0] sums [0:63];
reg [63:0] saturated [0:1];
reg [31:0] batch, vector, layer, column, entry, row;
reg [63:0] run_cycles, counted;
reg [31:0] busy, starved, status;
reg counting, out_valid, out_last;
integer step, steps, index;
reg [63:0] crc_in;
reg [31:0] crc;
reg [3:0] code;
reg signed [63:0] sum;

wire [7:0] kind = beats[0][47:40];

function [31:0] crc_beat(input [31:0] start, input [63:0] data, input integer bits);
    integer bit_;
    begin
        crc_beat = start;
        for (bit_ = 0; bit_ < bits; bit_ = bit_ + 1)
            crc_beat = (crc_beat >> 1) ^ ((crc_beat[0] ^ data[bit_]) ? 32'hedb88320 : 32'd0);
    end
endfunction

// A section of the load at beats[place], which must be of `wanted` and have `expected` beats.
task expect_section(input [7:0] wanted, input [15:0] pe, input integer expected);
    begin
        if (beats[place] != {expected[31:0], pe, 8'd0, wanted}) status = BAD_SECTION;
        place = place + 1;
    end
endtask

task read_load;
    integer count, reach;
    begin
        network_id = beats[2][31:0];
        layers = beats[2][63:32];
        place = 4;
        count = 0;
        if (layers == 0 || layers > 2) begin
            status = BAD_SECTION;
            layers = 0;
        end
        // Nothing is held here, so no layer takes or holds any, accumulates or has a function.
        if (status == OK && beats[3] != 0) status = BAD_CONTENTS;
        expect_section(1, 16'hffff, 5 * layers);
        for (index = 0; index < layers; index = index + 1) begin
            {rows[index], columns[index]} = beats[place];
            {bias_base[index], pointer_base[index]} = beats[place + 1];
            local_rows[index] = beats[place + 2][31:0];
            shift[index] = beats[place + 2][39:32];
            half_even[index] = beats[place + 2][40];
            if (status == OK && beats[place + 2][63:48] != 0) status = BAD_CONTENTS;
            {high[index], low[index]} = beats[place + 3][31:0];
            if (status == OK && beats[place + 4][15:0] != 0) status = BAD_CONTENTS;
            place = place + 5;
            count = count + local_rows[index];
            reach = pointer_base[index] + (columns[index] + 2) / 2;
        end
        expect_section(2, 16'hffff, 4 * layers);
        for (index = 0; index < 16 * layers; index = index + 1)
            codebooks[index] = beats[place + index / 4][16 * (index % 4) +: 16];
        place = place + 4 * layers;
        expect_section(3, 0, reach);
        for (index = 0; index < 2 * reach && index < 64; index = index + 1)
            pointers[index] = beats[place + index / 2][32 * (index % 2) +: 32];
        place = place + reach;
        expect_section(4, 0, count);
        for (index = 0; index < count && index < 64; index = index + 1)
            biases[index] = beats[place + index];
        place = place + count;
        reach = pointers[2 * pointer_base[layers - 1] + columns[layers - 1]];
        expect_section(5, 0, (reach + 7) / 8);
        for (index = 0; index < reach && index < 256; index = index + 1)
            entries[index] = beats[place + index / 8][8 * (index % 8) +: 8];
        input_beats = (columns[0] + 3) / 4;
        output_beats = (rows[layers - 1] + 3) / 4;
    end
endtask

// The trailer: TLAST where the header said, and the CRC over all before it.
task check_trailer;
    begin
        crc = 32'hffffffff;
        for (index = 0; index < received - 1; index = index + 1)
            crc = crc_beat(crc, beats[index], 64);
        if (received != 3 + length) status = BAD_LENGTH;
        else if (beats[received - 1] != {32'd0, ~crc} && fault != NO_CRC) status = BAD_CRC;
    end
endtask

task put(input [63:0] beat);
    begin
        answer[answer_beats] = beat;
        answer_beats = answer_beats + 1;
    end
endtask

task take_vector;
    begin
        for (index = 0; index < 64; index = index + 1) begin
            place = 4 + vector * input_beats + index / 4;
            source[index] = place < received && index / 4 < input_beats ?
                beats[place][16 * (index % 4) +: 16] : 16'd0;
            sums[index] = 64'd0;
        end
    end
endtask

assign packets_in_TREADY = state == RECEIVE && !(fault == HANG_REQUEST && received == 10);
reg [63:0] out_data;
reg [7:0] out_keep;
assign packets_out_TVALID = out_valid;
assign packets_out_TDATA = out_data;
assign packets_out_TKEEP = out_keep;
assign packets_out_TSTRB = 8'hff;
assign packets_out_TLAST = out_last;

initial begin
    if (!$value$plusargs("fault=%d", fault)) fault = 0;
    $readmemh("./eie_send_kDesignRecord_ROM_2P_LUTRAM_1R.dat", design_record);
    state = IDLE;
    valid = 1'b0;
    {starved, run_cycles} = 96'd0;
    busy = fault == POWER_UP ? 32'd5 : 32'd0;
    {out_valid, out_last} = 2'b00;
end

always @ (posedge ap_clk) begin
    if (counting) counted = counted + 1;
    if (!ap_rst_n) begin
        state = IDLE;
        valid = 1'b0;
        out_valid <= 1'b0;
        counting = 1'b0;
        run_cycles = 0;
        if (fault != POWER_UP) busy = 0;
        starved = 0;
        {design_id, format_version, out_network_id, packets, errors, cycles} <= 192'd0;
    end else case (state)
        IDLE: if (ap_start) begin
            state = RECEIVE;
            received = 0;
        end
        RECEIVE: if (packets_in_TVALID && packets_in_TREADY) begin
            beats[received] = packets_in_TDATA;
            if (received == 3) begin
                counted = 0;
                counting = 1'b1;
            end
            received = received + 1;
            if (packets_in_TLAST) state = OBEY;
        end
        OBEY: begin
            length = beats[1][31:0];
            crc = crc_beat(crc_beat(32'hffffffff, beats[0], 64), {32'd0, beats[1][31:0]}, 32);
            status = received < 2 ? BAD_LENGTH : beats[0][31:0] != MAGIC ? BAD_MAGIC :
                beats[0][39:32] != VERSION ? BAD_VERSION :
                beats[1][63:32] != ~crc ? BAD_HEADER_CRC :
                kind < IDENTIFY || kind > COUNTERS ? BAD_KIND : OK;
            answer_beats = 2;
            last_vector = -1;
            state = FINISH;
            if (status == OK) begin
                case (kind)
                    IDENTIFY:
                        for (index = 0; index < DESIGN_BEATS; index = index + 1)
                            put(design_record[index]);
                    COUNTERS: begin
                        put(run_cycles);
                        put({starved, busy});
                        put(64'd0);
                    end
                    LOAD: begin
                        valid = 1'b0;
                        read_load;
                        check_trailer;
                        valid = status == OK;
                    end
                    default: begin
                        batch = beats[2][63:32];
                        status = !valid ? NO_NETWORK :
                            beats[2][31:0] != network_id ? WRONG_NETWORK :
                            beats[3][31:0] != {layers[15:0], 16'd0} ? BAD_LAYERS :
                            batch * input_beats + 2 != length || beats[3][63:32] != batch ?
                            BAD_BATCH : OK;
                        if (status == OK) begin
                            {busy, starved, vector, layer, column, row} = 192'd0;
                            for (index = 0; index < 2; index = index + 1) saturated[index] = 0;
                            entry = pointers[2 * pointer_base[0]];
                            take_vector;
                            state = ENTRIES;
                        end
                        check_trailer;
                    end
                endcase
                if (kind == IDENTIFY || kind == COUNTERS) check_trailer;
            end
        end
        // An entry, or an activation without any, a clock.
        ENTRIES: begin
            steps = fault == EARLY ? 100000 : 1;
            for (step = 0; step < steps && state == ENTRIES; step = step + 1) begin
                if (column == columns[layer]) begin
                    state = ROWS;
                    row = 0;
                end else if (source[column] == 0 ||
                             entry == pointers[2 * pointer_base[layer] + column + 1]) begin
                    column = column + 1;
                    entry = pointers[2 * pointer_base[layer] + column];
                    row = 0;
                    starved = starved + 1;
                end else begin
                    row = row + entries[entry][3:0];
                    code = entries[entry][7:4];
                    if (code != 0)
                        sums[row] = sums[row] + codebooks[16 * layer + code] * source[column];
                    row = row + 1;
                    entry = entry + 1;
                    busy = busy + 1;
                end
            end
        end
        // A row a clock: bias, rounding shift, bounds.
        ROWS: begin
            steps = fault == EARLY ? 100000 : 1;
            for (step = 0; step < steps && state == ROWS; step = step + 1) begin
                sum = sums[row] + biases[bias_base[layer] + row];
                // Ties go up, or to the even code: then half a unit is one less below an even code.
                if (shift[layer] != 0)
                    sum = sum + (64'sd1 <<< (shift[layer] - 1)) -
                        (half_even[layer] && !sum[shift[layer]] ? 64'sd1 : 64'sd0);
                sum = sum >>> shift[layer];
                if (row < rows[layer] && ((sum > 32767 && high[layer] == 16'sh7fff) ||
                                          (sum < -32768 && low[layer] == 16'sh8000)))
                    saturated[layer] = saturated[layer] + 1;
                results[row] = sum > high[layer] ? high[layer] : sum < low[layer] ? low[layer] :
                    sum[15:0];
                sums[row] = 0;
                row = row + 1;
                if (row == local_rows[layer]) begin
                    {column, row} = 64'd0;
                    if (layer + 1 != layers) begin
                        for (index = 0; index < local_rows[layer]; index = index + 1)
                            source[index] = results[index];
                        layer = layer + 1;
                        state = ENTRIES;
                    end else begin
                        for (index = 0; index < output_beats; index = index + 1)
                            put({results[4 * index + 3], results[4 * index + 2],
                                 results[4 * index + 1], results[4 * index]});
                        layer = 0;
                        vector = vector + 1;
                        state = vector == batch ? FINISH : ENTRIES;
                        if (state == ENTRIES) take_vector;
                    end
                    entry = pointers[2 * pointer_base[layer]];
                end
            end
        end
        FINISH: begin
            if (kind == RUN && answer_beats != 2) begin
                last_vector = answer_beats - 1;
                if (fault == WRONG_WORD) answer[5] = answer[5] ^ 64'h10000;
                for (index = 0; index < layers; index = index + 1) put(saturated[index]);
            end
            put({valid ? network_id : 32'd0, status});
            answer[0] = {beats[0][63:48], kind | 8'h80, VERSION, MAGIC};
            length = answer_beats - 2;
            crc = crc_beat(crc_beat(32'hffffffff, answer[0], 64), {32'd0, length[31:0]}, 32);
            answer[1] = {~crc, length[31:0]};
            crc = 32'hffffffff;
            for (index = 0; index < answer_beats; index = index + 1)
                crc = crc_beat(crc, answer[index], 64);
            put({32'd0, ~crc});
            if (fault == EXTRA_BEAT && kind == LOAD) put(64'hdead);
            place = 0;
            state = SEND;
        end
        SEND: begin
            if (out_valid && packets_out_TREADY && place - 1 == last_vector) begin
                counting = 1'b0;
                run_cycles = fault == FEW_CYCLES ? counted / 4 : counted;
            end
            if (!out_valid || packets_out_TREADY || (fault == LOST_BEAT && place == 4)) begin
                if (fault == HANG_ANSWER && kind == RUN && place == 5) begin
                    out_valid <= 1'b0;
                    state = HUNG;
                end else if (place < answer_beats) begin
                    out_valid <= 1'b1;
                    out_data <= answer[place];
                    out_keep <= fault == WRONG_KEEP && place == answer_beats - 1 ? 8'h0f : 8'hff;
                    out_last <= place == answer_beats - 1 - (fault == EXTRA_BEAT && kind == LOAD)
                        && !(fault == NO_LAST && kind == RUN);
                    place = place + 1;
                end else begin
                    out_valid <= 1'b0;
                    state = DONE;
                    design_id <= design_record[0][31:0];
                    format_version <= VERSION;
                    out_network_id <= valid ? network_id : 32'd0;
                    packets <= packets + 1;
                    errors <= errors + (status != OK || fault == WRONG_REGISTER);
                    cycles <= run_cycles[31:0];
                end
            end
        end
        DONE: begin
            counting = 1'b0;
            state = fault == NO_RESTART ? HUNG : IDLE;
            if (fault == UNASKED) begin
                {out_valid, out_last} <= 2'b11;
                state = HUNG;
            end
        end
        HUNG: begin end
    endcase
end

endmodule
