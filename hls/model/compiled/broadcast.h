// The tree from `detect_nonzero` to the queues: all nodes of a level at once.
#pragma once

#include <cstddef>
#include <vector>

#include "constants.h"
#include "fifo_times.h"
#include "pes.h"

namespace model {

class Broadcast {
 public:
  explicit Broadcast(std::size_t pes) : full(pes), root_(1) {
    std::vector<std::size_t> nodes{pes};
    while (nodes.front() > kRadix) {
      nodes.insert(nodes.begin(), (nodes.front() + kRadix - 1) / kRadix);
    }
    // Streams into the root, between levels, and last the queues.
    streams_.emplace_back(1, kStreamDepth);
    std::size_t count = 1;
    for (const std::size_t below : nodes) {
      const bool queues = below == pes;
      streams_.emplace_back(below, queues ? kFetchDepth : kStreamDepth);
      levels_.push_back({below / count, std::vector<Time>(count), std::vector<Time>(below)});
      count = below;
    }
  }

  //! Pass a token from `detect_nonzero` to the fetches; returns when it was written.
  Time pass_token(Time time, Pes& pes, bool in_layer) {
    root_[0] = time;
    streams_.front().write(root_);
    for (std::size_t level = 0; level < levels_.size(); ++level) pass_level(level, in_layer);
    streams_.back().read(pes.fetch);
    return root_[0];
  }

  //! Activations that found each PE's queue full, and held the broadcast up.
  std::vector<Time> full;

 private:
  //! Nodes between two rows of streams.
  struct Level {
    //! Streams that a node passes a token on to.
    std::size_t children;
    //! Cycle that each node has come to.
    std::vector<Time> times;
    //! When a token was offered to each child, and then when it was accepted.
    std::vector<Time> accepted;
  };

  //! All nodes of a level pass a token on.
  void pass_level(std::size_t number, bool in_layer) {
    Level& level = levels_[number];
    streams_[number].read(level.times);
    for (std::size_t child = 0; child < level.accepted.size(); ++child) {
      level.accepted[child] = level.times[child / level.children];
    }
    StreamBundle& below = streams_[number + 1];
    if (in_layer && number + 1 == levels_.size()) {
      for (std::size_t pe = 0; pe < full.size(); ++pe) {
        full[pe] += below.writable()[pe] > level.accepted[pe];
      }
    }
    below.write_in_turn(level.accepted, level.children);
    // One child after the other, so the last one's time is the node's.
    for (std::size_t node = 0; node < level.times.size(); ++node) {
      level.times[node] = level.accepted[(node + 1) * level.children - 1] + 1;
    }
  }

  std::vector<StreamBundle> streams_;
  std::vector<Level> levels_;
  std::vector<Time> root_;
};

}  // namespace model
