#include "storage/journal.h"

#include <unistd.h>

#include "firmware-tests/support/temporary_directory.h"
#include "firmware-tests/unit/journal_fixture.h"
#include "storage/files.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t small_ring = 16 * journal_block_bytes;

}  // namespace

TEST_GROUP(RingJournal) {
  SimulatedDisk disk{small_ring};
  std::unique_ptr<JournalProcess> process;
  JournalPosition checkpoint;
  uint64_t number = 0;

  void start(const JournalPosition* from = nullptr) {
    process = std::make_unique<JournalProcess>(disk, small_ring);
    CHECK(process->open(from).ok());
  }
  Result<JournalRecovery> restart() {
    process = std::make_unique<JournalProcess>(disk, small_ring);
    return process->open(&checkpoint);
  }
  /// One group of `count` messages.
  void write(size_t count, size_t bytes = 50) {
    for (size_t index = 0; index < count; ++index) {
      CHECK(process->journal().has_room());
      process->append(++number, bytes);
    }
    CHECK(process->commit());
  }
  void take_checkpoint() {
    checkpoint = process->journal().position();
    process->journal().release(checkpoint);
  }
  void replays(uint64_t first, uint64_t last) {
    UNSIGNED_LONGS_EQUAL(last - first + 1, process->replayed().size());
    for (uint64_t index = 0; index < process->replayed().size(); ++index)
      UNSIGNED_LONGS_EQUAL(first + index, process->replayed()[index]);
  }
};

TEST(RingJournal, hands_back_what_follows_the_checkpoint_and_nothing_before_it) {
  start();
  write(3);
  take_checkpoint();
  write(2);
  write(1);
  const Result<JournalRecovery> recovery = restart();
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(3, recovery.value().messages);
  UNSIGNED_LONGS_EQUAL(6, recovery.value().end_offset);
  UNSIGNED_LONGS_EQUAL(0, recovery.value().lost_batches);
  replays(4, 6);
}

TEST(RingJournal, an_empty_ring_and_a_checkpoint_at_the_end_have_nothing_to_hand_back) {
  start();
  take_checkpoint();
  CHECK(restart().ok());
  UNSIGNED_LONGS_EQUAL(0, process->replayed().size());
  write(2);
  take_checkpoint();
  CHECK(restart().ok());
  UNSIGNED_LONGS_EQUAL(0, process->replayed().size());
}

TEST(RingJournal, a_group_is_one_write_of_whole_blocks_and_one_sync) {
  start();
  const uint64_t syncs = disk.syncs();
  write(10, 300);
  UNSIGNED_LONGS_EQUAL(syncs + 1, disk.syncs());
  UNSIGNED_LONGS_EQUAL(4096, disk.bytes_written());
  write(1, 3000);
  UNSIGNED_LONGS_EQUAL(8192, disk.bytes_written());
  UNSIGNED_LONGS_EQUAL(8192, process->journal().status().written_bytes);
  UNSIGNED_LONGS_EQUAL(2, process->journal().status().groups);
}

TEST(RingJournal, goes_round_and_round_and_always_hands_back_the_rest) {
  start();
  for (int round = 0; round < 100; ++round) {
    write(1 + static_cast<size_t>(round) % 3, 500);
    if (round % 2 == 0) take_checkpoint();
    if (round % 7 != 6) continue;
    const uint64_t written = number;
    const bool covered = round % 2 == 0;
    CHECK(restart().ok());
    if (covered) {
      UNSIGNED_LONGS_EQUAL(0, process->replayed().size());
    } else {
      replays(written - static_cast<uint64_t>(round) % 3, written);
    }
    process->journal().release(checkpoint);
  }
}

