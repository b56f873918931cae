// StepRig: steps as a user writes them, without anything around: TOML and JSON lines in, JSON lines out; snapshot at any point
// and restore into a fresh rig. Made of the replay's graph, so that what a test sees is what runs in an agent.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/app/replay.h"
#include "firmware-tests/support/operator_probe.h"
#include "firmware-tests/support/temporary_directory.h"

namespace weir::test {

/// The checkpoints of a rig, as a store would hold them.
struct SavedRig {
  std::map<std::string, MemoryBlobs> parts;
  std::map<std::string, std::string> layouts;
  std::vector<uint8_t> graph;
  uint64_t checkpoint_id = 0;
};

/// The configuration of a pipeline with these steps, and the source and sink that they lack; see StepRig.
/// A file devices.csv lies beside it, in `directory`.
LoadedConfig load_steps(const std::string& toml, const TemporaryDirectory& directory, const std::string& csv = {});

class StepRig final : public ReplayHandler {
 public:
  /// `toml` is [[pipeline.step]] tables, with a [pipeline.source] of its own or without; then the source is the one that stands
  /// at the top of docs/steps.md. [pipeline.sink] is added. Or it is a whole [[pipeline]].
  explicit StepRig(const std::string& toml, const std::string& csv = {});
  ~StepRig() override;

  /// What is wrong with the configuration, as `weir check` prints it; empty: nothing. The rest requires that.
  const std::string& problems() const { return problems_; }

  /// A payload, or TOPIC PAYLOAD.
  void feed(const std::string& line, int64_t boot_ms = 0);
  void feed_lines(const std::string& lines);
  /// Looks who has fallen silent, and fires what that makes due.
  void check_idle(int64_t boot_ms);
  /// The end of the input: every event time has come.
  void finish();
  /// The results since the last call, a line each, and what was refused as "refused STEP REASON".
  std::string take_output();
  const ReplayCounts& counts() const { return replay_->counts(); }
  StepGraph& graph() { return replay_->graph(); }
  const Schema& input() const { return *input_; }
  const Schema& schema() const { return replay_->schema(); }
  const Arena& arena() const { return *arena_; }
  /// A file beside the configuration.
  std::string file(const std::string& name) const { return directory_.file(name); }

  std::vector<Stateful*> stateful();

  /// A checkpoint into `saved`, which holds the earlier ones of this rig; if it is not `committed` it failed.
  void save(SavedRig& saved, bool committed = true);
  /// Into a fresh rig of the same configuration.
  Status restore(const SavedRig& saved);
  /// Into a fresh rig whatever has changed: keyed state of every step is converted, also where its layout is the same. A step
  /// that is new begins empty; one that is gone is left out.
  Status adopt(const SavedRig& saved);

 private:
  void on_result(const Schema& schema, const Record& record) override;
  void on_refused(std::string_view step, const char* reason, std::string_view detail) override;
  Status restore_graph(const SavedRig& saved);

  TemporaryDirectory directory_;
  std::string problems_;
  std::unique_ptr<Arena> arena_;
  std::string topic_;
  const Schema* input_ = nullptr;
  std::unique_ptr<Replay> replay_;
  std::unique_ptr<JsonEncoder> encoder_;
  std::string output_;
};

}  // namespace weir::test
