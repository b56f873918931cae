// CheckpointHistory: the newest checkpoints of a pipeline with the parts of their time, as a ring of fixed size that is itself
// part of each checkpoint, so that it survives restarts. Reactor thread only.
//
// The parts, on a clock that never jumps, with t0 the end of the checkpoint before (or the start), t1 the moment at which the
// timer was over, t2 the barrier's begin, t3 its end, t4 the commit's return:
//   T_timeout = t1 - t0     waiting for the timer; less where another trigger came first: then t1 = t2
//   T_data    = t2 - t1     the timer was over, and there was nothing to save yet
//   T_checkpoint = T_timeout + T_data = t2 - t0
//   T_sync    = t3 - t2     the pipeline stands still
//   T_async   = t4 - t3     it reads nothing from this source, other pipelines go on
#pragma once

#include <array>

#include "agent/base/bytes.h"
#include "agent/model/pipeline_status.h"

namespace weir {

class CheckpointHistory {
 public:
  static constexpr size_t entries_max = 16;
  static constexpr size_t saved_bytes_max = 2 + entries_max * 56;

  /// A checkpoint was begun; of equal ids (one that failed is tried again) the last one counts.
  void add(const CheckpointTimes& times);
  /// Its barrier took so long and copied so much.
  void set_barrier(uint64_t id, int64_t sync_us, uint64_t bytes);
  /// It was completed, and took so long to commit.
  void complete(uint64_t id, int64_t async_us);
  size_t size() const { return size_; }
  /// 0: the newest.
  const CheckpointTimes& operator[](size_t age) const { return entries_[(next_ + entries_max - 1 - age) % entries_max]; }

  void save(ByteWriter& out) const;
  /// False if the bytes are none that save() writes.
  bool restore(ByteReader& in);

 private:
  CheckpointTimes* find(uint64_t id);
  std::array<CheckpointTimes, entries_max> entries_;
  size_t next_ = 0;
  size_t size_ = 0;
};

}  // namespace weir
