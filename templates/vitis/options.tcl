# Options of run_hls.tcl, in a file because `vitis-run --mode hls --tcl` takes no arguments.

# Steps to run, in this order:
#   csim     compile kernel and test bench with the tool's own integer types, and run them
#   csynth   synthesize the kernel to RTL
#   export   package the RTL as an IP for Vivado
set steps {csim csynth export}

# Synthesize one part of the kernel alone, to look at its schedule and size within seconds: NAME of
# a blocks/NAME.cpp. Empty for the whole kernel. A part is only synthesized, whatever the steps.
set block ""

# A caller may choose for one run, as `eie build` does, without touching this file.
if {[info exists ::env(EIE_HLS_STEPS)]} {
    set steps $::env(EIE_HLS_STEPS)
}
if {[info exists ::env(EIE_HLS_BLOCK)]} {
    set block $::env(EIE_HLS_BLOCK)
}
