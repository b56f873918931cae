// DeadLetterBuffer: the messages set aside since the last committed checkpoint, copied into fixed memory until the next
// checkpoint stores them. It says beforehand whether another one fits, so that none is ever lost for want of room: the
// pipeline takes no input while it is full. Reactor thread only.
#pragma once

#include <array>

#include "agent/base/arena.h"
#include "agent/base/bytes.h"
#include "agent/model/snapshot.h"

namespace weir {

constexpr size_t dead_letter_detail_max = 256;  // bytes kept of a detail
constexpr size_t dead_letter_topic_max = 1024;  // bytes kept of a topic

class DeadLetterBuffer {
 public:
  /// `reserve`: how many letters one message causes, but for those that become very many records.
  DeadLetterBuffer(Arena& arena, std::string_view pool, size_t payload_max, size_t reserve);

  /// Whether `reserve` more of the largest kind fit. False while a checkpoint is using the buffer.
  bool ready() const { return has_room(reserve_); }
  /// Copies the letter; payload, topic and detail are cut to their limits. False if there is no room: never for the first
  /// `reserve` letters after ready().
  [[nodiscard]] bool add(const DeadLetter& letter);
  bool empty() const { return count_ == 0; }
  /// Whether a stored letter may be replayed now: as ready(), and its id can be kept until the checkpoint.
  bool may_replay() const { return ready() && replayed_count_ < replayed_.size(); }
  /// The next checkpoint takes the stored letter away. Requires may_replay().
  void replayed(int64_t id) { replayed_[replayed_count_++] = id; }

  void snapshot(Snapshot& snapshot);
  void snapshot_done(bool committed);

 private:
  size_t entry_bytes_max() const;
  bool has_room(size_t letters) const;

  size_t payload_max_;
  size_t reserve_;
  ByteWriter bytes_;
  std::span<DeadLetter> letters_;
  size_t count_ = 0;
  std::array<int64_t, 64> replayed_{};
  size_t replayed_count_ = 0;
  bool lent_ = false;
};

/// Counts by reason, for status; part of the checkpoint. Reasons are constants of the program, so the few slots suffice;
/// what does not fit is counted under "other".
class ReasonCounts {
 public:
  static constexpr size_t reasons_max = 16;
  static constexpr size_t reason_length_max = 24;
  static constexpr size_t bytes_max = 1 + reasons_max * (4 + reason_length_max + 8);
  struct Entry {
    char reason[reason_length_max] = {};
    uint64_t count = 0;
  };
  void add(std::string_view reason);
  std::span<const Entry> entries() const { return {entries_.data(), count_}; }
  void save(ByteWriter& out) const;
  bool restore(ByteReader& in);

 private:
  Entry* slot(std::string_view reason);
  std::array<Entry, reasons_max> entries_;
  size_t count_ = 0;
};

}  // namespace weir
