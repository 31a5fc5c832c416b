// The second half of a PE: one entry a cycle out of the sparse matrix memory, through the codebook,
// times the activation, into an accumulator (paper section IV, "Arithmetic Unit"); then write-back.
#pragma once

#include "accumulate.h"
#include "dataflow.h"
#include "fixed_point.h"
#include "types.h"

namespace kernel {

//! A word of the sparse matrix memory: kEntriesPerWord entries without gaps.
typedef ap_uint<kEntriesPerWord * kEntryBits> entry_word_t;

// The memories of a PE that the multiplier works on. Each is passed on as an array of its own, so
// that pragmas name arrays: what they do to members of a struct is documented in part only.
typedef entry_word_t entries_t[kEntryWordsPerPe];
typedef activation_t codebooks_t[kLayers * kCodebookSize];
typedef accumulator_t biases_t[kBiasesPerPe];
typedef accumulator_t accumulators_t[kRowsPerPe];

//! Cycles of the last run: with an entry, and without one while a layer was under way.
struct PeCounters {
  ap_uint<32> busy;
  ap_uint<32> starved;
};

//! Entries as they come in a beat, in lanes of equal width, moved together.
inline entry_word_t close_up(beat_t beat) {
#pragma HLS INLINE
  constexpr int kLaneBits = kBeatBits / kEntriesPerWord;
  entry_word_t word = 0;
  for (int lane = 0; lane < kEntriesPerWord; ++lane) {
#pragma HLS UNROLL
    const ap_uint<kEntryBits> entry = beat >> (lane * kLaneBits);
    word |= entry_word_t(entry) << (lane * kEntryBits);
  }
  return word;
}

//! Start a load: all sums zero. Between layers they are zero anyway, but not after a reset in the
//! middle of a run, which does not clear memories.
inline void clear_accumulators(accumulators_t& accumulators) {
#pragma HLS INLINE
clear:
  for (int row = 0; row < kRowsPerPe; ++row) {
#pragma HLS PIPELINE II = 1
    accumulators[row] = 0;
    end_cycle();
  }
}

//! Take a section of a load into its memory.
inline void load_section(entries_t& entries, codebooks_t& codebooks, biases_t& biases,
                         hls::stream<Token>& work, beat_t section) {
#pragma HLS INLINE
  using namespace packet;
  const ap_uint<8> kind = field<kSectionSectionBits>(section, kSectionSectionLow);
  const ap_uint<32> length = field<kSectionLengthBits>(section, kSectionLengthLow);
beats:
  for (ap_uint<32> beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
    const beat_t data = work.read().data;
    if (kind == kSectionEntries) entries[beat] = close_up(data);
    if (kind == kSectionBiases) biases[beat] = accumulator_t(data);
    if (kind == kSectionCodebooks) {
      for (int lane = 0; lane < kActivationsPerBeat; ++lane) {
#pragma HLS UNROLL
        codebooks[beat * kActivationsPerBeat + lane] =
            activation_t(data >> (lane * kActivationBits));
      }
    }
    end_cycle();
  }
}

//! Meet all activations of a layer with their entries; returns the token that ends the layer.
//!
//! One flat loop, an entry a cycle: a loop over entries inside a loop over columns would drain the
//! pipeline for every column. Nothing carries over from one iteration to the next but counters, the
//! zero-run sum and the forwarded accumulator; every memory is read at one place and written at
//! one.
//!
//! A function of its own in hardware, too: pragmas of an inlined function are ignored (UG1399,
//! pragma HLS inline), small functions are inlined unasked, and without DEPENDENCE this one would
//! be slow. The memories stay in the process, which lends their ports to one call at a time, the
//! streams are passed through, and a call takes a few cycles a layer to start and to end.
inline beat_t multiply_layer(const entries_t& entries, const codebooks_t& codebooks,
                             accumulators_t& accumulators, PeCounters& counters,
                             hls::stream<Token>& work, beat_t layer_begin) {
#pragma HLS INLINE off
  constexpr int kLaneBits = kEntriesPerWord == 8 ? 3 : 2;
  static_assert(kWriteLatency + 1 == 5, "The pragma below takes the distance as a number only.");
  const ap_uint<8> layer = layer_of(layer_begin);
  const row_t local_rows = rows_to_work_on(layer_begin);
  beat_t layer_end = 0;
  bool done = false;
  // Counted in registers of this function: `counters` is a port of it, and to go through a port and
  // back in every iteration might take more than a cycle.
  ap_uint<32> busy = counters.busy;
  ap_uint<32> starved = counters.starved;
  ap_uint<24> address = 0;
  ap_uint<20> left = 0;
  row_t row = 0;
  // Whether the column has left the layer's rows: in no load that a packer makes. What is behind
  // them is dropped, or sums would be left in accumulators that no write-back clears. A step is at
  // most 256 rows, so `row` is past them before it can wrap around.
  bool past = false;
  activation_t activation = 0;
  RecentSum recent[kWriteLatency];
#pragma HLS ARRAY_PARTITION variable = recent complete
  forget(recent);
entries:
  do {
#pragma HLS PIPELINE II = 1
// accumulate() forwards a sum to the next kWriteLatency iterations, and the one after them reads it
// from the memory. The tool must know: it then keeps read and write that close, or says it cannot.
#pragma HLS DEPENDENCE variable = accumulators inter RAW distance = 5 true
    Token token;
    // Polled rather than waited for, so that cycles without work can be counted.
    if (left == 0) {
      if (!work.read_nb(token)) {
        ++starved;
      } else if (token.kind == kWork) {
        address = first_of(token.data);
        left = length_of(token.data);
        activation = activation_t(work_value_of(token.data));
        row = 0;
        past = false;
      } else {
        layer_end = token.data;
        done = true;
      }
    }
    if (left != 0) {
      const entry_word_t word = entries[address >> kLaneBits];
      const ap_uint<kLaneBits> lane = address;
      // Unsigned, as a shift by a signed amount is one both ways.
      const ap_uint<kEntryBits> entry = word >> ap_uint<6>(lane * ap_uint<4>(kEntryBits));
      const ap_uint<kIndexBits> zeros = entry;
      const ap_uint<kWeightBits> code = entry >> kIndexBits;
      row += zeros;
      const activation_t weight = codebooks[layer * kCodebookSize + code];
      const ap_int<2 * kActivationBits> product = weight * activation;
#pragma HLS BIND_OP variable = product op = mul impl = dsp
      // A padding entry only moves the row on: its write is suppressed. Where accumulators are
      // narrower than products, upper bits are lost here that no sum needs: see kAccumulatorBits.
      past = past || row >= local_rows;
      if (code != 0 && !past) accumulate(accumulators, recent, row, accumulator_t(product));
      ++row;
      ++address;
      --left;
      ++busy;
    }
    end_cycle();
  } while (!done);
  counters = PeCounters{busy, starved};
  return layer_end;
}

//! A result as it travels.
inline result_t to_result(const Written& written) {
#pragma HLS INLINE
  return result_t(ap_uint<kActivationBits>(written.value)) |
         (result_t(written.saturated) << kActivationBits);
}

//! Add the biases, turn sums into activations, and leave the accumulators zero. Not inlined, for
//! the same reason as multiply_layer().
inline void write_back_layer(accumulators_t& accumulators, const biases_t& biases,
                             hls::stream<Result>& results, beat_t layer_end) {
#pragma HLS INLINE off
  const row_t local_rows = local_rows_of(layer_end);
  const row_t bias_base = bias_base_of(layer_end);
rows:
  for (row_t row = 0; row < local_rows; ++row) {
#pragma HLS PIPELINE II = 1
// Each row is read and cleared once, which a counter of odd width may hide from the tool.
#pragma HLS DEPENDENCE variable = accumulators inter false
    const accumulator_t sum = accumulators[row] + biases[bias_base + row];
    accumulators[row] = 0;
    const Written written = write_back(sum, shift_of(layer_end), relu_of(layer_end));
    const bool last = row == local_rows - 1;
    results.write(Result{last ? kLast : kValue, to_result(written)});
    end_cycle();
  }
}

//! Send the counters, as the rows of a table.
inline void report(const PeCounters& counters, hls::stream<Result>& results, ap_uint<32> full) {
#pragma HLS INLINE
rows:
  for (int row = 0; row < kReportRows; ++row) {
#pragma HLS PIPELINE II = 1
    ap_uint<kActivationBits> value = 0;
    if (row == packet::kCounterRowBusyLow) value = counters.busy;
    if (row == packet::kCounterRowBusyHigh) value = counters.busy >> kActivationBits;
    if (row == packet::kCounterRowStarvedLow) value = counters.starved;
    if (row == packet::kCounterRowStarvedHigh) value = counters.starved >> kActivationBits;
    if (row == packet::kCounterRowFullLow) value = full;
    if (row == packet::kCounterRowFullHigh) value = full >> kActivationBits;
    results.write(Result{row == kReportRows - 1 ? kLast : kValue, value});
    end_cycle();
  }
}

//! The multiply-accumulate of a PE: one packet.
inline void multiply_packet(entries_t& entries, codebooks_t& codebooks, biases_t& biases,
                            accumulators_t& accumulators, PeCounters& counters,
                            hls::stream<Token>& work, hls::stream<Result>& results) {
#pragma HLS INLINE
  kind_t kind = kData;
packet:
  do {
    const Token token = work.read();
    kind = token.kind;
    if (kind == kRunBegin) counters = PeCounters{0, 0};
    if (kind == kPacketEnd) results.write(Result{kEnd, 0});
    end_cycle();
    if (kind == kLoadBegin) {
      clear_accumulators(accumulators);
    } else if (kind == kSection) {
      load_section(entries, codebooks, biases, work, token.data);
    } else if (kind == kLayerBegin) {
      const beat_t layer_end =
          multiply_layer(entries, codebooks, accumulators, counters, work, token.data);
      write_back_layer(accumulators, biases, results, layer_end);
    } else if (kind == kReport) {
      report(counters, results, ap_uint<32>(token.data));
    }
  } while (kind != kPacketEnd);
}

//! The process: a function of its own for each PE, so that each has its own memories. They keep
//! their contents from call to call: weights stay on chip between runs.
template <int PE>
void multiply_accumulate(hls::stream<Token>& work, hls::stream<Result>& results) {
  static entries_t entries;
  static codebooks_t codebooks;
  static biases_t biases;
  static accumulators_t accumulators;
#pragma HLS BIND_STORAGE variable = entries type = ram_s2p impl = uram
#pragma HLS ARRAY_PARTITION variable = codebooks cyclic factor = 4
#pragma HLS BIND_STORAGE variable = codebooks type = ram_1p impl = lutram
#pragma HLS BIND_STORAGE variable = biases type = ram_s2p impl = bram
#pragma HLS BIND_STORAGE variable = accumulators type = ram_s2p impl = bram
  static PeCounters counters = {0, 0};
#pragma HLS RESET variable = counters
  multiply_packet(entries, codebooks, biases, accumulators, counters, work, results);
}

}  // namespace kernel
