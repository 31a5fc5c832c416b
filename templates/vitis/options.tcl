# Options of run_hls.tcl, in a file because `vitis-run --mode hls --tcl` takes no arguments.

# Steps to run:
#   csynth   synthesize the kernel to RTL
#   export   package the RTL as an IP for Vivado
#   csim     compile kernel and test bench with the tool's own integer types, and run them
# C simulation is left out: it needs the headers of simulation/ before the tool's own, and where it
# fails, nothing is synthesized. `make testbench` runs the same without the tool, and
# `eie rtl-check` plays the same packets into the RTL.
set steps {csynth export}

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
