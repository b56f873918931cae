// What a checkpoint costs the card: bytes written (to the database and its WAL) per byte of state that changed, syncs, and the
// time next to a bare fdatasync, by number of keys, changed keys and bytes per key. Each line has the same changes written the
// usual way beside it, a row per key in one transaction, on the same settings and disk. Then how long it takes to open the
// state again.
//
// Bytes and syncs are exact and the same on every machine. Times are compared with an fdatasync on the same disk in the same
// run; --sync-us makes each sync last that long at least, as on a card (default 2000; 0: as the disk is).
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "agent/operators/keyed_state.h"
#include "firmware-tests/support/counting_vfs.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/support/temporary_directory.h"
#include "storage/checkpoint_store.h"
#include "storage/statement.h"

using namespace weir;
using test::disk_cost;
using test::DiskCost;

namespace {

struct Case {
  uint32_t keys;
  uint32_t dirty;
  uint32_t slot_bytes;
};

constexpr std::array<Case, 12> cases{{{10'000, 100, 64},
                                      {10'000, 1'000, 64},
                                      {10'000, 10'000, 64},
                                      {100'000, 100, 64},
                                      {100'000, 1'000, 64},
                                      {100'000, 10'000, 64},
                                      {10'000, 100, 512},
                                      {10'000, 1'000, 512},
                                      {10'000, 10'000, 512},
                                      {100'000, 100, 512},
                                      {100'000, 1'000, 512},
                                      {100'000, 10'000, 512}}};

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double quantile(std::vector<double>& values, double part) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<size_t>(part * static_cast<double>(values.size())))];
}

void must(Status status) {
  if (status.ok()) return;
  fprintf(stderr, "bench: %s (%d)\n", status.text(), status.detail());
  exit(1);
}

/// What a number of checkpoints cost.
struct Cost {
  double bytes_per_dirty_byte = 0;
  double kilobytes = 0;  // per checkpoint
  double syncs = 0;      // per checkpoint
  double commit_median_ms = 0;
  double commit_most_ms = 0;  // of 99 in 100
  double after_most_ms = 0;
};

class Meter {
 public:
  explicit Meter(const Case& of) : of_(of) {}
  void start() { before_ = disk_cost(); }
  void add(double commit_ms, double after_ms) {
    commits_.push_back(commit_ms);
    afters_.push_back(after_ms);
  }
  Cost result() {
    const DiskCost cost = disk_cost() - before_;
    const auto checkpoints = static_cast<double>(commits_.size());
    const double bytes = static_cast<double>(cost.bytes()) / checkpoints;
    return {bytes / of_.dirty / of_.slot_bytes,
            bytes / 1024,
            static_cast<double>(cost.syncs) / checkpoints,
            quantile(commits_, 0.5),
            quantile(commits_, 0.99),
            quantile(afters_, 1)};
  }

 private:
  Case of_;
  DiskCost before_;
  std::vector<double> commits_;
  std::vector<double> afters_;
};

/// `dirty` different numbers below `keys`, in order.
std::vector<uint32_t> pick(Random& random, const Case& of) {
  std::vector<uint32_t> picked;
  std::vector<bool> taken(of.keys);
  while (picked.size() < of.dirty) {
    const auto key = static_cast<uint32_t>(random.below(of.keys));
    if (taken[key]) continue;
    taken[key] = true;
    picked.push_back(key);
  }
  std::ranges::sort(picked);
  return picked;
}

void fill(std::span<uint8_t> bytes, Random& random) {
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
}

/// A keyed step's state and the store it is saved to, as the agent has them.
class Checkpointed {
 public:
  Checkpointed(const Case& of, const std::string& directory)
      : of_(of), state_(of.keys, of.slot_bytes, arena_, "state", "bench") {
    const SnapshotBounds bounds = state_.snapshot_bounds();
    options_.state_dir = directory;
    options_.transaction_bytes_max = bounds.bytes + 4096;
    options_.database_bytes = 3ULL * of.keys * of.slot_bytes;
    buffer_.resize(bounds.bytes + 4096);
    blobs_.resize(bounds.blobs + 1);
    trims_.resize(bounds.trims + 1);
    snapshot_ = Snapshot(buffer_, blobs_, trims_);
    open();
  }

  void fill_all(Random& random) {
    for (uint32_t key = 0; key < of_.keys; ++key) fill(state_.edit(state_.take(of_.slot_bytes)), random);
    checkpoint(nullptr);
  }
  void change(const std::vector<uint32_t>& picked, Random& random) {
    for (uint32_t slot : picked) fill(state_.edit(slot), random);
  }
  void checkpoint(Meter* meter) {
    snapshot_.begin(++id_);
    snapshot_.open(BlobKind::Operator, op_).put(id_);
    snapshot_.close();
    state_.snapshot(snapshot_, op_);
    CheckpointWrite write;
    write.pipeline = pipeline_;
    write.id = id_;
    write.reason = CheckpointReason::Interval;
    write.manifest = as_bytes("manifest");
    write.reserved_id = (id_ / 1000 + 1) * 1000;
    write.snapshot = &snapshot_;
    const double start = now_ms();
    must(store_->commit(write));
    const double committed = now_ms();
    state_.snapshot_done(id_, true);
    must(store_->after_commit());
    if (meter != nullptr) meter->add(committed - start, now_ms() - committed);
  }
  /// Closes the store; milliseconds to open it and read the state back.
  double reopen_ms() {
    store_.reset();
    const double start = now_ms();
    open();
    Arena arena;
    KeyedState state(of_.keys, of_.slot_bytes, arena, "state", "bench");
    Loader loader(state);
    must(store_->load(pipeline_, loader));
    state.restore_finished();
    const double end = now_ms();
    WEIR_ASSERT(state.live() == of_.keys);
    for (uint32_t slot = 0; slot < of_.keys; ++slot) WEIR_ASSERT(std::ranges::equal(state.read(slot), state_.read(slot)));
    return end - start;
  }

 private:
  class Loader final : public RestoreHandler {
   public:
    explicit Loader(KeyedState& state) : state_(state) {}
    Status on_manifest(Bytes) override { return {}; }
    Status on_blob(uint32_t, const StoredBlob& blob) override {
      return blob.kind == BlobKind::Operator ? Status() : state_.restore(blob);
    }
    Status on_outbox(uint32_t, uint64_t, size_t) override { return {}; }

   private:
    KeyedState& state_;
  };

  void open() {
    store_ = std::make_unique<SqliteCheckpointStore>();
    must(store_->open(options_));
    Result<PipelineRow> row = store_->open_pipeline("bench", {});
    must(row.status());
    pipeline_ = row.value().pipeline;
    Result<uint32_t> op = store_->operator_number(pipeline_, "step");
    must(op.status());
    op_ = op.value();
  }

  Case of_;
  Arena arena_;
  KeyedState state_;
  StoreOptions options_;
  std::vector<uint8_t> buffer_;
  std::vector<Blob> blobs_;
  std::vector<Trim> trims_;
  Snapshot snapshot_;
  std::unique_ptr<SqliteCheckpointStore> store_;
  uint32_t pipeline_ = 0;
  uint32_t op_ = 0;
  uint64_t id_ = 0;
};

/// The usual way: a row per key, upserted in one transaction, in the order of the keys.
class RowPerKey {
 public:
  RowPerKey(const Case& of, const std::string& path) : of_(of), value_(of.slot_bytes) {
    DatabaseSettings settings;
    settings.path = path;
    settings.application_id = settings.format = 1;
    must(database_.open(settings));
    must(
        database_.execute("PRAGMA application_id=1; PRAGMA user_version=1;"
                          "CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"));
    must(begin_.prepare(database_, "BEGIN IMMEDIATE"));
    must(upsert_.prepare(database_, "INSERT OR REPLACE INTO state VALUES (?1, ?2)"));
    must(commit_.prepare(database_, "COMMIT"));
  }

  void write(const std::vector<uint32_t>& picked, Random& random, Meter* meter) {
    const double start = now_ms();
    must(begin_.run());
    for (uint32_t key : picked) {
      std::array<uint8_t, 16> name{};
      for (size_t place = 0; place < name.size(); ++place) name[place] = static_cast<uint8_t>(key >> ((3 - place % 4) * 8));
      fill(value_, random);
      must(upsert_.bind(1, Bytes(name)).bind(2, Bytes(value_)).run());
    }
    must(commit_.run());
    const double committed = now_ms();
    if (database_.wal_frames() >= StoreOptions().wal_frames_max) must(database_.checkpoint_wal());
    if (meter != nullptr) meter->add(committed - start, now_ms() - committed);
  }
  void fill_all(Random& random) {
    std::vector<uint32_t> all(of_.keys);
    for (uint32_t key = 0; key < of_.keys; ++key) all[key] = key;
    write(all, random, nullptr);
  }

 private:
  Case of_;
  std::vector<uint8_t> value_;
  Database database_;
  Statement begin_, upsert_, commit_;
};

/// Enough that every chunk has been rewritten, but not for ever.
uint32_t warm_up(const Case& of) { return std::min<uint32_t>(of.keys / of.dirty + 10, 600); }
/// The WAL is moved once in about a hundred small checkpoints: its share needs many of them.
uint32_t measured(const Case& of) { return std::clamp<uint32_t>(200'000 / of.dirty, 60, 1000); }
constexpr uint32_t measured_rows = 20;

Cost measure_weir(const Case& of, double& reopen_ms) {
  TemporaryDirectory directory("weir-bench");
  Random random(of.keys + of.dirty);
  Checkpointed checkpointed(of, directory.file("state"));
  checkpointed.fill_all(random);
  for (uint32_t round = warm_up(of); round > 0; --round) {
    checkpointed.change(pick(random, of), random);
    checkpointed.checkpoint(nullptr);
  }
  Meter meter(of);
  meter.start();
  for (uint32_t round = 0; round < measured(of); ++round) {
    checkpointed.change(pick(random, of), random);
    checkpointed.checkpoint(&meter);
  }
  Cost cost = meter.result();
  reopen_ms = checkpointed.reopen_ms();
  return cost;
}

Cost measure_rows(const Case& of) {
  TemporaryDirectory directory("weir-bench");
  Random random(of.keys + of.dirty);
  RowPerKey rows(of, directory.file("rows.db"));
  rows.fill_all(random);
  for (int round = 0; round < 5; ++round) rows.write(pick(random, of), random, nullptr);
  Meter meter(of);
  meter.start();
  for (uint32_t round = 0; round < measured_rows; ++round) rows.write(pick(random, of), random, &meter);
  return meter.result();
}

/// The median of one 4 KiB overwrite and its fdatasync, in a file that is full of zeros.
double measure_sync_ms(uint64_t sync_us) {
  constexpr int rounds = 200;
  TemporaryDirectory directory("weir-bench");
  const int file = open(directory.file("sync").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  WEIR_ASSERT(file >= 0);
  const std::vector<uint8_t> block(4096);
  for (int index = 0; index < rounds; ++index) WEIR_ASSERT(write(file, block.data(), block.size()) == 4096);
  fdatasync(file);
  std::vector<double> times;
  for (int index = 0; index < rounds; ++index) {
    const double start = now_ms();
    WEIR_ASSERT(pwrite(file, block.data(), block.size(), 4096L * index) == 4096);
    fdatasync(file);
    times.push_back(now_ms() - start);
  }
  close(file);
  return std::max(quantile(times, 0.5), static_cast<double>(sync_us) / 1000);
}

class Gates {
 public:
  /// Bytes and syncs are exact: missing such a gate is a failure of the run.
  void exact(const Case& of, const char* what, double value, double limit) { print(of, what, value, limit, true); }
  void time(const Case& of, const char* what, double value, double limit) { print(of, what, value, limit, false); }
  bool met() const { return met_; }

 private:
  void print(const Case& of, const char* what, double value, double limit, bool exact) {
    const bool good = value <= limit;
    printf("gate: %6u keys %5u changed %3u B: %-38s %8.2f  at most %8.2f  %s\n", of.keys, of.dirty, of.slot_bytes, what, value,
           limit,
           good    ? "met"
           : exact ? "MISSED"
                   : "missed (a time, on this machine)");
    if (!good && exact) met_ = false;
  }
  bool met_ = true;
};

bool parse(const char* text, uint64_t& value) {
  const char* end = text + strlen(text);
  return std::from_chars(text, end, value).ptr == end && end != text;
}

}  // namespace

int main(int count, char** arguments) {
  uint64_t sync_us = 2000;
  if (count != 1 && (count != 3 || strcmp(arguments[1], "--sync-us") != 0 || !parse(arguments[2], sync_us))) {
    fprintf(stderr, "usage: weir-bench-checkpoint [--sync-us N]\n");
    return 2;
  }
  test::install_counting_vfs(sync_us);
  const double sync_ms = measure_sync_ms(sync_us);
  printf("a bare fdatasync of 4 KiB: %.2f ms (median)\n", sync_ms);
  printf("%-26s %-48s %-30s %s\n", "state", "weir: written per changed byte, KiB, syncs, commit", "a row per key: the same",
         "open and load");
  Gates gates;
  std::vector<Cost> costs;
  std::vector<double> loads;
  for (const Case& of : cases) {
    double reopen_ms = 0;
    const Cost weir_cost = measure_weir(of, reopen_ms);
    const Cost rows = measure_rows(of);
    const double megabytes = static_cast<double>(of.keys) * of.slot_bytes / 1e6;
    printf(
        "%6u keys %5u x %3u B  %6.2f %9.1f KiB %5.2f %7.2f ms = %5.2f syncs  %6.2f %9.1f KiB %5.2f %8.2f ms   %6.1f MB %7.1f "
        "ms\n",
        of.keys, of.dirty, of.slot_bytes, weir_cost.bytes_per_dirty_byte, weir_cost.kilobytes, weir_cost.syncs,
        weir_cost.commit_median_ms, weir_cost.commit_median_ms / sync_ms, rows.bytes_per_dirty_byte, rows.kilobytes, rows.syncs,
        rows.commit_median_ms, megabytes, reopen_ms);
    fflush(stdout);
    costs.push_back(weir_cost);
    loads.push_back(reopen_ms / megabytes * 10);
  }
  for (size_t index = 0; index < cases.size(); ++index) {
    const Case& of = cases[index];
    const Cost& cost = costs[index];
    if (of.dirty == 1000 && of.slot_bytes == 64) {
      gates.exact(of, "bytes written per changed byte", cost.bytes_per_dirty_byte, of.keys == 10'000 ? 4 : 5.5);
      gates.exact(of, "syncs per checkpoint", cost.syncs, 1.2);
      gates.time(of, "commit, ms (1.3 fdatasync + 1 ms)", cost.commit_median_ms, 1.3 * sync_ms + 1);
      gates.time(of, "99 of 100 commits, ms (twice that)", cost.commit_most_ms, 2 * (1.3 * sync_ms + 1));
      gates.time(of, "moving the WAL, ms (4 fdatasync + 3 ms)", cost.after_most_ms, 4 * sync_ms + 3);
    }
    if (of.dirty == 100 && of.slot_bytes == 64) {
      gates.exact(of, "bytes written per changed byte", cost.bytes_per_dirty_byte, 9);
      gates.exact(of, "KiB written per checkpoint", cost.kilobytes, 60);
    }
    if (of.dirty * 2 >= of.keys) gates.exact(of, "bytes written per changed byte", cost.bytes_per_dirty_byte, 2.2);
    gates.time(of, "open and load, ms for 10 MB", loads[index], 100);
  }
  return gates.met() ? 0 : 1;
}
