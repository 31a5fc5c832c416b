// Leading non-zero detection (paper section IV, "Distributed Leading Non-Zero Detection").
//
// A radix-4 tree finds the first non-zero activation of a word, one a cycle, and sends it with its
// column.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! A node of the tree: which of its four children is the first with something.
inline ap_uint<2> first_of_four(ap_uint<4> some) {
#pragma HLS INLINE
  return some[0] == 1 ? 0 : some[1] == 1 ? 1 : some[2] == 1 ? 2 : 3;
}

//! The first set lane: four leaves and a root.
inline ap_uint<4> leading_lane(ap_uint<kLanes> nonzero) {
#pragma HLS INLINE
  ap_uint<4> some = 0;
  ap_uint<2> first[4];
#pragma HLS ARRAY_PARTITION variable = first complete
leaves:
  for (int leaf = 0; leaf < 4; ++leaf) {
#pragma HLS UNROLL
    const ap_uint<4> lanes = nonzero >> (4 * leaf);
    some[leaf] = lanes != 0;
    first[leaf] = first_of_four(lanes);
  }
  const ap_uint<2> root = first_of_four(some);
  return ap_uint<4>((ap_uint<4>(root) << 2) | first[root]);
}

//! What a lane is in each vector of a group.
inline values_t values_in(const group_words_t& words, ap_uint<4> lane) {
#pragma HLS INLINE
  values_t values = 0;
vectors:
  for (int vector = 0; vector < kAbreast; ++vector) {
#pragma HLS UNROLL
    const word_t word = words >> (vector * kLanes * kActivationBits);
    const ap_uint<kActivationBits> value = word >> ap_uint<8>(lane * ap_uint<5>(kActivationBits));
    values |= values_t(value) << (vector * kActivationBits);
  }
  return values;
}

//! Turn words of activations into a stream of non-zero activations.
//!
//! A word costs as many cycles as it has non-zero activations, and one cycle if it has none. The
//! last activation of a layer says so itself; only a layer whose last word is zero has an end of
//! its own, in that word's cycle.
inline void detect_nonzero(hls::stream<GroupToken>& words, hls::stream<Token>& tokens) {
  kind_t kind = kData;
packet:
  do {
    GroupToken word = {};
    ap_uint<kLanes> pending = 0;
    bool ended = false;
  // The loop ends with each layer, so that its end does not stay in a stalled pipeline.
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      if (pending == 0) {
        word = words.read();
        kind = word.kind;
        pending = word.nonzero;
      }
      // Clears the first set lane without waiting for the tree to say which: this alone is carried
      // from cycle to cycle, the tree is not.
      const ap_uint<kLanes> rest = pending & ap_uint<kLanes>(pending - 1);
      const bool layer_ends = word.last == 1 && rest == 0;
      if (kind != kWord) {
        tokens.write(Token{kind, token_data_t(word.data)});
      } else if (pending != 0) {
        const ap_uint<4> lane = leading_lane(pending);
        tokens.write(
            Token{layer_ends ? kLastActivation : kActivation,
                  to_data(Activation{address_t(word.address + lane), values_in(word.data, lane),
                                     word.layer, others_of(word)})});
      } else if (layer_ends) {
        tokens.write(Token{kLayerEnd, to_data(Activation{0, 0, word.layer, others_of(word)})});
      }
      ended = kind == kWord ? layer_ends : kind == kPacketEnd;
      pending = rest;
      end_cycle();
    } while (!ended);
  } while (kind != kPacketEnd);
}

}  // namespace kernel
