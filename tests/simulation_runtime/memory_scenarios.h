// Arrays of streams, and the memory of streams and processes.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "scenario.h"

namespace {

constexpr int kDepth = 3;
constexpr int kPes = 4;

void scatter(hls::stream<int, kDepth> (&queue)[kPes]) {
  for (auto& each : queue) {
    each.write(1);
    end_cycle();
  }
}

void gather(hls::stream<int> queue[kPes]) {  // as a pointer to streams of any depth
  for (int i = 0; i < kPes; ++i) {
    queue[i].read();
    end_cycle();
  }
}

void arrays() {
  hls::stream<int, kDepth> queue[kPes];
  hls::stream<int, 1> mesh[2][2];
  simulation::set_names(queue, "queue");
  simulation::set_names(mesh, "mesh");
  region processes("arrays");
  processes.spawn("scatter", [&] { scatter(queue); });
  processes.spawn("gather", [&] { gather(queue); });
  run(processes);
  std::string names;
  for (const auto& each : queue) names += each.describe() + "\n";
  print("names", names + mesh[1][0].describe());
  print("default", hls::stream<int>("plain").describe());
}

void growth() {  // an external stream grows while it wraps round
  hls::stream<int> port("port");
  port.set_external();
  int next = 0;
  int expected = 0;
  bool ordered = true;
  for (int round = 1; round < 200; ++round) {
    for (int i = 0; i < round; ++i) port.write(next++);
    for (int i = 0; i < round / 2; ++i) ordered &= port.read() == expected++;
  }
  while (!port.empty()) ordered &= port.read() == expected++;
  print("ordered", ordered);
  print("elements", static_cast<std::uint64_t>(expected));
}

std::uint64_t virtual_pages() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  return pages;
}

void many_regions() {  // regions: memory must not grow after the first few
  std::uint64_t cycles = 0;
  std::uint64_t early = 0;
  for (int i = 0; i < argument(0); ++i) {
    hls::stream<int, 2> first("first");
    hls::stream<int, 2> second("second");
    region processes("short");
    processes.spawn("produce", [&] { produce(first, 4); });
    processes.spawn("forward", [&] { forward(first, second, 4); });
    processes.spawn("consume", [&] { consume(second, 4); });
    cycles += processes.run();
    if (i == 100) early = virtual_pages();
  }
  print("cycles", cycles);
  print("new_pages", virtual_pages() - early);
}

int recurse(int depth) {
  volatile char frame[1024] = {};
  frame[depth % 1024] = 1;
  if (depth % 100 == 0) end_cycle();
  return depth == 0 ? 0 : recurse(depth - 1) + frame[depth % 1024];
}

void deep_stack() {  // most of a stack of 1 MiB (frames grow under a sanitizer)
  region processes("deep");
  processes.spawn("first", [] { print("first", static_cast<std::uint64_t>(recurse(400))); });
  processes.spawn("second", [] { print("second", static_cast<std::uint64_t>(recurse(500))); });
  run(processes);
}

void overflow() {  // index into four elements, on the heap or not: for the sanitizers
  region processes("overflow");
  processes.spawn("careless", [] {
    const std::vector<int> heap(4);
    volatile int local[4] = {};
    end_cycle();  // what was marked before has to be marked after as well
    const volatile int* memory = argument(1) != 0 ? heap.data() : local;
    print("read", static_cast<std::uint64_t>(memory[static_cast<std::size_t>(argument(0))]));
  });
  processes.spawn("other", [] { end_cycle(); });
  run(processes);
}

}  // namespace
