// Recovery: the newest checkpoint goes back into the parts it came from, matched by id; a set whose ids or layouts disagree is
// refused before any message is taken. Start-up only: the heap may be used.
#include <algorithm>

#include "agent/base/log.h"
#include "agent/runtime/pipeline_state.h"

namespace weir {

class Pipeline::Restorer final : public RestoreHandler {
 public:
  Restorer(Pipeline& pipeline, CheckpointStore& store, bool allow_non_restored_state, RestoreReport& report)
      : pipeline_(pipeline), store_(store), allow_non_restored_state_(allow_non_restored_state), report_(report) {}

  void on_damaged(const DamagedCheckpoint& checkpoint) override {
    pipeline_.loss_.note_damaged(checkpoint, *pipeline_.parts_.manifest_codec);
  }
  Status on_manifest(Bytes bytes) override;
  Status on_blob(uint32_t op, const StoredBlob& blob) override;
  Status on_outbox(uint32_t op, uint64_t checkpoint_id, size_t bytes) override;
  /// After the load: the parts that return get what was kept of them, and every part of the manifest has got its own state.
  Status finish();
  /// Without a checkpoint: every part begins empty.
  Status finish_parts();
  /// Nothing but memory is to be touched, and a source's own files are not: they may be another agent's.
  void only_try() { only_tries_ = true; }
  /// Once all has gone back: the store learns what these decisions mean for later starts.
  Status settle(int64_t wall_ms);
  const Manifest& manifest() const { return manifest_; }

 private:
  /// Where a part's blobs come from.
  struct Route {
    uint32_t op = 0;
    uint64_t checkpoint_id = 0;
    Stateful* part = nullptr;
    bool restored = false;
  };

  Status read_kept();
  Status match(const ManifestPart& row);
  Status match_new(Stateful& part);
  Status check_kept(const KeptPart& kept, PartDecision& decision);
  Status adopt(Stateful& part, uint64_t layout, PartDecision decision);
  Status move_in(Stateful& part, const PartDecision& decision, std::string_view stored);
  bool in_manifest(std::string_view uid) const;
  Stateful* part_for(std::string_view stored_uid) const;
  const KeptPart* kept(std::string_view uid) const;
  Status note_kept(const ManifestPart& row, int64_t wall_ms);
  Status fail(const PartDecision& decision);

