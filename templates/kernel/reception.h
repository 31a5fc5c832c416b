// A packet as the receiver takes it, beat by beat.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! The packet being received: reads beats, keeps the CRC, notes TLAST.
struct Reception {
  //! Of the beats so far; of no use once the packet has ended.
  crc_t crc;
  //! TLAST has been seen; there is nothing more to read.
  bool ended;
};

//! The next beat of the packet, or zero once it has ended.
inline beat_t next_beat(hls::stream<ReceivedBeat>& input, Reception& reception) {
#pragma HLS INLINE
  beat_t beat = 0;
  if (!reception.ended) {
    const ReceivedBeat received = input.read();
    beat = received.data;
    reception.crc = received.crc;
    reception.ended = received.last == 1;
  }
  return beat;
}

}  // namespace kernel
