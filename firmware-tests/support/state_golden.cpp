#include "firmware-tests/support/state_golden.h"

#include <algorithm>
#include <filesystem>

#include "agent/base/hash.h"
#include "agent/operators/state_text.h"
#include "agent/runtime/stored_state.h"
#include "connectors/codecs/manifest_codec.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/step_rig.h"
#include "storage/checkpoint_store.h"

namespace weir::test {
namespace {

/// The graph's own watermarks, which a pipeline stores as its own part.
constexpr std::string_view graph_uid = "graph";
constexpr int64_t created_wall_ms = 1'700'000'000'000;

std::vector<std::string> pipelines_of(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

StoreOptions options_of(const std::string& state_dir) {
  StoreOptions options;
  options.state_dir = state_dir;
  options.wal_frames_max = 1;
  options.database_bytes = 64 << 10;
  return options;
}

template <class T, size_t size>
void set_text(T (&to)[size], std::string_view from) {
  const size_t length = std::min(from.size(), size - 1);
  std::copy_n(from.begin(), length, to);
  to[length] = 0;
}

/// One pipeline of the golden state, on its way into a store or out of it.
class GoldenPipeline final : public RestoreHandler {
 public:
  GoldenPipeline(SqliteCheckpointStore& store, const std::string& directory, const std::string& name)
      : store_(store), name_(name), rig_(read_whole_file(directory + "/" + name + ".toml")) {}

  StepRig& rig() { return rig_; }

  Status open() {
    if (!rig_.problems().empty()) return {Code::Config, "the golden configuration cannot be read any more"};
    const Result<PipelineRow> row = store_.open_pipeline(name_, {});
    if (!row.ok()) return row.status();
    number_ = row.value().pipeline;
    for (Stateful* part : rig_.stateful()) {
      const Result<uint32_t> op = store_.operator_number(number_, part->uid());
      if (!op.ok()) return op.status();
      part->set_op(op.value());
    }
    const Result<uint32_t> graph = store_.operator_number(number_, graph_uid);
    if (graph.ok()) graph_op_ = graph.value();
    return graph.status();
  }

  Status checkpoint(uint64_t id) {
    SnapshotBounds bounds{rig_.graph().saved_bytes(), 1, 0};
    for (Stateful* part : rig_.stateful()) {
      const SnapshotBounds more = part->snapshot_bounds();
      bounds = {bounds.bytes + more.bytes, bounds.blobs + more.blobs, bounds.trims + more.trims};
    }
    SnapshotMemory memory(bounds);
    memory.snapshot.begin(id);
    Manifest manifest;
    manifest.checkpoint_id = id;
    set_text(manifest.pipeline, name_);
    set_text(manifest.weir_version, "golden");
    manifest.created_wall_ms = created_wall_ms;
    manifest.source_offset = id;
    for (Stateful* part : rig_.stateful()) {
      part->snapshot(memory.snapshot);
      WEIR_TRY(note(manifest, part->uid(), part->op(), part->layout()));
    }
    rig_.graph().save(memory.snapshot.open(BlobKind::Operator, graph_op_));
    memory.snapshot.close();
    WEIR_TRY(note(manifest, graph_uid, graph_op_, "graph"));
    WEIR_TRY(commit(manifest, memory.snapshot));
    for (Stateful* part : rig_.stateful()) part->snapshot_done(id, true);
    return store_.after_commit();
  }

  Status restore() {
    WEIR_TRY(store_.load(number_, *this));
    for (Stateful* part : rig_.stateful()) WEIR_TRY(part->restore_finished());
    return {};
  }

 private:
  Status note(Manifest& manifest, std::string_view uid, uint32_t op, std::string_view layout) {
    ManifestPart& row = manifest.parts[manifest.part_count++];
    set_text(row.uid, uid);
    row.op = op;
    row.layout = hash64(as_bytes(layout));
    row.checkpoint_id = manifest.checkpoint_id;
    return store_.put_layout(row.layout, layout);
  }
  Status commit(const Manifest& manifest, const Snapshot& snapshot) {
    std::vector<uint8_t> room(manifest_bytes_max);
    ByteWriter out(room);
    WEIR_TRY(NanopbManifestCodec().encode(manifest, out));
    CheckpointWrite write;
    write.pipeline = number_;
    write.id = manifest.checkpoint_id;
    write.reason = CheckpointReason::Interval;
    write.created_wall_ms = created_wall_ms;
    write.manifest = out.bytes();
    write.snapshot = &snapshot;
    return store_.commit(write);
  }

  Stateful* part_of(uint32_t op) {
    for (Stateful* part : rig_.stateful())
      if (part->op() == op) return part;
    return nullptr;
  }
  Status on_manifest(Bytes bytes) override {
    Manifest manifest;
    WEIR_TRY(NanopbManifestCodec().decode(bytes, manifest));
    for (uint32_t index = 0; index < manifest.part_count; ++index) {
      Stateful* part = part_of(manifest.parts[index].op);
      if (part == nullptr || hash64(as_bytes(part->layout())) == manifest.parts[index].layout) continue;
      // A later format may describe the same bytes in other words, or convert them.
      const Result<std::string> text = store_.layout(manifest.parts[index].layout);
      if (!text.ok()) return text.status();
      Result<StateLayout> stored = StateLayout::parse(text.value());
      if (!stored.ok()) return stored.status();
      WEIR_TRY(part->adopt(stored.value()));
    }
    return {};
  }
  Status on_blob(uint32_t op, const StoredBlob& blob) override {
    if (Stateful* part = part_of(op)) return part->restore(blob);
    ByteReader in(blob.bytes);
    return rig_.graph().restore(in) ? Status() : Status(Code::Corrupt, "the graph's own state is cut short");
  }
  Status on_outbox(uint32_t, uint64_t, size_t) override { return {}; }

  SqliteCheckpointStore& store_;
  std::string name_;
  StepRig rig_;
  uint32_t number_ = 0;
  uint32_t graph_op_ = 0;
};

std::string stored_text(SqliteCheckpointStore& store, const std::string& pipeline) {
  NanopbManifestCodec codec;
  StoredState state;
  std::string text;
  if (Status status = read_stored_state(store, pipeline, codec, state); !status.ok()) return status.text();
  for (const StoredPart& part : state.parts) {
    if (part.slots == nullptr) continue;
    text += part.layout.text();
    std::vector<std::string> lines;
    Status status = part.slots->each([&](Bytes slot) { return append_state_json(part.layout, slot, lines.emplace_back()); });
    if (!status.ok()) lines.emplace_back(status.text());
    std::ranges::sort(lines);
    for (const std::string& line : lines) text += line + "\n";
  }
  return text;
}

std::string results_text(SqliteCheckpointStore& store, const std::string& directory, const std::string& name) {
  GoldenPipeline pipeline(store, directory, name);
  Status status = pipeline.open();
  if (status.ok()) status = pipeline.restore();
  if (!status.ok()) return std::string(status.text()) + "\n" + pipeline.rig().problems();
  pipeline.rig().feed_lines(read_whole_file(directory + "/after.jsonl"));
  pipeline.rig().finish();
  return pipeline.rig().take_output();
}

}  // namespace

Status write_state_golden(const std::string& directory, const std::string& state_dir) {
  SqliteCheckpointStore store;
  WEIR_TRY(store.open(options_of(state_dir)));
  for (const std::string& name : pipelines_of(directory)) {
    GoldenPipeline pipeline(store, directory, name);
    WEIR_TRY(pipeline.open());
    for (const char* part : {"1", "2"}) {
      pipeline.rig().feed_lines(read_whole_file(directory + "/before-" + part + ".jsonl"));
      WEIR_TRY(pipeline.checkpoint(*part == '1' ? 1 : 2));
    }
  }
  return {};
}

std::string state_golden_text(const std::string& directory, const std::string& state_dir) {
  std::string text;
  SqliteCheckpointStore store;
  if (Status status = store.open(options_of(state_dir)); !status.ok()) return status.text();
  for (const std::string& name : pipelines_of(directory)) {
    text += "== " + name + ", stored\n" + stored_text(store, name);
    text += "== " + name + ", results\n" + results_text(store, directory, name);
  }
  return text;
}

}  // namespace weir::test
