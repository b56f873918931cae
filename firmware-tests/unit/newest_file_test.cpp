#include "storage/newest_file.h"
#include "storage/files.h"

#include <sys/wait.h>
#include <unistd.h>

#include "firmware-tests/support/files.h"
#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(NewestFile) {
  TemporaryDirectory directory;
  std::string path() const { return directory.file("weir.newest"); }
  NewestNote noted(std::string_view pipeline) const {
    NewestFile file;
    CHECK_OK(file.open(directory.path(), true));
    return file.find(pipeline);
  }
  void note(std::string_view pipeline, NewestNote newest) const {
    NewestFile file;
    CHECK_OK(file.open(directory.path(), false));
    file.note(pipeline, newest);
  }
};

TEST(NewestFile, knows_nothing_at_first_and_has_its_size_from_the_start) {
  NewestFile file;
  CHECK_OK(file.open(directory.path(), false));
  UNSIGNED_LONGS_EQUAL(0, file.find("p").checkpoint_id);
  CHECK_FALSE(file.database_is_suspect());
  UNSIGNED_LONGS_EQUAL(8192, read_whole_file(path()).size());
  file.note("p", {1, 2});
  file.close();
  UNSIGNED_LONGS_EQUAL(8192, read_whole_file(path()).size());
}

TEST(NewestFile, remembers_the_newest_of_each_pipeline) {
  for (uint64_t id = 1; id <= 5; ++id) note("p", {id, 100 * id});
  note("q", {3, 7});
  UNSIGNED_LONGS_EQUAL(5, noted("p").checkpoint_id);
  UNSIGNED_LONGS_EQUAL(500, noted("p").source_offset);
  UNSIGNED_LONGS_EQUAL(3, noted("q").checkpoint_id);
  UNSIGNED_LONGS_EQUAL(0, noted("r").checkpoint_id);
}

TEST(NewestFile, survives_a_process_that_is_killed) {
  const pid_t child = fork();
  if (child == 0) {
    NewestFile file;
    if (!file.open(directory.path(), false).ok()) _exit(1);
    file.note("p", {42, 4200});
    kill(getpid(), SIGKILL);
  }
  int result = 0;
  LONGS_EQUAL(child, waitpid(child, &result, 0));
  CHECK(WIFSIGNALED(result));
  UNSIGNED_LONGS_EQUAL(42, noted("p").checkpoint_id);
}

TEST(NewestFile, a_flipped_bit_leaves_the_note_before_or_this_one) {
  note("p", {41, 4100});
  note("p", {42, 4200});
  const std::string whole = read_whole_file(path());
  int older = 0;
  int unchanged = 0;
  for (size_t bit = 0; bit < 8 * 256; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    CHECK_OK(write_whole_file(path(), flipped));
    const NewestNote newest = noted("p");
    if (newest.checkpoint_id == 41 && newest.source_offset == 4100) ++older;
    if (newest.checkpoint_id == 42 && newest.source_offset == 4200) ++unchanged;
  }
  LONGS_EQUAL(8 * 256, older + unchanged);
  LONGS_EQUAL(8 * 28, older);  // all but the unused bytes of a place
}

TEST(NewestFile, a_pipeline_too_many_is_not_noted_and_disturbs_nobody) {
  NewestFile file;
  CHECK_OK(file.open(directory.path(), false));
  for (size_t index = 0; index <= NewestFile::pipelines_max; ++index) file.note("p" + std::to_string(index), {index + 1, 0});
  for (size_t index = 0; index < NewestFile::pipelines_max; ++index)
    UNSIGNED_LONGS_EQUAL(index + 1, file.find("p" + std::to_string(index)).checkpoint_id);
  UNSIGNED_LONGS_EQUAL(0, file.find("p" + std::to_string(NewestFile::pipelines_max)).checkpoint_id);
}

TEST(NewestFile, without_a_file_it_does_nothing) {
  NewestFile file;
  CHECK(file.open(directory.file("nowhere"), false).code() == Code::Io);
  file.note("p", {1, 1});
  file.set_database_suspect(true);
  UNSIGNED_LONGS_EQUAL(0, file.find("p").checkpoint_id);
  CHECK_FALSE(file.database_is_suspect());
  NewestFile missing;
  CHECK(missing.open(directory.path(), true).code() == Code::Io);
  CHECK_FALSE(path_exists(path()));
}

TEST(NewestFile, opened_for_reading_changes_nothing) {
  note("p", {1, 1});
  const std::string before = read_whole_file(path());
  NewestFile file;
  CHECK_OK(file.open(directory.path(), true));
  file.note("p", {2, 2});
  file.set_database_suspect(true);
  file.close();
  CHECK(before == read_whole_file(path()));
}

