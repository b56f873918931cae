// StoreHistory: the life of one state directory on a SimDisk. Processes come and go, each of them opens the store, loads what
// is there, goes on from it with keyed state, results and a tail of deliveries, and makes checkpoints until the power or the
// process goes. A model says what each checkpoint must bring back; the first thing that disagrees is the history's problem.
// Everything follows from the seed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "firmware-tests/support/sim_disk.h"
#include "firmware-tests/support/temporary_directory.h"
#include "storage/checkpoint_store.h"

namespace weir {

/// What a checkpoint holds, as its parts see it.
struct StoredImage {
  std::map<uint32_t, std::string> slots;
  std::map<uint64_t, std::string> outbox;  // by checkpoint
  std::map<uint64_t, std::string> tail;
  bool operator==(const StoredImage&) const = default;
};

/// What is known of the store from what it has promised.
struct StoreModel {
  std::map<uint64_t, StoredImage> images;
  uint64_t announced = 0;  // the newest checkpoint whose commit has returned, or that was loaded
  uint64_t attempted = 0;  // the newest one that may be on the disk
  uint64_t used = 0;       // the largest id that was ever given to a checkpoint
  std::string problem;     // the first one

  void note_problem(const std::string& text) {
    if (problem.empty()) problem = text;
  }
};

/// A process that uses the store, from its start to its end.
class StoreProcess {
 public:
  StoreProcess(StoreModel& model, const StoreOptions& options, uint64_t seed, uint32_t retained);
  ~StoreProcess();

  /// Opens and loads, and holds what came back against the model.
  Status start();
  /// Some changes, and a checkpoint of them: made, or given up after its snapshot.
  Status run_once();
  Status housekeeping() { return store_->after_commit(); }
  Status space_reserved() const { return store_->space_reserved(); }
  uint64_t commits() const { return commits_; }

 private:
  struct Parts;

  Status load();
  void compare(uint64_t id);
  Status read_outbox();
  Status next_id(uint64_t& id);
  void change();
  void take_snapshot(uint64_t id);
  Status commit(uint64_t id);

  StoreModel& model_;
  StoreOptions options_;
  Random random_;
  uint32_t retained_;
  std::unique_ptr<SqliteCheckpointStore> store_;
  std::unique_ptr<Parts> parts_;
  PipelineRow row_;
  StoredImage image_;
  uint64_t next_id_ = 0;
  uint64_t reserved_ = 0;
  uint64_t commits_ = 0;
};

/// The life of one process, until it has made so many checkpoints or something fails.
Status live(StoreProcess& process, const StoreModel& model, uint64_t commits_max);

struct HistorySettings {
  CommitDurability durability = CommitDurability::PowerLoss;
  SectorRules sectors;
  HonestSyncs honest_syncs = HonestSyncs::All;
  bool claims_powersafe_overwrite = false;
};

/// The disks that a gateway may have, in turn.
HistorySettings disk_of_a_gateway(uint64_t seed);
/// Makes the disk one with these rules.
void obey(const HistorySettings& settings, SimDisk& disk);
/// Of the environment: WEIR_SEED, WEIR_LONG; `otherwise` where it is not set.
uint64_t environment_number(const char* name, uint64_t otherwise);

struct HistoryResult {
  std::string problem;  // empty: none
  uint64_t recoveries = 0;
  uint64_t checkpoints = 0;
};

/// Between one and four cuts of the power at random operations, openings and recoveries among them, now and then a killed
/// process, and one more start at the end.
HistoryResult run_history(uint64_t seed, const HistorySettings& settings);

/// A small store, so that its log starts anew often.
StoreOptions small_store(const std::string& state_dir);

}  // namespace weir
