// Where the entries of a column lie, as in the paper (section IV, "Pointer Read Unit"): a pointer
// for each column, and one past the last.
#pragma once

#include "types.h"

namespace kernel {

// The column pointers of a PE, in two banks, so that p[j] and p[j + 1] are read in one cycle: one
// of them is even. Each bank is then read once a cycle and needs one port.
typedef pointer_t bank_0_t[kPointerWordsPerPe];  //!< Pointers of even columns.
typedef pointer_t bank_1_t[kPointerWordsPerPe];  //!< Pointers of odd columns.

//! Keep beat `beat` of a section with pointers.
inline void store_pointers(bank_0_t& evens, bank_1_t& odds, ap_uint<32> beat, beat_t data) {
#pragma HLS INLINE
  evens[beat] = pointer_t(data);
  odds[beat] = pointer_t(data >> 32);
}

//! Words that a layer's pointers take: one pointer more than it has columns.
inline ap_uint<32> pointer_words_of(ap_uint<32> columns) {
#pragma HLS INLINE
  return (columns >> 1) + 1;
}

//! Whether a pointer may come behind `last`. Pointers never fall, in a layer or from one to the
//! next, so the last of all bounds them all; and no column has more entries than a PE has rows.
inline bool pointer_follows(ap_uint<32> last, ap_uint<32> next) {
#pragma HLS INLINE
  return next >= last && ap_uint<32>(next - last) <= kRowsPerPe;
}

//! Whether a beat's pointers may come behind those of which `last` is the last; moves that on.
inline bool pointers_follow(ap_uint<32>& last, bool /*second_beat*/, beat_t data) {
#pragma HLS INLINE
  const ap_uint<32> even = data;
  const ap_uint<32> odd = data >> 32;
  const bool follow = pointer_follows(last, even) && pointer_follows(even, odd);
  last = odd;
  return follow;
}

//! The entries of the column whose pointer is at `address`.
inline Extent look_up(const bank_0_t& evens, const bank_1_t& odds, address_t address) {
#pragma HLS INLINE
  typedef ap_uint<bits_for(kPointerWordsPerPe)> pair_t;
  const bool odd_column = address[0] == 1;
  // A bit wider, as a lone pair's address has one bit: a shift by all is undefined.
  const pair_t pair = ap_uint<bits_for(kPointersPerPe) + 1>(address) >> 1;
  // Column 2k lies between even[k] and odd[k], column 2k + 1 between odd[k] and even[k + 1].
  const pointer_t even = evens[odd_column ? pair_t(pair + 1) : pair];
  const pointer_t odd = odds[pair];
  const pointer_t first = odd_column ? odd : even;
  const pointer_t end = odd_column ? even : odd;
  return Extent{first, pointer_t(end - first)};
}

}  // namespace kernel
