// Drives one node of the gather tree, or the collector, alone: results in, wider or more of them
// out.
//
//   gather NODE, such as gather_4<17>, merge_2<1> or collect
#include "gather.h"

#include "driver.h"

namespace {

using kernel::Results;

//! Four sources of one kind, of which the node may use fewer, and where its results go.
template <int kIn, int kOut>
struct Ports {
  hls::stream<Results<kIn>> in[4];
  hls::stream<Results<kOut>> out{"out"};
  driver::Bench bench;

  explicit Ports(int sources) {
    for (int i = 0; i < sources; ++i) {
      in[i].set_name("in_" + std::to_string(i));
      bench.input(in[i]);
    }
    bench.output(out);
  }

  int run(const std::string& name, const std::function<void()>& node) {
    return bench.run([&](simulation::region& region) { region.spawn(name, node); });
  }
};

template <int kBits>
int gather(const std::string& name, int sources) {
  Ports<kBits, 4 * kBits> ports(sources);
  auto& in = ports.in;
  if (sources == 1) return ports.run(name, [&] { kernel::gather_1<kBits>(in[0], ports.out); });
  if (sources == 2) {
    return ports.run(name, [&] { kernel::gather_2<kBits>(in[0], in[1], ports.out); });
  }
  return ports.run(name, [&] { kernel::gather_4<kBits>(in[0], in[1], in[2], in[3], ports.out); });
}

template <int kBurst>
int merge(const std::string& name, int sources) {
  Ports<272, 272> ports(sources);
  auto& in = ports.in;
  if (sources == 2) {
    return ports.run(name, [&] { kernel::merge_2<kBurst>(in[0], in[1], ports.out); });
  }
  return ports.run(name, [&] { kernel::merge_4<kBurst>(in[0], in[1], in[2], in[3], ports.out); });
}

int collect() {
  hls::stream<kernel::ResultWord> results("results");
  hls::stream<kernel::Command> commands("commands");
  hls::stream<kernel::ActivationWord> hidden("hidden");
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

}  // namespace

int main(int, char** arguments) {
  const std::string node = arguments[1];
  if (node == "gather_1<17>") return gather<17>(node, 1);
  if (node == "gather_2<17>") return gather<17>(node, 2);
  if (node == "gather_4<17>") return gather<17>(node, 4);
  if (node == "gather_1<68>") return gather<68>(node, 1);
  if (node == "gather_2<68>") return gather<68>(node, 2);
  if (node == "gather_4<68>") return gather<68>(node, 4);
  if (node == "merge_2<1>") return merge<1>(node, 2);
  if (node == "merge_2<4>") return merge<4>(node, 2);
  if (node == "merge_4<1>") return merge<1>(node, 4);
  if (node == "merge_4<4>") return merge<4>(node, 4);
  if (node == "collect") return collect();
  std::cerr << "unknown node " << node << '\n';
  return 1;
}
