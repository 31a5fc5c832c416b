// A memory of accumulators whose writes are late, as those of a pipeline are.
#pragma once

#include <deque>
#include <vector>

#include "accumulate.h"

namespace driver {

//! Accumulators with late writes. What an index gives can be read and written, as an array's
//! element can.
class LateMemory {
 public:
  explicit LateMemory(std::size_t latency)
      : latency_(latency), values_(kernel::kRowsPerPe, kernel::sums_t(0)) {}

  class Element {
   public:
    Element(LateMemory& memory, std::size_t row) : memory_(memory), row_(row) {}
    operator kernel::sums_t() const { return memory_.values_[row_]; }
    void operator=(kernel::sums_t value) {
      memory_.on_the_way_.push_back({row_, value, memory_.iteration_});
    }

   private:
    LateMemory& memory_;
    const std::size_t row_;
  };

  template <typename Index>
  Element operator[](Index row) {
    return Element(*this, static_cast<std::size_t>(row));
  }

  //! The next iteration begins.
  void tick() {
    ++iteration_;
    while (!on_the_way_.empty() && on_the_way_.front().iteration + latency_ < iteration_) commit();
  }

  //! The loop has ended, and with it its pipeline.
  void drain() {
    while (!on_the_way_.empty()) commit();
  }

  long long value(std::size_t row) const { return kernel::sum_of(values_[row], 0).to_int64(); }

 private:
  struct Write {
    std::size_t row;
    kernel::sums_t value;
    std::size_t iteration;
  };

  void commit() {
    values_[on_the_way_.front().row] = on_the_way_.front().value;
    on_the_way_.pop_front();
  }

  const std::size_t latency_;
  std::size_t iteration_ = 0;
  std::vector<kernel::sums_t> values_;
  std::deque<Write> on_the_way_;
};

//! One that takes each read for an iteration: the multiplier reads each of its banks once in each.
class LateBank : public LateMemory {
 public:
  using LateMemory::LateMemory;

  class Element {
   public:
    Element(LateBank& bank, std::size_t row) : bank_(bank), row_(row) {}
    operator kernel::sums_t() const {
      bank_.tick();
      return bank_.LateMemory::operator[](row_);
    }
    void operator=(kernel::sums_t value) { bank_.LateMemory::operator[](row_) = value; }

   private:
    LateBank& bank_;
    const std::size_t row_;
  };

  template <typename Index>
  Element operator[](Index row) {
    return Element(*this, static_cast<std::size_t>(row));
  }
};

}  // namespace driver
