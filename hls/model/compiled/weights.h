// A layer's weights and write-back: what ResidentLayer.run of hls/model/memory_image.py gives, in
// integers. Sums are exact, so their order does not matter.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lanes.h"

namespace model {

//! The write-back of a layer, and the accumulators that it works in.
struct WriteBack {
  std::int64_t shift;
  std::int64_t relu;
  std::int64_t accumulator_bits;

  //! The code of a sum; `saturated` is counted up if none can hold it.
  std::int16_t operator()(std::int64_t sum, std::int64_t& saturated) const {
    sum = wrapped(sum);
    if (relu != 0) sum = std::max<std::int64_t>(sum, 0);
    sum = wrapped(sum + ((std::int64_t{1} << shift) >> 1)) >> shift;
    const std::int64_t code = std::min<std::int64_t>(std::max<std::int64_t>(sum, -32768), 32767);
    saturated += code != sum;
    return static_cast<std::int16_t>(code);
  }

 private:
  //! What an accumulator holds of a sum.
  std::int64_t wrapped(std::int64_t sum) const {
    const std::int64_t gap = 64 - accumulator_bits;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) << gap) >> gap;
  }
};

class Weights {
 public:
  //! Weights of column j are `starts[j]` to `starts[j + 1]` of `row_of` and `values`.
  Weights(std::int64_t rows, std::int64_t columns, const std::int64_t* starts,
          const std::int64_t* row_of, const std::int16_t* values)
      : rows_(static_cast<std::size_t>(rows)),
        columns_(static_cast<std::size_t>(columns)),
        column_starts_(starts, starts + columns + 1),
        row_starts_(rows_ + 1),
        by_row_(column_starts_.back()) {
    for (std::size_t weight = 0; weight < by_row_.size(); ++weight) {
      ++row_starts_[static_cast<std::size_t>(row_of[weight]) + 1];
    }
    for (std::size_t row = 0; row < rows_; ++row) row_starts_[row + 1] += row_starts_[row];
    std::vector<std::size_t> next(row_starts_.begin(), row_starts_.end() - 1);
    for (std::size_t column = 0; column < columns_; ++column) {
      for (std::size_t weight = column_starts_[column]; weight < column_starts_[column + 1];
           ++weight) {
        const auto place = static_cast<std::uint16_t>(column);
        by_row_[next[static_cast<std::size_t>(row_of[weight])]++] = {place, values[weight]};
      }
    }
    if (rows_ > kMostPlaces) return;
    by_column_.reserve(by_row_.size());
    for (std::size_t weight = 0; weight < by_row_.size(); ++weight) {
      by_column_.push_back({static_cast<std::uint16_t>(row_of[weight]), values[weight]});
    }
  }

  //! Take `batch` vectors, `stride` activations from one to the next.
  //!
  //! `outputs` takes a code of each row and vector. Gives how many of the first `counted` rows were
  //! saturated.
  std::int64_t run(const WriteBack& write_back, const std::int64_t* bias,
                   const std::int16_t* activations, std::int64_t stride, std::int64_t batch,
                   std::int64_t counted, std::int16_t* outputs) const {
    std::vector<std::int64_t> sums(std::max(rows_, kLanes));
    std::vector<std::int16_t> lanes;
    std::int64_t saturated = 0;
    for (std::int64_t first = 0; first < batch; first += kLanes) {
      const auto vectors = static_cast<std::size_t>(
          std::min<std::int64_t>(batch - first, static_cast<std::int64_t>(kLanes)));
      const Block block{write_back,
                        bias,
                        activations + first * stride,
                        stride,
                        vectors,
                        static_cast<std::size_t>(counted),
                        outputs + first * static_cast<std::int64_t>(rows_)};
      saturated += one_by_one(block) ? run_each(block, sums) : run_lanes(block, sums, lanes);
    }
    return saturated;
  }

 private:
  //! Rows that the place of a weight can name; a layer's columns are never more.
  static constexpr std::size_t kMostPlaces = std::size_t{1} << 16;
  //! What a weight in all lanes costs, and one of a row, in weights of a column that are met.
  static constexpr double kCostInLanes = 6, kCostInRow = 0.85;

  //! Up to kLanes vectors.
  struct Block {
    const WriteBack& write_back;
    const std::int64_t* bias;
    const std::int16_t* activations;
    std::int64_t stride;
    std::size_t vectors;
    std::size_t counted;
    std::int16_t* outputs;

