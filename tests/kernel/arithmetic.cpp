// Evaluates the kernel's arithmetic. Lines of standard input, decimal:
//   write_back SUM SHIFT RELU     prints the activation
//   crc BITS CRC DATA             prints the CRC after the lowest BITS (32 or 64) of DATA
#include <iostream>
#include <sstream>
#include <string>

#include "crc32.h"
#include "fixed_point.h"

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
      std::cout << kernel::write_back(sum, shift, relu).to_int() << '\n';
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
