// The leading non-zero detection alone: words of activations in, non-zero activations out.
#include "detect_nonzero.h"

#include "ports.h"

using namespace kernel;

namespace {

void take_words(hls::stream<word_token_bits_t>& port, hls::stream<WordToken>& words) {
  kind_t kind = kData;
take:
  do {
#pragma HLS PIPELINE II = 1
    const WordToken word = word_token_of(port.read());
    kind = word.kind;
    words.write(word);
    end_cycle();
  } while (kind != kPacketEnd);
}

}  // namespace

void block_detect_nonzero(hls::stream<word_token_bits_t>& words_in,
                          hls::stream<token_bits_t>& tokens_out) {
#pragma HLS INTERFACE axis port = words_in
#pragma HLS INTERFACE axis port = tokens_out
#pragma HLS DATAFLOW
  hls::stream<WordToken, kStreamDepth> words("words");
  hls::stream<Token, kStreamDepth> tokens("tokens");

  EIE_REGION("block_detect_nonzero");
  EIE_PROCESS(take_words(words_in, words));
  EIE_PROCESS(detect_nonzero(words, tokens));
  EIE_PROCESS(give_tokens(tokens, tokens_out));
  EIE_RUN_REGION();
}
