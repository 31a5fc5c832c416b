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

//! Rounding shift, saturation to 16 bits, the layer's bounds; in this order. The sum is an
//! accumulator_t; tests take narrower ones, of which they can try every value.
template <int kBits>
inline Written write_back(ap_int<kBits> sum, const WriteBackRule& rule) {
#pragma HLS INLINE
  typedef ap_int<kBits> sum_t;
  // A half of the last place; where a tie is to go to an even code that is below, a bit less.
  const ap_uint<1> odd = ap_uint<kBits>(sum) >> rule.shift;
  const ap_uint<6> below = rule.shift - 1;
  const sum_t half = rule.half_even == 1 && odd == 0 ? sum_t(~sum_t(sum_t(-1) << below))
                                                     : sum_t(sum_t(1) << below);
  // The packer's proof takes these steps, so neither the half nor the sum with it can overflow.
  const sum_t with_half = rule.shift == 0 ? sum : sum_t(sum + half);
  const sum_t rounded = with_half >> rule.shift;
  constexpr int kLargest = (1 << (kActivationBits - 1)) - 1;
  const bool above = rounded > kLargest;
  const bool beneath = rounded < -kLargest - 1;
  const activation_t code = above     ? activation_t(kLargest)
                            : beneath ? activation_t(-kLargest - 1)
                                      : activation_t(rounded);
  // What the layer's own bounds cut off is none of this.
  const bool saturated = (above && rule.high == kLargest) || (beneath && rule.low == -kLargest - 1);
  const activation_t bounded = code > rule.high ? rule.high : code < rule.low ? rule.low : code;
  return Written{bounded, ap_uint<1>(saturated)};
}

}  // namespace kernel
