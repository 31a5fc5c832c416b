// The vectors of a run, with their tags: from beats to words for the control unit.
#pragma once

#include "dataflow.h"
#include "group_order.h"
#include "reception.h"
#include "types.h"

namespace kernel {

//! What is wrong with the tags of a run, and which lanes have a state.
struct Tags {
  bool bad;
  bool no_state;
  ap_uint<kMostLanes> lanes;
};

//! Put a run's vectors together to words, as many beats as announced whatever arrives. A vector of
//! `vector_beats` starts a word; what fills up its last one is no activation, and need not be zero.
//! Words of a group of vectors come in its order: see group_order.h.
//!
//! Tags come before vectors, and are words of their own. One that says what cannot be is put right,
//! so that the run ends, and voids it: as many outputs are given as were announced.
inline void receive_vectors(hls::stream<ReceivedBeat>& input, hls::stream<InputWord>& inputs,
                            Reception& reception, Tags& tags, ap_uint<32> beats,
                            ap_uint<32> vector_beats, bool tagged, ap_uint<32> vectors,
                            ap_uint<32> outputs, ap_uint<5> lanes) {
#pragma HLS INLINE
  using namespace packet;
  word_t word = 0;
  ap_uint<2> place = 0;
  const BlockIndex<ap_uint<32>> all_beats = {vector_beats, vector_beats};
  BlockIndex<ap_uint<32>> left = all_beats;
  GroupOrder<kBlockWords * kBeatsPerWord> order = {0, 0};
  Groups groups = in_groups(vectors);
  bool is_tag = tagged;
  // Of tags: vectors and outputs to come, and whether all of those have one.
  ap_uint<32> vectors_left = vectors;
  ap_uint<32> outputs_left = outputs;
  bool all = outputs == vectors;
  bool none = outputs == 0;
vectors:
  for (ap_uint<32> beat = 0; beat < beats; ++beat) {
#pragma HLS PIPELINE II = 1
    const beat_t data = next_beat(input, reception);
    if (kHolds && is_tag) {
      const ap_uint<8> lane = field<kTagLaneBits>(data, kTagLaneLow);
      const ap_uint<8> start = field<kTagStartBits>(data, kTagStartLow);
      const ap_uint<8> output = field<kTagOutputBits>(data, kTagOutputLow);
      const bool known = lane < lanes;
      const lane_t right = known ? lane_t(lane) : lane_t(0);
      const bool gives = all || (!none && output == 1);
      if (!known || start > 1 || output > 1 || (data >> (kTagOutputLow + kTagOutputBits)) != 0 ||
          gives != (output == 1))
        tags.bad = true;
      // A step without a state starts, so that nothing of another sequence comes out, void or not.
      const bool starts = start == 1 || tags.lanes[right] == 0;
      if (starts && start != 1) tags.no_state = true;
      tags.lanes[right] = 1;
      inputs.write(InputWord{word_t(beat_t(right) << kTagLaneLow | beat_t(starts) << kTagStartLow |
                                    beat_t(gives) << kTagOutputLow),
                             0});
      const ap_uint<32> after = outputs_left - ap_uint<32>(gives);
      --vectors_left;
      all = after == vectors_left;
      none = after == 0;
      outputs_left = after;
      is_tag = false;
    } else {
      const bool last = left.at == 1;
      const bool turns = ends_turn(order, last);
      const bool last_vector = is_last_vector(order, others_of(groups));
      word |= word_t(data) << ap_uint<8>(place * ap_uint<7>(kBeatBits));
      if (place == kBeatsPerWord - 1 || last) {
        inputs.write(InputWord{word, ap_uint<1>(last)});
        word = 0;
        place = 0;
      } else {
        ++place;
      }
      advance(order, turns, last_vector);
      if (last && last_vector) {
        left = all_beats;
        --groups.left;
      } else {
        advance(left, -1, turns, last_vector);
      }
      is_tag = tagged && last;
    }
    end_cycle();
  }
}

}  // namespace kernel
