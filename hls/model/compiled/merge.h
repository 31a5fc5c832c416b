// Nodes that put words of several streams one after another; a tree for more than four.
#pragma once

#include <cstddef>
#include <vector>

#include "constants.h"
#include "fifo_times.h"

namespace model {

class Merge {
 public:
  explicit Merge(std::size_t words)
      : count_(words),
        inner_times_(words > kRadix ? words / kRadix : 0),
        inner_(inner_times_.size(), Stream(kStreamDepth)),
        root_(kStreamDepth) {}

  //! Read the next word of `words` in order, through the tree; returns when.
  Time read(StreamArray& words, Time time) {
    const std::size_t word = next_;
    next_ = (word + 1) % count_;
    if (count_ == 1) return words[word].read(time);
    Time taken;
    if (inner_.empty()) {
      taken = words[word].read(root_time_);
    } else {
      const std::size_t node = word / kRadix;
      taken = words[word].read(inner_times_[node]);
      inner_times_[node] = inner_[node].write(taken) + 1;
      taken = inner_[node].read(root_time_);
    }
    root_time_ = root_.write(taken) + 1;
    return root_.read(time);
  }

 private:
  std::size_t count_;
  std::vector<Time> inner_times_;
  StreamArray inner_;
  Time root_time_ = 0;
  Stream root_;
  std::size_t next_ = 0;
};

}  // namespace model
