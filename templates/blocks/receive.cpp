// The receiver and the CRC in front of it: a packet in, tokens, words of input vectors and what to
// answer out. The packet comes as to the kernel, straight from the port: ap_axiu is for ports only
// (UG1399, AXI4-Stream Interfaces).
#include "receive.h"
#include "ports.h"
#include "take_crc.h"

using namespace kernel;

namespace {

//! Both answers of a packet, what to begin with and how it ended, and words of input vectors, none
//! of which comes behind the second answer.
void give_answers(hls::stream<Answer>& answers, hls::stream<InputWord>& inputs,
                  hls::stream<input_word_bits_t>& inputs_port,
                  hls::stream<answer_bits_t>& answers_port) {
  ap_uint<2> answered = 0;
  bool more = true;
give:
  while (more) {
#pragma HLS PIPELINE II = 1
    InputWord word = {0, 0};
    const bool have_word = inputs.read_nb(word);
    if (have_word) inputs_port.write(to_bits(word));
    more = have_word || answered != 2;
    Answer answer = {0, 0, 0, 0, 0};
    if (answered != 2 && answers.read_nb(answer)) {
      answers_port.write(to_bits(answer));
      ++answered;
    }
    end_cycle();
  }
}

}  // namespace

void block_receive(hls::stream<axis_t>& packet_in, hls::stream<token_bits_t>& tokens_out,
                   hls::stream<input_word_bits_t>& inputs_out,
                   hls::stream<answer_bits_t>& answers_out) {
#pragma HLS INTERFACE axis port = packet_in
#pragma HLS INTERFACE axis port = tokens_out
#pragma HLS INTERFACE axis port = inputs_out
#pragma HLS INTERFACE axis port = answers_out
#pragma HLS DATAFLOW
  hls::stream<ReceivedBeat, kStreamDepth> packet("packet");
  hls::stream<Token, kStreamDepth> tokens("tokens");
  hls::stream<InputWord, kInputDepth> inputs("inputs");
  hls::stream<Answer, kStreamDepth> answers("answers");

  EIE_REGION("block_receive");
  EIE_PROCESS(take_crc(packet_in, packet));
  EIE_PROCESS(receive(packet, tokens, inputs, answers));
  EIE_PROCESS(give_tokens(tokens, tokens_out));
  EIE_PROCESS(give_answers(answers, inputs, inputs_out, answers_out));
  EIE_RUN_REGION();
}
