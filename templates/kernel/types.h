// What travels between the processes of the kernel.
#pragma once

#include "config.h"
#include "numbers.h"
#include "packet_format.h"
#include "vectors.h"

namespace kernel {

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
static_assert(kStateBegin < 1 << kKindBits, "A token's kind is a TokenKind.");

// Where in a token's data what it means in a run lies. They are as wide as a load's beats, which
// travel the same way, so a struct with a field for every use would only make each FIFO wider. With
// one vector abreast all fits, and fields may be as wide as any design's; with more they are as
// wide as this one's.
constexpr int kLayerFieldBits = kAbreast == 1 ? 8 : bits_for(kLayers);
constexpr int kGroupFieldBits = kAbreast == 1 ? 0 : bits_for(kAbreast);
//! Of an Activation.
constexpr int kColumnValuesLow = kAbreast == 1 ? 24 : bits_for(kPointersPerPe);
constexpr int kColumnLayerLow = kColumnValuesLow + kAbreast * kActivationBits;
constexpr int kColumnGroupLow = kColumnLayerLow + kLayerFieldBits;
//! Of Work.
constexpr int kWorkMoreLow = kAbreast == 1 ? 24 : kPointerBits;
constexpr int kWorkValuesLow = kWorkMoreLow + 16;
constexpr int kWorkLayerLow = kWorkValuesLow + kAbreast * kActivationBits;
constexpr int kWorkGroupLow = kWorkLayerLow + kLayerFieldBits;
constexpr int kTokenDataBits =
    most_of(kBeatBits, most_of(kColumnGroupLow + kGroupFieldBits, kWorkGroupLow + kGroupFieldBits));
typedef ap_uint<kTokenDataBits> token_data_t;
static_assert(kAbreast == 1 || (kColumnGroupLow < kTokenDataBits && kWorkGroupLow < kTokenDataBits),
              "A group's vectors have bits of a token's data.");

//! A token on the way to the PEs.
struct Token {
  kind_t kind;
  token_data_t data;
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

//! A word of an input vector, or a TAG.
struct InputWord {
  word_t values;
  //! Whether it is the vector's last.
  ap_uint<1> last;
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

// What the data of a token mean in a run.

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
  return vector_tag(lane_t(beat >> packet::kTagLaneLow), field<1>(beat, packet::kTagStartLow),
                    field<1>(beat, packet::kTagOutputLow), 0);
}

// Vectors of a group behind its first, from bit kLow of a token's data. One by one there are none,
// and the place may be the width of the data: to shift by that is undefined in synthesis.
template <int kLow>
inline token_data_t group_field(vector_t others) {
#pragma HLS INLINE
  return kAbreast == 1 ? token_data_t(0) : token_data_t(others) << (kAbreast == 1 ? 0 : kLow);
}
template <int kLow>
inline vector_t others_at(token_data_t data) {
#pragma HLS INLINE
  return kAbreast == 1 ? vector_t(0) : vector_t(data >> (kAbreast == 1 ? 0 : kLow));
}

//! Of kActivation, kLastActivation and, with values of zero, kLayerEnd.
struct Activation {
  //! Where its column's pointer is.
  address_t address;
  values_t values;
  layer_t layer;
  //! Vectors of the group behind the first.
  vector_t others;
};
inline token_data_t to_data(const Activation& activation) {
#pragma HLS INLINE
  return token_data_t(activation.address) | (token_data_t(activation.values) << kColumnValuesLow) |
         (token_data_t(activation.layer) << kColumnLayerLow) |
         group_field<kColumnGroupLow>(activation.others);
}
inline Activation activation_of(token_data_t data) {
#pragma HLS INLINE
  return Activation{address_t(data), values_t(data >> kColumnValuesLow),
                    layer_t(data >> kColumnLayerLow), others_at<kColumnGroupLow>(data)};
}

//! Of kWork, kLastWork and, without a column, kLayerEnd.
struct Work {
  //! The first entry of the column.
  pointer_t first;
  //! How many follow it.
  ap_uint<16> more;
  values_t values;
  layer_t layer;
  //! Vectors of the group behind the first.
  vector_t others;
};
inline token_data_t to_data(const Work& work) {
#pragma HLS INLINE
  return token_data_t(work.first) | (token_data_t(work.more) << kWorkMoreLow) |
         (token_data_t(work.values) << kWorkValuesLow) |
         (token_data_t(work.layer) << kWorkLayerLow) | group_field<kWorkGroupLow>(work.others);
}
inline Work work_of(token_data_t data) {
#pragma HLS INLINE
  return Work{pointer_t(data), ap_uint<16>(data >> kWorkMoreLow), values_t(data >> kWorkValuesLow),
              layer_t(data >> kWorkLayerLow), others_at<kWorkGroupLow>(data)};
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
  //! Words that the PEs will send of each vector; at the end of a run, layers: a word goes out for
  //! each.
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
