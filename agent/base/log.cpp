#include "agent/base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>

namespace weir {
namespace {

std::atomic<LogLevel> threshold{LogLevel::Info};
std::atomic<bool> for_terminal{false};

const char* prefix(LogLevel level) {
  bool terminal = for_terminal.load(std::memory_order_relaxed);
  switch (level) {
    case LogLevel::Error:
      return terminal ? "error: " : "<3>";
    case LogLevel::Warning:
      return terminal ? "warning: " : "<4>";
    case LogLevel::Notice:
      return terminal ? "" : "<5>";
    case LogLevel::Info:
      return terminal ? "" : "<6>";
    case LogLevel::Debug:
      return terminal ? "debug: " : "<7>";
  }
  return "";
}

}  // namespace

void set_log_level(LogLevel level) { threshold.store(level, std::memory_order_relaxed); }

LogLevel log_level_named(std::string_view name) {
  if (name == "error") return LogLevel::Error;
  if (name == "warning") return LogLevel::Warning;
  if (name == "notice") return LogLevel::Notice;
  if (name == "debug") return LogLevel::Debug;
  return LogLevel::Info;
}

void set_log_for_terminal(bool terminal) { for_terminal.store(terminal, std::memory_order_relaxed); }

void log(LogLevel level, const char* format, ...) {
  if (level > threshold.load(std::memory_order_relaxed)) return;
  char line[1024];
  int length = snprintf(line, sizeof line, "%s", prefix(level));
  va_list arguments;
  va_start(arguments, format);
  int added = vsnprintf(line + length, sizeof line - static_cast<size_t>(length) - 1, format, arguments);
  va_end(arguments);
  if (added < 0) return;
  length += added;
  if (static_cast<size_t>(length) > sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  if (write(STDERR_FILENO, line, static_cast<size_t>(length)) < 0) {
    // Standard error is gone; there is nowhere left to say so.
  }
}

}  // namespace weir
