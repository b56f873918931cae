// MemoryStore: a CheckpointStore that keeps blobs the way model/snapshot.h says, in maps, and can be told to fail. For tests of
// what stands above the seam; the product's store has its own tests. StepExecutor runs its jobs when the test says so.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "agent/runtime/storage_executor.h"

namespace weir {

class MemoryStore final : public CheckpointStore {
 public:
  Status fail_with;       // what the next commits return instead
  Status fail_load_with;  // what the next loads return instead
  uint64_t commits = 0;
  uint64_t last_id = 0;
  uint64_t reserved_id = 0;
  std::vector<uint64_t> ids;
  std::vector<CheckpointReason> reasons;
  std::vector<std::string> dead_letter_reasons;
  std::string manifest;
  using Key = std::tuple<uint32_t, uint64_t, uint32_t>;  // op, checkpoint (0 for kinds that replace), index
  struct Row {
    uint64_t checkpoint_id;
    std::string bytes;
  };
  std::map<BlobKind, std::map<Key, Row>> rows;
  std::map<std::string, uint32_t> operators;
  std::map<uint64_t, std::string> layouts;
  std::map<uint32_t, KeptPart> kept;

  uint64_t instance() const override { return 1; }
  Result<PipelineRow> open_pipeline(std::string_view, PipelineLimits) override;
  Result<uint32_t> operator_number(uint32_t pipeline, std::string_view uid) override;
  Status reserve_ids(uint32_t pipeline, uint64_t id) override;
  Status commit(const CheckpointWrite& write) override;
  Status after_commit() override { return {}; }
  Status load(uint32_t pipeline, RestoreHandler& handler) override;
  Status put_layout(uint64_t hash, std::string_view text) override;
  Result<std::string> layout(uint64_t hash) override;
  Status each_kept(uint32_t pipeline, FunctionRef<Status(const KeptPart&)> visit) override;
  Status keep_part(const KeptPart& part) override;
  Status forget_kept(uint32_t op, bool with_state) override;
  Status load_kept(const KeptPart& part, RestoreHandler& handler) override;
  Result<StoredOutbox> next_outbox(uint32_t op, uint64_t after_checkpoint, std::span<uint8_t> to) override;
  Status list_dead_letters(uint32_t, int64_t, size_t, FunctionRef<void(const StoredDeadLetter&)>) override { return {}; }
  Result<DeadLetterCounts> count_dead_letters(uint32_t) override { return DeadLetterCounts{}; }
};

/// Holds jobs until the test lets the storage side run.
class StepExecutor final : public StorageExecutor {
 public:
  explicit StepExecutor(CheckpointStore& store) : store_(store) {}
  void submit(StorageJob& job) override { jobs_.push_back(&job); }
  bool busy() const { return !jobs_.empty(); }
  /// Runs and announces everything that was submitted, and what that submits.
  void run(Now now) {
    while (!jobs_.empty()) {
      StorageJob* job = jobs_.front();
      jobs_.pop_front();
      job->run(store_);
      job->done(now);
    }
  }
  /// Runs what was submitted without telling anybody: the process dies before the word of it.
  void run_untold() {
    for (StorageJob* job : jobs_) job->run(store_);
    jobs_.clear();
  }

 private:
  CheckpointStore& store_;
  std::deque<StorageJob*> jobs_;
};

/// Manifests as their bytes: all a test above the seam needs.
class PlainManifestCodec final : public ManifestCodec {
 public:
  Status encode(const Manifest& manifest, ByteWriter& out) override;
  Status decode(Bytes bytes, Manifest& manifest) override;
};

}  // namespace weir
