// Cycles of a run on the generated kernel: hls/model/cycles.py, process by process.
//
// The numpy model is the specification, and names and order here are its own; tests compare the two
// with `==`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

//! Where each process of the kernel is in time, during one run packet.
//!
//! `NAME_at_` is the cycle that the process NAME has come to.
class Kernel {
 public:
  //! A run of `vectors` vectors; `ends` takes the cycles until the last output of each.
  Kernel(const Design& design, std::vector<Layer> layers, std::int64_t vectors, std::int64_t* ends)
      : pes(places(design.pes)),
        broadcast(places(design.pes), places(design.queue_depth)),
        layer_cycles(layers.size()),
        layers_(std::move(layers)),
        count_(vectors),
        ends_(ends),
        receive_at_(kReceivedBeats),
        tokens_(kStreamDepth),
        vectors_(kStreamDepth),
        commands_(kCommandDepth),
        gather_(places(design.pes), places(design.result_depth)),
        hidden_(kStreamDepth),
        outputs_(kOutputDepth),
        // A cycle later the sender reads the answer's begin, and then sends the header.
        send_at_(receive_at_ + 2 + kHeaderBeats),
        taken_on_(receive_at_) {
    receive();
    control_activations_at_ = tokens_.read(control_activations_at_);
    pass_token();
  }

  //! Go on for at most `turns` layers of a vector; gives how many vectors are done.
  std::int64_t advance(std::int64_t turns) {
    for (; turns > 0 && done_ < count_; --turns) {
      const Time begin = control_activations_at_;
      const Layer& layer = layers_[layer_];
      const bool last = layer_ + 1 == layers_.size();
      run_layer(layer, layer.vector(done_), layer_ == 0, last);
      layer_cycles[layer_] += (last ? send_at_ : control_activations_at_) - begin;
      layer_ = last ? 0 : layer_ + 1;
      if (last) ends_[done_++] = cycles();
    }
    return done_;
  }

  //! Cycles until the last output so far.
  Time cycles() const { return send_at_ - taken_on_; }

  Pes pes;
  Broadcast broadcast;
  std::vector<Time> layer_cycles;

 private:
  static std::size_t places(std::int64_t count) { return static_cast<std::size_t>(count); }

  void receive() { receive_at_ = tokens_.write(receive_at_) + 1; }

  //! `control_activations` sends a token, which every process down to the PEs passes on.
  void pass_token() {
    control_activations_at_ = vectors_.write(control_activations_at_) + 1;
    detect_nonzero_at_ = vectors_.read(detect_nonzero_at_);
    send_token();
    pes.take_token();
  }

  //! `detect_nonzero` sends a token down the tree to every PE.
  void send_token() { detect_nonzero_at_ = broadcast.pass_token(detect_nonzero_at_, pes) + 1; }

  void run_layer(const Layer& layer, const std::int16_t* values, bool first, bool last) {
    pass_token();  // the layer's begin
    const std::size_t count = pes.fetch.size();
    for (std::int64_t start = 0; start < layer.columns; start += kActivationsPerWord) {
      const std::int64_t lanes = std::min(layer.columns - start, kActivationsPerWord);
      send_word(lanes, first);
      detect_nonzero_at_ = vectors_.read(detect_nonzero_at_);
      bool nonzero = false;
      for (std::int64_t column = start; column < start + lanes; ++column) {
        if (values[column] == 0) continue;
        nonzero = true;
        send_token();
        pes.take_activation(layer.lengths + column * static_cast<std::int64_t>(count));
      }
      if (!nonzero) detect_nonzero_at_ += 1;
    }
    // The layer's end, and in the same cycle the command to `collect`.
    const Time written = vectors_.write(control_activations_at_);
    detect_nonzero_at_ = vectors_.read(detect_nonzero_at_);
    send_token();
    pes.take_layer_end();
    control_activations_at_ = commands_.write(written) + 1;
    collect(layer, !last);
  }

  //! `control_activations` sends a word: the packet's, a beat a cycle, or a memory's.
  void send_word(std::int64_t activations, bool from_packet) {
    if (from_packet) {
      for (std::int64_t lane = 0; lane < activations; lane += kActivationsPerBeat) {
        receive();
        if (lane != 0) control_activations_at_ += 1;
        control_activations_at_ = tokens_.read(control_activations_at_);
      }
    }
    control_activations_at_ = vectors_.write(control_activations_at_) + 1;
  }

  //! Results of a layer through the gather tree to their place.
  void collect(const Layer& layer, bool to_hidden) {
    collect_at_ = commands_.read(collect_at_) + 1;
    const std::int64_t keep = (layer.rows + kActivationsPerWord - 1) / kActivationsPerWord;
    const std::int64_t beats = (layer.rows + kActivationsPerBeat - 1) / kActivationsPerBeat;
    std::int64_t word = 0;
    for (std::int64_t row = 0; row < layer.local_rows; ++row) {
      pes.write_back(gather_);
      for (std::size_t ready = gather_.words_ready(); ready != 0; --ready) {
        collect_at_ = gather_.read_word(collect_at_);
        if (word < keep && to_hidden) {
          collect_at_ = hidden_.write(collect_at_);
          control_activations_at_ = hidden_.read(control_activations_at_) + 1;
        } else if (word < keep) {
          collect_at_ = outputs_.write(collect_at_);
          const std::int64_t in_word = std::min(kBeatsPerWord, beats - word * kBeatsPerWord);
          send_at_ = outputs_.read(send_at_) + in_word;
        }
        collect_at_ += 1;
        word += 1;
      }
    }
  }

  std::vector<Layer> layers_;
  //! Vectors of the run, and those that are done.
  std::int64_t count_;
  std::int64_t done_ = 0;
  std::int64_t* ends_;
  //! The layer whose turn it is.
  std::size_t layer_ = 0;
  Time receive_at_;
  Stream tokens_;
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
