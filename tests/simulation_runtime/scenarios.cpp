// Small dataflow regions, one for each test: scenarios NAME [NUMBER...] prints "key=value" records,
// each ended by a zero byte since messages have several lines.
#include <hls_stream.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using simulation::cycle_t;
using simulation::end_cycle;
using simulation::now;
using simulation::region;

std::vector<int> arguments;

int argument(std::size_t index) {
  return arguments.at(index);
}

void print(const std::string& key, const std::string& value) {
  std::printf("%s=%s%c", key.c_str(), value.c_str(), '\0');
}

void print(const std::string& key, std::uint64_t value) {
  print(key, std::to_string(value));
}

void print_stats(const hls::stream<int>& stream) {
  const simulation::statistics stats = stream.stats();
  print(stream.name() + ".written", stats.written);
  print(stream.name() + ".read", stats.read);
  print(stream.name() + ".high_water", stats.high_water);
  print(stream.name() + ".writer_waits", stats.writer_waits);
  print(stream.name() + ".reader_waits", stats.reader_waits);
}

void produce(hls::stream<int>& out, int count) {
  for (int i = 0; i < count; ++i) {
    out.write(i);
    end_cycle();
  }
}

void consume(hls::stream<int>& in, int count, int idle_cycles = 0) {
  for (int i = 0; i < count; ++i) {
    if (in.read() != i) throw std::logic_error("elements out of order");
    for (int k = 0; k <= idle_cycles; ++k) end_cycle();
  }
}

void forward(hls::stream<int>& in, hls::stream<int>& out, int count) {
  for (int i = 0; i < count; ++i) {
    out.write(in.read());
    end_cycle();
  }
}

/// Run a region and print how it ended.
void run(region& processes) {
  try {
    print("cycles", processes.run());
  } catch (const simulation::deadlock& e) {
    print("deadlock", e.what());
  } catch (const simulation::leftover& e) {
    print("leftover", e.what());
  } catch (const simulation::process_error& e) {
    print("process_error", e.what());
    try {
      std::rethrow_if_nested(e);
    } catch (const std::exception& nested) {
      print("nested", nested.what());
    }
  } catch (const simulation::error& e) {
    print("error", e.what());
  } catch (const std::logic_error& e) {
    print("logic_error", e.what());
  } catch (int thrown) {
    print("int", std::to_string(thrown));
  }
  print("now", now());
}

// Time --------------------------------------------------------------------------------------------

void pass_elements() {  // depth, count, consumer's idle cycles, consumer first?
  hls::stream<int> link("link");
  link.set_depth(static_cast<std::size_t>(argument(0)));
  region processes("pass");
  const auto consumer = [&] { consume(link, argument(1), argument(2)); };
  if (argument(3) != 0) processes.spawn("consume", consumer);
  processes.spawn("produce", [&] { produce(link, argument(1)); });
  if (argument(3) == 0) processes.spawn("consume", consumer);
  run(processes);
  print_stats(link);
}

void chain() {  // links, count: each link adds one cycle
  std::vector<std::unique_ptr<hls::stream<int, 2>>> links;
  for (int i = 0; i < argument(0); ++i) links.emplace_back(new hls::stream<int, 2>("link"));
  region processes("chain");
  processes.spawn("produce", [&] { produce(*links.front(), argument(1)); });
  for (std::size_t i = 0; i + 1 < links.size(); ++i) {
    processes.spawn("forward", [&, i] { forward(*links[i], *links[i + 1], argument(1)); });
  }
  processes.spawn("consume", [&] { consume(*links.back(), argument(1)); });
  run(processes);
}

void poll() {  // the reader polls in each cycle; elements come in cycles 2, 4 and 5
  hls::stream<int> link("link");
  region processes("poll");
  std::string seen;
  processes.spawn("produce", [&] {
    for (int i = 0; i < 6; ++i) {
      if (i == 2 || i == 4 || i == 5) link.write(i);
      end_cycle();
    }
  });
  processes.spawn("poll", [&] {
    for (int found = 0; found < 3;) {
      int value = -1;
      const bool was_empty = link.empty();
      const bool success = link.read_nb(value);
      seen += std::to_string(now()) + (was_empty ? "e" : "-") + (success ? "r" : "-") +
              std::to_string(value) + " ";
      found += success ? 1 : 0;
      end_cycle();
    }
  });
  run(processes);
  print("seen", seen);
  print_stats(link);
}

