// The functions of layers alone: commands and words of results in, both out.
#include "cell.h"

#include "ports.h"

using namespace kernel;

namespace {

typedef ResultBits<kLanes * kResultBits>::type result_word_bits_t;

//! Commands in, until the end of the packet, and behind each of a state its words.
void take_commands(hls::stream<command_bits_t>& port, hls::stream<word_t>& states_port,
                   hls::stream<Command>& commands, hls::stream<word_t>& states) {
  ap_uint<3> kind = kResults;
packet:
  do {
    const Command command = command_of(port.read());
    kind = command.kind;
    commands.write(command);
    end_cycle();
  states:
    for (word_count_t left = kind == kState ? word_count_t(2 * command.words) : word_count_t(0);
         left != 0; --left) {
#pragma HLS PIPELINE II = 1
      states.write(states_port.read());
      end_cycle();
    }
  } while (kind != kStop);
}

//! Commands out, until the end of the packet.
void give_commands(hls::stream<Command>& commands, hls::stream<command_bits_t>& port) {
  ap_uint<3> kind = kResults;
give:
  do {
#pragma HLS PIPELINE II = 1
    const Command command = commands.read();
    kind = command.kind;
    port.write(to_bits(command));
    end_cycle();
  } while (kind != kStop);
}

}  // namespace

void block_cell(hls::stream<result_word_bits_t>& results_in,
                hls::stream<command_bits_t>& commands_in, hls::stream<word_t>& states_in,
                hls::stream<result_word_bits_t>& results_out,
                hls::stream<command_bits_t>& commands_out) {
#pragma HLS INTERFACE axis port = results_in
#pragma HLS INTERFACE axis port = commands_in
#pragma HLS INTERFACE axis port = states_in
#pragma HLS INTERFACE axis port = results_out
#pragma HLS INTERFACE axis port = commands_out
#pragma HLS DATAFLOW
  hls::stream<ResultWord, kStreamDepth> results("results");
  hls::stream<Command, kCommandDepth> commands("commands");
  hls::stream<word_t, kStreamDepth> states("states");
  hls::stream<ResultWord, kStreamDepth> activated("activated");
  hls::stream<Command, kStreamDepth> collected("collected");

  EIE_REGION("block_cell");
  EIE_PROCESS(take_results<kLanes * kResultBits>(results_in, results));
  EIE_PROCESS(take_commands(commands_in, states_in, commands, states));
  EIE_PROCESS(cell(results, commands, states, activated, collected));
  EIE_PROCESS(give_results<kLanes * kResultBits>(activated, results_out));
  EIE_PROCESS(give_commands(collected, commands_out));
  EIE_RUN_REGION();
}
