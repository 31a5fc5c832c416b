// Cycles: depth, polling, stalls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scenario.h"

namespace {

void pass_elements() {  // depth, count, consumer's idle cycles, consumer first?
  hls::stream<int> link("link");
  link.set_depth(static_cast<std::size_t>(argument(0)));
  region processes("pass");
  const auto consumer = [&] { consume(link, argument(1), argument(2)); };
  if (argument(3) != 0) processes.spawn("consume", consumer);
  processes.spawn("produce", [&] { produce(link, argument(1)); });
  if (argument(3) == 0) processes.spawn("consume", consumer);
  run(processes);
  print_stats(link);
}

void chain() {  // links, count: each link adds one cycle
  std::vector<std::unique_ptr<hls::stream<int, 2>>> links;
  for (int i = 0; i < argument(0); ++i) links.emplace_back(new hls::stream<int, 2>("link"));
  region processes("chain");
  processes.spawn("produce", [&] { produce(*links.front(), argument(1)); });
  for (std::size_t i = 0; i + 1 < links.size(); ++i) {
    processes.spawn("forward", [&, i] { forward(*links[i], *links[i + 1], argument(1)); });
  }
  processes.spawn("consume", [&] { consume(*links.back(), argument(1)); });
  run(processes);
}

void poll() {  // the reader polls in each cycle; elements come in cycles 2, 4 and 5
  hls::stream<int> link("link");
  region processes("poll");
  std::string seen;
  processes.spawn("produce", [&] {
    for (int i = 0; i < 6; ++i) {
      if (i == 2 || i == 4 || i == 5) link.write(i);
      end_cycle();
    }
  });
  processes.spawn("poll", [&] {
    for (int found = 0; found < 3;) {
      int value = -1;
      const bool was_empty = link.empty();
      const bool success = link.read_nb(value);
      seen += std::to_string(now()) + (was_empty ? "e" : "-") + (success ? "r" : "-") +
              std::to_string(value) + " ";
      found += success ? 1 : 0;
      end_cycle();
    }
  });
  run(processes);
  print("seen", seen);
  print_stats(link);
}

void offer() {  // write_nb in each cycle to a stream of depth 2, read in cycles 3 and 5
  hls::stream<int, 2> link("link");
  region processes("offer");
  std::string seen;
  processes.spawn("offer", [&] {
    for (int i = 0; i < 7; ++i) {
      const bool was_full = link.full();
      seen += std::to_string(now()) + (was_full ? "f" : "-") + (link.write_nb(i) ? "w " : "- ");
      end_cycle();
    }
  });
  processes.spawn("take", [&] {
    std::string values;
    for (int i = 0; i < 12; ++i) {
      if (i == 3 || i == 5 || i > 9) values += std::to_string(link.read()) + " ";
      end_cycle();
    }
    print("values", values);
  });
  run(processes);
  print("seen", seen);
}

void stall() {  // seed, numerator, denominator, count: a port that is read, and one that is written
  hls::stream<int> input("input");
  hls::stream<int> output("output");
  auto seed = static_cast<std::uint64_t>(argument(0));
  for (hls::stream<int>* port : {&input, &output}) {
    port->set_external();
    port->set_stall(seed++, static_cast<std::uint64_t>(argument(1)),
                    static_cast<std::uint64_t>(argument(2)));
  }
  for (int i = 0; i < argument(3); ++i) input.write(i);
  std::string reads;
  std::string writes;
  region processes("stall", /*patience=*/0);  // a stall is no deadlock even without any patience
  processes.spawn("receive", [&] {
    for (int i = 0; i < argument(3); ++i) {
      input.read();
      reads += std::to_string(now()) + " ";
      end_cycle();
    }
  });
  processes.spawn("send", [&] {
    for (int i = 0; i < argument(3);) {
      if (output.write_nb(i)) {
        writes += std::to_string(now()) + " ";
        ++i;
      }
      end_cycle();
    }
  });
  run(processes);
  print("reads", reads);
  print("writes", writes);
  print("size", output.size());
}

}  // namespace
