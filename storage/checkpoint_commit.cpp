// The writing half of SqliteCheckpointStore: everything of one checkpoint in one transaction. A transaction works on a copy
// of the pipeline's counters, which replaces them only when it is durable.
#include "storage/checkpoint_store.h"

#include <algorithm>

#include "agent/base/crash_point.h"
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
  crash_point("checkpoint.begin");
  WEIR_TRY(change([&] { return write_checkpoint(write, *pipeline, next); }));
  crash_point("checkpoint.committed");
  pipeline->counters = next;
  pipeline->retain(write.id);
  for (Part& part : parts_)
    if (part.writing_id != 0) part.written(pipeline->oldest());
  newest_.note(pipeline->name, {write.id, write.source_offset});
  crash_point("checkpoint.noted");
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
  const uint64_t oldest = pipeline.oldest_with(write.id);
  WEIR_TRY(begin_parts(write, pipeline));
  // First what may go: its pages are used again at once, and are in the WAL already more often than others.
  WEIR_TRY(checkpoints_.forget_before(write.pipeline, oldest));
  if (oldest < write.id) WEIR_TRY(forget_not_needed(write.id, oldest));
  WEIR_TRY(forget_old_versions(write, oldest));
  for (const Blob& blob : write.snapshot->blobs())
    if (blob.kind != BlobKind::Operator) WEIR_TRY(write_blob(blob, write.id, oldest));
  crash_point("checkpoint.blobs");
  for (const Trim& wanted : write.snapshot->trims()) WEIR_TRY(trim(wanted, write.id));
  if (oldest == write.id) WEIR_TRY(forget_not_needed(write.id, oldest));
  WEIR_TRY(write_parts(write));
  WEIR_TRY(write_dead_letters(write, pipeline, next));
  crash_point("checkpoint.row");
  WEIR_TRY(write_row(write));
  next.last_checkpoint_id = write.id;
  next.reserved_id = std::max({next.reserved_id, write.reserved_id, write.id});
  WEIR_TRY(write_registry(pipeline, next));
  crash_point("checkpoint.commit");
  return {};
}

/// Finds the parts that take part. One that was not in the previous checkpoint begins anew: what it stored before it was taken
/// out must not be mixed with what it stores from now on.
Status SqliteCheckpointStore::begin_parts(const CheckpointWrite& write, const OpenPipeline& pipeline) {
  for (const Blob& blob : write.snapshot->blobs()) {
    if (blob.kind != BlobKind::Operator) continue;
    Part& part = *find_part(blob.op);
    if (part.writing_id == write.id)
      return {Code::InvalidArgument, "a part wrote its operator state twice", static_cast<int>(blob.op)};
    part.writing_id = write.id;
    // What an attempt that failed has left.
    std::erase_if(part.rewritten, [&](const Part::Rewritten& chunk) { return chunk.checkpoint_id > part.checkpoint_id; });
    part.writing = part.set;
    if (part.checkpoint_id == pipeline.counters.last_checkpoint_id) continue;
    part.writing = {};
    part.writing.after.fill(write.id - 1);
  }
  // A part without state of its own in this checkpoint would not be restored, and what it wrote besides would be lost.
  for (const Blob& blob : write.snapshot->blobs())
    if (find_part(blob.op)->writing_id != write.id)
      return {Code::InvalidArgument, "a part wrote blobs but not its operator state", static_cast<int>(blob.op)};
  return {};
}

Status SqliteCheckpointStore::write_blob(const Blob& blob, uint64_t id, uint64_t oldest) {
  if (blob.kind == BlobKind::Base) return write_chunk(blob, id, oldest);
  ++find_part(blob.op)->writing.blobs;
  if (blob.kind == BlobKind::Outbox) crash_point("outbox.write");
  WEIR_TRY(table(blob.kind).put(blob, id));
  if (blob.kind == BlobKind::Outbox) crash_point("outbox.written");
  return {};
}

