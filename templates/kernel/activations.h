// The central control unit with the activation memories (paper section IV, "Central Control Unit").
//
// For each vector and layer it sends the activations out, word by word, and takes the results of
// hidden layers back in. The first layer's activations come straight from the packet, so an input
// vector is computed on while it arrives and may be of any length; the last layer's results go
// straight to the sender. Only hidden vectors live in the two memories, source and destination,
// which swap after each layer.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! What the control unit knows of a layer: a LAYER record.
struct LayerDescriptor {
  ap_uint<17> columns;
  layer_rows_t rows;
  ap_uint<24> pointer_word;
  row_t bias_base;
  row_t local_rows;
  ap_uint<6> shift;
  ap_uint<1> relu;
};

//! A word of activations with its non-zero lanes. Non-zero means != 0: a test for > 0 would lose
//! negative activations, which inputs and layers without ReLU have.
inline WordToken make_word(word_t activations) {
#pragma HLS INLINE
  WordToken token = {kWord, 0, activations};
  ap_uint<kLanes> nonzero = 0;
lanes:
  for (int lane = 0; lane < kLanes; ++lane) {
#pragma HLS UNROLL
    const ap_uint<kActivationBits> value = activations >> (lane * kActivationBits);
    if (value != 0) nonzero[lane] = 1;
  }
  token.nonzero = nonzero;
  return token;
}

//! A token without activations, as a word.
inline WordToken pass_token(const Token& token) {
#pragma HLS INLINE
  return WordToken{token.kind, 0, token.data};
}

//! Keep the layer descriptors of a load.
inline void load_layers(hls::stream<Token>& tokens, LayerDescriptor (&layers)[kLayers],
                        ap_uint<32> beats) {
#pragma HLS INLINE
  beat_t record[packet::kLayerBeats];
#pragma HLS ARRAY_PARTITION variable = record complete
  ap_uint<2> position = 0;
  ap_uint<9> layer = 0;
layers:
  for (ap_uint<32> beat = 0; beat < beats; ++beat) {
#pragma HLS PIPELINE II = 1
    using namespace packet;
    record[position] = tokens.read().data;
    if (position == kLayerBeats - 1) {
      LayerDescriptor descriptor;
      descriptor.columns = field<17>(record[kLayerColumnsBeat], kLayerColumnsLow);
      descriptor.rows = field<25>(record[kLayerRowsBeat], kLayerRowsLow);
      descriptor.pointer_word = field<24>(record[kLayerPointerBaseBeat], kLayerPointerBaseLow);
      descriptor.bias_base = field<17>(record[kLayerBiasBaseBeat], kLayerBiasBaseLow);
      descriptor.local_rows = field<17>(record[kLayerLocalRowsBeat], kLayerLocalRowsLow);
      descriptor.shift = field<6>(record[kLayerShiftBeat], kLayerShiftLow);
      descriptor.relu = field<1>(record[kLayerReluBeat], kLayerReluLow);
      layers[layer] = descriptor;
      ++layer;
      position = 0;
    } else {
      ++position;
    }
    end_cycle();
  }
}

//! Put the beats of an input vector together to words and send them out.
inline void send_input(hls::stream<Token>& tokens, hls::stream<WordToken>& words,
                       ap_uint<17> columns) {
#pragma HLS INLINE
  const ap_uint<17> beats = (columns + kActivationsPerBeat - 1) / kActivationsPerBeat;
  // What fills up the last beat is no activation, and in a damaged packet it is not even zero.
  const ap_uint<2> spare = ap_uint<2>(0 - columns);
  const beat_t last_beat = beat_t(-1) >> ap_uint<6>(spare * ap_uint<5>(kActivationBits));
  word_t word = 0;
  ap_uint<2> place = 0;
input:
  for (ap_uint<17> beat = 0; beat < beats; ++beat) {
#pragma HLS PIPELINE II = 1
    const bool last = beat == beats - 1;
    const beat_t data = tokens.read().data & (last ? last_beat : beat_t(-1));
    word |= word_t(data) << ap_uint<8>(place * ap_uint<7>(kBeatBits));
    if (place == kBeatsPerWord - 1 || last) {
      words.write(make_word(word));
      word = 0;
      place = 0;
    } else {
      ++place;
    }
    end_cycle();
  }
}

//! Words that hold `activations` activations.
inline word_count_t words_of(layer_rows_t activations) {
#pragma HLS INLINE
  return word_count_t((activations + kLanes - 1) / kLanes);
}