    const std::int16_t* vector(std::size_t number) const {
      return activations + static_cast<std::int64_t>(number) * stride;
    }
  };

  //! Weights in columns of non-zero activations.
  std::size_t met(const std::int16_t* values) const {
    std::size_t count = 0;
    for (std::size_t column = 0; column < columns_; ++column) {
      if (values[column] != 0) count += column_starts_[column + 1] - column_starts_[column];
    }
    return count;
  }

  bool one_by_one(const Block& block) const {
    std::size_t count = 0;
    for (std::size_t vector = 0; vector < block.vectors; ++vector)
      count += met(block.vector(vector));
    return static_cast<double>(count) < kCostInLanes * static_cast<double>(by_row_.size());
  }

  std::int64_t run_each(const Block& block, std::vector<std::int64_t>& sums) const {
    std::int64_t saturated = 0;
    for (std::size_t vector = 0; vector < block.vectors; ++vector) {
      const std::int16_t* values = block.vector(vector);
      const bool few =
          static_cast<double>(met(values)) < kCostInRow * static_cast<double>(by_row_.size());
      if (few && rows_ <= kMostPlaces) {
        sum_columns(values, sums);
      } else {
        sum_rows(values, sums);
      }
      for (std::size_t row = 0; row < rows_; ++row) {
        store(block, row, vector, sums[row], saturated);
      }
    }
    return saturated;
  }

  void sum_columns(const std::int16_t* values, std::vector<std::int64_t>& sums) const {
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::int64_t value = values[column];
      if (value == 0) continue;
      const Weight* weight = by_column_.data() + column_starts_[column];
      const Weight* const end = by_column_.data() + column_starts_[column + 1];
      for (; weight != end; ++weight) sums[weight->place] += value * weight->value;
    }
  }

  void sum_rows(const std::int16_t* values, std::vector<std::int64_t>& sums) const {
    for (std::size_t row = 0; row < rows_; ++row) {
      const Weight* weight = by_row_.data() + row_starts_[row];
      const Weight* const end = by_row_.data() + row_starts_[row + 1];
      // Four sums at once, so that none waits for the one before.
      std::int64_t parts[4] = {0, 0, 0, 0};
      for (; end - weight >= 4; weight += 4) {
        for (std::size_t part = 0; part < 4; ++part) {
          parts[part] += std::int64_t{weight[part].value} * values[weight[part].place];
        }
      }
      for (; weight != end; ++weight) {
        parts[0] += std::int64_t{weight->value} * values[weight->place];
      }
      sums[row] = parts[0] + parts[1] + parts[2] + parts[3];
    }
  }

  std::int64_t run_lanes(const Block& block, std::vector<std::int64_t>& sums,
                         std::vector<std::int16_t>& lanes) const {
    lanes.resize(columns_ * kLanes);
    for (std::size_t column = 0; column < columns_; ++column) {
      for (std::size_t lane = 0; lane < block.vectors; ++lane) {
        lanes[column * kLanes + lane] = block.vector(lane)[column];
      }
    }
    std::int64_t saturated = 0;
    const RowInLanes sum_row = row_in_lanes();
    for (std::size_t row = 0; row < rows_; ++row) {
      sum_row(by_row_.data() + row_starts_[row], by_row_.data() + row_starts_[row + 1],
              lanes.data(), sums.data());
      for (std::size_t lane = 0; lane < block.vectors; ++lane) {
        store(block, row, lane, sums[lane], saturated);
      }
    }
    return saturated;
  }

  void store(const Block& block, std::size_t row, std::size_t vector, std::int64_t sum,
             std::int64_t& saturated) const {
    // A bias may be anything where a load is none of a packer's: then this wraps around, as in
    // numpy.
    const auto biased = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                                  static_cast<std::uint64_t>(block.bias[row]));
    std::int64_t of_padding = 0;
    std::int64_t& count = row < block.counted ? saturated : of_padding;
    block.outputs[vector * rows_ + row] = block.write_back(biased, count);
  }

  std::size_t rows_;
  std::size_t columns_;
  std::vector<std::size_t> column_starts_;
  std::vector<std::size_t> row_starts_;
  std::vector<Weight> by_row_;
  //! Empty if a place cannot name every row.
  std::vector<Weight> by_column_;
};

}  // namespace model
