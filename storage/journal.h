// RingJournal: a Journal over a JournalRing. Records gather in one buffer; commit() hands it to the thread that may wait for
// the disk, which writes it and syncs once; nothing may be appended until that is done, so that whoever waits for a group to
// become durable knows that it is all there is. The same buffer takes batches that are read back at a start, before anything is
// appended.
//
// Owned by the source. Memory: the buffer, from the arena. Allocates while it is opened, not after.
#pragma once

#include <functional>
#include <string>

#include "agent/base/arena.h"
#include "storage/journal_ring.h"
#include "storage/newest_file.h"

namespace weir {

struct JournalOptions {
  std::string name;  // the pipeline's
  std::string state_dir;
  uint64_t ring_bytes = 0;  // a multiple of 4096
  size_t record_bytes_max = 0;
};

/// The journal of a pipeline: `weir.journal.NAME` in the state directory.
std::string journal_path(const std::string& state_dir, const std::string& pipeline);

/// Bytes of the buffer that a journal needs; a ring must hold journal_batches_min of them.
size_t journal_buffer_bytes(uint64_t ring_bytes, size_t record_bytes_max);
constexpr uint64_t journal_batches_min = 8;

class RingJournal final : public Journal, private BackgroundJob {
 public:
  /// Opens the file, or replaces the one that is there.
  using OpenFile = std::function<Result<std::unique_ptr<BlockFile>>(uint64_t bytes, bool replace)>;

  /// `executor` may be nullptr where nothing will run.
  RingJournal(const JournalOptions& spec, BackgroundExecutor* executor, Arena& arena);
  /// With a file of the caller's, and nothing that remembers the newest group outside of it.
  RingJournal(const JournalOptions& spec, OpenFile open_file, BackgroundExecutor* executor, Arena& arena);

  Result<JournalRecovery> open(const JournalPosition* from, bool nothing_follows) override;
  void connect(JournalUser& user) override { user_ = &user; }
  void read_batch() override;
  bool next(JournalRecord& record) override;
  bool has_room() const override;
  void append(const JournalRecord& record) override;
  uint64_t pending() const override { return pending_; }
  bool busy() const override { return work_ != Work::None; }
  void commit() override;
  JournalPosition position() const override { return position_; }
  void release(const JournalPosition& oldest_needed) override;
  void note_checkpoint(uint64_t checkpoint_id) override { newest_checkpoint_ = checkpoint_id; }
  uint64_t bytes_since(const JournalPosition& position) const override;
  JournalStatus status() const override { return status_; }

 private:
  enum class Work : uint8_t { None, Commit, Read };

  void work() override;
  void done(Now now) override;
  Status write_group();
  void note_durable();
  uint64_t lost_since_noted() const;
  void refresh_status();

  JournalOptions spec_;
  OpenFile open_file_;
  BackgroundExecutor* executor_;
  JournalUser* user_ = nullptr;
  std::unique_ptr<BlockFile> file_;
  JournalRing ring_;
  NewestFile newest_;
  std::string noted_name_;
  bool noted_ = false;  // whether there is a place outside of the ring for the newest group
  std::span<uint8_t> buffer_;
  ByteWriter records_;
  JournalHeader header_;  // of the group that gathers, or the batch in hand
  JournalPosition position_;
  JournalPosition behind_;  // the batch in hand
  ByteReader reader_;
  uint32_t left_ = 0;  // records of the batch in hand
  uint64_t next_offset_ = 0;
  uint64_t pending_ = 0;
  uint64_t newest_checkpoint_ = 0;
  Work work_ = Work::None;
  Status result_;
  JournalStatus status_;
};

}  // namespace weir
