// Calls the block tops of the sender and of the control unit, each for a run of one vector with
// four activations through two layers, and prints what they give.
#include "driver.h"

#include "ports.h"

void block_send(hls::stream<kernel::answer_bits_t>&, hls::stream<kernel::activation_word_bits_t>&,
                hls::stream<kernel::axis_t>&, ap_uint<32>&, ap_uint<32>&, ap_uint<32>&,
                ap_uint<32>&, ap_uint<32>&, ap_uint<32>&);
void block_control_activations(hls::stream<kernel::token_bits_t>&,
                               hls::stream<kernel::input_word_bits_t>&,
                               hls::stream<kernel::hidden_word_bits_t>&,
                               hls::stream<kernel::word_token_bits_t>&,
                               hls::stream<kernel::command_bits_t>&);

namespace {

template <typename T>
void print(hls::stream<T>& stream) {
  while (!stream.empty()) {
    std::cout << stream.name();
    driver::write_element(std::cout, stream.read());
    std::cout << '\n';
  }
}

//! A word of activations, and the one that ends the packet.
void put_results(hls::stream<kernel::activation_word_bits_t>& port, unsigned int value) {
  using namespace kernel;
  port.write(to_bits(ActivationWord{kValue, word_t(value)}));
  port.write(to_bits(ActivationWord{kEnd, word_t(0)}));
}

void run_send() {
  using namespace kernel;
  hls::stream<answer_bits_t> answers("answers");
  hls::stream<activation_word_bits_t> outputs("outputs");
  hls::stream<axis_t> packet("packet");
  answers.set_external();
  outputs.set_external();
  packet.set_external();
  answers.write(to_bits(Answer{packet::kKindRun, 7, 1, 1, 1}));
  answers.write(to_bits(Answer{packet::kKindRun, 7, packet::kStatusOk, 0x1234, 0}));
  outputs.write(to_bits(ActivationWord{kValue, word_t(0x5678)}));
  put_results(outputs, 0x9ABC);  // how many of them were saturated
  ap_uint<32> registers[6];
  block_send(answers, outputs, packet, registers[0], registers[1], registers[2], registers[3],
             registers[4], registers[5]);
  print(packet);
  std::cout << "registers";
  for (const auto& value : registers) driver::write_element(std::cout, value);
  std::cout << '\n';
}

void run_control_activations() {
  using namespace kernel;
  hls::stream<token_bits_t> tokens("tokens");
  hls::stream<input_word_bits_t> inputs("inputs");
  hls::stream<hidden_word_bits_t> hidden("hidden");
  hls::stream<word_token_bits_t> words("words");
  hls::stream<command_bits_t> commands("commands");
  tokens.set_external();
  inputs.set_external();
  hidden.set_external();
  words.set_external();
  commands.set_external();
  constexpr int kTestLayers = 2;
  const beat_t section = (beat_t(packet::kSectionLayers) << packet::kSectionSectionLow) |
                         (beat_t(kTestLayers * packet::kLayerBeats) << packet::kSectionLengthLow);
  tokens.write(to_bits(Token{kSection, section}));
  for (int layer = 0; layer < kTestLayers; ++layer) {
    beat_t record[packet::kLayerBeats];
    for (beat_t& beat : record) beat = 0;
    record[packet::kLayerColumnsBeat] |= beat_t(4) << packet::kLayerColumnsLow;
    record[packet::kLayerPointerBaseBeat] |= beat_t(4 * layer) << packet::kLayerPointerBaseLow;
    record[packet::kLayerRowsBeat] |= beat_t(4) << packet::kLayerRowsLow;
    record[packet::kLayerLocalRowsBeat] |= beat_t(4) << packet::kLayerLocalRowsLow;
    for (const beat_t& beat : record) tokens.write(to_bits(Token{kData, beat}));
  }
  tokens.write(to_bits(Token{kRunBegin, to_beat(RunBegin{1, 0, kTestLayers - 1, 0})}));
  tokens.write(to_bits(Token{kPacketEnd, 0}));
  inputs.write(to_bits(InputWord{word_t(0x4321), 1}));
  inputs.write(input_word_bits_t(1) << (kLanes * kActivationBits + 1));
  hidden.write(to_bits(HiddenWord{word_t(0x5678), 0, 1, VectorTag{0, 1, 1}, 0}));
  hidden.write(hidden_word_bits_t(1) << (kLanes * kActivationBits + 16));
  block_control_activations(tokens, inputs, hidden, words, commands);
  while (!words.empty()) {
    std::cout << words.name();
    driver::write_element(std::cout, word_token_of(words.read()));
    std::cout << '\n';
  }
  while (!commands.empty()) {
    std::cout << commands.name();
    driver::write_element(std::cout, command_of(commands.read()));
    std::cout << '\n';
  }
}

}  // namespace

int main() {
  run_send();
  run_control_activations();
  return 0;
}
