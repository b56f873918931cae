// The log: one line per event on standard error, with the level prefixes that journald understands (<3> error to <7>
// debug). Formatted in a fixed buffer, written with one write(2): no heap, safe from any thread. Log at the place that
// decides, once.
#pragma once

#include <string_view>

namespace weir {

enum class LogLevel { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };

/// Lines above this level are dropped. Info at the start.
void set_log_level(LogLevel level);
/// "error", "warning", "notice", "debug"; anything else is Info.
LogLevel log_level_named(std::string_view name);
/// With a terminal on standard error the prefix becomes a word instead of "<6>". Called once at start.
void set_log_for_terminal(bool terminal);

[[gnu::format(printf, 2, 3)]] void log(LogLevel level, const char* format, ...);

}  // namespace weir
