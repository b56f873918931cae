// Linked into an agent of its own for tests: it dies at the n-th visit of the point that WEIR_CRASH_AT names, "POINT" or
// "POINT:N", at once, as by kill -9.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "agent/base/assert.h"
#include "agent/base/crash_point.h"
#include "firmware-tests/faults/crash_points.h"

namespace weir {
namespace {

struct Wanted {
  std::string_view name;
  long visit = 1;
};

Wanted read_wanted() {
  const char* text = getenv("WEIR_CRASH_AT");
  Wanted wanted{text == nullptr ? "" : text};
  const size_t colon = wanted.name.find(':');
  if (colon == std::string_view::npos) return wanted;
  const std::string_view number = wanted.name.substr(colon + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), wanted.visit);
  WEIR_ASSERT(error == std::errc{} && end == number.data() + number.size() && wanted.visit >= 1);
  wanted.name = wanted.name.substr(0, colon);
  return wanted;
}

bool is_known(std::string_view name) {
  return std::ranges::any_of(test::crash_points, [name](const test::CrashPoint& point) { return point.name == name; });
}

}  // namespace

void crash_point(const char* name) {
  static const Wanted wanted = read_wanted();
  static std::atomic<long> visits{0};
  WEIR_ASSERT(is_known(name) && (wanted.name.empty() || is_known(wanted.name)));
  if (wanted.name != name || ++visits != wanted.visit) return;
  kill(getpid(), SIGKILL);
  // The signal comes before this call returns to the program; no other thread goes on meanwhile but what it was just doing.
  for (;;) pause();
}

}  // namespace weir