TEST(RingJournal, refuses_room_rather_than_overtake_what_a_checkpoint_needs) {
  start();
  write(1);
  take_checkpoint();
  uint64_t groups = 0;
  while (process->journal().has_room() && groups < 100) {
    write(1);
    ++groups;
  }
  UNSIGNED_LONGS_EQUAL(16, groups);
  const uint64_t last = number;
  CHECK(restart().ok());
  replays(2, last);
  CHECK_FALSE(process->journal().has_room());
  take_checkpoint();
  CHECK(process->journal().has_room());
}

TEST(RingJournal, keeps_an_older_checkpoint_within_reach_until_it_is_released) {
  start();
  write(2);
  const JournalPosition older = process->journal().position();
  process->journal().release(older);
  write(2);
  const JournalPosition newer = process->journal().position();
  write(2);
  checkpoint = older;
  CHECK(restart().ok());
  replays(3, 6);
  process->journal().release(newer);
  UNSIGNED_LONGS_EQUAL(4096, process->journal().status().needed_bytes);
}

TEST(RingJournal, a_group_that_was_written_but_not_announced_is_handed_back_after_a_kill) {
  start();
  write(1);
  take_checkpoint();
  process->append(++number, 10);
  process->journal().commit();
  process->worker().work_only();
  disk.process_restarts();
  CHECK(restart().ok());
  replays(2, 2);
}

TEST(RingJournal, what_a_start_takes_over_after_a_kill_survives_the_power_cut_that_follows) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    disk = SimulatedDisk(small_ring);
    number = 0;
    start();
    take_checkpoint();
    process->append(++number, 10);
    disk.cut_power_at(2);  // the process dies between the write and the sync
    CHECK_FALSE(process->commit());
    disk.process_restarts();
    CHECK(restart().ok());
    replays(1, 1);
    disk.power_on(random);
    CHECK(restart().ok());
    replays(1, 1);
  }
}

TEST(RingJournal, what_was_appended_and_not_committed_is_gone) {
  start();
  write(1);
  take_checkpoint();
  process->append(++number, 10);
  CHECK(restart().ok());
  UNSIGNED_LONGS_EQUAL(0, process->replayed().size());
}

TEST(RingJournal, a_full_disk_changes_nothing_and_the_same_group_may_be_tried_again) {
  start();
  take_checkpoint();
  process->append(++number, 10);
  disk.full = true;
  CHECK_FALSE(process->commit());
  LONGS_EQUAL(static_cast<int>(Code::Full), static_cast<int>(process->durable().code()));
  UNSIGNED_LONGS_EQUAL(1, process->journal().pending());
  disk.full = false;
  CHECK(process->commit());
  CHECK(restart().ok());
  replays(1, 1);
}

TEST(RingJournal, a_write_that_fails_is_told) {
  start();
  process->append(++number, 10);
  disk.cut_power_at(1);
  CHECK_FALSE(process->commit());
  LONGS_EQUAL(static_cast<int>(Code::Io), static_cast<int>(process->durable().code()));
  CHECK(process->journal().status().error[0] != '\0');
}

TEST(RingJournal, tells_of_damage_before_the_newest_group_and_goes_on_behind_it) {
  start();
  take_checkpoint();
  for (int group = 0; group < 4; ++group) write(1);
  disk.flip_bit((journal_block_bytes + journal_header_bytes + 5) * 8);  // a record of the second group
  const Result<JournalRecovery> recovery = restart();
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(3, recovery.value().lost_batches);
  replays(1, 1);
  // New groups do not follow from the old checkpoint any more; from a new one they do.
  take_checkpoint();
  write(1);
  CHECK(restart().ok());
  UNSIGNED_LONGS_EQUAL(0, process->journal().status().lost_batches);
  replays(5, 5);
}

TEST(RingJournal, groups_that_an_earlier_process_abandoned_are_no_damage) {
  start();
  take_checkpoint();
  write(1);
  write(1);
  disk.flip_bit((journal_header_bytes + 5) * 8);
  Result<JournalRecovery> recovery = restart();
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(2, recovery.value().lost_batches);
  take_checkpoint();
  recovery = restart();
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(0, recovery.value().lost_batches);
}

