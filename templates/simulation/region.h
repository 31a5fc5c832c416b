// A dataflow region in lock-step: all processes share one clock.
//
//   hls::stream<int, 4> numbers("numbers");
//   simulation::region region("top");
//   region.spawn("produce", [&] { produce(numbers); });
//   region.spawn("consume", [&] { consume(numbers, result); });
//   const simulation::cycle_t cycles = region.run();
//
// Time
// - A process is a function that calls simulation::end_cycle() at the end of each iteration of
//   each of its pipelined loops (II = 1). What lies between two calls happens in one clock cycle
//   t; then the process goes on in cycle t + 1. All processes start in cycle 0.
// - An element written in cycle t can be read from t + 1, a slot freed in t can be written from
//   t + 1. So a stream of depth 2 passes an element in every cycle, one of depth 1 in every
//   second, and no result depends on the order of the processes within a cycle.
// - A blocking read or write waits, in whole cycles, and the process goes on in the cycle in which
//   it succeeds. Non-blocking ones, empty() and full() answer for the current cycle.
// - run() returns the cycle in which the last process returned: the number of cycles, when each
//   process calls end_cycle() after its last transfer.
//
// Rules of the hardware; breaking one throws simulation::error
// - A stream has one reader and one writer; empty() belongs to the reader, full() to the writer.
// - An end of a stream moves one element a cycle at most.
// - Regions do not nest.
//
// Ends
// - A cycle makes progress when an element was moved, or a process ended an iteration without a
//   failed non-blocking operation or query. When all processes are blocked, or a number of cycles
//   in a row (kPatience) made no progress, run() throws simulation::deadlock. A process held up by
//   nothing but a stall pattern is no deadlock.
// - When all processes have ended, elements left in a stream that is not external throw
//   simulation::leftover.
// - What a process throws leaves run(): a simulation::error as it is, another std::runtime_error as
//   a simulation::process_error with the process' name, anything else as it is. The other processes
//   are unwound: the operation that they wait in throws something of its own, so that destructors
//   run. A process must not swallow it, nor use streams in a destructor or a catch block.
//
// What it is not: the latency of a pipeline (fill, drain, entry and exit of a loop) is not
// modelled, nor whether a loop can be pipelined with II = 1: only synthesis knows. One region runs
// at a time, in one thread; kernels keep their memories in static arrays anyway.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coroutine.h"
#include "errors.h"
#include "fifo.h"
#include "process.h"

namespace simulation {

//! Cycles without progress after which processes that poll count as deadlocked. A process may poll
//! a stream in vain while it works through a memory of its own: this is more than the 65,536 words
//! of the longest such memory, and still gone through in well under a second.
constexpr cycle_t kPatience = cycle_t{1} << 17;

//! The processes of one call of a top function, and their clock.
class region {
 public:
  //! `name` is for reports; `patience`: see kPatience.
  explicit region(std::string name, cycle_t patience = kPatience)
      : name_(std::move(name)), patience_(patience) {}
  region(const region&) = delete;
  region& operator=(const region&) = delete;

  //! Add a process. Of `call`, the text of a function call, the function's name becomes the
  //! process' name. What `body` refers to must live until run() returns.
  void spawn(const std::string& call, std::function<void()> body) {
    processes_.emplace_back(new process(function_of(call), std::move(body), &region::start));
  }

  //! Run all processes to their end, once; returns the cycles that they took.
  cycle_t run();

  //! The region that is running, or null.
  static region*& active() {
    static region* running = nullptr;
    return running;
  }

  //! Cycle of the running region, or the total of the latest.
  static cycle_t& clock() {
    static cycle_t cycle = 0;
    return cycle;
  }

  // What end_cycle() and hls::stream do in the name of the process that runs ---------------------

  //! End the iteration.
  void end_cycle() {
    process& self = *current_;
    if (self.failed_polls == 0) note_progress(self);
    self.failed_polls = 0;
    later_.push_back(&self);
    pause(self);
  }

  //! Wait until an element can be moved through the end `which` of `channel`.
  void await(fifo& channel, side which) {
    claim(channel, which);
    check_port(channel, which);
    if (!channel.ready(which, now_)) block(channel, which);
  }

  //! Whether an element can be moved in this cycle; if not, the process is polling.
  bool poll(fifo& channel, side which) {
    claim(channel, which);
    if (channel.ready(which, now_)) return true;
    fail(channel, which);
    return false;
  }

  //! As poll(), for a process that moves the element if it can.
  bool try_to(fifo& channel, side which) {
    claim(channel, which);
    check_port(channel, which);
    if (poll(channel, which)) return true;
    ++channel.end(which).waits;
    return false;
  }

  //! Count the element just moved, after await() or try_to().
  void moved(fifo& channel, side which) {
    channel.count(which, now_);
    endpoint& other = channel.end(opposite(which));
    if (other.parked) {
      other.parked = false;
      later_.push_back(other.owner);
    }
    note_progress(*current_);
  }

 private:
  //! Thrown into the processes that are left when a region is given up.
  struct unwinding {};

  //! Failed polls in one iteration that only a loop without end_cycle() makes.
  static constexpr unsigned kMostPolls = 1u << 20;

  void note_progress(process& self) {
    progress_ = true;
    self.idle_since = now_ + 1;
  }

  //! A stream belongs to the first process that uses it, for the time of the region.
  void claim(fifo& channel, side which) {
    if (channel.end(which).owner != current_) claim_first(channel, which);
  }

  void check_port(fifo& channel, side which) {
    if (channel.end(which).latest == now_) refuse_second_transfer(channel, which);
  }

  void claim_first(fifo& channel, side which);
  [[noreturn]] void refuse_second_transfer(const fifo& channel, side which) const;
  void fail(fifo& channel, side which);
  void block(fifo& channel, side which);

  static void start(void* started);
  void execute(process& self);
  void note_failure();
  void pause(process& self);
  process* pick();
  bool advance();
  void abandon();
  void release_streams();
  std::string deadlock_report() const;
  std::string leftover_report() const;

  const std::string name_;
  const cycle_t patience_;
  cycle_t& now_ = clock();
  std::vector<std::unique_ptr<process>> processes_;
  //! Streams used in this region.
  std::vector<fifo*> channels_;

  //! Processes of this cycle, from next_ready_ on still to run, and those of the next cycle. A
  //! blocked process is in neither until the other end of its stream moves an element, so it costs
  //! nothing; one that only a stall holds up is looked at in every cycle.
  std::vector<process*> ready_;
  std::vector<process*> later_;
  std::size_t next_ready_ = 0;

  coroutine caller_;
  process* current_ = nullptr;
  std::size_t unfinished_ = 0;
  cycle_t idle_cycles_ = 0;
  bool progress_ = false;  //!< in this cycle
  bool stalled_ = false;   //!< in this cycle a stall alone held a process up
  bool deadlocked_ = false;
  bool unwinding_ = false;
  bool ran_ = false;
  std::exception_ptr failure_;
};

//! End the running process' iteration: what follows happens one clock cycle later. Outside a
//! region, as in a test of a single process, it does nothing.
inline void end_cycle() {
  if (region* const running = region::active()) running->end_cycle();
}

//! Cycles since the start of the running region; after it, its total.
inline cycle_t now() {
  return region::clock();
}

}  // namespace simulation

#include "region_inl.h"
