// DeadLetterRequests: what the control socket is asked to do with stored dead letters besides showing them: count, purge, or
// replay those of a selection. A question is answered in portions, so that nothing else waits for long: the answer says where
// to go on. Owned by the agent; reactor thread, and the storage thread in run(). Its memory is taken from the arena when it is
// made.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "agent/app/pipeline_host.h"
#include "agent/base/arena.h"
#include "agent/base/text_writer.h"
#include "agent/status/control_server.h"
#include "storage/checkpoint_store.h"

namespace weir {

enum class DeadLetterAction : uint8_t { Count, Purge, Replay };

/// The words of a question: "count|purge|replay AFTER UP_TO PIPELINE REASON ID BEFORE_MS", with "-" for any pipeline or reason,
/// and 0 for any id. The views are of `words`.
bool parse_dead_letter_question(std::string_view words, DeadLetterAction& action, DeadLetterSelection& selection);

class DeadLetterRequests final : private StorageJob {
 public:
  /// `payload_max`: of the letters that can be replayed.
  DeadLetterRequests(const std::vector<std::unique_ptr<PipelineHost>>& hosts, ControlServer& control, Arena& arena,
                     size_t payload_max);

  /// False, with an error in `out`, if that is no question; otherwise the control server is told when it is answered:
  /// "count N NEWEST_ID", "purge N more|done", "replay TAKEN AGAIN SKIPPED AFTER more|done", or lines that begin with "error:
  /// ".
  bool begin(std::string_view words, TextWriter& out, SqliteCheckpointStore& store, StorageExecutor& executor, Now now);
  /// A letter may wait for its pipeline.
  void on_turn(Now now);
  bool busy() const { return busy_; }
  /// Takes no further letter.
  void stop() { stopping_ = true; }

 private:
  void run(CheckpointStore& store) override;
  void done(Now now) override;
  void purge();
  void read_next();
  void keep(const StoredDeadLetter& stored);
  Pipeline* pipeline_of_letter() const;
  void deliver(Now now);
  void next(Now now);
  void finish_replay(bool more, Now now);
  void answer(Now now);

  const std::vector<std::unique_ptr<PipelineHost>>& hosts_;
  ControlServer& control_;
  SqliteCheckpointStore* store_ = nullptr;
  StorageExecutor* executor_ = nullptr;
  TextWriter* out_ = nullptr;
  bool busy_ = false;
  bool stopping_ = false;
  bool waits_ = false;  // the letter in hand, for its pipeline
  DeadLetterAction action_ = DeadLetterAction::Count;
  std::array<char, 256> words_{};  // what the selection's views are of
  DeadLetterSelection selection_;
  Status status_;
  SelectedLetters selected_;
  // The letter in hand.
  std::span<uint8_t> bytes_;
  size_t payload_max_;
  std::array<char, 64> name_{};
  StoredDeadLetter letter_;
  bool found_ = false;
  bool too_large_ = false;
  // Of this answer.
  uint32_t taken_ = 0;
  uint32_t again_ = 0;
  uint32_t skipped_ = 0;
};

}  // namespace weir