TEST(RingJournal, a_checkpoint_whose_input_was_written_over_is_told_and_new_groups_have_room) {
  start();
  write(1);
  checkpoint = process->journal().position();
  for (int group = 0; group < 40; ++group) {
    process->journal().release(process->journal().position());
    write(1);
  }
  const Result<JournalRecovery> recovery = restart();
  CHECK(recovery.ok());
  CHECK(recovery.value().lost_batches > 0);
  CHECK(process->journal().has_room());
}

TEST(RingJournal, knows_the_newest_checkpoint_that_was_completed) {
  start();
  take_checkpoint();
  process->journal().note_checkpoint(17);
  write(1);
  const Result<JournalRecovery> recovery = restart();
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(17, recovery.value().newest_checkpoint);
}

TEST(RingJournal, knows_when_its_oldest_record_came) {
  start();
  LONGS_EQUAL(0, process->journal().status().oldest_arrival_ms);
  for (int group = 0; group < 20; ++group) {
    write(1);
    take_checkpoint();
  }
  // Sixteen groups of a block fit: 5 to 20.
  LONGS_EQUAL(50, process->journal().status().oldest_arrival_ms);
  CHECK(restart().ok());
  LONGS_EQUAL(50, process->journal().status().oldest_arrival_ms);
}

TEST(RingJournal, without_a_checkpoint_it_goes_on_behind_what_is_there) {
  start();
  write(2);
  start();
  UNSIGNED_LONGS_EQUAL(0, process->replayed().size());
  take_checkpoint();
  write(1);
  CHECK(restart().ok());
  replays(3, 3);
  LONGS_EQUAL(10, process->journal().status().oldest_arrival_ms);
}

TEST(RingJournal, keeps_what_was_cut_off_and_what_is_no_message) {
  start();
  take_checkpoint();
  process->append(++number, 20, JournalKind::PayloadTooLong);
  process->append(number, 5, JournalKind::SessionLost);
  process->append(++number, 20, JournalKind::TopicTooLong);
  CHECK(process->commit());
  const Result<JournalRecovery> recovery = restart();
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(2, recovery.value().messages);
  UNSIGNED_LONGS_EQUAL(3, process->records().size());
  CHECK(process->records()[0].kind == JournalKind::PayloadTooLong);
  UNSIGNED_LONGS_EQUAL(40, process->records()[0].full_bytes);
  UNSIGNED_LONGS_EQUAL(3, process->records()[0].hash);
  CHECK(process->records()[1].kind == JournalKind::SessionLost);
  CHECK(process->records()[2].kind == JournalKind::TopicTooLong);
  UNSIGNED_LONGS_EQUAL(2, process->records()[2].offset);
}

TEST(RingJournal, a_place_that_no_ring_has_is_refused) {
  start();
  checkpoint = {.at = 100, .sequence = 1, .chain = 0, .epoch = 1, .ring_bytes = small_ring};
  LONGS_EQUAL(static_cast<int>(Code::Corrupt), static_cast<int>(restart().status().code()));
  checkpoint = {.at = 0, .sequence = 1, .chain = 0, .epoch = 1, .ring_bytes = small_ring + 1};
  LONGS_EQUAL(static_cast<int>(Code::Corrupt), static_cast<int>(restart().status().code()));
}

