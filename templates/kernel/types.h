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

//! A CRC-32 under way: see crc32.h.
typedef ap_uint<32> crc_t;

//! A beat of a packet on the way to the receiver.
struct ReceivedBeat {
  beat_t data;
  //! Of the packet up to this beat, and with it.
  crc_t crc;
  //! Whether it came with TLAST.
  ap_uint<1> last;
};

//! A beat of an answer on the way from the sender; CRCs are added behind it.
struct SentBeat {
  beat_t data;
  //! Whether only the trailer follows.
  ap_uint<1> last;
};

//! What a token is. Tokens travel the same way from the receiver to the multipliers, whether they
//! load a memory or carry an activation, so the mode of the machine is data, never a branch
//! around the dataflow region.
enum TokenKind : unsigned int {
  kLoadBegin = 0,       //!< Clear the accumulators: the second beat of the NETWORK record.
  kSection = 1,         //!< A section of a load starts: a SECTION record.
  kData = 2,            //!< A beat of the section.
  kRunBegin = 3,        //!< Clear the counters: see RunBegin.
  kRunDone = 4,         //!< No more layers in this run.
  kWord = 5,            //!< A word of activations, on the way to the LNZD.
  kActivation = 6,      //!< A non-zero activation: see Activation.
  kLastActivation = 7,  //!< The same, and the last of its layer.
  kWork = 8,            //!< An activation with the entries it meets: see Work.
  kLastWork = 9,        //!< The same, and the last of its layer.
  kLayerEnd = 10,       //!< The end of a layer whose last activation is zero, or meets no entries.
  kReport = 11,         //!< Send the counters.
  kPacketEnd = 12,      //!< The packet is over: every process returns.
  kStateBegin = 13,     //!< Words of a lane's state follow: see StateBegin.
};
typedef ap_uint<4> kind_t;

//! A token on the way to the PEs.
struct Token {
  kind_t kind;
  beat_t data;
};

//! A token with a whole word of activations, between the control unit and the LNZD.
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
//! A word of results without the marks: what the collector passes on to the sender.
typedef Results<kLanes * kActivationBits> ActivationWord;

//! A part of the held words with a vector under way: which one.
typedef ap_uint<bits_for(kHolds ? kMostLanes : 1)> lane_t;
//! A held word's place.
typedef ap_uint<bits_for(kHeldWords)> held_t;

//! A word of an input vector, or a TAG.
struct InputWord {
  word_t values;
  //! Whether it is the vector's last.
  ap_uint<1> last;
};

//! What a vector has with it on its way: a TAG.
struct VectorTag {
  lane_t lane;
  //! Whether it is the first of its sequence, so that states are zero.
  ap_uint<1> start;
  //! Whether it gives an output.
  ap_uint<1> output;
};

//! A word of results on the way back to the control unit.
struct HiddenWord {
  word_t values;
  //! Whose results they are.
  layer_t layer;
  //! Whether they are that layer's last of this vector.
  ap_uint<1> last;
  VectorTag vector;
  //! Whether they are only held: the vector ends with them.
  ap_uint<1> final;
};

//! How many values of a layer were cut off in a run. It cannot wrap: a run has fewer than 2^32
//! vectors, as its length has 32 bits, and of a layer 2^16 values at most, but for the last, whose
//! beats the length of the answer counts.
typedef ap_uint<48> saturated_t;

//! Of kRunBegin: a run as the control unit takes it on.
struct RunBegin {
  ap_uint<32> batch;
  layer_t first;
  //! How many layers follow the first.
  layer_t more;
  //! Whether a tag comes before each vector.
  ap_uint<1> tagged;
};

//! Of kStateBegin: whose state it is, and the words of results that it has.
struct StateBegin {
  layer_t layer;
  lane_t lane;
  word_count_t words;
};

//! Bits [low, low + width) of a beat.
template <int kWidth>
inline ap_uint<kWidth> field(beat_t beat, int low) {
#pragma HLS INLINE
  return ap_uint<kWidth>(beat >> low);
}

// What the 64 data bits of a token mean in a run. They are as wide as a load's beats, which travel
// the same way, so a struct with a field for every use would only make each FIFO wider.

