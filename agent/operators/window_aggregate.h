// WindowAggregate: aggregates the records of each key over aligned windows: tumbling, hopping, cumulate (see WindowGrid), in
// event time or processing time. A window [start, end) takes a record whose time lies in it, is due when the watermark has
// reached end - 1, and hands on one record then: the key fields, the aggregates as written, window_start and window_end; its
// event time is end - 1, its offset the newest that took part. Windows fire by end, then by key (see KeyCodec), so the output
// is the same in every run. Windows without records yield nothing; a window of a cumulation fires also where only its last
// slice has none. With empty_ms a key's windows without records fire as well, with aggregates over nothing: each that
// follows on one that has fired and begins less than empty_ms after the key's last slice with records ended. What a late record
// opens behind windows that have fired has no followers; nor does the end of the input make windows without records.
//
// Late. A window is gone when the watermark has reached end - 1 + allowed_lateness. A record all of whose windows are gone is
// late: Late::Drop says so, Side hands it to the branch "late", DeadLetter refuses it with the reason "late". It is partly late
// if some are gone: it counts in the others. If it belongs to windows that have fired but are not gone, each of these fires
// again, at the next advance, and that is an update.
// Panes. With allowed_lateness or emit_every a result has the field `pane`: 0 for the main firing, 1, 2, … for the updates
// after it, and below 0 for early results. With emit_every a tumbling or hopping window hands on what it has got when the
// watermark has reached start + n * emit_every - 1 before its end, if records came since the last such time; their pane is -n.
// When it is due stands in the slice with which the window begins; where no room is left for that slice, the early result is
// left out and counted as evicted. Time. Device
// clocks: where keys follow clocks of their own, watermark and lateness are those of the key's clock. Processing time: records
// count at the time at which they come, which never goes back; tick() fires a window when its end has come. A tick that comes
// late fires each window that is due by itself.
//
// Memory is fixed: max_keys keys, each with as many slices as there can be while the watermark is `max_delay` behind
// (window_sizes()), and one more for a record that jumps ahead. When a new key finds no room, or if ever a slice finds none,
// the evict policy decides.
//   Reject  the record is refused with the reason "capacity";
//   Oldest  the key updated longest ago gives up its slices without a result;
//   Emit    the same, but its windows that have not fired are handed on first, by their ends; if downstream has no room for
//           them: as Reject.
// A window given up by Emit may open again for later records and then yields another result for them, with another identity.
//
// Where the next window of a key has no records a slice without records is opened in it, which stands for it (see Silence).
//
// A slice is freed when its last window is gone. Of a cumulation the slices whose own windows are gone are merged into one.
//
// Stored per slice: see window_spec.h; then the accumulators and the key's bytes. The operator's own blob: i64 watermark,
// u32 number of slots; unless the windows are plain tumbling ones: u64 partly late records, u64 updates, u32 clocks, an i64
// watermark each. What was due but had not fired at a barrier fires at the first advance after a restart.
//
// Owned by its pipeline; reactor thread; never allocates after it was made. process() is constant time but for the walk over
// those slices of the key that are newer than the record, and, for a record that makes updates, over the windows that it
// updates. A firing costs one merge per slice of the window that has records and the logarithm of the keys; with clocks also
// the number of the clock's keys.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/operators/aggregate_set.h"
#include "agent/operators/evict.h"
#include "agent/operators/key_codec.h"
#include "agent/operators/keyed_state.h"
#include "agent/operators/late.h"
#include "agent/operators/operator.h"
#include "agent/operators/state_adoption.h"
#include "agent/operators/timer_queue.h"
#include "agent/operators/window_fields.h"
#include "agent/operators/window_index.h"
#include "agent/operators/window_spec.h"

