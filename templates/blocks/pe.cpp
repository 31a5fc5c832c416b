// One PE alone: tokens in, results out. It is PE 0 of the array.
#include "column_fetch.h"
#include "multiply_accumulate.h"
#include "ports.h"

using namespace kernel;

void block_pe(hls::stream<token_bits_t>& tokens_in,
              hls::stream<ResultBits<kResultBits>::type>& results_out) {
#pragma HLS INTERFACE axis port = tokens_in
#pragma HLS INTERFACE axis port = results_out
#pragma HLS DATAFLOW
  hls::stream<Token, kFetchDepth> queue("queue");
  hls::stream<Token, kQueueDepth> work("work");
  hls::stream<Result, kResultDepth> results("results");

  EIE_REGION("block_pe");
  EIE_PROCESS(take_tokens(tokens_in, queue));
  EIE_PROCESS(column_fetch<0>(queue, work));
  EIE_PROCESS(multiply_accumulate<0>(work, results));
  EIE_PROCESS(give_results<kResultBits>(results, results_out));
  EIE_RUN_REGION();
}
