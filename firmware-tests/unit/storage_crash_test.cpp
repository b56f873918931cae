#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

namespace {

constexpr uint64_t kept_deltas = 5;

std::string content(const char* kind, uint64_t id) {
  std::string text = std::string(kind) + " of " + std::to_string(id) + " ";
  return text.append(id * 37 % 6000, static_cast<char>('a' + id % 26));
}

/// What a checkpoint writes follows from its id, so that whoever loads it knows what must be there.
TestCheckpoint checkpoint_of(uint64_t id, uint32_t op) {
  TestCheckpoint checkpoint(id);
  checkpoint.state(op, content("state", id));
  checkpoint.put(BlobKind::Base, op, static_cast<uint32_t>(id % 7), content("base", id));
  checkpoint.put(BlobKind::Delta, op, 0, content("delta", id));
  checkpoint.put(BlobKind::Outbox, op, 0, content("outbox", id));
  if (id > kept_deltas) checkpoint.trim(BlobKind::Delta, op, id - kept_deltas).trim(BlobKind::Outbox, op, id - kept_deltas);
  return checkpoint;
}

std::string blob_line(const char* name, uint64_t index, const char* kind, uint64_t id) {
  return std::string(name) + " op=1 index=" + std::to_string(index) + " checkpoint=" + std::to_string(id) + ": " +
         content(kind, id) + "\n";
}

std::string expected_after(uint64_t last) {
  std::string text = "manifest: " + content("manifest", last) + "\n" + blob_line("state", 0, "state", last);
  for (uint64_t chunk = 0; chunk < 7; ++chunk)
    if (const uint64_t id = last - (last + 7 - chunk) % 7; id >= 1 && id <= last) text += blob_line("base", chunk, "base", id);
  const uint64_t oldest = last > kept_deltas ? last - kept_deltas + 1 : 1;
  for (uint64_t id = oldest; id <= last; ++id) text += blob_line("delta", 0, "delta", id);
  for (uint64_t id = oldest; id <= last; ++id)
    text += "outbox op=1 checkpoint=" + std::to_string(id) + " bytes=" + std::to_string(content("outbox", id).size()) + ": \n";
  return text;
}

}  // namespace

TEST_GROUP(CheckpointStoreCrash) {
  StoreFixture fixture;

  /// Commits until it is killed; each id goes into the pipe once its commit has returned, and the last one at the start.
  [[noreturn]] void commit_for_ever(int pipe) {
    if (!fixture.open().ok()) _exit(1);
    const uint32_t op = fixture.part("a");
    uint64_t id = fixture.row().last_checkpoint_id;
    while (write(pipe, &id, sizeof id) == sizeof id) {
      const std::string manifest = content("manifest", ++id);
      if (!fixture.store->commit(checkpoint_of(id, op).write(fixture.pipeline, manifest)).ok()) _exit(2);
      if (!fixture.store->after_commit().ok()) _exit(4);
    }
    _exit(3);
  }
  /// The last id whose commit returned before the process was killed, `us` after it began, or after it had opened the store;
  /// 0 if none did.
  uint64_t run_and_kill(int64_t us, bool wait_for_open) {
    int ends[2];
    LONGS_EQUAL(0, pipe(ends));
    const pid_t child = fork();
    if (child == 0) commit_for_ever(ends[1]);
    ::close(ends[1]);
    uint64_t last = 0;
    uint64_t id = 0;
    if (wait_for_open) LONGS_EQUAL(sizeof id, read(ends[0], &last, sizeof last));
    usleep(static_cast<useconds_t>(us));
    kill(child, SIGKILL);
    int result = 0;
    LONGS_EQUAL(child, waitpid(child, &result, 0));
    CHECK(WIFSIGNALED(result));
    while (read(ends[0], &id, sizeof id) == sizeof id) last = id;
    ::close(ends[0]);
    return last;
  }
};

TEST(CheckpointStoreCrash, fifty_kills_lose_no_commit_that_returned_and_leave_one_state) {
  const auto seed = static_cast<unsigned>(std::chrono::steady_clock::now().time_since_epoch().count());
  printf("\nstorage crash seed=%u", seed);
  std::mt19937 random(seed);
  uint64_t stored = 0;
  for (int round = 0; round < 50; ++round) {
    // The first kills fall into the creation of the database, the later ones into commits and moves of the WAL.
    const int64_t us = std::uniform_int_distribution<int64_t>(0, 50000)(random);
    const uint64_t returned = run_and_kill(us, round >= 10);
    CHECK_OK(fixture.open());
    const uint64_t last = fixture.row().last_checkpoint_id;
    CHECK(last >= returned);
    CHECK(last >= stored);
    if (last > 0) STRCMP_EQUAL(expected_after(last).c_str(), fixture.loaded().c_str());
    fixture.close();
    if (round % 10 == 9) STRCMP_EQUAL("ok\n", fixture.sql("PRAGMA integrity_check").c_str());
    stored = last;
  }
  printf(" checkpoints=%llu\n", static_cast<unsigned long long>(stored));
  CHECK(stored > 0);
}

