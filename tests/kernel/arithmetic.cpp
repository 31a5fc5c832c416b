// Evaluates the kernel's arithmetic. Lines of standard input, decimal:
//   write_back SUM SHIFT RELU     prints the activation, and 1 if it was saturated, else 0
//   narrow BITS SUM SHIFT RELU    the same of an accumulator of 2 to 48 bits
//   crc BITS CRC DATA             prints the CRC after the lowest BITS (32 or 64) of DATA
#include <iostream>
#include <sstream>
#include <string>

#include "crc32.h"
#include "fixed_point.h"

namespace {

void print(const kernel::Written& written) {
  std::cout << written.value.to_int() << ' ' << written.saturated.to_uint() << '\n';
}

//! Write-back in an accumulator of `bits` bits, at most kBits.
template <int kBits>
void narrow(int bits, long long sum, unsigned int shift, unsigned int relu) {
  if (bits == kBits) {
    print(kernel::write_back(ap_int<kBits>(sum), shift, relu));
  } else {
    narrow<kBits - 1>(bits, sum, shift, relu);
  }
}
template <>
void narrow<1>(int, long long, unsigned int, unsigned int) {}

}  // namespace

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    if (word == "write_back") {
      long long sum = 0;
      unsigned int shift = 0, relu = 0;
      line >> sum >> shift >> relu;
      print(kernel::write_back(kernel::accumulator_t(sum), shift, relu));
    } else if (word == "narrow") {
      int bits = 0;
      long long sum = 0;
      unsigned int shift = 0, relu = 0;
      line >> bits >> sum >> shift >> relu;
      narrow<48>(bits, sum, shift, relu);
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
