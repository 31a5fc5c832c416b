// Drives the receiver, with the CRC in front of it: beats of packets in, tokens, words of input
// vectors and answers out.
#include "receive.h"

#include "driver.h"
#include "take_crc.h"

int main() {
  hls::stream<kernel::axis_t> packets("packets");
  hls::stream<kernel::ReceivedBeat> beats("beats");
  hls::stream<kernel::Token> tokens("tokens");
  hls::stream<kernel::InputWord> inputs("inputs");
  hls::stream<kernel::Answer> answers("answers");
  driver::Bench bench;
  bench.input(packets);
  bench.output(tokens);
  bench.output(inputs);
  bench.output(answers);
  return bench.run([&](simulation::region& region) {
    region.spawn("take_crc", [&] { kernel::take_crc(packets, beats); });
    region.spawn("receive", [&] { kernel::receive(beats, tokens, inputs, answers); });
  });
}
