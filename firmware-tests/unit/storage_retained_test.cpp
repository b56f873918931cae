// Each of the retained checkpoints can be loaded whole, whatever came after it.
#include <dirent.h>

#include <algorithm>
#include <chrono>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/unit/storage_fixture.h"
#include "storage/files.h"
#include "storage/set_aside.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(RetainedCheckpoints) {
  StoreFixture fixture;
  uint32_t source = 0;
  uint32_t step = 0;

  void open(uint32_t retained) {
    CHECK_OK(fixture.open({{}, retained}));
    source = fixture.part("source");
    step = fixture.part("step");
  }
  void reopen(uint32_t retained) {
    fixture.close();
    open(retained);
  }
  TestCheckpoint random_checkpoint(Random & random, uint64_t id) const {
    return weir::random_checkpoint(random, id, source, step);
  }
  std::string loaded(std::string* damaged = nullptr) {
    RecordingHandler handler;
    Status status = fixture.store->load(fixture.pipeline, handler);
    if (damaged != nullptr) *damaged = handler.damaged;
    return status.ok() ? handler.text : status.text();
  }
  void damage(uint64_t checkpoint) {
    const std::string id = std::to_string(checkpoint);
    STRCMP_EQUAL("", fixture.sql("UPDATE checkpoint SET created_ms = created_ms + 1 WHERE checkpoint = " + id).c_str());
  }
  size_t files_named(std::string_view prefix) const {
    size_t count = 0;
    DIR* directory = opendir(fixture.options.state_dir.c_str());
    while (const dirent* entry = readdir(directory))
      if (std::string_view(entry->d_name).starts_with(prefix)) ++count;
    closedir(directory);
    return count;
  }
};

TEST(RetainedCheckpoints, each_loads_what_it_was_when_it_was_the_newest) {
  const auto seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  printf("\nretained checkpoints seed=%llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (uint32_t retained : {1U, 2U, 3U, 5U, 16U}) {
    StoreFixture own;
    fixture.close();
    fixture.options.state_dir = own.options.state_dir;
    fixture.options.durability = CommitDurability::ProcessCrash;
    open(retained);
    std::vector<std::pair<uint64_t, std::string>> texts;
    uint64_t id = 0;
    const uint64_t count = 20 + random.below(20);
    for (uint64_t index = 0; index < count; ++index) {
      id += 1 + (random.chance(10) ? random.below(2000) : 0);
      CHECK_OK(fixture.commit(random_checkpoint(random, id)));
      texts.emplace_back(id, loaded());
      if (random.chance(15)) reopen(retained);
    }
    fixture.close();
    for (size_t back = 0; back < retained; ++back) {
      open(retained);
      const auto& [expected_id, text] = texts[texts.size() - 1 - back];
      std::string damaged;
      STRCMP_EQUAL(text.c_str(), loaded(&damaged).c_str());
      CHECK(damaged.empty() == (back == 0));
      UNSIGNED_LONGS_EQUAL(expected_id, fixture.row().last_checkpoint_id);
      fixture.close();
      damage(expected_id);
    }
    open(retained);
    STRCMP_EQUAL("no retained checkpoint is sound", loaded().c_str());
    fixture.close();
  }
}

TEST(RetainedCheckpoints, hand_over_the_same_whatever_their_number) {
  // The number decides only about what is deleted when: all stores hold the same newest checkpoint all the time.
  const auto seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  printf("\nretained checkpoints against one seed=%llu\n", static_cast<unsigned long long>(seed));
  StoreFixture one;
  fixture.options.durability = one.options.durability = CommitDurability::ProcessCrash;
  open(4);
  CHECK_OK(one.open({{}, 1}));
  CHECK(one.part("source") == source);
  CHECK(one.part("step") == step);
  Random random(seed);
  for (uint64_t id = 1; id <= 60; ++id) {
    const TestCheckpoint checkpoint = random_checkpoint(random, id);
    CHECK_OK(fixture.commit(checkpoint));
    CHECK_OK(one.commit(checkpoint));
    STRCMP_EQUAL(one.loaded().c_str(), loaded().c_str());
    uint8_t room[400];
    const Result<StoredOutbox> first = fixture.store->next_outbox(step, 0, room);
    const Result<StoredOutbox> expected = one.store->next_outbox(step, 0, room);
    CHECK(first.status().code() == expected.status().code());
    if (first.ok()) UNSIGNED_LONGS_EQUAL(expected.value().checkpoint_id, first.value().checkpoint_id);
  }
}

