// The order in which words of a group travel, and the rows of a word in the PEs: of the first
// vector as much as the array works on at once, a block; then the same of the second; and behind
// the last vector's the next block.
//
// A vector by itself is a group, with its words in their own order: then nothing here takes any
// logic, as all that is asked is known when compiling.
#pragma once

#include "types.h"

namespace kernel {

//! Where in a group one is: which vector has its turn, and how far it is in the block.
template <int kBlock>
struct GroupOrder {
  vector_t vector;
  ap_uint<bits_for(kBlock)> in_block;
};

//! Whether another vector has its turn next: the block is over, or this is the vector's `last`.
template <int kBlock>
inline bool ends_turn(const GroupOrder<kBlock>& order, bool last) {
#pragma HLS INLINE
  return kAbreast == 1 || last || order.in_block == kBlock - 1;
}

//! Whether it is the turn of the last of a group with `others` behind the first.
template <int kBlock>
inline bool is_last_vector(const GroupOrder<kBlock>& order, vector_t others) {
#pragma HLS INLINE
  return kAbreast == 1 || order.vector == others;
}

//! Go on, where a turn ends or not, that of the group's last vector or not.
template <int kBlock>
inline void advance(GroupOrder<kBlock>& order, bool turns, bool last_vector) {
#pragma HLS INLINE
  if (!turns) {
    ++order.in_block;
  } else {
    order.in_block = 0;
    order.vector = last_vector ? vector_t(0) : vector_t(order.vector + 1);
  }
}

//! What counts along a vector: every vector begins the block where the first one did.
template <typename Index>
struct BlockIndex {
  Index at;
  Index begin;
};

template <typename Index>
inline void advance(BlockIndex<Index>& index, int step, bool turns, bool last_vector) {
#pragma HLS INLINE
  if (turns && !last_vector) {
    index.at = index.begin;
  } else {
    index.at += step;
    if (turns) index.begin = index.at;
  }
}

//! The groups of a batch: how many are to come, and the vectors that the last has behind its first.
struct Groups {
  ap_uint<32> left;
  vector_t in_last;
};

//! Cut a batch into groups.
inline Groups in_groups(ap_uint<32> vectors) {
#pragma HLS INLINE
  // By an unsigned number: a plain int would make the division signed.
  constexpr unsigned int kGroup = kAbreast;
  return Groups{ap_uint<32>((ap_uint<33>(vectors) + (kGroup - 1)) / kGroup),
                kAbreast == 1 ? vector_t(0) : vector_t(vectors - 1)};
}

//! Vectors that the next group has behind its first.
inline vector_t others_of(const Groups& groups) {
#pragma HLS INLINE
  return groups.left == 1 ? groups.in_last : vector_t(kAbreast - 1);
}

}  // namespace kernel
