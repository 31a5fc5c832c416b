// Drives the PE with number 2 alone: tokens in, results out.
//
//   pe LATENCY
// A write to its accumulators is missed by the reads of the LATENCY iterations behind it.
#include "column_fetch.h"
#include "driver.h"
#include "late_memory.h"
#include "multiply_accumulate.h"

int main(int, char** arguments) {
  using namespace kernel;
  static entries_t entries;
  static codebooks_t codebooks;
  static biases_t biases;
  static layer_table_t layer_table;
  static accumulating_t accumulating = 0;
  driver::LateBank sums_0(std::stoul(arguments[1])), sums_1(std::stoul(arguments[1]));
  PeCounters counters = {0, 0};
  hls::stream<Token> queue("queue");
  hls::stream<Token, kQueueDepth> work("work");
  hls::stream<Result> results("results");
  driver::Bench bench;
  bench.input(queue);
  bench.output(results);
  return bench.run([&](simulation::region& region) {
    region.spawn("column_fetch", [&] { column_fetch<2>(queue, work); });
    region.spawn("multiply_accumulate", [&] {
      multiply_packet(entries, codebooks, biases, layer_table, accumulating, sums_0, sums_1,
                      counters, work, results);
    });
  });
}
