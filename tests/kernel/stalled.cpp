// Runs the whole kernel with a DMA that pauses: both of its streams stall as told.
//
// Standard input has lines of
//   stall packets_in|packets_out SEED NUMERATOR DENOMINATOR   decimal, for the packets that follow
//   packet BEAT...                                            hexadecimal
// Each packet is answered with `answer BEAT...`.
#include <iostream>
#include <sstream>
#include <string>

#include "eie.h"

namespace {

//! A stall pattern.
struct Stall {
  std::uint64_t seed = 0, numerator = 0, denominator = 1;
};

typedef hls::stream<kernel::axis_t> stream_t;

void answer(std::istringstream& beats, const Stall& stall_in, const Stall& stall_out) {
  stream_t packets_in("packets_in"), packets_out("packets_out");
  packets_in.set_external();
  packets_out.set_external();
  packets_in.set_stall(stall_in.seed, stall_in.numerator, stall_in.denominator);
  packets_out.set_stall(stall_out.seed, stall_out.numerator, stall_out.denominator);
  std::uint64_t beat = 0;
  bool more = static_cast<bool>(beats >> std::hex >> beat);
  while (more) {
    kernel::axis_t transfer;
    transfer.data = beat;
    transfer.keep = -1;
    transfer.strb = -1;
    more = static_cast<bool>(beats >> std::hex >> beat);
    transfer.last = more ? 0 : 1;
    packets_in.write(transfer);
  }
  ap_uint<32> registers[6];
  eie(packets_in, packets_out, registers[0], registers[1], registers[2], registers[3], registers[4],
      registers[5]);
  // The test bench reads without stalls; they are cycles of the kernel.
  packets_out.set_stall(0, 0, 1);
  std::cout << "answer" << std::hex;
  while (!packets_out.empty()) {
    const kernel::axis_t transfer = packets_out.read();
    std::cout << ' ' << transfer.data.to_uint64();
    if ((transfer.last == 1) != packets_out.empty()) throw simulation::error("TLAST is not last");
  }
  std::cout << '\n';
}

}  // namespace

int main() {
  Stall stall_in, stall_out;
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    try {
      if (word == "stall") {
        line >> word;
        Stall& stall = word == "packets_in" ? stall_in : stall_out;
        line >> stall.seed >> stall.numerator >> stall.denominator;
      } else {
        answer(line, stall_in, stall_out);
      }
    } catch (const std::exception& stop) {
      std::cerr << stop.what() << '\n';
      return 1;
    }
  }
  return 0;
}
