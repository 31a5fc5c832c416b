// How a region schedules its processes; included by region.h only.
#pragma once

#include "region.h"

namespace simulation {

inline cycle_t region::run() {
  if (active() != nullptr) {
    throw error("region '" + name_ + "' must not run inside region '" + active()->name_ + "'");
  }
  if (ran_) throw error("region '" + name_ + "' must run once; make a new one for another run");
  ran_ = true;
  for (const auto& each : processes_) ready_.push_back(each.get());
  later_.reserve(processes_.size());
  unfinished_ = processes_.size();

  active() = this;
  now_ = 0;
  if (process* const first = pick()) {
    current_ = first;
    coroutine::transfer(caller_, first->flow);
  }
  // Before the processes are unwound: that changes what the report tells.
  if (deadlocked_) failure_ = std::make_exception_ptr(deadlock(deadlock_report()));
  if (failure_) abandon();
  active() = nullptr;

  const std::string leftovers = leftover_report();
  release_streams();
  if (failure_) std::rethrow_exception(failure_);
  if (!leftovers.empty()) throw leftover(leftovers);
  return now_;
}

// The life of a process ---------------------------------------------------------------------------

inline void region::start(void* started) {
  process& self = *static_cast<process*>(started);
  region& here = *active();
  here.execute(self);
  process* const next = here.failure_ || here.unwinding_ ? nullptr : here.pick();
  here.current_ = next;
  coroutine::exit_to(self.flow, next != nullptr ? next->flow : here.caller_);
}

inline void region::execute(process& self) {
  try {
    self.body();
  } catch (const unwinding&) {
  } catch (const error&) {  // it names its processes itself
    note_failure();
  } catch (const std::runtime_error& thrown) {
    try {
      std::throw_with_nested(process_error("process '" + self.name + "': " + thrown.what()));
    } catch (...) {
      note_failure();
    }
  } catch (...) {
    note_failure();
  }
  self.finished = true;
  --unfinished_;
}

//! Keep the exception being handled; only the first says what went wrong.
inline void region::note_failure() {
  if (!failure_) failure_ = std::current_exception();
}

//! Let other processes run until it is this one's turn again.
inline void region::pause(process& self) {
  process* const next = pick();
  if (next == &self) return;
  current_ = next;
  coroutine::transfer(self.flow, next != nullptr ? next->flow : caller_);
  if (unwinding_) throw unwinding();
}

//! The process to run next, in this cycle or a later one; null when there is none.
inline process* region::pick() {
  do {
    while (next_ready_ < ready_.size()) {
      process* const next = ready_[next_ready_++];
      if (next->awaited == nullptr) return next;
      if (next->awaited->ready(next->waiting_side, now_)) {
        next->awaited = nullptr;
        return next;
      }
      stalled_ = true;
      later_.push_back(next);
    }
  } while (unfinished_ > 0 && advance());
  return nullptr;
}

//! Go on to the next cycle; false in a deadlock.
inline bool region::advance() {
  if (progress_) {
    idle_cycles_ = 0;
  } else if (!stalled_) {
    ++idle_cycles_;
  }
  if (later_.empty() || idle_cycles_ > patience_) {
    deadlocked_ = true;
    return false;
  }
  ++now_;
  ready_.swap(later_);
  later_.clear();
  next_ready_ = 0;
  progress_ = stalled_ = false;
  return true;
}

//! Unwind the processes that have started and not ended.
inline void region::abandon() {
  unwinding_ = true;
  for (const auto& each : processes_) {
    if (each->finished || !each->flow.started()) continue;
    current_ = each.get();
    coroutine::transfer(caller_, each->flow);
  }
}

// Streams -----------------------------------------------------------------------------------------

inline void region::claim_first(fifo& channel, side which) {
  endpoint& mine = channel.end(which);
  if (mine.owner != nullptr) {
    throw error("stream '" + channel.name() + "' must have one " +
                (which == side::reader ? "reader" : "writer") + ", not both process '" +
                mine.owner->name + "' and process '" + current_->name + "'");
  }
  mine.owner = current_;
  if (channel.users_ == nullptr) {
    channels_.push_back(&channel);
    channel.users_ = &channels_;
  }
}

inline void region::refuse_second_transfer(const fifo& channel, side which) const {
  throw error("process '" + current_->name + "' must not " +
              (which == side::reader ? "read" : "write") + " stream '" + channel.name() +
              "' twice in cycle " + std::to_string(now_) +
              ": a port moves one element a cycle; an end_cycle() belongs between");
}

inline void region::fail(fifo& channel, side which) {
  process& self = *current_;
  self.polled = &channel;
  self.waiting_side = which;
  if (channel.available(which, now_)) stalled_ = true;
  if (++self.failed_polls > kMostPolls) {
    throw error("process '" + self.name + "' must not poll stream '" + channel.name() +
                "' without end of cycle " + std::to_string(now_) +
                ": an end_cycle() belongs into the loop");
  }
}

inline void region::block(fifo& channel, side which) {
  process& self = *current_;
  self.awaited = &channel;
  self.waiting_side = which;
  self.blocked_since = now_;
  if (channel.available(which, now_)) stalled_ = true;
  if (channel.available_later(which)) {
    later_.push_back(&self);
  } else {
    channel.end(which).parked = true;
  }
  pause(self);
  channel.end(which).waits += now_ - self.blocked_since;
}

//! Make the streams ready for the test bench and the next region.
inline void region::release_streams() {
  for (fifo* channel : channels_) channel->release();
  channels_.clear();
}

// Reports -----------------------------------------------------------------------------------------

inline std::string region::deadlock_report() const {
  std::string text = "region '" + name_ + "' deadlocked in cycle " + std::to_string(now_) + ": " +
                     std::to_string(unfinished_) + " of " + std::to_string(processes_.size()) +
                     " processes cannot go on";
  for (const auto& each : processes_) {
    if (!each->finished) text += "\n  " + each->describe();
  }
  return text;
}

//! Empty when there is nothing left over.
inline std::string region::leftover_report() const {
  std::string text;
  for (const fifo* channel : channels_) {
    if (channel->external() || channel->fill() == 0) continue;
    text += "\n  " + channel->describe();
  }
  if (text.empty()) return text;
  return "region '" + name_ + "' ended with elements left in its streams" + text;
}

}  // namespace simulation
