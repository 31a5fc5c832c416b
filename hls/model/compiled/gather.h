// The tree from the PEs' results to one stream of words in order of rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "constants.h"
#include "fifo_times.h"
#include "merge.h"

namespace model {

//! Nodes that make one element of four: of four sources at once, or of fewer in rounds.
class GatherLevel {
 public:
  GatherLevel(std::size_t sources, std::size_t depth)
      : streams(sources, Stream(depth)),
        group_(std::min(sources, kRadix)),
        rounds_(kRadix / group_),
        times_(sources / group_) {}

  //! One iteration of every node; whether it completes an element, which is then to be written at
  //! the node's times().
  bool step() {
    for (std::size_t node = 0; node < times_.size(); ++node) {
      // A node reads its sources one after another within one iteration.
      for (std::size_t source = 0; source < group_; ++source) {
        times_[node] = streams[node * group_ + source].read(times_[node]);
      }
    }
    round_ = (round_ + 1) % rounds_;
    if (round_ == 0) return true;
    for (Time& time : times_) time += 1;
    return false;
  }

  const std::vector<Time>& times() const { return times_; }

  //! The element got out at `written`, which ends the iteration.
  void finish(std::size_t node, Time written) { times_[node] = written + 1; }

  //! Where the sources' elements come in.
  StreamArray streams;

 private:
  std::size_t group_;
  std::size_t rounds_;
  std::size_t round_ = 0;
  std::vector<Time> times_;
};

class Gather {
 public:
  Gather(std::size_t pes, std::size_t result_depth)
      : beats_(pes, result_depth),
        words_(std::max<std::size_t>(1, pes / kRadix), kStreamDepth),
        streams_(std::max<std::size_t>(1, words_.streams.size() / kRadix), Stream(kStreamDepth)),
        merge_(streams_.size()) {}

  //! Take a result from every PE at `times`, which are when each was written, afterwards.
  void take(std::vector<Time>& times) {
    for (std::size_t pe = 0; pe < times.size(); ++pe) {
      times[pe] = beats_.streams[pe].write(times[pe]);
    }
    if (!beats_.step()) return;
    for (std::size_t node = 0; node < words_.streams.size(); ++node) {
      beats_.finish(node, words_.streams[node].write(beats_.times()[node]));
    }
    if (!words_.step()) return;
    for (std::size_t node = 0; node < streams_.size(); ++node) {
      words_.finish(node, streams_[node].write(words_.times()[node]));
    }
    words_ready_ = streams_.size();
  }

  //! Words completed by the last take(); all of them must be read before the next.
  std::size_t words_ready() {
    const std::size_t ready = words_ready_;
    words_ready_ = 0;
    return ready;
  }

  //! Read the next word in cycle `time` or as soon as it is there; returns when.
  Time read_word(Time time) { return merge_.read(streams_, time); }

 private:
  GatherLevel beats_;
  GatherLevel words_;
  //! Words, before they are put one after another.
  StreamArray streams_;
  Merge merge_;
  std::size_t words_ready_ = 0;
};

}  // namespace model
