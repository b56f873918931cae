// SavepointPages: answers the control socket's "savepoint": hands a checkpoint over page by page, to a command that writes it
// into a file. The agent needs no memory for the file and no right to write where it shall be, and checkpoints go on
// meanwhile: the one that is handed over is pinned, until it is done or nobody has asked for a while. One at a time. Owned by
// the agent; reactor thread, and the storage thread in run().
#pragma once

#include <memory>
#include <vector>

#include "agent/app/pipeline_host.h"
#include "agent/base/text_writer.h"
#include "agent/status/control_server.h"
#include "storage/checkpoint_store.h"

namespace weir {

/// In front of the rows of a page: "CHECKPOINT CURSOR", filled up with blanks, and a newline. The cursor is what the next
/// question names; "-": that was the last page.
constexpr size_t savepoint_page_header_bytes = 128;

class SavepointPages final : private StorageJob {
 public:
  SavepointPages(const std::vector<std::unique_ptr<PipelineHost>>& hosts, ControlServer& control)
      : hosts_(hosts), control_(control) {}

  /// `words`: "PIPELINE CHECKPOINT CURSOR". The first question names checkpoint 0, the newest, and cursor 0. False, with an
  /// error in `out`, if that cannot be answered; otherwise the control server is told when it is.
  bool begin(std::string_view words, TextWriter& out, SqliteCheckpointStore& store, StorageExecutor& executor, Now now);
  /// Lets go of what nobody asks for any more.
  void on_tick(StorageExecutor& executor, Now now);
  bool busy() const { return busy_; }

 private:
  void run(CheckpointStore& store) override;
  void done(Now now) override;
  Status page();
  void let_go();

  const std::vector<std::unique_ptr<PipelineHost>>& hosts_;
  ControlServer& control_;
  SqliteCheckpointStore* store_ = nullptr;
  TextWriter* out_ = nullptr;  // nullptr: only to let go
  bool busy_ = false;
  uint32_t pipeline_ = 0;
  uint64_t checkpoint_id_ = 0;
  ExportCursor cursor_;
  uint32_t pinned_ = 0;  // pipeline; 0: none
  uint64_t pinned_id_ = 0;
  int64_t pinned_boot_ms_ = 0;
  int64_t asked_boot_ms_ = 0;
};

}  // namespace weir
