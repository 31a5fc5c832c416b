// Behind the sender: the CRCs of an answer, of its header and of the whole. A process of its own,
// so that there is one step of it, where in the sender each place that sends a beat would have one.
#pragma once

#include "crc32.h"
#include "dataflow.h"
#include "types.h"

namespace kernel {

//! Put one beat on the AXI stream; the cycle is the caller's to end.
inline void put_beat(hls::stream<axis_t>& output, beat_t beat, bool last) {
#pragma HLS INLINE
  axis_t transfer;
  transfer.data = beat;
  transfer.keep = -1;
  transfer.strb = -1;
  transfer.last = last ? 1 : 0;
  output.write(transfer);
}

//! Put one answer on the AXI stream: its beats, of which the second takes the header's CRC, and the
//! trailer.
inline void add_crc(hls::stream<SentBeat>& beats, hls::stream<axis_t>& output) {
  static_assert(packet::kHeaderBeats == 2, "The second beat ends with the header's CRC.");
  crc_t crc = kCrcStart;
  // Of the header; behind it, its beats.
  ap_uint<2> place = 0;
  bool ended = false;
beats:
  do {
#pragma HLS PIPELINE II = 1
    const SentBeat sent = beats.read();
    beat_t beat = sent.data;
    if (place == packet::kHeaderBeats - 1) {
      // What is left when a CRC has itself gone through is always the same.
      const crc_t header_crc = crc_value(crc_update<32>(crc, sent.data));
      beat |= beat_t(header_crc) << packet::kHeaderHeaderCrcLow;
      crc = kCrcResidue;
    } else {
      crc = crc_update<kBeatBits>(crc, sent.data);
    }
    if (place != packet::kHeaderBeats) ++place;
    ended = sent.last == 1;
    put_beat(output, beat, false);
    end_cycle();
  } while (!ended);
  put_beat(output, beat_t(crc_value(crc)) << packet::kTrailerCrcLow, true);
  end_cycle();
}

}  // namespace kernel
