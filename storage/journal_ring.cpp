#include "storage/journal_ring.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "agent/base/crash_point.h"
#include "agent/base/crc32c.h"

namespace weir {
namespace {

JournalPosition behind(uint64_t at, const JournalHeader& header, const JournalPosition& before) {
  return {at + header.padded_bytes(), header.sequence + 1, header.crc, std::max(header.epoch, before.epoch), before.ring_bytes};
}

bool continues(const JournalHeader& header, const JournalPosition& position) {
  return header.sequence == position.sequence && header.chain == position.chain && header.epoch >= position.epoch;
}

bool is_newer(const FoundBatch& left, const FoundBatch& right) {
  return std::tuple(left.header.epoch, left.header.sequence) > std::tuple(right.header.epoch, right.header.sequence);
}

/// Whether `batch` lies inside the ring at the place that its header claims.
bool is_in_place(const FoundBatch& batch, uint64_t ring_bytes) {
  return batch.at % ring_bytes + batch.header.padded_bytes() <= ring_bytes;
}

/// Every sound header, in the order of the file. What a batch's records hold is skipped, whatever it looks like.
Result<std::vector<FoundBatch>> scan_headers(BlockFile& file, uint64_t ring_bytes) {
  std::vector<FoundBatch> found;
  for (uint64_t at = 0; at + journal_block_bytes <= ring_bytes;) {
    std::array<uint8_t, journal_header_bytes> bytes;
    if (Status status = file.read(at, bytes); !status.ok()) return status;
    FoundBatch batch{at, {}};
    const bool sound = read_journal_header(bytes, batch.header) && is_in_place(batch, ring_bytes);
    at += sound ? batch.header.padded_bytes() : journal_block_bytes;
    batch.at += uint64_t{batch.header.lap} * ring_bytes;
    if (sound) found.push_back(batch);
  }
  return found;
}

/// Counts what the records of a batch mean; false: they are malformed.
bool count_messages(const JournalHeader& header, Bytes records, JournalRecovery& recovery) {
  ByteReader in(records);
  uint64_t messages = 0;
  for (uint32_t index = 0; index < header.records; ++index) {
    JournalRecord record;
    if (!get_journal_record(in, record)) return false;
    messages += record.kind != JournalKind::SessionLost;
  }
  if (messages > 0) recovery.end_offset = header.first_offset + messages - 1;
  recovery.messages += messages;
  return true;
}

}  // namespace

Result<std::vector<FoundBatch>> sound_batches(BlockFile& file, uint64_t ring_bytes) {
  Result<std::vector<FoundBatch>> found = scan_headers(file, ring_bytes);
  if (found.ok()) std::ranges::sort(found.value(), [](const auto& left, const auto& right) { return is_newer(right, left); });
  return found;
}

Result<std::vector<FoundBatch>> find_batches(BlockFile& file, uint64_t ring_bytes) {
  Result<std::vector<FoundBatch>> found = sound_batches(file, ring_bytes);
  if (!found.ok()) return found;
  std::ranges::reverse(found.value());
  std::vector<FoundBatch> chain;
  for (const FoundBatch& batch : found.value()) {
    if (chain.empty()) {
      chain.push_back(batch);
      continue;
    }
    const FoundBatch& later = chain.back();
    const bool links = batch.header.sequence + 1 == later.header.sequence && later.header.chain == batch.header.crc &&
                       batch.at + batch.header.padded_bytes() <= later.at && later.at - batch.at < 2 * ring_bytes;
    if (links) chain.push_back(batch);
  }
  std::ranges::reverse(chain);
  return chain;
}

// ---- a start

Result<JournalRecovery> JournalRing::recover(const JournalPosition* from, std::span<uint8_t> buffer) {
  if (from != nullptr && (from->at % journal_block_bytes != 0 || from->ring_bytes != size()))
    return Status(Code::Corrupt, "the checkpoint names no place in the journal");
  if (Status status = file_->sync(); !status.ok()) return status;
  Result<std::vector<FoundBatch>> found = find_batches(*file_, size());
  if (!found.ok()) return found.status();
  const std::vector<FoundBatch>& batches = found.value();
  Result<JournalRecovery> recovery = JournalRecovery{};
  if (from == nullptr) {
    end_ = {0, 1, 0, 0, size()};
    begin_behind(batches);
    floor_ = end_.at;
  } else {
    recovery = follow(*from, buffer);
    if (!recovery.ok()) return recovery;
    // A batch is written only once the one before is durable: whatever lies behind the first one that cannot be read was.
    const FoundBatch* newest = batches.empty() ? nullptr : &batches.back();
    if (newest != nullptr && newest->header.epoch >= end_.epoch && newest->header.sequence > end_.sequence) {
      recovery.value().lost_batches = newest->header.sequence - end_.sequence + (is_whole(*newest, buffer) ? 1 : 0);
      begin_behind(batches);
    }
    set_floor(from->at);
  }
  oldest_ = !batches.empty() && batches.front().header.sequence < end_.sequence ? batches.front() : FoundBatch{};
  const uint32_t newest_epoch = batches.empty() ? 0 : batches.back().header.epoch;
  end_.epoch = std::max(end_.epoch, newest_epoch) + 1;
  return recovery;
}

Result<JournalRecovery> JournalRing::follow(JournalPosition position, std::span<uint8_t> buffer) {
  JournalRecovery recovery;
  end_ = position;
  end_.ring_bytes = size();
  while (true) {
    Result<JournalHeader> header = read(position, buffer);
    if (header.status().code() == Code::NotFound) return recovery;
    if (!header.ok()) return header.status();
    if (!count_messages(header.value(), buffer.subspan(journal_header_bytes, header.value().bytes), recovery))
      return Status(Code::Corrupt, "the journal holds a record of an unknown kind");
    recovery.newest_checkpoint = std::max(recovery.newest_checkpoint, header.value().newest_checkpoint);
    end_ = position;
  }
}

bool JournalRing::is_whole(const FoundBatch& batch, std::span<uint8_t> buffer) const {
  const JournalHeader& header = batch.header;
  return read_at(batch.at, {batch.at, header.sequence, header.chain, header.epoch, size()}, buffer).ok();
}

void JournalRing::begin_behind(const std::vector<FoundBatch>& batches) {
  if (!batches.empty()) end_ = behind(batches.back().at, batches.back().header, end_);
}

// ---- places

void JournalRing::set_floor(uint64_t at) {
  at = std::min(at, end_.at);
  // What was written over is needed no more, whoever says so.
  floor_ = end_.at - at > size() ? end_.at : at;
}

uint64_t JournalRing::place_for(uint64_t at, size_t padded) const {
  return (at % size() + padded > size() ? next_lap(at) : at) + padded;
}

// ---- writing

Status JournalRing::append(JournalHeader header, std::span<uint8_t> batch) {
  WEIR_ASSERT(fits(header.bytes) && header.padded_bytes() <= batch.size());
  const uint64_t end_at = place_for(end_.at, header.padded_bytes());
  const uint64_t at = end_at - header.padded_bytes();
  const size_t used = journal_header_bytes + header.bytes;
  header.chain = end_.chain;
  header.sequence = end_.sequence;
  header.epoch = end_.epoch;
  header.lap = static_cast<uint32_t>(at / size());
  header.records_crc = crc32c(batch.subspan(journal_header_bytes, header.bytes));
  write_journal_header(header, batch);
  std::ranges::fill(batch.subspan(used, header.padded_bytes() - used), uint8_t{0});
  forget_overwritten(end_at);
  crash_point("journal.write");
  WEIR_TRY(file_->write(at % size(), batch.first(header.padded_bytes())));
  crash_point("journal.sync");
  WEIR_TRY(file_->sync());
  crash_point("journal.durable");
  end_ = behind(at, header, end_);
  if (oldest_.header.sequence == 0) oldest_ = {at, header};
  return {};
}

void JournalRing::forget_overwritten(uint64_t end_at) {
  while (oldest_.header.sequence != 0 && oldest_.at + size() < end_at) {
    const JournalPosition next = behind(oldest_.at, oldest_.header, {});
    FoundBatch batch{next.at, {}};
    if (!header_at(next.at, batch.header) || batch.header.sequence != next.sequence) {
      batch.at = next_lap(next.at - 1);
      if (!header_at(batch.at, batch.header) || batch.header.sequence != next.sequence) batch = {};
    }
    oldest_ = batch;
  }
}

bool JournalRing::header_at(uint64_t at, JournalHeader& header) const {
  std::array<uint8_t, journal_header_bytes> bytes;
  return file_->read(at % size(), bytes).ok() && read_journal_header(bytes, header);
}

// ---- reading

Result<JournalHeader> JournalRing::read(JournalPosition& position, std::span<uint8_t> to) const {
  uint64_t at = position.at;
  Result<JournalHeader> header = read_at(at, position, to);
  // The batch did not fit before the end of the ring.
  if (header.status().code() == Code::NotFound && at % size() != 0) {
    at = next_lap(at);
    header = read_at(at, position, to);
  }
  if (header.ok()) position = behind(at, header.value(), position);
  return header;
}

Result<JournalHeader> JournalRing::read_at(uint64_t at, const JournalPosition& position, std::span<uint8_t> to) const {
  constexpr Status nothing = {Code::NotFound, "the journal ends here"};
  JournalHeader header;
  const uint64_t place = at % size();
  if (Status status = file_->read(place, to.first(journal_header_bytes)); !status.ok()) return status;
  const bool sound = read_journal_header(to, header) && continues(header, position);
  if (!sound || header.padded_bytes() > size() - place) return nothing;
  if (header.padded_bytes() > to.size())
    return Status(Code::Incompatible, "the journal holds larger messages than max_message now allows");
  if (Status status = file_->read(place, to.first(header.padded_bytes())); !status.ok()) return status;
  // Read again as a whole: another process may be writing.
  if (!read_journal_header(to, header) || !continues(header, position)) return nothing;
  if (crc32c(to.subspan(journal_header_bytes, header.bytes)) != header.records_crc) return nothing;
  return header;
}

}  // namespace weir
