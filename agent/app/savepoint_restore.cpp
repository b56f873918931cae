// Putting a savepoint into a state directory.
#include <algorithm>
#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/fit_report.h"
#include "agent/app/savepoint_commands.h"
#include "agent/app/savepoint_file.h"
#include "agent/app/savepoint_report.h"
#include "connectors/codecs/manifest_codec.h"
#include "storage/files.h"

namespace weir {
namespace {

int fail(const std::string& text) { return command_failed("savepoint", text); }

int fail(const std::string& text, Status status) {
  fail(text + ": " + status.text());
  return status.code() == Code::Corrupt ? exit_corrupt : status.code() == Code::Busy ? exit_busy : exit_failure;
}

class Restore {
 public:
  Restore(const std::string& path, const CommandLine& line) : path_(path), line_(line) {}

  int run() {
    if (const Status status = open_savepoint(path_, from_, info_); !status.ok()) return fail(path_, status);
    if (const Status status = pipelines_with_state(from_, names_); !status.ok()) return fail(path_, status);
    if (!line_.pipeline.empty() && std::ranges::find(names_, line_.pipeline) == names_.end())
      return fail(path_ + ": there is no pipeline \"" + line_.pipeline + "\" in it");
    std::erase_if(names_, [&](const std::string& name) { return !line_.pipeline.empty() && name != line_.pipeline; });
    if (const int code = check(); code != exit_ok) return code;
    if (line_.flags.contains("dry-run")) return exit_ok;
    StoreOptions options;
    options.state_dir = state_dir_;
    if (const Status status = to_.open(options); !status.ok()) return fail_to_open(status);
    if (const int code = look_at_what_is_there(); code != exit_ok) return code;
    for (const std::string& name : names_)
      if (const int code = copy(name); code != exit_ok) return code;
    if (!info_.config.empty() && to_.value(config_value_name).status().code() == Code::NotFound)
      (void)to_.put_value(config_value_name, info_.config);  // until an agent starts there
    return exit_ok;
  }

 private:
  /// Against the configuration, before anything is touched. Without one, where only the directory was named, there is nothing
  /// to hold it against.
  int check() {
    state_dir_ = line_.state_dir;
    if (line_.words.empty() && !line_.state_dir.empty() && !file_exists(default_config_path)) {
      fprintf(stderr, "weir savepoint: note: no configuration was named, so it was not checked whether the state fits one\n");
      return exit_ok;
    }
    const std::unique_ptr<Built> built = build_from(line_, false);
    if (built->exit_code != exit_ok) return built->exit_code;
    if (state_dir_.empty()) state_dir_ = built->config.specification.agent.state_dir;
    std::vector<std::string> configured;
    bool refused = false;
    const Status tried = built->agent->try_restore(
        path_, line_.allow_non_restored_state, [&](const std::string& pipeline, Status status, const RestoreReport& report) {
          if (std::ranges::find(names_, pipeline) == names_.end()) return;
          configured.push_back(pipeline);
          refused |= !status.ok();
          print_fit(pipeline, status, report, false);
        });
    if (!tried.ok()) return fail(path_, tried);
    for (const std::string& name : names_)
      if (std::ranges::find(configured, name) == configured.end())
        printf("pipeline %s: not in the configuration, left out\n", name.c_str());
    names_ = configured;
    if (refused) return exit_config;
    return names_.empty() ? fail(path_ + ": it has no pipeline of this configuration") : exit_ok;
  }

  int fail_to_open(Status status) const {
    if (status.code() != Code::Busy || status.detail() == 0) return fail(state_dir_, status);
    fail("an agent (pid " + std::to_string(status.detail()) + ") is using " + state_dir_ + "; stop it first (weir stop)");
    return exit_busy;
  }

  /// What would be given up.
  int look_at_what_is_there() {
    for (const std::string& name : names_) {
      Manifest there;
      const Status status = read_manifest(to_, name, codec_, there);
      if (status.code() == Code::NotFound) continue;
      if (!status.ok() && status.code() != Code::Corrupt) return fail(state_dir_, status);
      const bool replace = line_.flags.contains("replace");
      if (status.ok() && !replace)
        return fail("pipeline " + name + " has state there, checkpoint " + std::to_string(there.checkpoint_id) + " of " +
                    utc_text(there.created_wall_ms) +
                    "; --replace puts the savepoint in its place (weir savepoint create keeps it before)");
      if (!status.ok() && !replace)
        return fail("pipeline " + name + " has damaged state there; --replace puts the savepoint in its place");
      replaced_.push_back({name, status.ok() ? there.source_offset : 0});
    }
    return exit_ok;
  }

  int copy(const std::string& name) {
    std::optional<StorePages> pages;
    if (const Status status = newest_pages(from_, name, codec_, pages); !status.ok()) return fail(path_, status);
    auto next = [&] { return pages->next(); };
    CopiedCheckpoint copied;
    const Status status = copy_checkpoint(
        next, name, to_, codec_, [](const CopyProgress&) {}, copied);
    if (!status.ok()) return fail(state_dir_ + ": " + name, status);
    printf("restored: %s, checkpoint %llu as checkpoint %llu, %llu rows, %llu bytes\n", name.c_str(),
           static_cast<unsigned long long>(copied.source_id), static_cast<unsigned long long>(copied.manifest.checkpoint_id),
           static_cast<unsigned long long>(copied.rows), static_cast<unsigned long long>(copied.bytes));
    const auto before = std::ranges::find(replaced_, name, &Replaced::pipeline);
    if (before != replaced_.end() && before->source_offset > copied.manifest.source_offset)
      printf("  the state that it replaces had taken in %llu messages more; the broker does not send them again\n",
             static_cast<unsigned long long>(before->source_offset - copied.manifest.source_offset));
    return exit_ok;
  }

  struct Replaced {
    std::string pipeline;
    uint64_t source_offset = 0;
  };

  const std::string& path_;
  const CommandLine& line_;
  NanopbManifestCodec codec_;
  SqliteCheckpointStore from_;
  SqliteCheckpointStore to_;
  SavepointInfo info_;
  std::string state_dir_;
  std::vector<std::string> names_;
  std::vector<Replaced> replaced_;
};

}  // namespace

int restore_savepoint(const std::string& path, const CommandLine& line) { return Restore(path, line).run(); }

}  // namespace weir
