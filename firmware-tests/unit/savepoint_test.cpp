// Checkpoints on their way out of a store, into a savepoint, and into another store: whole, or not at all.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "agent/app/savepoint_copy.h"
#include "agent/app/savepoint_file.h"
#include "agent/base/hash.h"
#include "connectors/codecs/manifest_codec.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

namespace {

/// A store whose checkpoints have manifests as a pipeline's have.
struct SavedStore {
  StoreFixture fixture;
  NanopbManifestCodec codec;
  std::array<uint32_t, 2> ops{};  // source, step
  Manifest manifest;

  explicit SavedStore(uint32_t retained = 2, const char* first_part = "source", const char* second_part = "step") {
    fixture.options.durability = CommitDurability::ProcessCrash;
    CHECK_OK(fixture.open({{}, retained}));
    ops = {fixture.part(first_part), fixture.part(second_part)};
    CHECK_OK(fixture.store->put_layout(hash64(as_bytes("a part")), "a part"));
    strcpy(manifest.pipeline, "p");
    manifest.part_count = 2;
    strcpy(manifest.parts[0].uid, "source");
    strcpy(manifest.parts[1].uid, "step");
    for (size_t part = 0; part < 2; ++part) manifest.parts[part].layout = hash64(as_bytes("a part"));
  }

  void commit(Random& random, uint64_t id) {
    manifest.checkpoint_id = id;
    manifest.source_offset = 10 * id;
    for (size_t part = 0; part < 2; ++part) {
      manifest.parts[part].op = ops[part];
      manifest.parts[part].checkpoint_id = id;
    }
    std::array<uint8_t, manifest_bytes_max> memory;
    ByteWriter encoded(memory);
    CHECK_OK(codec.encode(manifest, encoded));
    const TestCheckpoint made = random_checkpoint(random, id, ops[0], ops[1]);
    CHECK_OK(fixture.store->commit(made.write(fixture.pipeline, as_text(encoded.bytes()))));
  }

  SqliteCheckpointStore& store() { return *fixture.store; }

  /// The stream of a checkpoint, fetched in pages of `page_bytes`.
  std::vector<uint8_t> stream(
      uint64_t checkpoint_id, size_t page_bytes, FunctionRef<void()> between = [] {}) {
    std::vector<uint8_t> all;
    std::vector<uint8_t> page(page_bytes);
    for (ExportCursor cursor; !cursor.done();) {
      ByteWriter out(page);
      CHECK_OK(store().export_rows(fixture.pipeline, checkpoint_id, cursor, out));
      all.insert(all.end(), out.bytes().begin(), out.bytes().end());
      between();
    }
    return all;
  }

  Status take(std::vector<uint8_t> rows, CopiedCheckpoint& copied) {
    bool handed = false;
    auto next = [&]() -> Result<std::vector<uint8_t>> {
      if (handed) return std::vector<uint8_t>();
      handed = true;
      return rows;
    };
    return copy_checkpoint(
        next, "p", store(), codec, [](const CopyProgress&) {}, copied);
  }
};

/// What load() hands over, with parts by their names and checkpoints counted from `first`.
class ComparableHandler final : public RestoreHandler {
 public:
  ComparableHandler(std::array<uint32_t, 2> ops, uint64_t shift) : ops_(ops), shift_(shift) {}
  Status on_manifest(Bytes) override { return {}; }
  Status on_blob(uint32_t op, const StoredBlob& blob) override {
    rows.push_back(line(op, blob.kind, blob.index, blob.checkpoint_id) + std::string(as_text(blob.bytes)));
    return {};
  }
  Status on_outbox(uint32_t op, uint64_t id, size_t bytes) override {
    rows.push_back(line(op, BlobKind::Outbox, 0, id) + std::to_string(bytes));
    return {};
  }
  std::vector<std::string> rows;

 private:
  std::string line(uint32_t op, BlobKind kind, uint32_t index, uint64_t id) const {
    return std::string(op == ops_[0] ? "source " : "step ") + std::to_string(static_cast<int>(kind)) + " " +
           std::to_string(index) + " " + std::to_string(id - shift_) + ": ";
  }
  std::array<uint32_t, 2> ops_;
  uint64_t shift_;
};

std::vector<std::string> rows_of(SavedStore& saved, uint64_t shift = 0) {
  ComparableHandler handler(saved.ops, shift);
  CHECK_OK(saved.store().load(saved.fixture.pipeline, handler));
  std::sort(handler.rows.begin(), handler.rows.end());
  return handler.rows;
}

uint64_t random_seed() { return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()); }

}  // namespace

