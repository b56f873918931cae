// weir-torture as a program that tests run, and the figures of its last line.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "firmware-tests/support/process.h"

namespace weir {

constexpr const char* torture_program = WEIR_BINARY_DIR "/weir-torture";
constexpr int64_t torture_deadline_ms = 150'000;

struct TortureResult {
  ProcessResult process;
  uint64_t sent = 0;
  uint64_t applied = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t kills = 0;
  uint64_t seed = 0;
  bool told = false;  // the last line has the promised form
};

inline TortureResult run_torture(const std::vector<std::string>& options) {
  std::vector<std::string> arguments{torture_program};
  arguments.insert(arguments.end(), options.begin(), options.end());
  TortureResult result;
  result.process = run_process(arguments, torture_deadline_ms);
  const size_t last_line = result.process.output.rfind("sent=");
  if (last_line == std::string::npos) return result;
  char end = 0;
  result.told =
      sscanf(result.process.output.c_str() + last_line,
             "sent=%" SCNu64 " applied=%" SCNu64 " lost=%" SCNu64 " duplicated=%" SCNu64 " kills=%" SCNu64 " seed=%" SCNu64
             "%c",
             &result.sent, &result.applied, &result.lost, &result.duplicated, &result.kills, &result.seed, &end) == 7 &&
      end == '\n' && result.process.output.ends_with("\n");
  return result;
}

/// What torture said, for a failure's message.
inline const char* said(const TortureResult& result) { return result.process.output.c_str(); }

}  // namespace weir
