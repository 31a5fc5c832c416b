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
#include "cell.h"
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
  //! Units of the cell; 0 where there is none.
  std::int64_t cell_units;
};

//! A layer of a run as the accelerator holds it, and what it takes.
struct Layer {
  std::int64_t columns;
  std::int64_t rows;
  std::int64_t results;
  std::int64_t local_rows;
  //! Whether the next layer adds to its sums, whether it takes held words, whether what arrives for
  //! it is held, and whether it is recurrent.
  std::int64_t accumulates;
  std::int64_t takes_held;
  std::int64_t holds;
  std::int64_t recurrent;
  //! Whether its results go through a function of the cell.
  std::int64_t function;
  //! Entries of each PE in each column, shape (columns, pes).
  const std::int32_t* lengths;
  //! Activations of the first vector, and how many further on each next vector's are.
  const std::int16_t* activations;
  std::int64_t stride;

  const std::int16_t* vector(std::int64_t number) const { return activations + number * stride; }
};

//! What a run is to do with its vectors.
struct Order {
  std::int64_t vectors;
  //! Lanes that vectors have; 0 if nothing is held.
  std::int64_t lanes;
  //! Words of the longest results that come back, and layers of the network whose results do.
  std::int64_t longest;
  std::int64_t hidden_layers;
  //! The last recurrent layer of those of the run; -1 if there is none.
  std::int64_t last_recurrent;
  //! Lane of each vector, and whether it gives an output; null without tags.
  const std::int64_t* lane_of;
  const std::uint8_t* gives;
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
  Kernel(const Design& design, std::vector<Layer> layers, const Order& order)
      : pes(places(design.pes), places(design.queue_depth), design.write_latency),
        broadcast(places(design.pes)),
        shares(layers.size()),
        layers_(std::move(layers)),
        order_(order),
        busy_(places(std::max<std::int64_t>(order.lanes, 1))),
        room_(std::max(design.hidden_words, order.longest)),
        receive_at_(kReceivedBeats),
        tokens_(kStreamDepth),
        inputs_(kInputDepth),
        vectors_(kStreamDepth),
        commands_(kCommandDepth),
        gather_(places(design.pes), places(design.result_depth)),
        has_cell_(design.cell_units != 0),
        cell_(std::max<std::int64_t>(design.cell_units, 1)),
        hidden_(places(room_)),
        outputs_(kOutputDepth),
        // A cycle later the sender reads the answer's begin, and then sends the header.
        send_at_(receive_at_ + 2 + kHeaderBeats),
        taken_on_(receive_at_) {
    receive_at_ = tokens_.write(receive_at_) + 1;
    begin_run();
  }

  //! Go on for at most `turns` turns of a vector; gives how many vectors are done.
  std::int64_t advance(std::int64_t turns) {
    for (; turns > 0 && done_ < order_.vectors; --turns) {
      const Turn turn = next_turn();
      if (turn.finishes) {
        hold_words(turn);
      } else {
        shares.begin(turn.layer, control_activations_at_);
        for (std::size_t layer = turn.layer; layer <= turn.last; ++layer) run_layer(layer, turn);
        collect(layers_[turn.last], turn);
      }
      if (turn.ends()) {
        ++done_;
        room_ += order_.longest;
        freed_room_ = order_.longest;
        freed_lane_ = lane(turn.vector);
        // An iteration hears of it, and the one behind that knows.
        freed_at_ = control_activations_at_ + 1;
        busy_[places(std::max<std::int64_t>(freed_lane_, 0))] = false;
      } else {
        returning_.push_back({turn.vector, turn.last});
      }
    }
    return done_;
  }

