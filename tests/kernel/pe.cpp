// Drives the PE with number 2 alone: tokens in, results out.
#include "column_fetch.h"
#include "driver.h"
#include "multiply_accumulate.h"

int main() {
  hls::stream<kernel::Token> queue("queue");
  hls::stream<kernel::Token, kernel::kQueueDepth> work("work");
  hls::stream<kernel::Result> results("results");
  driver::Bench bench;
  bench.input(queue);
  bench.output(results);
  return bench.run([&](simulation::region& region) {
    region.spawn("column_fetch", [&] { kernel::column_fetch<2>(queue, work); });
    region.spawn("multiply_accumulate", [&] { kernel::multiply_accumulate<2>(work, results); });
  });
}
