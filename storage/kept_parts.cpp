// What SqliteCheckpointStore knows of layouts, and of parts that have left the configuration.
#include "storage/checkpoint_store.h"
#include "storage/row_key.h"

namespace weir {

Status SqliteCheckpointStore::put_layout(uint64_t hash, std::string_view text) {
  const Result<std::string> known = layouts_.find(hash);
  if (known.ok() || known.status().code() != Code::NotFound) return known.status();
  return change([&] { return layouts_.put(hash, text); });
}

Result<std::string> SqliteCheckpointStore::layout(uint64_t hash) { return layouts_.find(hash); }

Status SqliteCheckpointStore::each_pipeline(FunctionRef<Status(std::string_view name)> visit) {
  return registry_.each_pipeline(visit);
}

Status SqliteCheckpointStore::each_kept(uint32_t pipeline, FunctionRef<Status(const KeptPart&)> visit) {
  std::vector<KeptPart> rows;
  WEIR_TRY(kept_.each([&](const KeptPart& part) {
    rows.push_back(part);
    return Status();
  }));
  return registry_.each_named(pipeline, [&](uint32_t op, std::string_view uid) -> Status {
    for (KeptPart& part : rows) {
      if (part.op != op) continue;
      part.uid = uid;
      // Once the part was written again after its return, and no checkpoint is left from before, nothing is kept any more.
      const Status found = states_.read(op, part.checkpoint_id, [](const PartSet&, Bytes) { return Status(); });
      if (found.code() == Code::NotFound) continue;
      WEIR_TRY(visit(part));
    }
    return {};
  });
}

Status SqliteCheckpointStore::keep_part(const KeptPart& part) {
  return change([&] { return kept_.put(part); });
}

Status SqliteCheckpointStore::forget_kept(uint32_t op, bool with_state) {
  return change([&]() -> Status {
    WEIR_TRY(kept_.forget(op));
    if (!with_state) return {};
    for (BlobKind kind : {BlobKind::Operator, BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail})
      WEIR_TRY(forget_blobs(kind, op, 0, row_key::checkpoint_id_max));
    return {};
  });
}

}  // namespace weir
