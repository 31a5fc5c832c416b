// The AXI4-Lite registers of the stand-in, at the offsets of eie/hls/spec/registers.py.
`timescale 1 ns / 1 ps

module eie_control_s_axi (
    input             ACLK,
    input             ARESET,
    input             AWVALID,
    output            AWREADY,
    input      [6:0]  AWADDR,
    input             WVALID,
    output            WREADY,
    input      [31:0] WDATA,
    input      [3:0]  WSTRB,
    output reg        BVALID,
    input             BREADY,
    output     [1:0]  BRESP,
    input             ARVALID,
    output            ARREADY,
    input      [6:0]  ARADDR,
    output reg        RVALID,
    input             RREADY,
    output reg [31:0] RDATA,
    output     [1:0]  RRESP,
    output            interrupt,
    // Bit 0 of CTRL with auto-restart: the kernel is called again as soon as it is ready.
    output            ap_start,
    input             ap_ready,
    input             ap_idle,
    input      [31:0] design_id,
    input      [31:0] format_version,
    input      [31:0] network_id,
    input      [31:0] packets,
    input      [31:0] errors,
    input      [31:0] cycles
);

reg int_ap_start;
reg int_auto_restart;

assign AWREADY   = AWVALID & WVALID & ~BVALID;
assign WREADY    = AWREADY;
assign ARREADY   = ~RVALID;
assign BRESP     = 2'b00;
assign RRESP     = 2'b00;
assign interrupt = 1'b0;
assign ap_start  = int_ap_start;

initial begin
    int_ap_start = 1'b0;
    int_auto_restart = 1'b0;
    BVALID = 1'b0;
    RVALID = 1'b0;
    RDATA = 32'd0;
end

always @ (posedge ACLK) begin
    if (ARESET) begin
        int_ap_start <= 1'b0;
        int_auto_restart <= 1'b0;
        BVALID <= 1'b0;
        RVALID <= 1'b0;
    end else begin
        if (AWREADY) begin
            BVALID <= 1'b1;
            if (AWADDR == 7'h00 && WSTRB[0]) begin
                int_auto_restart <= WDATA[7];
                if (WDATA[0]) int_ap_start <= 1'b1;
            end
        end else if (BVALID & BREADY) begin
            BVALID <= 1'b0;
        end
        if (ap_ready) int_ap_start <= int_auto_restart;
        if (ARVALID & ARREADY) begin
            RVALID <= 1'b1;
            case (ARADDR)
                7'h00: RDATA <= {24'd0, int_auto_restart, 4'd0, ap_idle, 1'b0, int_ap_start};
                7'h10: RDATA <= design_id;
                7'h20: RDATA <= format_version;
                7'h30: RDATA <= network_id;
                7'h40: RDATA <= packets;
                7'h50: RDATA <= errors;
                7'h60: RDATA <= cycles;
                default: RDATA <= 32'd0;
            endcase
        end else if (RVALID & RREADY) begin
            RVALID <= 1'b0;
        end
    end
end

endmodule
