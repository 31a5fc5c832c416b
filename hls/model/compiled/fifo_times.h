// Time in a network of processes joined by bounded streams: hls/model/fifo_times.py, in C++.
//
// An element written in cycle t can be read from cycle t + 1 on, and the place that a read frees in
// cycle t can be written from cycle t + 1 on. Places are a ring, so a stream takes no more memory
// the longer it runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace model {

//! A cycle, or a number of them. 64 bits, as in numpy: no run is that long.
using Time = std::int64_t;

//! Times of the elements of one stream.
//!
//! An element must be read before one more than `depth` others are written: callers follow the
//! order in which elements flow.
class Stream {
 public:
  explicit Stream(std::size_t depth) : places_(depth) {}

  //! Write the next element in cycle `time` or as soon as there is room; returns when.
  Time write(Time time) {
    ++held_;
    Place& place = places_[write_];
    time = std::max(time, place.writable);
    place.readable = time + 1;
    write_ = write_ + 1 == places_.size() ? 0 : write_ + 1;
    return time;
  }

  //! Whether an element was written that was not read yet.
  bool holds_one() const { return held_ != 0; }

  //! First cycle in which the next element can be read; it was written.
  Time readable() const { return places_[read_].readable; }

  //! Read the next element in cycle `time` or as soon as it is there; returns when.
  Time read(Time time) {
    --held_;
    Place& place = places_[read_];
    time = std::max(time, place.readable);
    place.writable = time + 1;
    read_ = read_ + 1 == places_.size() ? 0 : read_ + 1;
    return time;
  }

 private:
  //! First cycles in which a place's element can be read, and the place written again.
  struct Place {
    Time readable = 0;
    Time writable = 0;
  };

  std::vector<Place> places_;
  std::size_t held_ = 0;
  std::size_t write_ = 0;
  std::size_t read_ = 0;
};

//! Streams of equal depth that hold different numbers of elements.
using StreamArray = std::vector<Stream>;

//! Times of the elements of `count` streams of equal depth that are used all at once: one place
//! serves all streams, and a compiler can take several of them in one instruction.
class StreamBundle {
 public:
  StreamBundle(std::size_t count, std::size_t depth)
      : count_(count), depth_(depth), readable_(count * depth), writable_(count * depth) {}

  //! Write an element to every stream in cycles `times` or as soon as there is room; `times` is
  //! when, afterwards.
  void write(std::vector<Time>& times) { pass(times, write_, writable_, readable_); }

  //! First cycle in which each stream has room for its next element.
  const Time* writable() const { return writable_.data() + write_ * count_; }

  //! Write an element to every stream, in groups of `group`: each as soon as it has room, and not
  //! before the one to its left.
  void write_in_turn(std::vector<Time>& times, std::size_t group) {
    const Time* room = writable();
    for (std::size_t stream = 0; stream < count_; ++stream) {
      times[stream] = std::max(times[stream], room[stream]);
      if (stream % group != 0) times[stream] = std::max(times[stream], times[stream - 1]);
    }
    write(times);
  }

  //! Read an element of every stream in cycles `times` or as soon as it is there; `times` is when,
  //! afterwards.
  void read(std::vector<Time>& times) { pass(times, read_, readable_, writable_); }

 private:
  void pass(std::vector<Time>& times, std::size_t& place, const std::vector<Time>& from,
            std::vector<Time>& next) {
    const Time* earliest = from.data() + place * count_;
    Time* after = next.data() + place * count_;
    Time* time = times.data();
    for (std::size_t stream = 0; stream < count_; ++stream) {
      const Time at = std::max(time[stream], earliest[stream]);
      time[stream] = at;
      after[stream] = at + 1;
    }
    place = place + 1 == depth_ ? 0 : place + 1;
  }

  std::size_t count_;
  std::size_t depth_;
  std::vector<Time> readable_;
  std::vector<Time> writable_;
  std::size_t write_ = 0;
  std::size_t read_ = 0;
};

}  // namespace model
