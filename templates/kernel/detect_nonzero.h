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

//! Turn words of activations into a stream of non-zero activations.
//!
//! A word costs as many cycles as it has non-zero activations, and one cycle if it has none.
inline void detect_nonzero(hls::stream<WordToken>& words, hls::stream<Token>& tokens) {
  kind_t kind = kData;
packet:
  do {
    word_t activations = 0;
    ap_uint<kLanes> pending = 0;
    column_t column = 0;       // of the word in hand
    column_t next_column = 0;  // of the word after it
  // The loop ends with each layer: a pipeline that stalls for its next input keeps what it holds,
  // and the end of a layer must get out although no input follows before the results are back.
  layer:
    do {
#pragma HLS PIPELINE II = 1
      if (pending == 0) {
        const WordToken word = words.read();
        kind = word.kind;
        activations = word.data;
        pending = word.nonzero;
        column = next_column;
        if (kind == kWord) next_column += kLanes;
      }
      if (kind != kWord) {
        tokens.write(Token{kind, beat_t(activations)});
      } else if (pending != 0) {
        const ap_uint<4> lane = leading_lane(pending);
        const ap_uint<kActivationBits> value =
            activations >> ap_uint<8>(lane * ap_uint<5>(kActivationBits));
        tokens.write(Token{kActivation, make_activation(column + lane, value)});
        // Clears the first set lane without waiting for the tree to say which: this alone is
        // carried from cycle to cycle, the tree is not.
        pending &= ap_uint<kLanes>(pending - 1);
      }
      end_cycle();
    } while (kind != kLayerEnd && kind != kPacketEnd);
  } while (kind != kPacketEnd);
}

}  // namespace kernel
