// Runs the kernel for another program: packets come on standard input, answers go to standard
// output.
//
// A request is a 32-bit length in bytes and that many bytes of a packet. A reply is a 32-bit kind,
// a 32-bit length and as many bytes: kind 0 is an answer with the registers (32 bits each, in order
// of their offsets) in front, kind 1 the text of a deadlock, kind 2 that of another error; after
// those the program ends.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "eie.h"

namespace {

enum ReplyKind : std::uint32_t { kAnswer = 0, kDeadlock = 1, kError = 2 };

bool read_exactly(void* to, std::size_t bytes) {
  return std::fread(to, 1, bytes, stdin) == bytes;
}

void reply(ReplyKind kind, const std::vector<std::uint8_t>& body) {
  const std::uint32_t head[2] = {kind, static_cast<std::uint32_t>(body.size())};
  std::fwrite(head, sizeof head, 1, stdout);
  std::fwrite(body.data(), 1, body.size(), stdout);
  std::fflush(stdout);
}

void reply(ReplyKind kind, const std::string& text) {
  reply(kind, std::vector<std::uint8_t>(text.begin(), text.end()));
}

//! Take one packet through the kernel: registers and answer.
std::vector<std::uint8_t> process(const std::vector<std::uint8_t>& packet) {
  hls::stream<kernel::axis_t> packets_in("packets_in");
  hls::stream<kernel::axis_t> packets_out("packets_out");
  packets_in.set_external();
  packets_out.set_external();
  const std::size_t beats = packet.size() / 8;
  for (std::size_t beat = 0; beat < beats; ++beat) {
    std::uint64_t data = 0;
    std::memcpy(&data, &packet[8 * beat], 8);
    kernel::axis_t transfer;
    transfer.data = data;
    transfer.keep = -1;
    transfer.strb = -1;
    transfer.last = beat + 1 == beats ? 1 : 0;
    packets_in.write(transfer);
  }
  ap_uint<32> design_id, format_version, network_id, packets, errors, cycles;
  eie(packets_in, packets_out, design_id, format_version, network_id, packets, errors, cycles);
  const std::uint32_t values[] = {design_id, format_version, network_id, packets, errors, cycles};
  std::vector<std::uint8_t> body(sizeof values);
  std::memcpy(body.data(), values, sizeof values);
  bool ended = false;
  while (!packets_out.empty()) {
    const kernel::axis_t transfer = packets_out.read();
    if (ended) throw simulation::error("the kernel sent beats behind its TLAST");
    ended = transfer.last == 1;
    const std::uint64_t data = transfer.data;
    const std::size_t end = body.size();
    body.resize(end + 8);
    std::memcpy(&body[end], &data, 8);
  }
  if (!ended) throw simulation::error("the kernel's answer has no TLAST");
  return body;
}

}  // namespace

int main() {
  std::uint32_t bytes = 0;
  while (read_exactly(&bytes, sizeof bytes)) {
    std::vector<std::uint8_t> packet(bytes);
    if (bytes == 0 || bytes % 8 != 0 || !read_exactly(packet.data(), bytes)) {
      reply(kError, std::string("a request must be whole beats of 8 bytes"));
      return 1;
    }
    try {
      reply(kAnswer, process(packet));
    } catch (const simulation::deadlock& stop) {
      reply(kDeadlock, std::string(stop.what()));
      return 1;
    } catch (const std::exception& stop) {
      reply(kError, std::string(stop.what()));
      return 1;
    }
  }
  return 0;
}
