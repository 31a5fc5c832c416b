// What the drivers of the nodes of the trees on the way back share.
#pragma once

#include "driver.h"

namespace driver {

using kernel::Results;

//! Four sources of one kind, of which the node may use fewer, and where its results go.
template <int kIn, int kOut>
struct Ports {
  hls::stream<Results<kIn>> in[4];
  hls::stream<Results<kOut>> out{"out"};
  Bench bench;

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

}  // namespace driver
