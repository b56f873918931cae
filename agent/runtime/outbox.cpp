// A row: id (two u64), topic length u16, payload length u32, topic, payload.
#include "agent/runtime/outbox.h"

#include <string>

#include "agent/base/crash_point.h"
#include "agent/base/log.h"

namespace weir {
namespace {

constexpr size_t row_header_bytes = 8 + 8 + 2 + 4;

}  // namespace

Outbox::Outbox(Arena& arena, std::string_view pool, OutboxLimits limits, Publisher& publisher, OutboxOwner& owner)
    : limits_(limits), publisher_(publisher), owner_(owner), read_job_(*this) {
  limits_.row_bytes_max += row_header_bytes;
  std::string reason =
      "results before and after their checkpoint, two halves of " + std::to_string(limits.memory / 2) + " bytes";
  pending_half_ = arena.take<uint8_t>(limits.memory / 2, pool, reason);
  publishing_.half = arena.take<uint8_t>(limits.memory / 2, pool, reason);
  pending_ = ByteWriter(pending_half_);
}

bool Outbox::has_room(size_t rows) const {
  return pending_.room() >= rows * limits_.row_bytes_max &&
         disk_bytes_ + pending_.size() + rows * limits_.row_bytes_max <= limits_.max_bytes;
}

void Outbox::append(const OutboxRow& row) {
  pending_.put(row.id.high);
  pending_.put(row.id.low);
  pending_.put(static_cast<uint16_t>(row.topic.size()));
  pending_.put(static_cast<uint32_t>(row.payload.size()));
  pending_.put_bytes(as_bytes(row.topic));
  pending_.put_bytes(row.payload);
  WEIR_ASSERT(!pending_.overflowed());
  ++pending_rows_;
}

bool Outbox::read_row(Bytes bytes, size_t& offset, OutboxRow& row) {
  ByteReader in(bytes.subspan(offset));
  row.id.high = in.get<uint64_t>();
  row.id.low = in.get<uint64_t>();
  auto topic_length = in.get<uint16_t>();
  auto payload_length = in.get<uint32_t>();
  row.topic = as_text(in.get_bytes(topic_length));
  row.payload = in.get_bytes(payload_length);
  offset = bytes.size() - in.remaining();
  return in.ok();
}

void Outbox::snapshot(Snapshot& snapshot) {
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  out.put(confirmed_checkpoint_);
  snapshot.close();
  if (pending_.size() > 0) snapshot.lend(BlobKind::Outbox, op(), 0, pending_.bytes());
  trimming_checkpoint_ = confirmed_checkpoint_;
  if (trimming_checkpoint_ > trimmed_checkpoint_) snapshot.trim(BlobKind::Outbox, op(), trimming_checkpoint_);
}

void Outbox::snapshot_done(uint64_t checkpoint_id, bool committed) {
  if (!committed) return;
  trimmed_checkpoint_ = trimming_checkpoint_;
  if (pending_.size() == 0) return;
  disk_bytes_ += pending_.size();
  if (publishing_.active || waiting_blobs_ > 0 || read_job_.in_flight) {
    ++waiting_blobs_;
  } else {
    // Nothing older is on its way: publish from memory, without reading back what was just written.
    size_t size = pending_.size();
    std::swap(pending_half_, publishing_.half);
    publishing_.active = true;
    publishing_.size = size;
    publishing_.next = 0;
    publishing_.checkpoint_id = checkpoint_id;
    publishing_.rows = publishing_.answered = 0;
  }
  pending_ = ByteWriter(pending_half_);
  pending_rows_ = 0;
}

Status Outbox::restore(const StoredBlob& blob) {
  if (blob.kind != BlobKind::Operator) return {Code::Corrupt, "the outbox has state of an unknown kind"};
  ByteReader in(blob.bytes);
  confirmed_checkpoint_ = in.get<uint64_t>();
  trimmed_checkpoint_ = confirmed_checkpoint_;
  if (!in.ok()) return {Code::Corrupt, "the outbox's own state is cut short"};
  return {};
}

Status Outbox::announce(uint64_t checkpoint_id, size_t bytes) {
  // What was confirmed was trimmed in the same transaction.
  if (checkpoint_id <= confirmed_checkpoint_) return {Code::Corrupt, "stored results are older than what was confirmed"};
  ++waiting_blobs_;
  disk_bytes_ += bytes;
  return {};
}

void Outbox::start(Now now) {
  if (waiting_blobs_ > 0) read_next();
  pump(now);
}

void Outbox::read_next() {
  read_job_.after = confirmed_checkpoint_;
  read_job_.in_flight = true;
  executor_->submit(read_job_);
}

void Outbox::ReadJob::run(CheckpointStore& store) {
  Result<StoredOutbox> result = store.next_outbox(outbox.op(), after, outbox.publishing_.half);
  status = result.status();
  if (!result.ok()) return;
  checkpoint_id = result.value().checkpoint_id;
  bytes = result.value().bytes;
}

void Outbox::ReadJob::done(Now now) {
  in_flight = false;
  if (!status.ok()) {
    outbox.owner_.on_outbox_failed(status, now);
    return;
  }
  Publishing& publishing = outbox.publishing_;
  publishing.active = true;
  publishing.size = bytes;
  publishing.next = 0;
  publishing.checkpoint_id = checkpoint_id;
  publishing.rows = publishing.answered = 0;
  --outbox.waiting_blobs_;
  outbox.pump(now);
}

bool Outbox::pump_retries(Now now) {
  // Only those that wait now: a row that is rejected again at once must not keep this loop going.
  for (size_t left = retry_count_; left > 0; --left) {
    if (!publisher_.ready()) return false;
    uint32_t ticket = retries_[--retry_count_];
    size_t offset = ticket;
    OutboxRow row;
    WEIR_ASSERT(read_row({publishing_.half.data(), publishing_.size}, offset, row));
    publisher_.publish(row, ticket, now);
  }
  return true;
}

void Outbox::pump(Now now) {
  if (!publishing_.active) return;
  while (publishing_.next < publishing_.size && publisher_.ready()) {
    auto ticket = static_cast<uint32_t>(publishing_.next);
    OutboxRow row;
    if (!read_row({publishing_.half.data(), publishing_.size}, publishing_.next, row)) {
      owner_.on_outbox_failed({Code::Corrupt, "a stored result cannot be read"}, now);
      return;
    }
    ++publishing_.rows;
    crash_point("outbox.send");
    publisher_.publish(row, ticket, now);
    crash_point("outbox.sent");
  }
}

void Outbox::answered_one() {
  ++publishing_.answered;
  if (publishing_.next == publishing_.size && publishing_.answered == publishing_.rows) finish_blob();
}

void Outbox::finish_blob() {
  publishing_.active = false;
  confirmed_checkpoint_ = publishing_.checkpoint_id;
  disk_bytes_ -= publishing_.size;
  if (waiting_blobs_ > 0) read_next();
}

void Outbox::resume(Now now) {
  if (publishing_.active && pump_retries(now)) pump(now);
}

void Outbox::on_publisher_ready(Now now) { pump(now); }

void Outbox::on_published(uint32_t, Now now) {
  crash_point("outbox.confirm");
  answered_one();
  crash_point("outbox.confirmed");
  pump(now);
}

void Outbox::on_rejected(uint32_t ticket, const char* reason, Now now) {
  size_t offset = ticket;
  OutboxRow row;
  WEIR_ASSERT(read_row({publishing_.half.data(), publishing_.size}, offset, row));
  if (owner_.on_row_rejected(row, reason, now)) {
    answered_one();
  } else {
    WEIR_ASSERT(retry_count_ < retries_.size());
    retries_[retry_count_++] = ticket;
  }
}

}  // namespace weir
