// The sender: says every answer beat by beat, all but its CRCs, and keeps the registers.
#pragma once

#include "dataflow.h"
#include "group_order.h"
#include "types.h"

namespace kernel {

//! Cycles of a run before its first output can be sent: the one in which the receiver takes the run
//! on, and those in which the sender hears of it and sends the beats of its header.
constexpr int kCyclesBeforeBody = 2 + packet::kHeaderBeats;

//! Send one beat in a cycle of its own.
inline void send_beat(hls::stream<SentBeat>& output, beat_t beat, bool last) {
#pragma HLS INLINE
  output.write(SentBeat{beat, ap_uint<1>(last)});
  end_cycle();
}

//! A beat of the design record: two 32-bit parameters.
inline beat_t design_beat(int index) {
#pragma HLS INLINE
  return beat_t(kDesignRecord[2 * index]) | (beat_t(kDesignRecord[2 * index + 1]) << 32);
}

//! Send the vectors of an answer: `total` beats, `beats` in each; every vector starts a word. Words
//! of a group come, and go, in its order: see group_order.h. Returns the cycles that this took.
//!
//! Words are polled for rather than waited for: a pipeline that waits cannot count. Only the cycles
//! in which the DMA takes no beat go uncounted, since an AXI4-Stream has no non-blocking write
//! (UG1399, Non-Blocking API). A timer in a process of its own would count those too, but the
//! sender would have to stop it and then wait for its answer: a round trip that nothing orders,
//! since the tool may move accesses to unrelated streams past each other, and a second feedback in
//! the region.
//!
//! What is counted are iterations, so they must be cycles: II=1. What the next iteration depends on
//! is therefore known in registers before the poll, `more` and `held`, and what they are to become
//! if there is a beat is worked out beside the poll, not behind it: the poll only says whether they
//! change. The counters run down, and a flag says in advance that the beat is the last.
inline ap_uint<64> send_vectors(hls::stream<ActivationWord>& outputs, hls::stream<SentBeat>& output,
                                ap_uint<32> vectors, ap_uint<32> total, ap_uint<32> beats) {
#pragma HLS INLINE
  ap_uint<64> cycles = 0;
  word_t word = 0;
  // Whether `word` has a beat to send, at `place`.
  bool held = false;
  ap_uint<2> place = 0;
  // Of all, and of the vector: how many beats are left, and whether it is one.
  ap_uint<32> left = total;
  const BlockIndex<ap_uint<32>> all_beats = {beats, beats};
  BlockIndex<ap_uint<32>> vector_left = all_beats;
  GroupOrder<kBlockWords * kBeatsPerWord> order = {0, 0};
  Groups groups = in_groups(vectors);
  bool more = total != 0;
  bool last = total == 1;
  const bool single = beats == 1;
  bool vector_last = single;
beats:
  while (more) {
#pragma HLS PIPELINE II = 1
    bool have = held;
    if (!held) {
      ActivationWord next;
      have = outputs.read_nb(next);
      if (have) word = next.values;
    }
    if (have) {
      output.write(SentBeat{beat_t(word), 0});
      word >>= kBeatBits;
      held = !vector_last && place != kBeatsPerWord - 1;
      more = !last;
      last = left == 2;
      --left;
      place = vector_last ? ap_uint<2>(0) : ap_uint<2>(place + 1);
      const bool turns = ends_turn(order, vector_last);
      const bool last_vector = is_last_vector(order, others_of(groups));
      advance(order, turns, last_vector);
      if (vector_last && last_vector) {
        vector_left = all_beats;
        vector_last = single;
        --groups.left;
      } else {
        vector_last = turns && !last_vector ? vector_left.begin == 1 : vector_left.at == 2;
        advance(vector_left, -1, turns, last_vector);
      }
    }
    ++cycles;
    end_cycle();
  }
  return cycles;
}

//! Send how many values of each of `layers` layers were saturated: each in a word of its own.
inline void send_saturated(hls::stream<ActivationWord>& outputs, hls::stream<SentBeat>& output,
                           ap_uint<9> layers) {
#pragma HLS INLINE
layers:
  for (ap_uint<9> layer = 0; layer < layers; ++layer) {
#pragma HLS PIPELINE II = 1
    send_beat(output, beat_t(outputs.read().values) << packet::kSaturatedCountLow, false);
  }
}

//! Answer one packet.
inline void send(hls::stream<Answer>& answers, hls::stream<ActivationWord>& outputs,
                 hls::stream<SentBeat>& output, ap_uint<32>& design_id, ap_uint<32>& format_version,
                 ap_uint<32>& network_id, ap_uint<32>& packets, ap_uint<32>& errors,
                 ap_uint<32>& cycles) {
  using namespace packet;
  static ap_uint<32> packet_count = 0;
  static ap_uint<32> error_count = 0;
  // Cycles of the last run, from its header to its last output.
  static ap_uint<64> run_cycles = 0;
#pragma HLS RESET variable = packet_count
#pragma HLS RESET variable = error_count
#pragma HLS RESET variable = run_cycles
// Here, in the process that reads it: a constant of the namespace is defined in no function, which
// is where the pragma ought to be.
#pragma HLS BIND_STORAGE variable = kDesignRecord type = rom_2p impl = lutram

  const Answer begin = answers.read();
  end_cycle();
  const bool is_run = begin.layers != 0;
  const bool is_counters = begin.kind == kKindCounters && begin.count != 0;
  const bool is_identify = begin.kind == kKindIdentify && begin.count != 0;
  // In DSP slices, as the receiver's products are.
  const ap_uint<32> body = ap_uint<32>(begin.count * begin.detail);
#pragma HLS BIND_OP variable = body op = mul impl = dsp
  ap_uint<32> length = body + begin.layers * kSaturatedBeats + kStatusBeats;
  if (is_counters) length += kCountersBeats;

  // The header.
  const beat_t first = (beat_t(kMagic) << kHeaderMagicLow) |
                       (beat_t(kVersion) << kHeaderVersionLow) |
                       (beat_t(begin.kind | kAnswer) << kHeaderKindLow) |
                       (beat_t(begin.sequence) << kHeaderSequenceLow);
  send_beat(output, first, false);
  send_beat(output, beat_t(length) << kHeaderLengthLow, false);

  // The body.
  if (is_counters) send_beat(output, run_cycles, false);
  if (is_identify) {
  design:
    for (int index = 0; index < kDesignBeats; ++index) {
#pragma HLS PIPELINE II = 1
      send_beat(output, design_beat(index), false);
    }
  } else {
    const ap_uint<64> body_cycles = send_vectors(outputs, output, begin.count, body, begin.detail);
    if (is_run) run_cycles = kCyclesBeforeBody + body_cycles;
    send_saturated(outputs, output, begin.layers);
  }

  // The status comes last, when the whole request has been checked: it voids what is before it. The
  // loop over the body lies between the two reads of `answers`, and must: in a long run the
  // receiver gets to its end only because outputs leave meanwhile.
  const Answer end = answers.read();
  send_beat(output,
            (beat_t(end.count) << kStatusStatusLow) | (beat_t(end.detail) << kStatusNetworkIdLow),
            true);

  ++packet_count;
  if (end.count != kStatusOk) ++error_count;
  design_id = kDesignId;
  format_version = kVersion;
  network_id = end.detail;
  packets = packet_count;
  errors = error_count;
  cycles = ap_uint<32>(run_cycles);
}

}  // namespace kernel