  //! All vectors are done.
  void end() {
    shares.end(send_at_);
    // The loop's last iteration hears that the last vector has ended.
    if (order_.vectors != 0) control_activations_at_ += 1;
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
  //! A vector's turn: hls/model/turns.py.
  struct Turn {
    std::int64_t vector;
    std::size_t layer;
    std::size_t last;
    bool from_packet;
    std::int64_t arriving;
    bool holds;
    bool finishes;
    bool out;
    bool back;

    bool ends() const { return finishes || !back; }
  };

  //! A layer whose results come back, and whose vector's they are.
  struct Returning {
    std::int64_t vector;
    std::size_t layer;
  };

  static std::size_t places(std::int64_t count) { return static_cast<std::size_t>(count); }

  static std::int64_t words(std::int64_t activations) {
    return (activations + kActivationsPerWord - 1) / kActivationsPerWord;
  }

  //! The lane of a vector; -1 where there are none.
  std::int64_t lane(std::int64_t vector) const {
    if (order_.lanes == 0) return -1;
    return order_.lane_of == nullptr ? vector % order_.lanes : order_.lane_of[vector];
  }

  bool gives(std::int64_t vector) const {
    return order_.gives == nullptr || order_.gives[vector] != 0;
  }

  //! The turn of a vector from the packet.
  Turn first_turn(std::int64_t vector) const {
    return turn_of(vector, 0, true, words(layers_[0].columns));
  }

  //! The turn of what a layer gave.
  Turn turn_behind(const Returning& back) const {
    const std::size_t end = end_of(back.vector);
    const std::int64_t arriving = words(layers_[back.layer].results);
    if (back.layer == end) {
      return {back.vector, end, end, false, arriving, true, true, false, false};
    }
    return turn_of(back.vector, back.layer + 1, false, arriving);
  }

  //! The layer with which a vector ends.
  std::size_t end_of(std::int64_t vector) const {
    return gives(vector) ? layers_.size() - 1 : places(order_.last_recurrent);
  }

  Turn turn_of(std::int64_t vector, std::size_t layer, bool from_packet,
               std::int64_t arriving) const {
    std::size_t last = layer;
    while (layers_[last].accumulates != 0) ++last;
    const bool out = gives(vector) && last + 1 == layers_.size();
    const bool back = last != end_of(vector) || layers_[last].recurrent != 0;
    const bool holds = layers_[layer].holds != 0;
    return {vector, layer, last, from_packet, arriving, holds, false, out, back};
  }

  //! Whose turn it is, as `control_activations` finds its streams.
  //!
  //! What has come back goes on in the order in which it was sent. A new vector begins when it is
  //! time for it or nothing has come back, if `hidden` has room for what it may leave there and no
  //! other vector has its lane.
  Turn next_turn() {
    const bool back = !returning_.empty();
    const Time at_back = back ? std::max(hidden_.readable(), control_activations_at_) : 0;
    bool fresh = false;
    Time at_fresh = 0;
    if (begun_ < order_.vectors && next_is_known(back, at_back)) {
      const std::int64_t its_lane = lane(begun_);
      const bool free = its_lane < 0 || !busy_[places(its_lane)];
      fresh = room_ >= order_.longest && free;
      if (fresh) {
        receive_word(layers_[0].columns, true);
        at_fresh = std::max({inputs_.readable(), control_activations_at_, known_at_});
        if (room_ - freed_room_ < order_.longest || (its_lane >= 0 && its_lane == freed_lane_))
          at_fresh = std::max(at_fresh, freed_at_);
      }
    }
    // In the same cycle, a new vector has precedence only when it is time for it.
    const Time lead = hidden_turns_ != 0 ? 0 : 1;
    if (back && (!fresh || at_back + lead <= at_fresh)) {
      begin_turn(at_back);
      hidden_turns_ = std::max<std::int64_t>(hidden_turns_ - 1, 0);
      const Turn turn = turn_behind(returning_.front());
      returning_.pop_front();
      poll_tag();
      return turn;
    }
    begin_turn(at_fresh);
    room_ -= order_.longest;
    hidden_turns_ = order_.hidden_layers;
    if (order_.lanes != 0) busy_[places(lane(begun_))] = true;
    return first_turn(begun_++);
  }

  //! Iterations until cycle `at` have found nothing to do.
  void begin_turn(Time at) {
    settling_ = std::max<Time>(0, settling_ - (at - control_activations_at_));
    control_activations_at_ = at;
  }

  //! Whether the next vector's tag is read before what comes back in cycle `at_back`.
  bool next_is_known(bool back, Time at_back) {
    if (order_.lane_of == nullptr || known_ > begun_) return true;
    receive_tag();
    const Time at = std::max(inputs_.readable(), control_activations_at_);
    if (back && at_back < at) return false;
    read_tag(at);
    return true;
  }

  //! An iteration that takes no word of the packet takes the next tag, if it is there.
  void poll_tag() {
    if (order_.lane_of == nullptr || known_ > begun_ || begun_ == order_.vectors) return;
    receive_tag();
    if (inputs_.readable() <= control_activations_at_) read_tag(control_activations_at_);
  }

  void read_tag(Time at) {
    inputs_.read(at);
    known_ = begun_ + 1;
    known_at_ = at + 1;
  }

  //! The receiver passes a tag on, unless it has.
  void receive_tag() {
    if (!inputs_.holds_one()) receive_at_ = inputs_.write(receive_at_) + 1;
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

  //! What arrives is only held; or dropped, in a load that no packer makes.
  void hold_words(const Turn& turn) {
    for (std::int64_t left = turn.arriving; left > 0; --left) {
      poll_tag();
      control_activations_at_ = hidden_.read(control_activations_at_) + 1;
      settling_ = turn.holds ? kHeldLatency : std::max<Time>(0, settling_ - 1);
    }
  }

  //! Wait until what is held may be read.
  void settle() {
    for (; settling_ > 0; --settling_) {
      poll_tag();
      control_activations_at_ += 1;
    }
  }

  void run_layer(std::size_t number, const Turn& turn) {
    const Layer& layer = layers_[number];
    const std::int16_t* values = layer.vector(turn.vector);
    const auto count = static_cast<std::int64_t>(pes.fetch.size());
    bool arrives = number == turn.layer;
    if (arrives && layer.takes_held != 0) {
      hold_words(turn);
      arrives = false;
    }
    if (!arrives) settle();
    for (std::int64_t start = 0; start < layer.columns; start += kActivationsPerWord) {
      const std::int64_t lanes = std::min(layer.columns - start, kActivationsPerWord);
      const bool last = start + lanes == layer.columns;
      Time at = control_activations_at_;
      if (!arrives) {
        poll_tag();
      } else if (turn.from_packet) {
        receive_word(lanes, start == 0);
        at = inputs_.read(at);
      } else {
        poll_tag();
        at = hidden_.read(at);
      }
      Time written = vectors_.write(at);
      if (last && layer.accumulates == 0) written = commands_.write(written);
      settling_ = arrives && turn.holds ? kHeldLatency : std::max<Time>(0, settling_ - 1);
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
        pes.end_layer(found, layer.accumulates != 0);
      } else if (nonzero) {
        send_token();
        pes.take_activation(found);
      } else {
        detect_nonzero_at_ += 1;
      }
    }
  }

  //! Results of a layer through the gather tree, and a cell, to their place.
  void collect(const Layer& layer, const Turn& turn) {
    const std::int64_t keep = words(layer.results);
    if (has_cell_) {
      const auto pes_count = static_cast<std::int64_t>(pes.fetch.size());
      cell_.begin(commands_, layer.function != 0, layer.recurrent != 0,
                  layer.local_rows * pes_count / kActivationsPerWord, keep);
    }
    collect_at_ = (has_cell_ ? cell_.commands : commands_).read(collect_at_) + 1;
    const std::int64_t beats = (layer.results + kActivationsPerBeat - 1) / kActivationsPerBeat;
    const auto read_word = [this](Time time) { return gather_.read_word(time); };
    std::int64_t word = 0;
    pes.begin_rows();
    for (std::int64_t row = 0; row < layer.local_rows; ++row) {
      pes.write_row(gather_);
      for (std::size_t ready = gather_.words_ready(); ready != 0; --ready) {
        if (has_cell_) {
          if (!cell_.take_word(read_word)) continue;
          collect_at_ = cell_.words.read(collect_at_);
        } else {
          collect_at_ = read_word(collect_at_);
        }
        if (word < keep && turn.back) collect_at_ = hidden_.write(collect_at_);
        if (word < keep && turn.out) {
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
  Order order_;
  //! Vectors that are done, that have begun, and whose tags were read, the last in cycle known_at_
  //! less one; and layers whose results wait for their turn.
  std::int64_t done_ = 0;
  std::int64_t begun_ = 0;
  std::int64_t known_ = 0;
  Time known_at_ = 0;
  std::deque<Returning> returning_;
  //! Lanes with a vector under way.
  std::vector<bool> busy_;
  //! Words that `hidden` has room for; a design that is too small is counted as if it held the
  //! longest vector.
  std::int64_t room_;
  //! What the vector that ended last has freed, and from when on that is known.
  std::int64_t freed_room_ = 0;
  std::int64_t freed_lane_ = -1;
  Time freed_at_ = 0;
  //! Turns before it is time for a new vector.
  std::int64_t hidden_turns_ = 0;
  //! Iterations until what was held last may be read.
  Time settling_ = 0;
  Time receive_at_;
  Stream tokens_;
  Stream inputs_;
  Time control_activations_at_ = 0;
  Stream vectors_;
  Stream commands_;
  Time detect_nonzero_at_ = 0;
  Gather gather_;
  bool has_cell_;
  Cell cell_;
  Time collect_at_ = 0;
  Stream hidden_;
  Stream outputs_;
  Time send_at_;
  Time taken_on_;
};

}  // namespace model