TEST_GROUP(Savepoint) {
  uint64_t seed = random_seed();
  Random random{seed};

  void setup() override { printf(" [seed %llu]", static_cast<unsigned long long>(seed)); }

  void commit(SavedStore & saved, uint64_t from, uint64_t to) {
    for (uint64_t id = from; id <= to; ++id) saved.commit(random, id);
  }
};

TEST(Savepoint, hands_over_the_same_bytes_in_pages_of_any_size) {
  SavedStore saved;
  commit(saved, 1, 30);
  const std::vector<uint8_t> whole = saved.stream(30, 4 << 20);
  for (size_t page : {1U, 7U, 89U, 90U, 91U, 500U, 4096U}) CHECK_TRUE(whole == saved.stream(30, page));
}

TEST(Savepoint, hands_over_a_pinned_checkpoint_while_others_are_made) {
  SavedStore saved;
  commit(saved, 1, 20);
  const std::vector<uint8_t> whole = saved.stream(20, 4 << 20);
  CHECK_OK(saved.store().pin(saved.fixture.pipeline, 20));
  uint64_t id = 20;
  const std::vector<uint8_t> meanwhile = saved.stream(20, 64, [&] { saved.commit(random, ++id); });
  CHECK_TRUE(id > 40);
  CHECK_TRUE(whole == meanwhile);
  const std::vector<std::string> newest = rows_of(saved);
  CHECK_OK(saved.store().pin(saved.fixture.pipeline, 0));
  // What was kept for it goes, and the newest ones stay whole.
  for (int more = 0; more < 20; ++more) {
    saved.commit(random, ++id);
    CHECK_FALSE(rows_of(saved).empty());
  }
  ExportCursor cursor;
  std::vector<uint8_t> page(4096);
  ByteWriter out(page);
  LONGS_EQUAL(static_cast<int>(Code::NotFound),
              static_cast<int>(saved.store().export_rows(saved.fixture.pipeline, 20, cursor, out).code()));
  saved.fixture.close();
  STRCMP_EQUAL("2\n", saved.fixture.sql("SELECT count(*) FROM checkpoint").c_str());
  STRCMP_EQUAL("4\n", saved.fixture.sql("SELECT count(*) FROM opstate").c_str());
}

TEST(Savepoint, pins_only_what_is_retained) {
  SavedStore saved;
  commit(saved, 1, 5);
  LONGS_EQUAL(static_cast<int>(Code::NotFound), static_cast<int>(saved.store().pin(saved.fixture.pipeline, 3).code()));
  CHECK_OK(saved.store().pin(saved.fixture.pipeline, 4));
  CHECK_OK(saved.store().pin(saved.fixture.pipeline, 0));
}

TEST(Savepoint, takes_every_row_into_another_store_behind_all_ids_that_it_has_known) {
  for (int round = 0; round < 20; ++round) {
    SavedStore from(1 + static_cast<uint32_t>(random.below(4)));
    commit(from, 1, 5 + random.below(40));
    // The parts have other numbers there.
    SavedStore to(2, "step", "source");
    std::swap(to.ops[0], to.ops[1]);
    const uint64_t known = random.below(30);
    commit(to, 1, known);
    CHECK_OK(to.store().reserve_ids(to.fixture.pipeline, known + 100));
    CopiedCheckpoint copied;
    CHECK_OK(to.take(from.stream(from.manifest.checkpoint_id, 300), copied));
    const uint64_t shift = known + 100;
    UNSIGNED_LONGS_EQUAL(from.manifest.checkpoint_id, copied.source_id);
    UNSIGNED_LONGS_EQUAL(from.manifest.checkpoint_id + shift, copied.manifest.checkpoint_id);
    CHECK_TRUE(rows_of(from) == rows_of(to, shift));
    UNSIGNED_LONGS_EQUAL(copied.manifest.checkpoint_id, to.fixture.row().last_checkpoint_id);
    // It goes on from there, also after it was opened again.
    to.fixture.close();
    STRCMP_EQUAL("1\n", to.fixture.sql("SELECT count(*) FROM checkpoint").c_str());
    CHECK_OK(to.fixture.reopen());
    CHECK_TRUE(to.fixture.part("step") == to.ops[1] && to.fixture.part("source") == to.ops[0]);
    commit(to, copied.manifest.checkpoint_id + 1, copied.manifest.checkpoint_id + 10);
    CHECK_FALSE(rows_of(to).empty());
  }
}

