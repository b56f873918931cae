// The reading half of SqliteCheckpointStore. The newest row of `checkpoint` says what there must be; each blob is held
// against its CRC, each id against the row's, and the numbers of blobs against what the row counted.
#include "storage/checkpoint_store.h"

namespace weir {

class SqliteCheckpointStore::Loader {
 public:
  Loader(SqliteCheckpointStore& store, RestoreHandler& handler) : store_(store), handler_(handler) {}

  Status load(uint32_t pipeline) {
    WEIR_TRY(read_row(pipeline));
    WEIR_TRY(store_.registry_.each_operator(pipeline, [&](uint32_t op) { return load_part(op); }));
    if (current_parts_ != operator_blobs_)
      return {Code::Corrupt, "the newest checkpoint wrote the state of more parts than carry its id"};
    if (blob_rows_ != blob_rows_expected_) return {Code::Corrupt, "the newest checkpoint counted other blobs than there are"};
    return {};
  }

 private:
  Status read_row(uint32_t pipeline) {
    return store_.checkpoints_.newest(pipeline, [&](const CheckpointRow& row) {
      newest_ = row.id;
      operator_blobs_ = row.operator_blobs;
      blob_rows_expected_ = row.blob_rows;
      return handler_.on_manifest(row.manifest);
    });
  }

  Status load_part(uint32_t op) {
    // A part that was taken out of the configuration keeps its rows: they are checked and counted, but are nobody's state.
    bool current = false;
    auto deliver = [&](const StoredBlob& blob) { return current ? handler_.on_blob(op, blob) : Status(); };
    WEIR_TRY(each(BlobKind::Operator, op, [&](const StoredBlob& blob) {
      current = blob.checkpoint_id == newest_;
      if (current) ++current_parts_;
      return deliver(blob);
    }));
    for (BlobKind kind : {BlobKind::Base, BlobKind::Delta, BlobKind::SessionTail}) WEIR_TRY(each(kind, op, deliver));
    return each(BlobKind::Outbox, op, [&](const StoredBlob& blob) {
      return current ? handler_.on_outbox(op, blob.checkpoint_id, blob.bytes.size()) : Status();
    });
  }

  Status each(BlobKind kind, uint32_t op, FunctionRef<Status(const StoredBlob&)> visit) {
    return store_.table(kind).each(op, newest_, [&](const StoredBlob& blob) {
      ++blob_rows_;
      return visit(blob);
    });
  }

  SqliteCheckpointStore& store_;
  RestoreHandler& handler_;
  uint64_t newest_ = 0;
  uint64_t operator_blobs_ = 0;
  uint64_t current_parts_ = 0;
  uint64_t blob_rows_expected_ = 0;
  uint64_t blob_rows_ = 0;
};

Status SqliteCheckpointStore::load(uint32_t pipeline, RestoreHandler& handler) {
  if (find_pipeline(pipeline) == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  return Loader(*this, handler).load(pipeline);
}

}  // namespace weir
