// A rule of write-back as a line of text has it, and its result as one.
#ifndef EIE_TESTS_WRITTEN_BACK_H
#define EIE_TESTS_WRITTEN_BACK_H

#include <iostream>

#include "fixed_point.h"

inline void print_written(const kernel::Written& written) {
  std::cout << written.value.to_int() << ' ' << written.saturated.to_uint() << '\n';
}

inline kernel::WriteBackRule read_rule(std::istream& line) {
  int shift = 0, half_even = 0, low = 0, high = 0;
  line >> shift >> half_even >> low >> high;
  return kernel::WriteBackRule{shift, low == 0, low, high, half_even};
}

#endif
