#include "agent/runtime/state_loss.h"

#include <memory>

namespace weir {

void StateLoss::note_known(const PipelineRow& row) {
  reserved_id_ = row.reserved_id;
  newest_id_ = row.newest_known_id;
  newest_offset_ = row.newest_known_offset;
  offset_known_ = newest_id_ != 0;
}

void StateLoss::note_damaged(const DamagedCheckpoint& checkpoint, ManifestCodec& codec) {
  if (damage_.ok()) damage_ = checkpoint.damage;
  if (copy_.empty()) copy_ = checkpoint.copy;
  // A damaged key can name any id; one that was used is not above the reservation.
  if (checkpoint.id <= newest_id_ || checkpoint.id > reserved_id_) return;
  newest_id_ = checkpoint.id;
  auto manifest = std::make_unique<Manifest>();
  offset_known_ = !checkpoint.manifest.empty() && codec.decode(checkpoint.manifest, *manifest).ok();
  newest_offset_ = manifest->source_offset;
}

void StateLoss::note_journal(uint64_t newest_checkpoint_id, uint64_t replayed_to_offset) {
  replayed_to_offset_ = replayed_to_offset;
  if (newest_checkpoint_id <= newest_id_) return;
  newest_id_ = newest_checkpoint_id;
  // The message with which it was noted came after it.
  newest_offset_ = replayed_to_offset;
  offset_known_ = replayed_to_offset != 0;
}

void StateLoss::note_restored(uint64_t checkpoint_id, uint64_t source_offset) {
  restored_id_ = checkpoint_id;
  restored_offset_ = source_offset;
}

std::string StateLoss::damage() const {
  return damage_.ok() ? "" : "checkpoint " + std::to_string(newest_id_) + " is damaged: " + damage_.text();
}

LostState StateLoss::status() const {
  if (!any()) return {};
  LostState lost;
  lost.newest_id = newest_id_;
  if (replayed())
    lost.messages = 0;
  else if (offset_known_ && newest_offset_ >= restored_offset_)
    lost.messages = static_cast<int64_t>(newest_offset_ - restored_offset_);
  lost.damage = damage_.ok() ? "" : damage_.text();
  lost.copy = copy_;
  return lost;
}

std::string StateLoss::what() const {
  const std::string newest = std::to_string(newest_id_);
  std::string text = damage_.ok() ? "the state store went back " + std::to_string(newest_id_ - restored_id_) +
                                        " checkpoints (from " + newest + " to " + std::to_string(restored_id_) +
                                        "): it is older than the last one that this gateway has written"
                                  : damage();
  text += restored_id_ == 0 ? ". The pipeline begins empty" : ". Going on from checkpoint " + std::to_string(restored_id_);
  if (!copy_.empty()) text += "; the database as it was found is kept as " + copy_;
  return text + ".";
}

std::string StateLoss::between() const {
  const int64_t messages = replayed() ? static_cast<int64_t>(newest_offset_ - restored_offset_) : status().messages;
  if (messages == 0) return "No messages";
  if (messages < 0) return "The messages between the two";
  return "The " + std::to_string(messages) + " messages between the two (offsets " + std::to_string(restored_offset_ + 1) +
         " to " + std::to_string(newest_offset_) + ")";
}

std::string StateLoss::text() const {
  const std::string fate = replayed() ? " are replayed from the journal"
                                      : " are missing from the state although they were acknowledged to the broker";
  return what() + " " + between() + fate +
         "; results that were published since then may be published again, with the same ids.";
}

}  // namespace weir
