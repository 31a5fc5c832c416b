// What a load must agree on with itself and with the design, checked while it arrives.
//
// The CRC protects a load on its way, not from a host that sends nonsense. A load that contradicts
// itself is refused; of one that is let through, every address that a run makes lies within its
// memory, and every loop ends. docs/reference/packets.md of eie lists what must agree;
// hls/model/load_check.py is the same in numpy, and the two agree on every load.
//
// Comparisons and a few running sums, of which one is carried from beat to beat: a beat a cycle, as
// without them.
// Nothing waits for their outcome before the end of the packet.
#pragma once

#include "pointers.h"
#include "types.h"

namespace kernel {

//! Numbers that follow from others in a load; one bit more than a field has, so that they hold what
//! follows from any field.
typedef ap_uint<33> count_t;

//! How many groups of kSize, a power of two, hold `count`.
template <unsigned int kSize>
inline count_t groups_of(ap_uint<32> count) {
#pragma HLS INLINE
  return count_t(count + (kSize - 1)) / kSize;
}

//! Local rows of a layer of `rows` rows: every PE and every word full.
inline count_t rows_in_each_pe(ap_uint<32> rows) {
#pragma HLS INLINE
  constexpr unsigned int kAlignment = kPes > kLanes ? kPes : kLanes;
  return groups_of<kAlignment>(rows) * (kAlignment / kPes);
}

//! Whether a layer's results are the state that it takes.
inline bool is_recurrent(ap_uint<8> function) {
#pragma HLS INLINE
  return function == packet::kFunctionLstm || function == packet::kFunctionGru;
}

//! What is known of a load so far.
struct LoadCheck {
  //! Whether nothing in it contradicts anything.
  bool sound;
  //! The kind of the section under way, and the beat's place: in a LAYER record, or modulo eight.
  ap_uint<8> section;
  ap_uint<3> place;
  //! Of the layer under way or the last one. No layer has come yet where `rows` is 0.
  ap_uint<32> columns;
  ap_uint<32> rows;
  ap_uint<32> local_rows;
  //! Results that it gives, and whether it does not, as the next layer adds to its sums.
  ap_uint<32> results;
  ap_uint<8> function;
  bool accumulates;
  //! Whether the layer before accumulates, and its rows and results.
  bool follows;
  ap_uint<32> rows_before;
  ap_uint<32> results_before;
  //! Whether its results must find room in `hidden` if another layer follows.
  bool too_long;
  //! Held words of a lane, and whether there are any.
  ap_uint<16> stride;
  bool lanes;
  //! Words of the inputs that are held at the first layer, if they are, and whether a run may begin
  //! and end with the layer under way.
  bool holds_inputs;
  ap_uint<16> input_base;
  ap_uint<1> begins;
  ap_uint<1> ends;
  //! Layers so far that are recurrent.
  recurrent_count_t recurrent;
  //! What the layers so far take in each PE.
  ap_uint<32> pointer_words;
  ap_uint<32> biases;
  //! One past the last entry that the pointers of the PE under way reach.
  ap_uint<32> entries;
};

//! Whether `words` held words from `base` on lie within a lane.
inline bool lies_within(const LoadCheck& check, ap_uint<16> base, count_t words) {
#pragma HLS INLINE
  return check.lanes && count_t(base) + words <= check.stride;
}

//! Start with a load's NETWORK record. No layer has come, and none of its numbers is wrong yet.
inline LoadCheck start_check(ap_uint<32> network_id, beat_t network_high) {
#pragma HLS INLINE
  using namespace packet;
  // Field by field: an ap_uint that is given nothing, by {} either, holds anything in synthesis.
  LoadCheck check;
  check.section = 0;
  check.place = 0;
  check.columns = 0;
  check.rows = 0;
  check.local_rows = 0;
  check.results = 0;
  check.function = kFunctionLinear;
  check.accumulates = false;
  check.follows = false;
  check.rows_before = 0;
  check.results_before = 0;
  check.too_long = false;
  check.begins = 0;
  check.ends = 0;
  check.recurrent = 0;
  check.pointer_words = 0;
  check.biases = 0;
  check.entries = 0;
  // A network of that number could not be told from none.
  check.sound = network_id != 0;
  const ap_uint<8> count = field<kNetworkLanesBits>(network_high, kNetworkLanesLow);
  const ap_uint<8> hold = field<kNetworkHoldBits>(network_high, kNetworkHoldLow);
  check.lanes = count != 0;
  check.stride = field<kNetworkStrideBits>(network_high, kNetworkStrideLow);
  check.holds_inputs = hold == 1;
  check.input_base = field<kNetworkHoldBaseBits>(network_high, kNetworkHoldBaseLow);
  if (field<kNetworkReservedBits>(network_high, kNetworkReservedLow) != 0) check.sound = false;
  if (hold > 1 || count > kMostLanes) check.sound = false;
  // Once a load, so it may take its cycles. A lane has held words of each vector of its group.
  const ap_uint<24> held = ap_uint<24>(count) * check.stride;
#pragma HLS BIND_OP variable = held op = mul impl = dsp
  if (held > (kHolds ? kHeldWords / kAbreast : 0)) check.sound = false;
  if (check.lanes == (check.stride == 0)) check.sound = false;
  if (!check.holds_inputs && check.input_base != 0) check.sound = false;
  return check;
}

//! The head of a section that is in its place and fits its memory: its length is what layers and
//! pointers ask for.
inline void check_section(LoadCheck& check, beat_t head) {
#pragma HLS INLINE
  using namespace packet;
  const ap_uint<32> length = field<kSectionLengthBits>(head, kSectionLengthLow);
  check.section = field<kSectionSectionBits>(head, kSectionSectionLow);
  check.place = 0;
  if (check.section == kSectionPointers) {
    if (length != check.pointer_words * kPointerBeatsPerWord) check.sound = false;
    check.entries = 0;
  }
  if (check.section == kSectionBiases && length != check.biases) check.sound = false;
  if (check.section == kSectionEntries && length != groups_of<kEntriesPerWord>(check.entries))
    check.sound = false;
}

//! The first beat of a LAYER record: its size. A layer takes what the one before it gives, or what
//! is held; what follows a layer that accumulates has its rows.
inline void check_size(LoadCheck& check, beat_t beat) {
#pragma HLS INLINE
  using namespace packet;
  check.follows = check.accumulates;
  check.rows_before = check.rows;
  check.results_before = check.results;
  check.columns = field<kLayerColumnsBits>(beat, kLayerColumnsLow);
  check.rows = field<kLayerRowsBits>(beat, kLayerRowsLow);
  if (check.columns == 0 || check.rows == 0) check.sound = false;
  // The layer before was not the last one, so its results come back.
  if (check.too_long) check.sound = false;
  if (check.follows && check.rows != check.rows_before) check.sound = false;
}

//! Its second and third beat: where it lies, and what becomes of its sums.
inline void check_place(LoadCheck& check, beat_t beat) {
#pragma HLS INLINE
  using namespace packet;
  static_assert(kLayerPointerBaseBeat == kLayerBiasBaseBeat &&
                    kLayerLocalRowsBeat == kLayerShiftBeat &&
                    kLayerLocalRowsBeat == kLayerAccumulateBeat &&
                    kLayerLowBeat == kLayerHighBeat && kLayerLowBeat == kLayerSlopeBeat,
                "Fields are looked at with the beat that they share.");
  if (check.place == kLayerPointerBaseBeat) {
    if (field<kLayerPointerBaseBits>(beat, kLayerPointerBaseLow) != check.pointer_words)
      check.sound = false;
    check.pointer_words += pointer_words_of(check.columns);
    if (field<kLayerBiasBaseBits>(beat, kLayerBiasBaseLow) != check.biases) check.sound = false;
  }
  if (check.place == kLayerLocalRowsBeat) {
    check.local_rows = field<kLayerLocalRowsBits>(beat, kLayerLocalRowsLow);
    if (check.local_rows != rows_in_each_pe(check.rows) || check.local_rows > kRowsPerPe)
      check.sound = false;
    const ap_uint<8> accumulate = field<kLayerAccumulateBits>(beat, kLayerAccumulateLow);
    check.function = field<kLayerFunctionBits>(beat, kLayerFunctionLow);
    check.accumulates = accumulate == 1;
    const bool cell = is_recurrent(check.function);
    check.results = cell ? ap_uint<32>(check.rows >> 2) : check.rows;
    // Of a cell's results no words of padding rows only come back.
    const bool finds_room = cell ? groups_of<kLanes>(check.results) <= kHiddenWords
                                 : check.local_rows <= kHiddenActivations / kPes / kAbreast;
    check.too_long = !check.accumulates && !finds_room;
    if (cell) {
      ++check.recurrent;
      // Its results come back whether a layer follows or not.
      if (check.too_long || ap_uint<2>(check.rows) != 0) check.sound = false;
    }
    if (field<kLayerShiftBits>(beat, kLayerShiftLow) > kMostShift) check.sound = false;
    if (field<kLayerRoundingBits>(beat, kLayerRoundingLow) > (kBounds ? 1 : 0) || accumulate > 1)
      check.sound = false;
    if (check.function > (kHasCell ? kFunctionGru : kFunctionLinear)) check.sound = false;
    if (check.accumulates && check.function != kFunctionLinear) check.sound = false;
    if (!check.accumulates) check.biases += check.local_rows;
  }
  if (check.place == kLayerLowBeat) {
    const activation_t low = activation_t(field<kLayerLowBits>(beat, kLayerLowLow));
    const activation_t high = activation_t(field<kLayerHighBits>(beat, kLayerHighLow));
    if (low > high) check.sound = false;
    if (check.function != kFunctionLeakyRelu && field<kLayerSlopeBits>(beat, kLayerSlopeLow) != 0)
      check.sound = false;
    // A design without bounds knows a ReLU only.
    const activation_t most = activation_t((1u << (kActivationBits - 1)) - 1);
    if (!kBounds && (high != most || (low != 0 && low != -most - 1))) check.sound = false;
  }
}

//! Its last beat: what it takes, and what is held of it. `first` says that it is the first layer.
inline void check_holding(LoadCheck& check, beat_t beat, bool first) {
#pragma HLS INLINE
  using namespace packet;
  const ap_uint<8> source = field<kLayerSourceBits>(beat, kLayerSourceLow);
  const ap_uint<8> hold = field<kLayerHoldBits>(beat, kLayerHoldLow);
  const ap_uint<8> begins = field<kLayerBeginsBits>(beat, kLayerBeginsLow);
  const ap_uint<8> ends = field<kLayerEndsBits>(beat, kLayerEndsLow);
  const ap_uint<16> from = field<kLayerSourceBaseBits>(beat, kLayerSourceBaseLow);
  const ap_uint<16> to = field<kLayerHoldBaseBits>(beat, kLayerHoldBaseLow);
  const bool cell = is_recurrent(check.function);
  if (source > 1 || hold > 1 || begins > 1 || ends > 1) check.sound = false;
  if (source == 1) {
    if (first || begins == 1) check.sound = false;
    if (!lies_within(check, from, groups_of<kLanes>(check.columns))) check.sound = false;
  } else {
    if (check.follows || from != 0) check.sound = false;
    if (!first && check.columns != check.results_before) check.sound = false;
  }
  // A column's index has 16 bits.
  if (check.columns > kMostColumns) check.sound = false;
  if (hold == 1) {
    if (check.accumulates) check.sound = false;
    if (!lies_within(check, to, groups_of<kLanes>(check.results))) check.sound = false;
  } else if (to != 0) {
    check.sound = false;
  }
  // A state is what the layer gave a step ago.
  if (cell && (source != 1 || hold != 1 || from != to || check.columns != check.results))
    check.sound = false;
  if (first) {
    if (begins != 1) check.sound = false;
    if (check.holds_inputs &&
        !lies_within(check, check.input_base, groups_of<kLanes>(check.columns)))
      check.sound = false;
  }
  if (check.accumulates && ends != 0) check.sound = false;
  check.begins = ap_uint<1>(begins);
  check.ends = ap_uint<1>(ends);
}

//! A beat of a LAYER record. Layers lie one behind the other in every memory.
inline void check_layer(LoadCheck& check, beat_t beat, bool first) {
#pragma HLS INLINE
  using namespace packet;
  if (check.place == kLayerColumnsBeat) check_size(check, beat);
  check_place(check, beat);
  if (check.place == kLayerBeats - 1) {
    check_holding(check, beat, first);
    check.place = 0;
  } else {
    ++check.place;
  }
}

//! A beat of another section.
inline void check_data(LoadCheck& check, beat_t beat) {
#pragma HLS INLINE
  using namespace packet;
  // Code 0 stands for no weight.
  if (check.section == kSectionCodebooks && ap_uint<2>(check.place) == 0 && activation_t(beat) != 0)
    check.sound = false;
  if (check.section == kSectionPointers &&
      !pointers_follow(check.entries, check.place[0] == 1, beat))
    check.sound = false;
  // What an accumulator does not hold would be cut off.
  if (check.section == kSectionBiases && beat_t(ap_int<kBeatBits>(accumulator_t(beat))) != beat)
    check.sound = false;
  if (check.section == kSectionEntries) {
    constexpr int kLaneBits = kBeatBits / kEntriesPerWord;
    for (int lane = 0; lane < kEntriesPerWord; ++lane) {
#pragma HLS UNROLL
      const ap_uint<kLaneBits> entry = beat >> (lane * kLaneBits);
      if (ap_uint<kEntryBits>(entry) != entry) check.sound = false;
    }
  }
  ++check.place;
}

//! A beat of a section's contents.
inline void check_beat(LoadCheck& check, beat_t beat, bool first_layer) {
#pragma HLS INLINE
  if (check.section == packet::kSectionLayers) {
    check_layer(check, beat, first_layer);
  } else {
    check_data(check, beat);
  }
}

//! Whether a load of which all sections were there is sound: a run may end with its last layer.
inline bool is_sound(const LoadCheck& check) {
#pragma HLS INLINE
  return check.sound && check.ends == 1;
}

}  // namespace kernel