TEST(Savepoint, that_is_cut_short_or_damaged_changes_nothing) {
  SavedStore from;
  commit(from, 1, 12);
  SavedStore to;
  commit(to, 1, 3);
  const std::vector<std::string> before = rows_of(to);
  const std::vector<uint8_t> whole = from.stream(12, 4096);
  for (size_t cut = 0; cut < whole.size(); cut += 1 + random.below(40)) {
    CopiedCheckpoint copied;
    const Status status = to.take({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut)}, copied);
    LONGS_EQUAL(static_cast<int>(Code::Corrupt), static_cast<int>(status.code()));
    CHECK_TRUE(before == rows_of(to));
  }
  // Rows that are whole but too few: the last part with all its blobs.
  auto pages = [&]() -> Result<std::vector<uint8_t>> { return whole; };
  SavedRowReader reader(pages);
  SavedRow row;
  size_t bytes = 0;
  size_t last_part = 0;
  CHECK_OK(reader.next(row));
  while (row.kind != SavedRowKind::End) {
    if (row.kind == SavedRowKind::Part) last_part = bytes;
    bytes += saved_row_header_bytes + row.bytes.size();
    CHECK_OK(reader.next(row));
  }
  std::vector<uint8_t> few(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(last_part));
  const auto end = saved_row_header({});
  few.insert(few.end(), end.begin(), end.end());
  CopiedCheckpoint copied;
  STRCMP_EQUAL("the checkpoint wrote the state of other parts than there are", to.take(few, copied).text());
  CHECK_TRUE(before == rows_of(to));
  // The store is as good as before.
  CHECK_OK(to.take(whole, copied));
  CHECK_OK(to.fixture.reopen());
}

TEST(Savepoint, of_another_pipeline_is_refused) {
  SavedStore from;
  strcpy(from.manifest.pipeline, "q");
  commit(from, 1, 2);
  SavedStore to;
  CopiedCheckpoint copied;
  STRCMP_EQUAL("the manifest names another pipeline", to.take(from.stream(2, 4096), copied).text());
}

TEST(Savepoint, whose_ids_would_not_fit_behind_those_of_the_store_is_refused) {
  SavedStore from;
  commit(from, 1, 2);
  SavedStore to;
  CHECK_OK(to.store().reserve_ids(to.fixture.pipeline, (uint64_t{1} << 34) - 2));
  CopiedCheckpoint copied;
  STRCMP_EQUAL("the ids of checkpoints are used up", to.take(from.stream(2, 4096), copied).text());
}

TEST(Savepoint, replaces_what_was_kept_of_parts_that_had_left) {
  SavedStore from;
  commit(from, 1, 2);
  SavedStore to;
  commit(to, 1, 2);
  const uint32_t gone = to.fixture.part("gone");
  TestCheckpoint made(3);
  made.state(to.ops[0], "a").state(to.ops[1], "b").state(gone, "c");
  CHECK_OK(to.store().commit(made.write(to.fixture.pipeline)));
  CHECK_OK(to.store().keep_part({gone, "gone", 3, 1, 1700000000000}));
  CopiedCheckpoint copied;
  CHECK_OK(to.take(from.stream(2, 4096), copied));
  to.fixture.close();
  STRCMP_EQUAL("0\n", to.fixture.sql("SELECT count(*) FROM kept").c_str());
  STRCMP_EQUAL("2\n", to.fixture.sql("SELECT count(*) FROM opstate").c_str());
}

// ---- the file

