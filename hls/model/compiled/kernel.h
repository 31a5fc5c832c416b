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

//! Cycles of a run shared out among its layers: each has those from its first word, in one of the
//! vectors, to the next first word of any, or to the last output.
class Shares {
 public:
  explicit Shares(std::size_t layers) : cycles_(layers) {}

  void begin(std::size_t layer, Time cycle) {
    cycles_ = until(cycle);
    layer_ = layer;
    since_ = cycle;
  }

  //! Cycles of each layer if the run ended in `cycle`.
  std::vector<Time> until(Time cycle) const {
    std::vector<Time> cycles = cycles_;
    if (since_ != 0) cycles[layer_] += cycle - since_;
    return cycles;
  }

 private:
  std::vector<Time> cycles_;
  std::size_t layer_ = 0;
  Time since_ = 0;
};

//! Where each process of the kernel is in time, during one run packet.
//!
//! `NAME_at_` is the cycle that the process NAME has come to.
class Kernel {
 public:
  //! A run of `vectors` vectors; `ends` takes the cycles until the last output of each.
  Kernel(const Design& design, std::vector<Layer> layers, std::int64_t vectors, std::int64_t* ends)
      : pes(places(design.pes), places(design.queue_depth), design.write_latency),
        broadcast(places(design.pes)),
        layers_(std::move(layers)),
        count_(vectors),
        ends_(ends),
        room_(design.hidden_words),
        shares_(layers_.size()),
        receive_at_(kReceivedBeats),
        tokens_(kStreamDepth),
        inputs_(kInputDepth),
        vectors_(kStreamDepth),
        commands_(kCommandDepth),
        gather_(places(design.pes), places(design.result_depth)),
        hidden_(places(design.hidden_words)),
        outputs_(kOutputDepth),
        // A cycle later the sender reads the answer's begin, and then sends the header.
        send_at_(receive_at_ + 2 + kHeaderBeats),
        taken_on_(receive_at_) {
    for (std::size_t number = 1; number < layers_.size(); ++number) {
      most_ = std::max(most_, words(layers_[number].columns));
    }
    receive_at_ = tokens_.write(receive_at_) + 1;
    begin_run();
  }

  //! Go on for at most `turns` layers of a vector; gives how many vectors are done.
  std::int64_t advance(std::int64_t turns) {
    for (; turns > 0 && done_ < count_; --turns) {
      const Turn turn = next_turn();
      shares_.begin(turn.layer, control_activations_at_);
      const Layer& layer = layers_[turn.layer];
      const bool last = turn.layer + 1 == layers_.size();
      run_layer(layer, layer.vector(turn.vector), turn.layer == 0);
      collect(layer, !last);
      if (last) {
        ends_[done_++] = cycles();
        room_ += most_;
      } else {
        returning_.push_back({turn.vector, turn.layer + 1});
      }
    }
    return done_;
  }

  //! Cycles of each layer so far.
  std::vector<Time> layer_cycles() const { return shares_.until(send_at_); }

  //! Cycles until the last output so far.
  Time cycles() const { return send_at_ - taken_on_; }

  Pes pes;
  Broadcast broadcast;

 private:
  //! A layer of a vector.
  struct Turn {
    std::int64_t vector;
    std::size_t layer;
  };

  static std::size_t places(std::int64_t count) { return static_cast<std::size_t>(count); }

  static std::int64_t words(std::int64_t activations) {
    return (activations + kActivationsPerWord - 1) / kActivationsPerWord;
  }

  //! Whose turn it is, as `control_activations` finds its streams.
  //!
  //! What has come back goes first, in the order in which it was sent; a new vector begins where
  //! nothing has, and `hidden` has room for what all that are under way may leave in it.
  Turn next_turn() {
    const bool back = !returning_.empty();
    const bool fresh = begun_ < count_ && (room_ >= most_ || !back);
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
    room_ -= most_;
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
    send_token();
    pes.begin_run();
  }

  //! `detect_nonzero` sends a token down the tree to every PE.
  void send_token() { detect_nonzero_at_ = broadcast.pass_token(detect_nonzero_at_, pes) + 1; }

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
  std::int64_t* ends_;
  //! Vectors that have begun, and layers of some that wait for what was sent back.
  std::int64_t begun_ = 0;
  std::deque<Turn> returning_;
  //! Words of the longest hidden layer, and those that `hidden` has room for.
  std::int64_t most_ = 0;
  std::int64_t room_;
  //! Turns before it is time for a new vector.
  std::int64_t turns_ = 0;
  Shares shares_;
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
