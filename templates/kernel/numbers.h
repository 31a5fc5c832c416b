// The numbers that the processes of the kernel work with, as wide as the design wants them.
#pragma once

#include "ap_axi_sdata.h"
#include "ap_int.h"
#include "config.h"
#include "hls_stream.h"

namespace kernel {

//! One beat of AXI4-Stream, with TLAST; no TID, TDEST or TUSER.
typedef ap_axiu<kBeatBits, 0, 0, 0> axis_t;

typedef ap_uint<kBeatBits> beat_t;
//! An activation or a shared weight: 16-bit fixed point.
typedef ap_int<kActivationBits> activation_t;
typedef ap_int<kAccumulatorBits> accumulator_t;
//! A word of activations: lane l in bits 16 l to 16 l + 15.
typedef ap_uint<kLanes * kActivationBits> word_t;
//! A number of beats of a section that fits its memory.
typedef ap_uint<bits_for(kMostSectionBeats + 1)> section_beats_t;
//! A column's or an activation's index.
typedef ap_uint<16> column_t;
typedef ap_uint<kPointerBits> pointer_t;
//! The entries of a column in a PE: the first one's address, and how many.
struct Extent {
  pointer_t first;
  ap_uint<17> length;
};
//! Which of the resident layers.
typedef ap_uint<bits_for(kLayers)> layer_t;
//! How many layers of a network are recurrent.
typedef ap_uint<bits_for(kHasCell ? kLayers + 1 : 1)> recurrent_count_t;
//! Where a column's pointer is among all of a PE.
typedef ap_uint<bits_for(kPointersPerPe)> address_t;
//! A local row, or a number of them up to 65,536.
typedef ap_uint<17> row_t;
//! A number of rows of a layer: up to 256 PEs with 65,536 each.
typedef ap_uint<25> layer_rows_t;
//! A number of words with a layer's activations or results.
constexpr int kWordCountBits = 21;
typedef ap_uint<kWordCountBits> word_count_t;

//! A vector of a group; or how many a group has behind its first.
typedef ap_uint<bits_for(kAbreast)> vector_t;
//! A word of each vector of a group.
typedef ap_uint<kAbreast * kLanes * kActivationBits> group_words_t;
//! What a column's activation is in each vector of a group, the first in the lowest bits.
typedef ap_uint<kAbreast * kActivationBits> values_t;

//! A CRC-32 under way: see crc32.h.
typedef ap_uint<32> crc_t;
//! What a token is: a TokenKind.
constexpr int kKindBits = 4;
typedef ap_uint<kKindBits> kind_t;

//! A part of the held words with a vector under way: which one.
typedef ap_uint<bits_for(kHolds ? kMostLanes : 1)> lane_t;
//! A held word's place.
typedef ap_uint<bits_for(kHeldWords)> held_t;

//! Marks of a word among those of its group.
struct GroupMarks {
  //! Whether the next word is of another vector.
  ap_uint<1> turns;
  //! Whether the group's last vector has these columns now.
  ap_uint<1> completes;
};

}  // namespace kernel
