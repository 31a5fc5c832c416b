// The way back of four PEs alone, the gather tree and its root: results in, whole words out.
#include "collect.h"

#include "gather.h"
#include "ports.h"

using namespace kernel;

namespace {

typedef ResultBits<kResultBits>::type result_bits_t;
typedef ap_uint<kLanes * kActivationBits> word_bits_t;

//! Commands in, twice: for the collector, and for the process that gives its words out.
void take_commands(hls::stream<command_bits_t>& port, hls::stream<Command>& commands,
                   hls::stream<Command>& copies) {
  ap_uint<3> kind = kResults;
take:
  do {
#pragma HLS PIPELINE II = 1
    const Command command = command_of(port.read());
    kind = command.kind;
    commands.write(command);
    copies.write(command);
    end_cycle();
  } while (kind != kStop);
}

//! Words out, to where each command sent them.
void give_words(hls::stream<Command>& commands, hls::stream<HiddenWord>& hidden,
                hls::stream<ActivationWord>& outputs, hls::stream<word_bits_t>& hidden_out,
                hls::stream<word_bits_t>& outputs_out) {
  ap_uint<3> kind = kStop;
packet:
  do {
    const Command command = commands.read();
    kind = command.kind;
    end_cycle();
    // Of each vector of a group as many.
    const word_count_t words = command.keep * (others_of(command.vector) + 1);
  words:
    for (word_count_t word = 0; word < words; ++word) {
#pragma HLS PIPELINE II = 1
      if (command.back == 1) hidden_out.write(hidden.read().values);
      if (command.out == 1) outputs_out.write(outputs.read().values);
      end_cycle();
    }
  } while (kind != kStop);
}

}  // namespace

void block_collect(hls::stream<result_bits_t>& in_0, hls::stream<result_bits_t>& in_1,
                   hls::stream<result_bits_t>& in_2, hls::stream<result_bits_t>& in_3,
                   hls::stream<command_bits_t>& commands_in, hls::stream<word_bits_t>& hidden_out,
                   hls::stream<word_bits_t>& outputs_out) {
#pragma HLS INTERFACE axis port = in_0
#pragma HLS INTERFACE axis port = in_1
#pragma HLS INTERFACE axis port = in_2
#pragma HLS INTERFACE axis port = in_3
#pragma HLS INTERFACE axis port = commands_in
#pragma HLS INTERFACE axis port = hidden_out
#pragma HLS INTERFACE axis port = outputs_out
#pragma HLS DATAFLOW
  hls::stream<Result, kStreamDepth> results_0("results_0");
  hls::stream<Result, kStreamDepth> results_1("results_1");
  hls::stream<Result, kStreamDepth> results_2("results_2");
  hls::stream<Result, kStreamDepth> results_3("results_3");
  hls::stream<ResultBeat, kStreamDepth> beats("beats");
  hls::stream<ResultWord, kStreamDepth> words("words");
  hls::stream<Command, kCommandDepth> commands("commands");
  hls::stream<Command, kCommandDepth> copies("copies");
  hls::stream<HiddenWord, kHiddenWords> hidden("hidden");
  hls::stream<ActivationWord, kOutputDepth> outputs("outputs");

  EIE_REGION("block_collect");
  EIE_PROCESS(take_results<kResultBits>(in_0, results_0));
  EIE_PROCESS(take_results<kResultBits>(in_1, results_1));
  EIE_PROCESS(take_results<kResultBits>(in_2, results_2));
  EIE_PROCESS(take_results<kResultBits>(in_3, results_3));
  EIE_PROCESS(take_commands(commands_in, commands, copies));
  EIE_PROCESS(gather_4<kResultBits>(results_0, results_1, results_2, results_3, beats));
  EIE_PROCESS(gather_1<kActivationsPerBeat * kResultBits>(beats, words));
  EIE_PROCESS(collect(words, commands, hidden, outputs));
  EIE_PROCESS(give_words(copies, hidden, outputs, hidden_out, outputs_out));
  EIE_RUN_REGION();
}