TEST_GROUP(SavepointFile) {
  TemporaryDirectory directory;
  uint64_t seed = random_seed();
  Random random{seed};
  std::string path = directory.file("a.savepoint");

  void setup() override { printf(" [seed %llu]", static_cast<unsigned long long>(seed)); }

  void make(SavedStore & from) {
    for (uint64_t id = 1; id <= 10; ++id) from.commit(random, id);
    SavepointFile file;
    CHECK_OK(file.create(path));
    StorePages pages(from.store(), from.fixture.pipeline, 10);
    auto next = [&] { return pages.next(); };
    CopiedCheckpoint copied;
    CHECK_OK(copy_checkpoint(
        next, "p", file.store(), from.codec, [](const CopyProgress&) {}, copied));
    CHECK_OK(file.finish({1700000000000, "1.2.3", "box", "a = 1\n"}));
  }
  long files_in_directory() const {
    const auto entries = std::filesystem::directory_iterator(directory.path());
    return std::distance(begin(entries), end(entries));
  }
  /// What a start would be given; empty if the file is refused.
  std::vector<std::string> rows_in_file() {
    SqliteCheckpointStore store;
    SavepointInfo info;
    if (!open_savepoint(path, store, info).ok()) return {};
    const Result<PipelineRow> row = store.open_pipeline("p", {});
    if (!row.ok()) return {};
    const Result<uint32_t> source = store.operator_number(row.value().pipeline, "source");
    const Result<uint32_t> step = store.operator_number(row.value().pipeline, "step");
    if (!source.ok() || !step.ok()) return {};
    ComparableHandler handler({source.value(), step.value()}, 0);
    if (!store.load(row.value().pipeline, handler).ok()) return {};
    std::sort(handler.rows.begin(), handler.rows.end());
    return handler.rows;
  }
};

TEST(SavepointFile, holds_what_the_store_held_and_says_what_it_is) {
  SavedStore from;
  make(from);
  SqliteCheckpointStore store;
  SavepointInfo info;
  CHECK_OK(open_savepoint(path, store, info));
  LONGS_EQUAL(1700000000000, info.created_wall_ms);
  STRCMP_EQUAL("1.2.3", info.weir_version.c_str());
  STRCMP_EQUAL("box", info.host.c_str());
  STRCMP_EQUAL("a = 1\n", info.config.c_str());
  std::vector<std::string> names;
  CHECK_OK(pipelines_with_state(store, names));
  CHECK_TRUE(names == std::vector<std::string>{"p"});
  CHECK_TRUE(rows_of(from) == rows_in_file());
}

TEST(SavepointFile, needs_no_other_file_beside_it_and_changes_by_no_reading) {
  SavedStore from;
  make(from);
  const std::string before = read_whole_file(path);
  CHECK_FALSE(rows_in_file().empty());
  CHECK_TRUE(before == read_whole_file(path));
  LONGS_EQUAL(1, files_in_directory());
}

TEST(SavepointFile, gets_its_name_only_when_it_is_whole) {
  SavedStore from;
  from.commit(random, 1);
  {
    SavepointFile file;
    CHECK_OK(file.create(path));
    LONGS_EQUAL(1, files_in_directory());
    CHECK_TRUE(read_whole_file(path).empty());
  }
  LONGS_EQUAL(0, files_in_directory());
}

TEST(SavepointFile, is_never_written_over) {
  SavedStore from;
  make(from);
  SavepointFile file;
  STRCMP_EQUAL("there is such a file already", file.create(path).text());
  CHECK_FALSE(rows_in_file().empty());
}

TEST(SavepointFile, is_told_from_other_databases) {
  SqliteCheckpointStore store;
  SavepointInfo info;
  LONGS_EQUAL(static_cast<int>(Code::NotFound), static_cast<int>(open_savepoint(path, store, info).code()));
  plain_sql(path, "CREATE TABLE t (a)");
  SqliteCheckpointStore second;
  STRCMP_EQUAL("the database belongs to another program", open_savepoint(path, second, info).text());
  SavedStore from;
  from.commit(random, 1);
  const std::string database = from.fixture.database_path();
  from.fixture.close();
  SqliteCheckpointStore third;
  STRCMP_EQUAL("this is a state database and no savepoint", open_savepoint(database, third, info).text());
}

TEST(SavepointFile, with_a_flipped_bit_is_refused_or_still_holds_the_same) {
  SavedStore from;
  make(from);
  const std::vector<std::string> whole = rows_in_file();
  const std::string bytes = read_whole_file(path);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    const size_t bit = random.below(bytes.size() * 8);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    CHECK_OK(write_whole_file(path, damaged));
    const std::vector<std::string> rows = rows_in_file();
    CHECK_TRUE_TEXT(rows.empty() || rows == whole, ("bit " + std::to_string(bit)).c_str());
    refused += rows.empty() ? 1 : 0;
  }
  CHECK_TRUE(refused > 0);
}
