// A row of weights with many vectors at a time, in the widest registers that the processor has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>

#include "write_back.h"

namespace model {

//! A weight of a row, and the column whose activation it meets; or of a column, and its row.
struct Weight {
  std::uint16_t place;
  std::int16_t value;
};

//! Vectors that are taken at a time; so many sums stay in registers.
constexpr std::size_t kLanes = 32;

//! Take kLanes vectors through a row: `lanes` holds their activations column by column, and `codes`
//! takes their results. Gives how many of the first `vectors` were saturated.
using RowInLanes = std::int64_t (*)(const Weight* weight, const Weight* end,
                                    const std::int16_t* lanes, const WriteBack& write_back,
                                    std::int64_t bias, std::size_t vectors, std::int16_t* codes);

//! Numbers of 32 bits in a register of kBytes, and as many of 16 bits.
template <std::size_t kBytes>
struct Register {
  typedef std::int32_t Wide __attribute__((vector_size(kBytes)));
  typedef std::uint32_t WideUnsigned __attribute__((vector_size(kBytes)));
  typedef std::int16_t Narrow __attribute__((vector_size(kBytes / 2)));
};

//! Read as many numbers of 16 bits as a register has places.
template <std::size_t kBytes>
__attribute__((always_inline)) inline void widen(const std::int16_t* values,
                                                 typename Register<kBytes>::Wide& wide) {
#if defined(__clang__) || __GNUC__ >= 9
  typename Register<kBytes>::Narrow narrow;
  std::memcpy(&narrow, values, sizeof narrow);
  wide = __builtin_convertvector(narrow, typename Register<kBytes>::Wide);
#else
  for (std::size_t place = 0; place < kBytes / sizeof(std::int32_t); ++place) {
    wide[place] = values[place];
  }
#endif
}

//! RowInLanes with registers of kBytes.
//!
//! A product has 31 bits and a row 2**16 of them at most: their upper halves, and their lower ones,
//! add up in 32 bits each, whatever the weights are.
template <std::size_t kBytes>
__attribute__((always_inline)) inline std::int64_t row_in_lanes(
    const Weight* weight, const Weight* end, const std::int16_t* lanes, const WriteBack& write_back,
    std::int64_t bias, std::size_t vectors, std::int16_t* codes) {
  constexpr std::size_t kOfRegister = kBytes / sizeof(std::int32_t);
  constexpr std::size_t kRegisters = kLanes / kOfRegister;
  using Wide = typename Register<kBytes>::Wide;
  using WideUnsigned = typename Register<kBytes>::WideUnsigned;
  Wide upper[kRegisters] = {};
  WideUnsigned lower[kRegisters] = {};
  for (; weight != end; ++weight) {
    const std::int16_t* values = lanes + std::size_t{weight->place} * kLanes;
    const std::int32_t value = weight->value;
#pragma GCC unroll 8
    for (std::size_t part = 0; part < kRegisters; ++part) {
      Wide product;
      widen<kBytes>(values + part * kOfRegister, product);
      product *= value;
      upper[part] += product >> 16;
      lower[part] += reinterpret_cast<WideUnsigned>(product) & 0xffffu;
    }
  }
  std::int32_t uppers[kLanes];
  std::uint32_t lowers[kLanes];
  std::memcpy(uppers, upper, sizeof uppers);
  std::memcpy(lowers, lower, sizeof lowers);
  std::int64_t over[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::int64_t sum = std::int64_t{uppers[lane]} * 65536 + std::int64_t{lowers[lane]};
    over[lane] = 0;
    codes[lane] = write_back(sum, bias, over[lane]);
  }
  return std::accumulate(over, over + vectors, std::int64_t{0});
}

inline std::int64_t row_in_16_bytes(const Weight* weight, const Weight* end,
                                    const std::int16_t* lanes, const WriteBack& write_back,
                                    std::int64_t bias, std::size_t vectors, std::int16_t* codes) {
  return row_in_lanes<16>(weight, end, lanes, write_back, bias, vectors, codes);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) inline std::int64_t row_in_32_bytes(
    const Weight* weight, const Weight* end, const std::int16_t* lanes, const WriteBack& write_back,
    std::int64_t bias, std::size_t vectors, std::int16_t* codes) {
  return row_in_lanes<32>(weight, end, lanes, write_back, bias, vectors, codes);
}

__attribute__((target("avx512f,avx512bw,avx512dq"))) inline std::int64_t row_in_64_bytes(
    const Weight* weight, const Weight* end, const std::int16_t* lanes, const WriteBack& write_back,
    std::int64_t bias, std::size_t vectors, std::int16_t* codes) {
  return row_in_lanes<64>(weight, end, lanes, write_back, bias, vectors, codes);
}
#endif

//! Bytes of the widest registers that are taken; tests take fewer.
#ifndef EIE_WIDEST_REGISTER
#define EIE_WIDEST_REGISTER 64
#endif

//! The fastest for this processor.
inline RowInLanes fastest_row_in_lanes() {
#ifdef __x86_64__
  const bool avx512 = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  if (EIE_WIDEST_REGISTER >= 64 && avx512) return row_in_64_bytes;
  if (EIE_WIDEST_REGISTER >= 32 && __builtin_cpu_supports("avx2")) return row_in_32_bytes;
#endif
  return row_in_16_bytes;
}

}  // namespace model
