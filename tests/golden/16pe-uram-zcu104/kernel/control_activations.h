// The central control unit (paper section IV, "Central Control Unit"): whose turn it is.
//
// Several vectors are under way at once, so that the array has one to work on while it waits for
// the results of another. All that comes back is in one queue, `hidden`, and goes on in the order
// in which it comes back: as layers go out in some order and come back in the same, no vector
// overtakes another, and outputs are in order. Input vectors come straight from the packet and may
// be of any length; the last layer's results go straight to the sender.
//
// A layer takes the words that arrive, as they arrive, or words that are held: of this vector from
// before, or of the vector before it in its lane. Layers that add to the same sums are one turn.
// All held words that a turn wants are there before it begins, or are held in it; so a turn waits
// for nothing but words that come whatever it holds.
//
// With several vectors abreast, what is said of a vector here is said of a group of them: one turn,
// one place among the layers, one lane, with held words of each.
#pragma once

#include "dataflow.h"
#include "group_order.h"
#include "layer_table.h"
#include "types.h"

namespace kernel {

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

//! A command that is about no results of a vector: its words go out.
inline Command mark(CommandKind kind, word_count_t words, word_count_t keep, ap_uint<8> layer) {
#pragma HLS INLINE
  const VectorTag no_vector = vector_tag(0, 0, 0, 0);
  return Command{kind, words, keep, 0, layer, true, 0, 0, no_vector, 0, 0, 0};
}

//! Take a run through its layers: one flat loop, a word an iteration.
//!
//! Between turns it polls, and within one it waits for words that come whatever it holds: those of
//! an input vector from the packet, those of a hidden one from a layer of which it has sent all. So
//! no end of a layer stays in its pipeline for good.
inline void run_batch(hls::stream<InputWord>& inputs, hls::stream<HiddenWord>& hidden,
                      hls::stream<WordToken>& words, hls::stream<Command>& commands,
                      const LayerDescriptor (&layers)[kLayers],
                      const LayersInRegisters& in_registers, const held_words_of_t& takes,
                      word_t (&held)[kHeldWords], const lane_bases_t& lane_bases,
                      const NetworkShape& shape, const RunBegin& run) {
#pragma HLS INLINE
  static_assert(kHeldLatency == 3, "The pragma below takes a distance as a number only.");
  const layer_t last_layer = run.first + run.more;
  Groups to_start = in_groups(run.batch);
  ap_uint<32> to_end = to_start.left;
  // Words of `hidden` that no vector under way may come to need: so it is never full, and results
  // can always leave the PEs.
  hidden_count_t room = kHiddenWords;
  // What decides about the next iteration is known in registers: whether there is more to do, and
  // whether a vector waits to begin and finds room.
  bool more = run.batch != 0;
  bool last_group = to_end == 1;
  bool waiting = more;
  bool has_room = true;
  // Turns of hidden vectors until a new one has precedence: as many as there are hidden layers, so
  // that new vectors begin at even distances, and layers with more work and with less take turns.
  layer_t turns = 0;
  // The next vector from the packet, and whether its tag has been read. Lanes with a vector under
  // way: the next one in such a lane has to wait.
  VectorTag next = vector_tag(0, true, true, 0);
  bool tag_known = run.tagged == 0;
  ap_uint<kHolds ? kMostLanes : 1> busy = 0;
  // The turn under way. First words arrive; then, for a layer that takes held words, these are
  // taken. A vector that is over but for its last results `finishes`: they are only held.
  bool within = false;
  bool arrives = false;
  bool from_packet = false;
  bool finishes = false;
  bool first_word = false;
  VectorTag vector = next;
  layer_t layer = 0;
  bool beyond_last = false;
  // Where in the group's words it is, and how far in those of one vector; where its own held words
  // begin behind those of the first.
  GroupOrder<kBlockWords> order = {0, 0};
  BlockIndex<address_t> address = {0, 0};
  BlockIndex<held_t> hold_at = {0, 0};
  BlockIndex<held_t> take_at = {0, 0};
  BlockIndex<held_words_t> words_left = {0, 0};
  held_t own_words = 0;
  // Iterations until what was held last may be read.
  ap_uint<2> settling = 0;
  // A vector ended in the iteration before, in this lane.
  bool ended = false;
  lane_t ended_lane = 0;
run:
  while (more) {
#pragma HLS PIPELINE II = 1
    // Whose turn it is.
    bool begins = false;
    if (!within) {
      const bool free = tag_known && (!kHolds || busy[next.lane] == 0);
      const bool fresh = waiting && has_room && free && !inputs.empty();
      const bool back = !hidden.empty();
      begins = fresh || back;
      from_packet = fresh && (turns == 0 || !back);
      arrives = true;
    }
    const bool arriving = begins || (within && arrives);
    const bool taking = kHolds && within && !arrives && !(first_word && settling != 0);

    // What arrives: a word, or the next vector's tag.
    word_t activations = 0;
    bool last = false;
    layer_t before = 0;
    const bool reads_word = arriving && from_packet;
    const bool reads_tag = kHolds && waiting && !tag_known && !reads_word && !inputs.empty();
    InputWord input = {0, 0};
    if (reads_word || reads_tag) input = inputs.read();
    if (reads_word) {
      activations = input.values;
      last = input.last == 1;
      if (begins) {
        vector = vector_tag(next.lane, next.start, next.output, others_of(to_start));
        finishes = false;
      }
    } else if (arriving) {
      const HiddenWord word = hidden.read();
      activations = word.values;
      last = word.last == 1;
      before = word.layer;
      if (begins) {
        vector = word.vector;
        finishes = word.final == 1;
      }
    }
    if (begins) {
      beyond_last = kHolds && !from_packet && before == shape.last;
      layer = from_packet ? run.first : beyond_last ? before : layer_t(before + 1);
      first_word = true;
    }
    const LayerDescriptor descriptor = layers[layer];
    const bool recurrent = kHasCell && in_registers.recurrent[layer] == 1;
    const held_words_t held_words = kHolds ? takes[layer] : held_words_t(0);
    const bool takes_held = held_words != 0;
    const bool accumulates = kHolds && in_registers.accumulate[layer] == 1;
    const held_t base = kHolds ? lane_bases[vector.lane] : held_t(0);
    if (taking) {
      if (first_word) {
        const held_t source = base + descriptor.source;
        take_at = {source, source};
        words_left = {held_words, held_words};
      }
      if (!(recurrent && vector.start == 1)) activations = held[held_t(take_at.at + own_words)];
      last = words_left.at == 1;
    }
    // Of the vector that is; of the whole group where all vectors have had their turn.
    const bool block_ends = ends_turn(order, last);
    const bool last_vector = is_last_vector(order, others_of(vector));
    const bool all_last = last && last_vector;
    if (taking) {
      advance(take_at, 1, block_ends, last_vector);
      advance(words_left, -1, block_ends, last_vector);
    }
    // Held as it passes.
    const bool holding = kHolds && arriving && (beyond_last || in_registers.hold[layer] == 1);
    if (begins) {
      const held_t hold = base + (beyond_last ? shape.hold : descriptor.hold);
      hold_at = {hold, hold};
    }
    if (holding) {
      held[held_t(hold_at.at + own_words)] = activations;
      advance(hold_at, 1, block_ends, last_vector);
      settling = kHeldLatency;
    } else if (settling != 0) {
      --settling;
    }

    // What goes out.
    const bool sends = taking || (arriving && !finishes && !takes_held);
    if (sends) {
      if (first_word) {
        const address_t first = address_t(descriptor.pointer_word * kColumnsPerPointerWord);
        address = {first, first};
      }
      // Lanes of a vector's last word that hold activations. Others may not be zero: in a damaged
      // packet, or where a load says that padding rows have biases.
      const ap_uint<4> spare = last ? ap_uint<4>(0 - descriptor.columns) : ap_uint<4>(0);
      const ap_uint<kLanes> lanes = ap_uint<kLanes>(-1) >> spare;
      const WordToken word =
          word_token(kWord, ap_uint<1>(all_last), nonzero_lanes(activations) & lanes, layer,
                     address.at, activations);
      words.write(with_marks(word, GroupMarks{ap_uint<1>(block_ends), ap_uint<1>(last_vector)}));
      advance(address, kLanes, block_ends, last_vector);
    }
    if (arriving || taking) {
      advance(order, block_ends, last_vector);
      if (block_ends) own_words = last_vector ? held_t(0) : held_t(own_words + shape.stride);
    }
    const bool is_over = all_last && (finishes || (sends && !accumulates));
    const bool final = vector.output == 1 ? layer == last_layer : layer == shape.last_recurrent;
    const bool back = !final || recurrent;
    if (is_over && !finishes) {
      // Together with the layer's end, or one waits for the other. That is safe: what fills
      // `commands` are earlier layers, whose ends are on their way.
      commands.write(Command{kResults, word_count_t(descriptor.local_rows * kPes / kLanes),
                             words_of(descriptor.results), ap_uint<4>(0 - descriptor.results),
                             ap_uint<8>(layer), ap_uint<1>(final && vector.output == 1),
                             ap_uint<1>(back), ap_uint<1>(final), vector, descriptor.function,
                             descriptor.slope, held_t(base + descriptor.source)});
    }

    // The books: what starts now, and what ended an iteration ago.
    const bool starts = begins && from_packet;
    if (begins) {
      if (from_packet) {
        turns = shape.hidden_layers;
      } else if (turns != 0) {
        --turns;
      }
    }
    if (starts) {
      waiting = to_start.left != 1;
      --to_start.left;
    }
    if (ended) {
      more = !last_group;
      last_group = to_end == 2;
      --to_end;
    }
    if (starts && !ended) {
      has_room = room >= 2 * shape.longest;
      room -= shape.longest;
    } else if (ended && !starts) {
      has_room = true;
      room += shape.longest;
    }
    if (kHolds) {
      if (ended) busy[ended_lane] = 0;
      if (starts && shape.lanes != 0) busy[vector.lane] = 1;
      if (reads_tag) {
        next = tag_of(beat_t(input.values));
        tag_known = true;
      } else if (starts) {
        next.lane = ap_uint<5>(next.lane + 1) >= shape.lanes ? lane_t(0) : lane_t(next.lane + 1);
        tag_known = run.tagged == 0;
      }
    }
    ended = is_over && (finishes || !back);
    ended_lane = vector.lane;
    if (kHolds && all_last && sends && accumulates) ++layer;
    if (begins || within) within = !is_over;
    if (kHolds && all_last) arrives = false;
    if (sends) first_word = all_last;
    end_cycle();
  }
  // In PEs this waits for the rows of the last layer, which has left before.
  words.write(pass_token(Token{kRunDone, 0}));
  // It waits for room at most; the last layer's end, which makes room, has left before.
  const word_count_t counts = word_count_t(run.more) + 1;
  commands.write(mark(kRunEnd, counts, counts, run.first));
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
  static NetworkShape shape = {0, 0, 0, 0, 0, 0, 0};
  static LayersInRegisters in_registers = {0, 0, 0};
  // Nothing is held in this design: these are never touched.
  held_words_of_t takes;
  word_t held[kHeldWords];
  lane_bases_t lane_bases;
  static beat_t network = 0;

  bool running = true;
packet:
  while (running) {
    const Token token = tokens.read();
    const section_beats_t length = section_beats_t(token.data >> packet::kSectionLengthLow);
    const bool is_layers = token.kind == kSection &&
                           field<packet::kSectionSectionBits>(
                               token.data, packet::kSectionSectionLow) == packet::kSectionLayers;
    if (token.kind == kLoadBegin) network = token.data;
    // These may wait for each other, as in run_batch().
    words.write(pass_token(token));
    if (token.kind == kReport) commands.write(mark(kTable, kReportWords, kCounterWords, 0));
    if (token.kind == kPacketEnd) commands.write(mark(kStop, 0, 0, 0));
    end_cycle();
    if (is_layers) {
      shape = load_layers(tokens, words, layers, in_registers, takes, network, length);
      if (kHolds) place_lanes(lane_bases, shape.stride);
    } else if (token.kind == kSection) {
    section:
      for (section_beats_t beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
        words.write(pass_token(tokens.read()));
        end_cycle();
      }
    } else if (token.kind == kRunBegin) {
      run_batch(inputs, hidden, words, commands, layers, in_registers, takes, held, lane_bases,
                shape, run_of(token.data));
    }
    running = token.kind != kPacketEnd;
  }
}

}  // namespace kernel