Status SqliteCheckpointStore::write_chunk(const Blob& blob, uint64_t id, uint64_t oldest) {
  Part& part = *find_part(blob.op);
  PartSet& set = part.writing;
  uint64_t replaced = 0;
  WEIR_TRY(chunks_.newest_version(blob.op, blob.index, set.after_of(BlobKind::Base), replaced));
  if (replaced == 0) ++set.blobs;
  set.versions += id - replaced;
  if (replaced != 0 && oldest < id && part.rewritten.size() < Part::rewritten_max) part.rewritten.push_back({id, blob.index});
  WEIR_TRY(chunks_.forget_versions(blob.op, blob.index, oldest, id));
  return chunks_.put(blob, id);
}

/// Takes blobs out of the part's set. They stay where they are until no retained checkpoint needs them.
Status SqliteCheckpointStore::trim(const Trim& wanted, uint64_t id) {
  Part& part = *find_part(wanted.op);
  // A part that is not in this checkpoint keeps what it has.
  if (part.writing_id != id) return {Code::InvalidArgument, "a trim of a part without state", static_cast<int>(wanted.op)};
  uint64_t& after = part.writing.after_of(wanted.kind);
  const uint64_t up_to = std::min(wanted.up_to_checkpoint, id);
  if (up_to <= after) return {};
  if (wanted.kind == BlobKind::Base) return trim_chunks(part.writing, wanted.op, up_to, id);
  uint64_t rows = 0;
  WEIR_TRY(table(wanted.kind).count(wanted.op, after, up_to, rows));
  part.writing.blobs -= std::min(part.writing.blobs, rows);
  after = up_to;
  return {};
}

Status SqliteCheckpointStore::trim_chunks(PartSet& set, uint32_t op, uint64_t up_to, uint64_t id) {
  uint64_t before = 0;
  uint64_t chunks = 0;
  uint64_t& after = set.after_of(BlobKind::Base);
  WEIR_TRY(chunks_.count(op, after, id, before, set.versions));
  after = up_to;
  WEIR_TRY(chunks_.count(op, after, id, chunks, set.versions));
  set.blobs -= std::min(set.blobs, before - chunks);
  return {};
}

Status SqliteCheckpointStore::write_parts(const CheckpointWrite& write) {
  for (const Blob& blob : write.snapshot->blobs())
    if (blob.kind == BlobKind::Operator) WEIR_TRY(states_.put(blob.op, write.id, find_part(blob.op)->writing, blob.bytes));
  return {};
}

/// Deletes what the parts that take part have kept for checkpoints before `oldest`.
Status SqliteCheckpointStore::forget_not_needed(uint64_t id, uint64_t oldest) {
  for (const Part& part : parts_)
    if (part.writing_id == id) WEIR_TRY(forget_not_needed(part, oldest));
  return {};
}

/// Of the chunks that this checkpoint does not write again: for those it does, write_chunk sees to it.
Status SqliteCheckpointStore::forget_old_versions(const CheckpointWrite& write, uint64_t oldest) {
  for (const Part& part : parts_) {
    if (part.writing_id != write.id) continue;
    for (const Part::Rewritten& old : part.rewritten) {
      const bool again = std::ranges::any_of(write.snapshot->blobs(), [&](const Blob& blob) {
        return blob.kind == BlobKind::Base && blob.op == part.op && blob.index == old.chunk;
      });
      if (old.checkpoint_id <= oldest && !again) WEIR_TRY(chunks_.forget_versions(part.op, old.chunk, oldest, 0));
    }
  }
  return {};
}

Status SqliteCheckpointStore::forget_not_needed(const Part& part, uint64_t oldest) {
  WEIR_TRY(states_.forget(part.op, 0, oldest - 1));
  const std::array<uint64_t, 4>& up_to = part.not_needed(oldest);
  for (BlobKind kind : {BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail}) {
    const size_t index = static_cast<size_t>(kind) - static_cast<size_t>(BlobKind::Base);
    if (up_to[index] > part.deleted[index]) WEIR_TRY(forget_blobs(kind, part.op, 0, up_to[index]));
  }
  return {};
}

