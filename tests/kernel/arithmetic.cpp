// Evaluates the kernel's arithmetic. Lines of standard input, decimal:
//   write_back SUM RULE     prints the activation, and 1 if it was saturated, else 0; a rule is
//                           SHIFT HALF_EVEN LOW HIGH
//   crc BITS CRC DATA       prints the CRC after the lowest BITS (32 or 64) of DATA
#include <iostream>
#include <sstream>
#include <string>

#include "crc32.h"
#include "written_back.h"

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    if (word == "write_back") {
      long long sum = 0;
      line >> sum;
      print_written(kernel::write_back(kernel::accumulator_t(sum), read_rule(line)));
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
