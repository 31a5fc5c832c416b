// The one rule for turning an accumulator into an activation (eie/hls/spec/fixed_point.py).
#pragma once

#include "types.h"

namespace kernel {

//! An activation, and whether 16 bits could not hold it, so that it was cut off.
struct Written {
  activation_t value;
  ap_uint<1> saturated;
};

//! ReLU, rounding shift (half up), saturation to 16 bits; in this order. The sum is an
//! accumulator_t; tests take narrower ones, of which they can try every value.
template <int kBits>
inline Written write_back(ap_int<kBits> sum, ap_uint<6> shift, ap_uint<1> relu) {
#pragma HLS INLINE
  typedef ap_int<kBits> sum_t;
  const sum_t rectified = (relu == 1 && sum < 0) ? sum_t(0) : sum;
  // The packer's proof takes these steps, so neither the half nor the sum with it can overflow.
  const sum_t half = shift == 0 ? sum_t(0) : sum_t(sum_t(1) << ap_uint<6>(shift - 1));
  const sum_t rounded = sum_t(rectified + half) >> shift;
  const int largest = (1 << (kActivationBits - 1)) - 1;
  if (rounded > largest) return Written{largest, 1};
  if (rounded < -largest - 1) return Written{-largest - 1, 1};
  return Written{activation_t(rounded), 0};
}

}  // namespace kernel
