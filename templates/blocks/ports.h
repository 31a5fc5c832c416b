// Ports of the block tops: streams of plain integers, and processes that turn them into what the
// blocks take. Only packets come as in the kernel.
//
// A block top is one part of the kernel as a top function of its own, to synthesise and look at in
// seconds. Struct fields lie in its integers from the low bits up, in the order of their
// declaration in types.h but for the kind, which is on top.
#pragma once

#include "dataflow.h"
#include "types.h"

namespace kernel {

typedef ap_uint<kTokenDataBits + 4> token_bits_t;
// What groups of vectors want to know: nothing of vectors one by one.
constexpr int kMarksBits = kAbreast == 1 ? 0 : 2;
constexpr int kOthersBits = kAbreast == 1 ? 0 : 2;
typedef ap_uint<kLanes * kActivationBits + 24 + 8 + kLanes + 1 + kMarksBits + 4> word_token_bits_t;
typedef ap_uint<6 + kOthersBits> vector_tag_bits_t;
// Where there are none, no place behind the width: a shift that far is undefined.
constexpr int kOthersLow = kOthersBits == 0 ? 0 : 6;
// With a bit on top that ends the packet: such a word is none, and goes no further.
typedef ap_uint<kLanes * kActivationBits + 1 + 1> input_word_bits_t;
typedef ap_uint<kLanes * kActivationBits + 8 + 1 + vector_tag_bits_t::width + 1 + 1>
    hidden_word_bits_t;
typedef ap_uint<8 + 16 + 32 + 32 + 9> answer_bits_t;
typedef ap_uint<2 * kWordCountBits + 4 + 8 + 3 + 3 + vector_tag_bits_t::width + 3 + 16 + 16>
    command_bits_t;

template <int kBits>
struct ResultBits {
  typedef ap_uint<kBits + 2> type;
};
typedef ResultBits<kLanes * kActivationBits>::type activation_word_bits_t;

inline token_bits_t to_bits(const Token& token) {
#pragma HLS INLINE
  return token_bits_t(token.data) | (token_bits_t(token.kind) << kTokenDataBits);
}

inline Token token_of(token_bits_t bits) {
#pragma HLS INLINE
  return Token{kind_t(bits >> kTokenDataBits), token_data_t(bits)};
}

inline WordToken word_token_of(word_token_bits_t bits) {
#pragma HLS INLINE
  const int width = kLanes * kActivationBits;
  const WordToken token =
      word_token(kind_t(bits >> (width + 49 + kMarksBits)), ap_uint<1>(bits >> (width + 48)),
                 ap_uint<kLanes>(bits >> (width + 32)), layer_t(bits >> (width + 24)),
                 address_t(bits >> width), word_t(bits));
  return with_marks(token,
                    GroupMarks{ap_uint<1>(bits >> (width + 49)), ap_uint<1>(bits >> (width + 50))});
}

inline word_token_bits_t to_bits(const WordToken& token) {
#pragma HLS INLINE
  const int width = kLanes * kActivationBits;
  const GroupMarks marks = marks_of(token);
  return word_token_bits_t(token.data) | (word_token_bits_t(token.address) << width) |
         (word_token_bits_t(token.layer) << (width + 24)) |
         (word_token_bits_t(token.nonzero) << (width + 32)) |
         (word_token_bits_t(token.last) << (width + 48)) |
         (word_token_bits_t(token.kind) << (width + 49 + kMarksBits)) |
         (kMarksBits == 0 ? word_token_bits_t(0)
                          : word_token_bits_t(marks.turns) << (width + 49) |
                                word_token_bits_t(marks.completes) << (width + 50));
}

inline InputWord input_word_of(input_word_bits_t bits) {
#pragma HLS INLINE
  return InputWord{word_t(bits), ap_uint<1>(bits >> (kLanes * kActivationBits))};
}

inline input_word_bits_t to_bits(const InputWord& word) {
#pragma HLS INLINE
  return input_word_bits_t(word.values) |
         (input_word_bits_t(word.last) << (kLanes * kActivationBits));
}

inline VectorTag vector_tag_of(vector_tag_bits_t bits) {
#pragma HLS INLINE
  return vector_tag(lane_t(bits), ap_uint<1>(bits >> 4), ap_uint<1>(bits >> 5),
                    kOthersBits == 0 ? vector_t(0) : vector_t(bits >> kOthersLow));
}

inline vector_tag_bits_t to_bits(const VectorTag& vector) {
#pragma HLS INLINE
  return vector_tag_bits_t(vector.lane) | (vector_tag_bits_t(vector.start) << 4) |
         (vector_tag_bits_t(vector.output) << 5) |
         (kOthersBits == 0 ? vector_tag_bits_t(0)
                           : vector_tag_bits_t(others_of(vector)) << kOthersLow);
}

inline HiddenWord hidden_word_of(hidden_word_bits_t bits) {
#pragma HLS INLINE
  const int width = kLanes * kActivationBits;
  return HiddenWord{word_t(bits), layer_t(bits >> width), ap_uint<1>(bits >> (width + 8)),
                    vector_tag_of(vector_tag_bits_t(bits >> (width + 9))),
                    ap_uint<1>(bits >> (width + 9 + vector_tag_bits_t::width))};
}

inline hidden_word_bits_t to_bits(const HiddenWord& word) {
#pragma HLS INLINE
  const int width = kLanes * kActivationBits;
  return hidden_word_bits_t(word.values) | (hidden_word_bits_t(word.layer) << width) |
         (hidden_word_bits_t(word.last) << (width + 8)) |
         (hidden_word_bits_t(to_bits(word.vector)) << (width + 9)) |
         (hidden_word_bits_t(word.final) << (width + 9 + vector_tag_bits_t::width));
}

template <int kBits>
inline typename ResultBits<kBits>::type to_bits(const Results<kBits>& results) {
#pragma HLS INLINE
  typedef typename ResultBits<kBits>::type bits_t;
  return bits_t(results.values) | (bits_t(results.kind) << kBits);
}

template <int kBits>
inline Results<kBits> results_of(typename ResultBits<kBits>::type bits) {
#pragma HLS INLINE
  return Results<kBits>{ap_uint<2>(bits >> kBits), ap_uint<kBits>(bits)};
}

inline answer_bits_t to_bits(const Answer& answer) {
#pragma HLS INLINE
  return answer_bits_t(answer.count) | (answer_bits_t(answer.detail) << 32) |
         (answer_bits_t(answer.layers) << 64) | (answer_bits_t(answer.sequence) << 73) |
         (answer_bits_t(answer.kind) << 89);
}

inline Answer answer_of(answer_bits_t bits) {
#pragma HLS INLINE
  return Answer{ap_uint<8>(bits >> 89), ap_uint<16>(bits >> 73), ap_uint<32>(bits),
                ap_uint<32>(bits >> 32), ap_uint<9>(bits >> 64)};
}

inline command_bits_t to_bits(const Command& command) {
#pragma HLS INLINE
  const int width = 2 * kWordCountBits;
  const int behind_tag = width + 18 + vector_tag_bits_t::width;
  return command_bits_t(command.words) | (command_bits_t(command.keep) << kWordCountBits) |
         (command_bits_t(command.spare) << width) | (command_bits_t(command.layer) << (width + 4)) |
         (command_bits_t(command.out) << (width + 12)) |
         (command_bits_t(command.back) << (width + 13)) |
         (command_bits_t(command.final) << (width + 14)) |
         (command_bits_t(command.kind) << (width + 15)) |
         (command_bits_t(to_bits(command.vector)) << (width + 18)) |
         (command_bits_t(command.function) << behind_tag) |
         (command_bits_t(command.slope) << (behind_tag + 3)) |
         (command_bits_t(command.state) << (behind_tag + 19));
}

inline Command command_of(command_bits_t bits) {
#pragma HLS INLINE
  const int width = 2 * kWordCountBits;
  const int behind_tag = width + 18 + vector_tag_bits_t::width;
  return Command{ap_uint<3>(bits >> (width + 15)),
                 word_count_t(bits),
                 word_count_t(bits >> kWordCountBits),
                 ap_uint<4>(bits >> width),
                 ap_uint<8>(bits >> (width + 4)),
                 ap_uint<1>(bits >> (width + 12)),
                 ap_uint<1>(bits >> (width + 13)),
                 ap_uint<1>(bits >> (width + 14)),
                 vector_tag_of(vector_tag_bits_t(bits >> (width + 18))),
                 ap_uint<kFunctionBits>(bits >> behind_tag),
                 ap_uint<kSlopeBits>(bits >> (behind_tag + 3)),
                 held_t(bits >> (behind_tag + 19))};
}

//! Tokens in, until the end of the packet.
inline void take_tokens(hls::stream<token_bits_t>& port, hls::stream<Token>& tokens) {
  kind_t kind = kData;
take:
  do {
#pragma HLS PIPELINE II = 1
    const Token token = token_of(port.read());
    kind = token.kind;
    tokens.write(token);
    end_cycle();
  } while (kind != kPacketEnd);
}

//! Tokens out, until the end of the packet.
inline void give_tokens(hls::stream<Token>& tokens, hls::stream<token_bits_t>& port) {
  kind_t kind = kData;
give:
  do {
#pragma HLS PIPELINE II = 1
    const Token token = tokens.read();
    kind = token.kind;
    port.write(to_bits(token));
    end_cycle();
  } while (kind != kPacketEnd);
}

//! Results in, until the end of the packet.
template <int kBits>
void take_results(hls::stream<typename ResultBits<kBits>::type>& port,
                  hls::stream<Results<kBits>>& results) {
  ap_uint<2> kind = kValue;
take:
  do {
#pragma HLS PIPELINE II = 1
    const Results<kBits> result = results_of<kBits>(port.read());
    kind = result.kind;
    results.write(result);
    end_cycle();
  } while (kind != kEnd);
}

//! Words of activations in, until one that is none: it ends the packet, and goes no further.
inline void take_activation_words(hls::stream<activation_word_bits_t>& port,
                                  hls::stream<ActivationWord>& words) {
  bool ended = false;
take:
  do {
#pragma HLS PIPELINE II = 1
    const ActivationWord word = results_of<kLanes * kActivationBits>(port.read());
    ended = word.kind == kEnd;
    if (!ended) words.write(word);
    end_cycle();
  } while (!ended);
}

//! Words of input vectors in, until the one that ends the packet.
inline void take_input_words(hls::stream<input_word_bits_t>& port, hls::stream<InputWord>& words) {
  bool ended = false;
take:
  do {
#pragma HLS PIPELINE II = 1
    const input_word_bits_t bits = port.read();
    ended = bits >> (kLanes * kActivationBits + 1) != 0;
    if (!ended) words.write(input_word_of(bits));
    end_cycle();
  } while (!ended);
}

//! Words of hidden vectors in, until the one that ends the packet.
inline void take_hidden_words(hls::stream<hidden_word_bits_t>& port,
                              hls::stream<HiddenWord>& words) {
  bool ended = false;
take:
  do {
#pragma HLS PIPELINE II = 1
    const hidden_word_bits_t bits = port.read();
    ended = bits >> (hidden_word_bits_t::width - 1) != 0;
    if (!ended) words.write(hidden_word_of(bits));
    end_cycle();
  } while (!ended);
}

//! Results out, until the end of the packet.
template <int kBits>
void give_results(hls::stream<Results<kBits>>& results,
                  hls::stream<typename ResultBits<kBits>::type>& port) {
  ap_uint<2> kind = kValue;
give:
  do {
#pragma HLS PIPELINE II = 1
    const Results<kBits> result = results.read();
    kind = result.kind;
    port.write(to_bits(result));
    end_cycle();
  } while (kind != kEnd);
}

}  // namespace kernel
