// How fast regions run on this host: benchmark [CYCLES]. Printed, never asserted.
#include <hls_stream.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using simulation::end_cycle;
using link = hls::stream<int, 2>;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void produce(link& out, int count) {
  for (int i = 0; i < count; ++i) {
    out.write(i);
    end_cycle();
  }
}

void consume(link& in, int count) {
  for (int i = 0; i < count; ++i) {
    in.read();
    end_cycle();
  }
}

//! Pairs of processes that pass an element in every cycle, beside others that are blocked.
void run_region(int pairs, int blocked, int count) {
  std::vector<std::unique_ptr<link>> links;
  for (int i = 0; i < pairs + blocked; ++i) links.emplace_back(new link);
  simulation::region region("benchmark");
  for (int i = 0; i < pairs; ++i) {
    link& passing = *links[static_cast<std::size_t>(i)];
    region.spawn("produce", [&passing, count] { produce(passing, count); });
    region.spawn("consume", [&passing, count] { consume(passing, count); });
  }
  for (int i = 0; i < blocked; ++i) {
    link& idle = *links[static_cast<std::size_t>(pairs + i)];
    region.spawn("block", [&idle] { idle.read(); });
  }
  region.spawn("release", [&] {
    for (int i = 0; i < count; ++i) end_cycle();
    for (int i = 0; i < blocked; ++i) links[static_cast<std::size_t>(pairs + i)]->write(0);
  });
  const auto start = std::chrono::steady_clock::now();
  const auto cycles = static_cast<double>(region.run());
  const double seconds = seconds_since(start);
  std::printf(
      "%3d active and %3d blocked processes: %8.0f cycles/s, %5.1f ns a process and cycle\n",
      2 * pairs + 1, blocked, cycles / seconds, seconds * 1e9 / cycles / (2 * pairs + 1));
}

void run_short_regions(int count) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    link passing;
    simulation::region region("short");
    region.spawn("produce", [&] { produce(passing, 4); });
    region.spawn("consume", [&] { consume(passing, 4); });
    region.run();
  }
  std::printf("regions of 2 processes and 5 cycles: %8.0f regions/s\n",
              count / seconds_since(start));
}

}  // namespace

int main(int arguments, char** values) {
  const int cycles = arguments > 1 ? std::atoi(values[1]) : 200000;
  run_region(1, 0, cycles);
  run_region(34, 102, cycles);  // 64 PEs of two processes and a few trees, 40 % of them active
  run_region(85, 0, cycles);
  run_short_regions(cycles / 10);
}
