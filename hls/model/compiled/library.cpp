// What Python calls (library.py): plain C functions, with handles to what they keep.
//
// No exception may leave a C function, and only memory can run out here: what makes a handle gives
// null then, and all memory is taken when it is made.
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "kernel.h"

extern "C" {

//! A run on a kernel of a design; null if there is not enough memory. What `layers` points to must
//! live as long as the run.
void* eie_run_new(std::int64_t pes, std::int64_t queue_depth, std::int64_t result_depth,
                  std::int64_t layers, const model::Layer* layer) {
  try {
    return new model::Kernel(static_cast<std::size_t>(pes), static_cast<std::size_t>(queue_depth),
                             static_cast<std::size_t>(result_depth),
                             std::vector<model::Layer>(layer, layer + layers));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void eie_run_free(void* run) { delete static_cast<model::Kernel*>(run); }

//! Take `vectors` more vectors through a run.
//!
//! For each layer `activations` has where its first vector is, and `strides` how many activations
//! later each next one is; `ends` takes the cycles until the last output of each.
void eie_run_vectors(void* run, std::int64_t vectors, const std::int16_t** activations,
                     const std::int64_t* strides, std::int64_t* ends) {
  auto& kernel = *static_cast<model::Kernel*>(run);
  for (std::int64_t vector = 0; vector < vectors; ++vector) {
    kernel.run(activations);
    ends[vector] = kernel.cycles();
    for (std::size_t layer = 0; layer < kernel.layers(); ++layer) {
      activations[layer] += strides[layer];
    }
  }
}

//! What was counted so far; `busy`, `starved` and `full` have a place for each PE.
void eie_run_counters(const void* run, std::int64_t* cycles, std::int64_t* busy,
                      std::int64_t* starved, std::int64_t* full, std::int64_t* layer_cycles) {
  const auto& kernel = *static_cast<const model::Kernel*>(run);
  *cycles = kernel.cycles();
  std::copy(kernel.pes.busy.begin(), kernel.pes.busy.end(), busy);
  std::copy(kernel.pes.starved.begin(), kernel.pes.starved.end(), starved);
  std::copy(kernel.broadcast.full.begin(), kernel.broadcast.full.end(), full);
  std::copy(kernel.layer_cycles.begin(), kernel.layer_cycles.end(), layer_cycles);
}

}  // extern "C"
