// What the tests' copy of the vendor's headers makes of undefined behaviour.
#include <cstring>
#include <iostream>

#include "ap_int.h"

int main(int, char** arguments) {
  ap_uint<12> narrow;
  ap_int<70> wide;
  struct Fields {
    ap_uint<8> field;
  };
  const Fields fields = {};
  std::cout << narrow << ' ' << wide << ' ' << fields.field << std::endl;
  // A width or less that only the running program knows.
  const int width = std::strlen(arguments[2]);
  const bool left = arguments[1][0] == 'l';
  if (std::strlen(arguments[1]) == 1) {
    ap_uint<12> value = 5;
    std::cout << (left ? value << width : value >> width) << std::endl;
  } else {
    ap_int<70> value = 5;
    std::cout << (left ? value << ap_uint<8>(width) : value >> width) << std::endl;
  }
  return 0;
}
