// The first half of a PE: find the entries that an activation meets (paper section IV, "Pointer
// Read Unit"). Columns without entries in this PE end here, so they cost the multiplier nothing.
#pragma once

#include "dataflow.h"
#include "pointers.h"
#include "types.h"

namespace kernel {

//! Whether a section is for PE `pe`.
inline bool is_for(beat_t section, int pe) {
#pragma HLS INLINE
  const ap_uint<16> wanted = field<packet::kSectionPeBits>(section, packet::kSectionPeLow);
  return wanted == pe || wanted == packet::kAllPes;
}

//! Take a section of a load: keep pointers, pass on what the multiplier needs, drop the rest.
inline void fetch_section(bank_0_t& bank_0, bank_1_t& bank_1, hls::stream<Token>& queue,
                          hls::stream<Token>& work, const Token& section, int pe) {
#pragma HLS INLINE
  const ap_uint<8> kind =
      field<packet::kSectionSectionBits>(section.data, packet::kSectionSectionLow);
  const section_beats_t length = section_beats_t(section.data >> packet::kSectionLengthLow);
  const bool mine = is_for(section.data, pe);
  const bool keep = mine && kind == packet::kSectionPointers;
  const bool pass = mine && kind != packet::kSectionPointers;
  if (pass) work.write(section);
  end_cycle();
beats:
  for (section_beats_t beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
    const Token token = queue.read();
    if (keep) store_pointers(bank_0, bank_1, beat, token.data);
    if (pass) work.write(token);
    end_cycle();
  }
}

//! Look up the columns of a run's activations, one a cycle.
//!
//! A stalling pipeline would hold what it looks up while the queue is empty, until further
//! activations or the layer's end push it on; one that flushes goes on without new input.
inline void fetch_run(const bank_0_t& bank_0, const bank_1_t& bank_1, hls::stream<Token>& queue,
                      hls::stream<Token>& work) {
#pragma HLS INLINE
  kind_t kind = kData;
run:
  do {
  // The loop ends with each layer, so that its end does not stay in a stalled pipeline.
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      const Token token = queue.read();
      kind = token.kind;
      if (kind == kRunDone) {
        work.write(token);
      } else {
        const Activation activation = activation_of(token.data);
        const Extent extent = look_up(bank_0, bank_1, activation.address);
        const bool met = kind != kLayerEnd && extent.length != 0;
        const kind_t passed = !met ? kLayerEnd : kind == kActivation ? kWork : kLastWork;
        // A column without entries ends here, but for the end of the layer that may be with it.
        if (met || kind != kActivation)
          work.write(
              Token{passed, to_data(Work{extent.first, ap_uint<16>(extent.length - 1),
                                         activation.values, activation.layer, activation.others})});
      }
      end_cycle();
    } while (!ends_layer(kind) && kind != kRunDone);
  } while (kind != kRunDone);
}

//! The column fetch of PE `pe`.
inline void fetch_columns(bank_0_t& bank_0, bank_1_t& bank_1, hls::stream<Token>& queue,
                          hls::stream<Token>& work, int pe) {
#pragma HLS INLINE
  kind_t kind = kData;
packet:
  do {
    const Token token = queue.read();
    kind = token.kind;
    if (kind == kSection) {
      fetch_section(bank_0, bank_1, queue, work, token, pe);
    } else {
      work.write(token);
      end_cycle();
      if (kind == kRunBegin) fetch_run(bank_0, bank_1, queue, work);
    }
  } while (kind != kPacketEnd);
}

//! The process: a function of its own for each PE, so that each has its own memory.
template <int PE>
void column_fetch(hls::stream<Token>& queue, hls::stream<Token>& work) {
  static bank_0_t bank_0;
  static bank_1_t bank_1;
#pragma HLS BIND_STORAGE variable = bank_0 type = ram_s2p impl = bram latency = 2
#pragma HLS BIND_STORAGE variable = bank_1 type = ram_s2p impl = bram latency = 2
  fetch_columns(bank_0, bank_1, queue, work, PE);
}

}  // namespace kernel
