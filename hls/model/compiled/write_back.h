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
    const std::int64_t with_half =
        wrapped(wrapped(products, bias), (std::int64_t{1} << shift) >> 1);
    std::int64_t rounded = with_half >> shift;
    const std::int64_t below = (std::int64_t{1} << shift) - 1;
    // With its half added, a tie has no bits left below the code's last.
    if (half_even != 0 && shift != 0 && (with_half & below) == 0) rounded &= ~std::int64_t{1};
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
