// Drives one node of the merge tree alone: words in, the same one after another out.
//
//   merge NODE, such as merge_2<1>
#include "merge.h"

#include "tree.h"

namespace {

template <int kBurst>
int merge(const std::string& name, int sources) {
  driver::Ports<272, 272> ports(sources);
  auto& in = ports.in;
  if (sources == 2) {
    return ports.run(name, [&] { kernel::merge_2<kBurst>(in[0], in[1], ports.out); });
  }
  return ports.run(name, [&] { kernel::merge_4<kBurst>(in[0], in[1], in[2], in[3], ports.out); });
}

}  // namespace

int main(int, char** arguments) {
  const std::string node = arguments[1];
  if (node == "merge_2<1>") return merge<1>(node, 2);
  if (node == "merge_2<4>") return merge<4>(node, 2);
  if (node == "merge_4<1>") return merge<1>(node, 4);
  if (node == "merge_4<4>") return merge<4>(node, 4);
  std::cerr << "unknown node " << node << '\n';
  return 1;
}
