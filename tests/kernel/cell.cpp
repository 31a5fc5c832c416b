// Drives the process of functions alone, with everything at its time.
//
// Lines of standard input, numbers hexadecimal, and each with the first cycle in which it happens:
//   command CYCLE FIELD...     to the cell
//   word CYCLE KIND FIELD...   a word of results
//   took_command CYCLE         the collector is ready for the next command
//   took_word CYCLE            and for the next word
//   run                        one packet of all that
// It prints what the collector gets, and the cycles:
//   command CYCLE FIELD...
//   word CYCLE KIND FIELD...
#include "cell.h"

#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "driver.h"

namespace {

using simulation::cycle_t;

template <typename T>
struct Timed {
  cycle_t cycle;
  T element;
};

cycle_t read_cycle(std::istream& line) {
  cycle_t cycle = 0;
  line >> std::hex >> cycle;
  return cycle;
}

//! Idle until a cycle.
void wait_for(cycle_t cycle) {
  while (simulation::region::clock() < cycle) simulation::end_cycle();
}

template <typename T>
void feed(hls::stream<T>& stream, const std::vector<Timed<T>>& elements) {
  for (const Timed<T>& each : elements) {
    wait_for(each.cycle);
    stream.write(each.element);
    simulation::end_cycle();
  }
}

template <typename T>
std::vector<Timed<T>> take(hls::stream<T>& stream, const std::vector<cycle_t>& cycles) {
  std::vector<Timed<T>> taken;
  for (const cycle_t cycle : cycles) {
    wait_for(cycle);
    const T element = stream.read();
    taken.push_back({simulation::region::clock(), element});
    simulation::end_cycle();
  }
  return taken;
}

//! What comes and goes in a packet.
struct Packet {
  std::vector<Timed<kernel::Command>> commands;
  std::vector<Timed<kernel::ResultWord>> words;
  std::vector<cycle_t> command_cycles;
  std::vector<cycle_t> word_cycles;
};

void run(const Packet& packet) {
  hls::stream<kernel::ResultWord, kernel::kStreamDepth> results("results");
  hls::stream<kernel::Command, kernel::kCommandDepth> commands("commands");
  hls::stream<kernel::word_t, kernel::kStreamDepth> states("states");  // no state is given here
  hls::stream<kernel::ResultWord, kernel::kStreamDepth> activated("activated");
  hls::stream<kernel::Command, kernel::kStreamDepth> collected("collected");
  std::vector<Timed<kernel::Command>> commands_out;
  std::vector<Timed<kernel::ResultWord>> words_out;
  simulation::region region("cell alone");
  region.spawn("feed_commands", [&] { feed(commands, packet.commands); });
  region.spawn("feed_words", [&] { feed(results, packet.words); });
  region.spawn("cell", [&] { kernel::cell(results, commands, states, activated, collected); });
  region.spawn("take_commands", [&] { commands_out = take(collected, packet.command_cycles); });
  region.spawn("take_words", [&] { words_out = take(activated, packet.word_cycles); });
  region.run();
  for (const auto& each : commands_out) {
    std::cout << "command " << std::hex << each.cycle;
    driver::write_element(std::cout, each.element);
    std::cout << '\n';
  }
  for (const auto& each : words_out) {
    std::cout << "word " << std::hex << each.cycle;
    driver::write_element(std::cout, each.element);
    std::cout << '\n';
  }
}

}  // namespace

int main() {
  Packet packet;
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string what;
    line >> what;
    if (what == "command") {
      Timed<kernel::Command> each;
      each.cycle = read_cycle(line);
      driver::read_element(line, each.element);
      packet.commands.push_back(each);
    } else if (what == "word") {
      Timed<kernel::ResultWord> each;
      each.cycle = read_cycle(line);
      driver::read_element(line, each.element);
      packet.words.push_back(each);
    } else if (what == "took_command") {
      packet.command_cycles.push_back(read_cycle(line));
    } else if (what == "took_word") {
      packet.word_cycles.push_back(read_cycle(line));
    } else {
      try {
        run(packet);
      } catch (const std::exception& stop) {
        std::cerr << stop.what() << '\n';
        return 1;
      }
      packet = Packet();
    }
  }
  return 0;
}
