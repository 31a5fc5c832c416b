// From a sum to an activation code: hls/spec/fixed_point.py, in an accumulator's width.
#pragma once

#include <algorithm>
#include <cstdint>

namespace model {

//! The write-back of a layer, and the accumulators that it works in.
struct WriteBack {
  std::int64_t shift;
  std::int64_t low;
  std::int64_t high;
  std::int64_t half_even;
  std::int64_t accumulator_bits;

  //! The code of a row's products and its bias; `saturated` is counted up if none can hold it.
  std::int16_t operator()(std::int64_t products, std::int64_t bias, std::int64_t& saturated) const {
    const std::int64_t sum = wrapped(products, bias);
    std::int64_t half = (std::int64_t{1} << shift) >> 1;
    // A tie goes to the even code below it, if that is one.
    if (half_even != 0 && shift != 0 && ((sum >> shift) & 1) == 0) half -= 1;
    const std::int64_t rounded = (sum + half) >> shift;
    saturated += (rounded > 32767 && high == 32767) || (rounded < -32768 && low == -32768);
    return static_cast<std::int16_t>(std::min(std::max(rounded, low), high));
  }

 private:
  //! What an accumulator holds of a sum of two.
  std::int64_t wrapped(std::int64_t one, std::int64_t other) const {
    const std::int64_t gap = 64 - accumulator_bits;
    const std::uint64_t sum = static_cast<std::uint64_t>(one) + static_cast<std::uint64_t>(other);
    return static_cast<std::int64_t>(sum << gap) >> gap;
  }
};

}  // namespace model
