// Drives the receiver alone: beats of packets in, tokens, words of input vectors and answers out.
#include "receive.h"

#include "driver.h"

int main() {
  hls::stream<kernel::axis_t> packets("packets");
  hls::stream<kernel::Token> tokens("tokens");
  hls::stream<kernel::InputWord> inputs("inputs");
  hls::stream<kernel::Answer> answers("answers");
  driver::Bench bench;
  bench.input(packets);
  bench.output(tokens);
  bench.output(inputs);
  bench.output(answers);
  return bench.run([&](simulation::region& region) {
    region.spawn("receive", [&] { kernel::receive(packets, tokens, inputs, answers); });
  });
}
