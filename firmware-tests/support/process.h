// Process: a child program with its output in files. It is killed and reaped when the object goes, and by the kernel should
// the test itself die; the kernel ties that to the thread that called start(), so start from a thread that outlives the child.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/status.h"

namespace weir {

/// How a process ended: exit code, or the signal that ended it.
struct ProcessEnd {
  int exit_code = -1;  // -1: a signal ended it
  int signal = 0;
};

struct ProcessOptions {
  std::vector<std::string> arguments{};    // the program first; looked up in PATH if it has no slash
  std::vector<std::string> environment{};  // NAME=VALUE, in addition to our own
  std::string output_path{};               // standard output is appended to this file; empty: /dev/null
  std::string error_path{};                // the same for standard error; may equal output_path
};

class Process {
 public:
  Process() = default;
  ~Process() { kill_and_wait(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Code::Io if it cannot be forked. A program that cannot be executed ends with exit code 127.
  Status start(const ProcessOptions& options);
  /// 0 unless started and not yet reaped.
  pid_t pid() const { return pid_; }
  bool running() { return pid_ != 0 && !wait(0); }
  void signal(int number) const;
  /// How it ended, or nothing if it still runs after `deadline_ms`.
  std::optional<ProcessEnd> wait(int64_t deadline_ms);
  /// SIGKILL, then wait. Harmless if it is gone.
  void kill_and_wait();
  /// What wait() or kill_and_wait() found.
  const std::optional<ProcessEnd>& end() const { return end_; }

 private:
  pid_t pid_ = 0;
  std::optional<ProcessEnd> end_;
};

struct ProcessResult {
  bool finished = false;  // false: killed at the deadline
  ProcessEnd end;
  std::string output;
  std::string error;
};

/// Runs a program to its end and returns what it wrote.
ProcessResult run_process(const std::vector<std::string>& arguments, int64_t deadline_ms = 20'000,
                          const std::vector<std::string>& environment = {});

/// What the kernel says about a running process.
struct ProcessUsage {
  int64_t cpu_us = 0;  // user and system time of all its threads, including those that have ended
  int64_t rss_bytes = 0;
};
std::optional<ProcessUsage> process_usage(pid_t pid);

}  // namespace weir
