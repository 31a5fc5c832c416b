// The cycles of each layer of a run.
#pragma once

#include <cstddef>
#include <vector>

#include "fifo_times.h"

namespace model {

//! A run's cycles, shared out among its layers.
//!
//! Each has those from its first word, in any of the vectors, to the next first word of any layer,
//! or to the last output.
class Shares {
 public:
  explicit Shares(std::size_t layers) : cycles(layers) {}

  //! A layer's first word is taken in `cycle`.
  void begin(std::size_t layer, Time cycle) {
    end(cycle);
    layer_ = layer;
    since_ = cycle;
    begun_ = true;
  }

  //! The run ends in `cycle`.
  void end(Time cycle) {
    if (begun_) cycles[layer_] += cycle - since_;
  }

  std::vector<Time> cycles;

 private:
  bool begun_ = false;
  std::size_t layer_ = 0;
  Time since_ = 0;
};

}  // namespace model
