// Handing a checkpoint over, page by page. A page is as much as the caller's buffer takes; between two pages other checkpoints
// may be made, so the place is found again by keys each time.
#include <algorithm>

#include "storage/checkpoint_store.h"
#include "storage/row_key.h"

namespace weir {

class SqliteCheckpointStore::Exporter {
 public:
  Exporter(SqliteCheckpointStore& store, uint32_t pipeline, uint64_t id, ExportCursor& cursor, ByteWriter& out)
      : store_(store), pipeline_(pipeline), id_(id), cursor_(cursor), out_(out) {}

  Status run() {
    while (!cursor_.done()) {
      const Status status = stage();
      if (page_full_) return {};
      WEIR_TRY(status);
      cursor_ = {static_cast<uint8_t>(cursor_.stage + 1), 0, 0, 0, 0};
    }
    return {};
  }

 private:
  Status stage() {
    switch (cursor_.stage) {
      case 0:
        return checkpoint();
      case 1:
        return configuration();
      case 2:
        return layouts();
      case 3:
        return parts();
      default:
        return emit({});
    }
  }

  Status checkpoint() {
    return store_.checkpoints_.read(pipeline_, id_, [&](const CheckpointRow& read) {
      SavedRow row;
      row.kind = SavedRowKind::Checkpoint;
      row.checkpoint_id = id_;
      row.operator_blobs = read.operator_blobs;
      row.blob_rows = read.blob_rows;
      row.bytes = read.manifest;
      return emit(row);
    });
  }

  /// For people: that it is not known, or damaged, stops nothing.
  Status configuration() {
    const Status status = store_.meta_.read(config_value_name, [&](std::string_view text) {
      SavedRow row;
      row.kind = SavedRowKind::Config;
      row.bytes = as_bytes(text);
      return emit(row);
    });
    return status.code() == Code::NotFound || status.code() == Code::Corrupt ? Status() : status;
  }

  Status layouts() {
    return store_.layouts_.each(cursor_.kind == 0, cursor_.key, [&](uint64_t hash, std::string_view text) -> Status {
      SavedRow row;
      row.kind = SavedRowKind::Layout;
      row.hash = hash;
      row.bytes = as_bytes(text);
      WEIR_TRY(emit(row));
      cursor_.kind = 1;  // any hash may be the first
      cursor_.key = static_cast<int64_t>(hash);
      return {};
    });
  }

  Status parts() {
    return store_.registry_.each_operator(pipeline_, [&](uint32_t op) -> Status {
      if (op < cursor_.op) return {};
      if (op > cursor_.op) cursor_ = {cursor_.stage, op, 0, 0, 0};
      const Status status = store_.states_.read(op, id_, [&](const PartSet& set, Bytes bytes) { return part(op, set, bytes); });
      return status.code() == Code::NotFound ? Status() : status;
    });
  }

  Status part(uint32_t op, const PartSet& set, Bytes bytes) {
    if (cursor_.kind == 0) {
      SavedRow row;
      row.kind = SavedRowKind::Part;
      row.op = op;
      row.checkpoint_id = id_;
      row.set = set;
      row.bytes = bytes;
      WEIR_TRY(emit(row));
      cursor_.kind = static_cast<uint8_t>(BlobKind::Base);
    }
    auto visit = [&](const StoredBlob& blob) { return this->blob(op, blob); };
    for (BlobKind kind : {BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail}) {
      if (static_cast<uint8_t>(kind) < cursor_.kind) continue;
      if (static_cast<uint8_t>(kind) > cursor_.kind) cursor_ = {cursor_.stage, op, static_cast<uint8_t>(kind), 0, 0};
      const uint64_t after = set.after_of(kind);
      WEIR_TRY(kind == BlobKind::Base ? store_.chunks_.each(op, after, id_, visit, cursor_.key)
                                      : store_.table(kind).each(op, after, id_, visit, cursor_.key));
    }
    cursor_ = {cursor_.stage, op + 1, 0, 0, 0};
    return {};
  }

  Status blob(uint32_t op, const StoredBlob& blob) {
    SavedRow row;
    row.kind = SavedRowKind::Blob;
    row.blob_kind = static_cast<uint8_t>(blob.kind);
    row.op = op;
    row.index = blob.index;
    row.checkpoint_id = blob.checkpoint_id;
    row.bytes = blob.bytes;
    WEIR_TRY(emit(row));
    cursor_.key = blob.kind == BlobKind::Base ? row_key::of_chunk(op, blob.index, blob.checkpoint_id)
                                              : row_key::of_blob(op, blob.checkpoint_id, blob.index);
    return {};
  }

  /// What of the row is not yet handed over; an error that ends the page if not all of that fits.
  Status emit(const SavedRow& row) {
    const auto header = saved_row_header(row);
    put(header, 0);
    put(row.bytes, header.size());
    page_full_ = cursor_.offset < header.size() + row.bytes.size();
    if (page_full_) return {Code::Full, "the page is full"};
    cursor_.offset = 0;
    return {};
  }

  /// `bytes` stand at `at` in their row.
  void put(Bytes bytes, size_t at) {
    if (cursor_.offset < at || cursor_.offset >= at + bytes.size()) return;
    const Bytes rest = bytes.subspan(static_cast<size_t>(cursor_.offset) - at);
    const size_t count = std::min(rest.size(), out_.room());
    out_.put_bytes(rest.first(count));
    cursor_.offset += count;
  }

  SqliteCheckpointStore& store_;
  uint32_t pipeline_;
  uint64_t id_;
  ExportCursor& cursor_;
  ByteWriter& out_;
  bool page_full_ = false;
};

Status SqliteCheckpointStore::export_rows(uint32_t pipeline, uint64_t checkpoint_id, ExportCursor& cursor, ByteWriter& out) {
  return Exporter(*this, pipeline, checkpoint_id, cursor, out).run();
}

Status SqliteCheckpointStore::pin(uint32_t pipeline, uint64_t checkpoint_id) {
  OpenPipeline* opened = find_pipeline(pipeline);
  if (opened == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  const auto retained = std::span(opened->retained).first(opened->retained_count);
  if (checkpoint_id != 0 && std::ranges::find(retained, checkpoint_id) == retained.end())
    return {Code::NotFound, "the checkpoint is not retained any more"};
  opened->pinned = checkpoint_id;
  return {};
}

uint64_t SqliteCheckpointStore::newest_checkpoint(uint32_t pipeline) {
  const OpenPipeline* opened = find_pipeline(pipeline);
  return opened == nullptr ? 0 : opened->counters.last_checkpoint_id;
}

}  // namespace weir