//! Take `batch` vectors through all layers.
inline void run_batch(hls::stream<Token>& tokens, hls::stream<ActivationWord>& hidden,
                      hls::stream<WordToken>& words, hls::stream<Command>& commands,
                      const LayerDescriptor (&layers)[kLayers], ap_uint<9> layer_count,
                      word_t (&memory)[2][kHiddenWords], ap_uint<32> batch) {
#pragma HLS INLINE
  ap_uint<1> source = 0;
vectors:
  for (ap_uint<32> vector = 0; vector < batch; ++vector) {
  layers:
    for (ap_uint<9> layer = 0; layer < layer_count; ++layer) {
      const LayerDescriptor descriptor = layers[layer];
      const bool first = layer == 0;
      const bool last = layer == layer_count - 1;

      words.write(
          pass_token(Token{kLayerBegin, make_layer_begin(ap_uint<8>(layer), descriptor.pointer_word,
                                                         descriptor.local_rows)}));
      end_cycle();
      if (first) {
        send_input(tokens, words, descriptor.columns);
      } else {
        const word_count_t count = words_of(descriptor.columns);
        // Lanes of the last word that hold rows. Padding rows, behind them, are zero in every load
        // that a packer makes, and no activations whatever a load says.
        const ap_uint<4> spare = ap_uint<4>(0 - descriptor.columns);
        const ap_uint<kLanes> last_lanes = ap_uint<kLanes>(-1) >> spare;
      source:
        for (word_count_t word = 0; word < count; ++word) {
#pragma HLS PIPELINE II = 1
          WordToken token = make_word(memory[source][word]);
          if (word == count - 1) token.nonzero &= last_lanes;
          words.write(token);
          end_cycle();
        }
      }
      words.write(
          pass_token(Token{kLayerEnd, make_layer_end(descriptor.local_rows, descriptor.bias_base,
                                                     descriptor.shift, descriptor.relu)}));
      const word_count_t keep = words_of(descriptor.rows);
      commands.write(Command{
          last ? kToOutput : kToHidden, word_count_t(descriptor.local_rows * kPes / kLanes), keep,
          ap_uint<4>(0 - descriptor.rows), ap_uint<8>(layer), ap_uint<1>(vector == 0)});
      end_cycle();

      // The results come back only when every PE is done with the layer, so each layer has the
      // whole of the one before. The next vector's first layer does not wait for the last results.
      //
      // They come only once the end and the command above have left, and it is the loop that makes
      // sure of that: accesses to unrelated streams within a state go together or not at all. So
      // may end and command, which is safe: what fills `commands` are earlier layers, whose ends
      // are on their way.
      if (!last) {
      destination:
        for (word_count_t word = 0; word < keep; ++word) {
#pragma HLS PIPELINE II = 1
          memory[1 - source][word] = hidden.read().values;
          end_cycle();
        }
        source = 1 - source;
      }
    }
  }
  // It waits for room at most; the last layer's end, which makes room, has left before.
  commands.write(Command{kRunEnd, layer_count, layer_count, 0, 0, ap_uint<1>(batch == 0)});
  end_cycle();
}

//! The control unit: pass tokens on, run layers.
inline void control_activations(hls::stream<Token>& tokens, hls::stream<ActivationWord>& hidden,
                                hls::stream<WordToken>& words, hls::stream<Command>& commands) {
  static LayerDescriptor layers[kLayers];
// A word for each layer, read once a layer: it would fill a block RAM's width and none of its
// depth.
#pragma HLS AGGREGATE variable = layers compact = bit
#pragma HLS BIND_STORAGE variable = layers type = ram_s2p impl = lutram
  static ap_uint<9> layer_count = 0;
  static word_t memory[2][kHiddenWords];
#pragma HLS ARRAY_PARTITION variable = memory dim = 1 complete
#pragma HLS BIND_STORAGE variable = memory type = ram_s2p impl = bram

  bool running = true;
packet:
  while (running) {
    const Token token = tokens.read();
    const ap_uint<32> length =
        field<packet::kSectionLengthBits>(token.data, packet::kSectionLengthLow);
    const bool is_layers = token.kind == kSection &&
                           field<packet::kSectionSectionBits>(
                               token.data, packet::kSectionSectionLow) == packet::kSectionLayers;
    if (is_layers) {
      layer_count = ap_uint<9>(length / packet::kLayerBeats);
      end_cycle();
      load_layers(tokens, layers, length);
    } else {
      // These may wait for each other, too, as in run_batch().
      words.write(pass_token(token));
      if (token.kind == kReport)
        commands.write(Command{kToOutput, kReportWords, kCounterWords, 0, 0, 0});
      if (token.kind == kPacketEnd) commands.write(Command{kStop, 0, 0, 0, 0, 0});
      end_cycle();
      if (token.kind == kSection) {
      section:
        for (ap_uint<32> beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
          words.write(pass_token(tokens.read()));
          end_cycle();
        }
      } else if (token.kind == kRunBegin) {
        run_batch(tokens, hidden, words, commands, layers, layer_count, memory,
                  ap_uint<32>(token.data));
      }
    }
    running = token.kind != kPacketEnd;
  }
}

}  // namespace kernel
