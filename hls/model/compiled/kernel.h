// Cycles of a run on the generated kernel: hls/model/cycles.py, process by process.
//
// The numpy model is the specification, and names and order here are its own; tests compare the two
// with `==`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "broadcast.h"
#include "constants.h"
#include "fifo_times.h"
#include "gather.h"
#include "pes.h"

namespace model {

//! What of a design decides its cycles.
struct Design {
  std::int64_t pes;
  std::int64_t queue_depth;
  std::int64_t result_depth;
  std::int64_t write_latency;
  std::int64_t hidden_words;
};

//! A layer as the PEs hold it, and what it takes in a run.
struct Layer {
  std::int64_t columns;
  std::int64_t rows;
  std::int64_t local_rows;
  //! Entries of each PE in each column, shape (columns, pes).
  const std::int32_t* lengths;
  //! Activations of the first vector, and how many further on each next vector's are.
  const std::int16_t* activations;
  std::int64_t stride;

  const std::int16_t* vector(std::int64_t number) const { return activations + number * stride; }
};

//! A run's cycles, shared out among its layers.
//!
//! Each has those from its first word, in any of the vectors, to the next first word of any layer,
//! or to the last output.
class Shares {
 public:
  explicit Shares(std::size_t layers) : cycles(layers) {}

  //! A layer's first word is taken in `cycle`.
  void begin(std::size_t layer, Time cycle) {
    end(cycle);
    layer_ = layer;
    since_ = cycle;
    begun_ = true;
  }

  //! The run ends in `cycle`.
  void end(Time cycle) {
    if (begun_) cycles[layer_] += cycle - since_;
  }

  std::vector<Time> cycles;

 private:
  bool begun_ = false;
  std::size_t layer_ = 0;
  Time since_ = 0;
};

//! Where each process of the kernel is in time, during one run packet.
//!
//! `NAME_at_` is the cycle that the process NAME has come to.
class Kernel {
 public:
  //! A run of `vectors` vectors.
  Kernel(const Design& design, std::vector<Layer> layers, std::int64_t vectors)
      : pes(places(design.pes), places(design.queue_depth), design.write_latency),
        broadcast(places(design.pes)),
        shares(layers.size()),
        layers_(std::move(layers)),
        count_(vectors),
        longest_(longest(layers_)),
        room_(std::max(design.hidden_words, longest_)),
        receive_at_(kReceivedBeats),
        tokens_(kStreamDepth),
        inputs_(kInputDepth),
        vectors_(kStreamDepth),
        commands_(kCommandDepth),
        gather_(places(design.pes), places(design.result_depth)),
        hidden_(places(room_)),
        outputs_(kOutputDepth),
        // A cycle later the sender reads the answer's begin, and then sends the header.
        send_at_(receive_at_ + 2 + kHeaderBeats),
        taken_on_(receive_at_) {
    receive_at_ = tokens_.write(receive_at_) + 1;
    begin_run();
  }

  //! Go on for at most `turns` layers of a vector; gives how many vectors are done.
  std::int64_t advance(std::int64_t turns) {
    for (; turns > 0 && done_ < count_; --turns) {
      const Turn turn = next_turn();
      shares.begin(turn.layer, control_activations_at_);
      const Layer& layer = layers_[turn.layer];
      const bool last = turn.layer + 1 == layers_.size();
      run_layer(layer, layer.vector(turn.vector), turn.layer == 0);
      collect(layer, !last);
      if (last) {
        ++done_;
        room_ += longest_;
      } else {
        returning_.push_back({turn.vector, turn.layer + 1});
      }
    }
    return done_;
  }

  //! All vectors are done.
  void end() {
    shares.end(send_at_);
    // `control_activations` says that there are no more layers.
    control_activations_at_ = vectors_.write(control_activations_at_) + 1;
    detect_nonzero_at_ = vectors_.read(detect_nonzero_at_);
    send_token(false);
    pes.end_run();
  }

  //! Cycles until the last output so far.
  Time cycles() const { return send_at_ - taken_on_; }

  Pes pes;
  Broadcast broadcast;
  Shares shares;

 private:
  //! A layer of a vector.
  struct Turn {
    std::int64_t vector;
    std::size_t layer;
  };

  static std::size_t places(std::int64_t count) { return static_cast<std::size_t>(count); }

  //! Words of the longest hidden vector.
  static std::int64_t longest(const std::vector<Layer>& layers) {
    std::int64_t most = 0;
    for (std::size_t number = 1; number < layers.size(); ++number) {
      most = std::max(most, words(layers[number].columns));
    }
    return most;
  }

  static std::int64_t words(std::int64_t activations) {
    return (activations + kActivationsPerWord - 1) / kActivationsPerWord;
  }

