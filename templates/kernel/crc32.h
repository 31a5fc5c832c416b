// CRC-32 as in zlib (reflected polynomial 0xEDB88320, start and end inverted).
#pragma once

#include "types.h"

namespace kernel {

typedef ap_uint<32> crc_t;

constexpr unsigned int kCrcStart = 0xffffffffu;
constexpr unsigned int kCrcPolynomial = 0xedb88320u;

//! Take kBits bits of `data`, lowest first, into a CRC. Unrolled this is a XOR matrix three or
//! four look-up tables deep, so a beat a cycle is no effort.
template <int kBits>
inline crc_t crc_update(crc_t crc, beat_t data) {
#pragma HLS INLINE
  unsigned int state = crc;
  const unsigned long long bits = data;
crc_bits:
  for (int bit = 0; bit < kBits; ++bit) {
#pragma HLS UNROLL
    const bool odd = ((state ^ static_cast<unsigned int>(bits >> bit)) & 1u) != 0;
    state = (state >> 1) ^ (odd ? kCrcPolynomial : 0u);
  }
  return state;
}

inline crc_t crc_value(crc_t crc) {
#pragma HLS INLINE
  return ~crc;
}

}  // namespace kernel
