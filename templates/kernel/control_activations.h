// The central control unit (paper section IV, "Central Control Unit"): whose turn it is.
//
// Several vectors are under way at once, so that the array has one to work on while it waits for
// the results of another. All that waits between layers is in one queue, `hidden`, and goes on in
// the order in which it comes back: as layers go out in some order and come back in the same, no
// vector overtakes another, and outputs are in order. Input vectors come straight from the packet
// and may be of any length; the last layer's results go straight to the sender.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! What the control unit knows of a layer: a LAYER record.
struct LayerDescriptor {
  ap_uint<17> columns;
  layer_rows_t rows;
  ap_uint<24> pointer_word;
  row_t local_rows;
};

//! The lanes of a word that are not zero. Non-zero means != 0: a test for > 0 would lose negative
//! activations, which inputs and layers without ReLU have.
inline ap_uint<kLanes> nonzero_lanes(word_t activations) {
#pragma HLS INLINE
  ap_uint<kLanes> nonzero = 0;
lanes:
  for (int lane = 0; lane < kLanes; ++lane) {
#pragma HLS UNROLL
    const ap_uint<kActivationBits> value = activations >> (lane * kActivationBits);
    if (value != 0) nonzero[lane] = 1;
  }
  return nonzero;
}

//! A token without activations, as a word.
inline WordToken pass_token(const Token& token) {
#pragma HLS INLINE
  return WordToken{token.kind, 0, 0, 0, 0, token.data};
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
  ap_uint<9> layers;
  //! Words of its longest hidden vector.
  hidden_count_t longest;
};

//! Keep the layer descriptors of a load, and pass them on: PEs keep what is for them.
inline NetworkShape load_layers(hls::stream<Token>& tokens, hls::stream<WordToken>& words,
                                LayerDescriptor (&layers)[kLayers], ap_uint<32> beats) {
#pragma HLS INLINE
  beat_t record[packet::kLayerBeats];
#pragma HLS ARRAY_PARTITION variable = record complete
  ap_uint<2> position = 0;
  NetworkShape shape = {0, 0};
layers:
  for (ap_uint<32> beat = 0; beat < beats; ++beat) {
#pragma HLS PIPELINE II = 1
    using namespace packet;
    const Token token = tokens.read();
    words.write(pass_token(token));
    record[position] = token.data;
    if (position == kLayerBeats - 1) {
      LayerDescriptor descriptor;
      descriptor.columns = field<17>(record[kLayerColumnsBeat], kLayerColumnsLow);
      descriptor.rows = field<25>(record[kLayerRowsBeat], kLayerRowsLow);
      descriptor.pointer_word = field<24>(record[kLayerPointerBaseBeat], kLayerPointerBaseLow);
      descriptor.local_rows = field<17>(record[kLayerLocalRowsBeat], kLayerLocalRowsLow);
      layers[layer_t(shape.layers)] = descriptor;
      const hidden_count_t length = hidden_count_t(words_of(descriptor.columns));
      if (shape.layers != 0 && length > shape.longest) shape.longest = length;
      ++shape.layers;
      position = 0;
    } else {
      ++position;
    }
    end_cycle();
  }
  return shape;
}

