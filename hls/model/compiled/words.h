// Words on their way from the control unit to `detect_nonzero`, and the order in which a group's
// words travel.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "constants.h"
#include "fifo_times.h"

namespace model {

//! A word of a vector of a group.
struct GroupWord {
  std::int64_t vector;
  std::int64_t word;
};

//! Words of a group in the order in which they travel: hls/spec/group_order.py.
class GroupOrder {
 public:
  GroupOrder(std::int64_t words, std::int64_t vectors, std::int64_t block_words)
      : words_(words), vectors_(vectors), block_words_(block_words) {}

  //! Whether there is a word left.
  bool more() const { return at_.word < words_; }

  const GroupWord& at() const { return at_; }

  //! Whether it is of the group's last vector.
  bool completes() const { return at_.vector == vectors_ - 1; }

  void advance() {
    ++at_.word;
    if (at_.word != std::min(block_ + block_words_, words_)) return;
    if (completes()) {
      at_.vector = 0;
      block_ = at_.word;
    } else {
      ++at_.vector;
      at_.word = block_;
    }
  }

 private:
  std::int64_t words_;
  std::int64_t vectors_;
  std::int64_t block_words_;
  std::int64_t block_ = 0;
  GroupWord at_{0, 0};
};

//! The stream of words, and where vectors go abreast `join_abreast` with the stream behind it.
class Words {
 public:
  explicit Words(bool joins) : joins_(joins) {}

  //! The control unit writes a word; returns when.
  Time write(Time time) { return vectors_.write(time); }

  //! `detect_nonzero`, which has come to cycle `detect`, takes the word; or `join_abreast`, until
  //! one completes a group. Returns whether there is something to search.
  bool pass(Time& detect, bool completes = true) {
    if (!joins_) {
      detect = vectors_.read(detect);
      return true;
    }
    join_abreast_at_ = vectors_.read(join_abreast_at_);
    if (completes) {
      join_abreast_at_ = groups_.write(join_abreast_at_);
      detect = groups_.read(detect);
    }
    ++join_abreast_at_;
    return completes;
  }

 private:
  bool joins_;
  Stream vectors_{kStreamDepth};
  Time join_abreast_at_ = 0;
  Stream groups_{kStreamDepth};
};

}  // namespace model
