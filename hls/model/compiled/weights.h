// A layer's weights and write-back: what ResidentLayer.run of hls/model/memory_image.py gives, in
// integers. Sums are exact, so their order does not matter.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lanes.h"
#include "write_back.h"

namespace model {

class Weights {
 public:
  //! Weights of column j are `starts[j]` to `starts[j + 1]` of `row_of` and `values`.
  Weights(std::int64_t rows, std::int64_t columns, const std::int64_t* starts,
          const std::int64_t* row_of, const std::int16_t* values)
      : rows_(static_cast<std::size_t>(rows)),
        columns_(static_cast<std::size_t>(columns)),
        column_starts_(starts, starts + columns + 1),
        row_starts_(rows_ + 1),
        row_ends_(rows_) {
    const std::size_t weights = column_starts_.back();
    for (std::size_t weight = 0; weight < weights; ++weight) {
      ++row_ends_[static_cast<std::size_t>(row_of[weight])];
    }
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t steps = (row_ends_[row] + kStep - 1) / kStep;
      row_starts_[row + 1] = row_starts_[row] + steps * kStep;
    }
    by_row_.resize(row_starts_.back());
    std::copy(row_starts_.begin(), row_starts_.end() - 1, row_ends_.begin());
    for (std::size_t column = 0; column < columns_; ++column) {
      for (std::size_t weight = column_starts_[column]; weight < column_starts_[column + 1];
           ++weight) {
        const auto place = static_cast<std::uint16_t>(column);
        by_row_[row_ends_[static_cast<std::size_t>(row_of[weight])]++] = {place, values[weight]};
      }
    }
    if (rows_ > kMostPlaces) return;
    by_column_.reserve(weights);
    for (std::size_t weight = 0; weight < weights; ++weight) {
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
    std::vector<std::int64_t> sums(rows_);
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
      saturated += one_by_one(block) ? run_each(block, sums) : run_lanes(block, lanes);
    }
    return saturated;
  }

 private:
  //! Rows that the place of a weight can name; a layer's columns are never more.
  static constexpr std::size_t kMostPlaces = std::size_t{1} << 16;
  //! A row is filled up to a multiple of so many weights with some of 0, to be added up in one
  //! loop.
  static constexpr std::size_t kStep = 8;
  //! What a weight in all lanes costs, and one of a row, in weights of a column that are met.
  static constexpr std::size_t kCostInLanes = 4;
  static constexpr double kCostInRow = 0.75;

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

  //! Whether so few weights are met that to take columns pays.
  bool few(std::size_t met) const {
    return rows_ <= kMostPlaces &&
           static_cast<double>(met) < kCostInRow * static_cast<double>(column_starts_.back());
  }

  //! Whether zeros that are left out save more than lanes do.
  bool one_by_one(const Block& block) const {
    if (block.vectors <= kCostInLanes) return true;
    std::size_t count = 0;
    for (std::size_t vector = 0; vector < block.vectors; ++vector) {
      count += met(block.vector(vector));
    }
    return count < kCostInLanes * column_starts_.back();
  }

  std::int64_t run_each(const Block& block, std::vector<std::int64_t>& sums) const {
    std::int64_t saturated = 0, of_padding = 0;
    for (std::size_t vector = 0; vector < block.vectors; ++vector) {
      const std::int16_t* values = block.vector(vector);
      const bool by_columns = few(met(values));
      if (by_columns) sum_columns(values, sums);
      std::int16_t* outputs = block.outputs + vector * rows_;
      for (std::size_t row = 0; row < rows_; ++row) {
        const std::int64_t sum = by_columns ? sums[row] : row_sum(row, values);
        std::int64_t& over = row < block.counted ? saturated : of_padding;
        outputs[row] = block.write_back(sum, block.bias[row], over);
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

  std::int64_t row_sum(std::size_t row, const std::int16_t* values) const {
    const Weight* weight = by_row_.data() + row_starts_[row];
    const Weight* const end = by_row_.data() + row_starts_[row + 1];
    // Two sums at once, so that none waits for the one before.
    std::int64_t sums[2] = {0, 0};
    for (; weight != end; weight += kStep) {
      for (std::size_t part = 0; part < kStep; ++part) {
        sums[part / (kStep / 2)] += std::int64_t{weight[part].value} * values[weight[part].place];
      }
    }
    return sums[0] + sums[1];
  }

  std::int64_t run_lanes(const Block& block, std::vector<std::int16_t>& lanes) const {
    lanes.resize(columns_ * kLanes);
    for (std::size_t column = 0; column < columns_; ++column) {
      for (std::size_t lane = 0; lane < block.vectors; ++lane) {
        lanes[column * kLanes + lane] = block.vector(lane)[column];
      }
    }
    std::int64_t saturated = 0;
    std::int16_t codes[kLanes];
    const RowInLanes row_in_lanes = fastest_row_in_lanes();
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::int64_t over =
          row_in_lanes(by_row_.data() + row_starts_[row], by_row_.data() + row_starts_[row + 1],
                       lanes.data(), block.write_back, block.bias[row], block.vectors, codes);
      if (row < block.counted) saturated += over;
      for (std::size_t lane = 0; lane < block.vectors; ++lane) {
        block.outputs[lane * rows_ + row] = codes[lane];
      }
    }
    return saturated;
  }

  std::size_t rows_;
  std::size_t columns_;
  std::vector<std::size_t> column_starts_;
  std::vector<std::size_t> row_starts_;
  //! Where the weights of each row end that are not just there to fill it up.
  std::vector<std::size_t> row_ends_;
  std::vector<Weight> by_row_;
  //! Empty if a place cannot name every row.
  std::vector<Weight> by_column_;
};

}  // namespace model
