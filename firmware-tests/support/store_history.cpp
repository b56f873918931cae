#include "firmware-tests/support/store_history.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "agent/operators/keyed_state.h"

namespace weir {
namespace {

constexpr uint32_t slots_max = 24;
constexpr uint32_t slot_bytes_max = 8000;  // four to a chunk
constexpr size_t blob_bytes_max = 6000;

std::string random_text(Random& random, size_t bytes_max) {
  std::string text(static_cast<size_t>(1 + random.below(bytes_max)), '\0');
  for (char& character : text) character = static_cast<char>(random.next());
  return text;
}

std::string manifest_of(uint64_t id) { return "manifest of " + std::to_string(id); }

}  // namespace

StoreOptions small_store(const std::string& state_dir) {
  StoreOptions options;
  options.state_dir = state_dir;
  options.wal_frames_max = 32;
  options.transaction_bytes_max = 64 << 10;
  options.database_bytes = 64 << 10;
  return options;
}

/// The parts of the pipeline, and the memory of their snapshot.
struct StoreProcess::Parts final : RestoreHandler {
  Parts()
      : arena(8 << 20),
        keyed(slots_max, slot_bytes_max, arena, "keyed", ""),
        memory(keyed.snapshot_bounds().bytes + 4 * blob_bytes_max),
        blobs(keyed.snapshot_bounds().blobs + 8),
        trims(keyed.snapshot_bounds().trims + 8),
        snapshot(memory, blobs, trims) {}

  void on_damaged(const DamagedCheckpoint& checkpoint) override {
    damaged = std::to_string(checkpoint.id) + ": " + checkpoint.damage.text();
  }
  Status on_manifest(Bytes bytes) override {
    manifest = as_text(bytes);
    return {};
  }
  Status on_blob(uint32_t op, const StoredBlob& blob) override {
    if (blob.kind == BlobKind::Operator) return {};
    if (blob.kind == BlobKind::SessionTail) {
      tail[blob.checkpoint_id] = as_text(blob.bytes);
      return {};
    }
    return op == keyed_op ? keyed.restore(blob) : Status(Code::Corrupt, "a blob of another part");
  }
  Status on_outbox(uint32_t, uint64_t checkpoint_id, size_t bytes) override {
    outbox[checkpoint_id] = std::string(bytes, '\0');
    return {};
  }

