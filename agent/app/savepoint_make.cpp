// Making a savepoint: out of the agent that runs, page by page through its control socket, or out of a state directory that no
// agent uses.
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "agent/app/control_client.h"
#include "agent/app/savepoint_file.h"
#include "agent/app/savepoint_pages.h"
#include "agent/app/version.h"
#include "agent/base/clock.h"
#include "connectors/codecs/manifest_codec.h"

namespace weir {
namespace {

/// Says on standard error how far it is, when it takes long enough for somebody to wonder.
class Progress {
 public:
  explicit Progress(const std::string& pipeline) : pipeline_(pipeline), terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (told_ && terminal_) fputc('\n', stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void say(const CopyProgress& progress) {
    const int64_t now_ms = clock_.now().boot_ms;
    if (next_ms_ == 0) next_ms_ = now_ms + 1000;
    if (now_ms < next_ms_) return;
    next_ms_ = now_ms + (terminal_ ? 200 : 5000);
    told_ = true;
    fprintf(stderr, "%s%s: %llu of %llu rows, %.1f MB%s", terminal_ ? "\r" : "", pipeline_.c_str(),
            static_cast<unsigned long long>(progress.rows), static_cast<unsigned long long>(progress.rows_total),
            static_cast<double>(progress.bytes) / 1e6, terminal_ ? "" : "\n");
  }

 private:
  const std::string& pipeline_;
  bool terminal_;
  bool told_ = false;
  int64_t next_ms_ = 0;
  SystemClock clock_;
};

/// The pages of a checkpoint of an agent that runs.
class AgentPages {
 public:
  AgentPages(const std::string& state_dir, const std::string& pipeline, std::string& error)
      : state_dir_(state_dir), pipeline_(pipeline), error_(error) {}

  Result<std::vector<uint8_t>> next() {
    if (cursor_ == "-") return std::vector<uint8_t>();
    const Result<std::string> answer = ask_agent(state_dir_, "savepoint " + pipeline_ + " " + checkpoint_ + " " + cursor_);
    if (!answer.ok()) return answer.status();
    const std::string& text = answer.value();
    if (text.size() < savepoint_page_header_bytes || text.starts_with("error: ")) {
      error_ = text.empty() ? "the agent has ended" : text.substr(0, text.find('\n'));
      if (error_.starts_with("error: ")) error_.erase(0, 7);
      return Status(Code::Unavailable, "the agent does not hand over a savepoint");
    }
    const size_t blank = text.find(' ');
    checkpoint_ = text.substr(0, blank);
    cursor_ = text.substr(blank + 1, text.find_first_of(" \n", blank + 1) - blank - 1);
    return std::vector<uint8_t>(text.begin() + savepoint_page_header_bytes, text.end());
  }

 private:
  const std::string& state_dir_;
  const std::string& pipeline_;
  std::string& error_;
  std::string checkpoint_ = "0";
  std::string cursor_ = "0";
};

std::string host_name() {
  utsname name{};
  return uname(&name) == 0 ? name.nodename : "";
}

class Maker {
 public:
  Maker(const std::string& state_dir, MadeSavepoint& made, std::string& error)
      : state_dir_(state_dir), made_(made), error_(error) {}

  Status run(const std::string& only, const std::string& path) {
    made_.path = path;
    std::vector<std::string> names;
    WEIR_TRY(find(only, names));
    if (names.empty()) {
      error_ = only.empty() ? "no pipeline has a checkpoint yet" : "the pipeline \"" + only + "\" has no checkpoint";
      return {Code::NotFound, "there is no state"};
    }
    WEIR_TRY(tell(path, file_.create(path)));
    SavepointInfo info{clock_.now().wall_ms, weir_version, host_name(), {}};
    for (const std::string& name : names) {
      CopiedCheckpoint& copied = made_.pipelines.emplace_back();
      WEIR_TRY(tell(name, made_.by_agent ? copy_from_agent(name, copied) : copy_from_store(name, copied)));
      if (!copied.config.empty()) info.config = copied.config;
    }
    return tell(path, file_.finish(info));
  }

 private:
  Status tell(const std::string& what, Status status) {
    if (!status.ok() && error_.empty()) error_ = what + ": " + status.text();
    return status;
  }

  /// Which pipelines there are; the agent has made a checkpoint of each then.
  Status find(const std::string& only, std::vector<std::string>& names) {
    const Result<std::string> listed = ask_agent(state_dir_, "pipelines");
    made_.by_agent = listed.ok();
    if (listed.ok()) return checkpoint_all(listed.value(), only, names);
    if (listed.status().code() != Code::NotFound) return tell(state_dir_, listed.status());
    const Status opened = store_.open(reading_options(state_dir_));
    if (opened.code() == Code::Busy && opened.detail() > 0)
      error_ = "an agent (pid " + std::to_string(opened.detail()) + ") is using " + state_dir_ + " and does not answer";
    WEIR_TRY(tell(state_dir_, opened));
    WEIR_TRY(tell(state_dir_, pipelines_with_state(store_, names)));
    std::erase_if(names, [&](const std::string& name) { return !only.empty() && name != only; });
    return {};
  }

  Status checkpoint_all(const std::string& listed, const std::string& only, std::vector<std::string>& names) {
    for (size_t at = 0; at < listed.size();) {
      const size_t end = std::min(listed.find('\n', at), listed.size());
      const std::string name = listed.substr(at, end - at);
      if (only.empty() || name == only) names.push_back(name);
      at = end + 1;
    }
    for (const std::string& name : names) {
      const Result<std::string> answer = ask_agent(state_dir_, "checkpoint text " + name);
      if (!answer.ok()) return tell(state_dir_, answer.status());
      if (!answer.value().starts_with("error: ")) continue;
      error_ = answer.value().substr(7, answer.value().find('\n') - 7);
      return {Code::Unavailable, "the agent could not make a checkpoint"};
    }
    return {};
  }

  Status copy_from_agent(const std::string& name, CopiedCheckpoint& copied) {
    AgentPages pages(state_dir_, name, error_);
    auto next = [&] { return pages.next(); };
    return copy(next, name, copied);
  }

  Status copy_from_store(const std::string& name, CopiedCheckpoint& copied) {
    std::optional<StorePages> pages;
    WEIR_TRY(newest_pages(store_, name, codec_, pages));
    auto next = [&] { return pages->next(); };
    return copy(next, name, copied);
  }

  Status copy(FunctionRef<Result<std::vector<uint8_t>>()> next, const std::string& name, CopiedCheckpoint& copied) {
    Progress progress(name);
    auto say = [&](const CopyProgress& at) { progress.say(at); };
    return copy_checkpoint(next, name, file_.store(), codec_, say, copied);
  }

  const std::string& state_dir_;
  MadeSavepoint& made_;
  std::string& error_;
  SystemClock clock_;
  NanopbManifestCodec codec_;
  SqliteCheckpointStore store_;
  SavepointFile file_;
};

}  // namespace

Status make_savepoint(const std::string& state_dir, const std::string& only, const std::string& path, MadeSavepoint& made,
                      std::string& error) {
  return Maker(state_dir, made, error).run(only, path);
}

}  // namespace weir
