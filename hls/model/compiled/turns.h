// Which layers of a vector, or of a group of them, go out together: hls/model/turns.py, in C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "constants.h"
#include "run.h"

namespace model {

inline std::size_t places(std::int64_t count) {
  return static_cast<std::size_t>(count);
}

inline std::int64_t words_of(std::int64_t activations) {
  return (activations + kActivationsPerWord - 1) / kActivationsPerWord;
}

//! The turn of a vector or a group; `arriving` are words of one vector.
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

//! A layer whose results come back, and whose they are.
struct Returning {
  std::int64_t vector;
  std::size_t layer;
};

//! The turns of each vector or group of a run. Layers and order must live as long.
class TurnPlan {
 public:
  TurnPlan(const std::vector<Layer>& layers, const Order& order) : layers_(layers), order_(order) {}

  //! The lane; -1 where there are none.
  std::int64_t lane(std::int64_t vector) const {
    if (order_.lanes == 0) return -1;
    return order_.lane_of == nullptr ? vector % order_.lanes : order_.lane_of[vector];
  }

  //! The turn of what comes from the packet.
  Turn first(std::int64_t vector) const {
    return turn_of(vector, 0, true, words_of(layers_[0].columns));
  }

  //! The turn of what a layer gave.
  Turn behind(const Returning& back) const {
    const std::size_t end = end_of(back.vector);
    const std::int64_t arriving = words_of(layers_[back.layer].results);
    if (back.layer == end) {
      return {back.vector, end, end, false, arriving, true, true, false, false};
    }
    return turn_of(back.vector, back.layer + 1, false, arriving);
  }

 private:
  bool gives(std::int64_t vector) const {
    return order_.gives == nullptr || order_.gives[vector] != 0;
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

  const std::vector<Layer>& layers_;
  const Order& order_;
};

}  // namespace model
