// Accumulating into a memory whose writes take a while: the forwarding of the paper's bypass
// (section IV, "Arithmetic Unit").
//
// An accumulator is read, added to and written back in a pipeline, so a sum written now is not yet
// in the memory when the next entries read it. Rows rise within a column, so the same row comes
// twice in a short time only across a column's end; columns of one entry each, all in the same row,
// are the worst case. The sums of the last few iterations are therefore kept in registers and
// forwarded.
#pragma once

#include "types.h"

namespace kernel {

//! An accumulator of a PE.
typedef ap_uint<bits_for(kRowsPerPe)> accumulator_index_t;

//! A row's sums, one for each vector of a group, the first in the lowest bits.
typedef ap_uint<kAbreast * kAccumulatorBits> sums_t;

//! The sum of a vector.
inline accumulator_t sum_of(const sums_t& sums, int vector) {
#pragma HLS INLINE
  return accumulator_t(sums >> (vector * kAccumulatorBits));
}

//! The sum of the vector that has its turn.
inline accumulator_t sum_of_turn(const sums_t& sums, vector_t turn) {
#pragma HLS INLINE
  accumulator_t sum = sum_of(sums, 0);
vectors:
  for (int vector = 1; vector < kAbreast; ++vector) {
#pragma HLS UNROLL
    if (turn == vector) sum = sum_of(sums, vector);
  }
  return sum;
}

//! A sum for the place of its vector.
inline sums_t placed(accumulator_t sum, int vector) {
#pragma HLS INLINE
  return sums_t(ap_uint<kAccumulatorBits>(sum)) << (vector * kAccumulatorBits);
}

//! Sums and products of the same row.
inline sums_t added(const sums_t& sums, const sums_t& products) {
#pragma HLS INLINE
  sums_t both = 0;
vectors:
  for (int vector = 0; vector < kAbreast; ++vector) {
#pragma HLS UNROLL
    both |= placed(sum_of(sums, vector) + sum_of(products, vector), vector);
  }
  return both;
}

//! Sums that may not be in the memory yet, and where they belong.
struct RecentSums {
  accumulator_index_t row;
  sums_t sums;
  bool used;
};

//! Start with no sums; the youngest is the first.
inline void forget(RecentSums (&recent)[kWriteLatency]) {
#pragma HLS INLINE
  for (int age = 0; age < kWriteLatency; ++age) {
#pragma HLS UNROLL
    recent[age] = RecentSums{0, 0, false};
  }
}

//! The sums of `row`, of which the memory says `stored`.
inline sums_t forwarded(const RecentSums (&recent)[kWriteLatency], accumulator_index_t row,
                        sums_t stored) {
#pragma HLS INLINE
  sums_t sums = stored;
forward:
  // From the oldest to the youngest, so that the youngest counts.
  for (int age = kWriteLatency - 1; age >= 0; --age) {
#pragma HLS UNROLL
    if (recent[age].used && recent[age].row == row) sums = recent[age].sums;
  }
  return sums;
}

//! Keep sums that are being written.
inline void remember(RecentSums (&recent)[kWriteLatency], accumulator_index_t row,
                     const sums_t& sums) {
#pragma HLS INLINE
age:
  for (int age = kWriteLatency - 1; age > 0; --age) {
#pragma HLS UNROLL
    recent[age] = recent[age - 1];
  }
  recent[0] = RecentSums{row, sums, true};
}

}  // namespace kernel