  Pipeline& pipeline_;
  CheckpointStore& store_;
  bool allow_non_restored_state_;
  bool only_tries_ = false;
  RestoreReport& report_;
  Manifest manifest_;
  std::vector<Route> routes_;
  std::vector<KeptPart> kept_;
  std::vector<KeptPart> returning_;
  std::vector<ManifestPart> left_;  // rows of the manifest whose state stays behind
};

/// Oldest first they go when there are more: who tries out one configuration after another must not fill the disk.
constexpr size_t kept_parts_max = 8;

bool Pipeline::Restorer::in_manifest(std::string_view uid) const {
  return std::ranges::any_of(std::span(manifest_.parts).first(manifest_.part_count),
                             [&](const ManifestPart& row) { return uid == row.uid; });
}

/// The part of that name, or the one that had it before.
Stateful* Pipeline::Restorer::part_for(std::string_view stored_uid) const {
  const std::vector<Stateful*>& parts = pipeline_.stateful_;
  auto found = std::ranges::find_if(parts, [&](Stateful* part) { return part->uid() == stored_uid; });
  if (found != parts.end()) return *found;
  found = std::ranges::find_if(parts,
                               [&](Stateful* part) { return part->previous_uid() == stored_uid && !in_manifest(part->uid()); });
  return found == parts.end() ? nullptr : *found;
}

const KeptPart* Pipeline::Restorer::kept(std::string_view uid) const {
  auto found = std::ranges::find(kept_, uid, &KeptPart::uid);
  return found == kept_.end() ? nullptr : &*found;
}

Status Pipeline::Restorer::read_kept() {
  return store_.each_kept(pipeline_.number_, [&](const KeptPart& part) {
    kept_.push_back(part);
    return Status();
  });
}

Status Pipeline::Restorer::match(const ManifestPart& row) {
  if (row.checkpoint_id != manifest_.checkpoint_id) {
    report_.error = "the state of \"" + std::string(row.uid) + "\" belongs to checkpoint " + std::to_string(row.checkpoint_id) +
                    ", the rest to " + std::to_string(manifest_.checkpoint_id);
    return {Code::Corrupt, "the ids of a checkpoint's parts disagree"};
  }
  Stateful* part = part_for(row.uid);
  if (part == nullptr) {
    PartDecision decision;
    decision.fate = PartFate::Orphan;
    decision.uid = row.uid;
    decision.refused = !allow_non_restored_state_ && kept(row.uid) == nullptr;
    report_.parts.push_back(std::move(decision));
    left_.push_back(row);
    return {};
  }
  const bool renamed = part->uid() != row.uid;
  if (!renamed && part->op() != row.op) {
    report_.error = "the state of \"" + std::string(row.uid) + "\" is numbered " + std::to_string(row.op) +
                    ", the store says " + std::to_string(part->op());
    return {Code::Corrupt, "the numbers of stored state disagree"};
  }
  routes_.push_back({row.op, manifest_.checkpoint_id, part});
  PartDecision decision;
  decision.uid = part->uid();
  if (renamed) {
    decision.stored_uid = row.uid;
    left_.push_back(row);
  }
  return adopt(*part, row.layout, std::move(decision));
}

/// Before anything is handed over, as it is with the parts of the checkpoint.
Status Pipeline::Restorer::check_kept(const KeptPart& kept, PartDecision& decision) {
  class Nobody final : public RestoreHandler {
    Status on_manifest(Bytes) override { return {}; }
    Status on_blob(uint32_t, const StoredBlob&) override { return {}; }
    Status on_outbox(uint32_t, uint64_t, size_t) override { return {}; }
  } nobody;
  const Status sound = store_.load_kept(kept, nobody);
  if (sound.ok()) return {};
  if (sound.code() != Code::Corrupt && sound.code() != Code::NotFound) return sound;
  decision.fate = PartFate::Incompatible;
  decision.problem = std::string("what was kept of it is damaged: ") + sound.text();
  decision.refused = true;
  return {};
}

Status Pipeline::Restorer::match_new(Stateful& part) {
  PartDecision decision;
  decision.uid = part.uid();
  if (const KeptPart* row = kept(part.uid())) {
    decision.fate = PartFate::Returned;
    decision.kept = true;
    WEIR_TRY(check_kept(*row, decision));
    if (decision.refused) {
      report_.parts.push_back(std::move(decision));
      return {};
    }
    routes_.push_back({row->op, row->checkpoint_id, &part});
    returning_.push_back(*row);
    return adopt(part, row->layout, std::move(decision));
  }
  report_.parts.push_back(std::move(decision));
  return {};
}

/// Settles how the stored layout goes over into the part's.
Status Pipeline::Restorer::adopt(Stateful& part, uint64_t layout, PartDecision decision) {
  const bool moves = decision.fate == PartFate::Returned || !decision.stored_uid.empty();
  if (hash64(as_bytes(part.layout())) == layout) {
    if (!moves) decision.fate = PartFate::Match;
    if (moves && decision.fate != PartFate::Returned) decision.fate = PartFate::Converted;
    return move_in(part, decision, moves ? part.layout() : std::string_view());
  }
  const Result<std::string> stored = store_.layout(layout);
  if (!stored.ok()) {
    if (stored.status().code() != Code::NotFound) return stored.status();
    decision.fate = PartFate::Incompatible;
    decision.problem = "what is stored is not described";
    decision.refused = true;
    report_.parts.push_back(std::move(decision));
    return {};
  }
  PartDecision compared = decide_part(decision.uid, stored.value(), part.layout());
  compared.stored_uid = decision.stored_uid;
  compared.kept = decision.kept;
  if (decision.fate == PartFate::Returned && compared.fate != PartFate::Incompatible) compared.fate = PartFate::Returned;
  return move_in(part, compared, stored.value());
}

/// `stored`: the layout that the part has to convert; empty if its state goes back as it is.
Status Pipeline::Restorer::move_in(Stateful& part, const PartDecision& decision, std::string_view stored) {
  report_.parts.push_back(decision);
  if (decision.refused || stored.empty()) return {};
  Result<StateLayout> layout = StateLayout::parse(stored);
  if (!layout.ok()) return layout.status();
  const Status adopted = part.adopt(layout.value());
  if (adopted.ok()) return {};
  PartDecision& refused = report_.parts.back();
  refused.fate = PartFate::Incompatible;
  refused.problem = adopted.text();
  refused.refused = true;
  return {};
}

Status Pipeline::Restorer::on_manifest(Bytes bytes) {
  WEIR_TRY(pipeline_.parts_.manifest_codec->decode(bytes, manifest_));
  if (pipeline_.name() != manifest_.pipeline) return {Code::Corrupt, "the manifest names another pipeline"};
  if (manifest_.has_watermark && manifest_.watermark_ms == INT64_MAX) {
    report_.error =
        "it was drained: its windows were closed for good, and every record would be late. To begin anew: weir state "
        "drop --pipeline " +
        pipeline_.name() + " --all; to go back to before that: weir savepoint restore";
    return {Code::Incompatible, "the pipeline was drained and has ended"};
  }
  WEIR_TRY(read_kept());
  for (uint32_t index = 0; index < manifest_.part_count; ++index) WEIR_TRY(match(manifest_.parts[index]));
  for (Stateful* part : pipeline_.stateful_)
    if (std::ranges::find(routes_, part, &Route::part) == routes_.end()) WEIR_TRY(match_new(*part));
  if (!any_refused(report_.parts)) return {};
  report_.error =
      "stored state does not fit the configuration\n" + decisions_table(report_.parts) + refusal_text(report_.parts);
  return {Code::Incompatible, "stored state does not fit the configuration"};
}

Status Pipeline::Restorer::on_blob(uint32_t op, const StoredBlob& blob) {
  auto route = std::ranges::find(routes_, op, &Route::op);
  if (route == routes_.end()) return {};  // of a part that is gone; what may go was decided with the manifest
  if (blob.kind == BlobKind::Operator) {
    if (blob.checkpoint_id != route->checkpoint_id) {
      // A part that was away for some checkpoints and has come back: its old state is no part of this one.
      if (route->checkpoint_id != manifest_.checkpoint_id) return {};
      report_.error = "the state of \"" + std::string(route->part->uid()) + "\" carries checkpoint " +
                      std::to_string(blob.checkpoint_id) + ", expected " + std::to_string(route->checkpoint_id);
      return {Code::Corrupt, "the ids of a checkpoint's parts disagree"};
    }
    route->restored = true;
  }
  Status status = route->part->restore(blob);
  if (!status.ok()) report_.error = "the state of \"" + std::string(route->part->uid()) + "\": " + status.text();
  return status;
}

Status Pipeline::Restorer::on_outbox(uint32_t op, uint64_t checkpoint_id, size_t bytes) {
  if (op != pipeline_.outbox_.op()) return {};
  if (bytes > pipeline_.parts_.outbox.memory / 2) {
    report_.error = "a stored batch of results has " + std::to_string(bytes) +
                    " bytes and does not fit into outbox.memory; set it to at least " + std::to_string(2 * bytes) + " B";
    return {Code::Incompatible, "stored results do not fit the configured outbox"};
  }
  return pipeline_.outbox_.announce(checkpoint_id, bytes);
}

Status Pipeline::Restorer::finish() {
  for (const KeptPart& part : returning_) WEIR_TRY(store_.load_kept(part, *this));
  for (const Route& route : routes_) {
    if (route.restored) continue;
    report_.error = "the state of \"" + std::string(route.part->uid()) + "\" is missing from checkpoint " +
                    std::to_string(route.checkpoint_id);
    return {Code::Corrupt, "a part of the checkpoint is missing"};
  }
  return finish_parts();
}

Status Pipeline::Restorer::finish_parts() {
  for (Stateful* part : pipeline_.stateful_) {
    if (only_tries_ && part == pipeline_.parts_.source.get()) continue;
    Status status = part->restore_finished();
    if (status.ok()) continue;
    report_.error = "the state of \"" + std::string(part->uid()) + "\": " + status.text();
    if (status.code() == Code::Incompatible && status.detail() > 0)
      report_.error += " (" + std::to_string(status.detail()) + " are stored)";
    return status;
  }
  return {};
}

Status Pipeline::Restorer::note_kept(const ManifestPart& row, int64_t wall_ms) {
  const KeptPart* before = kept(row.uid);
  const int64_t since_ms = before == nullptr ? wall_ms : before->since_wall_ms;
  const KeptPart part{row.op, row.uid, row.checkpoint_id, row.layout, since_ms};
  WEIR_TRY(store_.keep_part(part));
  if (before == nullptr) kept_.push_back(part);
  log(LogLevel::Warning, "%s: the state of \"%s\" is not in the configuration any more and is kept; see weir state list",
      pipeline_.name().c_str(), row.uid);
  return {};
}

Status Pipeline::Restorer::settle(int64_t wall_ms) {
  for (const PartDecision& part : report_.parts)
    if (part.fate != PartFate::Match && part.fate != PartFate::Orphan)
      log(LogLevel::Notice, "%s: \"%s\": its state is %s%s", pipeline_.name().c_str(), part.uid.c_str(),
          part_fate_name(part.fate), part.fate == PartFate::New ? " and begins empty" : "");
  for (const ManifestPart& row : left_) WEIR_TRY(note_kept(row, wall_ms));
  // What the checkpoint has is not kept beside it.
  std::erase_if(kept_, [&](const KeptPart& part) {
    const bool left = std::ranges::any_of(left_, [&](const ManifestPart& row) { return part.uid == row.uid; });
    return in_manifest(part.uid) && !left;
  });
  std::ranges::sort(kept_, {}, &KeptPart::checkpoint_id);
  for (size_t index = 0; index + kept_parts_max < kept_.size(); ++index) {
    const bool returns = std::ranges::any_of(returning_, [&](const KeptPart& part) { return part.op == kept_[index].op; });
    if (returns) continue;
    log(LogLevel::Warning, "%s: the state of \"%s\", which was kept for its return, is dropped: there are newer ones",
        pipeline_.name().c_str(), kept_[index].uid.c_str());
    WEIR_TRY(store_.forget_kept(kept_[index].op, true));
  }
  return {};
}

Status Pipeline::load(CheckpointStore& store, Restorer& restorer, Now now, RestoreReport& report) {
  Status loaded = store.load(number_, restorer);
  if (loaded.code() == Code::NotFound) {
    WEIR_TRY(restorer.finish_parts());
    return loaded;
  }
  if (loaded.ok()) loaded = restorer.finish();
  if (!loaded.ok()) {
    if (report.error.empty() && !loss_.damage().empty()) report.error = std::string(loaded.text()) + "; " + loss_.damage();
    return loaded;
  }
  const Manifest& manifest = restorer.manifest();
  ledger_ = manifest.ledger;
  for (const SourceAccount& stored : std::span(manifest.sources).first(manifest.source_count))
    for (SourceAccount& source : std::span(sources_).first(source_count_))
      if (std::string_view(stored.name) == source.name) source = stored;
  unknown_bytes_ = manifest.unknown_bytes;
  unknown_ = manifest.unknown;
  sink_->set_results(ledger_.results);
  restored_evictions_ = ledger_.evicted;
  recovery_.checkpoint_id = manifest.checkpoint_id;
  const int64_t since_ms = now.wall_ms - manifest.created_wall_ms;
  recovery_.since_checkpoint_ms = since_ms >= 0 ? since_ms : -1;
  report.checkpoint_id = recovery_.checkpoint_id;
  loss_.note_restored(recovery_.checkpoint_id, manifest.source_offset);
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
  Restorer restorer(*this, store, allow_non_restored_state, report);
  const Status loaded = load(store, restorer, now, report);
  if (loaded.ok()) WEIR_TRY(restorer.settle(now.wall_ms));
  if (!loaded.ok() && loaded.code() != Code::NotFound) return loaded;
  for (const Stateful* part : stateful_) WEIR_TRY(store.put_layout(hash64(as_bytes(part->layout())), part->layout()));
  const JournalStatus journal = parts_.source->status().journal;
  if (journal.used) loss_.note_journal(journal.newest_checkpoint, journal.replay_end_offset);
  recovery_.lost = loss_.status();
  trace_->newest_offset = parts_.source->status().offset;
  trace_->checkpoint_id = recovery_.checkpoint_id;
  if (loss_.any()) report.lost = loss_.text();
  uint64_t next_id = std::max(row.value().last_checkpoint_id, row.value().reserved_id) + 1;
  uint64_t reserved_id = next_id + CheckpointCoordinator::id_block;
  WEIR_TRY(store.reserve_ids(number_, reserved_id));
  coordinator_.start(number_, recovery_.checkpoint_id, next_id, reserved_id, now);
  return {};
}

Status Pipeline::try_restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report) {
  Result<PipelineRow> row = store.open_pipeline(parts_.name, {parts_.dead_letters, parts_.checkpoints_retained});
  if (!row.ok()) return row.status();
  number_ = row.value().pipeline;
  for (Stateful* part : stateful_) {
    Result<uint32_t> op = store.operator_number(number_, part->uid());
    if (op.ok()) part->set_op(op.value());
    if (!op.ok() && op.status().code() != Code::NotFound) return op.status();
  }
  Restorer restorer(*this, store, allow_non_restored_state, report);
  restorer.only_try();
  return load(store, restorer, now, report);
}

}  // namespace weir
