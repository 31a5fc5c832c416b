// What the drivers of single blocks share: stimuli from standard input, results to standard output.
//
// A line of standard input is one of
//   STREAM FIELD...                          an element of an input stream, fields hexadecimal
//   stall STREAM SEED NUMERATOR DENOMINATOR  decimal; see set_stall in simulation/fifo.h
//   run                                      run the block once on what came so far
// A run prints every element of the output streams as `STREAM FIELD...`, and its cycles as
// `cycles CYCLES`. A deadlock or a broken rule is told on standard error.
#pragma once

#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "dataflow.h"
#include "types.h"

namespace driver {

//! An integer of any width: 64 bits a field, lowest first.
template <int kBits>
void read_field(std::istream& line, ap_uint<kBits>& value) {
  value = 0;
  for (int low = 0; low < kBits; low += 64) {
    unsigned long long part = 0;
    line >> std::hex >> part;
    value |= ap_uint<kBits>(part) << low;
  }
}

template <int kBits>
void write_field(std::ostream& line, ap_uint<kBits> value) {
  for (int low = 0; low < kBits; low += 64) {
    const unsigned long long part = ap_uint<64>(value >> low);
    line << ' ' << std::hex << part;
  }
}

// Elements of streams, field by field in the order of their declaration.

template <int kBits>
void read_element(std::istream& line, ap_uint<kBits>& element) {
  read_field(line, element);
}
template <int kBits>
void write_element(std::ostream& line, const ap_uint<kBits>& element) {
  write_field(line, element);
}
inline void read_element(std::istream& line, kernel::axis_t& element) {
  read_field(line, element.data);
  read_field(line, element.last);
}
inline void write_element(std::ostream& line, const kernel::axis_t& element) {
  write_field(line, element.data);
  write_field(line, element.last);
}
inline void read_element(std::istream& line, kernel::Token& element) {
  read_field(line, element.kind);
  read_field(line, element.data);
}
inline void write_element(std::ostream& line, const kernel::Token& element) {
  write_field(line, element.kind);
  write_field(line, element.data);
}
inline void read_element(std::istream& line, kernel::WordToken& element) {
  read_field(line, element.kind);
  read_field(line, element.last);
  read_field(line, element.nonzero);
  read_field(line, element.layer);
  read_field(line, element.address);
  read_field(line, element.data);
}
inline void write_element(std::ostream& line, const kernel::WordToken& element) {
  write_field(line, element.kind);
  write_field(line, element.last);
  write_field(line, element.nonzero);
  write_field(line, element.layer);
  write_field(line, element.address);
  write_field(line, element.data);
}
inline void write_element(std::ostream& line, const kernel::InputWord& element) {
  write_field(line, element.values);
  write_field(line, element.last);
}
inline void write_element(std::ostream& line, const kernel::HiddenWord& element) {
  write_field(line, element.values);
  write_field(line, element.layer);
  write_field(line, element.last);
  write_field(line, element.vector.lane);
  write_field(line, element.vector.start);
  write_field(line, element.vector.output);
  write_field(line, element.final);
}
template <int kBits>
void read_element(std::istream& line, kernel::Results<kBits>& element) {
  read_field(line, element.kind);
  read_field(line, element.values);
}
template <int kBits>
void write_element(std::ostream& line, const kernel::Results<kBits>& element) {
  write_field(line, element.kind);
  write_field(line, element.values);
}
inline void read_element(std::istream& line, kernel::Command& element) {
  read_field(line, element.kind);
  read_field(line, element.words);
  read_field(line, element.keep);
  read_field(line, element.spare);
  read_field(line, element.layer);
  read_field(line, element.out);
  read_field(line, element.back);
  read_field(line, element.final);
  read_field(line, element.vector.lane);
  read_field(line, element.vector.start);
  read_field(line, element.vector.output);
  read_field(line, element.function);
  read_field(line, element.slope);
  read_field(line, element.state);
}
inline void write_element(std::ostream& line, const kernel::Command& element) {
  write_field(line, element.kind);
  write_field(line, element.words);
  write_field(line, element.keep);
  write_field(line, element.spare);
  write_field(line, element.layer);
  write_field(line, element.out);
  write_field(line, element.back);
  write_field(line, element.final);
  write_field(line, element.vector.lane);
  write_field(line, element.vector.start);
  write_field(line, element.vector.output);
  write_field(line, element.function);
  write_field(line, element.slope);
  write_field(line, element.state);
}
inline void read_element(std::istream& line, kernel::Answer& element) {
  read_field(line, element.kind);
  read_field(line, element.sequence);
  read_field(line, element.count);
  read_field(line, element.detail);
  read_field(line, element.layers);
}
inline void write_element(std::ostream& line, const kernel::Answer& element) {
  write_field(line, element.kind);
  write_field(line, element.sequence);
  write_field(line, element.count);
  write_field(line, element.detail);
  write_field(line, element.layers);
}

//! The ports of a block, and the dialogue over them.
class Bench {
 public:
  //! A stream that the block reads.
  template <typename T>
  void input(hls::stream<T>& stream) {
    add(stream);
    feeds_[stream.name()] = [&stream](std::istream& line) {
      T element;
      read_element(line, element);
      stream.write(element);
    };
  }

  //! A stream that the block writes.
  template <typename T>
  void output(hls::stream<T>& stream) {
    add(stream);
    prints_.push_back([&stream] {
      while (!stream.empty()) {
        std::cout << stream.name();
        write_element(std::cout, stream.read());
        std::cout << '\n';
      }
    });
  }

  //! `spawn` adds the block's processes to a region. Returns the program's exit status.
  int run(const std::function<void(simulation::region&)>& spawn) {
    std::string text;
    while (std::getline(std::cin, text)) {
      std::istringstream line(text);
      std::string word;
      line >> word;
      try {
        if (word == "run") {
          run_once(spawn);
        } else if (word == "stall") {
          std::uint64_t seed = 0, numerator = 0, denominator = 0;
          line >> word >> seed >> numerator >> denominator;
          streams_.at(word)->set_stall(seed, numerator, denominator);
        } else {
          feeds_.at(word)(line);
        }
      } catch (const std::exception& stop) {
        std::cerr << text << ": " << stop.what() << '\n';
        return 1;
      }
    }
    return 0;
  }

 private:
  void add(simulation::fifo& stream) {
    stream.set_external();
    streams_[stream.name()] = &stream;
  }

  void run_once(const std::function<void(simulation::region&)>& spawn) {
    simulation::region region("block");
    spawn(region);
    const simulation::cycle_t cycles = region.run();
    for (const auto& print : prints_) print();
    std::cout << "cycles " << std::hex << cycles << '\n';
  }

  std::map<std::string, simulation::fifo*> streams_;
  std::map<std::string, std::function<void(std::istream&)>> feeds_;
  std::vector<std::function<void()>> prints_;
};

}  // namespace driver
