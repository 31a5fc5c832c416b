// The macros of kernel/dataflow.h: the same region as coroutines, and as plain calls for synthesis.
#include <ap_axi_sdata.h>
#include <hls_stream.h>

#include <cstdio>

#ifdef PLAIN_CALLS
// Only now: the open-source ap_int.h does not compile with it.
#define __SYNTHESIS__
#endif
#include "dataflow.h"

namespace {

using axis_t = ap_axiu<64, 0, 0, 0>;
using value_t = ap_uint<16>;
constexpr int kDepth = 4;
constexpr int kLanes = 3;

void receive(hls::stream<axis_t>& input, hls::stream<value_t>& values) {
  bool last = false;
  do {
    const axis_t beat = input.read();
    values.write(value_t(beat.data));
    last = beat.last == 1;
    kernel::end_cycle();
  } while (!last);
}

// Two template parameters: a comma that a macro must not take for the end of an argument.
template <int Count, int Step>
void scale(hls::stream<value_t>& in, hls::stream<value_t> (&out)[kLanes], value_t offset) {
  for (int i = 0; i < Count; ++i) {
    out[i % kLanes].write(in.read() * Step + offset);
    kernel::end_cycle();
  }
}

template <int Count>
void send(hls::stream<value_t> (&in)[kLanes], hls::stream<axis_t>& output) {
  for (int i = 0; i < Count; ++i) {
    axis_t beat;
    beat.data = in[i % kLanes].read();
    beat.keep = -1;
    beat.strb = -1;
    beat.last = i == Count - 1;
    output.write(beat);
    kernel::end_cycle();
  }
}

void top(hls::stream<axis_t>& input, hls::stream<axis_t>& output, value_t offset) {
  hls::stream<value_t, kDepth> values("values");
  hls::stream<value_t> lanes[kLanes];
#ifdef PLAIN_CALLS  // plain calls run one after another, so streams must hold everything
  values.set_external();
  for (auto& lane : lanes) lane.set_external();
#endif
  EIE_REGION("top");
  EIE_NAME_STREAMS(lanes);
  EIE_PROCESS(receive(input, values));
  EIE_PROCESS(scale<9, (2 > 1) ? 3 : 1>(values, lanes, value_t(offset)));
  EIE_PROCESS(send<9>(lanes, output));
  EIE_RUN_REGION();
}

}  // namespace

int main(int count, char**) {
  hls::stream<axis_t> input("input");
  hls::stream<axis_t> output("output");
  input.set_external();
  output.set_external();
  const int beats = count > 1 ? 8 : 9;  // one too few leaves the region waiting
  for (int i = 0; i < beats; ++i) {
    axis_t beat;
    beat.data = 100 + i;
    beat.keep = -1;
    beat.strb = -1;
    beat.last = i == beats - 1;
    input.write(beat);
  }
  try {
    top(input, output, 7);
  } catch (const simulation::deadlock& stop) {
    std::printf("%s\n", stop.what());
    return 0;
  }
  while (!output.empty()) {
    const axis_t beat = output.read();
    std::printf("%d%s ", static_cast<int>(beat.data), beat.last == 1 ? "!" : "");
  }
  std::printf("in %d cycles\n", static_cast<int>(simulation::now()));
}