TEST_GROUP(StoreWentBack) {
  StoreFixture fixture;
  uint32_t op = 0;
  void open() {
    CHECK_OK(fixture.open());
    op = fixture.part("a");
  }
  /// And without its log, which SQLite would play back over it.
  void replace_database(const std::string& bytes) {
    remove((fixture.database_path() + "-wal").c_str());
    CHECK_OK(write_whole_file(fixture.database_path(), bytes));
  }
  void commit(uint64_t id) {
    TestCheckpoint checkpoint(id);
    checkpoint.state(op, std::to_string(id));
    CheckpointWrite write = checkpoint.write(fixture.pipeline);
    write.source_offset = 10 * id;
    CHECK_OK(fixture.store->commit(write));
  }
};

TEST(StoreWentBack, the_newest_commit_is_known) {
  open();
  UNSIGNED_LONGS_EQUAL(0, fixture.row().newest_known_id);
  commit(3);
  UNSIGNED_LONGS_EQUAL(3, fixture.row().newest_known_id);
  UNSIGNED_LONGS_EQUAL(30, fixture.row().newest_known_offset);
  CHECK_OK(fixture.reopen());
  UNSIGNED_LONGS_EQUAL(3, fixture.row().newest_known_id);
}

TEST(StoreWentBack, an_old_copy_of_the_database_is_told_from_the_newest_and_its_ids_are_not_used_again) {
  open();
  commit(3);
  fixture.close();
  const std::string old = read_whole_file(fixture.database_path());
  open();
  for (uint64_t id = 4; id <= 9; ++id) commit(id);
  fixture.close();
  replace_database(old);
  open();
  const PipelineRow row = fixture.row();
  UNSIGNED_LONGS_EQUAL(3, row.last_checkpoint_id);
  UNSIGNED_LONGS_EQUAL(9, row.newest_known_id);
  UNSIGNED_LONGS_EQUAL(90, row.newest_known_offset);
  UNSIGNED_LONGS_EQUAL(9, row.reserved_id);
}

TEST(StoreWentBack, a_deleted_or_emptied_database_is_refused_unless_a_fresh_start_is_asked_for) {
  open();
  commit(3);
  fixture.close();
  remove(fixture.database_path().c_str());
  LONGS_EQUAL(static_cast<int>(Code::Corrupt), static_cast<int>(fixture.try_open().code()));
  CHECK_FALSE(path_exists(fixture.database_path()));
  CHECK(write_whole_file(fixture.database_path(), "").ok());
  LONGS_EQUAL(static_cast<int>(Code::Corrupt), static_cast<int>(fixture.try_open().code()));
  fixture.options.fresh_if_corrupt = true;
  open();
  UNSIGNED_LONGS_EQUAL(0, fixture.row().last_checkpoint_id);
  UNSIGNED_LONGS_EQUAL(3, fixture.row().newest_known_id);
  UNSIGNED_LONGS_EQUAL(3, fixture.row().reserved_id);
}

TEST(StoreWentBack, a_failed_commit_is_not_noted) {
  fixture.options.database_bytes_max = 256 << 10;
  open();
  commit(3);
  const std::string large(512 << 10, 'x');
  CHECK(fixture.commit(TestCheckpoint(4).state(op, large)).code() == Code::Full);
  UNSIGNED_LONGS_EQUAL(3, fixture.row().newest_known_id);
}

TEST(StoreWentBack, the_store_works_where_nothing_can_be_noted) {
  CHECK_OK(make_directory(fixture.options.state_dir + "/weir.newest"));
  open();
  commit(3);
  UNSIGNED_LONGS_EQUAL(0, fixture.row().newest_known_id);
  CHECK_OK(fixture.reopen());
  UNSIGNED_LONGS_EQUAL(3, fixture.row().last_checkpoint_id);
}

TEST(StoreWentBack, damage_met_while_writing_makes_the_next_start_look_at_the_whole_file) {
  fixture.options.database_bytes = 256 << 10;  // more than the tables take: the rest is free pages
  open();
  for (uint64_t id = 1; id <= 2; ++id) commit(id);
  fixture.close();
  // The list of free pages names a page that is none: loading does not see it, writing does.
  std::string file = read_whole_file(fixture.database_path());
  CHECK(file[39] != '\0');  // there are some
  file[32] = '\x7F';
  replace_database(file);
  open();
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=2: 2\n", fixture.loaded().c_str());
  const std::string large(64 << 10, 'x');
  CHECK(fixture.commit(TestCheckpoint(3).state(op, large)).code() == Code::Corrupt);
  fixture.close();
  for (int start = 0; start < 2; ++start) {
    CHECK(fixture.open().code() == Code::Corrupt);
    fixture.close();
  }
  file[32] = '\0';
  replace_database(file);
  for (int start = 0; start < 2; ++start) CHECK_OK(fixture.reopen());
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=2: 2\n", fixture.loaded().c_str());
}