  Arena arena;
  KeyedState keyed;
  std::vector<uint8_t> memory;
  std::vector<Blob> blobs;
  std::vector<Trim> trims;
  Snapshot snapshot;
  uint32_t keyed_op = 0;
  uint32_t sink_op = 0;
  uint32_t source_op = 0;
  std::string damaged;
  std::string manifest;
  std::map<uint64_t, std::string> outbox;
  std::map<uint64_t, std::string> tail;
};

StoreProcess::StoreProcess(StoreModel& model, const StoreOptions& options, uint64_t seed, uint32_t retained)
    : model_(model),
      options_(options),
      random_(seed),
      retained_(retained),
      store_(std::make_unique<SqliteCheckpointStore>()),
      parts_(std::make_unique<Parts>()) {}

StoreProcess::~StoreProcess() = default;

Status StoreProcess::start() {
  WEIR_TRY(store_->open(options_));
  Result<PipelineRow> row = store_->open_pipeline("p", {{}, retained_});
  if (!row.ok()) return row.status();
  row_ = row.value();
  reserved_ = row_.reserved_id;
  next_id_ = std::max(reserved_, row_.last_checkpoint_id) + 1;
  for (auto [uid, op] :
       {std::pair("keyed", &parts_->keyed_op), std::pair("sink", &parts_->sink_op), std::pair("source", &parts_->source_op)}) {
    Result<uint32_t> number = store_->operator_number(row_.pipeline, uid);
    if (!number.ok()) return number.status();
    *op = number.value();
  }
  return load();
}

Status StoreProcess::load() {
  Status status = store_->load(row_.pipeline, *parts_);
  const bool none = status.code() == Code::NotFound;
  if (!status.ok() && !none) return status;
  parts_->keyed.restore_finished();
  WEIR_TRY(read_outbox());
  compare(none ? 0 : row_.last_checkpoint_id);
  return {};
}

Status StoreProcess::read_outbox() {
  std::vector<uint8_t> buffer(blob_bytes_max + 1);
  for (auto& [id, bytes] : parts_->outbox) {
    Result<StoredOutbox> stored = store_->next_outbox(parts_->sink_op, id - 1, buffer);
    if (!stored.ok()) return stored.status();
    if (stored.value().checkpoint_id != id || stored.value().bytes != bytes.size()) model_.note_problem("another outbox blob");
    bytes.assign(reinterpret_cast<const char*>(buffer.data()), stored.value().bytes);
  }
  return {};
}

void StoreProcess::compare(uint64_t id) {
  const std::string found =
      "checkpoint " + std::to_string(id) + " of " + std::to_string(model_.announced) + ".." + std::to_string(model_.attempted);
  if (!parts_->damaged.empty()) model_.note_problem("set aside: " + parts_->damaged);
  if (id != model_.announced && id != model_.attempted) return model_.note_problem("went back to " + found);
  if (row_.newest_known_id > id) model_.note_problem("the note knows a newer one than " + found);
  if (next_id_ <= model_.used) model_.note_problem("an id would be used twice after " + found);
  if (id != 0 && parts_->manifest != manifest_of(id)) model_.note_problem("another manifest in " + found);
  for (uint32_t slot = 0; slot < slots_max; ++slot)
    if (parts_->keyed.used(slot)) image_.slots[slot] = as_text(parts_->keyed.read(slot));
  image_.outbox = parts_->outbox;
  image_.tail = parts_->tail;
  const StoredImage& expected = model_.images[id];
  if (image_.slots != expected.slots) model_.note_problem("other keyed state in " + found);
  if (image_.outbox != expected.outbox) model_.note_problem("other results in " + found);
  if (image_.tail != expected.tail) model_.note_problem("another tail in " + found);
  model_.announced = model_.attempted = id;
}

/// As a coordinator does it: an id is used only after it was reserved.
Status StoreProcess::next_id(uint64_t& id) {
  if (next_id_ > reserved_) {
    WEIR_TRY(store_->reserve_ids(row_.pipeline, next_id_ + 7));
    reserved_ = next_id_ + 7;
  }
  id = model_.used = next_id_++;
  return {};
}

void StoreProcess::change() {
  for (uint64_t left = 1 + random_.below(6); left > 0; --left) {
    const auto slot = static_cast<uint32_t>(random_.below(slots_max));
    KeyedState& keyed = parts_->keyed;
    if (keyed.used(slot) && random_.chance(20)) {
      keyed.release(slot);
      image_.slots.erase(slot);
      continue;
    }
    const bool is_used = keyed.used(slot);
    if (!is_used && keyed.full()) continue;
    const uint32_t target = is_used ? slot : keyed.take(static_cast<uint32_t>(1 + random_.below(1500)));
    for (uint8_t& byte : keyed.edit(target)) byte = static_cast<uint8_t>(random_.next());
    image_.slots[target] = as_text(keyed.read(target));
  }
}

void StoreProcess::take_snapshot(uint64_t id) {
  Snapshot& snapshot = parts_->snapshot;
  snapshot.begin(id);
  for (uint32_t op : {parts_->keyed_op, parts_->sink_op, parts_->source_op}) {
    snapshot.open(BlobKind::Operator, op).put(id);
    snapshot.close();
  }
  parts_->keyed.snapshot(snapshot, parts_->keyed_op);
  auto put_and_trim = [&](BlobKind kind, uint32_t op, std::map<uint64_t, std::string>& blobs, unsigned percent, size_t kept) {
    if (random_.chance(percent)) {
      blobs[id] = random_text(random_, blob_bytes_max);
      snapshot.open(kind, op).put_bytes(as_bytes(blobs[id]));
      snapshot.close();
    }
    if (blobs.size() <= kept) return;
    const uint64_t up_to = std::prev(blobs.end(), static_cast<std::ptrdiff_t>(kept + 1))->first;
    snapshot.trim(kind, op, up_to);
    blobs.erase(blobs.begin(), blobs.upper_bound(up_to));
  };
  put_and_trim(BlobKind::Outbox, parts_->sink_op, image_.outbox, 70, static_cast<size_t>(random_.below(4)));
  put_and_trim(BlobKind::SessionTail, parts_->source_op, image_.tail, 60, 3);
}

Status StoreProcess::run_once() {
  uint64_t id = 0;
  WEIR_TRY(next_id(id));
  change();
  const StoredImage before = image_;
  take_snapshot(id);
  Status status = random_.chance(10) ? Status(Code::Busy, "given up") : commit(id);
  parts_->keyed.snapshot_done(id, status.ok());
  if (status.ok()) return {};
  // Results and tail wait for the next checkpoint in the product; here they were made for this one only.
  image_.outbox = before.outbox;
  image_.tail = before.tail;
  return status.code() == Code::Busy ? Status() : status;
}

Status StoreProcess::commit(uint64_t id) {
  const std::string manifest = manifest_of(id);
  CheckpointWrite write;
  write.pipeline = row_.pipeline;
  write.id = id;
  write.reason = CheckpointReason::Interval;
  write.created_wall_ms = 1700000000000;
  write.manifest = as_bytes(manifest);
  write.snapshot = &parts_->snapshot;
  model_.images[id] = image_;
  model_.attempted = id;
  Status status = store_->commit(write);
  if (status.ok()) {
    model_.announced = id;
    ++commits_;
  } else if (status.code() == Code::Full || status.code() == Code::Busy) {
    model_.attempted = model_.announced;
  }
  return status;
}

Status live(StoreProcess& process, const StoreModel& model, uint64_t commits_max) {
  WEIR_TRY(process.start());
  while (model.problem.empty() && process.commits() < commits_max) {
    WEIR_TRY(process.run_once());
    WEIR_TRY(process.housekeeping());
  }
  return {};
}

namespace {

void live_until_cut(StoreProcess& process, SimDisk& disk, StoreModel& model, uint64_t commits_max) {
  const Status status = live(process, model, commits_max);
  if (!status.ok() && !disk.power_is_off()) model.note_problem(std::string("with the power on: ") + status.text());
}

std::string structure_of(const std::string& path) {
  sqlite3* connection = nullptr;
  std::string text;
  int code = sqlite3_open(path.c_str(), &connection);
  auto collect = [](void* to, int, char** values, char**) {
    static_cast<std::string*>(to)->append(values[0]);
    return 0;
  };
  if (code == SQLITE_OK)
    code = sqlite3_exec(connection, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA integrity_check(1)", collect, &text, nullptr);
  if (code != SQLITE_OK) text += sqlite3_errmsg(connection);
  sqlite3_close(connection);
  return text;
}

}  // namespace

HistorySettings disk_of_a_gateway(uint64_t seed) {
  HistorySettings settings;
  settings.sectors.bytes = seed % 2 == 0 ? 512 : 4096;
  settings.sectors.powersafe_overwrite = seed % 3 == 0;
  return settings;
}

void obey(const HistorySettings& settings, SimDisk& disk) {
  disk.sectors = settings.sectors;
  disk.honest_syncs = settings.honest_syncs;
  disk.claims_powersafe_overwrite = settings.claims_powersafe_overwrite;
}

uint64_t environment_number(const char* name, uint64_t otherwise) {
  const char* text = getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : strtoull(text, nullptr, 10);
}

HistoryResult run_history(uint64_t seed, const HistorySettings& settings) {
  Random random(seed);
  TemporaryDirectory directory;
  SimDisk disk(random.next());
  obey(settings, disk);
  StoreOptions options = small_store(directory.file("state"));
  options.durability = settings.durability;
  const auto retained = static_cast<uint32_t>(1 + random.below(3));
  StoreModel model;
  HistoryResult result;
  for (uint64_t cuts = 1 + random.below(4); cuts > 0 && model.problem.empty(); --cuts) {
    const bool killed = random.chance(15);
    if (!killed) disk.cut_power_at(1 + random.below(random.chance(30) ? 150 : 1500));
    {
      StoreProcess process(model, options, random.next(), retained);
      live_until_cut(process, disk, model, killed ? random.below(12) : 40);
      result.checkpoints += process.commits();
    }
    if (killed) continue;
    // The note of the newest checkpoint is never synced: a power cut may leave none of it.
    if (random.chance(30)) unlink((options.state_dir + "/weir.newest").c_str());
    disk.power_on();
    ++result.recoveries;
  }
  if (model.problem.empty()) {
    StoreProcess process(model, options, random.next(), retained);
    live_until_cut(process, disk, model, 2);
  }
  if (model.problem.empty())
    if (const std::string text = structure_of(options.state_dir + "/weir.db"); text != "exclusiveok") model.note_problem(text);
  result.problem = model.problem;
  return result;
}

}  // namespace weir