TEST(RetainedCheckpoints, keep_no_row_that_none_of_them_needs) {
  fixture.options.durability = CommitDurability::ProcessCrash;
  open(3);
  for (uint64_t id = 1; id <= 40; ++id) {
    TestCheckpoint checkpoint(id);
    checkpoint.state(source, "s").state(step, "t").put(BlobKind::Base, step, static_cast<uint32_t>(id % 2), "chunk");
    checkpoint.put(BlobKind::Delta, step, 0, "delta").put(BlobKind::Outbox, step, 0, "results");
    checkpoint.put(BlobKind::SessionTail, source, 0, "tail");
    if (id > 2) checkpoint.trim(BlobKind::Delta, step, id - 2).trim(BlobKind::Outbox, step, id - 1);
    checkpoint.trim(BlobKind::SessionTail, source, id - 1);
    CHECK_OK(fixture.commit(checkpoint));
  }
  fixture.close();
  // Checkpoints 38, 39 and 40. Of two chunks in turn: 40 and 38 of the one, 39 and 37 of the other, which 38 still has.
  STRCMP_EQUAL("3\n", fixture.sql("SELECT count(*) FROM checkpoint").c_str());
  STRCMP_EQUAL("6\n", fixture.sql("SELECT count(*) FROM opstate").c_str());
  STRCMP_EQUAL("37\n38\n39\n40\n", fixture.sql("SELECT id & 0xFFFF FROM base ORDER BY 1").c_str());
  STRCMP_EQUAL("37\n38\n39\n40\n", fixture.sql("SELECT id >> 14 & 0xFFFF FROM delta ORDER BY 1").c_str());
  STRCMP_EQUAL("38\n39\n40\n", fixture.sql("SELECT id >> 14 & 0xFFFF FROM outbox ORDER BY 1").c_str());
  STRCMP_EQUAL("38\n39\n40\n", fixture.sql("SELECT id >> 14 & 0xFFFF FROM session_tail ORDER BY 1").c_str());
}

TEST(RetainedCheckpoints, what_was_to_be_deleted_before_a_restart_goes_afterwards) {
  open(2);
  for (uint64_t id = 1; id <= 3; ++id)
    CHECK_OK(fixture.commit(
        TestCheckpoint(id).state(step, "t").put(BlobKind::Delta, step, 0, "d").trim(BlobKind::Delta, step, id - 1)));
  reopen(2);
  for (uint64_t id = 4; id <= 5; ++id)
    CHECK_OK(fixture.commit(
        TestCheckpoint(id).state(step, "t").put(BlobKind::Delta, step, 0, "d").trim(BlobKind::Delta, step, id - 1)));
  fixture.close();
  STRCMP_EQUAL("4\n5\n", fixture.sql("SELECT id >> 14 & 0xFFFF FROM delta ORDER BY 1").c_str());
}

TEST(RetainedCheckpoints, fewer_of_them_from_the_next_checkpoint_on) {
  open(5);
  for (uint64_t id = 1; id <= 5; ++id) CHECK_OK(fixture.commit(TestCheckpoint(id).state(step, std::to_string(id))));
  reopen(2);
  CHECK_OK(fixture.commit(TestCheckpoint(6).state(step, "6")));
  fixture.close();
  STRCMP_EQUAL("5\n6\n", fixture.sql("SELECT checkpoint FROM checkpoint").c_str());
  STRCMP_EQUAL("5\n6\n", fixture.sql("SELECT id >> 14 & 0xFFFF FROM opstate").c_str());
}