TEST(RingJournal, a_group_that_is_larger_than_the_buffer_now_is_refused_not_forgotten) {
  start();
  take_checkpoint();
  write(2, 2900);
  process = std::make_unique<JournalProcess>(disk, small_ring, 0, 100);
  LONGS_EQUAL(static_cast<int>(Code::Ok), static_cast<int>(process->open(&checkpoint).status().code()));
  UNSIGNED_LONGS_EQUAL(2, process->replayed().size());
  SimulatedDisk large(64 * small_ring);
  JournalProcess writer(large, 64 * small_ring, 0, 200'000);
  CHECK(writer.open(nullptr).ok());
  checkpoint = writer.journal().position();
  writer.append(1, 190'000);
  CHECK(writer.commit());
  JournalProcess smaller(large, small_ring, 0, 100);
  LONGS_EQUAL(static_cast<int>(Code::Incompatible), static_cast<int>(smaller.open(&checkpoint).status().code()));
}

TEST(RingJournal, takes_another_size_only_when_nothing_follows_the_checkpoint) {
  SimulatedDisk large(2 * small_ring);
  JournalProcess first(large, small_ring);
  CHECK(first.open(nullptr).ok());
  checkpoint = first.journal().position();
  first.append(1, 10);
  CHECK(first.commit());
  JournalProcess second(large, 2 * small_ring);
  CHECK(second.open(&checkpoint).ok());
  UNSIGNED_LONGS_EQUAL(small_ring, second.journal().status().bytes);
  UNSIGNED_LONGS_EQUAL(1, second.replayed().size());
  checkpoint = second.journal().position();
  JournalProcess third(large, 2 * small_ring);
  CHECK(third.open(&checkpoint, true).ok());
  UNSIGNED_LONGS_EQUAL(2 * small_ring, third.journal().status().bytes);
}

// ---- real files

TEST_GROUP(JournalFiles) {
  TemporaryDirectory directory{"weir-journal"};
  Arena arena{16 << 20};
  StepWorker worker;
  JournalOptions spec{.name = "p", .state_dir = directory.path(), .ring_bytes = small_ring, .record_bytes_max = 1000};
  JournalPosition checkpoint;

  std::unique_ptr<RingJournal> open() { return std::make_unique<RingJournal>(spec, &worker, arena); }
};

namespace {

struct Nobody final : JournalUser {
  void on_durable(Status, Now) override {}
  void on_batch(Status, Now) override {}
};

}  // namespace

TEST(JournalFiles, the_newest_group_is_missed_when_it_is_damaged) {
  Nobody nobody;
  {
    auto journal = open();
    journal->connect(nobody);
    CHECK(journal->open(nullptr, false).ok());
    checkpoint = journal->position();
    journal->append({.topic = "t", .payload = as_bytes("hello")});
    journal->commit();
    worker.run();
  }
  UNSIGNED_LONGS_EQUAL(small_ring, file_bytes(journal_path(directory.path(), "p")));
  {
    Result<std::unique_ptr<BlockFile>> file =
        open_block_file(journal_path(directory.path(), "p"), BlockFileMode::ReadWrite, small_ring);
    CHECK(file.ok());
    const uint8_t wrong = 'x';
    CHECK(file.value()->write(journal_header_bytes + 20, {&wrong, 1}).ok());
  }
  const Result<JournalRecovery> recovery = open()->open(&checkpoint, false);
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(0, recovery.value().messages);
  UNSIGNED_LONGS_EQUAL(1, recovery.value().lost_batches);
}

TEST(JournalFiles, a_file_that_was_deleted_is_missed_too) {
  Nobody nobody;
  {
    auto journal = open();
    journal->connect(nobody);
    CHECK(journal->open(nullptr, false).ok());
    checkpoint = journal->position();
    journal->append({.topic = "t", .payload = as_bytes("hello")});
    journal->commit();
    worker.run();
  }
  unlink(journal_path(directory.path(), "p").c_str());
  const Result<JournalRecovery> recovery = open()->open(&checkpoint, false);
  CHECK(recovery.ok());
  UNSIGNED_LONGS_EQUAL(1, recovery.value().lost_batches);
}

TEST(JournalFiles, the_file_cannot_be_made_where_there_is_no_directory) {
  spec.state_dir = "/proc/nowhere";
  CHECK_FALSE(open()->open(nullptr, false).ok());
}
