// StateLoss: what a start could not bring back, because the newest checkpoint is damaged or the store went back to an older
// one; and the sentence that tells a person so, once, in the log. Filled by recovery; the status shows it as long as the
// process runs.
#pragma once

#include <string>

#include "agent/model/checkpoint_store.h"
#include "agent/model/pipeline_status.h"

namespace weir {

class StateLoss {
 public:
  /// What the store knew before the load, and what the load passed over. An offset is only believed where it is known.
  void note_known(const PipelineRow& row);
  void note_damaged(const DamagedCheckpoint& checkpoint, ManifestCodec& codec);
  /// What the source has found in its journal: a checkpoint that had completed when a message was recorded, and the newest
  /// message that will be handed over again (0: none).
  void note_journal(uint64_t newest_checkpoint_id, uint64_t replayed_to_offset);
  /// What it found in the end; 0 if nothing.
  void note_restored(uint64_t checkpoint_id, uint64_t source_offset);

  /// What is wrong with the newest checkpoint; empty if nothing is.
  std::string damage() const;
  bool any() const { return newest_id_ > restored_id_; }
  /// For the status; the views last as long as this.
  LostState status() const;
  /// In whole sentences.
  std::string text() const;

 private:
  std::string what() const;
  std::string between() const;
  /// The source has the messages in between and hands them over again.
  bool replayed() const { return offset_known_ && replayed_to_offset_ >= newest_offset_ && newest_offset_ > restored_offset_; }

  uint64_t newest_id_ = 0;
  uint64_t newest_offset_ = 0;
  bool offset_known_ = false;
  uint64_t reserved_id_ = 0;
  Status damage_;
  std::string copy_;
  uint64_t restored_id_ = 0;
  uint64_t restored_offset_ = 0;
  uint64_t replayed_to_offset_ = 0;
};

}  // namespace weir
