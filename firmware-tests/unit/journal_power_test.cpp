// The journal on a disk that loses power: every message that was told to be durable must be handed back, in order and once,
// whatever became of the sectors that were on their way. Faults that must be noticed: no sync, a disk that lies, batches that
// share sectors.
#include <cstdio>

#include "firmware-tests/unit/journal_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t power_ring = 24 * journal_block_bytes;
// A group of one such message fills its block to the last bytes.
constexpr size_t block_full = journal_block_bytes - journal_header_bytes - 21;  // 18 bytes and a topic of 3

struct PowerOptions {
  bool lies_about_sync = false;
  uint64_t shift = 0;
};

/// One gateway over several power cuts. False: something that was durable is missing, or came wrong.
bool survives(uint64_t seed, const PowerOptions& options, uint64_t& recoveries) {
  Random random(seed);
  SimulatedDisk disk(power_ring + options.shift);
  disk.lies_about_sync = options.lies_about_sync;
  disk.powersafe_overwrite = random.chance(50);
  JournalPosition checkpoint;
  uint64_t covered = 0;  // by the checkpoint
  uint64_t durable = 0;  // the newest message that was told to be
  uint64_t appended = 0;
  bool begun = false;
  for (uint64_t cut = 0, cuts = 2 + random.below(4); cut <= cuts; ++cut) {
    if (cut > 0) disk.power_on(random);
    const bool last = cut == cuts;
    if (!last) disk.cut_power_at(1 + random.below(120));
    JournalProcess process(disk, power_ring, options.shift, block_full + journal_record_bytes);
    Result<JournalRecovery> recovery = process.open(begun ? &checkpoint : nullptr);
    if (disk.power_is_off()) continue;
    if (!recovery.ok() || recovery.value().lost_batches > 0) return false;
    ++recoveries;
    for (size_t index = 0; index < process.replayed().size(); ++index)
      if (process.replayed()[index] != covered + index + 1) return false;
    if (covered + process.replayed().size() < durable) return false;
    appended = durable = covered + process.replayed().size();
    if (!begun) {
      checkpoint = process.journal().position();
      begun = true;
    }
    process.journal().release(checkpoint);
    while (!last && !disk.power_is_off()) {
      for (uint64_t count = 1 + random.below(3); count > 0 && process.journal().has_room(); --count)
        process.append(++appended, random.chance(40) ? block_full : 10 + random.below(200));
      if (process.journal().pending() > 0 && process.commit()) durable = appended;
      if (process.journal().pending() == 0 && (random.chance(20) || !process.journal().has_room())) {
        checkpoint = process.journal().position();
        covered = durable;
        process.journal().release(checkpoint);
      }
    }
  }
  return true;
}

/// How many of `histories` fail.
uint64_t failures(uint64_t histories, const PowerOptions& options) {
  uint64_t recoveries = 0;
  uint64_t failed = 0;
  for (uint64_t seed = 1; seed <= histories; ++seed)
    if (!survives(seed, options, recoveries)) {
      if (failed++ == 0) printf("[the first seed that fails: %llu] ", static_cast<unsigned long long>(seed));
    }
  CHECK(recoveries > 0);
  return failed;
}

}  // namespace

TEST_GROUP(JournalPower){};

TEST(JournalPower, loses_nothing_that_was_durable_over_a_thousand_recoveries) { UNSIGNED_LONGS_EQUAL(0, failures(500, {})); }

TEST(JournalPower, a_disk_that_lies_about_syncs_is_noticed) { CHECK(failures(100, {.lies_about_sync = true}) > 50); }

TEST(JournalPower, batches_that_share_sectors_are_noticed) { CHECK(failures(300, {.shift = 256}) > 0); }

TEST(JournalPower, five_hundred_flipped_bits_are_harmless_or_noticed) {
  SimulatedDisk disk(power_ring);
  JournalPosition checkpoint;
  {
    JournalProcess process(disk, power_ring);
    CHECK(process.open(nullptr).ok());
    for (uint64_t number = 1; number <= 20; ++number) {
      process.append(number, 100 + number * 100);
      CHECK(process.commit());
      if (number != 5) continue;
      checkpoint = process.journal().position();
      process.journal().release(checkpoint);
    }
  }
  Random random(7);
  uint64_t noticed = 0;
  uint64_t harmless = 0;
  for (int flip = 0; flip < 500; ++flip) {
    const size_t bit = random.below(power_ring * 8);
    disk.flip_bit(bit);
    JournalProcess process(disk, power_ring);
    const Result<JournalRecovery> recovery = process.open(&checkpoint);
    bool right = recovery.ok();
    for (size_t index = 0; right && index < process.replayed().size(); ++index) right = process.replayed()[index] == 6 + index;
    CHECK(right);
    const bool whole = process.replayed().size() == 15;
    const bool in_the_newest = process.replayed().size() == 14;  // what remembers that one stands outside of the ring
    CHECK(whole || in_the_newest || recovery.value().lost_batches > 0);
    whole ? ++harmless : ++noticed;
    disk.flip_bit(bit);
  }
  CHECK(noticed > 50);
  CHECK(harmless > 50);
}
