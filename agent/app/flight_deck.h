// FlightDeck: the agent's side of the flight recorder: opens it, lets the crash handler write to it, says after a death what
// had happened, and measures how long the recovery takes. Where the file cannot be had the agent runs without it.
// Owned by the agent; reactor thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/pipeline_host.h"
#include "agent/base/text_writer.h"
#include "agent/runtime/black_box.h"
#include "storage/mapped_file.h"

namespace weir {

class FlightDeck {
 public:
  /// Requires the lock of the state directory: the file has one writer. `process_start`: when main() began.
  void open(const std::string& state_dir, Now process_start);
  /// Before the pipelines are restored.
  void begin(const std::vector<std::unique_ptr<PipelineHost>>& hosts);
  /// One that has been built, before it is restored. Nothing happens before open().
  void board(Pipeline& pipeline);
  /// It is not configured any more.
  void leave(std::string_view pipeline);
  /// There are other hosts; a replay that is still going on is not measured to its end.
  void hosts_changed() { replaying_ = false; }
  /// All is restored: what had happened is logged.
  void restored(Now now);
  void on_turn(Now now);
  void stopping(Now now);
  /// The end of this run; what ends the process after this is not noted.
  void close(bool orderly, Now now);

  /// The pipeline that had a message in hand when the process before this one died; empty: none had, or it did not die.
  std::string_view blamed() const;
  /// The last incident as a sentence or as a JSON value; nothing if there was none.
  void tell_last_incident(bool json, TextWriter& out);

  /// nullptr: there is none.
  BlackBox* box() { return box_ ? &*box_ : nullptr; }

 private:
  bool replayed() const;

  MappedFile file_;
  std::optional<BlackBox> box_;
  const std::vector<std::unique_ptr<PipelineHost>>* hosts_ = nullptr;
  std::vector<uint64_t> replay_until_;  // per pipeline, the offset that had been taken in
  bool after_death_ = false;
  bool replaying_ = false;
  int64_t process_start_boot_ms_ = 0;
  int64_t restored_boot_ms_ = 0;
};

}  // namespace weir