  //! Whose turn it is, as `control_activations` finds its streams.
  //!
  //! What has come back goes on in the order in which it was sent. A new vector begins when it is
  //! time for it or nothing has come back, if `hidden` has room for what it may leave there.
  Turn next_turn() {
    const bool back = !returning_.empty();
    const bool fresh = begun_ < count_ && room_ >= longest_;
    if (fresh) receive_word(layers_[0].columns, true);
    // In the same cycle, a new vector has precedence only when it is time for it.
    const Time lead = turns_ != 0 ? 0 : 1;
    const Time at_back = back ? std::max(hidden_.readable(), control_activations_at_) : 0;
    const Time at_fresh = fresh ? std::max(inputs_.readable(), control_activations_at_) : 0;
    if (back && (!fresh || at_back + lead <= at_fresh)) {
      control_activations_at_ = at_back;
      turns_ = std::max<std::int64_t>(turns_ - 1, 0);
      const Turn turn = returning_.front();
      returning_.pop_front();
      return turn;
    }
    control_activations_at_ = at_fresh;
    room_ -= longest_;
    turns_ = static_cast<std::int64_t>(layers_.size()) - 1;
    return {begun_++, 0};
  }

  //! The receiver puts beats together to a word, unless the first word is there already.
  void receive_word(std::int64_t activations, bool first) {
    if (first && inputs_.holds_one()) return;
    const std::int64_t in_word = std::min(activations, kActivationsPerWord);
    receive_at_ += (in_word + kActivationsPerBeat - 1) / kActivationsPerBeat - 1;
    receive_at_ = inputs_.write(receive_at_) + 1;
  }

  //! `control_activations` passes the run's begin on, as every process down to the PEs.
  void begin_run() {
    control_activations_at_ = vectors_.write(tokens_.read(control_activations_at_)) + 1;
    detect_nonzero_at_ = vectors_.read(detect_nonzero_at_);
    send_token(false);
    pes.begin_run();
  }

  //! `detect_nonzero` sends a token down the tree to every PE.
  void send_token(bool in_layer = true) {
    detect_nonzero_at_ = broadcast.pass_token(detect_nonzero_at_, pes, in_layer) + 1;
  }

  void run_layer(const Layer& layer, const std::int16_t* values, bool from_packet) {
    const auto count = static_cast<std::int64_t>(pes.fetch.size());
    Stream& source = from_packet ? inputs_ : hidden_;
    for (std::int64_t start = 0; start < layer.columns; start += kActivationsPerWord) {
      const std::int64_t lanes = std::min(layer.columns - start, kActivationsPerWord);
      const bool last = start + lanes == layer.columns;
      if (from_packet) receive_word(lanes, start == 0);
      Time written = vectors_.write(source.read(control_activations_at_));
      if (last) written = commands_.write(written);
      control_activations_at_ = written + 1;
      detect_nonzero_at_ = vectors_.read(detect_nonzero_at_);
      // A token stays behind until the next is found: the layer's last one says so.
      const std::int32_t* found = nullptr;
      bool nonzero = false;
      for (std::int64_t column = start; column < start + lanes; ++column) {
        if (values[column] == 0) continue;
        if (nonzero) {
          send_token();
          pes.take_activation(found);
        }
        nonzero = true;
        found = layer.lengths + column * count;
      }
      if (last) {
        send_token();
        pes.end_layer(found);
      } else if (nonzero) {
        send_token();
        pes.take_activation(found);
      } else {
        detect_nonzero_at_ += 1;
      }
    }
  }

  //! Results of a layer through the gather tree to their place.
  void collect(const Layer& layer, bool to_hidden) {
    collect_at_ = commands_.read(collect_at_) + 1;
    const std::int64_t keep = words(layer.rows);
    const std::int64_t beats = (layer.rows + kActivationsPerBeat - 1) / kActivationsPerBeat;
    std::int64_t word = 0;
    pes.begin_rows();
    for (std::int64_t row = 0; row < layer.local_rows; ++row) {
      pes.write_row(gather_);
      for (std::size_t ready = gather_.words_ready(); ready != 0; --ready) {
        collect_at_ = gather_.read_word(collect_at_);
        if (word < keep && to_hidden) {
          collect_at_ = hidden_.write(collect_at_);
        } else if (word < keep) {
          collect_at_ = outputs_.write(collect_at_);
          const std::int64_t in_word = std::min(kBeatsPerWord, beats - word * kBeatsPerWord);
          send_at_ = outputs_.read(send_at_) + in_word;
        }
        collect_at_ += 1;
        word += 1;
      }
    }
    pes.end_rows(layer.local_rows);
  }

  std::vector<Layer> layers_;
  //! Vectors of the run, and those that are done.
  std::int64_t count_;
  std::int64_t done_ = 0;
  //! Vectors that have begun, and layers of some that wait for what was sent back.
  std::int64_t begun_ = 0;
  std::deque<Turn> returning_;
  //! Words of the longest hidden vector, and those that `hidden` has room for; a design that is too
  //! small is counted as if it held one.
  std::int64_t longest_;
  std::int64_t room_;
  //! Turns before it is time for a new vector.
  std::int64_t turns_ = 0;
  Time receive_at_;
  Stream tokens_;
  Stream inputs_;
  Time control_activations_at_ = 0;
  Stream vectors_;
  Stream commands_;
  Time detect_nonzero_at_ = 0;
  Gather gather_;
  Time collect_at_ = 0;
  Stream hidden_;
  Stream outputs_;
  Time send_at_;
  Time taken_on_;
};

}  // namespace model
