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
  //! Whether its lowest code is 0: a ReLU, and all that a design without bounds knows of these.
  ap_uint<1> relu;
  //! Lowest and highest code, and whether ties go to the even code, not up.
  ap_int<kBoundBits> low;
  ap_int<kBoundBits> high;
  ap_uint<1> half_even;
};

//! A sum, shifted; and whether none of the bits that were shifted out was set.
template <int kBits>
struct Shifted {
  ap_int<kBits> sum;
  bool exact;
};

//! Shift right step by step, as a shifter does, and look at what falls out of each.
template <int kBits>
inline Shifted<kBits> shift_right(ap_int<kBits> sum, ap_uint<6> shift) {
#pragma HLS INLINE
  Shifted<kBits> shifted = {sum, true};
steps:
  for (int step = 0; step < 6; ++step) {
#pragma HLS UNROLL
    // A sum is shifted by less than its width: a step that takes all of it is none.
    const bool steps_in = (1 << step) < kBits;
    if (steps_in && shift[step] == 1) {
      const ap_uint<kBits> lost = ap_uint<kBits>(shifted.sum) << most_of(0, kBits - (1 << step));
      if (lost != 0) shifted.exact = false;
      shifted.sum >>= steps_in ? 1 << step : 0;
    }
  }
  return shifted;
}

//! Rounding shift, saturation to 16 bits, the layer's bounds; in this order. The sum is an
//! accumulator_t; tests take narrower ones, of which they can try every value.
template <int kBits>
inline Written write_back(ap_int<kBits> sum, const WriteBackRule& rule) {
#pragma HLS INLINE
  typedef ap_int<kBits> sum_t;
  constexpr int kLargest = (1 << (kActivationBits - 1)) - 1;
  // The packer's proof takes these steps, so neither the half nor the sum with it can overflow.
  const sum_t half = rule.shift == 0 ? sum_t(0) : sum_t(sum_t(1) << ap_uint<6>(rule.shift - 1));
  const Shifted<kBits> shifted = shift_right<kBits>(sum + half, rule.shift);
  sum_t rounded = shifted.sum;
  // With its half added, a tie has no bits left below the code's last.
  if (kBounds && rule.half_even == 1 && rule.shift != 0 && shifted.exact) rounded[0] = 0;
  const bool above = rounded > kLargest;
  const bool beneath = rounded < -kLargest - 1;
  const activation_t code = above     ? activation_t(kLargest)
                            : beneath ? activation_t(-kLargest - 1)
                                      : activation_t(rounded);
  // What the layer's own bounds cut off is none of this.
  if (kBounds) {
    const bool saturated =
        (above && rule.high == kLargest) || (beneath && rule.low == -kLargest - 1);
    const activation_t low = rule.low;
    const activation_t high = rule.high;
    return Written{code > high ? high : code < low ? low : code, ap_uint<1>(saturated)};
  }
  const bool zero = rule.relu == 1 && rounded < 0;
  return Written{zero ? activation_t(0) : code, ap_uint<1>(above || (beneath && rule.relu == 0))};
}

}  // namespace kernel
