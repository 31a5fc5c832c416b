# The IPs that the mock knows: their CONFIG names, pins, and what is behind them.
#
# Written from the product guides, not from hls/spec/block_design.py, so that it can disagree with
# it: PG082 and UG585 (processing_system7), PG201 and UG1085 (zynq_ultra_ps_e), PG021 (axi_dma),
# PG247 (smartconnect), PG164 (proc_sys_reset), PG099 (axi_intc), and for the kernel UG1399.
#
# A line of an IP is one of these. Options: -when EXPR (the pin exists only then), -count EXPR
# (one for each number from 0, put into the name), -width EXPR, -optional (may stay open). An
# expression sees the CONFIG values as variables.
#   config NAME DEFAULT
#   master|slave NAME axi|axis|pins       an interface; "pins" must go to the device's pins
#   clock_in|clock_out|reset_in|reset_out|interrupt_in|interrupt_out NAME
#   bridge                                what comes in by a slave goes out by every master
#   space NAME MASTER BASE SIZE           an address space, and the addresses that MASTER has
#   segment NAME SLAVE                    what is reached through SLAVE
#   rule NAME                             the automation for it
#   preset NAME VALUE                     CONFIG values of a board preset that differ
#   hidden                                not listed without -all

ip xilinx.com:ip:processing_system7:5.5 {
    config PCW_USE_M_AXI_GP0 1
    config PCW_USE_M_AXI_GP1 0
    config PCW_USE_S_AXI_HP0 0
    config PCW_S_AXI_HP0_DATA_WIDTH 64
    config PCW_USE_FABRIC_INTERRUPT 0
    config PCW_IRQ_F2P_INTR 0
    config PCW_EN_CLK0_PORT 1
    config PCW_EN_RST0_PORT 1
    config PCW_FPGA0_PERIPHERAL_FREQMHZ 50
    config PCW_CRYSTAL_PERIPHERAL_FREQMHZ 33.333333
    rule xilinx.com:bd_rule:processing_system7
    preset PCW_CRYSTAL_PERIPHERAL_FREQMHZ 50
    preset PCW_USE_M_AXI_GP1 1
    master DDR pins
    master FIXED_IO pins
    master M_AXI_GP0 axi -when {$PCW_USE_M_AXI_GP0}
    master M_AXI_GP1 axi -when {$PCW_USE_M_AXI_GP1}
    slave S_AXI_HP0 axi -when {$PCW_USE_S_AXI_HP0}
    clock_in M_AXI_GP0_ACLK -when {$PCW_USE_M_AXI_GP0}
    clock_in M_AXI_GP1_ACLK -when {$PCW_USE_M_AXI_GP1}
    clock_in S_AXI_HP0_ACLK -when {$PCW_USE_S_AXI_HP0}
    clock_out FCLK_CLK0 -when {$PCW_EN_CLK0_PORT}
    reset_out FCLK_RESET0_N -when {$PCW_EN_RST0_PORT}
    interrupt_in IRQ_F2P -when {$PCW_USE_FABRIC_INTERRUPT && $PCW_IRQ_F2P_INTR}
    space Data M_AXI_GP0 0x40000000 0x40000000
    segment S_AXI_HP0/HP0_DDR_LOWOCM S_AXI_HP0 -when {$PCW_USE_S_AXI_HP0}
}

ip xilinx.com:ip:zynq_ultra_ps_e:3.5 {
    config PSU__USE__M_AXI_GP0 1
    config PSU__USE__M_AXI_GP1 1
    config PSU__USE__M_AXI_GP2 1
    config PSU__MAXIGP0__DATA_WIDTH 128
    config PSU__MAXIGP1__DATA_WIDTH 128
    config PSU__MAXIGP2__DATA_WIDTH 32
    config PSU__USE__S_AXI_GP2 0
    config PSU__SAXIGP2__DATA_WIDTH 128
    config PSU__USE__IRQ0 0
    config PSU__USE__IRQ1 0
    config PSU__FPGA_PL0_ENABLE 1
    config PSU__USE__FABRIC__RST 1
    config PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ 100
    config PSU__DDR_HIGH_ADDRESS_GUI_ENABLE 0
    rule xilinx.com:bd_rule:zynq_ultra_ps_e
    preset PSU__DDR_HIGH_ADDRESS_GUI_ENABLE 1
    master M_AXI_HPM0_FPD axi -when {$PSU__USE__M_AXI_GP0}
    master M_AXI_HPM1_FPD axi -when {$PSU__USE__M_AXI_GP1}
    master M_AXI_HPM0_LPD axi -when {$PSU__USE__M_AXI_GP2}
    slave S_AXI_HP0_FPD axi -when {$PSU__USE__S_AXI_GP2}
    clock_in maxihpm0_fpd_aclk -when {$PSU__USE__M_AXI_GP0}
    clock_in maxihpm1_fpd_aclk -when {$PSU__USE__M_AXI_GP1}
    clock_in maxihpm0_lpd_aclk -when {$PSU__USE__M_AXI_GP2}
    clock_in saxihp0_fpd_aclk -when {$PSU__USE__S_AXI_GP2}
    clock_out pl_clk0 -when {$PSU__FPGA_PL0_ENABLE}
    reset_out pl_resetn0 -when {$PSU__USE__FABRIC__RST}
    interrupt_in pl_ps_irq0 -when {$PSU__USE__IRQ0}
    interrupt_in pl_ps_irq1 -when {$PSU__USE__IRQ1}
    space Data M_AXI_HPM0_FPD 0xA0000000 0x10000000
    segment SAXIGP2/HP0_DDR_LOW S_AXI_HP0_FPD -when {$PSU__USE__S_AXI_GP2}
    segment SAXIGP2/HP0_QSPI S_AXI_HP0_FPD -when {$PSU__USE__S_AXI_GP2}
    segment SAXIGP2/HP0_LPS_OCM S_AXI_HP0_FPD -when {$PSU__USE__S_AXI_GP2}
    segment SAXIGP2/HP0_DDR_HIGH S_AXI_HP0_FPD \
        -when {$PSU__USE__S_AXI_GP2 && $PSU__DDR_HIGH_ADDRESS_GUI_ENABLE}
}

