// The way back: a tree that puts the PEs' results together to whole words of activations.
//
// Row s of a layer's order is local row s div N of PE s mod N, so taking one result from each PE in
// turn gives the rows in order. Four results make a beat, four beats a word; with more than 16 PEs
// several words come at once and are merged one after another. At the root the marks of saturated
// results are counted and left behind.
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
#pragma HLS PIPELINE II = 1
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
#pragma HLS PIPELINE II = 1
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
#pragma HLS PIPELINE II = 1
      const Results<kBits> part = in_0.read();
      kind = part.kind;
      values = (values >> kBits) | (wide_t(part.values) << (3 * kBits));
      if (round == 3 || kind == kEnd) out.write(Results<4 * kBits>{kind, values});
      ++round;
      end_cycle();
    } while (kind == kValue);
  } while (kind != kEnd);
}

//! One of four word streams in turn, kBurst words from each.
template <int kBurst>
void merge_4(hls::stream<ResultWord>& in_0, hls::stream<ResultWord>& in_1,
             hls::stream<ResultWord>& in_2, hls::stream<ResultWord>& in_3,
             hls::stream<ResultWord>& out) {
  ap_uint<2> kind = kValue;
packet:
  do {
    ap_uint<2> source = 0;
    ap_uint<8> taken = 0;
    bool done = false;
  layer:
    do {
#pragma HLS PIPELINE II = 1
      ResultWord word;
      if (source == 0) {
        word = in_0.read();
      } else if (source == 1) {
        word = in_1.read();
      } else if (source == 2) {
        word = in_2.read();
      } else {
        word = in_3.read();
      }
      // Every source marks its last word; only the last source's ends the layer.
      kind = word.kind;
      done = kind != kValue && source == 3;
      if (kind != kEnd || done)
        out.write(ResultWord{done ? kind : ap_uint<2>(kValue), word.values});
      ++taken;
      if (taken == kBurst || kind == kEnd) {
        taken = 0;
        ++source;
      }
      end_cycle();
    } while (!done);
  } while (kind != kEnd);
}

//! One of two word streams in turn, kBurst words from each.
template <int kBurst>
void merge_2(hls::stream<ResultWord>& in_0, hls::stream<ResultWord>& in_1,
             hls::stream<ResultWord>& out) {
  ap_uint<2> kind = kValue;
packet:
  do {
    ap_uint<1> source = 0;
    ap_uint<8> taken = 0;
    bool done = false;
  layer:
    do {
#pragma HLS PIPELINE II = 1
      ResultWord word;
      if (source == 0) {
        word = in_0.read();
      } else {
        word = in_1.read();
      }
      kind = word.kind;
      done = kind != kValue && source == 1;
      if (kind != kEnd || done)
        out.write(ResultWord{done ? kind : ap_uint<2>(kValue), word.values});
      ++taken;
      if (taken == kBurst || kind == kEnd) {
        taken = 0;
        ++source;
      }
      end_cycle();
    } while (!done);
  } while (kind != kEnd);
}

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
                    hls::stream<ActivationWord>& hidden, hls::stream<ActivationWord>& outputs) {
  // Of each layer in this run so far: from the first vector on, whatever was there before.
  static saturated_t saturated[kLayers];
#pragma HLS BIND_STORAGE variable = saturated type = ram_s2p impl = lutram
  Command command = {kStop, 0, 0, 0, 0, 0};
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
            hidden.write(activations);
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
