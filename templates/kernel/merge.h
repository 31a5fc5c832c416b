// The way back, above 16 PEs: words that come at once are put one after another, in the order of
// rows.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! One of four word streams in turn, kBurst words from each.
template <int kBurst>
void merge_4(hls::stream<ResultWord>& in_0, hls::stream<ResultWord>& in_1,
             hls::stream<ResultWord>& in_2, hls::stream<ResultWord>& in_3,
             hls::stream<ResultWord>& out) {
  ap_uint<2> kind = kValue;
packet:
  do {
    ap_uint<2> source = 0;
    ap_uint<8> taken = 0;
    bool done = false;
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      ResultWord word;
      if (source == 0) {
        word = in_0.read();
      } else if (source == 1) {
        word = in_1.read();
      } else if (source == 2) {
        word = in_2.read();
      } else {
        word = in_3.read();
      }
      // Every source marks its last word; only the last source's ends the layer.
      kind = word.kind;
      done = kind != kValue && source == 3;
      if (kind != kEnd || done)
        out.write(ResultWord{done ? kind : ap_uint<2>(kValue), word.values});
      ++taken;
      if (taken == kBurst || kind == kEnd) {
        taken = 0;
        ++source;
      }
      end_cycle();
    } while (!done);
  } while (kind != kEnd);
}

//! One of two word streams in turn, kBurst words from each.
template <int kBurst>
void merge_2(hls::stream<ResultWord>& in_0, hls::stream<ResultWord>& in_1,
             hls::stream<ResultWord>& out) {
  ap_uint<2> kind = kValue;
packet:
  do {
    ap_uint<1> source = 0;
    ap_uint<8> taken = 0;
    bool done = false;
  layer:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      ResultWord word;
      if (source == 0) {
        word = in_0.read();
      } else {
        word = in_1.read();
      }
      kind = word.kind;
      done = kind != kValue && source == 1;
      if (kind != kEnd || done)
        out.write(ResultWord{done ? kind : ap_uint<2>(kValue), word.values});
      ++taken;
      if (taken == kBurst || kind == kEnd) {
        taken = 0;
        ++source;
      }
      end_cycle();
    } while (!done);
  } while (kind != kEnd);
}

}  // namespace kernel
