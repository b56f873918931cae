#include "storage/sqlite_memory.h"

#include <malloc.h>

#include "agent/base/heap_guard.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(SqliteMemory) {
  std::vector<uint8_t> block;
  std::unique_ptr<SqliteMemory> memory;
  StoreFixture fixture;
  uint32_t op = 0;

  void lend(uint64_t bytes) {
    block.resize(static_cast<size_t>(bytes));
    memory = std::make_unique<SqliteMemory>(block);
  }
  TestCheckpoint checkpoint(uint64_t id) {
    TestCheckpoint made(id);
    made.state(op, "state").put(BlobKind::Base, op, static_cast<uint32_t>(id % 50), std::string(33'200, 'b'));
    made.put(BlobKind::Delta, op, 0, std::string(20'000, 'd')).put(BlobKind::Outbox, op, 0, std::string(5'000, 'o'));
    if (id > 3) made.trim(BlobKind::Delta, op, id - 3).trim(BlobKind::Outbox, op, id - 2);
    return made;
  }
  void teardown() override { fixture.close(); }
};

TEST(SqliteMemory, serves_a_store_for_hundreds_of_checkpoints_without_the_heap) {
  fixture.options.wal_frames_max = 1000;
  fixture.options.transaction_bytes_max = 512 << 10;
  fixture.options.blob_bytes_max = 33'200;
  lend(SqliteCheckpointStore::memory_bytes(fixture.options));
  CHECK_OK(fixture.open());
  op = fixture.part("a");
  std::vector<TestCheckpoint> checkpoints;
  for (uint64_t id = 1; id <= 300; ++id) {
    const TestCheckpoint made = checkpoint(id);
    const CheckpointWrite write = made.write(fixture.pipeline);
    if (id == 5) heap_guard_arm();
    CHECK_OK(fixture.store->commit(write));
    CHECK_OK(fixture.store->after_commit());
    if (id >= 5) UNSIGNED_LONGS_EQUAL(0, heap_allocations(HeapOwner::Sqlite));
  }
  heap_guard_disarm();
  const SqliteMemoryUse use = SqliteMemory::use();
  printf(" [peak %llu]", static_cast<unsigned long long>(use.peak));
  UNSIGNED_LONGS_EQUAL(0, use.refused);
  CHECK(use.used > 0 && use.peak <= use.limit);
  const std::string loaded = fixture.loaded();
  CHECK_OK(fixture.reopen());
  STRCMP_EQUAL(loaded.c_str(), fixture.loaded().c_str());
}

TEST(SqliteMemory, that_is_too_little_costs_checkpoints_but_never_their_state) {
  CHECK_OK(fixture.open());
  op = fixture.part("a");
  CHECK_OK(fixture.commit(checkpoint(1)));
  uint64_t last = 1;
  size_t cannot_open = 0;
  size_t cannot_commit = 0;
  fixture.close();
  for (size_t bytes = 64 << 10; bytes < 640 << 10; bytes += 8 << 10) {
    lend(bytes);
    Status status = fixture.open();
    if (status.ok()) status = fixture.store->operator_number(fixture.pipeline, "a").status();
    if (!status.ok()) ++cannot_open;
    if (status.ok()) {
      for (int attempt = 0; attempt < 3; ++attempt) {
        status = fixture.commit(checkpoint(last + 1));
        if (!status.ok()) break;
        ++last;
        status = fixture.store->after_commit();
        if (!status.ok()) break;
      }
      if (!status.ok()) ++cannot_commit;
    }
    const std::string text = std::to_string(bytes) + ": " + status.text();
    CHECK_TRUE_TEXT(status.ok() || status.code() == Code::Full, text.c_str());
    fixture.close();
    UNSIGNED_LONGS_EQUAL(0, SqliteMemory::use().used);
    memory.reset();

    CHECK_OK(fixture.open());
    UNSIGNED_LONGS_EQUAL(last, fixture.row().last_checkpoint_id);
    RecordingHandler handler;
    CHECK_OK(fixture.store->load(fixture.pipeline, handler));
    STRCMP_EQUAL("", handler.damaged.c_str());
    fixture.close();
  }
  CHECK(cannot_open > 0);
  CHECK(cannot_commit > 0);
  CHECK(last > 1);
}

TEST(SqliteMemory, that_was_planned_suffices_for_blobs_as_large_as_they_may_be) {
  fixture.options.transaction_bytes_max = 2 << 20;
  fixture.options.blob_bytes_max = 1 << 20;
  fixture.options.database_bytes = 3 << 20;
  lend(SqliteCheckpointStore::memory_bytes(fixture.options));
  CHECK_OK(fixture.open());
  op = fixture.part("a");
  Random random(7);
  for (uint64_t id = 1; id <= 60; ++id) {
    TestCheckpoint made(id);
    made.state(op, std::string(random.below(1 << 20), 's'))
        .put(BlobKind::Outbox, op, 0, std::string(random.below(1 << 20), 'o'));
    if (id > 2) made.trim(BlobKind::Outbox, op, id - 2);
    CHECK_OK(fixture.commit(made));
    CHECK_OK(fixture.store->after_commit());
  }
  RecordingHandler handler;
  CHECK_OK(fixture.store->load(fixture.pipeline, handler));
  UNSIGNED_LONGS_EQUAL(0, SqliteMemory::use().refused);
}

TEST(SqliteMemory, goes_back_to_the_heap_and_can_be_lent_again) {
  CHECK_OK(fixture.open());
  UNSIGNED_LONGS_EQUAL(0, SqliteMemory::use().limit);
  fixture.close();
  for (int round = 0; round < 2; ++round) {
    lend(1 << 20);
    CHECK_OK(fixture.open());
    CHECK(SqliteMemory::use().used > 0);
    fixture.close();
    memory.reset();
  }
}
