// The pipeline's own part of a checkpoint: the watermarks, the counts by reason, the last checkpoints and its time. Private to
// pipeline*.cpp.
#pragma once

#include "agent/runtime/pipeline.h"

namespace weir {

class Pipeline::OwnState final : public Stateful {
 public:
  OwnState(StepGraph& graph, ReasonCounts& reasons, CheckpointHistory& history, PipelineClock& clock)
      : graph_(graph), reasons_(reasons), history_(history), clock_(clock) {}

  std::string_view uid() const override { return "pipeline"; }
  std::string_view layout() const override { return "pipeline 2"; }
  SnapshotBounds snapshot_bounds() const override {
    return {graph_.saved_bytes() + ReasonCounts::bytes_max + CheckpointHistory::saved_bytes_max + sizeof(int64_t), 1, 0};
  }
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t, bool) override {}
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override { return {}; }

 private:
  StepGraph& graph_;
  ReasonCounts& reasons_;
  CheckpointHistory& history_;
  PipelineClock& clock_;
};

}  // namespace weir
