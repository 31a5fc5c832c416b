// Drives one node of the broadcast tree alone: tokens in, the same to its children.
//
//   broadcast CHILDREN LEAF
#include "broadcast.h"

#include "driver.h"

namespace {

typedef hls::stream<kernel::Token> stream_t;

template <bool LEAF>
void spawn(simulation::region& region, int children, stream_t& parent, stream_t (&child)[4]) {
  if (children == 1) {
    region.spawn("broadcast_1", [&] { kernel::broadcast_1<0, LEAF>(parent, child[0]); });
  } else if (children == 2) {
    region.spawn("broadcast_2", [&] { kernel::broadcast_2<0, LEAF>(parent, child[0], child[1]); });
  } else {
    region.spawn("broadcast_4", [&] {
      kernel::broadcast_4<0, LEAF>(parent, child[0], child[1], child[2], child[3]);
    });
  }
}

}  // namespace

int main(int, char** arguments) {
  const int children = std::stoi(arguments[1]);
  const bool leaf = std::stoi(arguments[2]) != 0;
  stream_t parent("parent");
  stream_t child[4];
  driver::Bench bench;
  bench.input(parent);
  for (int i = 0; i < children; ++i) {
    child[i].set_name("child_" + std::to_string(i));
    bench.output(child[i]);
  }
  return bench.run([&](simulation::region& region) {
    if (leaf) {
      spawn<true>(region, children, parent, child);
    } else {
      spawn<false>(region, children, parent, child);
    }
  });
}
