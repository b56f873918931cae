// Database and journal on one disk, used in the product's order: a group of messages is written and synced, then acknowledged;
// a checkpoint says what the messages up to some place have come to and where in the journal the others begin; what no retained
// checkpoint needs is released. After every recovery what the checkpoint says and what the journal hands back must come to the
// same as all messages that were acknowledged, each once.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>

#include "firmware-tests/support/store_history.h"
#include "firmware-tests/unit/journal_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t ring_bytes = 24 * journal_block_bytes;
constexpr uint32_t retained = 2;
// A group of one such message fills its block to the last bytes.
constexpr size_t block_full = journal_block_bytes - journal_header_bytes - 21;

struct DiskSettings : HistorySettings {
  uint64_t shift = 0;  // of the journal's blocks on the disk
};

/// What messages 1 to `number` come to, whichever way.
uint64_t state_after(uint64_t number) {
  static std::vector<uint64_t> known{0};
  while (known.size() <= number) known.push_back((known.back() ^ known.size()) * 0x9E3779B97F4A7C15ULL + 1);
  return known[number];
}

struct World {
  World(SimDisk& of, const std::string& state_dir, Random& source, const DiskSettings& rules)
      : disk(of), options(small_store(state_dir)), random(source), settings(rules) {
    options.durability = rules.durability;
  }
  SimDisk& disk;
  StoreOptions options;
  Random& random;
  DiskSettings settings;
  uint64_t acknowledged = 0;  // the newest message
  uint64_t announced = 0;     // the newest checkpoint
  uint64_t attempted = 0;
  uint64_t recoveries = 0;
  std::string problem;

  bool fail(const std::string& text) {
    if (problem.empty()) problem = text;
    return false;
  }
};

/// One process from its start until the power goes, something fails, or it has made so many checkpoints.
class Gateway final : private RestoreHandler {
 public:
  explicit Gateway(World& world)
      : world_(world),
        journal_(
            [&world](uint64_t bytes, bool) {
              return Result<std::unique_ptr<BlockFile>>(world.disk.open_block_file("journal", bytes, world.settings.shift));
            },
            ring_bytes, block_full + journal_record_bytes),
        memory_(4096),
        snapshot_(memory_, blobs_, trims_) {}

  /// False: it cannot go on.
  bool start() {
    if (Status status = open_store(); !status.ok()) return stopped(status);
    const Result<JournalRecovery> recovery = journal_.open(checkpoint_id_ == 0 ? nullptr : &position_);
    if (!recovery.ok()) return stopped(recovery.status());
    if (world_.disk.power_is_off()) return false;
    if (recovery.value().lost_batches > 0) return world_.fail("the journal misses what was durable");
    ++world_.recoveries;
    if (!take_replayed()) return false;
    // What stands in the journal is found from a checkpoint: there must be one before anything is acknowledged.
    return checkpoint_id_ != 0 || checkpoint();
  }

  void live(uint64_t checkpoints) {
    while (checkpoints > 0 && world_.problem.empty()) {
      if (!take_messages()) return;
      // Room in the ring comes from checkpoints alone.
      if (!world_.random.chance(25) && journal_.journal().has_room()) continue;
      if (!checkpoint()) return;
      --checkpoints;
    }
  }

 private:
  bool stopped(Status status) {
    const bool allowed = world_.disk.power_is_off() || (world_.disk.failure_fired() && status.code() == Code::Io);
    return allowed ? false : world_.fail(std::string("with the power on: ") + status.text());
  }

