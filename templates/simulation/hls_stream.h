// hls::stream for C simulation without the vendor's tools: bounded, and clocked.
//
// A stream has the depth that its type names, hls::stream<T, 8>, or 2 like Vitis HLS when it names
// none. #pragma HLS STREAM is invisible to g++, so the depth belongs into the type; for synthesis
// the type's depth counts as well (UG1399, HLS Stream Library). A process takes a hls::stream<T>&,
// whatever the depth, and an array of streams as hls::stream<T, 8> (&queue)[4].
//
// When an operation succeeds, and what it costs, is said in region.h. In the test bench, outside a
// region, operations take no time and there is nobody to wait for: reading an empty stream and
// writing a full one are errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "fifo.h"
#include "region.h"

namespace hls {

template <typename T, int Depth = 0>
class stream;

//! A stream of any depth, as processes see it.
template <typename T>
class stream<T, 0> : public simulation::fifo {
  using side = simulation::side;
  using region = simulation::region;

 public:
  explicit stream(const char* name = "unnamed") : stream(name, simulation::kDefaultDepth) {}

  //! Wait for an element and take it.
  T read() {
    if (region* const running = region::active()) {
      running->await(*this, side::reader);
    } else {
      require_outside(side::reader);
    }
    return take();
  }
  void read(T& value) { value = read(); }
  void operator>>(T& value) { value = read(); }

  //! Wait for a slot and put an element into it.
  void write(const T& value) {
    if (region* const running = region::active()) {
      running->await(*this, side::writer);
    } else {
      require_outside(side::writer);
    }
    put(value);
  }
  void operator<<(const T& value) { write(value); }

  //! Take an element if there is one; `value` is left alone if not.
  bool read_nb(T& value) {
    if (!try_to(side::reader)) return false;
    value = take();
    return true;
  }

  //! Put an element if there is a slot.
  bool write_nb(const T& value) {
    if (!try_to(side::writer)) return false;
    put(value);
    return true;
  }

  //! Whether the reader, which alone may ask, finds no element in this cycle.
  bool empty() { return !poll(side::reader); }
  //! Whether the writer, which alone may ask, finds no slot in this cycle.
  bool full() { return !poll(side::writer); }

  //! Elements held; only for the test bench, since in a region the answer would depend on the order
  //! of the processes.
  std::size_t size() const {
    if (region::active() != nullptr) {
      throw simulation::error("size of stream '" + name() + "' must not be asked in a region");
    }
    return static_cast<std::size_t>(fill());
  }

 protected:
  stream(const char* name, std::size_t depth) : fifo(name, depth) {}

 private:
  bool try_to(side which) {
    region* const running = region::active();
    return running != nullptr ? running->try_to(*this, which) : available_outside(which);
  }

  bool poll(side which) {
    region* const running = region::active();
    return running != nullptr ? running->poll(*this, which) : available_outside(which);
  }

  void moved(side which) {
    if (region* const running = region::active()) {
      running->moved(*this, which);
    } else {
      count_outside(which);
    }
  }

  T take() {
    T value = elements_[index(read_so_far())];
    moved(side::reader);
    return value;
  }

  void put(const T& value) {
    if (fill() == slots_) grow();
    elements_[index(written())] = value;
    moved(side::writer);
  }

  std::size_t index(std::uint64_t element) const {
    return static_cast<std::size_t>(element) & (slots_ - 1);
  }

  //! Make room for at least one more element: at the first use, or in an external stream.
  void grow() {
    std::size_t more = slots_ == 0 ? 1 : 2 * slots_;
    while (!external() && more < depth()) more *= 2;
    std::unique_ptr<T[]> larger(new T[more]);
    for (std::uint64_t i = read_so_far(); i != written(); ++i) {
      larger[static_cast<std::size_t>(i) & (more - 1)] = std::move(elements_[index(i)]);
    }
    elements_ = std::move(larger);
    slots_ = more;
  }

  //! A ring: element i lies at i modulo slots_, a power of two.
  std::unique_ptr<T[]> elements_;
  std::size_t slots_ = 0;
};

//! A stream that holds Depth elements.
template <typename T, int Depth>
class stream : public stream<T, 0> {
  static_assert(Depth > 0, "the depth of a stream must be positive, or 0 for the default");

 public:
  explicit stream(const char* name = "unnamed")
      : stream<T, 0>(name, static_cast<std::size_t>(Depth)) {}
};

}  // namespace hls

namespace simulation {

//! Name a stream for reports.
template <typename T, int Depth>
void set_names(hls::stream<T, Depth>& stream, const std::string& name) {
  stream.set_name(name);
}

//! Name the streams of an array, also of several dimensions: "queue[3]", "link[0][1]".
template <typename Stream, std::size_t Count>
void set_names(Stream (&streams)[Count], const std::string& name) {
  for (std::size_t i = 0; i < Count; ++i) {
    set_names(streams[i], name + "[" + std::to_string(i) + "]");
  }
}

}  // namespace simulation