namespace weir {

struct WindowLengths {
  int64_t size_ms = 1;
  int64_t offset_ms = 0;
  int64_t hop_ms = 0;  // of hopping and cumulate
  WindowGrid::Kind kind = WindowGrid::Kind::Tumbling;
};

struct WindowSpec {
  std::string id;
  std::vector<uint32_t> key_fields;  // positions in the input; may be empty: one key for all
  WindowLengths windows;
  std::optional<TimeZone> zone;
  int64_t max_delay_ms = 0;  // how far the watermark is behind, at least
  int64_t allowed_lateness_ms = 0;
  int64_t emit_every_ms = 0;  // 0: no early results; not of cumulations
  int64_t empty_ms = 0;       // 0: windows without records are not handed on
  Late late = Late::Drop;
  bool processing_time = false;
  uint32_t clocks = 1;  // more than 1: each key follows the clock of its records
  AggregateSet aggregates;
  uint64_t max_keys = 0;
  Evict evict = Evict::Reject;
  std::string id_previous = {};  // the id under which the state was stored before
};

class WindowAggregate final : public Operator, public Stateful {
 public:
  /// To be asked before construction: names that collide, lengths or max_keys that cannot be, too many fields, state that does
  /// not fit. Empty: all is well.
  static std::vector<WindowFault> check(const WindowSpec& spec, const Schema& input);

  /// Takes its pools, "<pool>.slots" and others, from `arena`. Requires that check() found nothing; `input` must outlive this.
  WindowAggregate(WindowSpec spec, const Schema& input, Arena& arena, std::string_view pool);

  std::string_view id() const override { return spec_.id; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override;
  bool advance(int64_t watermark_ms) override;
  bool follows_clocks() const override { return clocks_.size() > 1; }
  bool advance_clock(uint32_t clock, int64_t watermark_ms) override;
  bool wants_ticks() const override { return spec_.processing_time; }
  bool tick(int64_t processing_ms) override;
  bool ready() const override;
  Stateful* stateful() override { return this; }
  uint64_t evicted() const override { return evicted_; }
  uint64_t late_partial() const override { return late_partial_; }
  uint64_t late_updates() const override { return late_updates_; }
  std::span<const std::string> branches() const override { return branches_; }
  const Schema& branch_schema(size_t) const override { return input_; }
  void connect_branch(size_t, Operator* next) override { late_reader_ = next; }

  std::string_view uid() const override { return spec_.id; }
  std::string_view previous_uid() const override { return spec_.id_previous; }
  /// Names key fields and aggregates with their types and expressions, and all that moves a window. max_keys, evict, max_delay,
  /// late and the lengths of allowed_lateness and emit_every may change between runs.
  std::string_view layout() const override { return layout_; }
  SnapshotBounds snapshot_bounds() const override;
  StateChanges changes() const override { return state_.changes(); }
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t checkpoint_id, bool committed) override;
  Status adopt(const StateLayout& stored) override { return begin_adoption(stored, layout_, adoption_); }
  /// Code::Incompatible if what is stored needs more room than this configuration gives.
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override;

  uint32_t open_slices() const { return state_.live(); }

 private:
  static constexpr uint32_t none = UINT32_MAX;

  struct Clock {
    int64_t watermark_ms = INT64_MIN;
    int64_t reached_ms = INT64_MIN;  // a time of the grid: windows that end here or earlier are due
    int64_t gone_ms = INT64_MIN;     // the same: they are gone
  };
  /// What a key hands on next.
  struct Firing {
    enum class Why : uint8_t { Nothing, Main, Update, Early };
    Why why = Why::Nothing;
    int64_t at_ms = 0;         // a time of the grid; of an early one before its window's end
    int64_t end_ms = 0;        // of its window
    int64_t least_end_ms = 0;  // of all windows of the key that have something to hand on
    uint32_t slice = none;     // of an update and an early one: where it is noted
  };

  struct NextWindow {
    int64_t slice_ms = 0;
    std::optional<int64_t> end_ms;
  };
  /// What a window holds.
  struct Contents {
    const uint8_t* accumulators = nullptr;
    uint64_t offset = 0;
    uint32_t newest = none;  // the newest slice
  };

