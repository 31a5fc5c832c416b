// What travels of vectors that go through the layers in groups.
#pragma once

#include "numbers.h"

namespace kernel {

//! What a vector has with it on its way: a TAG.
struct VectorTag {
  lane_t lane;
  //! Whether it is the first of its sequence, so that states are zero.
  ap_uint<1> start;
  //! Whether it gives an output.
  ap_uint<1> output;
  //! Of a group: its vectors behind the first. All of them start, and give an output.
  vector_t others;
};
inline VectorTag vector_tag(lane_t lane, ap_uint<1> start, ap_uint<1> output, vector_t others) {
#pragma HLS INLINE
  return VectorTag{lane, start, output, others};
}
inline vector_t others_of(const VectorTag& tag) {
#pragma HLS INLINE
  return tag.others;
}

//! A token with a whole word of activations, from the control unit.
struct WordToken {
  kind_t kind;
  //! Whether the word is the last of its layer.
  ap_uint<1> last;
  //! Which lanes are not zero.
  ap_uint<kLanes> nonzero;
  layer_t layer;
  //! Where the pointer of the first lane's column is.
  address_t address;
  //! Activations, or in the low 64 bits the data of a token to pass on.
  word_t data;
  GroupMarks marks;
};
inline WordToken word_token(kind_t kind, ap_uint<1> last, ap_uint<kLanes> nonzero, layer_t layer,
                            address_t address, word_t data) {
#pragma HLS INLINE
  return WordToken{kind, last, nonzero, layer, address, data, GroupMarks{0, 0}};
}
inline WordToken with_marks(const WordToken& token, const GroupMarks& marks) {
#pragma HLS INLINE
  WordToken marked = token;
  marked.marks = marks;
  return marked;
}
inline GroupMarks marks_of(const WordToken& token) {
#pragma HLS INLINE
  return token.marks;
}

//! A token with the same columns of all vectors of a group, for the LNZD.
struct GroupToken {
  kind_t kind;
  ap_uint<1> last;
  //! Which lanes are not zero in any of the vectors.
  ap_uint<kLanes> nonzero;
  layer_t layer;
  address_t address;
  //! Vectors behind the first.
  vector_t others;
  //! A word of each, zeros of those that the group does not have; or the data of a token.
  group_words_t data;
};
inline vector_t others_of(const GroupToken& token) {
#pragma HLS INLINE
  return token.others;
}

}  // namespace kernel