inline beat_t to_beat(const RunBegin& run) {
#pragma HLS INLINE
  return beat_t(run.batch) | (beat_t(run.first) << 32) | (beat_t(run.more) << 40) |
         (beat_t(run.tagged) << 48);
}
inline RunBegin run_of(beat_t beat) {
#pragma HLS INLINE
  return RunBegin{ap_uint<32>(beat), layer_t(beat >> 32), layer_t(beat >> 40), field<1>(beat, 48)};
}

inline beat_t to_beat(const StateBegin& state) {
#pragma HLS INLINE
  return beat_t(state.layer) | (beat_t(state.lane) << 8) | (beat_t(state.words) << 16);
}
inline StateBegin state_of(beat_t beat) {
#pragma HLS INLINE
  return StateBegin{layer_t(beat), lane_t(beat >> 8), word_count_t(beat >> 16)};
}

//! Of an InputWord that is a TAG.
inline VectorTag tag_of(beat_t beat) {
#pragma HLS INLINE
  return VectorTag{lane_t(beat >> packet::kTagLaneLow), field<1>(beat, packet::kTagStartLow),
                   field<1>(beat, packet::kTagOutputLow)};
}

//! Of kActivation, kLastActivation and, with a value of zero, kLayerEnd.
struct Activation {
  //! Where its column's pointer is.
  address_t address;
  ap_uint<kActivationBits> value;
  layer_t layer;
};
inline beat_t to_beat(const Activation& activation) {
#pragma HLS INLINE
  return beat_t(activation.address) | (beat_t(activation.value) << 24) |
         (beat_t(activation.layer) << 40);
}
inline Activation activation_of(beat_t beat) {
#pragma HLS INLINE
  return Activation{address_t(beat), field<kActivationBits>(beat, 24), layer_t(beat >> 40)};
}

//! Of kWork, kLastWork and, without a column, kLayerEnd.
struct Work {
  //! The first entry of the column.
  pointer_t first;
  //! How many follow it.
  ap_uint<16> more;
  ap_uint<kActivationBits> value;
  layer_t layer;
};
inline beat_t to_beat(const Work& work) {
#pragma HLS INLINE
  return beat_t(work.first) | (beat_t(work.more) << 24) | (beat_t(work.value) << 40) |
         (beat_t(work.layer) << 56);
}
inline Work work_of(beat_t beat) {
#pragma HLS INLINE
  return Work{pointer_t(beat), field<16>(beat, 24), field<kActivationBits>(beat, 40),
              layer_t(beat >> 56)};
}

//! Whether a layer ends with a token of this kind. A pipelined loop that reads by waiting must end
//! with it, so that it does not stay in the pipeline: docs/explanation/hardware.md, "Why it does
//! not deadlock".
inline bool ends_layer(kind_t kind) {
#pragma HLS INLINE
  return kind == kLastActivation || kind == kLastWork || kind == kLayerEnd;
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
  kResults = 0,  //!< Results of a layer: back to the control unit, to the sender, or both.
  kTable = 1,    //!< A table of counters: to the sender.
  kStop = 2,     //!< The packet is over.
  kRunEnd = 3,   //!< The run is over: its counts of saturated values to the sender.
  kState = 4,    //!< A lane's state: into the cell.
};
struct Command {
  ap_uint<3> kind;
  //! Words that the PEs will send; at the end of a run, layers: a word goes out for each.
  word_count_t words;
  //! How many of them go on: those that hold results. The rest is padding and is dropped.
  word_count_t keep;
  //! Lanes of the last of these that hold none.
  ap_uint<4> spare;
  //! Whose results they are; at the end of a run, its first layer.
  ap_uint<8> layer;
  //! Whether they go out, whether they come back, and whether the vector then ends.
  ap_uint<1> out;
  ap_uint<1> back;
  ap_uint<1> final;
  VectorTag vector;
  // For the cell unit, in designs that have one; a bit each in others.
  //! What becomes of them: a packet::Function.
  ap_uint<kFunctionBits> function;
  //! What a LeakyReLU multiplies by.
  ap_uint<kSlopeBits> slope;
  //! The place of the first word of states.
  held_t state;
};

}  // namespace kernel
