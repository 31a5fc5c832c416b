// Where the entries of a column lie, in less memory than the paper's: one pointer for eight
// columns, and the short length of each.
#pragma once

#include "types.h"

namespace kernel {

//! The lengths of the columns that share a pointer, the first one in the lowest bits.
typedef ap_uint<kColumnsPerPointerWord * kLengthBits> lengths_t;

// The column pointers of a PE. Both memories are read once a cycle, at the same place.
typedef pointer_t bank_0_t[kPointerWordsPerPe];  //!< The pointers.
typedef lengths_t bank_1_t[kPointerWordsPerPe];  //!< The lengths.

//! Whether a load has a base and its lengths in one beat, and the bits that it has for a length.
constexpr bool kOneBeat = kPointerBeatsPerWord == 1;
constexpr int kLengthLane = kOneBeat ? (kBeatBits - kBaseBits) / kColumnsPerPointerWord
                                     : kBeatBits / kColumnsPerPointerWord;

//! Words that a layer's pointers take.
inline ap_uint<32> pointer_words_of(ap_uint<32> columns) {
#pragma HLS INLINE
  return (columns >> 3) + (ap_uint<3>(columns) != 0 ? 1 : 0);
}

//! Whether a beat's base is `next`, and its lengths, which move that on, are none that would be cut
//! off. So entries lie one behind the other, and the last length's end bounds all.
inline bool pointers_follow(ap_uint<32>& next, bool second_beat, beat_t data) {
#pragma HLS INLINE
  bool follow = true;
  if (kOneBeat) follow = ap_uint<kBaseBits>(data) == next;
  if (!kOneBeat && !second_beat) return data == next;
  const beat_t lanes = kOneBeat ? beat_t(data >> kBaseBits) : data;
  // Added up first, so that what is carried from beat to beat takes a single addition.
  ap_uint<kLengthLane + 3> sum = 0;
  for (int column = 0; column < kColumnsPerPointerWord; ++column) {
#pragma HLS UNROLL
    const ap_uint<kLengthLane> length = lanes >> (column * kLengthLane);
    if (ap_uint<kLengthBits>(length) != length) follow = false;
    sum += length;
  }
  next += sum;
  return follow;
}

//! Keep beat `beat` of a section with pointers: a base and eight lengths of up to five bits; or, as
//! longer ones leave no room, a base in one beat and the lengths in the next.
inline void store_pointers(bank_0_t& bases, bank_1_t& lengths_of, ap_uint<32> beat, beat_t data) {
#pragma HLS INLINE
  const ap_uint<32> word = kOneBeat ? beat : ap_uint<32>(beat >> 1);
  const beat_t lanes = kOneBeat ? beat_t(data >> kBaseBits) : data;
  lengths_t lengths = 0;
  for (int column = 0; column < kColumnsPerPointerWord; ++column) {
#pragma HLS UNROLL
    const ap_uint<kLengthBits> length = lanes >> (column * kLengthLane);
    lengths |= lengths_t(length) << (column * kLengthBits);
  }
  if (kOneBeat || beat[0] == 0) bases[word] = pointer_t(data);
  if (kOneBeat || beat[0] == 1) lengths_of[word] = lengths;
}

//! The entries of the column whose length is at `address`: behind those of the columns before it
//! in its word. The sum of at most seven short numbers feeds nothing back, so it takes pipeline
//! stages and no cycles.
inline Extent look_up(const bank_0_t& bases, const bank_1_t& lengths_of, address_t address) {
#pragma HLS INLINE
  static_assert(kColumnsPerPointerWord == 8, "A column's place in its word has 3 bits.");
  // Unsigned throughout: a plain int would make a division and shifts signed.
  const ap_uint<3> place = address;
  // A bit wider, as in a lone word an address has three bits: a shift by all is undefined.
  const ap_uint<bits_for(kPointerWordsPerPe)> word =
      ap_uint<bits_for(kPointersPerPe) + 1>(address) >> 3;
  const lengths_t lengths = lengths_of[word];
  pointer_t first = bases[word];
  for (int before = 0; before < kColumnsPerPointerWord - 1; ++before) {
#pragma HLS UNROLL
    const ap_uint<kLengthBits> length = lengths >> (before * kLengthBits);
    if (before < place) first += length;
  }
  const ap_uint<kLengthBits> length = lengths >> ap_uint<6>(place * ap_uint<4>(kLengthBits));
  return Extent{first, length};
}

}  // namespace kernel
