// The state of one FIFO: when it can be read and written, and what happened to it so far.
//
// The flags are registered, as in hardware: in cycle t the reader sees the elements written before
// t, the writer the slots freed before t. So the answers in a cycle do not depend on the order in
// which processes run within it. Waiting is up to region.h, the elements to hls_stream.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "errors.h"

namespace simulation {

struct process;

//! A number of clock cycles, or the number of a cycle, from 0 at the start of a region.
using cycle_t = std::uint64_t;
//! A cycle that never comes.
constexpr cycle_t kNever = std::numeric_limits<cycle_t>::max();
//! Depth of a stream that does not name one (UG1399, HLS Stream Library).
constexpr std::size_t kDefaultDepth = 2;

//! The two ends of a FIFO.
enum class side { reader, writer };

//! The end across from `which`.
constexpr side opposite(side which) {
  return which == side::reader ? side::writer : side::reader;
}

//! One end of a FIFO.
struct endpoint {
  //! The process that it belongs to in the running region, or null.
  process* owner = nullptr;
  //! Whether the owner sleeps until the opposite end moves an element.
  bool parked = false;
  //! Cycle of the latest transfer in the running region.
  cycle_t latest = kNever;
  //! Elements moved since the stream was made.
  std::uint64_t transfers = 0;
  //! Cycles in which the owner could not move an element that it wanted to move.
  std::uint64_t waits = 0;
};

//! What happened to a stream since it was made.
struct statistics {
  std::uint64_t written;
  std::uint64_t read;
  //! Most elements held at once; a slot freed in a cycle counts as held until its end.
  std::uint64_t high_water;
  //! Cycles in which the writer was blocked, and failed write_nb().
  std::uint64_t writer_waits;
  //! Cycles in which the reader was blocked, and failed read_nb().
  std::uint64_t reader_waits;
};

//! A bounded FIFO without its elements.
class fifo {
 public:
  fifo(const fifo&) = delete;
  fifo& operator=(const fifo&) = delete;

  const std::string& name() const { return name_; }
  std::size_t depth() const { return depth_; }
  bool external() const { return external_; }

  //! Elements in it, whether they can be read yet or not.
  std::uint64_t fill() const { return writer_.transfers - reader_.transfers; }

  statistics stats() const {
    return {writer_.transfers, reader_.transfers, high_water_, writer_.waits, reader_.waits};
  }

  //! "stream 'x' (depth 2, fill 1, written 5, read 4)".
  std::string describe() const {
    return "stream '" + name_ + "' (" +
           (external_ ? std::string("external") : "depth " + std::to_string(depth_)) + ", fill " +
           std::to_string(fill()) + ", written " + std::to_string(writer_.transfers) + ", read " +
           std::to_string(reader_.transfers) + ")";
  }

  //! Name it for reports.
  void set_name(const std::string& name) { name_ = name; }

  //! Number of elements that fit: at least 1.
  void set_depth(std::size_t depth) {
    if (depth == 0) throw error("depth of stream '" + name_ + "' must be at least 1, not 0");
    depth_ = depth;
  }

  //! Make it a port of the top function, with the test bench at its other end: unbounded, and
  //! allowed to hold elements when the region ends. What the test bench wrote before the region can
  //! be read in cycle 0.
  void set_external() { external_ = true; }

  //! Make it pause in numerator/denominator of the cycles, as a DMA does: in such a cycle it can
  //! be neither read nor written. Cycle t of a region is one if output t, counted from 0, of the
  //! generator SplitMix64 seeded with `seed`, modulo denominator, is below numerator.
  void set_stall(std::uint64_t seed, std::uint64_t numerator, std::uint64_t denominator) {
    if (numerator >= denominator) {
      throw error("stall of stream '" + name_ + "' must be a fraction below 1, not " +
                  std::to_string(numerator) + "/" + std::to_string(denominator));
    }
    stall_seed_ = seed;
    stall_numerator_ = numerator;
    stall_denominator_ = denominator;
  }

 protected:
  fifo(const char* name, std::size_t depth) : depth_(depth), name_(name) {}

  ~fifo() {
    // A stream local to a process is gone before its region is.
    if (users_ != nullptr) users_->erase(std::find(users_->begin(), users_->end(), this));
  }

  std::uint64_t written() const { return writer_.transfers; }
  std::uint64_t read_so_far() const { return reader_.transfers; }

  // The test bench's transfers, outside a region: they take no time.

  bool available_outside(side which) const { return available_beside(which, 0); }

  void require_outside(side which) const {
    if (available_outside(which)) return;
    throw error(which == side::reader
                    ? "read outside a region must find an element, but found empty " + describe()
                    : "write outside a region must find a slot, but found full " + describe());
  }

  void count_outside(side which) { count(which, kNever); }

 private:
  friend class region;

  endpoint& end(side which) { return which == side::reader ? reader_ : writer_; }
  const endpoint& end(side which) const { return which == side::reader ? reader_ : writer_; }

  //! Whether there is an element, or a slot, besides those that the opposite end just moved.
  bool available_beside(side which, unsigned just_moved) const {
    return which == side::reader ? fill() > just_moved : external_ || fill() + just_moved < depth_;
  }

  //! Whether an element could be moved in cycle `now`, stalls apart.
  bool available(side which, cycle_t now) const {
    return available_beside(which, end(opposite(which)).latest == now ? 1 : 0);
  }

  //! Whether an element could be moved in a later cycle even if the opposite end moves none.
  bool available_later(side which) const { return available_beside(which, 0); }

  //! Whether an element can be moved in cycle `now`.
  bool ready(side which, cycle_t now) const { return available(which, now) && !stalled(now); }

  bool stalled(cycle_t now) const {
    return stall_denominator_ != 0 && splitmix64(now) % stall_denominator_ < stall_numerator_;
  }

  std::uint64_t splitmix64(cycle_t index) const {
    std::uint64_t z = stall_seed_ + (index + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  //! Count an element moved in cycle `now`, kNever for outside a region.
  void count(side which, cycle_t now) {
    endpoint& mine = end(which);
    mine.latest = now;
    ++mine.transfers;
    if (which == side::writer) {
      const bool freed_now = now != kNever && reader_.latest == now;
      high_water_ = std::max(high_water_, fill() + (freed_now ? 1 : 0));
    }
  }

  //! Forget the region that ended.
  void release() {
    for (endpoint* each : {&reader_, &writer_}) {
      each->owner = nullptr;
      each->parked = false;
      each->latest = kNever;
    }
    users_ = nullptr;
  }

  endpoint reader_;
  endpoint writer_;
  std::size_t depth_;
  std::uint64_t high_water_ = 0;
  bool external_ = false;
  std::uint64_t stall_seed_ = 0;
  std::uint64_t stall_numerator_ = 0;
  std::uint64_t stall_denominator_ = 0;
  //! The running region's list of streams, when this one is on it.
  std::vector<fifo*>* users_ = nullptr;
  std::string name_;
};

}  // namespace simulation
