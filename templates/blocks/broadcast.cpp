// One leaf of the broadcast tree alone: tokens in, the same to four PEs.
#include "broadcast.h"

#include "ports.h"

using namespace kernel;

void block_broadcast(hls::stream<token_bits_t>& tokens_in, hls::stream<token_bits_t>& out_0,
                     hls::stream<token_bits_t>& out_1, hls::stream<token_bits_t>& out_2,
                     hls::stream<token_bits_t>& out_3) {
#pragma HLS INTERFACE axis port = tokens_in
#pragma HLS INTERFACE axis port = out_0
#pragma HLS INTERFACE axis port = out_1
#pragma HLS INTERFACE axis port = out_2
#pragma HLS INTERFACE axis port = out_3
#pragma HLS DATAFLOW
  hls::stream<Token, kStreamDepth> tokens("tokens");
  hls::stream<Token, kFetchDepth> queue_0("queue_0");
  hls::stream<Token, kFetchDepth> queue_1("queue_1");
  hls::stream<Token, kFetchDepth> queue_2("queue_2");
  hls::stream<Token, kFetchDepth> queue_3("queue_3");

  EIE_REGION("block_broadcast");
  EIE_PROCESS(take_tokens(tokens_in, tokens));
  EIE_PROCESS(broadcast_4<0, true>(tokens, queue_0, queue_1, queue_2, queue_3));
  EIE_PROCESS(give_tokens(queue_0, out_0));
  EIE_PROCESS(give_tokens(queue_1, out_1));
  EIE_PROCESS(give_tokens(queue_2, out_2));
  EIE_PROCESS(give_tokens(queue_3, out_3));
  EIE_RUN_REGION();
}
