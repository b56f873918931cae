// What weir-torture is asked to do, from its command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir {

struct TortureOptions {
  uint64_t kills = 50;
  uint64_t seed = 0;  // 0: taken from the clock, and printed
  uint64_t rate = 4000;
  uint64_t keys = 20;
  int64_t seconds = 0;  // 0: until all kills are done
  bool version5 = true;
  bool journal = false;  // ack = "journal"
  std::string agent;
  bool at_points = false;  // the agent dies at crash points, not at random moments
  std::string point;       // those whose names begin so; empty: all that this configuration comes by
};

/// Nothing if the command line is wrong or asks for help; then what is to be said was printed and `exit_code` is set.
std::optional<TortureOptions> parse_torture_options(int count, char** arguments, int& exit_code);

}  // namespace weir
