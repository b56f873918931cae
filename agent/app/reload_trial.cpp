#include "agent/app/reload_trial.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "agent/app/planner.h"
#include "agent/config/quantity.h"
#include "agent/runtime/crash_handler.h"

namespace weir {
namespace {

constexpr unsigned patience_s = 60;
constexpr size_t arena_slack = 64 * 1024;
constexpr int said_all = 0;

void write_all(int descriptor, const void* bytes, size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = write(descriptor, from, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    from += written;
    count -= static_cast<size_t>(written);
  }
}

/// A TrialPipeline for each that could be built, and behind them what is wrong.
[[noreturn]] void build_and_say(LoadedConfig& config, std::span<const size_t> specs, size_t capacity, int to) {
  check_pipelines(config);
  for (const size_t index : specs) {
    Arena arena(capacity);
    const std::unique_ptr<Pipeline> pipeline = build_pipeline(config, config.specification.pipeline[index], arena, nullptr);
    TrialPipeline told;
    if (pipeline != nullptr) told = {arena.used(), pipeline->transaction_bytes_max(), pipeline->blob_bytes_max()};
    write_all(to, &told, sizeof told);
  }
  if (config.diagnostics.errors() > 0) {
    const std::string text = config.diagnostics.format(config.files, false);
    write_all(to, text.data(), text.size());
  }
  _exit(said_all);
}

/// In the child: its end is nobody's crash, its words are for nobody, and nothing of it stays.
void become_trial() {
  forget_crashes();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) signal(number, SIG_DFL);
  alarm(patience_s);
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
}

std::string read_to_end(int from) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(from, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

int wait_for(pid_t child) {
  int how = 0;
  while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
  }
  return how;
}

/// The child has died at the pipeline that it had not told of.
std::string death_text(const LoadedConfig& config, size_t spec, uint64_t room, int how) {
  const PipelineSpec& pipeline = config.specification.pipeline[spec];
  Diagnostics diagnostics;
  if (WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM) {
    diagnostics.error(pipeline.name_at, pipeline.name.size(), "it cannot be built within a minute");
  } else {
    diagnostics.error(
        pipeline.name_at, pipeline.name.size(),
        "it needs more than the " + std::to_string(room) + " bytes that agent.memory_limit leaves beside what is reserved",
        "`weir plan` shows where they go; raise the limit, or restart the agent, which needs no room for both");
  }
  return diagnostics.format(config.files, false);
}

}  // namespace

TrialResult try_to_build(LoadedConfig& config, std::span<const size_t> specs, uint64_t room) {
  TrialResult result;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    result.error = std::string("error: cannot try to build the pipelines: ") + strerror(errno) + "\n";
    return result;
  }
  const size_t capacity = static_cast<size_t>(std::min<uint64_t>(room + arena_slack, Arena::default_capacity));
  const pid_t child = fork();
  if (child == 0) {
    become_trial();
    build_and_say(config, specs, capacity, ends[1]);
  }
  close(ends[1]);
  const std::string said = child < 0 ? "" : read_to_end(ends[0]);
  close(ends[0]);
  if (child < 0) {
    result.error = std::string("error: cannot try to build the pipelines: ") + strerror(errno) + "\n";
    return result;
  }
  const int how = wait_for(child);
  const size_t told = std::min(said.size() / sizeof(TrialPipeline), specs.size());
  result.pipelines.resize(told);
  if (told > 0) memcpy(result.pipelines.data(), said.data(), told * sizeof(TrialPipeline));
  if (told < specs.size()) {
    result.error = death_text(config, specs[told], room, how);
  } else {
    result.error = said.substr(told * sizeof(TrialPipeline));
  }
  return result;
}

}  // namespace weir
