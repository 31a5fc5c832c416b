// The sender and the CRCs behind it: what to answer and words of outputs in, a packet and the
// registers out.
#include "send.h"

#include "add_crc.h"
#include "ports.h"

using namespace kernel;

namespace {

//! Both answers of a packet: what to begin with, and how it ended.
void take_answers(hls::stream<answer_bits_t>& port, hls::stream<Answer>& answers) {
take:
  for (int answer = 0; answer < 2; ++answer) {
#pragma HLS PIPELINE II = 1
    answers.write(answer_of(port.read()));
    end_cycle();
  }
}

}  // namespace

void block_send(hls::stream<answer_bits_t>& answers_in,
                hls::stream<activation_word_bits_t>& outputs_in, hls::stream<axis_t>& packet_out,
                ap_uint<32>& design_id, ap_uint<32>& format_version, ap_uint<32>& network_id,
                ap_uint<32>& packets, ap_uint<32>& errors, ap_uint<32>& cycles) {
#pragma HLS INTERFACE axis port = answers_in
#pragma HLS INTERFACE axis port = outputs_in
#pragma HLS INTERFACE axis port = packet_out
#pragma HLS INTERFACE ap_vld port = design_id
#pragma HLS INTERFACE ap_vld port = format_version
#pragma HLS INTERFACE ap_vld port = network_id
#pragma HLS INTERFACE ap_vld port = packets
#pragma HLS INTERFACE ap_vld port = errors
#pragma HLS INTERFACE ap_vld port = cycles
#pragma HLS DATAFLOW
  hls::stream<Answer, kStreamDepth> answers("answers");
  hls::stream<ActivationWord, kOutputDepth> outputs("outputs");
  hls::stream<SentBeat, kStreamDepth> answer("answer");

  EIE_REGION("block_send");
  EIE_PROCESS(take_answers(answers_in, answers));
  EIE_PROCESS(take_activation_words(outputs_in, outputs));
  EIE_PROCESS(send(answers, outputs, answer, design_id, format_version, network_id, packets, errors,
                   cycles));
  EIE_PROCESS(add_crc(answer, packet_out));
  EIE_RUN_REGION();
}
