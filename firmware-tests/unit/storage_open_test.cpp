#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "firmware-tests/unit/storage_fixture.h"
#include "storage/files.h"
#include "storage/schema.h"
#include "storage/sqlite_status.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(StateLock) {
  TemporaryDirectory directory;
  StateLock lock;
};

TEST(StateLock, holds_one_and_names_its_pid_to_the_second) {
  CHECK_OK(lock.acquire(directory.path()));
  StateLock second;
  Status status = second.acquire(directory.path());
  CHECK(status.code() == Code::Busy);
  LONGS_EQUAL(getpid(), status.detail());
  CHECK_FALSE(second.held());
  LONGS_EQUAL(getpid(), StateLock::holder(directory.path()).value());
}

TEST(StateLock, can_be_taken_again_after_it_was_released) {
  CHECK_OK(lock.acquire(directory.path()));
  lock.release();
  StateLock second;
  CHECK_OK(second.acquire(directory.path()));
}

TEST(StateLock, ends_with_its_process_and_then_names_the_next) {
  const pid_t child = fork();
  if (child == 0) {
    StateLock inner;
    _exit(inner.acquire(directory.path()).ok() ? 0 : 1);  // without release
  }
  int result = 0;
  LONGS_EQUAL(child, waitpid(child, &result, 0));
  LONGS_EQUAL(0, result);
  LONGS_EQUAL(child, StateLock::holder(directory.path()).value());
  CHECK_OK(lock.acquire(directory.path()));
  LONGS_EQUAL(getpid(), StateLock::holder(directory.path()).value());
}

TEST(StateLock, without_a_directory_or_a_file_says_so) {
  CHECK(lock.acquire(directory.file("missing")).code() == Code::Io);
  CHECK(StateLock::holder(directory.path()).status().code() == Code::NotFound);
}

TEST(StateLock, a_lock_file_without_a_number_names_nobody) {
  FILE* file = fopen(directory.file("weir.lock").c_str(), "w");
  fputs("nonsense", file);
  fclose(file);
  CHECK(StateLock::holder(directory.path()).status().code() == Code::NotFound);
  CHECK_OK(lock.acquire(directory.path()));
}

TEST_GROUP(StateFiles) { TemporaryDirectory directory; };

TEST(StateFiles, missing_directories_are_made_for_the_owner_only) {
  const std::string path = directory.file("a/b/c");
  CHECK_OK(make_directory(path));
  CHECK_OK(make_directory(path));
  struct stat status;
  LONGS_EQUAL(0, stat(path.c_str(), &status));
  LONGS_EQUAL(0700, status.st_mode & 0777);
}

TEST(StateFiles, a_file_in_the_way_of_a_directory_is_an_error) {
  CHECK_OK(extend_with_zeros(directory.file("file"), 1));
  CHECK(make_directory(directory.file("file")).code() == Code::Io);
  CHECK(make_directory(directory.file("file/below")).code() == Code::Io);
  CHECK(sync_directory(directory.file("file")).code() == Code::Io);
}

TEST(StateFiles, extending_keeps_what_is_there_and_never_shortens) {
  const std::string path = directory.file("file");
  FILE* file = fopen(path.c_str(), "w");
  fputs("weir", file);
  fclose(file);
  CHECK_OK(extend_with_zeros(path, 100000));
  UNSIGNED_LONGS_EQUAL(100000, file_bytes(path));
  CHECK_OK(extend_with_zeros(path, 10));
  UNSIGNED_LONGS_EQUAL(100000, file_bytes(path));
  char text[5] = {};
  file = fopen(path.c_str(), "r");
  UNSIGNED_LONGS_EQUAL(5, fread(text, 1, 5, file));
  fclose(file);
  STRCMP_EQUAL("weir", text);
}

TEST_GROUP(StoreOpen) {
  StoreFixture fixture;
  static std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void commit_one() {
    CHECK_OK(fixture.open());
    CHECK_OK(fixture.commit(TestCheckpoint(1).state(fixture.part("a"), "one")));
  }
};

TEST(StoreOpen, makes_the_directory_and_reserves_the_space) {
  fixture.options.state_dir = fixture.directory.file("var/lib/weir");
  CHECK_OK(fixture.open());
  CHECK_OK(fixture.store->space_reserved());
  UNSIGNED_LONGS_EQUAL(SqliteCheckpointStore::wal_bytes(fixture.options), file_bytes(fixture.database_path() + "-wal"));
  CHECK(file_bytes(fixture.database_path()) >= fixture.options.database_bytes);
  CHECK_FALSE(file_exists(fixture.database_path() + "-shm"));
}

TEST(StoreOpen, writes_who_made_the_file_and_in_which_format) {
  commit_one();
  fixture.close();
  STRCMP_EQUAL(
      "2003134834\n2\nwal\n0\n4096\n",
      fixture.sql("PRAGMA application_id; PRAGMA user_version; PRAGMA journal_mode; PRAGMA auto_vacuum; PRAGMA page_size")
          .c_str());
  STRCMP_EQUAL("ok\n", fixture.sql("PRAGMA integrity_check").c_str());
}

