// What the tests of the storage share: a store in a directory of its own, checkpoints made by hand, a handler that writes
// down what it is given, and a plain SQLite connection for looking at, and damaging, the file behind the store's back.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/crc32c.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/support/temporary_directory.h"
#include "storage/checkpoint_store.h"

namespace weir {

/// One checkpoint to commit. Bytes are copied.
class TestCheckpoint {
 public:
  explicit TestCheckpoint(uint64_t id) : memory_(4 << 20), snapshot_(memory_, blobs_, trims_) { snapshot_.begin(id); }

  TestCheckpoint& put(BlobKind kind, uint32_t op, uint32_t index, std::string_view bytes) {
    snapshot_.open(kind, op, index).put_bytes(as_bytes(bytes));
    snapshot_.close();
    return *this;
  }
  TestCheckpoint& state(uint32_t op, std::string_view bytes) { return put(BlobKind::Operator, op, 0, bytes); }
  TestCheckpoint& trim(BlobKind kind, uint32_t op, uint64_t up_to) {
    snapshot_.trim(kind, op, up_to);
    return *this;
  }
  TestCheckpoint& letters(std::span<const DeadLetter> letters) {
    snapshot_.lend_dead_letters(letters);
    return *this;
  }
  TestCheckpoint& replayed(std::span<const int64_t> ids) {
    snapshot_.lend_replayed_letters(ids);
    return *this;
  }
  CheckpointWrite write(uint32_t pipeline, std::string_view manifest = "manifest") const {
    CheckpointWrite write;
    write.pipeline = pipeline;
    write.id = snapshot_.checkpoint_id();
    write.reason = CheckpointReason::Interval;
    write.created_wall_ms = 1700000000000;
    write.manifest = as_bytes(manifest);
    write.snapshot = &snapshot_;
    return write;
  }

 private:
  std::vector<uint8_t> memory_;
  std::array<Blob, 64> blobs_;
  std::array<Trim, 64> trims_;
  Snapshot snapshot_;
};

/// A checkpoint as a pipeline writes it: some chunks rewritten, deltas, results, deliveries, and what may go of the older
/// ones.
inline TestCheckpoint random_checkpoint(Random& random, uint64_t id, uint32_t source, uint32_t step) {
  TestCheckpoint made(id);
  const std::string bytes = std::to_string(id) + std::string(random.below(300), 'x');
  made.state(source, "source " + bytes).state(step, "step " + bytes);
  for (uint32_t chunk = 0; chunk < 4; ++chunk)
    if (random.chance(30)) made.put(BlobKind::Base, step, chunk, "chunk " + bytes);
  for (uint32_t index = 0; index < random.below(3); ++index) made.put(BlobKind::Delta, step, index, "delta " + bytes);
  if (random.chance(60)) made.put(BlobKind::Outbox, step, 0, "results " + bytes);
  if (random.chance(80)) made.put(BlobKind::SessionTail, source, 0, "tail " + bytes);
  const uint64_t back = random.below(6);
  if (random.chance(60) && id > back) made.trim(BlobKind::Delta, step, id - back);
  if (random.chance(60) && id > back) made.trim(BlobKind::Outbox, step, id - back);
  if (random.chance(60) && id > 1) made.trim(BlobKind::SessionTail, source, id - 1);
  if (random.chance(5)) made.trim(BlobKind::Base, step, id - back / 2);
  return made;
}

/// Writes down what it is given, one line each: "delta op=2 index=0 checkpoint=5: bytes".
class RecordingHandler : public RestoreHandler {
 public:
  void on_damaged(const DamagedCheckpoint& checkpoint) override {
    damaged += std::to_string(checkpoint.id) + ": " + checkpoint.damage.text() + "\n";
    copy = checkpoint.copy;
  }
  Status on_manifest(Bytes manifest) override { return add("manifest", manifest); }
  Status on_blob(uint32_t op, const StoredBlob& blob) override {
    static constexpr const char* names[] = {"", "state", "base", "delta", "outbox", "tail"};
    return add(std::string(names[static_cast<size_t>(blob.kind)]) + " op=" + std::to_string(op) +
                   " index=" + std::to_string(blob.index) + " checkpoint=" + std::to_string(blob.checkpoint_id),
               blob.bytes);
  }
  Status on_outbox(uint32_t op, uint64_t checkpoint_id, size_t bytes) override {
    return add(
        "outbox op=" + std::to_string(op) + " checkpoint=" + std::to_string(checkpoint_id) + " bytes=" + std::to_string(bytes),
        {});
  }
  std::string text;
  std::string damaged;  // "7: what disagrees", one line each
  std::string copy;
  /// What the handler answers from the n-th call on.
  int fail_at = -1;

 private:
  Status add(const std::string& what, Bytes bytes) {
    if (fail_at-- == 0) return {Code::Incompatible, "the handler said no"};
    text += what + ": " + std::string(as_text(bytes)) + "\n";
    return {};
  }
};

/// A connection that knows nothing of the store. Runs each statement and returns the first column of all rows, by line.
inline std::string plain_sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  std::string text;
  int code = sqlite3_open(path.c_str(), &connection);
  auto collect = [](void* to, int, char** values, char**) {
    static_cast<std::string*>(to)->append(values[0] != nullptr ? values[0] : "NULL").append("\n");
    return 0;
  };
  if (code == SQLITE_OK) code = sqlite3_exec(connection, sql.c_str(), collect, &text, nullptr);
  if (code != SQLITE_OK) text = "error " + std::to_string(code) + ": " + sqlite3_errmsg(connection);
  sqlite3_close(connection);
  return text;
}

/// A store in a directory of its own, with little space reserved so that opening is quick.
struct StoreFixture {
  TemporaryDirectory directory;
  StoreOptions options = small_options();
  std::unique_ptr<SqliteCheckpointStore> store;
  uint32_t pipeline = 0;

  StoreOptions small_options() const {
    StoreOptions small;
    small.state_dir = directory.file("state");
    small.wal_frames_max = 16;
    small.transaction_bytes_max = 16 << 10;
    small.database_bytes = 64 << 10;
    return small;
  }
  std::string database_path() const { return options.state_dir + "/weir.db"; }

  Status try_open() {
    store = std::make_unique<SqliteCheckpointStore>();
    return store->open(options);
  }
  /// Opens the store and its pipeline "p"; 0 as pipeline if that failed.
  Status open(PipelineLimits limits = {}) {
    WEIR_TRY(try_open());
    Result<PipelineRow> row = store->open_pipeline("p", limits);
    if (row.ok()) pipeline = row.value().pipeline;
    return row.status();
  }
  void close() { store.reset(); }
  Status reopen() {
    close();
    return open();
  }
  uint32_t part(std::string_view uid) {
    Result<uint32_t> op = store->operator_number(pipeline, uid);
    return op.ok() ? op.value() : 0;
  }
  Status commit(const TestCheckpoint& checkpoint) { return store->commit(checkpoint.write(pipeline)); }
  PipelineRow row() {
    Result<PipelineRow> row = store->open_pipeline("p", {});
    return row.ok() ? row.value() : PipelineRow();
  }
  /// What load hands over, or the code and text of its error.
  std::string loaded() {
    RecordingHandler handler;
    Status status = store->load(pipeline, handler);
    return status.ok() ? handler.text : status.text();
  }
  std::string sql(const std::string& text) const { return plain_sql(database_path(), text); }
};

}  // namespace weir
