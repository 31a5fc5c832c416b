// What scenarios share: their arguments and output, simple processes, and how a region is run.
#pragma once

#include <hls_stream.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using simulation::cycle_t;
using simulation::end_cycle;
using simulation::now;
using simulation::region;

std::vector<int> arguments;

int argument(std::size_t index) {
  return arguments.at(index);
}

void print(const std::string& key, const std::string& value) {
  std::printf("%s=%s%c", key.c_str(), value.c_str(), '\0');
}

void print(const std::string& key, std::uint64_t value) {
  print(key, std::to_string(value));
}

void print_stats(const hls::stream<int>& stream) {
  const simulation::statistics stats = stream.stats();
  print(stream.name() + ".written", stats.written);
  print(stream.name() + ".read", stats.read);
  print(stream.name() + ".high_water", stats.high_water);
  print(stream.name() + ".writer_waits", stats.writer_waits);
  print(stream.name() + ".reader_waits", stats.reader_waits);
}

void produce(hls::stream<int>& out, int count) {
  for (int i = 0; i < count; ++i) {
    out.write(i);
    end_cycle();
  }
}

void consume(hls::stream<int>& in, int count, int idle_cycles = 0) {
  for (int i = 0; i < count; ++i) {
    if (in.read() != i) throw std::logic_error("elements out of order");
    for (int k = 0; k <= idle_cycles; ++k) end_cycle();
  }
}

void forward(hls::stream<int>& in, hls::stream<int>& out, int count) {
  for (int i = 0; i < count; ++i) {
    out.write(in.read());
    end_cycle();
  }
}

//! Run a region and print how it ended.
void run(region& processes) {
  try {
    print("cycles", processes.run());
  } catch (const simulation::deadlock& e) {
    print("deadlock", e.what());
  } catch (const simulation::leftover& e) {
    print("leftover", e.what());
  } catch (const simulation::process_error& e) {
    print("process_error", e.what());
    try {
      std::rethrow_if_nested(e);
    } catch (const std::exception& nested) {
      print("nested", nested.what());
    }
  } catch (const simulation::error& e) {
    print("error", e.what());
  } catch (const std::logic_error& e) {
    print("logic_error", e.what());
  } catch (int thrown) {
    print("int", std::to_string(thrown));
  }
  print("now", now());
}

}  // namespace
