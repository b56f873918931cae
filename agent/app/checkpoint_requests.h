// CheckpointRequests: answers the control socket's "checkpoint": asks pipelines for a checkpoint that covers all they have
// taken in by now, waits for each, and says how it went. One such question at a time. Owned by the agent; reactor thread;
// allocates when it is made only.
#pragma once

#include <memory>
#include <vector>

#include "agent/app/pipeline_host.h"
#include "agent/base/text_writer.h"

namespace weir {

class CheckpointRequests {
 public:
  explicit CheckpointRequests(const std::vector<std::unique_ptr<PipelineHost>>& hosts);

  /// `words`: "text" or "json", and perhaps the name of a pipeline; without it all are asked. False, with an error in `out`, if
  /// there is no such pipeline; otherwise `out` is filled when poll() says so.
  bool begin(std::string_view words, TextWriter& out, Now now);
  bool waiting() const { return out_ != nullptr; }
  /// The newest checkpoints of these pipelines, of each the newest first, with the parts of their time. `words` as for begin().
  void list(std::string_view words, std::string_view incident, TextWriter& out) const;
  /// There are other pipelines now. Not while waiting(); uses the heap.
  void hosts_changed() { waits_.resize(hosts_.size()); }
  /// Whether the answer is there now; then nothing is waited for any more.
  bool poll(Now now);

 private:
  struct Wait {
    bool asked = false;
    uint64_t wanted_id = 0;  // 0: there was none to be asked
    uint64_t failed_before = 0;
  };
  enum class Outcome : uint8_t { Open, Done, Failed };

  Outcome outcome_of(size_t index, Now now) const;
  void say(size_t index, Now now, bool first);

  const std::vector<std::unique_ptr<PipelineHost>>& hosts_;
  std::vector<Wait> waits_;
  TextWriter* out_ = nullptr;
  bool json_ = false;
  int64_t deadline_boot_ms_ = 0;
};

}  // namespace weir
