// The top function: one call takes one packet and answers it.
#pragma once

#include "types.h"

//! Take one packet from `packets_in` and put its answer on `packets_out`.
//!
//! The driver starts the kernel once with auto-restart, so it is called again for each packet.
//! Weights stay on chip between calls. The other parameters are read-only AXI4-Lite registers.
void eie(hls::stream<kernel::axis_t>& packets_in, hls::stream<kernel::axis_t>& packets_out,
         ap_uint<32>& design_id, ap_uint<32>& format_version, ap_uint<32>& network_id,
         ap_uint<32>& packets, ap_uint<32>& errors, ap_uint<32>& cycles);