//! Take `batch` vectors through all layers: one flat loop, a word an iteration.
//!
//! Between layers it polls, and within one it waits for words that come whatever it holds: those of
//! an input vector from the packet, those of a hidden one from a layer of which it has sent all. So
//! no end of a layer stays in its pipeline for good.
inline void run_batch(hls::stream<InputWord>& inputs, hls::stream<HiddenWord>& hidden,
                      hls::stream<WordToken>& words, hls::stream<Command>& commands,
                      const LayerDescriptor (&layers)[kLayers], const NetworkShape& shape,
                      ap_uint<32> batch) {
#pragma HLS INLINE
  ap_uint<32> to_start = batch;
  ap_uint<32> to_end = batch;
  // Words of `hidden` that no vector under way may come to need: so it is never full, and results
  // can always leave the PEs.
  hidden_count_t room = kHiddenWords;
  // What decides about the next iteration is known in registers: whether there is more to do, and
  // whether a vector waits to begin and finds room.
  bool more = batch != 0;
  bool last_vector = batch == 1;
  bool waiting = more;
  bool has_room = true;
  // Turns of hidden vectors until a new one has precedence: as many as there are hidden layers, so
  // that new vectors begin at even distances, and layers with more work and with less take turns.
  ap_uint<9> turns = 0;
  bool within = false;
  bool from_packet = false;
  layer_t layer = 0;
  address_t address = 0;
  // How many layers have had a turn yet.
  ap_uint<9> reached = 0;
run:
  while (more) {
#pragma HLS PIPELINE II = 1
    bool begins = false;
    if (!within) {
      const bool fresh = waiting && has_room && !inputs.empty();
      const bool back = !hidden.empty();
      begins = fresh || back;
      from_packet = fresh && (turns == 0 || !back);
    }
    if (begins || within) {
      word_t activations = 0;
      layer_t before = 0;
      bool last = false;
      bool goes_out = false;
      if (from_packet) {
        const InputWord word = inputs.read();
        activations = word.values;
        last = word.last == 1;
        goes_out = shape.layers == 1;
      } else {
        const HiddenWord word = hidden.read();
        activations = word.values;
        before = word.layer;
        last = word.last == 1;
        goes_out = word.goes_out == 1;
      }
      const bool starts = begins && from_packet;
      const bool ends = last && goes_out;
      if (begins) {
        layer = from_packet ? layer_t(0) : layer_t(before + 1);
        if (from_packet) {
          turns = shape.layers - 1;
        } else if (turns != 0) {
          --turns;
        }
      }
      if (starts) {
        waiting = to_start != 1;
        --to_start;
      }
      if (ends) {
        more = !last_vector;
        last_vector = to_end == 2;
        --to_end;
      }
      if (starts && !ends) {
        has_room = room >= 2 * shape.longest;
        room -= shape.longest;
      } else if (ends && !starts) {
        has_room = true;
        room += shape.longest;
      }
      within = !last;

      const LayerDescriptor descriptor = layers[layer];
      if (begins) address = address_t(descriptor.pointer_word * kColumnsPerPointerWord);
      // Lanes of a vector's last word that hold activations. Others may not be zero: in a damaged
      // packet, or where a load says that padding rows have biases.
      const ap_uint<4> spare = last ? ap_uint<4>(0 - descriptor.columns) : ap_uint<4>(0);
      const ap_uint<kLanes> lanes = ap_uint<kLanes>(-1) >> spare;
      words.write(WordToken{kWord, ap_uint<1>(last), nonzero_lanes(activations) & lanes, layer,
                            address, activations});
      address += kLanes;
      if (last) {
        // Together with the layer's end, or one waits for the other. That is safe: what fills
        // `commands` are earlier layers, whose ends are on their way.
        const bool first = layer == reached;
        commands.write(Command{
            goes_out ? kToOutput : kToHidden, word_count_t(descriptor.local_rows * kPes / kLanes),
            words_of(descriptor.rows), ap_uint<4>(0 - descriptor.rows), ap_uint<8>(layer),
            ap_uint<1>(first), ap_uint<1>(layer + 2 == shape.layers)});
        if (first) ++reached;
      }
    }
    end_cycle();
  }
  // In PEs this waits for the rows of the last layer, which has left before.
  words.write(pass_token(Token{kRunDone, 0}));
  // It waits for room at most; the last layer's end, which makes room, has left before.
  commands.write(Command{kRunEnd, shape.layers, shape.layers, 0, 0, ap_uint<1>(batch == 0), 0});
  end_cycle();
}

//! The control unit: pass tokens on, run layers.
inline void control_activations(hls::stream<Token>& tokens, hls::stream<InputWord>& inputs,
                                hls::stream<HiddenWord>& hidden, hls::stream<WordToken>& words,
                                hls::stream<Command>& commands) {
  static LayerDescriptor layers[kLayers];
// A word for each layer, read once a cycle: it would fill a block RAM's width and none of its
// depth.
#pragma HLS AGGREGATE variable = layers compact = bit
#pragma HLS BIND_STORAGE variable = layers type = ram_s2p impl = lutram
  static NetworkShape shape = {0, 0};

  bool running = true;
packet:
  while (running) {
    const Token token = tokens.read();
    const ap_uint<32> length =
        field<packet::kSectionLengthBits>(token.data, packet::kSectionLengthLow);
    const bool is_layers = token.kind == kSection &&
                           field<packet::kSectionSectionBits>(
                               token.data, packet::kSectionSectionLow) == packet::kSectionLayers;
    // These may wait for each other, as in run_batch().
    words.write(pass_token(token));
    if (token.kind == kReport)
      commands.write(Command{kToOutput, kReportWords, kCounterWords, 0, 0, 0, 0});
    if (token.kind == kPacketEnd) commands.write(Command{kStop, 0, 0, 0, 0, 0, 0});
    end_cycle();
    if (is_layers) {
      shape = load_layers(tokens, words, layers, length);
    } else if (token.kind == kSection) {
    section:
      for (ap_uint<32> beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
        words.write(pass_token(tokens.read()));
        end_cycle();
      }
    } else if (token.kind == kRunBegin) {
      run_batch(inputs, hidden, words, commands, layers, shape, ap_uint<32>(token.data));
    }
    running = token.kind != kPacketEnd;
  }
}

}  // namespace kernel