ip xilinx.com:ip:axi_dma:7.1 {
    config c_include_sg 1
    config c_sg_include_stscntrl_strm 1
    config c_sg_length_width 14
    config c_addr_width 32
    config c_include_mm2s 1
    config c_m_axi_mm2s_data_width 32
    config c_m_axis_mm2s_tdata_width 32
    config c_include_mm2s_dre 0
    config c_include_s2mm 1
    config c_m_axi_s2mm_data_width 32
    config c_s_axis_s2mm_tdata_width 32
    config c_include_s2mm_dre 0
    slave S_AXI_LITE axi
    master M_AXI_SG axi -when {$c_include_sg}
    master M_AXI_MM2S axi -when {$c_include_mm2s}
    master M_AXI_S2MM axi -when {$c_include_s2mm}
    master M_AXIS_MM2S axis -when {$c_include_mm2s} -width {$c_m_axis_mm2s_tdata_width}
    slave S_AXIS_S2MM axis -when {$c_include_s2mm} -width {$c_s_axis_s2mm_tdata_width}
    clock_in s_axi_lite_aclk
    clock_in m_axi_sg_aclk -when {$c_include_sg}
    clock_in m_axi_mm2s_aclk -when {$c_include_mm2s}
    clock_in m_axi_s2mm_aclk -when {$c_include_s2mm}
    reset_in axi_resetn
    reset_out mm2s_prmry_reset_out_n -when {$c_include_mm2s}
    reset_out s2mm_prmry_reset_out_n -when {$c_include_s2mm}
    interrupt_out mm2s_introut -when {$c_include_mm2s}
    interrupt_out s2mm_introut -when {$c_include_s2mm}
    space Data_SG M_AXI_SG 0 0x10000000000000000 -when {$c_include_sg}
    space Data_MM2S M_AXI_MM2S 0 {1 << $c_addr_width} -when {$c_include_mm2s}
    space Data_S2MM M_AXI_S2MM 0 {1 << $c_addr_width} -when {$c_include_s2mm}
    segment S_AXI_LITE/Reg S_AXI_LITE
}

ip xilinx.com:ip:smartconnect:1.0 {
    config NUM_SI 2
    config NUM_MI 1
    config NUM_CLKS 1
    config HAS_ARESETN 1
    bridge
    slave S%02d_AXI axi -count {$NUM_SI}
    master M%02d_AXI axi -count {$NUM_MI}
    clock_in aclk
    clock_in aclk1 -when {$NUM_CLKS > 1}
    reset_in aresetn -when {$HAS_ARESETN}
}

ip xilinx.com:ip:proc_sys_reset:5.0 {
    config C_EXT_RESET_HIGH 1
    clock_in slowest_sync_clk
    reset_in ext_reset_in
    reset_in aux_reset_in -optional
    reset_out interconnect_aresetn
    reset_out peripheral_aresetn
    reset_out peripheral_reset
}

ip xilinx.com:ip:axi_intc:4.1 {
    config C_IRQ_CONNECTION 0
    config C_IRQ_IS_LEVEL 1
    slave s_axi axi
    master interrupt mbinterrupt -when {!$C_IRQ_CONNECTION}
    clock_in s_axi_aclk
    reset_in s_axi_aresetn
    interrupt_in intr
    interrupt_out irq -when {$C_IRQ_CONNECTION}
    segment S_AXI/Reg s_axi
}

ip xilinx.com:ip:xlconcat:2.1 {
    config NUM_PORTS 2
    hidden
    interrupt_in In%d -count {$NUM_PORTS}
    interrupt_out dout
}

# The kernel, once Vitis HLS has packaged it. Streams called input and output get the suffix _r.
ip xilinx.com:hls:eie:1.0 {
    slave s_axi_control axi
    slave packets_in axis -width 64
    master packets_out axis -width 64
    clock_in ap_clk
    reset_in ap_rst_n
    interrupt_out interrupt
    segment s_axi_control/Reg s_axi_control
}
