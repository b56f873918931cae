// WindowAggregate: aggregates the records of each key over tumbling windows of event time. A window [start, end) takes a record
// whose event time lies in it, is due when the watermark has reached end - 1, and hands on one record then: the key fields, the
// aggregates as written, window_start and window_end; its event time is end - 1, its offset the newest that took part. Windows
// fire by end, then by key (see KeyCodec), so the output is the same in every run. A record is late exactly if its window was
// due when this operator was last advanced; windows without records yield nothing.
//
// Memory is fixed: max_keys keys with open windows, each with as many windows as can be open at once while the watermark is
// `max_delay` behind (floor(max_delay / size) + 2), and one more for a record that jumps ahead. When a new key finds no room,
// or if ever a window finds none, the evict policy decides.
//   Reject  the record is refused with the reason "capacity";
//   Oldest  the key updated longest ago gives up its windows without a result;
//   Emit    the same, but its windows are handed on first, earliest first; if downstream has no room for them: as Reject.
// A window given up by Emit may open again for later records and then yields another result for them, with another identity.
//
// Stored per window: u64 sequence of its last update, i64 window start, u64 newest offset, the accumulators, the key's bytes.
// The operator's own blob: i64 watermark, u32 number of slots. What was due but had not fired at a barrier fires at the first
// advance after a restart. Owned by its pipeline; reactor thread; never allocates after it was made. process() is constant time
// but for the walk over a key's open windows; advance() sorts the windows of one start at a time.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/operators/aggregate_set.h"
#include "agent/operators/evict.h"
#include "agent/operators/key_codec.h"
#include "agent/operators/keyed_state.h"
#include "agent/operators/operator.h"
#include "agent/operators/tumbling.h"
#include "agent/operators/window_fields.h"
#include "agent/operators/window_index.h"

namespace weir {

struct WindowSpec {
  std::string id;
  std::vector<uint32_t> key_fields;  // positions in the input; may be empty: one key for all
  TumblingWindows windows;
  int64_t max_delay_ms = 0;  // how far the watermark is behind, at least
  AggregateSet aggregates;
  uint64_t max_keys = 0;
  Evict evict = Evict::Reject;
};

class WindowAggregate final : public Operator, public Stateful {
 public:
  /// To be asked before construction: names that collide, a size or offset or max_keys that cannot be, too many fields, state
  /// that does not fit. Empty: all is well.
  static std::vector<WindowFault> check(const WindowSpec& spec, const Schema& input);

  /// Takes its pools, "<pool>.slots" and others, from `arena`. Requires that check() found nothing; `input` must outlive this.
  WindowAggregate(WindowSpec spec, const Schema& input, Arena& arena, std::string_view pool);

  std::string_view id() const override { return spec_.id; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override;
  bool advance(int64_t watermark_ms) override;
  Stateful* stateful() override { return this; }
  uint64_t evicted() const override { return evicted_; }

  std::string_view uid() const override { return spec_.id; }
  /// Names key fields and aggregates with their types and expressions, size and offset. max_keys, evict and max_delay may
  /// change between runs.
  std::string_view layout() const override { return layout_; }
  SnapshotBounds snapshot_bounds() const override;
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t checkpoint_id, bool committed) override;
  /// Code::Incompatible if what is stored needs more room than this configuration gives.
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override;

  uint32_t open_windows() const { return state_.live(); }

 private:
  static constexpr uint32_t none = UINT32_MAX;

  Bytes key_of(uint32_t window) const { return state_.read(window).subspan(key_at_); }
  uint32_t find_or_open(Bytes key, int64_t start_ms);
  uint32_t find_key(Bytes key, uint64_t hash) const;
  bool make_room(uint32_t keep_key);
  bool give_up(uint32_t key);
  void update(uint32_t window, const Record& record);
  Outcome refuse(const Record& record);
  bool collect_due();
  void emit(uint32_t window, bool early);
  uint64_t identity_of(uint32_t window, bool early) const;
  void close(uint32_t window);
  Status check_restored(uint32_t window);
  Status index_restored(uint32_t window);

  WindowSpec spec_;
  const Schema& input_;
  KeyCodec codec_;
  Schema schema_;
  std::string layout_;
  uint32_t key_at_;  // in a slot
  uint64_t id_hash_;
  KeyedState state_;
  WindowIndex index_;
  std::span<uint8_t> key_room_;
  std::span<Value> row_;
  std::span<uint32_t> due_;  // windows of the start that is firing, in the order of their keys
  uint32_t due_next_ = 0;
  uint32_t due_end_ = 0;
  int64_t watermark_ms_ = INT64_MIN;
  uint64_t sequence_ = 0;
  uint64_t evicted_ = 0;
  bool own_blob_restored_ = false;
  std::array<char, 256> refusal_text_{};
};

}  // namespace weir
