// Drives one node of the gather tree alone: results in, wider ones out.
//
//   gather NODE, such as gather_4<17>
#include "gather.h"

#include "tree.h"

namespace {

template <int kBits>
int gather(const std::string& name, int sources) {
  driver::Ports<kBits, 4 * kBits> ports(sources);
  auto& in = ports.in;
  if (sources == 1) return ports.run(name, [&] { kernel::gather_1<kBits>(in[0], ports.out); });
  if (sources == 2) {
    return ports.run(name, [&] { kernel::gather_2<kBits>(in[0], in[1], ports.out); });
  }
  return ports.run(name, [&] { kernel::gather_4<kBits>(in[0], in[1], in[2], in[3], ports.out); });
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
  std::cerr << "unknown node " << node << '\n';
  return 1;
}
