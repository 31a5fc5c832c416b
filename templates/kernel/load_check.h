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

//! What is known of a load so far.
struct LoadCheck {
  //! Whether nothing in it contradicts anything.
  bool sound;
  //! The kind of the section under way, and the beat's place: in a LAYER record, or modulo four.
  ap_uint<8> section;
  ap_uint<2> place;
  //! Of the layer under way or the last one. No layer has come yet where `rows` is 0.
  ap_uint<32> columns;
  ap_uint<32> rows;
  ap_uint<32> local_rows;
  //! What the layers so far take in each PE.
  ap_uint<32> pointer_words;
  ap_uint<32> biases;
  //! One past the last entry that the pointers of the PE under way reach.
  ap_uint<32> entries;
};

//! Start with a load's NETWORK record. No layer has come, and none of its numbers is wrong yet.
inline LoadCheck start_check(ap_uint<32> network_id) {
#pragma HLS INLINE
  // A network of that number could not be told from none.
  return LoadCheck{network_id != 0, 0, 0, 0, 0, 0, 0, 0, 0};
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

//! A beat of a LAYER record. Layers lie one behind the other in every memory, and each takes what
//! the one before it gives.
inline void check_layer(LoadCheck& check, beat_t beat, ap_uint<32> input_beats) {
#pragma HLS INLINE
  using namespace packet;
  if (check.place == kLayerColumnsBeat) {
    check.columns = field<kLayerColumnsBits>(beat, kLayerColumnsLow);
    if (check.rows == 0) {
      if (check.columns == 0 || check.columns > kMostColumns) check.sound = false;
      if (groups_of<kActivationsPerBeat>(check.columns) != input_beats) check.sound = false;
    } else {
      // The layer before was not the last one, so its results are kept on the chip.
      if (check.columns != check.rows) check.sound = false;
      if (check.local_rows > kHiddenActivations / kPes) check.sound = false;
    }
  }
  if (check.place == kLayerRowsBeat) {
    check.rows = field<kLayerRowsBits>(beat, kLayerRowsLow);
    if (check.rows == 0) check.sound = false;
  }
  if (check.place == kLayerPointerBaseBeat) {
    if (field<kLayerPointerBaseBits>(beat, kLayerPointerBaseLow) != check.pointer_words)
      check.sound = false;
    check.pointer_words += pointer_words_of(check.columns);
  }
  if (check.place == kLayerLocalRowsBeat) {
    check.local_rows = field<kLayerLocalRowsBits>(beat, kLayerLocalRowsLow);
    if (check.local_rows != rows_in_each_pe(check.rows) || check.local_rows > kRowsPerPe)
      check.sound = false;
  }
  if (check.place == kLayerBiasBaseBeat &&
      field<kLayerBiasBaseBits>(beat, kLayerBiasBaseLow) != check.biases)
    check.sound = false;
  if (check.place == kLayerShiftBeat && field<kLayerShiftBits>(beat, kLayerShiftLow) > kMostShift)
    check.sound = false;
  if (check.place == kLayerReluBeat && field<kLayerReluBits>(beat, kLayerReluLow) > 1)
    check.sound = false;
  if (check.place == kLayerBeats - 1) {
    check.biases += check.local_rows;
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
  if (check.section == kSectionCodebooks && check.place == 0 && activation_t(beat) != 0)
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
inline void check_beat(LoadCheck& check, beat_t beat, ap_uint<32> input_beats) {
#pragma HLS INLINE
  if (check.section == packet::kSectionLayers) {
    check_layer(check, beat, input_beats);
  } else {
    check_data(check, beat);
  }
}

//! Whether a load of which all sections were there is sound: the last layer gives the outputs.
inline bool is_sound(const LoadCheck& check, ap_uint<32> output_beats) {
#pragma HLS INLINE
  return check.sound && groups_of<kActivationsPerBeat>(check.rows) == output_beats;
}

}  // namespace kernel
