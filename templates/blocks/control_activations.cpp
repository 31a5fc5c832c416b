// The control unit alone: tokens, words of input vectors and results of hidden layers in, words of
// activations and commands out.
#include "control_activations.h"

#include "ports.h"

using namespace kernel;

namespace {

void give_words(hls::stream<WordToken>& words, hls::stream<word_token_bits_t>& port) {
  kind_t kind = kData;
give:
  do {
#pragma HLS PIPELINE II = 1
    const WordToken word = words.read();
    kind = word.kind;
    port.write(to_bits(word));
    end_cycle();
  } while (kind != kPacketEnd);
}

void give_commands(hls::stream<Command>& commands, hls::stream<command_bits_t>& port) {
  ap_uint<2> kind = kResults;
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

void block_control_activations(hls::stream<token_bits_t>& tokens_in,
                               hls::stream<input_word_bits_t>& inputs_in,
                               hls::stream<hidden_word_bits_t>& hidden_in,
                               hls::stream<word_token_bits_t>& words_out,
                               hls::stream<command_bits_t>& commands_out) {
#pragma HLS INTERFACE axis port = tokens_in
#pragma HLS INTERFACE axis port = inputs_in
#pragma HLS INTERFACE axis port = hidden_in
#pragma HLS INTERFACE axis port = words_out
#pragma HLS INTERFACE axis port = commands_out
#pragma HLS DATAFLOW
  hls::stream<Token, kStreamDepth> tokens("tokens");
  hls::stream<InputWord, kInputDepth> inputs("inputs");
  hls::stream<HiddenWord, kHiddenWords> hidden("hidden");
  hls::stream<WordToken, kStreamDepth> words("words");
  hls::stream<Command, kCommandDepth> commands("commands");

  EIE_REGION("block_control_activations");
  EIE_PROCESS(take_tokens(tokens_in, tokens));
  EIE_PROCESS(take_input_words(inputs_in, inputs));
  EIE_PROCESS(take_hidden_words(hidden_in, hidden));
  EIE_PROCESS(control_activations(tokens, inputs, hidden, words, commands));
  EIE_PROCESS(give_words(words, words_out));
  EIE_PROCESS(give_commands(commands, commands_out));
  EIE_RUN_REGION();
}