void offer() {  // write_nb in each cycle to a stream of depth 2, read in cycles 3 and 5
  hls::stream<int, 2> link("link");
  region processes("offer");
  std::string seen;
  processes.spawn("offer", [&] {
    for (int i = 0; i < 7; ++i) {
      const bool was_full = link.full();
      seen += std::to_string(now()) + (was_full ? "f" : "-") + (link.write_nb(i) ? "w " : "- ");
      end_cycle();
    }
  });
  processes.spawn("take", [&] {
    std::string values;
    for (int i = 0; i < 12; ++i) {
      if (i == 3 || i == 5 || i > 9) values += std::to_string(link.read()) + " ";
      end_cycle();
    }
    print("values", values);
  });
  run(processes);
  print("seen", seen);
}

void stall() {  // seed, numerator, denominator, count: a port that is read, and one that is written
  hls::stream<int> input("input");
  hls::stream<int> output("output");
  auto seed = static_cast<std::uint64_t>(argument(0));
  for (hls::stream<int>* port : {&input, &output}) {
    port->set_external();
    port->set_stall(seed++, static_cast<std::uint64_t>(argument(1)),
                    static_cast<std::uint64_t>(argument(2)));
  }
  for (int i = 0; i < argument(3); ++i) input.write(i);
  std::string reads;
  std::string writes;
  region processes("stall", /*patience=*/0);  // a stall is no deadlock even without any patience
  processes.spawn("receive", [&] {
    for (int i = 0; i < argument(3); ++i) {
      input.read();
      reads += std::to_string(now()) + " ";
      end_cycle();
    }
  });
  processes.spawn("send", [&] {
    for (int i = 0; i < argument(3);) {
      if (output.write_nb(i)) {
        writes += std::to_string(now()) + " ";
        ++i;
      }
      end_cycle();
    }
  });
  run(processes);
  print("reads", reads);
  print("writes", writes);
  print("size", output.size());
}

// Deadlocks ---------------------------------------------------------------------------------------

void diamond() {  // depth of the left branch, count: left fills before the right one starts
  hls::stream<int> left("left");
  hls::stream<int, 2> right("right");
  left.set_depth(static_cast<std::size_t>(argument(0)));
  region processes("diamond");
  processes.spawn("split", [&] {
    produce(left, argument(1));
    produce(right, argument(1));
  });
  processes.spawn("join", [&] {
    for (int i = 0; i < argument(1); ++i) {
      right.read();
      left.read();
      end_cycle();
    }
  });
  run(processes);
}

void feedback() {  // depth of the way back, elements that go round
  hls::stream<int, 2> there("there");
  hls::stream<int> back("back");
  back.set_depth(static_cast<std::size_t>(argument(0)));
  region processes("feedback");
  processes.spawn("distribute", [&] {
    produce(there, argument(1));
    consume(back, argument(1));
  });
  processes.spawn("work", [&] { forward(there, back, argument(1)); });
  run(processes);
}

void pollers() {  // patience: one polls, one is blocked
  hls::stream<int, 4> polled("polled");
  hls::stream<int> awaited("awaited");
  region processes("pollers", static_cast<cycle_t>(argument(0)));
  processes.spawn("poll", [&] {
    for (int value = 0;; end_cycle()) {
      if (polled.read_nb(value)) awaited.write(value);
    }
  });
  processes.spawn("block", [&] {
    for (int i = 0; i < 3; ++i) {
      polled.write(i);
      end_cycle();
    }
    for (;;) {
      awaited.read();
      end_cycle();
    }
  });
  run(processes);
}

void poll_while_working() {  // patience, cycles of work during which a poll fails in each
  hls::stream<int> never("never");
  region processes("work", static_cast<cycle_t>(argument(0)));
  processes.spawn("work", [&] {
    for (int i = 0; i < argument(1); ++i) {
      never.empty();
      end_cycle();
    }
  });
  run(processes);
}

void poll_for_long() {  // cycles of the same, with the default patience
  hls::stream<int> never("never");
  region processes("long");
  processes.spawn("work", [&] {
    for (int i = 0; i < argument(0); ++i) {
      never.empty();
      end_cycle();
    }
  });
  run(processes);
}

void work_in_silence() {  // patience 0, and yet an iteration without any stream is progress
  region processes("silence", 0);
  processes.spawn("work", [&] {
    for (int i = 0; i < 100; ++i) end_cycle();
  });
  run(processes);
}

void poll_without_end() {
  hls::stream<int> link("link");
  region processes("endless");
  processes.spawn("poll", [&] {
    while (link.empty()) {
    }
  });
  run(processes);
}

// Rules -------------------------------------------------------------------------------------------

