// The receiver: takes a packet, checks it, and says what is to be done.
//
// It alone decides whether a packet is obeyed. A packet with a damaged header changes nothing. A
// load makes the resident network invalid until its last beat has proved it good. A run that ends
// early is filled up with zeros, so that nothing downstream waits for ever; its status voids it.
#pragma once

#include "crc32.h"
#include "dataflow.h"
#include "load_check.h"
#include "receive_vectors.h"
#include "reception.h"
#include "types.h"

namespace kernel {

//! Status of a header, given its first beat and the CRC of both.
inline packet::Status check_header(beat_t first, crc_t crc, bool complete) {
#pragma HLS INLINE
  using namespace packet;
  const ap_uint<8> kind = field<kHeaderKindBits>(first, kHeaderKindLow);
  if (!complete) return kStatusBadLength;
  if (field<kHeaderMagicBits>(first, kHeaderMagicLow) != kMagic) return kStatusBadMagic;
  if (field<kHeaderVersionBits>(first, kHeaderVersionLow) != kVersion) return kStatusBadVersion;
  if (crc != kCrcResidue) return kStatusBadHeaderCrc;
  if (kind < kKindIdentify || kind > kKindState) return kStatusBadKind;
  return kStatusOk;
}

//! The section that must come next. A load has its sections in one order: layers, codebooks, then
//! pointers, biases and entries of each PE in turn; so none can be missing or come twice.
struct Expected {
  ap_uint<8> section;
  ap_uint<16> pe;
};

inline Expected after(const Expected& expected) {
#pragma HLS INLINE
  using namespace packet;
  if (expected.section == kSectionLayers) return Expected{kSectionCodebooks, kAllPes};
  if (expected.section == kSectionCodebooks) return Expected{kSectionPointers, 0};
  if (expected.section == kSectionPointers) return Expected{kSectionBiases, expected.pe};
  if (expected.section == kSectionBiases) return Expected{kSectionEntries, expected.pe};
  return Expected{kSectionPointers, ap_uint<16>(expected.pe + 1)};
}

//! Whether a section is the expected one and fits the memory it is for; layers and codebooks must
//! be there for every layer.
inline bool section_fits(beat_t section, const Expected& expected, ap_uint<9> layers) {
#pragma HLS INLINE
  using namespace packet;
  const ap_uint<8> kind = field<kSectionSectionBits>(section, kSectionSectionLow);
  const ap_uint<16> pe = field<kSectionPeBits>(section, kSectionPeLow);
  const ap_uint<32> length = field<kSectionLengthBits>(section, kSectionLengthLow);
  // Nothing but these fields: the record's gap is zero.
  const beat_t fields = (beat_t(kind) << kSectionSectionLow) | (beat_t(pe) << kSectionPeLow) |
                        (beat_t(length) << kSectionLengthLow);
  if (section != fields || kind != expected.section || pe != expected.pe) return false;
  if (kind == kSectionLayers) return length == layers * kLayerBeats;
  if (kind == kSectionCodebooks) return length == layers * (kCodebookSize / kActivationsPerBeat);
  // Behind the last PE's sections no more pointers are expected.
  if (kind == kSectionPointers) return pe < kPes && length <= kPointerBeatsPerPe;
  if (kind == kSectionBiases) return length <= kBiasesPerPe;
  return length <= kEntryWordsPerPe;
}

//! What a run has to know of a layer that it begins or ends with.
struct LayerOfRun {
  ap_uint<15> input_beats;
  ap_uint<23> output_beats;
  ap_uint<1> begins;
  ap_uint<1> ends;
  //! Which of the recurrent layers it is, the first of them 1; 0 for another.
  recurrent_count_t recurrent;
};
typedef LayerOfRun layers_of_run_t[kLayers];

//! Pass a load's sections on; returns whether all of them were good and complete. Whether they are
//! sound is in `check`, and counts only then.
inline bool receive_sections(hls::stream<ReceivedBeat>& input, hls::stream<Token>& tokens,
                             Reception& reception, LoadCheck& check, layers_of_run_t& layers_of_run,
                             ap_uint<32> beats, ap_uint<32> layers) {
#pragma HLS INLINE
  ap_uint<9> layer = 0;
  ap_uint<32> left = beats;
  ap_uint<32> section_left = 0;
  Expected expected = {packet::kSectionLayers, packet::kAllPes};
  bool good = layers != 0 && layers <= kLayers;
  bool whole = true;
sections:
  // One beat a cycle. A section cut short is filled up with zeros: the PEs count on its length.
  while ((left != 0 && !reception.ended) || (good && section_left != 0)) {
#pragma HLS PIPELINE II = 1
    beat_t beat = 0;
    if (left != 0) {
      beat = next_beat(input, reception);
      --left;
    } else {
      whole = false;
    }
    const bool starts = section_left == 0;
    if (starts) {
      good = good && section_fits(beat, expected, ap_uint<9>(layers));
      section_left = field<packet::kSectionLengthBits>(beat, packet::kSectionLengthLow);
      expected = after(expected);
      check_section(check, beat);
    } else {
      --section_left;
      const bool ends_layer =
          check.section == packet::kSectionLayers && check.place == packet::kLayerBeats - 1;
      check_beat(check, beat, layer == 0);
      // Only what is good lies within the table.
      if (good && ends_layer) {
        layers_of_run[layer_t(layer)] = LayerOfRun{
            ap_uint<15>(groups_of<kActivationsPerBeat>(check.columns)),
            ap_uint<23>(groups_of<kActivationsPerBeat>(check.results)), check.begins, check.ends,
            is_recurrent(check.function) ? check.recurrent : recurrent_count_t(0)};
        ++layer;
      }
    }
    // After a section that is not good nothing more is loaded, only counted.
    if (good) tokens.write(Token{starts ? kSection : kData, beat});
    end_cycle();
  }
  return good && whole && expected.section == packet::kSectionPointers && expected.pe == kPes;
}

//! Read and forget `beats` beats of a refused payload.
inline void skip(hls::stream<ReceivedBeat>& input, Reception& reception, ap_uint<32> beats) {
#pragma HLS INLINE
refused:
  for (ap_uint<32> beat = 0; beat < beats && !reception.ended; ++beat) {
#pragma HLS PIPELINE II = 1
    next_beat(input, reception);
    end_cycle();
  }
}

//! Take one packet: tokens to the PEs, words of input vectors to the control unit, and what to
//! answer to the sender.
//!
//! An answer and a token may leave in the same cycle, so that one waits for the other. That is
//! safe: `answers` holds two, so an answer waits only while the sender is still at an earlier
//! packet, which is wholly received: to be done with it, the sender needs nothing more from here.
inline void receive(hls::stream<ReceivedBeat>& input, hls::stream<Token>& tokens,
                    hls::stream<InputWord>& inputs, hls::stream<Answer>& answers) {
  using namespace packet;
  // What is resident. Reset, so that a reset in the middle of a load leaves nothing valid.
  static bool valid = false;
  static ap_uint<32> network_id = 0;
  static ap_uint<9> layer_count = 0;
  static ap_uint<5> lanes = 0;
  static recurrent_count_t recurrent = 0;
  // Lanes whose last step left a state: none behind a load, or a run that is void or has no tags.
  static ap_uint<kMostLanes> states = 0;
  // A lane is given its state layer by layer: of which one, and how many of its recurrent layers
  // have come in a row, so that none goes on from what another sequence left in it.
  static lane_t given_lane = 0;
  static recurrent_count_t given_layers = 0;
  static layers_of_run_t layers_of_run;
#pragma HLS AGGREGATE variable = layers_of_run compact = bit
#pragma HLS BIND_STORAGE variable = layers_of_run type = ram_s2p impl = lutram
#pragma HLS RESET variable = valid
#pragma HLS RESET variable = network_id
#pragma HLS RESET variable = states

  Reception reception = {kCrcStart, false};
  const beat_t first = next_beat(input, reception);
  end_cycle();
  const bool has_second = !reception.ended;
  const beat_t second = next_beat(input, reception);
  end_cycle();
  const ap_uint<8> kind = field<kHeaderKindBits>(first, kHeaderKindLow);
  const ap_uint<16> sequence = field<kHeaderSequenceBits>(first, kHeaderSequenceLow);
  const ap_uint<32> length = field<kHeaderLengthBits>(second, kHeaderLengthLow);
  Status status = check_header(first, reception.crc, has_second);

  Tags tags = {false, false, states};
  // Of a state that is sound to its end: which of the lane's recurrent layers has it.
  recurrent_count_t taken = 0;
  if (status == kStatusOk && kind == kKindLoad) {
    answers.write(Answer{kind, sequence, 0, 0, 0});
    valid = false;
    states = 0;
    given_layers = 0;
    const beat_t network_low = next_beat(input, reception);
    end_cycle();
    const beat_t network_high = next_beat(input, reception);
    end_cycle();
    const ap_uint<32> layers = field<kNetworkLayersBits>(network_low, kNetworkLayersLow);
    network_id = field<kNetworkNetworkIdBits>(network_low, kNetworkNetworkIdLow);
    LoadCheck check = start_check(network_id, network_high);
    bool good = length >= kNetworkBeats;
    if (good) {
      tokens.write(Token{kLoadBegin, network_high});
      end_cycle();
      good = receive_sections(input, tokens, reception, check, layers_of_run,
                              length - kNetworkBeats, layers);
    }
    if (!good) {
      status = kStatusBadSection;
    } else if (!is_sound(check)) {
      status = kStatusBadContents;
    }
    layer_count = ap_uint<9>(layers);
    lanes = field<5>(network_high, kNetworkLanesLow);
    recurrent = check.recurrent;
  } else if (status == kStatusOk && kind == kKindRun) {
    const beat_t run_low = next_beat(input, reception);
    end_cycle();
    const beat_t run_high = next_beat(input, reception);
    end_cycle();
    const ap_uint<32> wanted = field<kRunNetworkIdBits>(run_low, kRunNetworkIdLow);
    const ap_uint<32> batch = field<kRunBatchBits>(run_low, kRunBatchLow);
    const ap_uint<8> first_layer = field<kRunFirstBits>(run_high, kRunFirstLow);
    const ap_uint<8> tagged = field<kRunTaggedBits>(run_high, kRunTaggedLow);
    const ap_uint<16> layers = field<kRunLayersBits>(run_high, kRunLayersLow);
    const ap_uint<32> given = field<kRunOutputsBits>(run_high, kRunOutputsLow);
    const ap_uint<17> end = layers + first_layer;
    const bool there = valid && layers != 0 && end <= layer_count;
    const LayerOfRun begin_layer = layers_of_run[there ? layer_t(first_layer) : layer_t(0)];
    const LayerOfRun end_layer = layers_of_run[there ? layer_t(end - 1) : layer_t(0)];
    // Tags are for steps of sequences, which all layers take, one vector at a time.
    const bool tags_fit =
        tagged == 0 || (kAbreast == 1 && tagged == 1 && lanes != 0 && layers == layer_count);
    const bool outputs_fit = given == batch || (tagged == 1 && recurrent != 0 && given < batch);
    // Once a packet, so it may take its cycles. In DSP slices, up to four for each: LUTs are what
    // runs out on every board, and DSP slices idle.
    const ap_uint<32> vector_beats = begin_layer.input_beats + ap_uint<15>(tagged);
    const ap_uint<64> vectors = ap_uint<64>(batch) * vector_beats;
#pragma HLS BIND_OP variable = vectors op = mul impl = dsp
    // What is answered is counted in 32 bits, too.
    const ap_uint<64> outputs = ap_uint<64>(given) * end_layer.output_beats;
#pragma HLS BIND_OP variable = outputs op = mul impl = dsp
    if (!valid) {
      status = kStatusNoNetwork;
    } else if (wanted != network_id) {
      status = kStatusWrongNetwork;
    } else if (!there || begin_layer.begins == 0 || end_layer.ends == 0 || !tags_fit) {
      status = kStatusBadLayers;
    } else if (vectors + kRunBeats != length || outputs >= kMostOutputBeats || !outputs_fit) {
      status = kStatusBadBatch;
    }
    if (status == kStatusOk) {
      answers.write(Answer{kind, sequence, given, end_layer.output_beats, ap_uint<9>(layers)});
      tokens.write(Token{kRunBegin, to_beat(RunBegin{batch, layer_t(first_layer),
                                                     layer_t(layers - 1), ap_uint<1>(tagged)})});
      end_cycle();
      states = 0;
      given_layers = 0;
      receive_vectors(input, inputs, reception, tags, ap_uint<32>(vectors), begin_layer.input_beats,
                      tagged == 1, batch, given, lanes);
      if (tags.bad) {
        status = kStatusBadTag;
      } else if (tags.no_state) {
        status = kStatusNoState;
      } else if (tagged == 0) {
        tags.lanes = 0;
      }
    } else {
      answers.write(Answer{kind, sequence, 0, 0, 0});
      skip(input, reception, length - kRunBeats);
    }
  } else if (status == kStatusOk && kind == kKindState) {
    const beat_t record = next_beat(input, reception);
    end_cycle();
    const ap_uint<32> wanted = field<kStateNetworkIdBits>(record, kStateNetworkIdLow);
    const ap_uint<8> layer = field<kStateLayerBits>(record, kStateLayerLow);
    const ap_uint<8> lane = field<kStateLaneBits>(record, kStateLaneLow);
    const bool there = valid && layer < layer_count;
    const LayerOfRun of_layer = layers_of_run[there ? layer_t(layer) : layer_t(0)];
    const bool in_turn =
        of_layer.recurrent == 1 || (lane == given_lane && of_layer.recurrent <= given_layers + 1);
    const word_count_t words = (of_layer.output_beats + kBeatsPerWord - 1) / kBeatsPerWord;
    const ap_uint<32> beats = ap_uint<32>(words) * kStateBeatsPerWord;
    if (!valid) {
      status = kStatusNoNetwork;
    } else if (wanted != network_id) {
      status = kStatusWrongNetwork;
    } else if (!there || of_layer.recurrent == 0 || lane >= lanes || !in_turn) {
      status = kStatusBadLayers;
    } else if (beats + kStateBeats != length) {
      status = kStatusBadBatch;
    }
    answers.write(Answer{kind, sequence, 0, 0, 0});
    if (kHasCell && status == kStatusOk) {
      tokens.write(Token{kStateBegin, to_beat(StateBegin{layer_t(layer), lane_t(lane), words})});
      end_cycle();
      states[lane_t(lane)] = 0;
      tags.lanes = states;
      tags.lanes[lane_t(lane)] = ap_uint<1>(of_layer.recurrent == recurrent);
      given_lane = lane_t(lane);
      given_layers = of_layer.recurrent - 1;
      taken = of_layer.recurrent;
      receive_vectors(input, inputs, reception, tags, beats, kBeatsPerWord, false, 0, 0, lanes);
    } else {
      skip(input, reception, length - kStateBeats);
    }
  } else {
    const bool counters = status == kStatusOk && kind == kKindCounters;
    const bool identify = status == kStatusOk && kind == kKindIdentify;
    answers.write(Answer{kind, sequence, ap_uint<32>(counters || identify ? 1 : 0),
                         ap_uint<32>(counters   ? kReportBeats
                                     : identify ? kDesignBeats
                                                : 0),
                         0});
    if (counters) tokens.write(Token{kReport, 0});
    end_cycle();
    if (status == kStatusOk) skip(input, reception, length);
  }

  // The trailer. A packet that ended before it, or goes on behind it, has a wrong length.
  if (status == kStatusOk || status >= kStatusNoNetwork) {
    const crc_t crc = crc_value(reception.crc);
    const bool truncated = reception.ended;
    const beat_t trailer = next_beat(input, reception);
    end_cycle();
    if (truncated || !reception.ended) {
      status = kStatusBadLength;
    } else if (trailer != beat_t(crc) << kTrailerCrcLow) {
      status = kStatusBadCrc;
    }
  }
drain:
  while (!reception.ended) {
#pragma HLS PIPELINE II = 1
    next_beat(input, reception);
    end_cycle();
  }
  if (kind == kKindLoad && status == kStatusOk) valid = true;
  if ((kind == kKindRun || kind == kKindState) && status == kStatusOk) states = tags.lanes;
  if (kind == kKindState && status == kStatusOk) given_layers = taken;

  tokens.write(Token{kPacketEnd, 0});
  answers.write(
      Answer{kind, sequence, ap_uint<32>(status), valid ? network_id : ap_uint<32>(0), 0});
  end_cycle();
}

}  // namespace kernel
