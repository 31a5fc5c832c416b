// Runs a network of processes that standard input describes, for comparison with reference.py.
//
// Input, in numbers and words: patience; number of streams, and for each depth, external, stall
// seed, stall numerator, stall denominator, elements written beforehand; number of processes, and
// for each the repetitions of its script, its length, and its operations; number of spawn orders,
// and each of them. Each order is run from scratch. Output: "key=value" records ended by a zero.
#include <hls_stream.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

struct stream_setup {
  std::size_t depth;
  bool external;
  std::uint64_t seed, numerator, denominator;
  int prefill;
};

struct process_setup {
  int repetitions;
  std::vector<std::string> script;
};

struct network {
  simulation::cycle_t patience;
  std::vector<stream_setup> streams;
  std::vector<process_setup> processes;
  std::vector<std::vector<std::size_t>> orders;
};

template <typename T>
T take() {
  T value;
  if (!(std::cin >> value)) throw std::runtime_error("the description ends early");
  return value;
}

network take_network() {
  network all;
  all.patience = take<simulation::cycle_t>();
  for (auto left = take<int>(); left > 0; --left) {
    all.streams.push_back({});
    stream_setup& added = all.streams.back();
    std::cin >> added.depth >> added.external >> added.seed >> added.numerator >>
        added.denominator >> added.prefill;
  }
  for (auto left = take<int>(); left > 0; --left) {
    all.processes.push_back({});
    all.processes.back().repetitions = take<int>();
    for (auto length = take<int>(); length > 0; --length) {
      all.processes.back().script.push_back(take<std::string>());
    }
  }
  for (auto left = take<int>(); left > 0; --left) {
    all.orders.push_back({});
    for (std::size_t i = 0; i < all.processes.size(); ++i) {
      all.orders.back().push_back(take<std::size_t>());
    }
  }
  return all;
}

using streams = std::vector<std::unique_ptr<hls::stream<int>>>;

//! Perform a script, and log each operation's cycle and result.
void perform(const process_setup& self, streams& channels, std::string& log) {
  int next_value = 0;
  const auto note = [&](const std::string& operation, const std::string& result) {
    log += std::to_string(simulation::now()) + operation + ":" + result + " ";
  };
  for (int repetition = 0; repetition < self.repetitions; ++repetition) {
    for (const std::string& operation : self.script) {
      if (operation == ".") {
        simulation::end_cycle();
        continue;
      }
      hls::stream<int>& channel = *channels.at(std::stoul(operation.substr(1)));
      int value = -1;
      switch (operation[0]) {
        case 'r':
          note(operation, std::to_string(channel.read()));
          break;
        case 'd':  // as many cycles of work as the element says
          channel >> value;
          note(operation, std::to_string(value));
          for (int i = 0; i < value % 3; ++i) simulation::end_cycle();
          break;
        case 'w':
          channel << next_value++;
          note(operation, "");
          break;
        case 'n':
          channel.read_nb(value);
          note(operation, std::to_string(value));
          break;
        case 'm':
          value = channel.write_nb(next_value) ? 1 : 0;
          next_value += value;
          note(operation, std::to_string(value));
          break;
        case 'e':
          note(operation, std::to_string(channel.empty()));
          break;
        case 'f':
          note(operation, std::to_string(channel.full()));
          break;
        default:
          throw std::logic_error("unknown operation " + operation);
      }
    }
  }
}

void print(const std::string& key, const std::string& value) {
  std::printf("%s=%s%c", key.c_str(), value.c_str(), '\0');
}

void run(const network& all, const std::vector<std::size_t>& order) {
  streams channels;
  for (std::size_t i = 0; i < all.streams.size(); ++i) {
    const stream_setup& setup = all.streams[i];
    channels.emplace_back(new hls::stream<int>(("s" + std::to_string(i)).c_str()));
    channels.back()->set_depth(setup.depth);
    if (setup.external) channels.back()->set_external();
    if (setup.denominator > 0) {
      channels.back()->set_stall(setup.seed, setup.numerator, setup.denominator);
    }
    for (int k = 0; k < setup.prefill; ++k) channels.back()->write(k);
  }
  std::vector<std::string> logs(all.processes.size());
  simulation::region processes("network", all.patience);
  for (const std::size_t i : order) {
    processes.spawn("p" + std::to_string(i),
                    [&, i] { perform(all.processes[i], channels, logs[i]); });
  }
  try {
    print("ok", std::to_string(processes.run()));
  } catch (const simulation::error& e) {
    print("error", e.what());
  }
  for (std::size_t i = 0; i < logs.size(); ++i) print("log p" + std::to_string(i), logs[i]);
  for (const auto& channel : channels) {
    const simulation::statistics stats = channel->stats();
    print("stats " + channel->name(),
          std::to_string(stats.written) + " " + std::to_string(stats.read) + " " +
              std::to_string(stats.high_water) + " " + std::to_string(stats.writer_waits) + " " +
              std::to_string(stats.reader_waits));
  }
}

}  // namespace

int main() {
  const network all = take_network();
  for (const auto& order : all.orders) {
    run(all, order);
    print("end", "");
  }
}
