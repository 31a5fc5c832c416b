// Evaluates the kernel's arithmetic. Lines of standard input, decimal:
//   write_back SUM RULE     prints the activation, and 1 if it was saturated, else 0; a rule is
//                           SHIFT HALF_EVEN LOW HIGH
//   narrow BITS SUM RULE    the same of an accumulator of 2 to 48 bits
//   crc BITS CRC DATA       prints the CRC after the lowest BITS (32 or 64) of DATA
#include <iostream>
#include <sstream>
#include <string>

#include "crc32.h"
#include "fixed_point.h"

namespace {

void print(const kernel::Written& written) {
  std::cout << written.value.to_int() << ' ' << written.saturated.to_uint() << '\n';
}

kernel::WriteBackRule read_rule(std::istream& line) {
  int shift = 0, half_even = 0, low = 0, high = 0;
  line >> shift >> half_even >> low >> high;
  return kernel::WriteBackRule{shift, low == 0, low, high, half_even};
}

//! Write-back in an accumulator of `bits` bits, at most kBits.
template <int kBits>
void narrow(int bits, long long sum, const kernel::WriteBackRule& rule) {
  if (bits == kBits) {
    print(kernel::write_back(ap_int<kBits>(sum), rule));
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
    std::string word;
    line >> word;
    if (word == "write_back") {
      long long sum = 0;
      line >> sum;
      print(kernel::write_back(kernel::accumulator_t(sum), read_rule(line)));
    } else if (word == "narrow") {
      int bits = 0;
      long long sum = 0;
      line >> bits >> sum;
      narrow<48>(bits, sum, read_rule(line));
    } else {
      unsigned int bits = 0;
      unsigned long long crc = 0, data = 0;
      line >> bits >> crc >> data;
      const kernel::crc_t next =
          bits == 32 ? kernel::crc_update<32>(crc, data) : kernel::crc_update<64>(crc, data);
      std::cout << next.to_uint() << '\n';
    }
  }
  return 0;
}
