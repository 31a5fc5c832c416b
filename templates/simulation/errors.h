// What a simulated dataflow region can do wrong.
#pragma once

#include <stdexcept>
#include <string>

namespace simulation {

//! Base of all errors of the simulation. Thrown as such where a process or the test bench breaks
//! a rule of streams: a second reader or writer, or two transfers through one port in a cycle.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

//! No process can go on. The message has a line for each unfinished process: its name, the stream
//! it waits for with depth, fill and totals, and since which cycle.
class deadlock : public error {
 public:
  using error::error;
};

//! Every process ended, but elements stayed behind in streams inside the region: reader and writer
//! disagree about their number, and the next run would start with stale data.
class leftover : public error {
 public:
  using error::error;
};

//! A process threw a std::runtime_error; the message is preceded by the process' name, and the
//! original exception is nested (std::rethrow_if_nested).
class process_error : public error {
 public:
  using error::error;
};

}  // namespace simulation
