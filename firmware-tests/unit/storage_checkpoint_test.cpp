#include "agent/base/heap_guard.h"
#include "firmware-tests/unit/storage_fixture.h"
#include "storage/files.h"
#include "storage/row_key.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())
#define CHECK_CODE(expected, expression) CHECK((expression).code() == (expected))

TEST_GROUP(CheckpointStore) {
  StoreFixture fixture;
  void setup() override { CHECK_OK(fixture.open()); }
  SqliteCheckpointStore& store() { return *fixture.store; }
};

TEST(CheckpointStore, a_new_pipeline_has_no_checkpoint) {
  UNSIGNED_LONGS_EQUAL(0, fixture.row().last_checkpoint_id);
  UNSIGNED_LONGS_EQUAL(0, fixture.row().reserved_id);
  RecordingHandler handler;
  CHECK_CODE(Code::NotFound, store().load(fixture.pipeline, handler));
}

TEST(CheckpointStore, every_kind_of_blob_comes_back_in_the_promised_order) {
  const uint32_t source = fixture.part("source");
  const uint32_t step = fixture.part("per-minute");
  CHECK_OK(fixture.commit(TestCheckpoint(3)
                              .put(BlobKind::Outbox, step, 0, "results of 3")
                              .put(BlobKind::SessionTail, source, 0, "tail 3")
                              .put(BlobKind::Delta, step, 1, "delta 3.1")
                              .put(BlobKind::Delta, step, 0, "delta 3.0")
                              .put(BlobKind::Base, step, 7, "chunk 7")
                              .put(BlobKind::Base, step, 2, "")
                              .state(step, "step at 3")
                              .state(source, "source at 3")));
  CHECK_OK(fixture.commit(TestCheckpoint(5)
                              .put(BlobKind::Delta, step, 0, "delta 5.0")
                              .put(BlobKind::Base, step, 7, "chunk 7 again")
                              .put(BlobKind::Outbox, step, 0, "results of 5")
                              .put(BlobKind::SessionTail, source, 0, "tail 5")
                              .state(step, "step at 5")
                              .state(source, "source at 5")));
  const std::string expected =
      "manifest: manifest\n"
      "state op=1 index=0 checkpoint=5: source at 5\n"
      "tail op=1 index=0 checkpoint=3: tail 3\n"
      "tail op=1 index=0 checkpoint=5: tail 5\n"
      "state op=2 index=0 checkpoint=5: step at 5\n"
      "base op=2 index=2 checkpoint=3: \n"
      "base op=2 index=7 checkpoint=5: chunk 7 again\n"
      "delta op=2 index=0 checkpoint=3: delta 3.0\n"
      "delta op=2 index=1 checkpoint=3: delta 3.1\n"
      "delta op=2 index=0 checkpoint=5: delta 5.0\n"
      "outbox op=2 checkpoint=3 bytes=12: \n"
      "outbox op=2 checkpoint=5 bytes=12: \n";
  STRCMP_EQUAL(expected.c_str(), fixture.loaded().c_str());
  CHECK_OK(fixture.reopen());
  STRCMP_EQUAL(expected.c_str(), fixture.loaded().c_str());
}

TEST(CheckpointStore, the_error_of_the_handler_ends_the_load_and_is_returned) {
  const uint32_t op = fixture.part("source");
  CHECK_OK(fixture.commit(TestCheckpoint(1).state(op, "s").put(BlobKind::Outbox, op, 0, "o")));
  for (int call = 0; call < 3; ++call) {
    RecordingHandler handler;
    handler.fail_at = call;
    CHECK_CODE(Code::Incompatible, store().load(fixture.pipeline, handler));
  }
  RecordingHandler handler;
  CHECK_OK(store().load(fixture.pipeline, handler));
}

