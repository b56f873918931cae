#include "firmware-tests/support/memory_store.h"

namespace weir {

Result<PipelineRow> MemoryStore::open_pipeline(std::string_view, PipelineLimits) {
  return PipelineRow{1, last_id, reserved_id, 0, 0};
}

Result<uint32_t> MemoryStore::operator_number(uint32_t, std::string_view uid) {
  auto [row, added] = operators.try_emplace(std::string(uid), static_cast<uint32_t>(operators.size() + 1));
  return row->second;
}

Status MemoryStore::reserve_ids(uint32_t, uint64_t id) {
  reserved_id = id;
  return {};
}

Status MemoryStore::commit(const CheckpointWrite& write) {
  ++commits;
  if (!fail_with.ok()) return fail_with;
  if (write.id <= last_id) return {Code::InvalidArgument, "ids must grow"};
  last_id = write.id;
  reserved_id = write.reserved_id;
  ids.push_back(write.id);
  reasons.push_back(write.reason);
  manifest = as_text(write.manifest);
  for (const Blob& blob : write.snapshot->blobs()) {
    bool replaces = blob.kind == BlobKind::Operator || blob.kind == BlobKind::Base;
    rows[blob.kind][{blob.op, replaces ? 0 : write.id, blob.index}] = {write.id, std::string(as_text(blob.bytes))};
  }
  for (const Trim& trim : write.snapshot->trims())
    std::erase_if(rows[trim.kind], [&](const auto& entry) {
      return std::get<0>(entry.first) == trim.op && entry.second.checkpoint_id <= trim.up_to_checkpoint;
    });
  for (const DeadLetter& letter : write.snapshot->dead_letters()) dead_letter_reasons.emplace_back(letter.reason);
  return {};
}

Status MemoryStore::load(uint32_t, RestoreHandler& handler) {
  WEIR_TRY(fail_load_with);
  if (last_id == 0) return {Code::NotFound, "no checkpoint"};
  WEIR_TRY(handler.on_manifest(as_bytes(manifest)));
  for (BlobKind kind : {BlobKind::Operator, BlobKind::Base, BlobKind::Delta, BlobKind::SessionTail})
    for (const auto& [key, row] : rows[kind])
      WEIR_TRY(handler.on_blob(std::get<0>(key), {kind, std::get<2>(key), row.checkpoint_id, as_bytes(row.bytes)}));
  for (const auto& [key, row] : rows[BlobKind::Outbox])
    WEIR_TRY(handler.on_outbox(std::get<0>(key), row.checkpoint_id, row.bytes.size()));
  return {};
}

Status MemoryStore::put_layout(uint64_t hash, std::string_view text) {
  layouts[hash] = text;
  return {};
}

Result<std::string> MemoryStore::layout(uint64_t hash) {
  if (!layouts.contains(hash)) return Status(Code::NotFound, "no such layout");
  return layouts.at(hash);
}

Status MemoryStore::each_kept(uint32_t, FunctionRef<Status(const KeptPart&)> visit) {
  for (auto& [op, part] : kept) {
    for (const auto& [uid, number] : operators)
      if (number == op) part.uid = uid;
    WEIR_TRY(visit(part));
  }
  return {};
}

Status MemoryStore::keep_part(const KeptPart& part) {
  kept[part.op] = part;
  return {};
}

Status MemoryStore::forget_kept(uint32_t op, bool with_state) {
  kept.erase(op);
  if (!with_state) return {};
  for (auto& [kind, blobs] : rows) std::erase_if(blobs, [&](const auto& entry) { return std::get<0>(entry.first) == op; });
  return {};
}

Status MemoryStore::load_kept(const KeptPart& part, RestoreHandler& handler) {
  for (BlobKind kind : {BlobKind::Operator, BlobKind::Base, BlobKind::Delta})
    for (const auto& [key, row] : rows[kind])
      if (std::get<0>(key) == part.op)
        WEIR_TRY(handler.on_blob(part.op, {kind, std::get<2>(key), row.checkpoint_id, as_bytes(row.bytes)}));
  return {};
}

Result<StoredOutbox> MemoryStore::next_outbox(uint32_t op, uint64_t after_checkpoint, std::span<uint8_t> to) {
  for (const auto& [key, row] : rows[BlobKind::Outbox]) {
    if (std::get<0>(key) != op || row.checkpoint_id <= after_checkpoint) continue;
    if (row.bytes.size() > to.size()) return Status(Code::Full, "does not fit");
    memcpy(to.data(), row.bytes.data(), row.bytes.size());
    return StoredOutbox{row.checkpoint_id, row.bytes.size()};
  }
  return Status(Code::NotFound, "nothing waits");
}

Status PlainManifestCodec::encode(const Manifest& manifest, ByteWriter& out) {
  static_assert(std::is_trivially_copyable_v<Manifest> && sizeof(Manifest) <= manifest_bytes_max);
  out.put_bytes({reinterpret_cast<const uint8_t*>(&manifest), sizeof manifest});
  return out.overflowed() ? Status(Code::Full, "does not fit") : Status();
}

Status PlainManifestCodec::decode(Bytes bytes, Manifest& manifest) {
  if (bytes.size() != sizeof manifest) return {Code::Corrupt, "no manifest"};
  memcpy(&manifest, bytes.data(), sizeof manifest);
  return {};
}

}  // namespace weir
