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
#include "run.h"
#include "shares.h"
#include "turns.h"
#include "words.h"

namespace model {

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
        plan_(layers_, order_),
        abreast_(design.abreast),
        block_words_(design.block_words),
        groups_((order.vectors + design.abreast - 1) / design.abreast),
        longest_(order.longest * design.abreast),
        busy_(places(std::max<std::int64_t>(order.lanes, 1))),
        room_(std::max(design.hidden_words, longest_)),
        receive_at_(kReceivedBeats),
        tokens_(kStreamDepth),
        inputs_(kInputDepth),
        words_(design.abreast > 1),
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

  //! Go on for at most `turns` turns; gives how many vectors are done.
  std::int64_t advance(std::int64_t turns) {
    for (; turns > 0 && done_ < groups_; --turns) {
      const Turn turn = next_turn();
      if (turn.finishes) {
        hold_words(turn, 1);
      } else {
        shares.begin(turn.layer, control_activations_at_);
        for (std::size_t layer = turn.layer; layer <= turn.last; ++layer) run_layer(layer, turn);
        collect(layers_[turn.last], turn);
      }
      if (turn.ends()) {
        ++done_;
        room_ += longest_;
        freed_room_ = longest_;
        freed_lane_ = plan_.lane(turn.vector);
        // An iteration hears of it, and the one behind that knows.
        freed_at_ = control_activations_at_ + 1;
        busy_[places(std::max<std::int64_t>(freed_lane_, 0))] = false;
      } else {
        returning_.push_back({turn.vector, turn.last});
      }
    }
    return std::min(done_ * abreast_, order_.vectors);
  }

  //! All vectors are done.
  void end() {
    shares.end(send_at_);
    // The loop's last iteration hears that the last vector has ended.
    if (order_.vectors != 0) control_activations_at_ += 1;
    // `control_activations` says that there are no more layers.
    control_activations_at_ = words_.write(control_activations_at_) + 1;
    words_.pass(detect_nonzero_at_);
    send_token(false);
    pes.end_run();
  }

  //! Cycles until the last output so far.
  Time cycles() const { return send_at_ - taken_on_; }

  Pes pes;
  Broadcast broadcast;
  Shares shares;

