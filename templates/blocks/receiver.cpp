// The receiver alone: a packet in, tokens and what to answer out.
#include "ports.h"
#include "receive.h"

using namespace kernel;

namespace {

void take_packet(hls::stream<packet_bits_t>& port, hls::stream<axis_t>& beats) {
  bool last = false;
take:
  do {
#pragma HLS PIPELINE II = 1
    const packet_bits_t bits = port.read();
    axis_t transfer;
    transfer.data = beat_t(bits);
    transfer.keep = -1;
    transfer.strb = -1;
    transfer.last = ap_uint<1>(bits >> kBeatBits);
    last = transfer.last == 1;
    beats.write(transfer);
    end_cycle();
  } while (!last);
}

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

void block_receiver(hls::stream<packet_bits_t>& packet_in, hls::stream<token_bits_t>& tokens_out,
                    hls::stream<answer_bits_t>& answers_out) {
#pragma HLS INTERFACE axis port = packet_in
#pragma HLS INTERFACE axis port = tokens_out
#pragma HLS INTERFACE axis port = answers_out
#pragma HLS DATAFLOW
  hls::stream<axis_t, kStreamDepth> beats("beats");
  hls::stream<Token, kStreamDepth> tokens("tokens");
  hls::stream<Answer, kStreamDepth> answers("answers");

  EIE_REGION("block_receiver");
  EIE_PROCESS(take_packet(packet_in, beats));
  EIE_PROCESS(receive(beats, tokens, answers));
  EIE_PROCESS(give_tokens(tokens, tokens_out));
  EIE_PROCESS(give_answers(answers, answers_out));
  EIE_RUN_REGION();
}
