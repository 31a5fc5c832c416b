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
  const ap_uint<32> length =
      field<packet::kSectionLengthBits>(section.data, packet::kSectionLengthLow);
  const bool mine = is_for(section.data, pe);
  const bool keep = mine && kind == packet::kSectionPointers;
  const bool pass = mine && kind != packet::kSectionPointers;
  if (pass) work.write(section);
  end_cycle();
beats:
  for (ap_uint<32> beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
    const Token token = queue.read();
    if (keep) store_pointers(bank_0, bank_1, beat, token.data);
    if (pass) work.write(token);
    end_cycle();
  }
}

//! Look up the columns of one layer's activations, one a cycle.
//!
//! A stalling pipeline holds what it looks up while the queue is empty, until further activations
//! or the layer's end push it on: as many as it has stages, at most. It costs a PE that has nothing
//! else to do a few starved cycles, and is left to the tool. Should a report show that it is more,
//! `style = flp` is what to try first. The documents disagree on it: UG1399 (Flushing Pipelines)
//! gives a style to functions or loops, UG1448's table (Pipeline Styles) keeps flp for functions,
//! and public code has it on loops. frp costs a FIFO at the output of every PE, and is dropped with
//! a mere warning from loops that do not suit it.
inline void fetch_layer(const bank_0_t& bank_0, const bank_1_t& bank_1, hls::stream<Token>& queue,
                        hls::stream<Token>& work, ap_uint<24> base) {
#pragma HLS INLINE
  Token token = {kData, 0};
columns:
  do {
#pragma HLS PIPELINE II = 1
    token = queue.read();
    if (token.kind == kActivation) {
      const Extent extent = look_up(bank_0, bank_1, base, column_of(token.data));
      if (extent.length != 0)
        work.write(Token{kWork, make_work(extent.first, extent.length, value_of(token.data))});
    } else {
      work.write(token);
    }
    end_cycle();
  } while (token.kind != kLayerEnd);
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
      if (kind == kLayerBegin)
        fetch_layer(bank_0, bank_1, queue, work, pointer_word_of(token.data));
    }
  } while (kind != kPacketEnd);
}

//! The process: a function of its own for each PE, so that each has its own memory.
template <int PE>
void column_fetch(hls::stream<Token>& queue, hls::stream<Token>& work) {
  static bank_0_t bank_0;
  static bank_1_t bank_1;
#pragma HLS BIND_STORAGE variable = bank_0 type = ram_s2p impl = bram
#pragma HLS BIND_STORAGE variable = bank_1 type = ram_s2p impl = bram
  fetch_columns(bank_0, bank_1, queue, work, PE);
}

}  // namespace kernel
