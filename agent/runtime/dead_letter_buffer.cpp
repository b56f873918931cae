#include "agent/runtime/dead_letter_buffer.h"

#include <algorithm>
#include <string>

namespace weir {
namespace {

constexpr size_t letters_max = 64;      // beyond the reserve
constexpr size_t largest_letters = 16;  // of the largest kind that fit beyond the reserve

}  // namespace

DeadLetterBuffer::DeadLetterBuffer(Arena& arena, std::string_view pool, size_t payload_max, size_t reserve)
    : payload_max_(payload_max), reserve_(reserve) {
  std::string name(pool);
  std::string reason = "messages set aside between two checkpoints, " + std::to_string(payload_max) + " bytes kept of each";
  letters_ = arena.take<DeadLetter>(letters_max + reserve, name, reason);
  bytes_ = ByteWriter(arena.take<uint8_t>((largest_letters + reserve) * entry_bytes_max(), name, reason));
}

size_t DeadLetterBuffer::entry_bytes_max() const {
  return payload_max_ + dead_letter_topic_max + dead_letter_detail_max + 2 * 64;  // reason and step are short
}

bool DeadLetterBuffer::has_room(size_t letters) const {
  return !lent_ && letters_.size() - count_ >= letters && bytes_.room() >= letters * entry_bytes_max();
}

bool DeadLetterBuffer::add(const DeadLetter& letter) {
  if (!has_room(1)) return false;
  auto keep_bytes = [this](Bytes bytes, size_t limit) {
    size_t start = bytes_.size();
    bytes_.put_bytes(bytes.first(std::min(bytes.size(), limit)));
    return bytes_.bytes().subspan(start);
  };
  auto keep_text = [&](std::string_view text, size_t limit) { return as_text(keep_bytes(as_bytes(text), limit)); };
  DeadLetter& kept = letters_[count_++];
  kept = letter;
  kept.reason = keep_text(letter.reason, 64);
  kept.detail = keep_text(letter.detail, dead_letter_detail_max);
  kept.step = keep_text(letter.step, 64);
  kept.topic = keep_text(letter.topic, dead_letter_topic_max);
  kept.payload = keep_bytes(letter.payload, payload_max_);
  return true;
}

void DeadLetterBuffer::snapshot(Snapshot& snapshot) {
  lent_ = true;
  snapshot.lend_dead_letters(letters_.first(count_));
  snapshot.lend_replayed_letters(std::span(replayed_).first(replayed_count_));
}

void DeadLetterBuffer::snapshot_done(bool committed) {
  lent_ = false;
  if (!committed) return;
  count_ = replayed_count_ = 0;
  bytes_.clear();
}

ReasonCounts::Entry* ReasonCounts::slot(std::string_view reason) {
  reason = reason.substr(0, reason_length_max - 1);
  for (size_t index = 0; index < count_; ++index)
    if (std::string_view(entries_[index].reason) == reason) return &entries_[index];
  if (count_ == reasons_max) return nullptr;
  Entry& entry = entries_[count_++];
  std::copy(reason.begin(), reason.end(), entry.reason);
  return &entry;
}

void ReasonCounts::add(std::string_view reason) {
  // The last slot is kept for "other".
  bool room = count_ < reasons_max - 1;
  Entry* entry = nullptr;
  for (size_t index = 0; index < count_ && entry == nullptr; ++index)
    if (std::string_view(entries_[index].reason) == reason) entry = &entries_[index];
  if (entry == nullptr) entry = room ? slot(reason) : slot("other");
  WEIR_ASSERT(entry != nullptr);
  ++entry->count;
}

void ReasonCounts::save(ByteWriter& out) const {
  out.put(static_cast<uint8_t>(count_));
  for (const Entry& entry : entries()) {
    out.put_sized(std::string_view(entry.reason));
    out.put(entry.count);
  }
}

bool ReasonCounts::restore(ByteReader& in) {
  count_ = 0;
  auto count = in.get<uint8_t>();
  if (count > reasons_max) return false;
  for (uint8_t index = 0; index < count; ++index) {
    std::string_view reason = in.get_sized_text();
    auto times = in.get<uint64_t>();
    if (!in.ok() || reason.size() >= reason_length_max) return false;
    slot(reason)->count = times;
  }
  return in.ok();
}

}  // namespace weir
