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

//! Bits that a product drops at least: the shift to the left that stands for none to the right.
constexpr int kFinestShift = 15;
//! Bits of a sum that go into a DSP slice without a sign: it multiplies 25 with one by 18.
constexpr int kSliceBits = 24;

//! A sum as a product: shifted left by 0 to 15, with half of what the result's last bit will be.
template <int kBits>
struct Scaled {
  //! A bit wider than the product, so that no half makes it wrap around.
  ap_int<kBits + kFinestShift + 1> sum;
  //! How often 16 bits more are dropped than the lowest 15.
  ap_uint<2> steps;
};

//! Shift as DSP slices can: to the right by n is to the left by 15 - n mod 16, and then to the
//! right by 15, 31 or 47, which is only a choice of bits. A half is a constant for each of these.
//!
//! Two slices: the sum's lower bits, with the half, and the upper ones, with what those carry. Each
//! is a product and a sum that go together into a slice; BIND_OP would keep them apart (UG1399,
//! "DSP Multi-Operation Matching").
template <int kBits>
inline Scaled<kBits> scale(ap_int<kBits> sum, ap_uint<6> shift) {
#pragma HLS INLINE
  constexpr int kLow = kBits > kSliceBits ? kSliceBits : kBits - 1;
  const ap_uint<4> fine = shift;
  const ap_uint<2> steps = shift >> 4;
  // A shift of a constant: of 1 << n a compiler makes a shifter again, in LUTs.
  const ap_uint<kFinestShift + 1> power = ap_uint<kFinestShift + 1>(1 << kFinestShift) >> fine;
  ap_uint<47> half = 0;
  half[14] = steps == 0;
  half[30] = steps == 1;
  half[46] = steps == 2;
  const ap_uint<kLow> below = sum;
  const ap_int<kBits - kLow> above = sum >> kLow;
  const ap_uint<47> low = below * power + half;
  const ap_uint<47 - kLow> carried = low >> kLow;
  const ap_int<kBits + kFinestShift + 1 - kLow> high = above * power + carried;
  return Scaled<kBits>{(ap_int<kBits + kFinestShift + 1>(high) << kLow) |
                           ap_int<kBits + kFinestShift + 1>(ap_uint<kLow>(low)),
                       steps};
}

//! A window on a product: 16 bits from kFrom on.
struct Window {
  activation_t code;
  //! Whether the bits above are but its sign.
  bool fits;
  //! Whether no bit below is set.
  bool exact;
};

template <int kFrom, int kBits>
inline Window window(const ap_int<kBits>& product) {
#pragma HLS INLINE
  constexpr int kTop = kFrom + kActivationBits - 1;
  // A window that begins above the product sees its sign only.
  const ap_int<kBits> from = product >> (kFrom < kBits ? kFrom : kBits - 1);
  const ap_int<kBits> sign = product >> (kTop < kBits ? kTop : kBits - 1);
  const ap_uint<kBits> lost = ap_uint<kBits>(product) << most_of(0, kBits - kFrom);
  return Window{activation_t(from), sign == 0 || sign == -1, lost == 0};
}

//! Rounding shift, saturation to 16 bits, the layer's bounds; in this order. The sum is an
//! accumulator_t; tests take narrower ones, of which they can try every value.
template <int kBits>
inline Written write_back(ap_int<kBits> sum, const WriteBackRule& rule) {
#pragma HLS INLINE
  constexpr int kLargest = (1 << (kActivationBits - 1)) - 1;
  // The packer's proof is about the sum; what is computed of it here is wide enough for any.
  const Scaled<kBits> scaled = scale<kBits>(sum, rule.shift);
  const Window window_0 = window<15>(scaled.sum);
  const Window window_1 = window<31>(scaled.sum);
  const Window window_2 = window<47>(scaled.sum);
  const Window seen = scaled.steps == 0                  ? window_0
                      : kBits <= 32 || scaled.steps == 1 ? window_1
                                                         : window_2;
  activation_t rounded = seen.code;
  // With its half added, a tie has no bits left below the code's last.
  if (kBounds && rule.half_even == 1 && seen.exact) rounded[0] = 0;
  const bool negative = scaled.sum < 0;
  const bool above = !seen.fits && !negative;
  const bool beneath = !seen.fits && negative;
  const activation_t code = above     ? activation_t(kLargest)
                            : beneath ? activation_t(-kLargest - 1)
                                      : rounded;
  // What the layer's own bounds cut off is none of this.
  if (kBounds) {
    const bool saturated =
        (above && rule.high == kLargest) || (beneath && rule.low == -kLargest - 1);
    const activation_t low = rule.low;
    const activation_t high = rule.high;
    return Written{code > high ? high : code < low ? low : code, ap_uint<1>(saturated)};
  }
  const bool zero = rule.relu == 1 && negative;
  return Written{zero ? activation_t(0) : code, ap_uint<1>(above || (beneath && rule.relu == 0))};
}

}  // namespace kernel
