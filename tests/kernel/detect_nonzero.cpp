// Drives the leading non-zero detection alone: words in, tokens out.
#include "detect_nonzero.h"

#include "driver.h"

int main() {
  hls::stream<kernel::WordToken> words("words");
  hls::stream<kernel::Token> tokens("tokens");
  driver::Bench bench;
  bench.input(words);
  bench.output(tokens);
  return bench.run([&](simulation::region& region) {
    region.spawn("detect_nonzero", [&] { kernel::detect_nonzero(words, tokens); });
  });
}