TEST(RetainedCheckpoints, a_damaged_one_is_taken_out_after_a_copy_and_the_store_goes_on_above_it) {
  open(2);
  CHECK_OK(fixture.store->reserve_ids(fixture.pipeline, 1000));
  for (uint64_t id = 6; id <= 7; ++id)
    CHECK_OK(fixture.commit(
        TestCheckpoint(id).state(step, std::to_string(id)).put(BlobKind::Delta, step, 0, "of " + std::to_string(id))));
  fixture.close();
  damage(7);
  open(2);
  UNSIGNED_LONGS_EQUAL(1000, fixture.row().reserved_id);
  RecordingHandler handler;
  CHECK_OK(fixture.store->load(fixture.pipeline, handler));
  STRCMP_EQUAL("7: the row of the checkpoint fails its CRC\n", handler.damaged.c_str());
  STRCMP_EQUAL((fixture.options.state_dir + "/weir.db.damaged-7").c_str(), handler.copy.c_str());
  STRCMP_EQUAL("6\n7\n", plain_sql(handler.copy, "SELECT checkpoint FROM checkpoint").c_str());
  CHECK_OK(fixture.commit(TestCheckpoint(1001).state(step, "1001").put(BlobKind::Delta, step, 0, "of 1001")));
  const std::string expected =
      "manifest: manifest\nstate op=2 index=0 checkpoint=1001: 1001\ndelta op=2 index=0 checkpoint=6: of 6\n"
      "delta op=2 index=0 checkpoint=1001: of 1001\n";
  reopen(2);
  std::string damaged;
  STRCMP_EQUAL(expected.c_str(), loaded(&damaged).c_str());
  STRCMP_EQUAL("", damaged.c_str());
}

TEST(RetainedCheckpoints, looking_at_a_damaged_one_changes_nothing) {
  open(2);
  for (uint64_t id = 1; id <= 2; ++id) CHECK_OK(fixture.commit(TestCheckpoint(id).state(step, std::to_string(id))));
  fixture.close();
  damage(2);
  fixture.options.open_existing = true;
  for (int look = 0; look < 2; ++look) {
    CHECK_OK(fixture.open());
    std::string damaged;
    STRCMP_EQUAL("manifest: manifest\nstate op=2 index=0 checkpoint=1: 1\n", loaded(&damaged).c_str());
    STRCMP_EQUAL("2: the row of the checkpoint fails its CRC\n", damaged.c_str());
    fixture.close();
  }
  UNSIGNED_LONGS_EQUAL(0, files_named("weir.db.damaged-"));
}

TEST(RetainedCheckpoints, of_copies_of_damaged_databases_only_two_are_kept) {
  open(2);
  for (uint64_t id = 1; id <= 6; ++id) {
    CHECK_OK(fixture.commit(TestCheckpoint(10 * id).state(step, "sound")));
    CHECK_OK(fixture.commit(TestCheckpoint(10 * id + 1).state(step, "damaged")));
    fixture.close();
    damage(10 * id + 1);
    open(2);
    loaded();
    CHECK(path_exists(fixture.options.state_dir + "/weir.db.damaged-" + std::to_string(10 * id + 1)));
  }
  UNSIGNED_LONGS_EQUAL(2, files_named("weir.db.damaged-"));
  UNSIGNED_LONGS_EQUAL(0, files_named("weir.db.unfinished"));
}

TEST(RetainedCheckpoints, a_copy_that_cannot_be_made_does_not_stop_the_fallback) {
  open(2);
  for (uint64_t id = 1; id <= 2; ++id) CHECK_OK(fixture.commit(TestCheckpoint(id).state(step, std::to_string(id))));
  fixture.close();
  damage(2);
  // A directory stands where the copy is to be made.
  CHECK_OK(make_directory(fixture.options.state_dir + "/weir.db.unfinished-copy"));
  open(2);
  RecordingHandler handler;
  CHECK_OK(fixture.store->load(fixture.pipeline, handler));
  STRCMP_EQUAL("", handler.copy.c_str());
  STRCMP_EQUAL("manifest: manifest\nstate op=2 index=0 checkpoint=1: 1\n", handler.text.c_str());
}

