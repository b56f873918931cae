#include "firmware-tests/support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"
#include "firmware-tests/support/wait.h"

namespace weir {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// Our environment with `added` in front, so that the added value of a name is the one that getenv finds.
std::vector<char*> environment_with(const std::vector<std::string>& added) {
  std::vector<char*> result = pointers(added);
  result.pop_back();
  for (char** entry = environ; *entry != nullptr; ++entry) result.push_back(*entry);
  result.push_back(nullptr);
  return result;
}

const char* path_or_null_device(const std::string& path) { return path.empty() ? "/dev/null" : path.c_str(); }

/// Between fork and exec only async-signal-safe calls are allowed: other threads may hold locks.
[[noreturn]] void become(char** arguments, char** environment, const char* output, const char* error, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A group of its own: Ctrl-C at the terminal is for us; what becomes of the child is our decision.
  setpgid(0, 0);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int err = open(error, O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  for (int fd = 3; fd < 1024; ++fd) close(fd);
  execvpe(arguments[0], arguments, environment);
  _exit(127);
}

ProcessEnd end_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {-1, WTERMSIG(wait_status)};
  return {WEXITSTATUS(wait_status), 0};
}

}  // namespace

Status Process::start(const ProcessOptions& options) {
  WEIR_ASSERT(pid_ == 0 && !options.arguments.empty());
  end_.reset();
  std::vector<char*> arguments = pointers(options.arguments);
  std::vector<char*> environment = environment_with(options.environment);
  const char* output = path_or_null_device(options.output_path);
  const char* error = path_or_null_device(options.error_path);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return {Code::Io, "fork failed", errno};
  if (child == 0) become(arguments.data(), environment.data(), output, error, parent);
  pid_ = child;
  return {};
}

void Process::signal(int number) const {
  if (pid_ != 0) ::kill(pid_, number);
}

std::optional<ProcessEnd> Process::wait(int64_t deadline_ms) {
  if (pid_ == 0) return end_;
  int wait_status = 0;
  const bool ended = eventually(
      deadline_ms, [&] { return waitpid(pid_, &wait_status, WNOHANG) == pid_; }, 1);
  if (!ended) return std::nullopt;
  pid_ = 0;
  end_ = end_of(wait_status);
  return end_;
}

void Process::kill_and_wait() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  int wait_status = 0;
  while (waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  end_ = end_of(wait_status);
}

ProcessResult run_process(const std::vector<std::string>& arguments, int64_t deadline_ms,
                          const std::vector<std::string>& environment) {
  TemporaryDirectory directory("weir-run");
  const ProcessOptions options{arguments, environment, directory.file("output"), directory.file("error")};
  Process process;
  ProcessResult result;
  if (!process.start(options).ok()) return result;
  result.finished = process.wait(deadline_ms).has_value();
  process.kill_and_wait();
  result.end = *process.end();
  result.output = read_whole_file(options.output_path);
  result.error = read_whole_file(options.error_path);
  return result;
}

std::optional<ProcessUsage> process_usage(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return std::nullopt;
  ProcessUsage usage;
  usage.cpu_us = int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
  const std::string status = read_whole_file("/proc/" + std::to_string(pid) + "/status");
  const size_t line = status.find("VmRSS:");
  long long kibibytes = 0;
  if (line == std::string::npos || std::sscanf(status.c_str() + line, "VmRSS: %lld", &kibibytes) != 1) return std::nullopt;
  usage.rss_bytes = kibibytes * 1024;
  return usage;
}

}  // namespace weir
