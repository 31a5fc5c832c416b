// The root of the way back: each word of results to its place. The marks of saturated results are
// counted and left behind.
#pragma once

#include "dataflow.h"
#include "group_order.h"
#include "types.h"

namespace kernel {

//! The activations of a word of results.
inline word_t activations_of(const ResultWord& results) {
#pragma HLS INLINE
  word_t activations = 0;
lanes:
  for (int lane = 0; lane < kLanes; ++lane) {
#pragma HLS UNROLL
    const ap_uint<kActivationBits> value = results.values >> (lane * kResultBits);
    activations |= word_t(value) << (lane * kActivationBits);
  }
  return activations;
}

//! How many results of a word are marked as saturated, but for the last `spare` lanes.
inline ap_uint<5> count_saturated(const ResultWord& results, ap_uint<4> spare) {
#pragma HLS INLINE
  ap_uint<5> count = 0;
lanes:
  for (int lane = 0; lane < kLanes; ++lane) {
#pragma HLS UNROLL
    const ap_uint<1> saturated = results.values >> (lane * kResultBits + kActivationBits);
    if (lane + spare < kLanes) count += saturated;
  }
  return count;
}

//! The root: results of hidden layers go back to the control unit, those of the last one to the
//! sender, and behind a run's outputs the number of saturated values of each layer.
inline void collect(hls::stream<ResultWord>& results, hls::stream<Command>& commands,
                    hls::stream<HiddenWord>& hidden, hls::stream<ActivationWord>& outputs) {
  // Of each layer in this run so far, and in which of them there is anything to count yet: others
  // have what an earlier run left.
  static saturated_t saturated[kLayers];
#pragma HLS BIND_STORAGE variable = saturated type = ram_s2p impl = lutram
  static ap_uint<kLayers> counted = 0;
#pragma HLS RESET variable = counted
  ap_uint<3> kind = kStop;
packet:
  do {
    const Command command = commands.read();
    kind = command.kind;
    saturated_t count = counted[command.layer] == 1 ? saturated[command.layer] : saturated_t(0);
    end_cycle();
    if (kind == kRunEnd) {
      layer_t layer = command.layer;
    layers:
      for (word_count_t left = command.words; left != 0; --left) {
#pragma HLS PIPELINE II = 1
        outputs.write(
            ActivationWord{kValue, counted[layer] == 1 ? word_t(saturated[layer]) : word_t(0)});
        ++layer;
        end_cycle();
      }
      counted = 0;
    } else {
      const vector_t others = others_of(command.vector);
      BlockIndex<word_count_t> word = {0, 0};
      GroupOrder<kBlockWords> order = {0, 0};
    words:
      while (word.at < command.words) {
#pragma HLS PIPELINE II = 1
        const ResultWord result = results.read();
        const ActivationWord activations = {result.kind, activations_of(result)};
        // Words of padding rows only are dropped.
        if (word.at < command.keep) {
          const bool last = word.at == command.keep - 1;
          count += count_saturated(result, last ? command.spare : ap_uint<4>(0));
          // Together, or one waits for the other: `hidden` has room for all that comes back.
          if (command.back == 1) {
            hidden.write(HiddenWord{activations.values, layer_t(command.layer), ap_uint<1>(last),
                                    command.vector, command.final});
          }
          if (command.out == 1) outputs.write(activations);
        }
        const bool turns = ends_turn(order, false);
        const bool last_vector = is_last_vector(order, others);
        advance(word, 1, turns, last_vector);
        advance(order, turns, last_vector);
        end_cycle();
      }
      if (kind == kResults) {
        saturated[command.layer] = count;
        counted[command.layer] = 1;
      }
    }
  } while (kind != kStop);
  results.read();  // the end of the packet
  end_cycle();
}

}  // namespace kernel