TEST(CheckpointStore, trims_delete_up_to_their_checkpoint_and_no_further) {
  const uint32_t op = fixture.part("a");
  const uint32_t other = fixture.part("b");
  for (uint64_t id = 1; id <= 4; ++id) {
    TestCheckpoint checkpoint(id);
    checkpoint.state(op, "a").state(other, "b").put(BlobKind::Base, op, static_cast<uint32_t>(id), "c");
    for (BlobKind kind : {BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail})
      checkpoint.put(kind, op, 0, "x").put(kind, other, 0, "y");
    if (id == 4)
      for (BlobKind kind : {BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail})
        checkpoint.trim(kind, op, 2);
    CHECK_OK(fixture.commit(checkpoint));
  }
  CHECK_OK(fixture.reopen());
  STRCMP_EQUAL(
      "manifest: manifest\n"
      "state op=1 index=0 checkpoint=4: a\n"
      "base op=1 index=3 checkpoint=3: c\nbase op=1 index=4 checkpoint=4: c\n"
      "delta op=1 index=0 checkpoint=3: x\ndelta op=1 index=0 checkpoint=4: x\n"
      "tail op=1 index=0 checkpoint=3: x\ntail op=1 index=0 checkpoint=4: x\n"
      "outbox op=1 checkpoint=3 bytes=1: \noutbox op=1 checkpoint=4 bytes=1: \n"
      "state op=2 index=0 checkpoint=4: b\n"
      "delta op=2 index=0 checkpoint=1: y\ndelta op=2 index=0 checkpoint=2: y\n"
      "delta op=2 index=0 checkpoint=3: y\ndelta op=2 index=0 checkpoint=4: y\n"
      "tail op=2 index=0 checkpoint=1: y\ntail op=2 index=0 checkpoint=2: y\n"
      "tail op=2 index=0 checkpoint=3: y\ntail op=2 index=0 checkpoint=4: y\n"
      "outbox op=2 checkpoint=1 bytes=1: \noutbox op=2 checkpoint=2 bytes=1: \n"
      "outbox op=2 checkpoint=3 bytes=1: \noutbox op=2 checkpoint=4 bytes=1: \n",
      fixture.loaded().c_str());
}

TEST(CheckpointStore, ids_never_go_back) {
  const uint32_t op = fixture.part("a");
  CHECK_OK(fixture.commit(TestCheckpoint(5).state(op, "five")));
  CHECK_CODE(Code::InvalidArgument, fixture.commit(TestCheckpoint(5).state(op, "again")));
  CHECK_CODE(Code::InvalidArgument, fixture.commit(TestCheckpoint(4).state(op, "back")));
  CHECK_OK(fixture.reopen());
  CHECK(fixture.part("a") == op);
  CHECK_CODE(Code::InvalidArgument, fixture.commit(TestCheckpoint(5).state(op, "again")));
  CHECK_OK(fixture.commit(TestCheckpoint(6).state(op, "six")));
  UNSIGNED_LONGS_EQUAL(6, fixture.row().last_checkpoint_id);
}

TEST(CheckpointStore, the_largest_id_fits_and_one_more_is_refused) {
  const uint32_t op = fixture.part("a");
  const uint64_t last = row_key::checkpoint_id_max;
  CHECK_CODE(Code::InvalidArgument, fixture.commit(TestCheckpoint(last + 1).state(op, "x")));
  CHECK_CODE(Code::InvalidArgument, store().reserve_ids(fixture.pipeline, last + 1));
  CHECK_OK(fixture.commit(TestCheckpoint(last).state(op, "x").put(BlobKind::Delta, op, row_key::blob_index_max, "d")));
  STRCMP_EQUAL(
      "manifest: manifest\nstate op=1 index=0 checkpoint=17179869183: x\n"
      "delta op=1 index=16383 checkpoint=17179869183: d\n",
      fixture.loaded().c_str());
  CHECK_CODE(Code::NotFound, store().next_outbox(op, UINT64_MAX, {}).status());
}

TEST(CheckpointStore, reserved_ids_survive_and_never_go_back) {
  CHECK_OK(store().reserve_ids(fixture.pipeline, 100));
  CHECK_OK(store().reserve_ids(fixture.pipeline, 50));
  CHECK_OK(fixture.reopen());
  UNSIGNED_LONGS_EQUAL(100, fixture.row().reserved_id);
  const uint32_t op = fixture.part("a");
  TestCheckpoint checkpoint(7);
  checkpoint.state(op, "x");
  CheckpointWrite write = checkpoint.write(fixture.pipeline);
  write.reserved_id = 200;
  CHECK_OK(store().commit(write));
  CHECK_OK(fixture.reopen());
  UNSIGNED_LONGS_EQUAL(200, fixture.row().reserved_id);
  UNSIGNED_LONGS_EQUAL(7, fixture.row().last_checkpoint_id);
}

TEST(CheckpointStore, an_id_that_was_committed_is_reserved) {
  const uint32_t op = fixture.part("a");
  CHECK_OK(fixture.commit(TestCheckpoint(9).state(op, "x")));
  UNSIGNED_LONGS_EQUAL(9, fixture.row().reserved_id);
  CHECK_OK(fixture.reopen());
  UNSIGNED_LONGS_EQUAL(9, fixture.row().reserved_id);
}