TEST(RetainedCheckpoints, none_sound_is_refused_and_nothing_is_changed) {
  open(2);
  for (uint64_t id = 1; id <= 2; ++id) CHECK_OK(fixture.commit(TestCheckpoint(id).state(step, std::to_string(id))));
  fixture.close();
  damage(1);
  damage(2);
  const std::string before = fixture.sql("SELECT hex(bytes) FROM opstate");
  open(2);
  std::string damaged;
  STRCMP_EQUAL("no retained checkpoint is sound", loaded(&damaged).c_str());
  STRCMP_EQUAL("2: the row of the checkpoint fails its CRC\n1: the row of the checkpoint fails its CRC\n", damaged.c_str());
  fixture.close();
  STRCMP_EQUAL(before.c_str(), fixture.sql("SELECT hex(bytes) FROM opstate").c_str());
  UNSIGNED_LONGS_EQUAL(0, files_named("weir.db.damaged-"));
}

TEST(RetainedCheckpoints, none_sound_begins_anew_where_that_is_asked_for_and_other_pipelines_keep_theirs) {
  open(2);
  for (uint64_t id = 1; id <= 2; ++id)
    CHECK_OK(fixture.commit(TestCheckpoint(id).state(step, "p").put(BlobKind::Base, step, 0, "b")));
  const uint32_t other = fixture.store->open_pipeline("q", {}).value().pipeline;
  const uint32_t foreign = fixture.store->operator_number(other, "step").value();
  CHECK_OK(fixture.store->commit(TestCheckpoint(5).state(foreign, "q").write(other)));
  fixture.close();
  damage(1);
  damage(2);
  fixture.options.fresh_if_corrupt = true;
  open(2);
  std::string damaged;
  STRCMP_EQUAL("the pipeline has no checkpoint yet", loaded(&damaged).c_str());
  CHECK(damaged.starts_with("2: "));
  UNSIGNED_LONGS_EQUAL(0, fixture.row().last_checkpoint_id);
  UNSIGNED_LONGS_EQUAL(2, fixture.row().reserved_id);
  CHECK(path_exists(fixture.options.state_dir + "/weir.db.damaged-2"));
  CHECK(fixture.store->open_pipeline("q", {}).ok());
  RecordingHandler handler;
  CHECK_OK(fixture.store->load(other, handler));
  STRCMP_EQUAL("manifest: manifest\nstate op=3 index=0 checkpoint=5: q\n", handler.text.c_str());
  CHECK_OK(fixture.commit(TestCheckpoint(3).state(step, "new")));
  STRCMP_EQUAL("manifest: manifest\nstate op=2 index=0 checkpoint=3: new\n", loaded().c_str());
}

TEST(RetainedCheckpoints, a_part_that_comes_back_does_not_take_its_old_rows_from_those_that_have_them) {
  open(3);
  CHECK_OK(fixture.commit(TestCheckpoint(1)
                              .state(source, "s1")
                              .state(step, "t1")
                              .put(BlobKind::Base, step, 0, "old")
                              .put(BlobKind::Delta, step, 0, "old")));
  const std::string first = loaded();
  CHECK_OK(fixture.commit(TestCheckpoint(2).state(source, "s2")));
  CHECK_OK(fixture.commit(TestCheckpoint(3).state(source, "s3").state(step, "t3").put(BlobKind::Base, step, 1, "new")));
  const std::string expected =
      "manifest: manifest\nstate op=1 index=0 checkpoint=3: s3\nstate op=2 index=0 checkpoint=3: t3\n"
      "base op=2 index=1 checkpoint=3: new\n";
  STRCMP_EQUAL(expected.c_str(), loaded().c_str());
  reopen(3);
  STRCMP_EQUAL(expected.c_str(), loaded().c_str());
  fixture.close();
  damage(3);
  damage(2);
  open(3);
  STRCMP_EQUAL(first.c_str(), loaded().c_str());
}

TEST(RetainedCheckpoints, the_old_rows_of_a_part_that_came_back_go_when_nobody_needs_them) {
  open(2);
  CHECK_OK(fixture.commit(TestCheckpoint(1)
                              .state(step, "t1")
                              .state(source, "s")
                              .put(BlobKind::Base, step, 0, "old")
                              .put(BlobKind::Delta, step, 0, "old")));
  CHECK_OK(fixture.commit(TestCheckpoint(2).state(source, "s2")));
  for (uint64_t id = 3; id <= 4; ++id) CHECK_OK(fixture.commit(TestCheckpoint(id).state(source, "s").state(step, "t")));
  fixture.close();
  STRCMP_EQUAL("0\n", fixture.sql("SELECT count(*) FROM base").c_str());
  STRCMP_EQUAL("0\n", fixture.sql("SELECT count(*) FROM delta").c_str());
  STRCMP_EQUAL("2\n", fixture.sql("SELECT count(*) FROM opstate WHERE id >> 48 = 2").c_str());
}

