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

//! A sum of one of the last iterations, and where it belongs.
struct RecentSum {
  row_t row;
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

//! Add `product` to accumulator `row`. `Memory` is an array, or in tests a model of one whose
//! writes are late.
template <typename Memory>
inline void accumulate(Memory& accumulators, RecentSum (&recent)[kWriteLatency], row_t row,
                       accumulator_t product) {
#pragma HLS INLINE
  accumulator_t sum = accumulators[row];
forward:
  // From the oldest to the youngest, so that the youngest counts.
  for (int age = kWriteLatency - 1; age >= 0; --age) {
#pragma HLS UNROLL
    if (recent[age].used && recent[age].row == row) sum = recent[age].sum;
  }
  sum += product;
  accumulators[row] = sum;
age:
  for (int age = kWriteLatency - 1; age > 0; --age) {
#pragma HLS UNROLL
    recent[age] = recent[age - 1];
  }
  recent[0] = RecentSum{row, sum, true};
}

}  // namespace kernel
