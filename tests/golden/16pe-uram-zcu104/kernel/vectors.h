// What travels of vectors that go through the layers one by one.
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
};
inline VectorTag vector_tag(lane_t lane, ap_uint<1> start, ap_uint<1> output, vector_t) {
#pragma HLS INLINE
  return VectorTag{lane, start, output};
}
inline vector_t others_of(const VectorTag&) {
#pragma HLS INLINE
  return 0;
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
};
inline WordToken word_token(kind_t kind, ap_uint<1> last, ap_uint<kLanes> nonzero, layer_t layer,
                            address_t address, word_t data) {
#pragma HLS INLINE
  return WordToken{kind, last, nonzero, layer, address, data};
}
inline WordToken with_marks(const WordToken& token, const GroupMarks&) {
#pragma HLS INLINE
  return token;
}
inline GroupMarks marks_of(const WordToken&) {
#pragma HLS INLINE
  return GroupMarks{true, true};
}

//! For the LNZD: of a vector by itself a word is all that there is.
typedef WordToken GroupToken;
inline vector_t others_of(const GroupToken&) {
#pragma HLS INLINE
  return 0;
}

}  // namespace kernel