TEST(RetainedCheckpoints, a_commit_that_fails_changes_none_of_them) {
  fixture.options.database_bytes_max = 256 << 10;
  open(2);
  for (uint64_t id = 1; id <= 3; ++id)
    CHECK_OK(fixture.commit(TestCheckpoint(id)
                                .state(step, std::to_string(id))
                                .put(BlobKind::Delta, step, 0, "d")
                                .put(BlobKind::Base, step, 0, "b")
                                .trim(BlobKind::Delta, step, id - 1)));
  const std::string before = loaded();
  const std::string large(512 << 10, 'x');
  CHECK(fixture
            .commit(TestCheckpoint(4)
                        .state(step, "4")
                        .put(BlobKind::Base, step, 0, "b")
                        .put(BlobKind::Outbox, step, 0, large)
                        .trim(BlobKind::Delta, step, 3))
            .code() == Code::Full);
  STRCMP_EQUAL(before.c_str(), loaded().c_str());
  CHECK_OK(fixture.commit(TestCheckpoint(4).state(step, "4")));
  fixture.close();
  damage(4);
  open(2);
  STRCMP_EQUAL(before.c_str(), loaded().c_str());
}

TEST(RetainedCheckpoints, a_database_whose_structure_is_damaged_is_refused_instead_of_written) {
  open(2);
  for (uint64_t id = 1; id <= 2; ++id)
    CHECK_OK(fixture.commit(
        TestCheckpoint(id).state(step, std::to_string(id)).put(BlobKind::Outbox, step, 0, std::string(9000, 'o'))));
  fixture.close();
  damage(2);
  // The root page of the dead letters, which loading does not look at.
  const std::string root = fixture.sql("SELECT rootpage FROM sqlite_schema WHERE name = 'dead_letter'");
  std::string file = read_whole_file(fixture.database_path());
  const size_t at = (std::stoul(root) - 1) * 4096;
  file.replace(at, 100, std::string(100, '\x7F'));
  CHECK_OK(write_whole_file(fixture.database_path(), file));
  Status status = fixture.open();
  RecordingHandler handler;
  if (status.ok()) status = fixture.store->load(fixture.pipeline, handler);
  CHECK(status.code() == Code::Corrupt);
  STRCMP_EQUAL("", handler.text.c_str());
  fixture.close();
  CHECK(file == read_whole_file(fixture.database_path()));
}

TEST(RetainedCheckpoints, a_database_that_is_moved_aside_takes_its_log_along_and_the_newest_two_are_kept) {
  const std::string& directory = fixture.options.state_dir;
  fixture.options.fresh_if_corrupt = true;
  for (int number = 1; number <= 4; ++number) {
    open(2);
    CHECK_OK(fixture.commit(TestCheckpoint(1).state(step, std::to_string(number))));
    CHECK(move_aside(directory).status().code() == Code::Busy);
    fixture.close();
    const Result<std::string> kept = move_aside(directory);
    CHECK_OK(kept.status());
    STRCMP_EQUAL((directory + "/weir.db.corrupt-" + std::to_string(number)).c_str(), kept.value().c_str());
    CHECK(path_exists(kept.value() + "-wal"));
    CHECK_FALSE(path_exists(directory + "/weir.db"));
    CHECK_FALSE(path_exists(directory + "/weir.db-wal"));
    STRCMP_EQUAL((std::to_string(number) + "\n").c_str(),
                 plain_sql(kept.value(), "SELECT CAST(bytes AS TEXT) FROM opstate").c_str());
  }
  CHECK(files_named("weir.db.corrupt-") <= 4);  // SQLite may have taken a log along when the test looked
  CHECK_FALSE(path_exists(directory + "/weir.db.corrupt-2"));
  CHECK(path_exists(directory + "/weir.db.corrupt-3"));
  CHECK(move_aside(directory).status().code() == Code::Io);
}