TEST(StoreOpen, opening_again_does_not_grow_the_files) {
  commit_one();
  fixture.close();
  const uint64_t bytes = file_bytes(fixture.database_path());
  const uint64_t wal_bytes = file_bytes(fixture.database_path() + "-wal");
  for (int i = 0; i < 3; ++i) CHECK_OK(fixture.reopen());
  fixture.close();
  UNSIGNED_LONGS_EQUAL(bytes, file_bytes(fixture.database_path()));
  UNSIGNED_LONGS_EQUAL(wal_bytes, file_bytes(fixture.database_path() + "-wal"));
}

TEST(StoreOpen, larger_reservations_are_made_up_for_at_the_next_open) {
  commit_one();
  fixture.close();
  fixture.options.database_bytes = 3 << 20;
  fixture.options.wal_frames_max = 400;
  CHECK_OK(fixture.open());
  UNSIGNED_LONGS_EQUAL(SqliteCheckpointStore::wal_bytes(fixture.options), file_bytes(fixture.database_path() + "-wal"));
  CHECK(file_bytes(fixture.database_path()) >= 3 << 20);
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=1: one\n", fixture.loaded().c_str());
}

TEST(StoreOpen, a_path_with_marks_that_mean_something_in_a_uri_works) {
  fixture.options.state_dir = fixture.directory.file("50% #1 what?mode=ro");
  commit_one();
  CHECK(file_exists(fixture.database_path()));
}

TEST(StoreOpen, a_second_store_on_the_directory_is_busy_and_learns_the_pid) {
  commit_one();
  SqliteCheckpointStore second;
  Status status = second.open(fixture.options);
  CHECK(status.code() == Code::Busy);
  LONGS_EQUAL(getpid(), status.detail());
}

TEST(StoreOpen, another_process_is_busy_too) {
  commit_one();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    SqliteCheckpointStore second;
    Status status = second.open(fixture.options);
    _exit(status.code() == Code::Busy && status.detail() == parent ? 0 : 1);
  }
  int result = 0;
  LONGS_EQUAL(child, waitpid(child, &result, 0));
  LONGS_EQUAL(0, result);
}

TEST(StoreOpen, no_other_program_can_open_the_database_meanwhile) {
  commit_one();
  CHECK(fixture.sql("SELECT count(*) FROM checkpoint").starts_with("error 5:"));
}

TEST(StoreOpen, a_program_that_has_the_database_open_makes_the_store_busy) {
  commit_one();
  fixture.close();
  sqlite3* other = nullptr;
  LONGS_EQUAL(SQLITE_OK, sqlite3_open(fixture.database_path().c_str(), &other));
  LONGS_EQUAL(SQLITE_OK, sqlite3_exec(other, "BEGIN; SELECT * FROM meta", nullptr, nullptr, nullptr));
  const Status status = fixture.open();
  CHECK(status.code() == Code::Busy);
  LONGS_EQUAL(0, status.detail());
  sqlite3_close(other);
  CHECK_OK(fixture.open());
}

TEST(StoreOpen, the_next_format_is_refused_with_its_number) {
  commit_one();
  fixture.close();
  fixture.sql("PRAGMA user_version=" + std::to_string(state_format + 1));
  Status status = fixture.open();
  CHECK(status.code() == Code::Incompatible);
  LONGS_EQUAL(state_format + 1, status.detail());
  fixture.close();
  fixture.sql("PRAGMA user_version=" + std::to_string(state_format));
  CHECK_OK(fixture.open());
}

TEST(StoreOpen, the_format_that_was_never_released_is_refused_and_left_as_it_is) {
  commit_one();
  fixture.close();
  fixture.sql("PRAGMA user_version=1");
  const std::string before = content(fixture.database_path());
  Status status = fixture.open();
  CHECK(status.code() == Code::Incompatible);
  LONGS_EQUAL(1, status.detail());
  STRCMP_CONTAINS("unreleased", status.text());
  fixture.close();
  CHECK(before == content(fixture.database_path()));
}

TEST(StoreOpen, the_database_of_another_program_is_refused_and_left_as_it_is) {
  CHECK_OK(make_directory(fixture.options.state_dir));
  fixture.sql("CREATE TABLE songs (name)");
  CHECK(fixture.open().code() == Code::Incompatible);
  fixture.close();
  STRCMP_EQUAL("delete\nsongs\n", fixture.sql("PRAGMA journal_mode; SELECT name FROM sqlite_schema").c_str());
}

TEST(StoreOpen, a_database_without_a_format_is_refused) {
  commit_one();
  fixture.close();
  fixture.sql("PRAGMA user_version=0");
  CHECK(fixture.open().code() == Code::Corrupt);
}

