// The root of the way back: each word of results to its place. The marks of saturated results are
// counted and left behind.
#pragma once

#include "dataflow.h"
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

//! The root: results of hidden layers go back to the activation memories, others to the sender, and
//! behind a run's outputs the number of saturated values of each layer.
inline void collect(hls::stream<ResultWord>& results, hls::stream<Command>& commands,
                    hls::stream<HiddenWord>& hidden, hls::stream<ActivationWord>& outputs) {
  // Of each layer in this run so far: from the first vector on, whatever was there before.
  static saturated_t saturated[kLayers];
#pragma HLS BIND_STORAGE variable = saturated type = ram_s2p impl = lutram
  Command command = {kStop, 0, 0, 0, 0, 0, 0};
packet:
  do {
    command = commands.read();
    saturated_t count = command.first == 1 ? saturated_t(0) : saturated[command.layer];
    end_cycle();
    if (command.kind == kRunEnd) {
    layers:
      for (word_count_t layer = 0; layer < command.words; ++layer) {
#pragma HLS PIPELINE II = 1
        outputs.write(ActivationWord{
            kValue, command.first == 1 ? word_t(0) : word_t(saturated[ap_uint<8>(layer)])});
        end_cycle();
      }
    } else {
    words:
      for (word_count_t word = 0; word < command.words; ++word) {
#pragma HLS PIPELINE II = 1
        const ResultWord result = results.read();
        const ActivationWord activations = {result.kind, activations_of(result)};
        // Words of padding rows only are dropped.
        if (word < command.keep) {
          const bool last = word == command.keep - 1;
          count += count_saturated(result, last ? command.spare : ap_uint<4>(0));
          if (command.kind == kToHidden) {
            hidden.write(HiddenWord{activations.values, layer_t(command.layer), ap_uint<1>(last),
                                    command.goes_out});
          } else {
            outputs.write(activations);
          }
        }
        end_cycle();
      }
      saturated[command.layer] = count;
    }
  } while (command.kind != kStop);
  results.read();  // the end of the packet
  end_cycle();
}

}  // namespace kernel
