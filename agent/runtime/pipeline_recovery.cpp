// Recovery: the newest checkpoint goes back into the parts it came from, matched by id; a set whose ids or layouts disagree is
// refused before any message is taken. Start-up only: the heap may be used.
#include <algorithm>

#include "agent/base/log.h"
#include "agent/runtime/pipeline_state.h"

namespace weir {

class Pipeline::Restorer final : public RestoreHandler {
 public:
  Restorer(Pipeline& pipeline, bool allow_non_restored_state, std::string& error)
      : pipeline_(pipeline), allow_non_restored_state_(allow_non_restored_state), error_(error) {}

  void on_damaged(const DamagedCheckpoint& checkpoint) override {
    pipeline_.loss_.note_damaged(checkpoint, *pipeline_.parts_.manifest_codec);
  }
  Status on_manifest(Bytes bytes) override;
  Status on_blob(uint32_t op, const StoredBlob& blob) override;
  Status on_outbox(uint32_t op, uint64_t checkpoint_id, size_t bytes) override;
  /// After the load: every part of the manifest has got its own state.
  Status finish();
  const Manifest& manifest() const { return manifest_; }

 private:
  Status match(const ManifestPart& row);
  Stateful* part_named(std::string_view uid) const;
  Stateful* part_numbered(uint32_t op) const;

