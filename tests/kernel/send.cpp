// Drives the sender, with the CRCs behind it: answers and words of outputs in, beats of packets
// out, and the register with the cycles of the last run.
#include "send.h"

#include "add_crc.h"
#include "driver.h"

int main() {
  hls::stream<kernel::Answer> answers("answers");
  hls::stream<kernel::ActivationWord> outputs("outputs");
  hls::stream<kernel::SentBeat> beats("beats");
  hls::stream<kernel::axis_t> packets("packets");
  ap_uint<32> registers[6];
  driver::Bench bench;
  bench.input(answers);
  bench.input(outputs);
  bench.output(packets);
  return bench.run([&](simulation::region& region) {
    region.spawn("send", [&] {
      kernel::send(answers, outputs, beats, registers[0], registers[1], registers[2], registers[3],
                   registers[4], registers[5]);
      std::cout << "run_cycles " << std::hex << registers[5].to_uint() << '\n';
    });
    region.spawn("add_crc", [&] { kernel::add_crc(beats, packets); });
  });
}
