// JournalRing: the ring of batches in its file: finds its end at a start, writes batches behind it, reads them back. Blocking:
// it belongs to the thread that may wait for the disk; whoever starts the agent has it before that.
//
// Places are counted in bytes since the first lap (`at`); modulo the size of the ring they are offsets in the file. Space is
// never given back by writing: what lies behind the newest batches by less than the ring's size can still be read, and
// `floor` says from where on it must stay. Allocates only while it is opened.
#pragma once

#include <algorithm>
#include <vector>

#include "storage/block_file.h"
#include "storage/journal_format.h"

namespace weir {

/// A batch that was found by its header.
struct FoundBatch {
  uint64_t at = 0;
  JournalHeader header;
};

/// All batches with a sound header, oldest first, whether they continue one another or not. Reads headers only. Heap.
Result<std::vector<FoundBatch>> sound_batches(BlockFile& file, uint64_t ring_bytes);
/// All batches with a sound header that continue one another, up to the newest; oldest first. Reads headers only. Heap.
Result<std::vector<FoundBatch>> find_batches(BlockFile& file, uint64_t ring_bytes);

class JournalRing {
 public:
  JournalRing() = default;
  /// The file must outlive it. `bytes`: of the ring, a multiple of 4096 and no more than the file has.
  JournalRing(BlockFile& file, uint64_t bytes) : file_(&file), bytes_(bytes) {}

  /// Finds the end: the chain from `from` (or, without it, behind the newest batch), each batch checked to its last byte.
  /// Syncs first, for what is in the system's cache only must not be built on. `buffer` takes one batch.
  Result<JournalRecovery> recover(const JournalPosition* from, std::span<uint8_t> buffer);

  /// Where the next batch will begin.
  const JournalPosition& end() const { return end_; }
  /// What begins before this may be written over.
  void set_floor(uint64_t at);
  /// The next batch will have at least this sequence number. No checkpoint that was taken before reaches it then.
  void skip_to(uint64_t sequence) { end_.sequence = std::max(end_.sequence, sequence); }
  uint64_t floor() const { return floor_; }
  /// Whether a batch with so many bytes of records has a place above the floor. Safe while another thread reads only.
  bool fits(size_t bytes) const { return place_for(end_.at, journal_batch_bytes(bytes)) - floor_ <= size(); }

  /// Appends the batch that stands in `batch`: 64 bytes for the header, then `header.bytes` of records, with room for the
  /// padding. Durable on return. Requires fits(). Code::Full: nothing has changed. Code::Io: see BlockFile.
  Status append(JournalHeader header, std::span<uint8_t> batch);

  /// Reads the batch at `position` into `to` and moves `position` behind it. Code::NotFound: there is none, the chain ends.
  Result<JournalHeader> read(JournalPosition& position, std::span<uint8_t> to) const;

  /// Of the oldest batch that can still be read; 0 if that is not known.
  int64_t oldest_arrival_ms() const { return oldest_.header.first_arrival_ms; }
  uint32_t epoch() const { return end_.epoch; }
  uint64_t size() const { return bytes_; }

 private:
  /// The end of a batch of `padded` bytes that begins at `at` or, if it would cross the end of the ring, with the next lap.
  uint64_t place_for(uint64_t at, size_t padded) const;
  uint64_t next_lap(uint64_t at) const { return (at / size() + 1) * size(); }
  Result<JournalHeader> read_at(uint64_t at, const JournalPosition& position, std::span<uint8_t> to) const;
  bool header_at(uint64_t at, JournalHeader& header) const;
  Result<JournalRecovery> follow(JournalPosition position, std::span<uint8_t> buffer);
  bool is_whole(const FoundBatch& batch, std::span<uint8_t> buffer) const;
  void begin_behind(const std::vector<FoundBatch>& batches);
  void forget_overwritten(uint64_t end_at);

  BlockFile* file_ = nullptr;
  uint64_t bytes_ = 0;
  JournalPosition end_;
  uint64_t floor_ = 0;
  FoundBatch oldest_;  // sequence 0: not known
};

}  // namespace weir
