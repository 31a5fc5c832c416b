// The sender: puts every answer on the AXI stream, with its CRC and TLAST, and keeps the registers.
#pragma once

#include "crc32.h"
#include "dataflow.h"
#include "types.h"

namespace kernel {

//! Count the cycles of a run, from its header to its last output.
//!
//! A process of its own, because a stalled pipeline cannot count the cycles in which it stands.
inline void time_run(hls::stream<ap_uint<1>>& start, hls::stream<ap_uint<1>>& stop,
                     hls::stream<ap_uint<64>>& elapsed) {
  static ap_uint<64> cycles = 0;
  const bool is_run = start.read() == 1;
  end_cycle();
  if (is_run) {
    cycles = 0;
    bool stopped = false;
  run:
    do {
#pragma HLS PIPELINE II = 1
      ap_uint<1> unused;
      stopped = stop.read_nb(unused);
      ++cycles;
      end_cycle();
    } while (!stopped);
  }
  elapsed.write(cycles);
  end_cycle();
}

//! Put one beat on the stream.
inline void send_beat(hls::stream<axis_t>& output, crc_t& crc, beat_t beat, bool last) {
#pragma HLS INLINE
  crc = crc_update<kBeatBits>(crc, beat);
  axis_t transfer;
  transfer.data = beat;
  transfer.keep = -1;
  transfer.strb = -1;
  transfer.last = last ? 1 : 0;
  output.write(transfer);
  end_cycle();
}

//! A beat of the design record: two 32-bit parameters.
inline beat_t design_beat(int index) {
#pragma HLS INLINE
  return beat_t(kDesignRecord[2 * index]) | (beat_t(kDesignRecord[2 * index + 1]) << 32);
}

//! Send the vectors of an answer: `total` beats, `beats` in each; every vector starts a word.
inline void send_vectors(hls::stream<ResultWord>& outputs, hls::stream<axis_t>& output, crc_t& crc,
                         ap_uint<32> total, ap_uint<32> beats) {
#pragma HLS INLINE
  word_t word = 0;
  ap_uint<2> place = 0;
  ap_uint<32> beat_of_vector = 0;
beats:
  for (ap_uint<32> beat = 0; beat < total; ++beat) {
#pragma HLS PIPELINE II = 1
    if (place == 0) word = outputs.read().values;
    ++beat_of_vector;
    const bool vector_ends = beat_of_vector == beats;
    const beat_t data = word;
    word >>= kBeatBits;
    ++place;
    if (vector_ends) {
      place = 0;
      beat_of_vector = 0;
    }
    send_beat(output, crc, data, false);
  }
}

//! Answer one packet.
inline void send(hls::stream<Answer>& answers, hls::stream<ResultWord>& outputs,
                 hls::stream<ap_uint<1>>& stop_timer, hls::stream<ap_uint<64>>& elapsed,
                 hls::stream<axis_t>& output, ap_uint<32>& design_id, ap_uint<32>& format_version,
                 ap_uint<32>& network_id, ap_uint<32>& packets, ap_uint<32>& errors,
                 ap_uint<32>& cycles) {
  using namespace packet;
  static ap_uint<32> packet_count = 0;
  static ap_uint<32> error_count = 0;
#pragma HLS RESET variable = packet_count
#pragma HLS RESET variable = error_count

  const Answer begin = answers.read();
  end_cycle();
  const bool is_run = begin.kind == kKindRun && begin.detail != 0;
  const bool is_counters = begin.kind == kKindCounters && begin.count != 0;
  const bool is_identify = begin.kind == kKindIdentify && begin.count != 0;
  const ap_uint<32> body = ap_uint<32>(begin.count * begin.detail);
#pragma HLS BIND_OP variable = body op = mul impl = fabric
  ap_uint<32> length = body + kStatusBeats;
  if (is_counters) length += kCountersBeats;

  // The header.
  crc_t crc = kCrcStart;
  const beat_t first = (beat_t(kMagic) << kHeaderMagicLow) |
                       (beat_t(kVersion) << kHeaderVersionLow) |
                       (beat_t(begin.kind | kAnswer) << kHeaderKindLow) |
                       (beat_t(begin.sequence) << kHeaderSequenceLow);
  const crc_t header_crc = crc_value(crc_update<32>(crc_update<kBeatBits>(crc, first), length));
  send_beat(output, crc, first, false);
  send_beat(output, crc,
            (beat_t(length) << kHeaderLengthLow) | (beat_t(header_crc) << kHeaderHeaderCrcLow),
            false);

  // The body.
  ap_uint<64> run_cycles = 0;
  if (is_counters) {
    run_cycles = elapsed.read();
    send_beat(output, crc, run_cycles, false);
  }
  if (is_identify) {
  design:
    for (int index = 0; index < kDesignBeats; ++index) {
#pragma HLS PIPELINE II = 1
      send_beat(output, crc, design_beat(index), false);
    }
  } else {
    send_vectors(outputs, output, crc, body, begin.detail);
  }
  if (is_run) stop_timer.write(1);
  if (!is_counters) run_cycles = elapsed.read();
  end_cycle();

  // The status comes last, when the whole request has been checked: it voids what is before it.
  const Answer end = answers.read();
  send_beat(output, crc,
            (beat_t(end.count) << kStatusStatusLow) | (beat_t(end.detail) << kStatusNetworkIdLow),
            false);
  const crc_t packet_crc = crc_value(crc);
  send_beat(output, crc, beat_t(packet_crc) << kTrailerCrcLow, true);

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
