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

//! A layer as the PEs hold it.
struct Layer {
  std::int64_t columns;
  std::int64_t rows;
  std::int64_t local_rows;
  //! Entries of each PE in each column, shape (columns, pes).
  const std::int32_t* lengths;
};

//! Where each process of the kernel is in time, during one run packet.
//!
//! `NAME_at_` is the cycle that the process NAME has come to.
class Kernel {
 public:
  Kernel(std::size_t pes, std::size_t queue_depth, std::size_t result_depth,
         std::vector<Layer> layers)
      : pes(pes),
        broadcast(pes, queue_depth),
        layer_cycles(layers.size()),
        layers_(std::move(layers)),
        receive_at_(kReceivedBeats),
        tokens_(kStreamDepth),
        vectors_(kStreamDepth),
        commands_(kCommandDepth),
        gather_(pes, result_depth),
        hidden_(kStreamDepth),
        outputs_(kOutputDepth),
        // A cycle later the sender reads the answer's begin, and then sends the header.
        send_at_(receive_at_ + 2 + kHeaderBeats),
        taken_on_(receive_at_) {
    receive();
    control_activations_at_ = tokens_.read(control_activations_at_);
    pass_token();
  }

  //! Take a vector through all layers: for each the activations that it takes.
  void run(const std::int16_t* const* activations) {
    for (std::size_t number = 0; number < layers_.size(); ++number) {
      const Time begin = control_activations_at_;
      const bool last = number + 1 == layers_.size();
      run_layer(layers_[number], activations[number], number == 0, last);
      layer_cycles[number] += (last ? send_at_ : control_activations_at_) - begin;
    }
  }

  //! Cycles until the last output so far.
  Time cycles() const { return send_at_ - taken_on_; }

  std::size_t layers() const { return layers_.size(); }

  Pes pes;
  Broadcast broadcast;
  std::vector<Time> layer_cycles;

 private:
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
