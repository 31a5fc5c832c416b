// Calls the block top of the cell for a layer of one word with a sigmoid, and prints what it gives.
#include "cell.h"

#include "driver.h"
#include "ports.h"

void block_cell(hls::stream<kernel::ResultBits<kernel::kLanes * kernel::kResultBits>::type>&,
                hls::stream<kernel::command_bits_t>&, hls::stream<kernel::word_t>&,
                hls::stream<kernel::ResultBits<kernel::kLanes * kernel::kResultBits>::type>&,
                hls::stream<kernel::command_bits_t>&);

int main() {
  using namespace kernel;
  typedef ResultBits<kLanes * kResultBits>::type bits_t;
  hls::stream<bits_t> results_in("results_in");
  hls::stream<bits_t> results_out("results_out");
  hls::stream<command_bits_t> commands_in("commands_in");
  hls::stream<word_t> states_in("states_in");
  hls::stream<command_bits_t> commands_out("commands_out");
  results_in.set_external();
  results_out.set_external();
  commands_in.set_external();
  states_in.set_external();
  commands_out.set_external();
  const VectorTag vector = {1, 1, 1};
  commands_in.write(
      to_bits(Command{kResults, 2, 1, 3, 5, 1, 0, 1, vector, packet::kFunctionSigmoid, 0x1234, 3}));
  commands_in.write(to_bits(Command{kStop, 0, 0, 0, 0, 1, 0, 0, vector, 0, 0, 0}));
  results_in.write(to_bits(ResultWord{kValue, 0x10000}));  // zero, and marked
  results_in.write(to_bits(ResultWord{kLast, 0}));
  results_in.write(to_bits(ResultWord{kEnd, 0}));
  block_cell(results_in, commands_in, states_in, results_out, commands_out);
  while (!results_out.empty()) {
    std::cout << results_out.name();
    driver::write_element(std::cout, results_of<kLanes * kResultBits>(results_out.read()));
    std::cout << '\n';
  }
  while (!commands_out.empty()) {
    std::cout << commands_out.name();
    driver::write_element(std::cout, command_of(commands_out.read()));
    std::cout << '\n';
  }
  return 0;
}
