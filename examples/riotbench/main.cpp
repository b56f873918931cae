// Prints readings for the RIoTBench configurations: `weir-riotbench-data [COUNT [SEED]]`, one JSON line each.
#include <cstdio>
#include <cstdlib>

#include "examples/riotbench/readings.h"

int main(int count, char** arguments) {
  const uint64_t lines = count > 1 ? strtoull(arguments[1], nullptr, 10) : 10'000;
  weir::riotbench::Readings readings(count > 2 ? strtoull(arguments[2], nullptr, 10) : 1);
  for (uint64_t line = 0; line < lines; ++line) puts(weir::riotbench::json(readings.next()).c_str());
  return 0;
}