  Status open_store() {
    WEIR_TRY(store_.open(world_.options));
    Result<PipelineRow> row = store_.open_pipeline("p", {{}, retained});
    if (!row.ok()) return row.status();
    row_ = row.value();
    next_id_ = std::max(row_.reserved_id, row_.last_checkpoint_id) + 1;
    Result<uint32_t> op = store_.operator_number(row_.pipeline, "source");
    if (!op.ok()) return op.status();
    op_ = op.value();
    WEIR_TRY(store_.reserve_ids(row_.pipeline, next_id_ + 100'000));
    const Status loaded = store_.load(row_.pipeline, *this);
    if (!loaded.ok() && loaded.code() != Code::NotFound) return loaded;
    if (checkpoint_id_ != world_.announced && checkpoint_id_ != world_.attempted)
      world_.fail("went back to checkpoint " + std::to_string(checkpoint_id_) + ", announced was " +
                  std::to_string(world_.announced));
    world_.announced = world_.attempted = checkpoint_id_;
    if (state_ != state_after(number_)) world_.fail("the checkpoint holds another state");
    return {};
  }

  void on_damaged(const DamagedCheckpoint&) override { world_.fail("a checkpoint is damaged"); }
  Status on_manifest(Bytes) override { return {}; }
  Status on_blob(uint32_t, const StoredBlob& blob) override {
    ByteReader in(blob.bytes);
    number_ = in.get<uint64_t>();
    state_ = in.get<uint64_t>();
    position_ = JournalPosition::decode(in);
    checkpoint_id_ = blob.checkpoint_id;
    return {};
  }
  Status on_outbox(uint32_t, uint64_t, size_t) override { return {}; }

  bool take_replayed() {
    for (uint64_t number : journal_.replayed()) {
      if (number != number_ + 1) return world_.fail("message " + std::to_string(number) + " behind " + std::to_string(number_));
      apply();
    }
    if (number_ < world_.acknowledged)
      return world_.fail("message " + std::to_string(world_.acknowledged) + " was acknowledged, the newest is " +
                         std::to_string(number_));
    // Nobody has heard of the others, but they are there.
    world_.acknowledged = number_;
    positions_ = {position_};
    journal_.journal().release(position_);
    return world_.problem.empty();
  }

  void apply() {
    ++number_;
    state_ = (state_ ^ number_) * 0x9E3779B97F4A7C15ULL + 1;
  }

  /// A group: into the journal, then into the state, then acknowledged.
  bool take_messages() {
    uint64_t appended = 0;
    for (uint64_t count = 1 + world_.random.below(3); appended < count && journal_.journal().has_room(); ++appended)
      journal_.append(number_ + 1 + appended, world_.random.chance(40) ? block_full : 10 + world_.random.below(200));
    if (appended == 0) return true;
    const bool durable = journal_.commit();
    if (!durable) return stopped(journal_.durable());
    for (; appended > 0; --appended) apply();
    world_.acknowledged = number_;
    return true;
  }

  bool checkpoint() {
    const uint64_t id = next_id_++;
    const JournalPosition position = journal_.journal().position();
    snapshot_.begin(id);
    ByteWriter& out = snapshot_.open(BlobKind::Operator, op_);
    out.put(number_);
    out.put(state_);
    position.encode(out);
    snapshot_.close();
    CheckpointWrite write;
    write.pipeline = row_.pipeline;
    write.id = id;
    write.manifest = as_bytes("manifest");
    write.snapshot = &snapshot_;
    world_.attempted = id;
    if (Status status = store_.commit(write); !status.ok()) return stopped(status);
    world_.announced = id;
    positions_.push_back(position);
    if (positions_.size() > retained) positions_.pop_front();
    journal_.journal().note_checkpoint(id);
    journal_.journal().release(positions_.front());
    const Status kept = store_.after_commit();
    return kept.ok() || stopped(kept);
  }

  World& world_;
  SqliteCheckpointStore store_;
  JournalProcess journal_;
  PipelineRow row_;
  uint32_t op_ = 0;
  uint64_t next_id_ = 0;
  uint64_t checkpoint_id_ = 0;
  uint64_t number_ = 0;  // of the newest message that is part of the state
  uint64_t state_ = 0;
  JournalPosition position_;
  std::deque<JournalPosition> positions_;  // of retained checkpoints
  std::vector<uint8_t> memory_;
  std::array<Blob, 4> blobs_;
  std::array<Trim, 4> trims_;
  Snapshot snapshot_;
};

struct WorldResult {
  std::string problem;
  uint64_t recoveries = 0;
};

WorldResult run_gateway(uint64_t seed, const DiskSettings& settings) {
  Random random(seed);
  TemporaryDirectory directory;
  SimDisk disk(random.next());
  obey(settings, disk);
  World world(disk, directory.file("state"), random, settings);
  const uint64_t cuts = 2 + random.below(4);
  for (uint64_t cut = 0; cut <= cuts && world.problem.empty(); ++cut) {
    const bool last = cut == cuts;
    const bool killed = random.chance(15);
    if (!last && !killed) disk.cut_power_at(1 + random.below(random.chance(30) ? 100 : 900));
    {
      Gateway gateway(world);
      if (gateway.start()) gateway.live(killed ? random.below(10) : last ? 2 : 60);
    }
    // The witnesses outside of the database may have lost all that they knew.
    if (!killed && random.chance(30)) {
      std::error_code ignored;
      std::filesystem::remove(world.options.state_dir + "/weir.newest", ignored);
    }
    if (!last && !killed) disk.power_on();
  }
  return {world.problem, world.recoveries};
}

/// A process in good order, one in whose life an operation fails, and one that must find everything.
WorldResult run_with_failure(DiskOperation operation, uint64_t nth, bool persistent, bool power_cut, bool& fired) {
  Random random(nth);
  TemporaryDirectory directory;
  SimDisk disk(nth);
  World world(disk, directory.file("state"), random, {});
  auto live = [&](uint64_t checkpoints) {
    Gateway gateway(world);
    if (gateway.start()) gateway.live(checkpoints);
  };
  live(3);
  disk.fail(operation, nth, persistent);
  live(3);
  fired = disk.failure_fired();
  disk.fail_no_more();
  if (power_cut) disk.power_on();
  const uint64_t before = world.recoveries;
  live(2);
  if (world.recoveries == before) world.fail("it does not start again");
  return {world.problem, world.recoveries};
}

}  // namespace

TEST_GROUP(JournaledDisk) {
  uint64_t seed =
      environment_number("WEIR_SEED", static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));

