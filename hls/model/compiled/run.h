// What decides the cycles of a run: the design, the layers with what they take, and the order.
#pragma once

#include <cstdint>

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
  //! Vectors of a group, and words of a vector that travel together in it.
  std::int64_t abreast;
  std::int64_t block_words;
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
  //! What is not zero in the activations of the first group's vectors, and how many further on each
  //! next group's are. Of vectors one by one these are the activations.
  const std::int16_t* activations;
  std::int64_t stride;

  const std::int16_t* group(std::int64_t number) const { return activations + number * stride; }
};

//! What a run is to do with its vectors.
struct Order {
  std::int64_t vectors;
  //! Lanes that groups have; 0 if nothing is held.
  std::int64_t lanes;
  //! Words of a vector's longest results that come back, and layers of the network whose results
  //! do.
  std::int64_t longest;
  std::int64_t hidden_layers;
  //! The last recurrent layer of those of the run; -1 if there is none.
  std::int64_t last_recurrent;
  //! Lane of each vector, and whether it gives an output; null without tags. With tags vectors go
  //! one by one.
  const std::int64_t* lane_of;
  const std::uint8_t* gives;
};

}  // namespace model
