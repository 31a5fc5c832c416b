// The same source for synthesis and for simulation.
//
// Vitis HLS turns the calls in a `#pragma HLS DATAFLOW` region into processes that run at the same
// time. In C simulation, with Vitis or without, simulation/region.h runs each as a coroutine on a
// common clock, with streams as deep as declared: so the feedback of hidden vectors works, a
// deadlock shows, and cycles can be counted.
#pragma once

#ifdef __SYNTHESIS__

namespace kernel {
//! Marks the end of a pipelined iteration: one clock cycle. Means nothing to synthesis.
inline void end_cycle() {
#pragma HLS INLINE
}
}  // namespace kernel

#define EIE_REGION(name)
#define EIE_NAME_STREAMS(streams)
#define EIE_PROCESS(...) __VA_ARGS__
#define EIE_RUN_REGION()

#else

#include "hls_stream.h"
#include "region.h"

namespace kernel {
using simulation::end_cycle;
}  // namespace kernel

#define EIE_REGION(name) simulation::region region(name)
#define EIE_NAME_STREAMS(streams) simulation::set_names(streams, #streams)
#define EIE_PROCESS(...) region.spawn(#__VA_ARGS__, [&] { __VA_ARGS__; })
#define EIE_RUN_REGION() region.run()

#endif