void two_users() {  // 0: writers, 1: readers, 2: empty() of the writer, 3: full() of the reader
  hls::stream<int, 8> shared("shared");
  region processes("two");
  const int kind = argument(0);
  processes.spawn("first", [&] { shared.write(1); });
  processes.spawn("second", [&] {
    end_cycle();
    shared.read();
    if (kind == 3) shared.full();
  });
  processes.spawn("third", [&] {
    for (int i = 0; i < 3; ++i) end_cycle();
    if (kind == 0) shared.write(2);
    if (kind == 1) shared.read();
    if (kind == 2) shared.empty();
  });
  run(processes);
}

void twice() {  // 0: two reads, 1: two writes, 2: read and read_nb, 3: write and write_nb
  hls::stream<int, 8> link("link");
  for (int i = 0; i < 4; ++i) link.write(i);
  region processes("twice");
  processes.spawn("hasty", [&] {
    for (int i = 0; i < 3; ++i) end_cycle();
    int value = 0;
    if (argument(0) == 0) value = link.read() + link.read();
    if (argument(0) == 1 || argument(0) == 3) link.write(value);
    if (argument(0) == 1) link.write(value);
    if (argument(0) == 2) value = link.read();
    if (argument(0) == 2) link.read_nb(value);
    if (argument(0) == 3) link.write_nb(value);
  });
  run(processes);
}

void outside() {
  hls::stream<int, 2> link("link");
  int value = 7;
  print("empty", link.empty());
  print("read_nb", link.read_nb(value));
  print("value", static_cast<std::uint64_t>(value));
  try {
    link.read();
  } catch (const simulation::error& e) {
    print("read", e.what());
  }
  link << 1;
  print("write_nb", link.write_nb(2));
  print("full", link.full());
  print("again", link.write_nb(3));
  try {
    link.write(3);
  } catch (const simulation::error& e) {
    print("write", e.what());
  }
  end_cycle();
  link >> value;
  link.read(value);
  print("second", static_cast<std::uint64_t>(value));
  try {
    link.set_depth(0);
  } catch (const simulation::error& e) {
    print("depth", e.what());
  }
  try {
    link.set_stall(1, 4, 4);
  } catch (const simulation::error& e) {
    print("stall", e.what());
  }
}

void misuse() {  // 0: nested region, 1: run twice, 2: size() in a region
  hls::stream<int> link("link");
  region processes("outer");
  processes.spawn("process", [&] {
    if (argument(0) == 0) region("inner").run();
    if (argument(0) == 2) link.size();
  });
  run(processes);
  if (argument(0) == 1) run(processes);
}

void leave_elements() {  // external?
  hls::stream<int, 4> used("used");
  hls::stream<int, 4> tidy("tidy");
  if (argument(0) != 0) used.set_external();
  region processes("untidy");
  processes.spawn("produce", [&] { produce(used, 3); });
  processes.spawn("consume", [&] { consume(used, 2); });
  processes.spawn("tidy", [&] {
    tidy.write(1);
    end_cycle();
    tidy.read();
    end_cycle();
  });
  run(processes);
  print("left", used.size());
}

// Exceptions --------------------------------------------------------------------------------------

struct counted {
  static int alive;
  counted() { ++alive; }
  ~counted() { --alive; }
};
int counted::alive = 0;

void exception() {  // 0: runtime_error, 1: logic_error, 2: int
  hls::stream<int> link("link");
  region processes("throws");
  processes.spawn("blocked", [&] {
    const counted resource;
    const std::vector<int> memory(1000);
    link.read();
  });
  processes.spawn("busy", [&] {
    const counted resource;
    const std::vector<int> memory(1000);
    for (;;) end_cycle();
  });
  processes.spawn("local", [&] {
    hls::stream<int> own("own");
    const counted resource;
    for (int i = 0;; ++i, end_cycle()) {
      own.write(i);
      end_cycle();
      own.read();
    }
  });
  processes.spawn("failing(link)", [&] {
    const counted resource;
    for (int i = 0; i < 10; ++i) end_cycle();
    print("alive", static_cast<std::uint64_t>(counted::alive));
    if (argument(0) == 0) throw std::runtime_error("out of luck");
    if (argument(0) == 1) throw std::logic_error("out of reason");
    throw 42;
  });
  processes.spawn("never reached", [&] {
    for (int i = 0; i < 20; ++i) end_cycle();
    print("unreachable", "");
  });
  run(processes);
  print("alive_after", static_cast<std::uint64_t>(counted::alive));
  // The streams and the clock are as new.
  region again("again");
  again.spawn("write", [&] { link.write(5); });
  again.spawn("read", [&] { print("value", static_cast<std::uint64_t>(link.read())); });
  run(again);
}

