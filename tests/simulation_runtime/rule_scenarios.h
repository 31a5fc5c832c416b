// Broken rules, and exceptions.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "scenario.h"

namespace {

void two_users() {  // 0: writers, 1: readers, 2: empty() of the writer, 3: full() of the reader
  hls::stream<int, 8> shared("shared");
  region processes("two");
  const int kind = argument(0);
  processes.spawn("first", [&] { shared.write(1); });
  processes.spawn("second", [&] {
    end_cycle();
    shared.read();
    if (kind == 3) shared.full();
  });
  processes.spawn("third", [&] {
    for (int i = 0; i < 3; ++i) end_cycle();
    if (kind == 0) shared.write(2);
    if (kind == 1) shared.read();
    if (kind == 2) shared.empty();
  });
  run(processes);
}

void twice() {  // 0: two reads, 1: two writes, 2: read and read_nb, 3: write and write_nb
  hls::stream<int, 8> link("link");
  for (int i = 0; i < 4; ++i) link.write(i);
  region processes("twice");
  processes.spawn("hasty", [&] {
    for (int i = 0; i < 3; ++i) end_cycle();
    int value = 0;
    if (argument(0) == 0) value = link.read() + link.read();
    if (argument(0) == 1 || argument(0) == 3) link.write(value);
    if (argument(0) == 1) link.write(value);
    if (argument(0) == 2) value = link.read();
    if (argument(0) == 2) link.read_nb(value);
    if (argument(0) == 3) link.write_nb(value);
  });
  run(processes);
}

void outside() {
  hls::stream<int, 2> link("link");
  int value = 7;
  print("empty", link.empty());
  print("read_nb", link.read_nb(value));
  print("value", static_cast<std::uint64_t>(value));
  try {
    link.read();
  } catch (const simulation::error& e) {
    print("read", e.what());
  }
  link << 1;
  print("write_nb", link.write_nb(2));
  print("full", link.full());
  print("again", link.write_nb(3));
  try {
    link.write(3);
  } catch (const simulation::error& e) {
    print("write", e.what());
  }
  end_cycle();
  link >> value;
  link.read(value);
  print("second", static_cast<std::uint64_t>(value));
  try {
    link.set_depth(0);
  } catch (const simulation::error& e) {
    print("depth", e.what());
  }
  try {
    link.set_stall(1, 4, 4);
  } catch (const simulation::error& e) {
    print("stall", e.what());
  }
}

void misuse() {  // 0: nested region, 1: run twice, 2: size() in a region
  hls::stream<int> link("link");
  region processes("outer");
  processes.spawn("process", [&] {
    if (argument(0) == 0) region("inner").run();
    if (argument(0) == 2) link.size();
  });
  run(processes);
  if (argument(0) == 1) run(processes);
}

void leave_elements() {  // external?
  hls::stream<int, 4> used("used");
  hls::stream<int, 4> tidy("tidy");
  if (argument(0) != 0) used.set_external();
  region processes("untidy");
  processes.spawn("produce", [&] { produce(used, 3); });
  processes.spawn("consume", [&] { consume(used, 2); });
  processes.spawn("tidy", [&] {
    tidy.write(1);
    end_cycle();
    tidy.read();
    end_cycle();
  });
  run(processes);
  print("left", used.size());
}

struct counted {
  static int alive;
  counted() { ++alive; }
  ~counted() { --alive; }
};
int counted::alive = 0;

void exception() {  // 0: runtime_error, 1: logic_error, 2: int
  hls::stream<int> link("link");
  region processes("throws");
  processes.spawn("blocked", [&] {
    const counted resource;
    const std::vector<int> memory(1000);
    try {
      link.read();
    } catch (...) {
      throw std::runtime_error("a consequence, not the cause");
    }
  });
  processes.spawn("busy", [&] {
    const counted resource;
    const std::vector<int> memory(1000);
    for (;;) end_cycle();
  });
  processes.spawn("local", [&] {
    hls::stream<int> own("own");
    const counted resource;
    for (int i = 0;; ++i, end_cycle()) {
      own.write(i);
      end_cycle();
      own.read();
    }
  });
  processes.spawn("failing(link)", [&] {
    const counted resource;
    for (int i = 0; i < 10; ++i) end_cycle();
    print("alive", static_cast<std::uint64_t>(counted::alive));
    if (argument(0) == 0) throw std::runtime_error("out of luck");
    if (argument(0) == 1) throw std::logic_error("out of reason");
    throw 42;
  });
  processes.spawn("never reached", [&] {
    for (int i = 0; i < 20; ++i) end_cycle();
    print("unreachable", "");
  });
  run(processes);
  print("alive_after", static_cast<std::uint64_t>(counted::alive));
  // The streams and the clock are as new.
  region again("again");
  again.spawn("write", [&] { link.write(5); });
  again.spawn("read", [&] { print("value", static_cast<std::uint64_t>(link.read())); });
  run(again);
}

void exception_in_last_process() {  // the failing process must not be resumed
  region processes("last");
  processes.spawn("quick", [] {});
  processes.spawn("throws", [] { throw std::runtime_error("at once"); });
  run(processes);
}

}  // namespace
