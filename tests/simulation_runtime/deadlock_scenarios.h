// Regions that stop, and regions that only look like it.
#pragma once

#include "scenario.h"

namespace {

void diamond() {  // depth of the left branch, count: left fills before the right one starts
  hls::stream<int> left("left");
  hls::stream<int, 2> right("right");
  left.set_depth(static_cast<std::size_t>(argument(0)));
  region processes("diamond");
  processes.spawn("split", [&] {
    produce(left, argument(1));
    produce(right, argument(1));
  });
  processes.spawn("join", [&] {
    for (int i = 0; i < argument(1); ++i) {
      right.read();
      left.read();
      end_cycle();
    }
  });
  run(processes);
}

void feedback() {  // depth of the way back, elements that go round
  hls::stream<int, 2> there("there");
  hls::stream<int> back("back");
  back.set_depth(static_cast<std::size_t>(argument(0)));
  region processes("feedback");
  processes.spawn("distribute", [&] {
    produce(there, argument(1));
    consume(back, argument(1));
  });
  processes.spawn("work", [&] { forward(there, back, argument(1)); });
  run(processes);
}

void pollers() {  // patience: one polls, one is blocked
  hls::stream<int, 4> polled("polled");
  hls::stream<int> awaited("awaited");
  region processes("pollers", static_cast<cycle_t>(argument(0)));
  processes.spawn("poll", [&] {
    for (int value = 0;; end_cycle()) {
      if (polled.read_nb(value)) awaited.write(value);
    }
  });
  processes.spawn("block", [&] {
    for (int i = 0; i < 3; ++i) {
      polled.write(i);
      end_cycle();
    }
    for (;;) {
      awaited.read();
      end_cycle();
    }
  });
  run(processes);
}

void poll_while_working() {  // patience, cycles of work during which a poll fails in each
  hls::stream<int> never("never");
  region processes("work", static_cast<cycle_t>(argument(0)));
  processes.spawn("work", [&] {
    for (int i = 0; i < argument(1); ++i) {
      never.empty();
      end_cycle();
    }
  });
  run(processes);
}

void poll_for_long() {  // cycles of the same, with the default patience
  hls::stream<int> never("never");
  region processes("long");
  processes.spawn("work", [&] {
    for (int i = 0; i < argument(0); ++i) {
      never.empty();
      end_cycle();
    }
  });
  run(processes);
}

void work_in_silence() {  // patience 0, and yet an iteration without any stream is progress
  region processes("silence", 0);
  processes.spawn("work", [&] {
    for (int i = 0; i < 100; ++i) end_cycle();
  });
  run(processes);
}

void poll_without_end() {
  hls::stream<int> link("link");
  region processes("endless");
  processes.spawn("poll", [&] {
    while (link.empty()) {
    }
  });
  run(processes);
}

}  // namespace
