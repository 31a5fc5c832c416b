// The way back: a tree that puts the PEs' results together to whole words of activations.
//
// Row s of a layer's order is local row s div N of PE s mod N, so taking one result from each PE in
// turn gives the rows in order. Four results make a beat, four beats a word; with more than 16 PEs
// several words come at once, and merge.h puts them one after another.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! Four sources side by side.
template <int kBits>
void gather_4(hls::stream<Results<kBits>>& in_0, hls::stream<Results<kBits>>& in_1,
              hls::stream<Results<kBits>>& in_2, hls::stream<Results<kBits>>& in_3,
              hls::stream<Results<4 * kBits>>& out) {
  typedef ap_uint<4 * kBits> wide_t;
  ap_uint<2> kind = kValue;
packet:
  do {
  // Each loop ends with the layer, so that the last results do not stay in a stalled pipeline.
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      // In whatever order: an output takes all of them, and no source waits for another.
      const Results<kBits> part_0 = in_0.read();
      const Results<kBits> part_1 = in_1.read();
      const Results<kBits> part_2 = in_2.read();
      const Results<kBits> part_3 = in_3.read();
      // All sources end together.
      kind = part_0.kind;
      out.write(Results<4 * kBits>{kind, wide_t(part_0.values) | (wide_t(part_1.values) << kBits) |
                                             (wide_t(part_2.values) << (2 * kBits)) |
                                             (wide_t(part_3.values) << (3 * kBits))});
      end_cycle();
    } while (kind == kValue);
  } while (kind != kEnd);
}

//! Two sources: two rounds make a whole.
template <int kBits>
void gather_2(hls::stream<Results<kBits>>& in_0, hls::stream<Results<kBits>>& in_1,
              hls::stream<Results<4 * kBits>>& out) {
  typedef ap_uint<4 * kBits> wide_t;
  ap_uint<2> kind = kValue;
packet:
  do {
    wide_t values = 0;
    ap_uint<1> round = 0;
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      const Results<kBits> part_0 = in_0.read();
      const Results<kBits> part_1 = in_1.read();
      kind = part_0.kind;
      values = (values >> (2 * kBits)) | (wide_t(part_0.values) << (2 * kBits)) |
               (wide_t(part_1.values) << (3 * kBits));
      if (round == 1 || kind == kEnd) out.write(Results<4 * kBits>{kind, values});
      round = 1 - round;
      end_cycle();
    } while (kind == kValue);
  } while (kind != kEnd);
}

//! One source: four rounds make a whole.
template <int kBits>
void gather_1(hls::stream<Results<kBits>>& in_0, hls::stream<Results<4 * kBits>>& out) {
  typedef ap_uint<4 * kBits> wide_t;
  ap_uint<2> kind = kValue;
packet:
  do {
    wide_t values = 0;
    ap_uint<2> round = 0;
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      const Results<kBits> part = in_0.read();
      kind = part.kind;
      values = (values >> kBits) | (wide_t(part.values) << (3 * kBits));
      if (round == 3 || kind == kEnd) out.write(Results<4 * kBits>{kind, values});
      ++round;
      end_cycle();
    } while (kind == kValue);
  } while (kind != kEnd);
}

}  // namespace kernel