void exception_in_last_process() {  // the failing process must not be resumed
  region processes("last");
  processes.spawn("quick", [] {});
  processes.spawn("throws", [] { throw std::runtime_error("at once"); });
  run(processes);
}

// Streams -----------------------------------------------------------------------------------------

constexpr int kDepth = 3;
constexpr int kPes = 4;

void scatter(hls::stream<int, kDepth> (&queue)[kPes]) {
  for (auto& each : queue) {
    each.write(1);
    end_cycle();
  }
}

void gather(hls::stream<int> queue[kPes]) {  // as a pointer to streams of any depth
  for (int i = 0; i < kPes; ++i) {
    queue[i].read();
    end_cycle();
  }
}

void arrays() {
  hls::stream<int, kDepth> queue[kPes];
  hls::stream<int, 1> mesh[2][2];
  simulation::set_names(queue, "queue");
  simulation::set_names(mesh, "mesh");
  region processes("arrays");
  processes.spawn("scatter", [&] { scatter(queue); });
  processes.spawn("gather", [&] { gather(queue); });
  run(processes);
  std::string names;
  for (const auto& each : queue) names += each.describe() + "\n";
  print("names", names + mesh[1][0].describe());
  print("default", hls::stream<int>("plain").describe());
}

void growth() {  // an external stream grows while it wraps round
  hls::stream<int> port("port");
  port.set_external();
  int next = 0;
  int expected = 0;
  bool ordered = true;
  for (int round = 1; round < 200; ++round) {
    for (int i = 0; i < round; ++i) port.write(next++);
    for (int i = 0; i < round / 2; ++i) ordered &= port.read() == expected++;
  }
  while (!port.empty()) ordered &= port.read() == expected++;
  print("ordered", ordered);
  print("elements", static_cast<std::uint64_t>(expected));
}

std::uint64_t virtual_pages() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  return pages;
}

void many_regions() {  // regions: memory must not grow after the first few
  std::uint64_t cycles = 0;
  std::uint64_t early = 0;
  for (int i = 0; i < argument(0); ++i) {
    hls::stream<int, 2> first("first");
    hls::stream<int, 2> second("second");
    region processes("short");
    processes.spawn("produce", [&] { produce(first, 4); });
    processes.spawn("forward", [&] { forward(first, second, 4); });
    processes.spawn("consume", [&] { consume(second, 4); });
    cycles += processes.run();
    if (i == 100) early = virtual_pages();
  }
  print("cycles", cycles);
  print("new_pages", virtual_pages() - early);
}

int recurse(int depth) {
  volatile char frame[1024] = {};
  frame[depth % 1024] = 1;
  if (depth % 100 == 0) end_cycle();
  return depth == 0 ? 0 : recurse(depth - 1) + frame[depth % 1024];
}

void deep_stack() {  // most of a stack of 1 MiB (frames grow under a sanitizer)
  region processes("deep");
  processes.spawn("first", [] { print("first", static_cast<std::uint64_t>(recurse(400))); });
  processes.spawn("second", [] { print("second", static_cast<std::uint64_t>(recurse(500))); });
  run(processes);
}

void overflow() {  // index into four elements, on the heap or not: for the sanitizers
  region processes("overflow");
  processes.spawn("careless", [] {
    const std::vector<int> heap(4);
    volatile int local[4] = {};
    end_cycle();  // what was marked before has to be marked after as well
    const volatile int* memory = argument(1) != 0 ? heap.data() : local;
    print("read", static_cast<std::uint64_t>(memory[static_cast<std::size_t>(argument(0))]));
  });
  processes.spawn("other", [] { end_cycle(); });
  run(processes);
}

const std::map<std::string, void (*)()> kScenarios = {
    {"arrays", arrays},
    {"chain", chain},
    {"deep_stack", deep_stack},
    {"diamond", diamond},
    {"exception", exception},
    {"exception_in_last_process", exception_in_last_process},
    {"feedback", feedback},
    {"growth", growth},
    {"leave_elements", leave_elements},
    {"many_regions", many_regions},
    {"misuse", misuse},
    {"offer", offer},
    {"outside", outside},
    {"overflow", overflow},
    {"pass_elements", pass_elements},
    {"poll", poll},
    {"poll_for_long", poll_for_long},
    {"poll_while_working", poll_while_working},
    {"poll_without_end", poll_without_end},
    {"pollers", pollers},
    {"stall", stall},
    {"twice", twice},
    {"two_users", two_users},
    {"work_in_silence", work_in_silence},
};

}  // namespace

int main(int count, char** values) {
  for (int i = 2; i < count; ++i) arguments.push_back(std::atoi(values[i]));
  kScenarios.at(values[1])();
}
