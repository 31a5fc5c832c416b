// The broadcast of activations to all PEs: a tree whose nodes have at most four children.
//
// One process that writes 64 streams does not close timing, four do. A node passes a token to each
// child as soon as that child has room, and takes the next token when all have it: so the broadcast
// waits while any queue is full, as in the paper (section IV, "Activation Queue and Load
// Balancing").
//
// Its last nodes, the leaves, stand in front of the PEs' queues and count for each the cycles in
// which it was full.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

//! Whether a full queue counts: only while a layer is under way.
inline bool counts(kind_t kind) {
#pragma HLS INLINE
  return kind == kActivation || kind == kLayerBegin || kind == kLayerEnd;
}

//! Offer `token` to a child that has not got it yet. Only leaves count: nobody reads the counters
//! of the nodes above them, which synthesis then leaves out.
inline void offer(hls::stream<Token>& child, const Token& token, bool leaf, ap_uint<1>& pending,
                  ap_uint<32>& full) {
#pragma HLS INLINE
  if (pending == 1) {
    if (child.write_nb(token)) {
      pending = 0;
    } else if (leaf && counts(token.kind)) {
      ++full;
    }
  }
}

//! What a child gets in place of `token`: a report carries the count of full cycles.
inline Token for_child(const Token& token, bool leaf, ap_uint<32> full) {
#pragma HLS INLINE
  Token copy = token;
  if (leaf && token.kind == kReport) copy.data = full;
  return copy;
}

//! Whether a loop must end with this token, so that nothing stays in its pipeline.
inline bool flushes(kind_t kind) {
#pragma HLS INLINE
  return kind == kLayerEnd || kind == kPacketEnd;
}

//! A node with four children. NODE tells the nodes' counters apart.
template <int NODE, bool LEAF>
void broadcast_4(hls::stream<Token>& parent, hls::stream<Token>& child_0,
                 hls::stream<Token>& child_1, hls::stream<Token>& child_2,
                 hls::stream<Token>& child_3) {
  static ap_uint<32> full[4] = {0, 0, 0, 0};
#pragma HLS ARRAY_PARTITION variable = full complete
#pragma HLS RESET variable = full
  Token token = {kData, 0};
packet:
  do {
    ap_uint<1> pending[4] = {0, 0, 0, 0};
#pragma HLS ARRAY_PARTITION variable = pending complete
  tokens:
    do {
#pragma HLS PIPELINE II = 1
      if ((pending[0] | pending[1] | pending[2] | pending[3]) == 0) {
        token = parent.read();
        for (int child = 0; child < 4; ++child) {
#pragma HLS UNROLL
          pending[child] = 1;
          if (LEAF && token.kind == kRunBegin) full[child] = 0;
        }
      }
      offer(child_0, for_child(token, LEAF, full[0]), LEAF, pending[0], full[0]);
      offer(child_1, for_child(token, LEAF, full[1]), LEAF, pending[1], full[1]);
      offer(child_2, for_child(token, LEAF, full[2]), LEAF, pending[2], full[2]);
      offer(child_3, for_child(token, LEAF, full[3]), LEAF, pending[3], full[3]);
      end_cycle();
    } while (!flushes(token.kind) || (pending[0] | pending[1] | pending[2] | pending[3]) != 0);
  } while (token.kind != kPacketEnd);
}

//! A node with two children, where the number of PEs is not a power of four.
template <int NODE, bool LEAF>
void broadcast_2(hls::stream<Token>& parent, hls::stream<Token>& child_0,
                 hls::stream<Token>& child_1) {
  static ap_uint<32> full[2] = {0, 0};
#pragma HLS ARRAY_PARTITION variable = full complete
#pragma HLS RESET variable = full
  Token token = {kData, 0};
packet:
  do {
    ap_uint<1> pending[2] = {0, 0};
#pragma HLS ARRAY_PARTITION variable = pending complete
  tokens:
    do {
#pragma HLS PIPELINE II = 1
      if ((pending[0] | pending[1]) == 0) {
        token = parent.read();
        for (int child = 0; child < 2; ++child) {
#pragma HLS UNROLL
          pending[child] = 1;
          if (LEAF && token.kind == kRunBegin) full[child] = 0;
        }
      }
      offer(child_0, for_child(token, LEAF, full[0]), LEAF, pending[0], full[0]);
      offer(child_1, for_child(token, LEAF, full[1]), LEAF, pending[1], full[1]);
      end_cycle();
    } while (!flushes(token.kind) || (pending[0] | pending[1]) != 0);
  } while (token.kind != kPacketEnd);
}

//! The only node in front of a lone PE: it passes tokens on and counts.
template <int NODE, bool LEAF>
void broadcast_1(hls::stream<Token>& parent, hls::stream<Token>& child_0) {
  static ap_uint<32> full = 0;
#pragma HLS RESET variable = full
  Token token = {kData, 0};
packet:
  do {
    ap_uint<1> pending = 0;
  tokens:
    do {
#pragma HLS PIPELINE II = 1
      if (pending == 0) {
        token = parent.read();
        pending = 1;
        if (LEAF && token.kind == kRunBegin) full = 0;
      }
      offer(child_0, for_child(token, LEAF, full), LEAF, pending, full);
      end_cycle();
    } while (!flushes(token.kind) || pending != 0);
  } while (token.kind != kPacketEnd);
}

}  // namespace kernel
