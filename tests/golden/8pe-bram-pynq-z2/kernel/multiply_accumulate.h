// The second half of a PE: one entry a cycle out of the sparse matrix memory, through the codebook,
// times the activation, into an accumulator (paper section IV, "Arithmetic Unit"). There are two
// banks of accumulators: while a layer adds up in one, the layer before it is written back from the
// other, a row a cycle.
#pragma once

#include "accumulate.h"
#include "dataflow.h"
#include "fixed_point.h"
#include "group_order.h"
#include "types.h"

namespace kernel {

//! A word of the sparse matrix memory: kEntriesPerWord entries without gaps.
typedef ap_uint<kEntriesPerWord * kEntryBits> entry_word_t;

// The memories of a PE that the multiplier works on. Each is passed on as an array of its own, so
// that pragmas name arrays: what they do to members of a struct is documented in part only.
typedef entry_word_t entries_t[kEntryWordsPerPe];
typedef activation_t codebooks_t[kLayers * kCodebookSize];
typedef accumulator_t biases_t[kBiasesPerPe];
typedef sums_t accumulators_t[kRowsPerPe];
//! Rows of a PE that go into a word, where it is not more than one for each.
constexpr int kBlockRows = kPes < kLanes ? kLanes / kPes : 1;

//! A number of a PE's rows, and a row that a step may reach beyond them.
typedef ap_uint<bits_for(kRowsPerPe + 1)> row_count_t;
typedef ap_uint<bits_for(kRowsPerPe + (1 << kIndexBits))> reached_row_t;
typedef ap_uint<bits_for(kBiasesPerPe)> bias_index_t;

//! What a PE knows of a layer: a part of its LAYER record.
struct LayerOfPe {
  row_count_t local_rows;
  bias_index_t bias_base;
  WriteBackRule rule;
};
typedef LayerOfPe layer_table_t[kLayers];
//! Of which layers the next one adds to the same sums. In registers, not in the table: it decides
//! whether the token in hand is taken, so whether the next one is read. A memory, of LUTs as well,
//! answers a cycle after it is asked, and a token would take two.
typedef ap_uint<kLayers> accumulating_t;

//! Cycles of the last run: with an entry, and without one before its last column.
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

//! Start a load: all sums zero. Behind a run they are zero anyway, but not after a reset in the
//! middle of one, which does not clear memories.
template <typename Bank>
inline void clear_accumulators(Bank& sums_0, Bank& sums_1) {
#pragma HLS INLINE
clear:
  for (int row = 0; row < kRowsPerPe; ++row) {
#pragma HLS PIPELINE II = 1
    sums_0[row] = sums_t(0);
    sums_1[row] = sums_t(0);
    end_cycle();
  }
}

//! Take a section of a load into its memory.
inline void load_section(entries_t& entries, codebooks_t& codebooks, biases_t& biases,
                         layer_table_t& layer_table, accumulating_t& accumulating,
                         hls::stream<Token>& work, beat_t section) {
#pragma HLS INLINE
  using namespace packet;
  // Four weights of a codebook lie in four banks.
  typedef ap_uint<bits_for(kLayers * kCodebookSize)> weight_index_t;
  const ap_uint<8> kind = field<kSectionSectionBits>(section, kSectionSectionLow);
  const section_beats_t length = section_beats_t(section >> kSectionLengthLow);
  LayerOfPe of_layer = {0, 0, {0, 0, 0, 0, 0}};
  ap_uint<1> accumulates = 0;
  ap_uint<3> position = 0;
  layer_t layer = 0;
beats:
  for (section_beats_t beat = 0; beat < length; ++beat) {
#pragma HLS PIPELINE II = 1
    const beat_t data = work.read().data;
    if (kind == kSectionEntries) entries[beat] = close_up(data);
    if (kind == kSectionBiases) biases[beat] = accumulator_t(data);
    if (kind == kSectionCodebooks) {
      for (int lane = 0; lane < kActivationsPerBeat; ++lane) {
#pragma HLS UNROLL
        codebooks[weight_index_t(beat * kActivationsPerBeat) | weight_index_t(lane)] =
            activation_t(data >> (lane * kActivationBits));
      }
    }
    if (kind == kSectionLayers) {
      if (position == kLayerBiasBaseBeat)
        of_layer.bias_base = bias_index_t(data >> kLayerBiasBaseLow);
      if (position == kLayerLocalRowsBeat) {
        of_layer.local_rows = row_count_t(data >> kLayerLocalRowsLow);
        accumulates = field<1>(data, kLayerAccumulateLow);
        of_layer.rule.shift = field<6>(data, kLayerShiftLow);
        of_layer.rule.half_even = field<1>(data, kLayerRoundingLow);
      }
      if (position == kLayerLowBeat) {
        const activation_t low = activation_t(data >> kLayerLowLow);
        of_layer.rule.relu = ap_uint<1>(low == 0);
        of_layer.rule.low = ap_int<kBoundBits>(low);
        of_layer.rule.high = ap_int<kBoundBits>(data >> kLayerHighLow);
      }
      if (position == kLayerBeats - 1) {
        layer_table[layer] = of_layer;
        accumulating[layer] = accumulates;
        ++layer;
        position = 0;
      } else {
        ++position;
      }
    }
    end_cycle();
  }
}

//! A result as it travels.
inline result_t to_result(const Written& written) {
#pragma HLS INLINE
  return result_t(ap_uint<kActivationBits>(written.value)) |
         (result_t(written.saturated) << kActivationBits);
}

//! The column that is being worked on, entry by entry.
struct Column {
  //! Its next entry, and how many follow that one.
  pointer_t entry;
  ap_uint<16> more;
  values_t activations;
  //! Row that has been reached, and whether it is beyond the layer's: in no load that a packer
  //! makes. What is there is dropped, or sums would be left that no write-back clears.
  reached_row_t row;
  bool past;
  //! Whether it is the last of a layer that is written back.
  bool last;
};

//! A layer that is written back, a row of a vector an iteration: the rows of a word, vector after
//! vector. A row's sums are read for each of them, and cleared with the last.
struct WriteBack {
  LayerOfPe layer;
  BlockIndex<row_count_t> row;
  GroupOrder<kBlockRows> order;
  //! Vectors behind the first.
  vector_t others;
  //! Iterations until its last sums are in the memory, and behind its rows until their zeros are.
  ap_uint<3> wait;
  //! Whether there are rows left.
  bool rows;
  //! Whether its bank is not free yet.
  bool busy;
};

//! Take all layers of a run: one flat loop, an entry and a row an iteration.
//!
//! A loop over entries inside a loop over columns would drain the pipeline for every column, and a
//! loop over rows behind it for every layer. Nothing carries over from one iteration to the next
//! but counters, the zero-run sum and the forwarded sums; every memory is read at one place and
//! written at one: of the two banks each serves entries or rows.
//!
//! Work is polled for, so that rows go on without it, and so that nothing stays in the pipeline.
//! The token in hand, `next`, is in a register, with what is known of its layer, and what becomes
//! of it is decided by registers: the poll only fills them, for the next iteration.
//!
//! `Bank` is accumulators_t, or in tests a model of a memory whose writes are late.
template <typename Bank>
inline void multiply_run(const entries_t& entries, const codebooks_t& codebooks,
                         const biases_t& biases, const layer_table_t& layer_table,
                         const accumulating_t& accumulating, Bank& sums_0, Bank& sums_1,
                         PeCounters& counters, hls::stream<Token>& work,
                         hls::stream<Result>& results) {
#pragma HLS INLINE
  constexpr int kLaneBits = kEntriesPerWord == 8 ? 3 : 2;
  static_assert(kWriteLatency == 4, "The pragmas below take a distance as a number only.");
  ap_uint<32> busy = 0;
  ap_uint<32> starved = 0;
  Token next = {kData, 0};
  LayerOfPe of_next = {0, 0, {0, 0, 0, 0, 0}};
  bool next_accumulates = false;
  bool have = false;
  Column column = {0, 0, 0, 0, false, false};
  vector_t others = 0;
  bool active = false;
  layer_t layer = 0;
  LayerOfPe of_layer = {0, 0, {0, 0, 0, 0, 0}};
  WriteBack back = {of_layer, {0, 0}, {0, 0}, 0, 0, false, false};
  ap_uint<1> bank = 0;  // The one of the entries.
  RecentSums recent[kWriteLatency];
#pragma HLS ARRAY_PARTITION variable = recent complete
  forget(recent);
  bool done = false;
run:
  do {
#pragma HLS PIPELINE II = 1
// A sum is forwarded to the next kWriteLatency iterations, and the one after them reads it from the
// memory. The tool must know: it then keeps read and write that close, or says it cannot. A bank
// changes sides only when all its rows are out, and rows wait for the last sums.
#pragma HLS DEPENDENCE variable = sums_0 inter RAW distance = 5 true
#pragma HLS DEPENDENCE variable = sums_1 inter RAW distance = 5 true
    // A token. The end of a layer has to wait until the other bank is free, but for one whose sums
    // the next layer adds to: the banks then stay as they are.
    const bool accumulates = kHolds && next_accumulates;
    const bool ends = (ends_layer(next.kind) && !accumulates) || next.kind == kRunDone;
    const bool take = have && !active && !(ends && back.busy);
    const bool over = have && next.kind == kRunDone;
    bool layer_ends = false;
    if (take) {
      const Work taken = work_of(next.data);
      const bool last = next.kind == kLastWork;
      column = Column{taken.first, taken.more, taken.values, 0, false, last && !accumulates};
      others = taken.others;
      active = last || next.kind == kWork;
      layer = taken.layer;
      of_layer = of_next;
      layer_ends = next.kind == kLayerEnd && !accumulates;
      done = next.kind == kRunDone;
      have = false;
    }
    if (!have && !done) {
      have = work.read_nb(next);
      if (have) {
        const layer_t of = work_of(next.data).layer;
        of_next = layer_table[of];
        next_accumulates = accumulating[of] == 1;
      }
    }

    // An entry.
    bool adds = false;
    accumulator_index_t row = 0;
    sums_t products = 0;
    if (active) {
      const entry_word_t word = entries[column.entry >> kLaneBits];
      const ap_uint<kLaneBits> lane = column.entry;
      // Unsigned, as a shift by a signed amount is one both ways.
      const ap_uint<kEntryBits> entry = word >> ap_uint<6>(lane * ap_uint<4>(kEntryBits));
      const ap_uint<kIndexBits> zeros = entry;
      const ap_uint<kWeightBits> code = entry >> kIndexBits;
      column.row += zeros;
      column.past = column.past || column.row >= of_layer.local_rows;
      const ap_uint<bits_for(kLayers) + kWeightBits> weight_index =
          (ap_uint<bits_for(kLayers) + kWeightBits>(layer) << kWeightBits) | code;
      const activation_t weight = codebooks[weight_index];
    vectors:
      for (int vector = 0; vector < kAbreast; ++vector) {
#pragma HLS UNROLL
        const activation_t activation =
            activation_t(column.activations >> (vector * kActivationBits));
        const ap_int<2 * kActivationBits> exact = weight * activation;
#pragma HLS BIND_OP variable = exact op = mul impl = dsp
        // Where accumulators are narrower than products, upper bits are lost here that no sum
        // needs: see kAccumulatorBits.
        products |= placed(accumulator_t(exact), vector);
      }
      // A padding entry only moves the row on: its write is suppressed.
      adds = code != 0 && !column.past;
      if (adds) row = accumulator_index_t(column.row);
      ++column.row;
      ++column.entry;
      active = column.more != 0;
      --column.more;
      layer_ends = column.last && !active;
      if (kCounters) ++busy;
    } else if (kCounters && !over) {
      ++starved;
    }

    // A row of the layer before.
    const bool sends = back.rows && back.wait == 0;
    if (back.wait != 0) --back.wait;
    if (!back.rows && back.wait == 0) back.busy = false;
    const accumulator_index_t back_row =
        sends ? accumulator_index_t(back.row.at) : accumulator_index_t(0);
    const bool turns = ends_turn(back.order, false);
    const bool last_vector = is_last_vector(back.order, back.others);
    const bool clears = sends && last_vector;

    // Both banks, each for one of them.
    const accumulator_index_t row_0 = bank == 0 ? row : back_row;
    const accumulator_index_t row_1 = bank == 0 ? back_row : row;
    const sums_t stored_0 = sums_0[row_0];
    const sums_t stored_1 = sums_1[row_1];
    const sums_t sums = added(forwarded(recent, row, bank == 0 ? stored_0 : stored_1), products);
    if (bank == 0 ? adds : clears) sums_0[row_0] = bank == 0 ? sums : sums_t(0);
    if (bank == 1 ? adds : clears) sums_1[row_1] = bank == 1 ? sums : sums_t(0);
    if (adds) remember(recent, row, sums);
    if (sends) {
      const accumulator_t whole = sum_of_turn(bank == 0 ? stored_1 : stored_0, back.order.vector) +
                                  biases[bias_index_t(back.layer.bias_base + back.row.at)];
      const Written written = write_back(whole, back.layer.rule);
      advance(back.row, 1, turns, last_vector);
      advance(back.order, turns, last_vector);
      back.rows = back.row.at != back.layer.local_rows;
      // As long as it takes that an entry in the bank cannot miss them.
      if (!back.rows) back.wait = kWriteLatency - 1;
      results.write(Result{back.rows ? kValue : kLast, to_result(written)});
    }

    // The banks change sides.
    if (layer_ends) {
      forget(recent);
      back = WriteBack{of_layer, {0, 0}, {0, 0}, others, kWriteLatency, true, true};
      bank = 1 - bank;
    }
    end_cycle();
  } while (!done);
  counters = PeCounters{busy, starved};
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
template <typename Bank>
inline void multiply_packet(entries_t& entries, codebooks_t& codebooks, biases_t& biases,
                            layer_table_t& layer_table, accumulating_t& accumulating, Bank& sums_0,
                            Bank& sums_1, PeCounters& counters, hls::stream<Token>& work,
                            hls::stream<Result>& results) {
#pragma HLS INLINE
  kind_t kind = kData;
packet:
  do {
    const Token token = work.read();
    kind = token.kind;
    if (kind == kPacketEnd) results.write(Result{kEnd, 0});
    end_cycle();
    if (kind == kLoadBegin) {
      clear_accumulators(sums_0, sums_1);
    } else if (kind == kSection) {
      load_section(entries, codebooks, biases, layer_table, accumulating, work, token.data);
    } else if (kind == kRunBegin) {
      multiply_run(entries, codebooks, biases, layer_table, accumulating, sums_0, sums_1, counters,
                   work, results);
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
  static layer_table_t layer_table;
  static accumulating_t accumulating = 0;
  static accumulators_t sums_0;
  static accumulators_t sums_1;
#pragma HLS BIND_STORAGE variable = entries type = ram_s2p impl = bram latency = 2
#pragma HLS ARRAY_PARTITION variable = codebooks cyclic factor = 4
#pragma HLS BIND_STORAGE variable = codebooks type = ram_1p impl = lutram
#pragma HLS BIND_STORAGE variable = biases type = ram_s2p impl = bram
#pragma HLS AGGREGATE variable = layer_table compact = bit
#pragma HLS BIND_STORAGE variable = layer_table type = ram_s2p impl = lutram
#pragma HLS BIND_STORAGE variable = sums_0 type = ram_s2p impl = bram
#pragma HLS BIND_STORAGE variable = sums_1 type = ram_s2p impl = bram
  static PeCounters counters = {0, 0};
#pragma HLS RESET variable = counters
  multiply_packet(entries, codebooks, biases, layer_table, accumulating, sums_0, sums_1, counters,
                  work, results);
}

}  // namespace kernel
