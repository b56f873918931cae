#include "connectors/mqtt/journaling.h"

#include <algorithm>

#include "agent/base/log.h"

namespace weir {
namespace {

constexpr int64_t full_retry_ms = 1000;
constexpr int checkpoint_turns = 2;
constexpr uint8_t flag_nothing_follows = 1;

}  // namespace

Journaling::Journaling(std::unique_ptr<Journal> journal, JournalingPolicy policy, JournalingOwner& owner)
    : journal_(std::move(journal)), policy_(std::move(policy)), owner_(owner) {
  WEIR_ASSERT(policy_.checkpoints_retained > 0 && policy_.checkpoints_retained <= checkpoints_retained_max);
  journal_->connect(*this);
}

// ---- checkpoints

/// { uint8 flags, uint8 count, place ... } oldest first; the last one is the checkpoint's own.
void Journaling::encode(ByteWriter& out, bool nothing_follows) {
  WEIR_ASSERT(pending() == 0);
  checkpoint_waits_ = 0;
  staged_ = journal_->position();
  staged_anchors_ = !replaying_;
  const size_t kept = std::min<size_t>(place_count_, policy_.checkpoints_retained - 1);
  out.put(nothing_follows && !replaying_ ? flag_nothing_follows : uint8_t{0});
  out.put(static_cast<uint8_t>(kept + 1));
  for (size_t index = place_count_ - kept; index < place_count_; ++index) places_[index].encode(out);
  staged_.encode(out);
}

void Journaling::snapshot_done(uint64_t checkpoint_id, bool committed) {
  if (!committed) return;
  note_place(staged_);
  journal_->release(places_[0]);
  journal_->note_checkpoint(checkpoint_id);
  wanted_ = false;
  anchored_ = anchored_ || staged_anchors_;
}

void Journaling::note_place(const JournalPosition& place) {
  while (place_count_ >= policy_.checkpoints_retained) {
    std::copy(places_.begin() + 1, places_.begin() + static_cast<std::ptrdiff_t>(place_count_), places_.begin());
    --place_count_;
  }
  places_[place_count_++] = place;
}

bool Journaling::decode(ByteReader& in) {
  place_count_ = 0;
  const auto flags = in.get<uint8_t>();
  const auto count = in.get<uint8_t>();
  if (count == 0 || count > checkpoints_retained_max) return false;
  nothing_follows_ = (flags & flag_nothing_follows) != 0;
  for (size_t index = 0; index < count; ++index) note_place(JournalPosition::decode(in));
  return in.ok();
}

bool Journaling::decode_follows(ByteReader& in, bool& follows) {
  const auto flags = in.get<uint8_t>();
  const auto count = in.get<uint8_t>();
  for (size_t index = 0; index < count; ++index) (void)JournalPosition::decode(in);
  follows = (flags & flag_nothing_follows) == 0;
  return in.ok();
}

// ---- a start

Status Journaling::open() {
  const bool known = place_count_ > 0;
  Result<JournalRecovery> opened = journal_->open(known ? &places_[place_count_ - 1] : nullptr, nothing_follows_);
  if (!opened.ok()) return opened.status();
  const JournalRecovery& recovery = opened.value();
  // A checkpoint that says that nothing follows must not be the newest one any more when something does.
  anchored_ = known && recovery.lost_batches == 0 && !nothing_follows_;
  replaying_ = true;
  if (known) journal_->release(places_[0]);
  if (recovery.lost_batches > 0)
    log(LogLevel::Error,
        "%s: ALARM: %llu groups of messages that were acknowledged cannot be read back from the journal, which is damaged or "
        "was replaced; they are missing from the state. What can still be read: weir replay --journal",
        policy_.name.c_str(), static_cast<unsigned long long>(recovery.lost_batches));
  if (!known && journal_->status().oldest_arrival_ms > 0)
    log(LogLevel::Notice,
        "%s: the journal holds earlier input that no checkpoint refers to; it is not replayed. weir replay --journal reads it",
        policy_.name.c_str());
  if (recovery.messages > 0)
    log(LogLevel::Notice, "%s: %llu messages are replayed from the journal before new ones are taken", policy_.name.c_str(),
        static_cast<unsigned long long>(recovery.messages));
  return {};
}

void Journaling::start(Now now) { replay(now); }

/// A batch at a time: reading the next one waits for the disk on another thread, and other pipelines have their turn.
void Journaling::replay(Now now) {
  if (in_replay_) return;
  in_replay_ = true;
  JournalRecord record;
  bool taken = true;
  while (replaying_ && taken && !journal_->busy() && owner_.may_replay()) {
    taken = journal_->next(record);
    if (taken)
      owner_.on_replay(record, now);
    else
      journal_->read_batch();
  }
  in_replay_ = false;
}

void Journaling::on_batch(Status status, Now now) {
  if (status.ok()) return replay(now);
  if (status.code() != Code::NotFound) return owner_.on_journal_failed(status, now);
  replaying_ = false;
  if (this->status().replayed > 0) log(LogLevel::Notice, "%s: the journal was replayed", policy_.name.c_str());
  if (!anchored_) owner_.on_checkpoint_wanted(CheckpointReason::Session, now);
  owner_.on_replayed(now);
}

// ---- groups

void Journaling::append(const JournalRecord& record, Now now) {
  if (journal_->pending() == 0) waiting_boot_ms_ = now.boot_ms;
  journal_->append(record);
  commit_if_due(now);
}

void Journaling::commit_if_due(Now now) {
  if (journal_->busy() || journal_->pending() == 0 || now.boot_ms < retry_boot_ms_) return;
  const bool due = checkpoint_waits_ > 0 || now.boot_ms - waiting_boot_ms_ >= policy_.linger_ms ||
                   journal_->pending() >= policy_.messages_max || !journal_->has_room();
  if (due) journal_->commit();
}

void Journaling::on_durable(Status status, Now now) {
  if (status.code() == Code::Full) {
    if (retry_boot_ms_ == 0)
      log(LogLevel::Error, "%s: the journal cannot be written, the disk is full; nothing is acknowledged until it can",
          policy_.name.c_str());
    retry_boot_ms_ = now.boot_ms + full_retry_ms;
    return;
  }
  if (!status.ok()) return owner_.on_journal_failed(status, now);
  retry_boot_ms_ = 0;
  want_checkpoint_if_filling(now);
  tell_reach(now);
  owner_.on_journal_durable(now);
}

/// Half of the ring is for the retained checkpoints, the other half for what comes while one that was asked for is under way.
void Journaling::want_checkpoint_if_filling(Now now) {
  const uint64_t share = journal_->status().bytes / (2 * uint64_t{policy_.checkpoints_retained});
  if (wanted_ || place_count_ == 0 || journal_->bytes_since(places_[place_count_ - 1]) < share) return;
  wanted_ = true;
  owner_.on_checkpoint_wanted(CheckpointReason::JournalFull, now);
}

/// Each checkpoint releases the oldest of the retained ones, also one at the same place; otherwise nothing would come any more
/// that could ask for one.
void Journaling::want_checkpoint_if_blocked(Now now) {
  const bool idle = anchored_ && !replaying_ && !journal_->busy() && journal_->pending() == 0;
  if (wanted_ || !idle || journal_->has_room()) return;
  wanted_ = true;
  owner_.on_checkpoint_wanted(CheckpointReason::JournalFull, now);
}

void Journaling::tell_reach(Now now) {
  const JournalStatus status = journal_->status();
  const bool full_lap = status.written_bytes > status.bytes;
  if (reach_told_ || policy_.keep_ms == 0 || !full_lap || now.wall_ms - status.oldest_arrival_ms >= policy_.keep_ms) return;
  reach_told_ = true;
  log(LogLevel::Warning,
      "%s: the journal reaches back %lld s only, of %lld that journal.keep asks for; journal.size is too small",
      policy_.name.c_str(), static_cast<long long>((now.wall_ms - status.oldest_arrival_ms) / 1000),
      static_cast<long long>(policy_.keep_ms / 1000));
}

// ---- turns

bool Journaling::prepare_checkpoint(Now now) {
  if (replaying_ || (journal_->pending() == 0 && !journal_->busy())) return true;
  checkpoint_waits_ = checkpoint_turns;
  commit_if_due(now);
  return false;
}

void Journaling::on_turn(Now now) {
  // Whoever wanted a checkpoint may have changed its mind.
  if (checkpoint_waits_ > 0 && !journal_->busy() && journal_->pending() == 0 && --checkpoint_waits_ == 0)
    owner_.on_journal_durable(now);
  commit_if_due(now);
  want_checkpoint_if_blocked(now);
}

int64_t Journaling::next_deadline_boot_ms() const {
  if (journal_->pending() == 0 || journal_->busy()) return INT64_MAX;
  return std::max(waiting_boot_ms_ + policy_.linger_ms, retry_boot_ms_);
}

}  // namespace weir
