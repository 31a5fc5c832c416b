// In front of the receiver: the CRC of a packet while it arrives. A process of its own, so that
// there is one step of it, where in the receiver each place that takes a beat would have one.
#pragma once

#include "crc32.h"
#include "dataflow.h"
#include "types.h"

namespace kernel {

//! Take the beats of one packet off the AXI stream, and pass them on with the CRC so far.
inline void take_crc(hls::stream<axis_t>& input, hls::stream<ReceivedBeat>& beats) {
  crc_t crc = kCrcStart;
  bool ended = false;
beats:
  do {
#pragma HLS PIPELINE II = 1
    const axis_t transfer = input.read();
    crc = crc_update<kBeatBits>(crc, transfer.data);
    ended = transfer.last == 1;
    beats.write(ReceivedBeat{transfer.data, crc, ap_uint<1>(ended)});
    end_cycle();
  } while (!ended);
}

}  // namespace kernel