TEST(CheckpointStore, numbers_of_pipelines_and_parts_stay_the_same) {
  const uint32_t a = fixture.part("a");
  const uint32_t b = fixture.part("b");
  CHECK(a != b);
  Result<PipelineRow> other = store().open_pipeline("q", {});
  CHECK(other.ok());
  CHECK(other.value().pipeline != fixture.pipeline);
  Result<uint32_t> same_uid = store().operator_number(other.value().pipeline, "a");
  CHECK(same_uid.ok());
  CHECK(same_uid.value() != a);
  CHECK_OK(fixture.reopen());
  CHECK(fixture.part("b") == b);
  CHECK(fixture.part("a") == a);
}

TEST(CheckpointStore, two_pipelines_have_ids_and_blobs_of_their_own) {
  const uint32_t a = fixture.part("a");
  const uint32_t other = store().open_pipeline("q", {}).value().pipeline;
  const uint32_t b = store().operator_number(other, "a").value();
  CHECK_OK(fixture.commit(TestCheckpoint(10).state(a, "of p")));
  CHECK_OK(store().commit(TestCheckpoint(2).state(b, "of q").write(other, "m")));
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=10: of p\n", fixture.loaded().c_str());
  RecordingHandler handler;
  CHECK_OK(store().load(other, handler));
  STRCMP_EQUAL("manifest: m\nstate op=2 index=0 checkpoint=2: of q\n", handler.text.c_str());
}

TEST(CheckpointStore, refuses_what_no_snapshot_may_hold_and_writes_nothing_of_it) {
  const uint32_t a = fixture.part("a");
  const uint32_t other = store().open_pipeline("q", {}).value().pipeline;
  const uint32_t foreign = store().operator_number(other, "a").value();
  auto refused = [&](const TestCheckpoint& checkpoint) { return fixture.commit(checkpoint).code() == Code::InvalidArgument; };
  CHECK(refused(TestCheckpoint(1).state(a, "x").state(foreign, "of another pipeline")));
  CHECK(refused(TestCheckpoint(1).state(a, "x").state(99, "of nobody")));
  CHECK(refused(TestCheckpoint(1).state(a, "x").state(a, "twice")));
  CHECK(refused(TestCheckpoint(1).put(BlobKind::Delta, a, 0, "without operator state")));
  CHECK(refused(TestCheckpoint(1).state(a, "x").put(BlobKind::Delta, a, 3, "y").put(BlobKind::Delta, a, 3, "y")));
  CHECK(refused(TestCheckpoint(1).state(a, "x").put(BlobKind::Delta, a, row_key::blob_index_max + 1, "y")));
  CHECK(refused(TestCheckpoint(1).state(a, "x").put(BlobKind::Outbox, a, 1, "y")));
  CHECK(refused(TestCheckpoint(1).put(BlobKind::Operator, a, 1, "y")));
  CHECK(refused(TestCheckpoint(1).state(a, "x").trim(BlobKind::Operator, a, 1)));
  CHECK(refused(TestCheckpoint(1).state(a, "x").trim(BlobKind::Delta, foreign, 1)));
  TestCheckpoint checkpoint(1);
  checkpoint.state(a, "x");
  CheckpointWrite write = checkpoint.write(fixture.pipeline);
  write.id = 2;  // not the snapshot's
  CHECK_CODE(Code::InvalidArgument, store().commit(write));
  write.id = 1;
  write.pipeline = 77;
  CHECK_CODE(Code::InvalidArgument, store().commit(write));
  CHECK_CODE(Code::InvalidArgument, store().reserve_ids(77, 1));
  CHECK_CODE(Code::InvalidArgument, store().operator_number(77, "a").status());
  RecordingHandler handler;
  CHECK_CODE(Code::InvalidArgument, store().load(77, handler));
  STRCMP_EQUAL("the pipeline has no checkpoint yet", fixture.loaded().c_str());
  CHECK_OK(fixture.commit(checkpoint));
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=1: x\n", fixture.loaded().c_str());
}

TEST(CheckpointStore, the_outbox_is_read_oldest_first_one_blob_at_a_time) {
  const uint32_t op = fixture.part("sink");
  CHECK_OK(fixture.commit(TestCheckpoint(2).state(op, "x").put(BlobKind::Outbox, op, 0, "two")));
  CHECK_OK(fixture.commit(TestCheckpoint(3).state(op, "x")));
  CHECK_OK(fixture.commit(TestCheckpoint(4).state(op, "x").put(BlobKind::Outbox, op, 0, "four")));
  uint8_t room[4] = {};
  Result<StoredOutbox> first = store().next_outbox(op, 0, room);
  CHECK_OK(first.status());
  UNSIGNED_LONGS_EQUAL(2, first.value().checkpoint_id);
  CHECK(as_text(Bytes(room, first.value().bytes)) == "two");
  Result<StoredOutbox> second = store().next_outbox(op, 2, room);
  UNSIGNED_LONGS_EQUAL(4, second.value().checkpoint_id);
  CHECK(as_text(Bytes(room, second.value().bytes)) == "four");
  CHECK_CODE(Code::Full, store().next_outbox(op, 2, std::span<uint8_t>(room, 3)).status());
  CHECK_CODE(Code::NotFound, store().next_outbox(op, 4, room).status());
  CHECK_CODE(Code::NotFound, store().next_outbox(op + 1, 0, room).status());
}

