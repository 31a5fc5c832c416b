// Accumulates products in a memory whose writes are late, and prints the sums.
//
//   hazard LATENCY FORWARDING
// A write is missed by the reads of the LATENCY iterations behind it. Standard input has an
// iteration a line: `ROW PRODUCT`, or `idle` for one that adds nothing. With FORWARDING 0 the sums
// kept in registers are forgotten before each iteration, so that only the memory counts.
#include <deque>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "accumulate.h"

namespace {

//! Accumulators with late writes. What an index gives can be read and written, as an array's
//! element can.
class LateMemory {
 public:
  explicit LateMemory(std::size_t latency) : latency_(latency), values_(kernel::kRowsPerPe) {}

  class Element {
   public:
    Element(LateMemory& memory, std::size_t row) : memory_(memory), row_(row) {}
    operator kernel::accumulator_t() const { return memory_.values_[row_]; }
    void operator=(kernel::accumulator_t value) {
      memory_.on_the_way_.push_back({row_, value, memory_.iteration_});
    }

   private:
    LateMemory& memory_;
    const std::size_t row_;
  };

  Element operator[](kernel::row_t row) { return Element(*this, row.to_uint()); }

  //! The next iteration begins.
  void tick() {
    ++iteration_;
    while (!on_the_way_.empty() && on_the_way_.front().iteration + latency_ < iteration_) commit();
  }

  //! The loop has ended, and with it its pipeline.
  void drain() {
    while (!on_the_way_.empty()) commit();
  }

  long long value(std::size_t row) const { return values_[row].to_int64(); }

 private:
  struct Write {
    std::size_t row;
    kernel::accumulator_t value;
    std::size_t iteration;
  };

  void commit() {
    values_[on_the_way_.front().row] = on_the_way_.front().value;
    on_the_way_.pop_front();
  }

  const std::size_t latency_;
  std::size_t iteration_ = 0;
  std::vector<kernel::accumulator_t> values_;
  std::deque<Write> on_the_way_;
};

}  // namespace

int main(int, char** arguments) {
  LateMemory memory(std::stoul(arguments[1]));
  const bool forwarding = std::stoi(arguments[2]) != 0;
  kernel::RecentSum recent[kernel::kWriteLatency];
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
    kernel::accumulate(memory, recent, row, product);
  }
  memory.drain();
  for (std::size_t row = 0; row < kernel::kRowsPerPe; ++row) std::cout << memory.value(row) << '\n';
  return 0;
}
