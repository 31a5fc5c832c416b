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

//! A sum that may not be in the memory yet, and where it belongs.
struct RecentSum {
  accumulator_index_t row;
  accumulator_t sum;
  bool used;
};

//! Start with no sums; the youngest is the first.
inline void forget(RecentSum (&recent)[kWriteLatency]) {
#pragma HLS INLINE
  for (int age = 0; age < kWriteLatency; ++age) {
#pragma HLS UNROLL
    recent[age] = RecentSum{0, 0, false};
  }
}

//! The sum of `row`, of which the memory says `stored`.
inline accumulator_t forwarded(const RecentSum (&recent)[kWriteLatency], accumulator_index_t row,
                               accumulator_t stored) {
#pragma HLS INLINE
  accumulator_t sum = stored;
forward:
  // From the oldest to the youngest, so that the youngest counts.
  for (int age = kWriteLatency - 1; age >= 0; --age) {
#pragma HLS UNROLL
    if (recent[age].used && recent[age].row == row) sum = recent[age].sum;
  }
  return sum;
}

//! Keep a sum that is being written.
inline void remember(RecentSum (&recent)[kWriteLatency], accumulator_index_t row,
                     accumulator_t sum) {
#pragma HLS INLINE
age:
  for (int age = kWriteLatency - 1; age > 0; --age) {
#pragma HLS UNROLL
    recent[age] = recent[age - 1];
  }
  recent[0] = RecentSum{row, sum, true};
}

}  // namespace kernel
