// Column fetch and multiplier of every PE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "constants.h"
#include "fifo_times.h"
#include "gather.h"

namespace model {

class Pes {
 public:
  explicit Pes(std::size_t pes)
      : fetch(pes), busy(pes), starved(pes), work_(pes, Stream(kWorkDepth)), multiplier_(pes) {}

  //! The fetch passes on a token that the multiplier waits for, outside of a layer.
  void take_token() {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      fetch[pe] = work_[pe].write(fetch[pe]) + 1;
      multiplier_[pe] = work_[pe].read(multiplier_[pe]) + 1;
    }
  }

  //! An activation meets a column of `lengths` entries, one number for each PE.
  void take_activation(const std::int32_t* lengths) {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      const Time length = lengths[pe];
      if (length != 0) {
        fetch[pe] = work_[pe].write(fetch[pe]);
        const Time begin = work_[pe].read(multiplier_[pe]);
        starved[pe] += begin - multiplier_[pe];
        busy[pe] += length;
        multiplier_[pe] = begin + length;
      }
      fetch[pe] += 1;
    }
  }

  //! The multiplier finds the layer at its end.
  void take_layer_end() {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      fetch[pe] = work_[pe].write(fetch[pe]) + 1;
      const Time end = work_[pe].read(multiplier_[pe]);
      starved[pe] += end - multiplier_[pe];
      // Between the token and the first row lies the end of the iteration that found it.
      multiplier_[pe] = end + 1;
    }
  }

  //! Every PE sends its result of the next row.
  void write_back(Gather& gather) {
    gather.take(multiplier_);
    for (Time& time : multiplier_) time += 1;
  }

  //! Cycle in which each fetch reads its next token, or has just read one.
  std::vector<Time> fetch;
  std::vector<Time> busy;
  std::vector<Time> starved;

 private:
  StreamArray work_;
  std::vector<Time> multiplier_;
};

}  // namespace model
