// Write-back of accumulators of any width, whatever the design's is: an instance each, which take
// long to compile. Lines of standard input, decimal:
//   BITS SUM RULE           prints the activation, and 1 if it was saturated, else 0; a rule is
//                           SHIFT HALF_EVEN LOW HIGH
#include <iostream>
#include <sstream>
#include <string>

#include "written_back.h"

namespace {

//! Write-back in an accumulator of `bits` bits, at most kBits.
template <int kBits>
void narrow(int bits, long long sum, const kernel::WriteBackRule& rule) {
  if (bits == kBits) {
    print_written(kernel::write_back(ap_int<kBits>(sum), rule));
  } else {
    narrow<kBits - 1>(bits, sum, rule);
  }
}
template <>
void narrow<1>(int, long long, const kernel::WriteBackRule&) {}

}  // namespace

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    int bits = 0;
    long long sum = 0;
    line >> bits >> sum;
    narrow<48>(bits, sum, read_rule(line));
  }
  return 0;
}
