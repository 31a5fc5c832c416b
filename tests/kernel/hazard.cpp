// Accumulates products in a memory whose writes are late, and prints the sums.
//
//   hazard LATENCY FORWARDING
// A write is missed by the reads of the LATENCY iterations behind it. Standard input has an
// iteration a line: `ROW PRODUCT`, or `idle` for one that adds nothing. With FORWARDING 0 the sums
// kept in registers are forgotten before each iteration, so that only the memory counts.
#include <iostream>
#include <sstream>
#include <string>

#include "accumulate.h"
#include "late_memory.h"

int main(int, char** arguments) {
  driver::LateMemory memory(std::stoul(arguments[1]));
  const bool forwarding = std::stoi(arguments[2]) != 0;
  kernel::RecentSums recent[kernel::kWriteLatency];
  kernel::forget(recent);
  std::string text;
  while (std::getline(std::cin, text)) {
    memory.tick();
    if (text == "idle") continue;
    std::istringstream line(text);
    unsigned int row = 0;
    long long product = 0;
    line >> row >> product;
    if (!forwarding) kernel::forget(recent);
    const kernel::sums_t sums = kernel::added(kernel::forwarded(recent, row, memory[row]),
                                              kernel::placed(kernel::accumulator_t(product), 0));
    memory[row] = sums;
    kernel::remember(recent, row, sums);
  }
  memory.drain();
  for (std::size_t row = 0; row < kernel::kRowsPerPe; ++row) std::cout << memory.value(row) << '\n';
  return 0;
}
