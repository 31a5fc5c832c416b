// From a sum to an activation code: hls/spec/fixed_point.py, in an accumulator's width.
#pragma once

#include <algorithm>
#include <cstdint>

namespace model {

//! The write-back of a layer, and the accumulators that it works in.
struct WriteBack {
  std::int64_t shift;
  std::int64_t relu;
  std::int64_t accumulator_bits;

  //! The code of a row's products and its bias; `saturated` is counted up if none can hold it.
  std::int16_t operator()(std::int64_t products, std::int64_t bias, std::int64_t& saturated) const {
    std::int64_t sum = wrapped(products, bias);
    if (relu != 0) sum = std::max<std::int64_t>(sum, 0);
    sum = wrapped(sum, (std::int64_t{1} << shift) >> 1) >> shift;
    const std::int64_t code = std::min<std::int64_t>(std::max<std::int64_t>(sum, -32768), 32767);
    saturated += code != sum;
    return static_cast<std::int16_t>(code);
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
