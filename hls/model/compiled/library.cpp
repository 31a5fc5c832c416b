// What Python calls (library.py): plain C functions, with handles to what they keep.
//
// No exception may leave a C function, and only memory can run out here: what makes a handle gives
// null then, and all memory is taken when it is made.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "kernel.h"
#include "weights.h"

extern "C" {

//! A run on a kernel, as Kernel takes it; null if there is not enough memory. What the layers and
//! the order point to must live as long as the run.
void* eie_run_new(const model::Design* design, std::int64_t layers, const model::Layer* layer,
                  const model::Order* order) {
  try {
    return new model::Kernel(*design, std::vector<model::Layer>(layer, layer + layers), *order);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void eie_run_free(void* run) {
  delete static_cast<model::Kernel*>(run);
}

//! Go on with a run, as Kernel::advance.
std::int64_t eie_run_advance(void* run, std::int64_t turns) {
  return static_cast<model::Kernel*>(run)->advance(turns);
}

//! End a run, and say what was counted; `busy`, `starved` and `full` have a place for each PE.
void eie_run_counters(void* run, std::int64_t* cycles, std::int64_t* busy, std::int64_t* starved,
                      std::int64_t* full, std::int64_t* layer_cycles) {
  auto& kernel = *static_cast<model::Kernel*>(run);
  kernel.end();
  *cycles = kernel.cycles();
  std::copy(kernel.pes.busy.begin(), kernel.pes.busy.end(), busy);
  std::copy(kernel.pes.starved.begin(), kernel.pes.starved.end(), starved);
  std::copy(kernel.broadcast.full.begin(), kernel.broadcast.full.end(), full);
  std::copy(kernel.shares.cycles.begin(), kernel.shares.cycles.end(), layer_cycles);
}

//! The weights of a layer, as Weights takes them; null if there is not enough memory.
void* eie_weights_new(std::int64_t rows, std::int64_t columns, const std::int64_t* starts,
                      const std::int64_t* row_of, const std::int16_t* values) {
  try {
    return new model::Weights(rows, columns, starts, row_of, values);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void eie_weights_free(void* weights) {
  delete static_cast<model::Weights*>(weights);
}

//! Take vectors through a layer, as Weights::run; -1 if there is not enough memory. Any number of
//! threads may do so.
std::int64_t eie_weights_run(const void* weights, const model::WriteBack* write_back,
                             const std::int64_t* bias, const std::int16_t* activations,
                             std::int64_t stride, std::int64_t batch, std::int64_t counted,
                             std::int16_t* outputs) {
  try {
    return static_cast<const model::Weights*>(weights)->run(*write_back, bias, activations, stride,
                                                            batch, counted, outputs);
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

}  // extern "C"
