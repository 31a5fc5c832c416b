// The functions of layers: sigmoid, tanh, LeakyReLU, and the units of LSTM and GRU. Between the
// gather tree and the collector, which gets the results of every layer from here, but no words of
// padding rows only.
//
// The arithmetic is that of eie/hls/spec/cell.py, bit by bit. kCellUnits units take a step in each
// cycle, and a unit is four sums: so of the other functions four times as many values are worked
// on, by the same tables and multipliers.
#pragma once

#include "cell_table.h"
#include "dataflow.h"
#include "types.h"

namespace kernel {

constexpr int log2_of(int power) {
  return power == 1 ? 0 : 1 + log2_of(power / 2);
}

//! Sums that are worked on in an iteration, and iterations that a word takes.
constexpr int kCellSums = kCellUnits * kGates;
constexpr int kCellSteps = kLanes / kCellSums;
//! Bits from an iteration's sums to the next one's; a word of one iteration has no next.
constexpr int kNextSums = kCellSteps == 1 ? 0 : kCellSums * kResultBits;
//! Words of the memory of states: a state for each held activation. Where none is held no layer has
//! a state, but an array has a place.
constexpr int kStateWords = kHeldActivations == 0 ? 1 : kHeldActivations / kCellUnits;

//! A gate: from -1 to 1, both of them.
constexpr int kGateBits = kGateFrac + 2;
typedef ap_int<kGateBits> gate_t;
typedef ap_int<kStateBits> state_t;
//! An argument of tanh: as wide as a state of an LSTM, which is one.
typedef ap_int<kStateBits> argument_t;
//! States of the units that take a step together.
typedef ap_uint<kCellUnits * kStateBits> state_word_t;
typedef ap_uint<bits_for(kStateWords)> state_index_t;
typedef ap_uint<kValueBits + kRiseBits> chord_t;
typedef ap_uint<log2_of(kChords)> chord_index_t;
//! A number of iterations of a layer.
typedef ap_uint<kWordCountBits + 2> step_count_t;

static_assert(kCellUnits == 1 || kCellUnits == 2 || kCellUnits == 4,
              "A word of 16 sums takes 4, 2 or 1 iterations.");
static_assert(kLstmStateFrac == kArgumentFrac, "tanh takes a state as it is.");
static_assert(sizeof(kTanhTable) / sizeof(kTanhTable[0]) == kChords, "A chord each.");

//! Drop fraction bits, half up.
template <int kDropped, int kBits>
inline ap_int<kBits + 1 - kDropped> round_off(const ap_int<kBits>& value) {
#pragma HLS INLINE
  const ap_int<kBits + 1> half = ap_int<kBits + 1>(1) << (kDropped - 1);
  return ap_int<kBits + 1 - kDropped>((value + half) >> kDropped);
}

//! Cut to fewer bits.
template <int kTo, int kBits>
inline ap_int<kTo> cut_to(const ap_int<kBits>& value) {
#pragma HLS INLINE
  const ap_int<kTo> largest = ap_int<kTo>(ap_uint<kTo - 1>(-1));
  const ap_int<kTo> smallest = ap_int<kTo>(-largest - 1);
  if (value > largest) return largest;
  if (value < smallest) return smallest;
  return ap_int<kTo>(value);
}

//! What becomes of a sum by itself: as a gate, and as a result.
struct Looked {
  gate_t gate;
  activation_t result;
};

//! A function of a sum: one look at the table, one product.
inline Looked look_up(activation_t sum, bool logistic, bool leaky, ap_uint<16> slope) {
#pragma HLS INLINE
  // A sum has so many places on a chord only: those that half an argument has.
  constexpr int kPlaces = kPlaceBits - (kArgumentFrac - kSumFrac - 1);
  constexpr int kFrac = kValueBits + kPlaces;
  const bool negative = sum < 0;
  const ap_uint<kActivationBits> size = negative ? activation_t(-sum) : sum;
  // Half of an argument, or all of it.
  const ap_uint<kActivationBits + 1> half = size;
  const ap_uint<kActivationBits + 1> argument = logistic ? half : half << 1;
  const bool beyond = (argument >> kPlaces) >= kChords;
  const chord_index_t index =
      beyond ? chord_index_t(kChords - 1) : chord_index_t(argument >> kPlaces);
  const chord_t chord = kTanhTable[index];
  const ap_uint<kValueBits> value = chord;
  const ap_uint<kRiseBits> rise = chord >> kValueBits;
  const ap_uint<kPlaces> place = argument;

  // A LeakyReLU takes the multiplier for itself.
  const ap_int<kActivationBits + 1> factor =
      leaky ? ap_int<kActivationBits + 1>(slope) : ap_int<kActivationBits + 1>(rise);
  const activation_t times = leaky ? sum : activation_t(place);
  const ap_int<2 * kActivationBits + 1> product = factor * times;
#pragma HLS BIND_OP variable = product op = mul impl = dsp

  // tanh, or twice the logistic function, both with a bit more: so both are rounded alike.
  const ap_uint<kFrac> risen = (ap_uint<kFrac>(value) << kPlaces) + ap_uint<kFrac>(product);
  const ap_int<kFrac + 1> odd =
      negative ? ap_int<kFrac + 1>(-ap_int<kFrac + 1>(risen)) : ap_int<kFrac + 1>(risen);
  const ap_int<kFrac + 3> one = ap_int<kFrac + 3>(1) << kFrac;
  const ap_int<kFrac + 3> twice =
      logistic ? ap_int<kFrac + 3>(one + odd) : ap_int<kFrac + 3>(ap_int<kFrac + 3>(odd) << 1);

  Looked looked;
  looked.gate = gate_t(round_off<kFrac + 1 - kGateFrac>(twice));
  if (leaky) {
    looked.result = negative ? activation_t(round_off<kActivationBits>(product)) : sum;
  } else {
    looked.result = cut_to<kActivationBits>(round_off<kFrac + 1 - kResultFrac>(twice));
  }
  return looked;
}

//! tanh of an argument with all its places, as a gate.
inline gate_t look_up_tanh(argument_t argument) {
#pragma HLS INLINE
  constexpr int kFrac = kValueBits + kPlaceBits;
  const bool negative = argument < 0;
  const ap_uint<kStateBits> size = negative ? argument_t(-argument) : argument;
  const bool beyond = (size >> kPlaceBits) >= kChords;
  const chord_index_t index =
      beyond ? chord_index_t(kChords - 1) : chord_index_t(size >> kPlaceBits);
  const chord_t chord = kTanhTable[index];
  const ap_uint<kValueBits> value = chord;
  const ap_uint<kRiseBits> rise = chord >> kValueBits;
  const ap_uint<kRiseBits + kPlaceBits> product = rise * ap_uint<kPlaceBits>(size);
#pragma HLS BIND_OP variable = product op = mul impl = dsp
  const ap_uint<kFrac> risen = (ap_uint<kFrac>(value) << kPlaceBits) + product;
  const ap_int<kFrac + 1> odd =
      negative ? ap_int<kFrac + 1>(-ap_int<kFrac + 1>(risen)) : ap_int<kFrac + 1>(risen);
  return gate_t(round_off<kFrac - kGateFrac>(odd));
}

//! A unit behind its step.
struct Stepped {
  state_t state;
  activation_t result;
};

//! A step of a unit, of an LSTM or of a GRU: three products, which both share, and one of tanh.
inline Stepped step(const activation_t (&sums)[kGates], const gate_t (&gates)[kGates],
                    state_t state, bool lstm) {
#pragma HLS INLINE
  // i g, or r n_h.
  const gate_t with_first = lstm ? gates[2] : gate_t(sums[3]);
  const ap_int<2 * kGateBits> first = gates[0] * with_first;
#pragma HLS BIND_OP variable = first op = mul impl = dsp
  // f c.
  const ap_int<kGateBits + kStateBits> kept = gates[1] * state;
#pragma HLS BIND_OP variable = kept op = mul impl = dsp

  typedef ap_int<kGateBits + kStateBits + 1> total_t;
  const total_t total = kept + (total_t(first) << (kLstmStateFrac - kGateFrac));
  const state_t c = cut_to<kStateBits>(round_off<kGateFrac>(total));
  constexpr int kMore = kArgumentFrac - kSumFrac;
  const argument_t n_sum =
      argument_t((argument_t(sums[2]) << kMore) + argument_t(round_off<kGateFrac - kMore>(first)));
  const gate_t bent = look_up_tanh(lstm ? argument_t(c) : n_sum);

  // o tanh(c), or z (h - n).
  const state_t n = state_t(bent) << (kGruStateFrac - kGateFrac);
  const ap_int<kStateBits + 1> change = state - n;
  const gate_t with_last = lstm ? gates[3] : gates[1];
  const ap_int<kStateBits + 1> times = lstm ? ap_int<kStateBits + 1>(bent) : change;
  const ap_int<kGateBits + kStateBits + 1> last = with_last * times;
#pragma HLS BIND_OP variable = last op = mul impl = dsp
  const state_t h = state_t(n + round_off<kGateFrac>(last));

  Stepped stepped;
  stepped.state = lstm ? c : h;
  stepped.result = lstm ? cut_to<kActivationBits>(round_off<2 * kGateFrac - kResultFrac>(last))
                        : cut_to<kActivationBits>(round_off<kGruStateFrac - kResultFrac>(h));
  return stepped;
}

//! A result that is not marked yet.
inline result_t unmarked(activation_t value) {
#pragma HLS INLINE
  return result_t(ap_uint<kActivationBits>(value));
}

//! Words through the functions: a flat loop, kCellUnits units or four times as many values an
//! iteration. Nothing carries over but counters and the words under way, in and out: of a state
//! that is written here none is read before the layer's next vector.
inline void apply(hls::stream<ResultWord>& results, hls::stream<ResultWord>& activated,
                  const Command& command, state_word_t (&states)[kStateWords]) {
#pragma HLS INLINE
  const bool leaky = command.function == packet::kFunctionLeakyRelu;
  const bool plain = command.function < packet::kFunctionLstm;
  const bool lstm = command.function == packet::kFunctionLstm;
  const bool all_logistic = command.function == packet::kFunctionSigmoid;
  const step_count_t steps = step_count_t(command.words) * kCellSteps;
  state_index_t place = state_index_t(command.state * (kLanes / kCellUnits));
  ap_uint<kLanes * kResultBits> sums_in = 0;
  ap_uint<2> kind = kValue;
  // The word that goes out next, and how many have gone.
  result_t out[kLanes];
#pragma HLS ARRAY_PARTITION variable = out complete
  word_count_t gone = 0;
steps:
  for (step_count_t count = 0; count < steps; ++count) {
#pragma HLS PIPELINE II = 1
// Places only rise within a layer, and the loop is over before the next one.
#pragma HLS DEPENDENCE variable = states inter false
    const layer_rows_t unit = layer_rows_t(count) * kCellUnits;
    // Where in its word the iteration is: of sums, of units.
    const ap_uint<4> sum_lane = unit * kGates;
    const ap_uint<4> unit_lane = unit;
    // A bit wider than it needs: it is shifted by its width where all 16 sums are worked on.
    const ap_uint<5> lane_out = plain ? sum_lane : unit_lane;
    const ap_uint<5> lanes_out = plain ? kCellSums : kCellUnits;
    if (sum_lane == 0) {
      const ResultWord word = results.read();
      kind = word.kind;
      sums_in = word.values;
    } else {
      sums_in >>= kNextSums;
    }
    // Words of padding rows only, and the states of their units, end here.
    const bool keeps = gone < command.keep;

    // Of what has no state there is no place in the memory either.
    const bool has_state = !plain && keeps;
    const bool goes_on = has_state && command.vector.start == 0;
    const state_word_t before = goes_on ? states[place] : state_word_t(0);
    state_word_t after = 0;
    result_t of_sums[kCellSums];
    result_t of_units[kCellUnits];
#pragma HLS ARRAY_PARTITION variable = of_sums complete
#pragma HLS ARRAY_PARTITION variable = of_units complete
  units:
    for (int each = 0; each < kCellUnits; ++each) {
#pragma HLS UNROLL
      // A PE has rows of all gates: from one of its rows to the next they move on by one.
      const ap_uint<2> turn =
          plain ? ap_uint<2>(0) : ap_uint<2>(((unit + each) * kGates) >> log2_of(kPes));
      activation_t sums[kGates];
      gate_t gates[kGates];
#pragma HLS ARRAY_PARTITION variable = sums complete
#pragma HLS ARRAY_PARTITION variable = gates complete
      ap_uint<1> marked = 0;
    gates:
      for (int gate = 0; gate < kGates; ++gate) {
#pragma HLS UNROLL
        const ap_uint<2> at = ap_uint<2>(gate) - turn;
        result_t turned = 0;
      places:
        for (int from = 0; from < kGates; ++from) {
#pragma HLS UNROLL
          if (at == from) turned = sums_in >> ((each * kGates + from) * kResultBits);
        }
        sums[gate] = activation_t(turned);
        const ap_uint<1> mark = turned >> kActivationBits;
        marked |= mark;
        const Looked looked =
            look_up(sums[gate], all_logistic || (!plain && gate != 2), leaky, command.slope);
        gates[gate] = looked.gate;
        of_sums[each * kGates + gate] =
            unmarked(looked.result) | (result_t(mark) << kActivationBits);
      }
      const Stepped stepped = step(sums, gates, state_t(before >> (each * kStateBits)), lstm);
      after |= state_word_t(ap_uint<kStateBits>(stepped.state)) << (each * kStateBits);
      // A unit is saturated if one of its gates is.
      of_units[each] = unmarked(stepped.result) | (result_t(marked) << kActivationBits);
    }
    if (has_state) states[place] = after;
    ++place;

    // To their lanes; those that nothing comes for are zero.
    ap_uint<kLanes * kResultBits> values = 0;
  lanes:
    for (int lane = 0; lane < kLanes; ++lane) {
#pragma HLS UNROLL
      const bool mine = plain ? lane / kCellSums == lane_out >> log2_of(kCellSums)
                              : lane / kCellUnits == lane_out >> log2_of(kCellUnits);
      if (mine) {
        out[lane] = plain ? of_sums[lane % kCellSums] : of_units[lane % kCellUnits];
      } else if (lane_out == 0) {
        out[lane] = 0;
      }
      values |= ap_uint<kLanes * kResultBits>(out[lane]) << (lane * kResultBits);
    }
    if (lane_out + lanes_out == kLanes || count == steps - 1) {
      if (keeps) activated.write(ResultWord{kind, values});
      ++gone;
    }
    end_cycle();
  }
}

//! A state into its lane: `given` has eight numbers of 32 bits in a word.
inline void set_states(hls::stream<word_t>& given, const Command& command,
                       state_word_t (&states)[kStateWords]) {
#pragma HLS INLINE
  constexpr int kNumberBits = kActivationBits * 2;
  constexpr int kStepsOfWord = kLanes * kActivationBits / kNumberBits / kCellUnits;
  state_index_t place = state_index_t(command.state * (kLanes / kCellUnits));
  ap_uint<4> step = 0;
  word_t numbers = 0;
states:
  for (step_count_t left = step_count_t(command.words) * (2 * kStepsOfWord); left != 0; --left) {
#pragma HLS PIPELINE II = 1
    if (step == 0) {
      numbers = given.read();
    } else {
      numbers >>= kNumberBits * kCellUnits;
    }
    state_word_t word = 0;
  units:
    for (int each = 0; each < kCellUnits; ++each) {
#pragma HLS UNROLL
      const ap_uint<kStateBits> state = numbers >> (each * kNumberBits);
      word |= state_word_t(state) << (each * kStateBits);
    }
    states[place] = word;
    ++place;
    step = step == kStepsOfWord - 1 ? ap_uint<4>(0) : ap_uint<4>(step + 1);
    end_cycle();
  }
}

//! The process: each layer's words as they are, or through its function.
inline void cell(hls::stream<ResultWord>& results, hls::stream<Command>& commands,
                 hls::stream<word_t>& given, hls::stream<ResultWord>& activated,
                 hls::stream<Command>& collected) {
  // A word for each step of kCellUnits units, wherever their vector's lane is.
  static state_word_t states[kStateWords];
#pragma HLS BIND_STORAGE variable = states type = ram_s2p impl = bram
// Read in five places for each unit: so many memories.
#pragma HLS BIND_STORAGE variable = kTanhTable type = rom_np impl = bram
  ap_uint<3> kind = kStop;
packet:
  do {
    const Command command = commands.read();
    kind = command.kind;
    const bool has_words = kind == kResults || kind == kTable;
    Command passed = command;
    if (has_words) passed.words = command.keep;
    // There is room soon: of all commands before, the collector has had the words.
    if (kind != kState) collected.write(passed);
    end_cycle();
    if (kind == kState) {
      set_states(given, command, states);
    } else if (!has_words || command.function == packet::kFunctionLinear) {
      const word_count_t words = has_words ? command.words : word_count_t(0);
    words:
      for (word_count_t word = 0; word < words; ++word) {
#pragma HLS PIPELINE II = 1
        const ResultWord result = results.read();
        if (word < command.keep) activated.write(result);
        end_cycle();
      }
    } else {
      apply(results, activated, command, states);
    }
  } while (kind != kStop);
  activated.write(results.read());  // the end of the packet
  end_cycle();
}

}  // namespace kernel
