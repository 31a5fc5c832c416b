// The test bench: sends the kernel packets and compares every beat of its answers.
//
// The packets are in golden/packets.txt, whose folder may be given as the first argument: requests
// with the answers that the numpy emulator of eie gave. Among them are damaged ones. Returns the
// number of answers that differ, so 0 when all is well.
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "eie.h"

namespace {

typedef std::vector<std::uint64_t> beats_t;

//! A request and the answer that it must get.
struct Exchange {
  std::string name;
  beats_t request;
  beats_t answer;
};

//! Lines are `exchange NAME`, `request BEAT...` and `answer BEAT...`; beats are hexadecimal.
bool read_exchanges(const std::string& path, std::vector<Exchange>& exchanges) {
  std::ifstream file(path.c_str());
  if (!file) {
    std::cerr << "cannot read " << path << "\n";
    return false;
  }
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string keyword;
    if (!(words >> keyword) || keyword[0] == '#') continue;
    if (keyword == "exchange") {
      exchanges.push_back(Exchange());
      words >> exchanges.back().name;
      continue;
    }
    if (exchanges.empty() || (keyword != "request" && keyword != "answer")) {
      std::cerr << path << ": unknown line '" << keyword << "'\n";
      return false;
    }
    beats_t& beats = keyword == "request" ? exchanges.back().request : exchanges.back().answer;
    std::uint64_t beat = 0;
    while (words >> std::hex >> beat) beats.push_back(beat);
  }
  if (exchanges.empty()) std::cerr << path << " has no exchanges\n";
  return !exchanges.empty();
}

//! Send a request and return the answer; `whole` says whether TLAST came on its last beat only.
beats_t ask(const beats_t& request, bool& whole) {
  hls::stream<kernel::axis_t> packets_in("packets_in");
  hls::stream<kernel::axis_t> packets_out("packets_out");
  packets_in.set_external();
  packets_out.set_external();
  for (std::size_t i = 0; i < request.size(); ++i) {
    kernel::axis_t transfer;
    transfer.data = request[i];
    transfer.keep = -1;
    transfer.strb = -1;
    transfer.last = i + 1 == request.size() ? 1 : 0;
    packets_in.write(transfer);
  }
  ap_uint<32> design_id, format_version, network_id, packets, errors, cycles;
  eie(packets_in, packets_out, design_id, format_version, network_id, packets, errors, cycles);
  beats_t answer;
  bool last = false;
  whole = true;
  while (!packets_out.empty()) {
    const kernel::axis_t transfer = packets_out.read();
    if (last) whole = false;
    last = transfer.last == 1;
    const std::uint64_t data = transfer.data;
    answer.push_back(data);
  }
  whole = whole && last;
  return answer;
}

//! Say where two answers differ first.
void explain(const Exchange& exchange, const beats_t& answer) {
  std::size_t beat = 0;
  while (beat < answer.size() && beat < exchange.answer.size() &&
         answer[beat] == exchange.answer[beat]) {
    ++beat;
  }
  std::cerr << exchange.name << ": " << answer.size() << " beats, expected "
            << exchange.answer.size() << "; first difference in beat " << beat << std::hex;
  if (beat < answer.size()) std::cerr << ", got 0x" << answer[beat];
  if (beat < exchange.answer.size()) std::cerr << ", expected 0x" << exchange.answer[beat];
  std::cerr << std::dec << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "testbench/golden";
  std::vector<Exchange> exchanges;
  if (!read_exchanges(folder + "/packets.txt", exchanges)) return 1;
  int wrong = 0;
  for (const Exchange& exchange : exchanges) {
    bool whole = false;
    const beats_t answer = ask(exchange.request, whole);
    if (!whole) std::cerr << exchange.name << ": TLAST must be on the last beat, and only there\n";
    if (answer != exchange.answer) explain(exchange, answer);
    if (!whole || answer != exchange.answer) ++wrong;
  }
  std::cout << exchanges.size() - static_cast<std::size_t>(wrong) << " of " << exchanges.size()
            << " answers are right\n";
  return wrong;
}
