// The one rule for turning an accumulator into an activation (eie/hls/spec/fixed_point.py).
#pragma once

#include "types.h"

namespace kernel {

//! ReLU, rounding shift (half up), saturation to 16 bits; in this order.
inline activation_t write_back(accumulator_t sum, ap_uint<6> shift, ap_uint<1> relu) {
#pragma HLS INLINE
  const accumulator_t rectified = (relu == 1 && sum < 0) ? accumulator_t(0) : sum;
  // The packer's proof includes this half, so the sum cannot overflow.
  const accumulator_t half =
      shift == 0 ? accumulator_t(0) : accumulator_t(accumulator_t(1) << ap_uint<6>(shift - 1));
  const accumulator_t rounded = accumulator_t(rectified + half) >> shift;
  const int largest = (1 << (kActivationBits - 1)) - 1;
  if (rounded > largest) return largest;
  if (rounded < -largest - 1) return -largest - 1;
  return activation_t(rounded);
}

}  // namespace kernel
