// One process of a dataflow region: its coroutine, and what it waits for.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "coroutine.h"
#include "fifo.h"

namespace simulation {

//! A process; region.h runs it.
struct process {
  //! `start(this)` is what the coroutine runs.
  process(std::string name_, std::function<void()> body_, void (*start)(void*))
      : name(std::move(name_)), body(std::move(body_)), flow(start, this) {}

  const std::string name;
  const std::function<void()> body;
  coroutine flow;
  bool finished = false;

  //! The stream that it is blocked on, or null, and since which cycle.
  fifo* awaited = nullptr;
  cycle_t blocked_since = 0;
  //! The stream of its latest failed non-blocking operation, and their number in this iteration.
  fifo* polled = nullptr;
  unsigned failed_polls = 0;
  //! First of the cycles in which it has made no progress.
  cycle_t idle_since = 0;
  //! Its end of the stream that it awaits or polled.
  side waiting_side = side::reader;

  //! A line of a deadlock's report: only a process that waits or polls is part of one.
  std::string describe() const {
    const bool blocked = awaited != nullptr;
    const bool reads = waiting_side == side::reader;
    return "process '" + name + "' " +
           (blocked ? (reads ? "blocked reading" : "blocked writing") : "polling") +
           (reads ? " empty " : " full ") + (blocked ? awaited : polled)->describe() +
           " since cycle " + std::to_string(blocked ? blocked_since : idle_since);
  }
};

//! The function's name in the text of a call: "merge<4, (2)>" of "merge<4, (2)>(left, right)";
//! any other text as it is.
inline std::string function_of(const std::string& call) {
  if (call.empty() || call.back() != ')') return call;
  std::size_t depth = 0;
  for (std::size_t i = call.size(); i-- > 0;) {
    if (call[i] == ')') ++depth;
    if (call[i] == '(' && --depth == 0) return i > 0 ? call.substr(0, i) : call;
  }
  return call;
}

}  // namespace simulation
