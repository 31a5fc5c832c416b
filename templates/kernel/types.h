// What travels between the processes of the kernel.
#pragma once

#include "ap_axi_sdata.h"
#include "ap_int.h"
#include "config.h"
#include "hls_stream.h"
#include "packet_format.h"

namespace kernel {

//! One beat of AXI4-Stream, with TLAST; no TID, TDEST or TUSER.
typedef ap_axiu<kBeatBits, 0, 0, 0> axis_t;

typedef ap_uint<kBeatBits> beat_t;
//! An activation or a shared weight: 16-bit fixed point.
typedef ap_int<kActivationBits> activation_t;
typedef ap_int<kAccumulatorBits> accumulator_t;
//! A word of activations: lane l in bits 16 l to 16 l + 15.
typedef ap_uint<kLanes * kActivationBits> word_t;
//! A column's or an activation's index.
typedef ap_uint<16> column_t;
typedef ap_uint<kPointerBits> pointer_t;
//! The entries of a column in a PE: the first one's address, and how many.
struct Extent {
  pointer_t first;
  ap_uint<20> length;
};
//! A local row, or a number of them up to 65,536.
typedef ap_uint<17> row_t;
//! A number of rows of a layer: up to 256 PEs with 65,536 each.
typedef ap_uint<25> layer_rows_t;
//! A number of words with a layer's activations or results.
constexpr int kWordCountBits = 21;
typedef ap_uint<kWordCountBits> word_count_t;

//! What a token is. Tokens travel the same way from the receiver to the multipliers, whether they
//! load a memory or carry an activation, so the mode of the machine is data, never a branch
//! around the dataflow region.
enum TokenKind : unsigned int {
  kLoadBegin = 0,   //!< Clear the accumulators.
  kSection = 1,     //!< A section of a load starts: a SECTION record.
  kData = 2,        //!< A beat of the section, or of an input vector.
  kRunBegin = 3,    //!< Clear the counters: the number of vectors.
  kLayerBegin = 4,  //!< Activations follow: see LayerBegin.
  kWord = 5,        //!< A word of activations, on the way to the LNZD.
  kActivation = 6,  //!< A non-zero activation with its column: see Activation.
  kWork = 7,        //!< An activation with the entries it meets: see Work.
  kLayerEnd = 8,    //!< Write the accumulators back: see LayerEnd.
  kReport = 9,      //!< Send the counters.
  kPacketEnd = 10,  //!< The packet is over: every process returns.
};
typedef ap_uint<4> kind_t;

//! A token on the way to the PEs.
struct Token {
  kind_t kind;
  beat_t data;
};

//! A token with a whole word of activations, between the activation memories and the LNZD.
struct WordToken {
  kind_t kind;
  //! Which lanes are not zero.
  ap_uint<kLanes> nonzero;
  //! Activations, or in the low 64 bits the data of a token to pass on.
  word_t data;
};

//! What a result is, on the way back from the PEs.
enum ResultKind : unsigned int {
  kValue = 0,  //!< A result; more of the layer follow.
  kLast = 1,   //!< The last result of this layer.
  kEnd = 2,    //!< No result: the packet is over.
};

//! A result: an activation, and above it whether saturation cut it off.
constexpr int kResultBits = kActivationBits + 1;
typedef ap_uint<kResultBits> result_t;

//! Results side by side, the first in the lowest bits.
template <int kBits>
struct Results {
  ap_uint<2> kind;
  ap_uint<kBits> values;
};
typedef Results<kResultBits> Result;
typedef Results<kActivationsPerBeat * kResultBits> ResultBeat;
typedef Results<kLanes * kResultBits> ResultWord;
//! A word of results without the marks: what the collector passes on.
typedef Results<kLanes * kActivationBits> ActivationWord;

//! How many values of a layer were cut off in a run. It cannot wrap: a run has fewer than 2^32
//! vectors, as its length has 32 bits, and of a layer 2^16 values at most, but for the last, whose
//! beats the length of the answer counts.
typedef ap_uint<48> saturated_t;

//! Bits [low, low + width) of a beat.
template <int kWidth>
inline ap_uint<kWidth> field(beat_t beat, int low) {
#pragma HLS INLINE
  return ap_uint<kWidth>(beat >> low);
}

// How the 64 data bits of each kind of token are used.

inline beat_t make_layer_begin(ap_uint<8> layer, ap_uint<24> pointer_word, row_t local_rows) {
#pragma HLS INLINE
  return beat_t(layer) | (beat_t(pointer_word) << 8) | (beat_t(local_rows) << 32);
}
inline ap_uint<8> layer_of(beat_t layer_begin) {
  return field<8>(layer_begin, 0);
}
inline ap_uint<24> pointer_word_of(beat_t layer_begin) {
  return field<24>(layer_begin, 8);
}

inline row_t rows_to_work_on(beat_t layer_begin) {
  return field<17>(layer_begin, 32);
}

inline beat_t make_activation(column_t column, ap_uint<kActivationBits> value) {
#pragma HLS INLINE
  return beat_t(column) | (beat_t(value) << 16);
}
inline column_t column_of(beat_t activation) {
  return field<16>(activation, 0);
}
inline ap_uint<kActivationBits> value_of(beat_t activation) {
  return field<16>(activation, 16);
}

inline beat_t make_work(ap_uint<24> first, ap_uint<20> length, ap_uint<kActivationBits> value) {
#pragma HLS INLINE
  return beat_t(first) | (beat_t(length) << 24) | (beat_t(value) << 44);
}
inline ap_uint<24> first_of(beat_t work) {
  return field<24>(work, 0);
}
inline ap_uint<20> length_of(beat_t work) {
  return field<20>(work, 24);
}
inline ap_uint<kActivationBits> work_value_of(beat_t work) {
  return field<16>(work, 44);
}

inline beat_t make_layer_end(row_t local_rows, row_t bias_base, ap_uint<6> shift, ap_uint<1> relu) {
#pragma HLS INLINE
  return beat_t(local_rows) | (beat_t(bias_base) << 20) | (beat_t(shift) << 40) |
         (beat_t(relu) << 48);
}
inline row_t local_rows_of(beat_t layer_end) {
  return field<17>(layer_end, 0);
}
inline row_t bias_base_of(beat_t layer_end) {
  return field<17>(layer_end, 20);
}
inline ap_uint<6> shift_of(beat_t layer_end) {
  return field<6>(layer_end, 40);
}
inline ap_uint<1> relu_of(beat_t layer_end) {
  return field<1>(layer_end, 48);
}

//! A report is a table of uint16 with a column for each PE, sent like the results of a layer; a
//! lone PE sends rows until they fill a word.
constexpr int kReportRows =
    kPes * packet::kCounterRows < kLanes ? kLanes / kPes : packet::kCounterRows;
constexpr int kReportWords = kPes * kReportRows / kLanes;
//! Beats of a report that the host gets: the rows that mean something.
constexpr int kReportBeats = kPes * packet::kCounterRows / kActivationsPerBeat;
//! Words that hold them.
constexpr int kCounterWords = (kReportBeats + kBeatsPerWord - 1) / kBeatsPerWord;

//! What the sender is to answer; two for each packet, at its begin and at its end.
struct Answer {
  //! Kind of the request.
  ap_uint<8> kind;
  ap_uint<16> sequence;
  //! Begin: vectors that follow (1 for a table of counters). End: the status.
  ap_uint<32> count;
  //! Begin: beats of each vector. End: the resident network.
  ap_uint<32> detail;
  //! Begin of a run that is obeyed: layers, for each of which a count of saturated values follows
  //! the vectors. Otherwise 0.
  ap_uint<9> layers;
};

//! What the collector is to do with the next words.
enum CommandKind : unsigned int {
  kToHidden = 0,  //!< Results of a hidden layer: back to the activation memories.
  kToOutput = 1,  //!< Results of the last layer, or counters: to the sender.
  kStop = 2,      //!< The packet is over.
  kRunEnd = 3,    //!< The run is over: its counts of saturated values to the sender.
};
struct Command {
  ap_uint<2> kind;
  //! Words that the PEs will send; at the end of a run, layers: a word goes out for each.
  word_count_t words;
  //! How many of them go out: those that hold rows. The rest is padding and is dropped.
  word_count_t keep;
  //! Lanes of the last of these that hold none.
  ap_uint<4> spare;
  //! Whose results they are, to count the saturated ones.
  ap_uint<8> layer;
  //! Nothing has been counted in this run yet.
  ap_uint<1> first;
};

}  // namespace kernel
