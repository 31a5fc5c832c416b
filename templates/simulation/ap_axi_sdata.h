// A beat of AXI4-Stream for C simulation without the vendor's tools.
//
// Names as in the header of Vitis HLS (UG1399, AXI4-Stream Interfaces): data, keep and strb with a
// bit for each byte, and last. TUSER, TID and TDEST are left out: their widths must be 0.
#pragma once

#include <ap_int.h>

#include <cstddef>

namespace hls {

//! A beat with `T`, an ap_int or ap_uint of whole bytes, as its data.
template <typename T, std::size_t WUser = 0, std::size_t WId = 0, std::size_t WDest = 0>
struct axis {
  static_assert(T::width % 8 == 0, "data of a beat must be whole bytes");
  static_assert(WUser == 0 && WId == 0 && WDest == 0, "TUSER, TID and TDEST are not simulated");

  T data;
  ap_uint<T::width / 8> keep;
  ap_uint<T::width / 8> strb;
  ap_uint<1> last;
};

}  // namespace hls

//! A beat of `WData` unsigned bits.
template <std::size_t WData, std::size_t WUser, std::size_t WId, std::size_t WDest>
using ap_axiu = hls::axis<ap_uint<static_cast<int>(WData)>, WUser, WId, WDest>;

//! A beat of `WData` signed bits.
template <std::size_t WData, std::size_t WUser, std::size_t WId, std::size_t WDest>
using ap_axis = hls::axis<ap_int<static_cast<int>(WData)>, WUser, WId, WDest>;