Status SqliteCheckpointStore::forget_blobs(BlobKind kind, uint32_t op, uint64_t after, uint64_t up_to) {
  if (kind == BlobKind::Operator) return states_.forget(op, after, up_to);
  if (kind == BlobKind::Base) return chunks_.forget(op, after, up_to);
  if (kind == BlobKind::Outbox) crash_point("outbox.delete");
  WEIR_TRY(table(kind).forget(op, after, up_to));
  if (kind == BlobKind::Outbox) crash_point("outbox.deleted");
  return {};
}

const std::array<uint64_t, 4>& SqliteCheckpointStore::Part::not_needed(uint64_t oldest) const {
  if (oldest == writing_id) return writing.after;
  const auto* newest = &deleted;
  for (size_t index = 0; index < trimmed_count && trimmed[index].checkpoint_id <= oldest; ++index)
    newest = &trimmed[index].after;
  return *newest;
}

/// The transaction is durable; `oldest` is now the oldest retained checkpoint.
void SqliteCheckpointStore::Part::written(uint64_t oldest) {
  deleted = not_needed(oldest);
  std::erase_if(rewritten, [&](const Rewritten& chunk) { return chunk.checkpoint_id <= oldest; });
  size_t done = 0;
  while (done < trimmed_count && trimmed[done].checkpoint_id <= oldest) ++done;
  std::copy(trimmed.begin() + static_cast<ptrdiff_t>(done), trimmed.begin() + static_cast<ptrdiff_t>(trimmed_count),
            trimmed.begin());
  trimmed_count -= done;
  checkpoint_id = writing_id;
  set = writing;
  if (checkpoint_id <= oldest) return;
  // While a checkpoint is pinned there may be more than are retained: what the last two have left is then deleted together.
  if (trimmed_count == trimmed.size()) --trimmed_count;
  trimmed[trimmed_count++] = {checkpoint_id, set.after};
}

Status SqliteCheckpointStore::write_row(const CheckpointWrite& write) {
  CheckpointRow row{write.pipeline, write.id, checkpoint_reason_name(write.reason), write.created_wall_ms, 0, 0,
                    write.manifest};
  for (const Part& part : parts_) {
    if (part.writing_id != write.id) continue;
    ++row.operator_blobs;
    row.blob_rows += 1 + part.writing.blobs;
  }
  return checkpoints_.put(row);
}

Status SqliteCheckpointStore::write_dead_letters(const CheckpointWrite& write, const OpenPipeline& pipeline, Counters& next) {
  const DeadLetterLimits& limits = pipeline.limits.dead_letters;
  for (const int64_t id : write.snapshot->replayed_letters())
    WEIR_TRY(dead_letters_.remove(write.pipeline, id, next.dead_letters));
  for (const DeadLetter& letter : write.snapshot->dead_letters()) {
    const bool fits = DeadLetterTable::fits(limits, next.dead_letters, letter.payload.size());
    if (!fits && limits.full == DeadLettersFull::Hold)
      return {Code::Full, "the dead letters are full, and dead_letters.full is \"hold\": purge some, or raise the limits"};
    if (!fits && limits.full == DeadLettersFull::Newest) {
      ++next.dead_letters.purged;
      continue;
    }
    WEIR_TRY(dead_letters_.add(write.pipeline, write.id, letter, next.dead_letters));
  }
  return dead_letters_.enforce(write.pipeline, limits, write.snapshot->dead_letters().size(), next.dead_letters);
}

// Most commits change neither number; the page is then not written.
Status SqliteCheckpointStore::write_registry(const OpenPipeline& pipeline, const Counters& next) {
  const Counters& before = pipeline.counters;
  const bool explicit_reservation = next.reserved_id > std::max(before.reserved_id, next.last_checkpoint_id);
  if (!explicit_reservation && next.dead_letters.purged == before.dead_letters.purged) return {};
  return registry_.update_pipeline(pipeline.pipeline, pipeline.name, next.reserved_id, next.dead_letters.purged);
}

}  // namespace weir
