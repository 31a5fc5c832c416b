// The broadcast of activations to all PEs: a tree whose nodes have at most four children.
//
// One process that writes 64 streams does not close timing, four do. A node takes the next token
// when all its children have the one before: so the broadcast waits while any queue is full, as in
// the paper (section IV, "Activation Queue and Load Balancing").
//
// Its last nodes, the leaves, stand in front of the PEs' queues and count for each the activations
// that found it full.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! Whether a full queue counts: only in a layer.
inline bool counts(kind_t kind) {
#pragma HLS INLINE
  return kind == kActivation || ends_layer(kind);
}

//! Count a token that finds its child full. Only leaves count: nobody reads the counters of the
//! nodes above them, which synthesis then leaves out.
inline void note_full(hls::stream<Token>& child, kind_t kind, bool leaf, ap_uint<32>& full) {
#pragma HLS INLINE
  if (!kCounters || !leaf) return;
  if (kind == kRunBegin) full = 0;
  if (counts(kind) && child.full()) ++full;
}

//! What a child gets in place of `token`: a report carries its count.
inline Token for_child(const Token& token, bool leaf, ap_uint<32> full) {
#pragma HLS INLINE
  Token copy = token;
  if (kCounters && leaf && token.kind == kReport) copy.data = full;
  return copy;
}

//! A node with four children. NODE tells the nodes' counters apart.
template <int NODE, bool LEAF>
void broadcast_4(hls::stream<Token>& parent, hls::stream<Token>& child_0,
                 hls::stream<Token>& child_1, hls::stream<Token>& child_2,
                 hls::stream<Token>& child_3) {
  static ap_uint<32> full[4] = {0, 0, 0, 0};
#pragma HLS ARRAY_PARTITION variable = full complete
#pragma HLS RESET variable = full
  kind_t kind = kData;
packet:
  do {
  // The loop ends with each layer, so that its end does not stay in a stalled pipeline.
  tokens:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      const Token token = parent.read();
      kind = token.kind;
      note_full(child_0, kind, LEAF, full[0]);
      note_full(child_1, kind, LEAF, full[1]);
      note_full(child_2, kind, LEAF, full[2]);
      note_full(child_3, kind, LEAF, full[3]);
      child_0.write(for_child(token, LEAF, full[0]));
      child_1.write(for_child(token, LEAF, full[1]));
      child_2.write(for_child(token, LEAF, full[2]));
      child_3.write(for_child(token, LEAF, full[3]));
      end_cycle();
    } while (!ends_layer(kind) && kind != kPacketEnd);
  } while (kind != kPacketEnd);
}

//! A node with two children, where the number of PEs is not a power of four.
template <int NODE, bool LEAF>
void broadcast_2(hls::stream<Token>& parent, hls::stream<Token>& child_0,
                 hls::stream<Token>& child_1) {
  static ap_uint<32> full[2] = {0, 0};
#pragma HLS ARRAY_PARTITION variable = full complete
#pragma HLS RESET variable = full
  kind_t kind = kData;
packet:
  do {
  tokens:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      const Token token = parent.read();
      kind = token.kind;
      note_full(child_0, kind, LEAF, full[0]);
      note_full(child_1, kind, LEAF, full[1]);
      child_0.write(for_child(token, LEAF, full[0]));
      child_1.write(for_child(token, LEAF, full[1]));
      end_cycle();
    } while (!ends_layer(kind) && kind != kPacketEnd);
  } while (kind != kPacketEnd);
}

//! The only node in front of a lone PE: it passes tokens on and counts.
template <int NODE, bool LEAF>
void broadcast_1(hls::stream<Token>& parent, hls::stream<Token>& child_0) {
  static ap_uint<32> full = 0;
#pragma HLS RESET variable = full
  kind_t kind = kData;
packet:
  do {
  tokens:
    do {
#pragma HLS PIPELINE II = 1 style = flp
      const Token token = parent.read();
      kind = token.kind;
      note_full(child_0, kind, LEAF, full);
      child_0.write(for_child(token, LEAF, full));
      end_cycle();
    } while (!ends_layer(kind) && kind != kPacketEnd);
  } while (kind != kPacketEnd);
}

}  // namespace kernel
