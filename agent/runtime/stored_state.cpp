#include "agent/runtime/stored_state.h"

#include <algorithm>

namespace weir {
namespace {

class Reader final : public RestoreHandler {
 public:
  Reader(CheckpointStore& store, ManifestCodec& codec, StoredState& state) : store_(store), codec_(codec), state_(state) {}

  Status on_manifest(Bytes bytes) override {
    Manifest manifest;
    WEIR_TRY(codec_.decode(bytes, manifest));
    state_.checkpoint_id = manifest.checkpoint_id;
    state_.created_wall_ms = manifest.created_wall_ms;
    state_.ledger = manifest.ledger;
    state_.sources.assign(manifest.sources.begin(), manifest.sources.begin() + manifest.source_count);
    for (uint32_t index = 0; index < manifest.part_count; ++index) {
      const ManifestPart& row = manifest.parts[index];
      WEIR_TRY(add(row.uid, row.op, row.checkpoint_id, row.layout));
    }
    return {};
  }

  Status on_blob(uint32_t op, const StoredBlob& blob) override {
    auto part = std::ranges::find(state_.parts, op, &StoredPart::op);
    if (part == state_.parts.end()) return {};
    part->bytes += blob.bytes.size();
    if (blob.kind == BlobKind::Operator) return read_own(*part, blob.bytes);
    if (blob.kind != BlobKind::Base && blob.kind != BlobKind::Delta) return {};
    return part->slots == nullptr ? Status() : part->slots->restore(blob);
  }

  Status on_outbox(uint32_t op, uint64_t, size_t bytes) override {
    auto part = std::ranges::find(state_.parts, op, &StoredPart::op);
    if (part != state_.parts.end()) part->bytes += bytes;
    return {};
  }

  Status add_kept(const KeptPart& kept) {
    // It has returned.
    if (std::ranges::find(state_.parts, kept.uid, &StoredPart::uid) != state_.parts.end()) return {};
    WEIR_TRY(add(kept.uid, kept.op, kept.checkpoint_id, kept.layout));
    state_.parts.back().kept = true;
    state_.parts.back().since_wall_ms = kept.since_wall_ms;
    const Status loaded = store_.load_kept(kept, *this);
    if (loaded.code() != Code::Corrupt && loaded.code() != Code::NotFound) return loaded;
    // It can still be dropped, and the others be looked at.
    state_.parts.back().damage = loaded.text();
    state_.parts.back().slots.reset();
    return {};
  }

 private:
  Status add(std::string_view uid, uint32_t op, uint64_t checkpoint_id, uint64_t layout) {
    StoredPart part;
    part.uid = uid;
    part.op = op;
    part.checkpoint_id = checkpoint_id;
    const Result<std::string> text = store_.layout(layout);
    if (!text.ok() && text.status().code() != Code::NotFound) return text.status();
    if (text.ok()) {
      Result<StateLayout> parsed = StateLayout::parse(text.value());
      part.described = parsed.ok();
      if (parsed.ok()) part.layout = std::move(parsed.value());
    }
    state_.parts.push_back(std::move(part));
    return {};
  }

  static Status read_own(StoredPart& part, Bytes bytes) {
    part.own.assign(bytes.begin(), bytes.end());
    const int slots = part.layout.own.find("slots");
    if (slots < 0 || bytes.size() < part.layout.own.bytes()) return {};
    uint32_t count = 0;
    memcpy(&count, bytes.data() + part.layout.own.at(static_cast<size_t>(slots)), sizeof count);
    part.slots = std::make_unique<StoredSlots>(part.layout);
    return part.slots->open(count);
  }

  CheckpointStore& store_;
  ManifestCodec& codec_;
  StoredState& state_;
};

}  // namespace

Status read_stored_state(CheckpointStore& store, std::string_view pipeline, ManifestCodec& codec, StoredState& state) {
  state.pipeline = pipeline;
  const Result<PipelineRow> row = store.open_pipeline(pipeline, {});
  if (!row.ok()) return row.status();
  Reader reader(store, codec, state);
  const Status loaded = store.load(row.value().pipeline, reader);
  if (!loaded.ok() && loaded.code() != Code::NotFound) return loaded;
  std::vector<KeptPart> kept;
  WEIR_TRY(store.each_kept(row.value().pipeline, [&](const KeptPart& part) {
    kept.push_back(part);
    return Status();
  }));
  for (const KeptPart& part : kept) WEIR_TRY(reader.add_kept(part));
  return {};
}

}  // namespace weir
