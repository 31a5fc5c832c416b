// Time in the process of functions: hls/model/cell_times.py, in C++.
#pragma once

#include <cstdint>

#include "constants.h"
#include "fifo_times.h"

namespace model {

//! The process, between the gather tree and `collect`. For each command: begin(), then take_word()
//! for each word that the PEs send. What it writes must be read meanwhile.
class Cell {
 public:
  explicit Cell(std::int64_t units) : steps_of_function_(kActivationsPerWord / (kGates * units)) {}

  //! Take the next of `from`, and pass the collector's on. `expected` words come from the PEs, and
  //! `keep` go to the collector; of a recurrent layer one for every four.
  void begin(Stream& from, bool function, bool recurrent, std::int64_t expected,
             std::int64_t keep) {
    at_ = commands.write(from.read(at_)) + 1;
    steps_ = function ? steps_of_function_ : 1;
    words_in_one_ = recurrent ? kGates : 1;
    taken_ = 0;
    expected_ = expected;
    gone_ = 0;
    keep_ = keep;
  }

  //! Take the layer's next word through, which `read` reads in a cycle or as soon as it is there.
  //! Returns whether a word went to the collector, which is to read it before the next is taken.
  template <typename Read>
  bool take_word(const Read& read) {
    // All iterations but the last of a word do nothing that others see.
    at_ = read(at_) + steps_ - 1;
    taken_ += 1;
    const bool whole = taken_ % words_in_one_ == 0 || taken_ == expected_;
    const bool goes = whole && gone_ < keep_;
    if (goes) at_ = words.write(at_);
    if (whole) gone_ += 1;
    at_ += 1;
    return goes;
  }

  //! Words for the collector, and its commands.
  Stream words{kStreamDepth};
  Stream commands{kStreamDepth};

 private:
  Time at_ = 0;
  std::int64_t steps_of_function_;
  std::int64_t steps_ = 1;
  std::int64_t words_in_one_ = 1;
  std::int64_t taken_ = 0;
  std::int64_t expected_ = 0;
  std::int64_t gone_ = 0;
  std::int64_t keep_ = 0;
};

}  // namespace model
