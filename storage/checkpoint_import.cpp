// Putting a checkpoint that was made elsewhere in the place of what is stored, in one transaction that ends with the same check
// as a start: what is not sound never gets in.
#include <algorithm>

#include "storage/blob_row.h"
#include "storage/checkpoint_store.h"
#include "storage/row_key.h"

namespace weir {

Status SqliteCheckpointStore::forget_pipeline(uint32_t pipeline) {
  std::vector<uint32_t> ops;
  WEIR_TRY(registry_.each_operator(pipeline, [&](uint32_t op) {
    ops.push_back(op);
    return Status();
  }));
  for (uint32_t op : ops) {
    WEIR_TRY(kept_.forget(op));
    for (BlobKind kind : {BlobKind::Operator, BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail})
      WEIR_TRY(forget_blobs(kind, op, 0, row_key::checkpoint_id_max));
  }
  return checkpoints_.forget_after(pipeline, 0);
}

Status SqliteCheckpointStore::fill_and_check(uint32_t pipeline, FunctionRef<Status()> fill) {
  WEIR_TRY(fill());
  uint64_t newest = 0;
  WEIR_TRY(checkpoints_.each_id(pipeline, [&](uint64_t id) {
    newest = std::max(newest, id);
    return Status();
  }));
  return newest == 0 ? Status() : check_checkpoint(pipeline, newest);
}

Status SqliteCheckpointStore::replace(uint32_t pipeline, FunctionRef<Status()> fill) {
  OpenPipeline* opened = find_pipeline(pipeline);
  if (opened == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  Status filled;
  auto all = [&]() -> Status {
    WEIR_TRY(forget_pipeline(pipeline));
    filled = fill_and_check(pipeline, fill);
    // What comes from elsewhere and is damaged says nothing about this database.
    return filled.code() == Code::Corrupt ? Status(Code::InvalidArgument, filled.text(), filled.detail()) : filled;
  };
  imported_ = {};
  const Status changed = change(all);
  WEIR_TRY(filled);
  WEIR_TRY(changed);
  if (imported_.checkpoint_id != 0) newest_.note(opened->name, imported_);
  WEIR_TRY(read_again(*opened));
  opened->counters.reserved_id = std::max(opened->counters.reserved_id, opened->counters.last_checkpoint_id);
  // The log has become as long as all of this.
  return database_.wal_frames() > wal_frames_max_ ? fail(database_.truncate_wal()) : Status();
}

Status SqliteCheckpointStore::import_part(uint32_t op, uint64_t checkpoint_id, const PartSet& set, Bytes bytes) {
  if (op > row_key::op_max || checkpoint_id > row_key::checkpoint_id_max)
    return {Code::InvalidArgument, "the ids of checkpoints are used up"};
  return states_.put(op, checkpoint_id, set, bytes);
}

Status SqliteCheckpointStore::import_blob(uint32_t op, const StoredBlob& blob) {
  if (op > row_key::op_max || blob.checkpoint_id > row_key::checkpoint_id_max)
    return {Code::InvalidArgument, "the ids of checkpoints are used up"};
  if (blob.index > row_key::blob_index_max || blob.kind < BlobKind::Base)
    return {Code::Corrupt, "a blob whose key is out of range", static_cast<int>(op)};
  const Blob row{blob.kind, op, blob.index, blob.bytes};
  return blob.kind == BlobKind::Base ? chunks_.put(row, blob.checkpoint_id) : table(blob.kind).put(row, blob.checkpoint_id);
}

Status SqliteCheckpointStore::import_checkpoint(const CheckpointRow& row, uint64_t source_offset) {
  OpenPipeline* opened = find_pipeline(row.pipeline);
  if (opened == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  WEIR_TRY(checkpoints_.put(row));
  const uint64_t reserved_id = std::max(opened->counters.reserved_id, row.id);
  imported_ = {row.id, source_offset};
  return registry_.update_pipeline(row.pipeline, opened->name, reserved_id, opened->counters.dead_letters.purged);
}

Status SqliteCheckpointStore::put_value(std::string_view name, std::string_view value) {
  const Result<std::string> known = this->value(name);
  if (known.ok() && known.value() == value) return {};
  return change([&] { return meta_.put(name, value); });
}

Result<std::string> SqliteCheckpointStore::value(std::string_view name) {
  std::string found;
  const Status status = meta_.read(name, [&](std::string_view value) {
    found = value;
    return Status();
  });
  if (!status.ok()) return status;
  return found;
}

}  // namespace weir