 private:
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
    if (begun_ < groups_ && next_is_known(back, at_back)) {
      const std::int64_t its_lane = plan_.lane(begun_);
      const bool free = its_lane < 0 || !busy_[places(its_lane)];
      fresh = room_ >= longest_ && free;
      if (fresh) {
        receive_word(layers_[0].columns, true);
        at_fresh = std::max({inputs_.readable(), control_activations_at_, known_at_});
        if (room_ - freed_room_ < longest_ || (its_lane >= 0 && its_lane == freed_lane_))
          at_fresh = std::max(at_fresh, freed_at_);
      }
    }
    // In the same cycle, a new vector has precedence only when it is time for it.
    const Time lead = hidden_turns_ != 0 ? 0 : 1;
    if (back && (!fresh || at_back + lead <= at_fresh)) {
      begin_turn(at_back);
      hidden_turns_ = std::max<std::int64_t>(hidden_turns_ - 1, 0);
      const Turn turn = plan_.behind(returning_.front());
      returning_.pop_front();
      poll_tag();
      return turn;
    }
    begin_turn(at_fresh);
    room_ -= longest_;
    hidden_turns_ = order_.hidden_layers;
    if (order_.lanes != 0) busy_[places(plan_.lane(begun_))] = true;
    return plan_.first(begun_++);
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
    control_activations_at_ = words_.write(tokens_.read(control_activations_at_)) + 1;
    words_.pass(detect_nonzero_at_);
    send_token(false);
    pes.begin_run();
  }

  //! `detect_nonzero` sends a token down the tree to every PE.
  void send_token(bool in_layer = true) {
    detect_nonzero_at_ = broadcast.pass_token(detect_nonzero_at_, pes, in_layer) + 1;
  }

  //! What arrives is only held; or dropped, in a load that no packer makes.
  void hold_words(const Turn& turn, std::int64_t vectors) {
    for (std::int64_t left = turn.arriving * vectors; left > 0; --left) {
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

  //! Vectors of a group: of the last one what is left.
  std::int64_t vectors_of(std::int64_t group) const {
    return std::min(abreast_, order_.vectors - group * abreast_);
  }

  void run_layer(std::size_t number, const Turn& turn) {
    const Layer& layer = layers_[number];
    const std::int64_t vectors = vectors_of(turn.vector);
    bool arrives = number == turn.layer;
    if (arrives && layer.takes_held != 0) {
      hold_words(turn, vectors);
      arrives = false;
    }
    if (!arrives) settle();
    GroupOrder order(words_of(layer.columns), vectors, block_words_);
    for (bool first = true; order.more(); first = false) {
      const std::int64_t start = order.at().word * kActivationsPerWord;
      const std::int64_t stop = std::min(start + kActivationsPerWord, layer.columns);
      const bool completes = order.completes();
      const bool last = completes && stop == layer.columns;
      Time at = control_activations_at_;
      if (!arrives) {
        poll_tag();
      } else if (turn.from_packet) {
        receive_word(stop - start, first);
        at = inputs_.read(at);
      } else {
        poll_tag();
        at = hidden_.read(at);
      }
      Time written = words_.write(at);
      if (last && layer.accumulates == 0) written = commands_.write(written);
      settling_ = arrives && turn.holds ? kHeldLatency : std::max<Time>(0, settling_ - 1);
      control_activations_at_ = written + 1;
      if (words_.pass(detect_nonzero_at_, completes)) {
        search(layer, layer.group(turn.vector), start, stop, last);
      }
      order.advance();
    }
  }

  //! `detect_nonzero` sends the columns of a word that are not zero, and the end of a layer.
  void search(const Layer& layer, const std::int16_t* values, std::int64_t start, std::int64_t stop,
              bool last) {
    const auto count = static_cast<std::int64_t>(pes.fetch.size());
    // A token stays behind until the next is found: the layer's last one says so.
    const std::int32_t* found = nullptr;
    bool nonzero = false;
    for (std::int64_t column = start; column < stop; ++column) {
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

  //! Results of a layer through the gather tree, and a cell, to their place.
  void collect(const Layer& layer, const Turn& turn) {
    const std::int64_t keep = words_of(layer.results);
    const std::int64_t vectors = vectors_of(turn.vector);
    const auto pes_count = static_cast<std::int64_t>(pes.fetch.size());
    const std::int64_t expected = layer.local_rows * pes_count / kActivationsPerWord;
    if (has_cell_) {
      cell_.begin(commands_, layer.function != 0, layer.recurrent != 0, expected, keep);
    }
    collect_at_ = (has_cell_ ? cell_.commands : commands_).read(collect_at_) + 1;
    const std::int64_t beats = (layer.results + kActivationsPerBeat - 1) / kActivationsPerBeat;
    const auto read_word = [this](Time time) { return gather_.read_word(time); };
    GroupOrder order(expected, vectors, block_words_);
    pes.begin_rows();
    for (std::int64_t row = 0; row < layer.local_rows * vectors; ++row) {
      pes.write_row(gather_);
      for (std::size_t ready = gather_.words_ready(); ready != 0; --ready) {
        if (has_cell_) {
          if (!cell_.take_word(read_word)) continue;
          collect_at_ = cell_.words.read(collect_at_);
        } else {
          collect_at_ = read_word(collect_at_);
        }
        const std::int64_t word = order.at().word;
        if (word < keep && turn.back) collect_at_ = hidden_.write(collect_at_);
        if (word < keep && turn.out) {
          collect_at_ = outputs_.write(collect_at_);
          const std::int64_t in_word = std::min(kBeatsPerWord, beats - word * kBeatsPerWord);
          send_at_ = outputs_.read(send_at_) + in_word;
        }
        collect_at_ += 1;
        order.advance();
      }
    }
    pes.end_rows(layer.local_rows * vectors);
  }

  std::vector<Layer> layers_;
  Order order_;
  TurnPlan plan_;
  //! Vectors of a group, words of a vector that travel together in it, and groups of the run.
  std::int64_t abreast_;
  std::int64_t block_words_;
  std::int64_t groups_;
  //! Words of a group's longest results that come back.
  std::int64_t longest_;
  //! Vectors or groups that are done, that have begun, and whose tags were read, the last in cycle
  //! known_at_ less one; and layers whose results wait for their turn.
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
  Words words_;
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