  bool caught(const DiskSettings& settings, uint64_t most) {
    for (uint64_t count = 1; count <= most; ++count) {
      const WorldResult outcome = run_gateway(seed + count, settings);
      if (outcome.problem.empty()) continue;
      printf(" [%llu histories: %s]", static_cast<unsigned long long>(count), outcome.problem.c_str());
      return true;
    }
    return false;
  }
};

TEST(JournaledDisk, loses_and_doubles_no_message_that_was_acknowledged) {
  const bool one = getenv("WEIR_SEED") != nullptr;
  const uint64_t wanted = one ? 1 : environment_number("WEIR_LONG", 0) != 0 ? 5000 : 500;
  uint64_t recoveries = 0;
  while (recoveries < wanted) {
    const WorldResult outcome = run_gateway(seed, {disk_of_a_gateway(seed)});
    const std::string text = "seed " + std::to_string(seed) + ": " + outcome.problem;
    CHECK_TRUE_TEXT(outcome.problem.empty(), text.c_str());
    recoveries += outcome.recoveries;
    ++seed;
    if (one) break;
  }
  printf(" [%llu recoveries, last seed %llu]", static_cast<unsigned long long>(recoveries),
         static_cast<unsigned long long>(seed - 1));
}

TEST(JournaledDisk, survives_the_failure_of_any_operation) {
  uint64_t failures = 0;
  for (DiskOperation operation : {DiskOperation::Open, DiskOperation::Read, DiskOperation::Write, DiskOperation::Sync,
                                  DiskOperation::Truncate, DiskOperation::Delete})
    for (int how = 0; how < 4; ++how) {
      bool fired = true;
      for (uint64_t nth = 1; fired; ++nth) {
        const WorldResult result = run_with_failure(operation, nth, how % 2 == 1, how / 2 == 1, fired);
        const std::string text = std::string(how % 2 == 1 ? "persistent " : "") + (how / 2 == 1 ? "and a power cut, " : "") +
                                 disk_operation_name(operation) + " " + std::to_string(nth) + ": " + result.problem;
        CHECK_TRUE_TEXT(result.problem.empty(), text.c_str());
        failures += fired ? 1 : 0;
      }
    }
  printf(" [%llu failures]", static_cast<unsigned long long>(failures));
  CHECK(failures > 100);
}

TEST(JournaledDisk, is_caught_when_groups_are_not_synced) {
  DiskSettings settings;
  settings.honest_syncs = HonestSyncs::NotOfBlockFiles;
  CHECK(caught(settings, 50));
}

TEST(JournaledDisk, is_caught_when_the_disk_lies) {
  DiskSettings settings;
  settings.honest_syncs = HonestSyncs::None;
  CHECK(caught(settings, 50));
}

TEST(JournaledDisk, is_caught_when_commits_are_synced_later) {
  DiskSettings settings;
  settings.durability = CommitDurability::ProcessCrash;
  CHECK(caught(settings, 50));
}

TEST(JournaledDisk, is_caught_when_groups_share_sectors) {
  DiskSettings settings;
  settings.shift = 256;
  CHECK(caught(settings, 4000));
}

TEST(JournaledDisk, is_caught_when_sqlite_trusts_a_disk_that_damages_whole_sectors) {
  DiskSettings settings;
  settings.claims_powersafe_overwrite = true;
  settings.sectors.bytes = 4096;
  CHECK(caught(settings, 1000));
}
