// CRC-32 as in zlib (reflected polynomial 0xEDB88320, start and end inverted).
//
// A CRC is linear: each bit of the next one is the XOR of some bits of this one and of the data.
// Which ones is worked out at compile time. A loop over the bits of a beat would say the same, but
// its 64 dependent steps would be scheduled one after another, over several cycles.
#pragma once

#include "types.h"

namespace kernel {

constexpr unsigned int kCrcStart = 0xffffffffu;
//! The register when data and then their own CRC have gone through it, whatever the data, and only
//! then: so a header is good if its two beats leave this.
constexpr unsigned int kCrcResidue = 0xdebb20e3u;
constexpr unsigned int kCrcPolynomial = 0xedb88320u;

//! For each bit of a CRC the data bits, as a mask, whose XOR it is.
struct CrcMasks {
  unsigned long long mask[32];
};

//! The masks for `bits` bits of data, lowest first, on a register that starts with zeros.
constexpr CrcMasks make_crc_masks(int bits) {
  CrcMasks masks = {};
  for (int set = 0; set < bits; ++set) {
    // What a single bit leaves in the register when all bits have gone through it.
    unsigned int state = 0;
    for (int bit = 0; bit < bits; ++bit) {
      const unsigned int odd = (state ^ (bit == set ? 1u : 0u)) & 1u;
      state = (state >> 1) ^ (odd != 0 ? kCrcPolynomial : 0u);
    }
    for (int bit = 0; bit < 32; ++bit) {
      masks.mask[bit] |= static_cast<unsigned long long>((state >> bit) & 1u) << set;
    }
  }
  return masks;
}

//! Take kBits bits of `data`, lowest first, into a CRC: a XOR of about half of them for each bit,
//! three look-up tables deep, so a beat a cycle is no effort.
template <int kBits>
inline crc_t crc_update(crc_t crc, beat_t data) {
#pragma HLS INLINE
  static_assert(kBits >= 32, "The register's bits are those of the first 32 of the data.");
  static constexpr CrcMasks kMasks = make_crc_masks(kBits);
  const beat_t bits = data ^ crc;
  crc_t next = 0;
crc_bits:
  for (int bit = 0; bit < 32; ++bit) {
#pragma HLS UNROLL
    next[bit] = beat_t(bits & kMasks.mask[bit]).xor_reduce();
  }
  return next;
}

inline crc_t crc_value(crc_t crc) {
#pragma HLS INLINE
  return ~crc;
}

}  // namespace kernel
