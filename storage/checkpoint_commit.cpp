// The writing half of SqliteCheckpointStore: everything of one checkpoint in one transaction. A transaction works on a copy
// of the pipeline's counters, which replaces them only when it is durable.
#include "storage/checkpoint_store.h"

#include <algorithm>

#include "agent/model/manifest.h"
#include "storage/row_key.h"

namespace weir {

Status SqliteCheckpointStore::commit(const CheckpointWrite& write) {
  WEIR_ASSERT(write.snapshot != nullptr);
  OpenPipeline* pipeline = find_pipeline(write.pipeline);
  if (pipeline == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  WEIR_TRY(broken_);
  WEIR_TRY(check(write, *pipeline));
  for (Part& part : parts_) part.writing_id = 0;
  Counters next = pipeline->counters;
  WEIR_TRY(change([&] { return write_checkpoint(write, *pipeline, next); }));
  pipeline->counters = next;
  for (Part& part : parts_)
    if (part.writing_id != 0) part.checkpoint_id = part.writing_id;
  return {};
}

Status SqliteCheckpointStore::check(const CheckpointWrite& write, const OpenPipeline& pipeline) {
  if (write.id <= pipeline.counters.last_checkpoint_id)
    return {Code::InvalidArgument, "the id of a checkpoint is not larger than the last one"};
  if (std::max(write.id, write.reserved_id) > row_key::checkpoint_id_max)
    return {Code::InvalidArgument, "the ids of checkpoints are used up"};
  if (write.snapshot->checkpoint_id() != write.id) return {Code::InvalidArgument, "the snapshot belongs to another checkpoint"};
  for (const Blob& blob : write.snapshot->blobs()) WEIR_TRY(check_blob(blob, write.pipeline));
  for (const Trim& trim : write.snapshot->trims()) {
    const Part* part = find_part(trim.op);
    if (part == nullptr || part->pipeline != write.pipeline)
      return {Code::InvalidArgument, "a trim names a part that the pipeline does not have", static_cast<int>(trim.op)};
    if (trim.kind == BlobKind::Operator) return {Code::InvalidArgument, "the state of an operator cannot be trimmed"};
  }
  return {};
}

Status SqliteCheckpointStore::check_blob(const Blob& blob, uint32_t pipeline) {
  const Part* part = find_part(blob.op);
  if (part == nullptr || part->pipeline != pipeline)
    return {Code::InvalidArgument, "a blob names a part that the pipeline does not have", static_cast<int>(blob.op)};
  const bool one_per_checkpoint = blob.kind == BlobKind::Operator || blob.kind == BlobKind::Outbox;
  if (blob.kind != BlobKind::Base && blob.index > (one_per_checkpoint ? 0 : row_key::blob_index_max))
    return {Code::InvalidArgument, "the index of a blob is too large", static_cast<int>(blob.op)};
  return {};
}

Status SqliteCheckpointStore::write_checkpoint(const CheckpointWrite& write, const OpenPipeline& pipeline, Counters& next) {
  WEIR_TRY(write_blobs(write, pipeline, next));
  for (const Trim& wanted : write.snapshot->trims()) WEIR_TRY(trim(wanted, next));
  WEIR_TRY(write_dead_letters(write, pipeline, next));
  const auto parts = std::ranges::count(parts_, write.id, &Part::writing_id);
  WEIR_TRY(checkpoints_.put({write.pipeline, write.id, checkpoint_reason_name(write.reason), write.created_wall_ms,
                             static_cast<uint32_t>(parts), next.blob_rows, write.manifest}));
  WEIR_TRY(checkpoints_.forget_before(write.pipeline, pipeline.counters.last_checkpoint_id));
  next.last_checkpoint_id = write.id;
  next.reserved_id = std::max({next.reserved_id, write.reserved_id, write.id});
  return write_registry(write.pipeline, pipeline.counters, next);
}

Status SqliteCheckpointStore::write_blobs(const CheckpointWrite& write, const OpenPipeline& pipeline, Counters& next) {
  for (const Blob& blob : write.snapshot->blobs()) WEIR_TRY(write_blob(blob, write.id, pipeline, next));
  // A part without state of its own in this checkpoint would not be restored, and what it wrote besides would be lost.
  for (const Blob& blob : write.snapshot->blobs())
    if (find_part(blob.op)->writing_id != write.id)
      return {Code::InvalidArgument, "a part wrote blobs but not its operator state", static_cast<int>(blob.op)};
  return {};
}

Status SqliteCheckpointStore::write_blob(const Blob& blob, uint64_t id, const OpenPipeline& pipeline, Counters& next) {
  if (blob.kind == BlobKind::Operator) {
    Part& part = *find_part(blob.op);
    if (part.writing_id == id)
      return {Code::InvalidArgument, "a part wrote its operator state twice", static_cast<int>(blob.op)};
    part.writing_id = id;
    if (part.checkpoint_id != pipeline.counters.last_checkpoint_id) WEIR_TRY(forget_left_over(blob.op, id, next));
  }
  Result<bool> added = table(blob.kind).put(blob, id);
  if (!added.ok()) return added.status();
  if (added.value()) ++next.blob_rows;
  return {};
}

// A part that was not in the previous checkpoint begins anew: what it stored before it was taken out must not be mixed with
// what it stores from now on.
Status SqliteCheckpointStore::forget_left_over(uint32_t op, uint64_t before, Counters& next) {
  for (BlobKind kind : {BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail})
    WEIR_TRY(trim({kind, op, before - 1}, next));
  return {};
}

Status SqliteCheckpointStore::trim(const Trim& wanted, Counters& next) {
  Result<uint64_t> deleted = table(wanted.kind).trim(wanted.op, wanted.up_to_checkpoint);
  if (!deleted.ok()) return deleted.status();
  next.blob_rows -= std::min(next.blob_rows, deleted.value());
  return {};
}

Status SqliteCheckpointStore::write_dead_letters(const CheckpointWrite& write, const OpenPipeline& pipeline, Counters& next) {
  for (const DeadLetter& letter : write.snapshot->dead_letters())
    WEIR_TRY(dead_letters_.add(write.pipeline, write.id, letter, next.dead_letters));
  return dead_letters_.enforce(write.pipeline, pipeline.limits, next.dead_letters);
}

// Most commits change neither number; the page is then not written.
Status SqliteCheckpointStore::write_registry(uint32_t pipeline, const Counters& before, const Counters& next) {
  const bool explicit_reservation = next.reserved_id > std::max(before.reserved_id, next.last_checkpoint_id);
  if (!explicit_reservation && next.dead_letters.purged == before.dead_letters.purged) return {};
  return registry_.update_pipeline({pipeline, next.reserved_id, next.dead_letters.purged});
}

}  // namespace weir
