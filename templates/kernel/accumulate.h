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

//! Iterations that miss a sum written just before them: the cycles from an accumulator's read to
//! its write. One to read, one to add, one to write, and one that a block RAM's output register may
//! add; the DEPENDENCE pragma in multiply_layer() holds the tool to it.
constexpr int kWriteLatency = 4;

//! The sums of the last iterations, youngest first.
struct RecentSums {
  row_t row[kWriteLatency];
  accumulator_t sum[kWriteLatency];
  bool used[kWriteLatency];
};

inline void forget(RecentSums& recent) {
#pragma HLS INLINE
  for (int age = 0; age < kWriteLatency; ++age) {
#pragma HLS UNROLL
    recent.row[age] = 0;
    recent.sum[age] = 0;
    recent.used[age] = false;
  }
}

//! Add `product` to accumulator `row`. `Memory` is an array, or in tests a model of one whose
//! writes are late.
template <typename Memory>
inline void accumulate(Memory& accumulators, RecentSums& recent, row_t row, accumulator_t product) {
#pragma HLS INLINE
  accumulator_t sum = accumulators[row];
forward:
  // From the oldest to the youngest, so that the youngest counts.
  for (int age = kWriteLatency - 1; age >= 0; --age) {
#pragma HLS UNROLL
    if (recent.used[age] && recent.row[age] == row) sum = recent.sum[age];
  }
  sum += product;
  accumulators[row] = sum;
age:
  for (int age = kWriteLatency - 1; age > 0; --age) {
#pragma HLS UNROLL
    recent.row[age] = recent.row[age - 1];
    recent.sum[age] = recent.sum[age - 1];
    recent.used[age] = recent.used[age - 1];
  }
  recent.row[0] = row;
  recent.sum[0] = sum;
  recent.used[0] = true;
}

}  // namespace kernel
