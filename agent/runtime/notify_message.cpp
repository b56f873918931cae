#include "agent/runtime/notify_message.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

constexpr int64_t extend_ms_max = 3'600'000;

int64_t extension_ms(std::string_view digits) {
  int64_t microseconds = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), microseconds);
  if (error != std::errc{} || stop != digits.data() + digits.size() || microseconds < 0) return 0;
  return std::min(microseconds / 1000, extend_ms_max);
}

void take_line(std::string_view line, NotifyMessage& message) {
  constexpr std::string_view extend = "EXTEND_TIMEOUT_USEC=";
  constexpr std::string_view status = "STATUS=";
  message.ready |= line == "READY=1";
  message.stopping |= line == "STOPPING=1";
  message.alive |= line == "WATCHDOG=1";
  message.hopeless |= line == "WATCHDOG=trigger";
  if (line.starts_with(extend)) message.extend_ms = extension_ms(line.substr(extend.size()));
  if (line.starts_with(status)) message.status = line.substr(status.size());
}

}  // namespace

NotifyMessage parse_notify_message(std::string_view text) {
  NotifyMessage message;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    take_line(text.substr(0, end), message);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return message;
}

}  // namespace weir
