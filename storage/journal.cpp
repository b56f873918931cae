#include "storage/journal.h"

#include <unistd.h>

#include <algorithm>

#include "agent/base/log.h"
#include "storage/files.h"

namespace weir {
namespace {

constexpr size_t buffer_bytes_usual = 256 << 10;

Result<std::unique_ptr<BlockFile>> open_ring(const JournalOptions& spec, uint64_t bytes, bool replace) {
  if (Status made = make_directory(spec.state_dir); !made.ok()) return made;
  const std::string path = journal_path(spec.state_dir, spec.name);
  if (replace) unlink(path.c_str());
  return open_block_file(path, BlockFileMode::ReadWrite, bytes);
}

}  // namespace

std::string journal_path(const std::string& state_dir, const std::string& pipeline) {
  return state_dir + "/weir.journal." + pipeline;
}

size_t journal_buffer_bytes(uint64_t ring_bytes, size_t record_bytes_max) {
  const uint64_t share = ring_bytes / journal_batches_min / journal_block_bytes * journal_block_bytes;
  return std::max(static_cast<size_t>(std::min<uint64_t>(buffer_bytes_usual, share)), journal_batch_bytes(record_bytes_max));
}

RingJournal::RingJournal(const JournalOptions& spec, BackgroundExecutor* executor, Arena& arena)
    : RingJournal(
          spec, [spec](uint64_t bytes, bool replace) { return open_ring(spec, bytes, replace); }, executor, arena) {
  noted_ = true;
  noted_name_ = "journal " + spec.name;
}

RingJournal::RingJournal(const JournalOptions& spec, OpenFile open_file, BackgroundExecutor* executor, Arena& arena)
    : spec_(spec), open_file_(std::move(open_file)), executor_(executor) {
  buffer_ = arena.take<uint8_t>(journal_buffer_bytes(spec.ring_bytes, spec.record_bytes_max), spec.name + ".source.journal",
                                "messages that gather until a group is written; a batch that is read back");
  records_ = ByteWriter(buffer_.subspan(journal_header_bytes));
}

// ---- a start

Result<JournalRecovery> RingJournal::open(const JournalPosition* from, bool nothing_follows) {
  WEIR_ASSERT(file_ == nullptr);
  const bool resized = from != nullptr && from->ring_bytes != spec_.ring_bytes;
  const bool replace = resized && nothing_follows;
  if (resized)
    log(LogLevel::Notice, "%s: the journal has %llu bytes; %s", spec_.name.c_str(),
        static_cast<unsigned long long>(from->ring_bytes),
        replace ? "it is made anew in the configured size" : "the configured size takes effect after a clean stop");
  const uint64_t bytes = from == nullptr || replace ? spec_.ring_bytes : from->ring_bytes;
  if (bytes == 0 || bytes % journal_block_bytes != 0)
    return Status(Code::Corrupt, "the checkpoint names a journal of an impossible size");
  Result<std::unique_ptr<BlockFile>> file = open_file_(bytes, replace);
  if (!file.ok()) return file.status();
  file_ = std::move(file.value());
  ring_ = JournalRing(*file_, bytes);
  JournalPosition begin = replace ? JournalPosition{0, from->sequence, from->chain, from->epoch, bytes} : JournalPosition{};
  Result<JournalRecovery> recovery = ring_.recover(replace ? &begin : from, buffer_);
  if (!recovery.ok()) return recovery;
  // A witness only: without it, a damaged last group is taken for one that was never durable.
  noted_ = noted_ && newest_.open(spec_.state_dir, "weir.newest-journal", false).ok();
  const uint64_t lost = lost_since_noted();
  if (from != nullptr && recovery.value().lost_batches == 0) recovery.value().lost_batches = lost;
  ring_.skip_to(ring_.end().sequence + lost);
  note_durable();
  position_ = behind_ = from == nullptr || replace ? ring_.end() : *from;
  status_.used = true;
  status_.bytes = bytes;
  status_.replay_messages = recovery.value().messages;
  status_.lost_batches = recovery.value().lost_batches;
  status_.replay_end_offset = recovery.value().end_offset;
  status_.newest_checkpoint = recovery.value().newest_checkpoint;
  refresh_status();
  return recovery;
}

uint64_t RingJournal::lost_since_noted() const {
  const uint64_t newest = noted_ ? newest_.find(noted_name_).checkpoint_id : 0;
  return newest >= ring_.end().sequence ? newest - ring_.end().sequence + 1 : 0;
}

void RingJournal::note_durable() {
  if (noted_) newest_.note(noted_name_, {ring_.end().sequence - 1, 0});
}

// ---- reading back

void RingJournal::read_batch() {
  WEIR_ASSERT(!busy() && pending_ == 0 && left_ == 0);
  work_ = Work::Read;
  executor_->submit(*this);
}

bool RingJournal::next(JournalRecord& record) {
  if (left_ == 0) {
    position_ = behind_;
    return false;
  }
  --left_;
  const bool sound = get_journal_record(reader_, record);
  WEIR_ASSERT(sound);  // the batch was checked, and counted at the start
  record.offset = next_offset_;
  if (record.kind != JournalKind::SessionLost) {
    ++next_offset_;
    ++status_.replayed;
  }
  return true;
}

// ---- appending

bool RingJournal::has_room() const {
  const size_t bytes = records_.size() + spec_.record_bytes_max;
  return !busy() && journal_batch_bytes(bytes) <= buffer_.size() && ring_.fits(bytes);
}

void RingJournal::append(const JournalRecord& record) {
  WEIR_ASSERT(has_room());
  if (records_.size() == 0) {
    header_ = {};
    header_.first_offset = record.offset;
    header_.first_arrival_ms = record.arrival_ms;
  }
  put_journal_record(record, records_);
  WEIR_ASSERT(!records_.overflowed());
  ++header_.records;
  ++pending_;
}

void RingJournal::commit() {
  WEIR_ASSERT(!busy() && pending_ > 0);
  header_.newest_checkpoint = newest_checkpoint_;
  header_.bytes = static_cast<uint32_t>(records_.size());
  work_ = Work::Commit;
  executor_->submit(*this);
}

Status RingJournal::write_group() {
  WEIR_TRY(ring_.append(header_, buffer_));
  note_durable();
  return {};
}

void RingJournal::release(const JournalPosition& oldest_needed) {
  ring_.set_floor(oldest_needed.ring_bytes == ring_.size() ? oldest_needed.at : position_.at);
  refresh_status();
}

uint64_t RingJournal::bytes_since(const JournalPosition& position) const {
  return position.ring_bytes == ring_.size() && position.at < ring_.end().at ? ring_.end().at - position.at : 0;
}

// ---- the other thread

void RingJournal::work() {
  if (work_ == Work::Commit) {
    result_ = write_group();
    return;
  }
  behind_ = position_;
  Result<JournalHeader> header = ring_.read(behind_, buffer_);
  result_ = header.status();
  if (header.ok()) header_ = header.value();
}

void RingJournal::done(Now now) {
  const Work finished = work_;
  work_ = Work::None;
  if (!result_.ok()) status_.error = result_.code() == Code::NotFound ? "" : result_.text();
  if (finished == Work::Read) {
    // What cannot be reached was told at the start; new groups begin behind it.
    if (result_.code() == Code::NotFound) position_ = ring_.end();
    if (result_.ok()) {
      reader_ = ByteReader(Bytes(buffer_).subspan(journal_header_bytes, header_.bytes));
      left_ = header_.records;
      next_offset_ = header_.first_offset;
    }
    user_->on_batch(result_, now);
    return;
  }
  if (result_.ok()) {
    records_.clear();
    pending_ = 0;
    position_ = ring_.end();
    ++status_.groups;
    status_.written_bytes += header_.padded_bytes();
    status_.error = "";
    refresh_status();
  }
  user_->on_durable(result_, now);
}

void RingJournal::refresh_status() {
  status_.needed_bytes = ring_.end().at - ring_.floor();
  status_.oldest_arrival_ms = ring_.oldest_arrival_ms();
}

}  // namespace weir
