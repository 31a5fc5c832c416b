// Column fetch and multiplier of every PE: hls/model/pe_times.py.
//
// The multiplier is one loop for a whole run, which accumulates a layer and writes the one before
// it back, side by side. Its times are kept in iterations, of which Clock gives the cycles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "constants.h"
#include "fifo_times.h"
#include "gather.h"

namespace model {

//! Cycles of the iterations of every PE's multiplier.
//!
//! One iteration a cycle, but for those that write a row and wait for room: their cycles are kept
//! for the layer that is written back, and how far they held the later ones up.
class Clock {
 public:
  explicit Clock(std::size_t pes) : before_(pes), after_(pes), base_(pes) {}

  //! Start on the rows of a layer, the first in iterations `base`; `base` is their cycles,
  //! afterwards.
  void open(std::vector<Time>& base) {
    before_ = after_;
    base_ = base;
    rows_.clear();
    for (std::size_t pe = 0; pe < base.size(); ++pe) base[pe] += before_[pe];
  }

  //! The next row begins in cycles `times`.
  void begin_row(const std::vector<Time>& times) {
    rows_.insert(rows_.end(), times.begin(), times.end());
  }

  //! All rows are out, and what follows them begins in cycles `times`.
  void close(const std::vector<Time>& times) {
    for (std::size_t pe = 0; pe < times.size(); ++pe) after_[pe] = times[pe] - (base_[pe] + rows());
  }

  //! Cycle of an iteration of a PE.
  Time cycle(Time iteration, std::size_t pe) const {
    const Time row = iteration - base_[pe];
    if (before_[pe] == after_[pe] || row >= rows()) return iteration + after_[pe];
    return row < 0 ? iteration + before_[pe] : of_row(row, pe);
  }

  //! First iteration of a PE in `cycle` or later.
  Time iteration(Time cycle, std::size_t pe) const {
    if (before_[pe] == after_[pe]) return cycle - after_[pe];
    // Rows that began before it: their cycles rise.
    Time over = 0, beyond = rows();
    while (over < beyond) {
      const Time middle = (over + beyond) / 2;
      if (of_row(middle, pe) < cycle) {
        over = middle + 1;
      } else {
        beyond = middle;
      }
    }
    if (over == 0) return std::min(cycle - before_[pe], base_[pe]);
    // The last row may be held up: what comes meanwhile is for the iteration behind it.
    return over == rows() ? std::max(cycle - after_[pe], base_[pe] + over) : base_[pe] + over;
  }

 private:
  Time rows() const { return static_cast<Time>(rows_.size() / base_.size()); }

  Time of_row(Time row, std::size_t pe) const {
    return rows_[static_cast<std::size_t>(row) * base_.size() + pe];
  }

  //! Cycles less iterations: before the rows of the layer that was last written back, and after.
  std::vector<Time> before_;
  std::vector<Time> after_;
  //! Iteration of the first row, and cycles of all, shape (rows, pes).
  std::vector<Time> base_;
  std::vector<Time> rows_;
};

class Pes {
 public:
  Pes(std::size_t pes, std::size_t queue_depth, Time write_latency)
      : fetch(pes),
        busy(pes),
        starved(pes),
        work_(pes, Stream(queue_depth)),
        clock_(pes),
        poll_(pes),
        free_(pes),
        last_free_(pes),
        ended_(pes),
        rows_at_(pes),
        write_latency_(write_latency) {}

  //! The run's begin, which the multiplier waits for; its loop starts behind it.
  void begin_run() {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      fetch[pe] = work_[pe].write(fetch[pe]) + 1;
      poll_[pe] = work_[pe].read(poll_[pe]) + 1;
      free_[pe] = last_free_[pe] = poll_[pe];
    }
  }

  //! An activation meets a column of `lengths` entries, one number for each PE.
  void take_activation(const std::int32_t* lengths) {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      if (lengths[pe] != 0) {
        fetch[pe] = work_[pe].write(fetch[pe]);
        begin_column(pe, std::max(read(pe) + 1, free_[pe]), lengths[pe]);
      }
      fetch[pe] += 1;
    }
  }

  //! The layer's last activation, or an end without one: then `lengths` is null. The sums of a
  //! layer that accumulates stay in their bank, and it waits for no other.
  void end_layer(const std::int32_t* lengths, bool accumulates) {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      const Time length = lengths == nullptr ? 0 : lengths[pe];
      fetch[pe] = work_[pe].write(fetch[pe]) + 1;
      Time begin = std::max(read(pe) + 1, free_[pe]);
      if (!accumulates) begin = std::max(begin, last_free_[pe]);
      if (length != 0) begin_column(pe, begin, length);
      poll_[pe] = begin;
      if (!accumulates) ended_[pe] = begin + std::max<Time>(length, 1) - 1;
    }
  }

  //! The run's end: until it is there, a PE that does nothing lacks work.
  void end_run() {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      fetch[pe] = work_[pe].write(fetch[pe]) + 1;
      starved[pe] += std::max<Time>(read(pe) + 1 - free_[pe], 0);
    }
  }

  //! Every PE begins to send its results of the layer that ended.
  void begin_rows() {
    for (std::size_t pe = 0; pe < fetch.size(); ++pe)
      rows_at_[pe] = ended_[pe] + 1 + write_latency_;
    clock_.open(rows_at_);
  }

  //! Every PE sends its result of the next row.
  void write_row(Gather& gather) {
    clock_.begin_row(rows_at_);
    gather.take(rows_at_);
    for (Time& time : rows_at_) time += 1;
  }

  //! All `rows` were sent.
  void end_rows(Time rows) {
    clock_.close(rows_at_);
    for (std::size_t pe = 0; pe < fetch.size(); ++pe) {
      // Behind the last row its zeros are on their way: the bank is not free before.
      last_free_[pe] = ended_[pe] + 2 * write_latency_ + rows;
    }
  }

  //! Cycle in which each fetch reads its next token, or has just read one.
  std::vector<Time> fetch;
  std::vector<Time> busy;
  std::vector<Time> starved;

 private:
  //! Take the next token off the stream; returns in which iteration.
  Time read(std::size_t pe) {
    const Time iteration = std::max(poll_[pe], clock_.iteration(work_[pe].readable(), pe));
    work_[pe].read(clock_.cycle(iteration, pe));
    return iteration;
  }

  void begin_column(std::size_t pe, Time begin, Time length) {
    starved[pe] += begin - free_[pe];
    busy[pe] += length;
    poll_[pe] = begin;
    free_[pe] = begin + length;
  }

  StreamArray work_;
  Clock clock_;
  //! First iterations in which the next token may be taken off the stream into its register, a
  //! column may begin, and the last column of a layer may.
  std::vector<Time> poll_;
  std::vector<Time> free_;
  std::vector<Time> last_free_;
  //! Iteration in which the latest layer ended.
  std::vector<Time> ended_;
  //! Cycle in which each PE may send its next row.
  std::vector<Time> rows_at_;
  Time write_latency_;
};

}  // namespace model
