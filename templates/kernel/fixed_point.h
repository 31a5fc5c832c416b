// The one rule for turning an accumulator into an activation (eie/hls/spec/fixed_point.py).
#pragma once

#include "types.h"

namespace kernel {

//! An activation, and whether 16 bits could not hold it, so that it was cut off.
struct Written {
  activation_t value;
  ap_uint<1> saturated;
};

//! How a layer turns its sums into activations: a part of its LAYER record.
struct WriteBackRule {
  ap_uint<6> shift;
  //! Whether ties go to the even code, not up.
  ap_uint<1> half_even;
  //! Lowest and highest code.
  activation_t low;
  activation_t high;
};

//! Rounding shift, then the layer's bounds; saturated is only what the ends of 16 bits cut off. The
//! sum is an accumulator_t; tests take narrower ones, of which they can try every value.
template <int kBits>
inline Written write_back(ap_int<kBits> sum, const WriteBackRule& rule) {
#pragma HLS INLINE
  typedef ap_int<kBits> sum_t;
  constexpr int kLargest = (1 << (kActivationBits - 1)) - 1;
  // The packer's proof takes these steps, so neither the half nor the sum with it can overflow.
  const sum_t half = rule.shift == 0 ? sum_t(0) : sum_t(sum_t(1) << ap_uint<6>(rule.shift - 1));
  const sum_t with_half = sum + half;
  sum_t rounded = with_half >> rule.shift;
  // With its half added, a tie has no bits left below the code's last.
  const sum_t below = with_half & sum_t((half << 1) - 1);
  if (rule.half_even == 1 && rule.shift != 0 && below == 0) rounded[0] = 0;
  if (rounded > rule.high) return Written{rule.high, ap_uint<1>(rule.high == kLargest)};
  if (rounded < rule.low) return Written{rule.low, ap_uint<1>(rule.low == -kLargest - 1)};
  return Written{activation_t(rounded), 0};
}

}  // namespace kernel