TEST(CheckpointStore, a_part_that_was_taken_out_is_not_loaded_and_begins_anew_when_it_comes_back) {
  const uint32_t a = fixture.part("a");
  const uint32_t b = fixture.part("b");
  CHECK_OK(fixture.commit(
      TestCheckpoint(1).state(a, "a1").state(b, "b1").put(BlobKind::Base, b, 0, "old").put(BlobKind::Base, b, 1, "old")));
  CHECK_OK(fixture.commit(TestCheckpoint(2).state(a, "a2")));
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=2: a2\n", fixture.loaded().c_str());
  CHECK_OK(fixture.reopen());
  CHECK(fixture.part("b") == b);
  CHECK(fixture.part("a") == a);
  CHECK_OK(fixture.commit(TestCheckpoint(3).put(BlobKind::Base, b, 1, "new").state(a, "a3").state(b, "b3")));
  STRCMP_EQUAL(
      "manifest: manifest\nstate op=1 index=0 checkpoint=3: a3\nstate op=2 index=0 checkpoint=3: b3\n"
      "base op=2 index=1 checkpoint=3: new\n",
      fixture.loaded().c_str());
}

TEST(CheckpointStore, keeps_the_rows_of_the_two_newest_checkpoints_with_their_reasons) {
  const uint32_t op = fixture.part("a");
  for (uint64_t id : {1U, 4U, 9U, 12U}) CHECK_OK(fixture.commit(TestCheckpoint(id).state(op, "x")));
  fixture.close();
  STRCMP_EQUAL("9 interval 1700000000000\n12 interval 1700000000000\n",
               fixture.sql("SELECT checkpoint || ' ' || reason || ' ' || created_ms FROM checkpoint ORDER BY id").c_str());
}

TEST(CheckpointStore, the_wal_file_keeps_its_length_over_thousands_of_commits) {
  fixture.close();
  fixture.options.durability = CommitDurability::ProcessCrash;
  fixture.options.wal_frames_max = 200;
  CHECK_OK(fixture.open());
  const uint32_t op = fixture.part("a");
  const std::string wal = fixture.database_path() + "-wal";
  const uint64_t bytes = SqliteCheckpointStore::wal_bytes(fixture.options);
  UNSIGNED_LONGS_EQUAL(bytes, file_bytes(wal));
  const std::string delta(12000, 'd');
  for (uint64_t id = 1; id <= 2000; ++id) {
    TestCheckpoint checkpoint(id);
    checkpoint.state(op, "state").put(BlobKind::Delta, op, 0, delta);
    if (id > 3) checkpoint.trim(BlobKind::Delta, op, id - 3);
    CHECK_OK(fixture.commit(checkpoint));
    CHECK_OK(store().after_commit());
  }
  UNSIGNED_LONGS_EQUAL(bytes, file_bytes(wal));
  CHECK(file_bytes(fixture.database_path()) <= fixture.options.database_bytes + 65536);
  fixture.close();
  UNSIGNED_LONGS_EQUAL(bytes, file_bytes(wal));
}

TEST(CheckpointStore, commits_allocate_nothing_of_weirs) {
  const uint32_t op = fixture.part("a");
  DeadLetter letter{"json", "detail", "source", "topic", as_bytes("payload"), 7, 1, 2};
  TestCheckpoint checkpoint(1);
  checkpoint.state(op, "x").put(BlobKind::Outbox, op, 0, "o").put(BlobKind::Base, op, 0, "b").letters({&letter, 1});
  const CheckpointWrite write = checkpoint.write(fixture.pipeline);
  uint8_t room[16];
  heap_guard_arm();
  const bool committed = store().commit(write).ok() && store().after_commit().ok() && store().next_outbox(op, 0, room).ok();
  const uint64_t allocations = heap_allocations(HeapOwner::Weir);
  heap_guard_disarm();
  CHECK(committed);
  UNSIGNED_LONGS_EQUAL(0, allocations);
}
