// What the control unit knows of the resident network: its layers, and what follows from all of
// them.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! What the control unit knows of a layer: a LAYER record.
struct LayerDescriptor {
  ap_uint<17> columns;
  //! Results that it gives: a quarter of its rows where four gates make one.
  layer_rows_t results;
  ap_uint<24> pointer_word;
  row_t local_rows;
  //! Where the held words that it takes begin in a lane.
  held_t source;
  //! Where what arrives for it is held, if it is.
  held_t hold;
  ap_uint<kFunctionBits> function;
  ap_uint<kSlopeBits> slope;
};

//! A number of held words that a layer takes.
typedef ap_uint<bits_for(kMostColumns / kLanes + 1)> held_words_t;

//! What of the layers decides about the next iteration of a run. In registers: a memory, of LUTs as
//! well, answers a cycle after it is asked, and an iteration would take two.
struct LayersInRegisters {
  //! Which of them are followed by one that adds to the same sums.
  ap_uint<kLayers> accumulate;
  //! Which of them take held words that are their own results of the vector before.
  ap_uint<kLayers> recurrent;
  //! Of which of them is held what arrives, from the layer before or the packet.
  ap_uint<kLayers> hold;
};
//! How many held words each of them takes; 0 if it takes what arrives.
typedef held_words_t held_words_of_t[kLayers];

//! A token without activations, as a word.
inline WordToken pass_token(const Token& token) {
#pragma HLS INLINE
  return word_token(token.kind, 0, 0, 0, 0, token.data);
}

//! Words of `hidden`.
typedef ap_uint<bits_for(kHiddenWords + 1)> hidden_count_t;

//! Words that hold `activations` activations.
inline word_count_t words_of(layer_rows_t activations) {
#pragma HLS INLINE
  return word_count_t((activations + kLanes - 1) / kLanes);
}

//! What the control unit knows of the resident network, but for its layers.
struct NetworkShape {
  //! Lanes that its vectors have, and held words of each.
  ap_uint<5> lanes;
  held_t stride;
  //! Words of its longest results that come back, of a whole group.
  hidden_count_t longest;
  //! How many layers' results come back to be taken.
  layer_t hidden_layers;
  //! Its last layer, and its last recurrent one.
  layer_t last;
  layer_t last_recurrent;
  //! Where the last layer's results are held.
  held_t hold;
};

//! Keep the layer descriptors of a load, and pass them on: PEs keep what is for them. `network` is
//! the second beat of the NETWORK record.
inline NetworkShape load_layers(hls::stream<Token>& tokens, hls::stream<WordToken>& words,
                                LayerDescriptor (&layers)[kLayers], LayersInRegisters& in_registers,
                                held_words_of_t& takes, beat_t network, section_beats_t beats) {
#pragma HLS INLINE
  using namespace packet;
  beat_t record[kLayerBeats];
#pragma HLS ARRAY_PARTITION variable = record complete
  ap_uint<3> position = 0;
  ap_uint<9> count = 0;
  NetworkShape shape = {
      field<5>(network, kNetworkLanesLow), held_t(network >> kNetworkStrideLow), 0, 0, 0, 0, 0};
  // Of what arrives for the next layer: whether and where it is held, and how many words come back
  // for it. Behind the last layer nothing does, unless it is recurrent.
  ap_uint<1> holds = field<1>(network, kNetworkHoldLow);
  held_t hold = held_t(network >> kNetworkHoldBaseLow);
  hidden_count_t back = 0;
layers:
  for (section_beats_t beat = 0; beat < beats; ++beat) {
#pragma HLS PIPELINE II = 1
    const Token token = tokens.read();
    words.write(pass_token(token));
    record[position] = token.data;
    if (position == kLayerBeats - 1) {
      const ap_uint<kLayerFunctionBits> function =
          field<kLayerFunctionBits>(record[kLayerFunctionBeat], kLayerFunctionLow);
      const layer_rows_t rows = field<25>(record[kLayerRowsBeat], kLayerRowsLow);
      const bool cell = kHasCell && (function == kFunctionLstm || function == kFunctionGru);
      LayerDescriptor descriptor;
      descriptor.columns = field<17>(record[kLayerColumnsBeat], kLayerColumnsLow);
      descriptor.results = cell ? layer_rows_t(rows >> 2) : rows;
      descriptor.pointer_word = field<24>(record[kLayerPointerBaseBeat], kLayerPointerBaseLow);
      descriptor.local_rows = field<17>(record[kLayerLocalRowsBeat], kLayerLocalRowsLow);
      descriptor.source = held_t(record[kLayerSourceBaseBeat] >> kLayerSourceBaseLow);
      descriptor.hold = hold;
      descriptor.function = ap_uint<kFunctionBits>(function);
      descriptor.slope = ap_uint<kSlopeBits>(record[kLayerSlopeBeat] >> kLayerSlopeLow);
      layers[layer_t(count)] = descriptor;
      const ap_uint<1> accumulates = field<1>(record[kLayerAccumulateBeat], kLayerAccumulateLow);
      const ap_uint<1> takes_held = field<1>(record[kLayerSourceBeat], kLayerSourceLow);
      in_registers.accumulate[layer_t(count)] = accumulates;
      in_registers.recurrent[layer_t(count)] = ap_uint<1>(cell);
      in_registers.hold[layer_t(count)] = holds;
      takes[layer_t(count)] =
          takes_held == 1 ? held_words_t(words_of(descriptor.columns)) : held_words_t(0);
      holds = field<1>(record[kLayerHoldBeat], kLayerHoldLow);
      hold = held_t(record[kLayerHoldBaseBeat] >> kLayerHoldBaseLow);
      if (back != 0) ++shape.hidden_layers;
      if (back > shape.longest) shape.longest = back;
      back = accumulates == 1 ? hidden_count_t(0)
                              : hidden_count_t(words_of(descriptor.results) * kAbreast);
      if (cell) {
        shape.last_recurrent = layer_t(count);
        if (back > shape.longest) shape.longest = back;
      }
      shape.last = layer_t(count);
      shape.hold = hold;
      ++count;
      position = 0;
    } else {
      ++position;
    }
    end_cycle();
  }
  return shape;
}

//! Where each lane's held words begin.
typedef held_t lane_bases_t[kMostLanes];

//! Lay the lanes out: each has `stride` words of every vector of a group.
inline void place_lanes(lane_bases_t& bases, held_t stride) {
#pragma HLS INLINE
  held_t base = 0;
lanes:
  for (int lane = 0; lane < kMostLanes; ++lane) {
#pragma HLS PIPELINE II = 1
    bases[lane] = base;
    base += stride * kAbreast;
    end_cycle();
  }
}

}  // namespace kernel
