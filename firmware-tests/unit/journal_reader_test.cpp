#include "storage/journal_reader.h"

#include "firmware-tests/support/temporary_directory.h"
#include "firmware-tests/unit/journal_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(JournalReader) {
  static constexpr uint64_t ring = 16 * journal_block_bytes;
  SimulatedDisk disk{ring};
  JournalProcess process{disk, ring};
  std::vector<uint64_t> seen;

  void setup() override { CHECK(process.open(nullptr).ok()); }
  void write(uint64_t first, uint64_t last) {
    for (uint64_t number = first; number <= last; ++number) process.append(number, 50);
    CHECK(process.commit());
    process.journal().release(process.journal().position());
  }
  JournalReadCounts read(int64_t from_ms = INT64_MIN) {
    seen.clear();
    SimulatedFile file(disk, ring);
    const auto take = [this](const JournalRecord& record) { seen.push_back(record.offset); };
    const Result<JournalReadCounts> counts = read_journal(file, from_ms, take);
    CHECK(counts.ok());
    return counts.ok() ? counts.value() : JournalReadCounts{};
  }
};

TEST(JournalReader, reads_everything_in_order_also_over_the_end_of_the_ring) {
  for (uint64_t group = 0; group < 20; ++group) write(group * 2 + 1, group * 2 + 2);
  UNSIGNED_LONGS_EQUAL(32, read().messages);
  for (size_t index = 0; index < seen.size(); ++index) UNSIGNED_LONGS_EQUAL(9 + index, seen[index]);
}

TEST(JournalReader, begins_at_a_time_in_the_middle_of_a_group) {
  write(1, 4);
  write(5, 8);
  const JournalReadCounts counts = read(30);
  UNSIGNED_LONGS_EQUAL(6, counts.messages);
  LONGS_EQUAL(30, counts.oldest_arrival_ms);
  UNSIGNED_LONGS_EQUAL(3, seen[0]);
  UNSIGNED_LONGS_EQUAL(0, read(81).messages);
  UNSIGNED_LONGS_EQUAL(1, read(80).messages);
}

TEST(JournalReader, leaves_out_what_is_damaged_and_says_so) {
  write(1, 1);
  write(2, 2);
  write(3, 3);
  disk.flip_bit((journal_block_bytes + journal_header_bytes + 3) * 8);
  const JournalReadCounts counts = read();
  UNSIGNED_LONGS_EQUAL(2, counts.messages);
  UNSIGNED_LONGS_EQUAL(1, counts.skipped_batches);
  UNSIGNED_LONGS_EQUAL(1, seen[0]);
  UNSIGNED_LONGS_EQUAL(3, seen[1]);
}

TEST(JournalReader, passes_over_what_is_written_over_while_it_reads) {
  for (uint64_t group = 1; group <= 16; ++group) write(group, group);
  SimulatedFile file(disk, ring);
  seen.clear();
  uint64_t next = 17;
  const auto take = [&](const JournalRecord& record) {
    seen.push_back(record.offset);
    // The agent writes three groups for each that is read.
    for (int group = 0; group < 3; ++group, ++next) write(next, next);
  };
  const Result<JournalReadCounts> counts = read_journal(file, INT64_MIN, take);
  CHECK(counts.ok());
  CHECK(counts.value().skipped_batches > 0);
  UNSIGNED_LONGS_EQUAL(16, counts.value().messages + counts.value().skipped_batches);
  for (size_t index = 1; index < seen.size(); ++index) CHECK(seen[index] > seen[index - 1]);
}

TEST(JournalReader, a_ring_that_was_never_written_is_empty) { UNSIGNED_LONGS_EQUAL(0, read().messages); }

TEST(JournalReader, says_which_journals_there_are) {
  TemporaryDirectory directory{"weir-journals"};
  UNSIGNED_LONGS_EQUAL(0, journals_in(directory.path()).size());
  for (const char* name : {"b", "a"})
    CHECK(open_block_file(journal_path(directory.path(), name), BlockFileMode::ReadWrite, 4096).ok());
  const std::vector<std::string> names = journals_in(directory.path());
  UNSIGNED_LONGS_EQUAL(2, names.size());
  STRCMP_EQUAL("a", names[0].c_str());
  const Result<JournalReadCounts> counts = read_journal(journal_path(directory.path(), "none"), 0, [](const JournalRecord&) {});
  LONGS_EQUAL(static_cast<int>(Code::NotFound), static_cast<int>(counts.status().code()));
}
