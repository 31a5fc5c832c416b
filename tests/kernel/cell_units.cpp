// The arithmetic of the cell, binary and in the machine's order of bytes. On standard input: how
// many of each follow (two int64), then sums (int16), then units (four int16, an int32).
//
// Of a sum it gives the sigmoid, the tanh, and the LeakyReLU whose slope is the sum's own code
// (three int16); of a unit an LSTM's step and a GRU's (each an int16 and an int32).
#include "cell.h"

#include <cstdint>
#include <cstdio>

namespace {

template <typename T>
T read() {
  T value = 0;
  if (std::fread(&value, sizeof value, 1, stdin) != 1) std::perror("cell_units");
  return value;
}

template <typename T>
void write(T value) {
  std::fwrite(&value, sizeof value, 1, stdout);
}

void write_functions(std::int16_t sum) {
  const kernel::activation_t code = sum;
  const ap_uint<16> slope = ap_uint<16>(code);
  write(static_cast<std::int16_t>(kernel::look_up(code, true, false, slope).result.to_int()));
  write(static_cast<std::int16_t>(kernel::look_up(code, false, false, slope).result.to_int()));
  write(static_cast<std::int16_t>(kernel::look_up(code, false, true, slope).result.to_int()));
}

void write_steps(const kernel::activation_t (&sums)[kernel::kGates], kernel::state_t state) {
  kernel::gate_t gates[kernel::kGates];
  for (int gate = 0; gate < kernel::kGates; ++gate) {
    gates[gate] = kernel::look_up(sums[gate], gate != 2, false, 0).gate;
  }
  for (const bool lstm : {true, false}) {
    const kernel::Stepped stepped = kernel::step(sums, gates, state, lstm);
    write(static_cast<std::int16_t>(stepped.result.to_int()));
    write(static_cast<std::int32_t>(stepped.state.to_int()));
  }
}

}  // namespace

int main() {
  const std::int64_t sums = read<std::int64_t>();
  const std::int64_t units = read<std::int64_t>();
  for (std::int64_t count = 0; count < sums; ++count) write_functions(read<std::int16_t>());
  for (std::int64_t count = 0; count < units; ++count) {
    kernel::activation_t gates[kernel::kGates];
    for (kernel::activation_t& gate : gates) gate = read<std::int16_t>();
    write_steps(gates, read<std::int32_t>());
  }
  return 0;
}