TEST_GROUP(CheckpointStoreFull) {
  StoreFixture fixture;
  uint32_t op = 0;
  void open_with_quota(uint64_t bytes) {
    fixture.options.database_bytes_max = bytes;
    CHECK_OK(fixture.open());
    op = fixture.part("a");
  }
};

TEST(CheckpointStoreFull, a_commit_beyond_the_quota_is_rolled_back_and_a_smaller_one_succeeds) {
  open_with_quota(256 << 10);
  CHECK_OK(fixture.commit(TestCheckpoint(1).state(op, "one").put(BlobKind::Delta, op, 0, "first")));
  const std::string large(512 << 10, 'x');
  DeadLetter letter{"json", "", "source", "t", as_bytes("x"), 1, 0, 0};
  for (int attempt = 0; attempt < 3; ++attempt) {
    TestCheckpoint too_large(2);
    too_large.state(op, "two").trim(BlobKind::Delta, op, 1).letters({&letter, 1}).put(BlobKind::Outbox, op, 0, large);
    CHECK(fixture.commit(too_large).code() == Code::Full);
    STRCMP_EQUAL(
        "manifest: manifest\nstate op=1 index=0 checkpoint=1: one\n"
        "delta op=1 index=0 checkpoint=1: first\n",
        fixture.loaded().c_str());
    UNSIGNED_LONGS_EQUAL(0, fixture.store->count_dead_letters(fixture.pipeline).value().rows);
  }
  CHECK_OK(fixture.commit(TestCheckpoint(2).state(op, "two").letters({&letter, 1})));
  CHECK_OK(fixture.reopen());
  STRCMP_EQUAL(
      "manifest: manifest\nstate op=1 index=0 checkpoint=2: two\n"
      "delta op=1 index=0 checkpoint=1: first\n",
      fixture.loaded().c_str());
  UNSIGNED_LONGS_EQUAL(1, fixture.store->count_dead_letters(fixture.pipeline).value().rows);
}

TEST(CheckpointStoreFull, a_quota_below_the_reservation_is_said_and_does_not_stop_the_store) {
  fixture.options.database_bytes = 1 << 20;
  open_with_quota(512 << 10);
  CHECK(fixture.store->space_reserved().code() == Code::Full);
  CHECK_OK(fixture.commit(TestCheckpoint(1).state(op, "one")));
  CHECK_OK(fixture.reopen());
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=1: one\n", fixture.loaded().c_str());
}

TEST(CheckpointStoreFull, after_an_io_error_every_write_fails_until_the_state_is_read_again) {
  const pid_t child = fork();
  if (child == 0) {
    // The WAL may not grow beyond what is reserved: the write fails with EFBIG, which SQLite reports as an I/O error.
    signal(SIGXFSZ, SIG_IGN);
    if (!fixture.open().ok()) _exit(1);
    op = fixture.part("a");
    if (!fixture.commit(TestCheckpoint(1).state(op, "one")).ok()) _exit(2);
    const rlim_t bytes = SqliteCheckpointStore::wal_bytes(fixture.options);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(3);
    const Status failed = fixture.commit(TestCheckpoint(2).state(op, std::string(1 << 20, 'x')));
    if (failed.code() != Code::Io) _exit(4);
    const Status again = fixture.commit(TestCheckpoint(3).state(op, "three"));
    if (again.code() != Code::Io || again.detail() != failed.detail()) _exit(5);
    if (fixture.store->after_commit().code() != Code::Io) _exit(6);
    if (fixture.store->reserve_ids(fixture.pipeline, 100).code() != Code::Io) _exit(7);
    if (fixture.store->operator_number(fixture.pipeline, "b").status().code() != Code::Io) _exit(8);
    fixture.close();
    _exit(0);
  }
  int result = 0;
  LONGS_EQUAL(child, waitpid(child, &result, 0));
  LONGS_EQUAL(0, WEXITSTATUS(result));
  CHECK_OK(fixture.open());
  STRCMP_EQUAL("manifest: manifest\nstate op=1 index=0 checkpoint=1: one\n", fixture.loaded().c_str());
  op = fixture.part("a");
  CHECK_OK(fixture.commit(TestCheckpoint(3).state(op, "three")));
}
