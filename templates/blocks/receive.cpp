// The receiver alone: a packet in, tokens and what to answer out. The packet comes as to the
// kernel, straight from the port: ap_axiu is for ports only (UG1399, AXI4-Stream Interfaces).
#include "receive.h"
#include "ports.h"

using namespace kernel;

namespace {

//! Words of input vectors, of which a packet has as many as its answer begins with says.
//! Both answers of a packet: what to begin with, and how it ended.
void give_answers(hls::stream<Answer>& answers, hls::stream<answer_bits_t>& port) {
give:
  for (int answer = 0; answer < 2; ++answer) {
#pragma HLS PIPELINE II = 1
    port.write(to_bits(answers.read()));
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
  hls::stream<Token, kStreamDepth> tokens("tokens");
  hls::stream<InputWord, kInputDepth> inputs("inputs");
  hls::stream<Answer, kStreamDepth> answers("answers");

  EIE_REGION("block_receive");
  EIE_PROCESS(receive(packet_in, tokens, inputs, answers));
  EIE_PROCESS(give_tokens(tokens, tokens_out));
  EIE_PROCESS(give_answers(answers, answers_out));
  EIE_RUN_REGION();
}
