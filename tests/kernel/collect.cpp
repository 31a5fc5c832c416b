// Drives the root of the way back alone: words of results and commands in, words of activations
// out.
#include "collect.h"

#include "driver.h"

int main() {
  hls::stream<kernel::ResultWord> results("results");
  hls::stream<kernel::Command> commands("commands");
  hls::stream<kernel::HiddenWord> hidden("hidden");
  hls::stream<kernel::ActivationWord> outputs("outputs");
  driver::Bench bench;
  bench.input(results);
  bench.input(commands);
  bench.output(hidden);
  bench.output(outputs);
  return bench.run([&](simulation::region& region) {
    region.spawn("collect", [&] { kernel::collect(results, commands, hidden, outputs); });
  });
}