  // window_aggregate.cpp: records in
  Bytes key_of(uint32_t slice) const { return state_.read(slice).subspan(parts_.key); }
  bool holds_records(uint32_t slice) const;
  /// What the slice knows of its key's last record; sequence 0: nothing, and no window fires for its sake.
  Silence silence_of(uint32_t slice) const;
  /// Its windows leave nothing behind when they have fired.
  bool plain() const { return parts_.fired_to == SliceParts::none; }
  const Clock& clock_for(const Record& record) const;
  Outcome take(const Record& record);
  uint32_t find_key(Bytes key, uint64_t hash) const;
  uint32_t find_or_open(Bytes key_bytes, const Record& record, int64_t start_ms);
  uint32_t open_noting(uint32_t key, Bytes key_bytes, int64_t start_ms);
  uint32_t open_slice(uint32_t key, Bytes key_bytes, int64_t start_ms);
  int64_t home_of(uint32_t key, int64_t start_ms, const Clock& clock) const;
  bool note_updates(uint32_t key, Bytes key_bytes, int64_t start_ms);
  bool note_update(uint32_t key, uint32_t note, int64_t end_ms);
  void update(uint32_t slice, const Record& record);
  void end_silence(uint32_t slice, const Record& record);
  bool note_early(uint32_t slice);
  uint32_t early_note_of(uint32_t key, int64_t end_ms, uint32_t& place);
  bool set_early(uint32_t note, int64_t end_ms);
  void clear_early(uint32_t note);
  bool make_room(uint32_t keep_key);
  bool give_up(uint32_t key);
  Outcome too_late(const Record& record);
  Outcome refuse(const Record& record);

  // window_firing.cpp: results out
  void set_watermark(uint32_t clock, int64_t watermark_ms);
  bool is_due(int64_t instant_ms, const Clock& clock) const;
  bool fire_due();
  uint32_t first_due_of(uint32_t clock) const;
  bool key_before(uint32_t key, uint32_t other) const;
  bool serve(uint32_t key);
  Firing next_firing(uint32_t key) const;
  Firing next_update(uint32_t key, Firing next) const;
  Firing next_early(uint32_t key, Firing next) const;
  bool has_records(uint32_t key, int64_t end_ms) const;
  Contents gather(uint32_t key, int64_t end_ms);
  bool may_fire_empty(uint32_t key) const;
  void fill_empty(uint32_t key, int64_t end_ms, Contents& contents);
  NextWindow window_after(int64_t end_ms) const;
  void open_silent(uint32_t key, int64_t end_ms);
  void fire(uint32_t key, const Firing& firing, bool given_up);
  int64_t count_pane(uint32_t key, const Firing& firing);
  void emit(uint32_t key, int64_t end_ms, const Contents& contents, int64_t pane, bool given_up);
  uint64_t identity_of(Bytes key, int64_t end_ms) const;
  bool release_gone(uint32_t key, int64_t gone_ms, const Firing& next);
  void merge_gone(uint32_t key, int64_t gone_ms, const Firing& next);
  bool continues(uint32_t slice, uint32_t newer) const;
  void merge(uint32_t into, uint32_t from);
  void reschedule(uint32_t key, const Firing& next);
  void set_timer(uint32_t key, int64_t instant_ms);
  int64_t retires_at(uint32_t key) const;
  void close(uint32_t slice);
  void close_key(uint32_t key);

  // window_storage.cpp: checkpoints
  Status check_restored(uint32_t slice);
  Status index_restored(uint32_t slice);

  WindowSpec spec_;
  const Schema& input_;
  WindowGrid grid_;
  SliceParts parts_;
  KeyCodec codec_;
  Schema schema_;
  std::string layout_;
  uint64_t id_hash_;
  KeyedState state_;
  WindowIndex index_;
  TimerQueue timers_;  // per key, instants: when it has something to hand on or to give back
  std::span<Clock> clocks_;
  std::span<uint8_t> key_room_;
  std::span<uint8_t> merged_;
  std::span<Value> row_;
  std::span<uint32_t> restored_;
  std::vector<std::string> branches_;
  Operator* late_reader_ = nullptr;
  int64_t processing_ms_ = INT64_MIN;
  uint64_t sequence_ = 0;
  uint64_t evicted_ = 0;
  uint64_t late_partial_ = 0;
  uint64_t late_updates_ = 0;
  std::unique_ptr<StateAdoption> adoption_;  // while it is restored
  bool own_blob_restored_ = false;
  std::array<char, 256> refusal_text_{};
};

}  // namespace weir