  Pipeline& pipeline_;
  bool allow_non_restored_state_;
  std::string& error_;
  Manifest manifest_;
  std::vector<uint32_t> restored_;  // parts whose own blob has come
  std::vector<uint32_t> orphans_;
};

Stateful* Pipeline::Restorer::part_named(std::string_view uid) const {
  auto found = std::ranges::find_if(pipeline_.stateful_, [&](Stateful* part) { return part->uid() == uid; });
  return found == pipeline_.stateful_.end() ? nullptr : *found;
}

Stateful* Pipeline::Restorer::part_numbered(uint32_t op) const {
  auto found = std::ranges::find_if(pipeline_.stateful_, [&](Stateful* part) { return part->op() == op; });
  return found == pipeline_.stateful_.end() ? nullptr : *found;
}

Status Pipeline::Restorer::match(const ManifestPart& row) {
  if (row.checkpoint_id != manifest_.checkpoint_id) {
    error_ = "the state of \"" + std::string(row.uid) + "\" belongs to checkpoint " + std::to_string(row.checkpoint_id) +
             ", the rest to " + std::to_string(manifest_.checkpoint_id);
    return {Code::Corrupt, "the ids of a checkpoint's parts disagree"};
  }
  Stateful* part = part_named(row.uid);
  if (part == nullptr) {
    orphans_.push_back(row.op);
    if (allow_non_restored_state_) {
      log(LogLevel::Warning, "%s: state of \"%s\" is not in the configuration and is left alone", pipeline_.name().c_str(),
          row.uid);
      return {};
    }
    error_ = "the stored state of step \"" + std::string(row.uid) +
             "\" has no step in the configuration. Give the step its id back, or start once with --allow-non-restored-state to "
             "go on "
             "without it";
    return {Code::Incompatible, "stored state has no step"};
  }
  if (part->op() != row.op) {
    error_ = "the state of \"" + std::string(row.uid) + "\" is numbered " + std::to_string(row.op) + ", the store says " +
             std::to_string(part->op());
    return {Code::Corrupt, "the numbers of stored state disagree"};
  }
  if (hash64(as_bytes(part->layout())) != row.layout) {
    error_ = "the stored state of step \"" + std::string(row.uid) + "\" has another layout than the configuration asks for (" +
             std::string(part->layout()) +
             "). Take the change of the step back; or give the step a new id and start once with --allow-non-restored-state, "
             "its state "
             "then begins empty";
    return {Code::Incompatible, "stored state has another layout"};
  }
  return {};
}

Status Pipeline::Restorer::on_manifest(Bytes bytes) {
  WEIR_TRY(pipeline_.parts_.manifest_codec->decode(bytes, manifest_));
  if (pipeline_.name() != manifest_.pipeline) return {Code::Corrupt, "the manifest names another pipeline"};
  for (uint32_t index = 0; index < manifest_.part_count; ++index) WEIR_TRY(match(manifest_.parts[index]));
  for (const Stateful* part : pipeline_.stateful_) {
    bool known = std::ranges::any_of(std::span(manifest_.parts).first(manifest_.part_count),
                                     [&](const ManifestPart& row) { return part->uid() == row.uid; });
    if (!known)
      log(LogLevel::Notice, "%s: \"%.*s\" is new; its state begins empty", pipeline_.name().c_str(),
          static_cast<int>(part->uid().size()), part->uid().data());
  }
  return {};
}

Status Pipeline::Restorer::on_blob(uint32_t op, const StoredBlob& blob) {
  Stateful* part = part_numbered(op);
  if (part == nullptr) return {};  // left behind by a step that is gone; what may go was decided with the manifest
  if (blob.kind == BlobKind::Operator) {
    if (blob.checkpoint_id != manifest_.checkpoint_id) {
      bool in_manifest = std::ranges::any_of(std::span(manifest_.parts).first(manifest_.part_count),
                                             [&](const ManifestPart& row) { return row.op == op; });
      // A step that was away for some checkpoints and has come back: its old state is no part of this one.
      if (!in_manifest) return {};
      error_ = "the state of \"" + std::string(part->uid()) + "\" carries checkpoint " + std::to_string(blob.checkpoint_id) +
               ", expected " + std::to_string(manifest_.checkpoint_id);
      return {Code::Corrupt, "the ids of a checkpoint's parts disagree"};
    }
    restored_.push_back(op);
  }
  Status status = part->restore(blob);
  if (!status.ok()) error_ = "the state of \"" + std::string(part->uid()) + "\": " + status.text();
  return status;
}

Status Pipeline::Restorer::on_outbox(uint32_t op, uint64_t checkpoint_id, size_t bytes) {
  if (op != pipeline_.outbox_.op()) return {};
  if (bytes > pipeline_.parts_.outbox.memory / 2) {
    error_ = "a stored batch of results has " + std::to_string(bytes) +
             " bytes and does not fit into outbox.memory; set it to at least " + std::to_string(2 * bytes) + " B";
    return {Code::Incompatible, "stored results do not fit the configured outbox"};
  }
  return pipeline_.outbox_.announce(checkpoint_id, bytes);
}

Status Pipeline::Restorer::finish() {
  for (uint32_t index = 0; index < manifest_.part_count; ++index) {
    const ManifestPart& row = manifest_.parts[index];
    if (std::ranges::count(orphans_, row.op) == 0 && std::ranges::count(restored_, row.op) != 1) {
      error_ =
          "the state of \"" + std::string(row.uid) + "\" is missing from checkpoint " + std::to_string(manifest_.checkpoint_id);
      return {Code::Corrupt, "a part of the checkpoint is missing"};
    }
  }
  for (Stateful* part : pipeline_.stateful_) {
    Status status = part->restore_finished();
    if (!status.ok()) {
      error_ = "the state of \"" + std::string(part->uid()) + "\": " + status.text();
      return status;
    }
  }
  return {};
}

Status Pipeline::restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report) {
  Result<PipelineRow> row = store.open_pipeline(parts_.name, {parts_.dead_letters, parts_.checkpoints_retained});
  if (!row.ok()) return row.status();
  number_ = row.value().pipeline;
  sink_->set_instance(store.instance());
  for (Stateful* part : stateful_) {
    Result<uint32_t> op = store.operator_number(number_, part->uid());
    if (!op.ok()) return op.status();
    part->set_op(op.value());
  }
  loss_.note_known(row.value());
  Restorer restorer(*this, allow_non_restored_state, report.error);
  Status loaded = store.load(number_, restorer);
  if (loaded.ok()) {
    WEIR_TRY(restorer.finish());
    ledger_ = restorer.manifest().ledger;
    sink_->set_results(ledger_.results);
    restored_evictions_ = ledger_.evicted;
    recovery_.checkpoint_id = restorer.manifest().checkpoint_id;
    const int64_t since_ms = now.wall_ms - restorer.manifest().created_wall_ms;
    recovery_.since_checkpoint_ms = since_ms >= 0 ? since_ms : -1;
    report.checkpoint_id = recovery_.checkpoint_id;
    loss_.note_restored(recovery_.checkpoint_id, restorer.manifest().source_offset);
  } else if (loaded.code() == Code::NotFound) {
    for (Stateful* part : stateful_) WEIR_TRY(part->restore_finished());
  } else {
    if (report.error.empty() && !loss_.damage().empty()) report.error = std::string(loaded.text()) + "; " + loss_.damage();
    return loaded;
  }
  const JournalStatus journal = parts_.source->status().journal;
  if (journal.used) loss_.note_journal(journal.newest_checkpoint, journal.replay_end_offset);
  recovery_.lost = loss_.status();
  if (loss_.any()) report.lost = loss_.text();
  uint64_t next_id = std::max(row.value().last_checkpoint_id, row.value().reserved_id) + 1;
  uint64_t reserved_id = next_id + CheckpointCoordinator::id_block;
  WEIR_TRY(store.reserve_ids(number_, reserved_id));
  coordinator_.start(number_, recovery_.checkpoint_id, next_id, reserved_id, now);
  return {};
}

}  // namespace weir