TEST(StoreOpen, an_empty_file_becomes_a_database) {
  CHECK_OK(make_directory(fixture.options.state_dir));
  FILE* file = fopen(fixture.database_path().c_str(), "w");
  fclose(file);
  commit_one();
}

TEST(StoreOpen, existing_only_creates_nothing) {
  fixture.options.open_existing = true;
  CHECK(fixture.open().code() == Code::NotFound);
  CHECK_FALSE(file_exists(fixture.options.state_dir));
  CHECK_OK(make_directory(fixture.options.state_dir));
  CHECK(fixture.open().code() == Code::NotFound);
  CHECK_FALSE(file_exists(fixture.options.state_dir + "/weir.lock"));
  CHECK_FALSE(file_exists(fixture.database_path()));
}

TEST(StoreOpen, existing_only_reads_everything_and_changes_nothing) {
  CHECK_OK(fixture.open());
  DeadLetter letter{"json", "", "source", "t", as_bytes("x"), 1, 0, 0};
  CHECK_OK(fixture.commit(TestCheckpoint(1).state(fixture.part("a"), "one").letters({&letter, 1})));
  fixture.close();
  fixture.options.open_existing = true;
  CHECK_OK(fixture.open());
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=1: one\n", fixture.loaded().c_str());
  UNSIGNED_LONGS_EQUAL(1, fixture.store->count_dead_letters(0).value().rows);
  CHECK(fixture.store->open_pipeline("new", {}).status().code() == Code::NotFound);
  CHECK(fixture.store->operator_number(fixture.pipeline, "new").status().code() == Code::NotFound);
  LONGS_EQUAL(1, fixture.part("a"));
  CHECK(fixture.commit(TestCheckpoint(2).state(1, "two")).code() == Code::InvalidArgument);
  CHECK(fixture.store->reserve_ids(fixture.pipeline, 9).code() == Code::InvalidArgument);
}

TEST(StoreOpen, existing_only_is_busy_while_an_agent_runs) {
  commit_one();
  StoreOptions options = fixture.options;
  options.open_existing = true;
  SqliteCheckpointStore second;
  CHECK(second.open(options).code() == Code::Busy);
}

TEST(StoreOpen, what_a_killed_agent_left_in_the_wal_is_read_by_existing_only) {
  const pid_t child = fork();
  if (child == 0) {
    bool ok = fixture.open().ok() && fixture.commit(TestCheckpoint(7).state(fixture.part("a"), "seven")).ok();
    _exit(ok ? 0 : 1);  // nothing is closed
  }
  int result = 0;
  LONGS_EQUAL(child, waitpid(child, &result, 0));
  LONGS_EQUAL(0, result);
  const std::string before = content(fixture.database_path());
  const std::string wal_before = content(fixture.database_path() + "-wal");
  fixture.options.open_existing = true;
  for (int i = 0; i < 2; ++i) {
    CHECK_OK(fixture.reopen());
    STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=7: seven\n", fixture.loaded().c_str());
  }
  fixture.close();
  CHECK(before == content(fixture.database_path()));
  CHECK(wal_before == content(fixture.database_path() + "-wal"));
  fixture.options.open_existing = false;
  CHECK_OK(fixture.reopen());
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=7: seven\n", fixture.loaded().c_str());
}

TEST_GROUP(SqliteStatus){};

TEST(SqliteStatus, maps_by_what_the_caller_can_do) {
  CHECK(sqlite_status(SQLITE_OK).ok());
  CHECK(sqlite_status(SQLITE_ROW).ok());
  CHECK(sqlite_status(SQLITE_DONE).ok());
  CHECK(sqlite_status(SQLITE_BUSY_SNAPSHOT).code() == Code::Busy);
  CHECK(sqlite_status(SQLITE_LOCKED).code() == Code::Busy);
  CHECK(sqlite_status(SQLITE_FULL).code() == Code::Full);
  CHECK(sqlite_status(SQLITE_NOMEM).code() == Code::Full);
  CHECK(sqlite_status(SQLITE_IOERR_FSYNC).code() == Code::Io);
  CHECK(sqlite_status(SQLITE_IOERR_NOMEM).code() == Code::Io);
  CHECK(sqlite_status(SQLITE_CANTOPEN).code() == Code::Io);
  CHECK(sqlite_status(SQLITE_READONLY).code() == Code::Io);
  CHECK(sqlite_status(SQLITE_CORRUPT_INDEX).code() == Code::Corrupt);
  CHECK(sqlite_status(SQLITE_NOTADB).code() == Code::Corrupt);
  CHECK(sqlite_status(SQLITE_CONSTRAINT_ROWID).code() == Code::InvalidArgument);
  CHECK(sqlite_status(SQLITE_TOOBIG).code() == Code::InvalidArgument);
  LONGS_EQUAL(SQLITE_IOERR_FSYNC, sqlite_status(SQLITE_IOERR_FSYNC).detail());
}
