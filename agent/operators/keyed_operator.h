// KeyedOperator: runs a KeyedFunction over the keys of a stream. It finds the key of each record, gives it state of a fixed
// size, fires timers in a total order (time, then key), decides by the evict policy when a new key finds no room, judges which
// records come out of order, and is the step's state towards checkpoints.
//
// Memory is fixed: max_keys slots. A slot holds u64 sequence of its last record, u64 newest offset, i64 newest event time, then
// u32 clock (if keys follow clocks of their own), i64 event timer, i64 processing timer (if the function uses them), the
// function's state, the key's bytes. The operator's own blob: i64 processing time, u64 partly late records, u64 late updates,
// u32 slots, u32 clocks, and an i64 per clock, its watermark.
//
// Owned by its pipeline; reactor thread; never allocates after it was made. process() is constant time beside the function;
// advance() costs the logarithm of the keys per timer, with clocks the number of the clock's keys.
#pragma once

#include <array>
#include <memory>

#include "agent/operators/evict.h"
#include "agent/operators/key_codec.h"
#include "agent/operators/key_index.h"
#include "agent/operators/keyed_function.h"
#include "agent/operators/keyed_state.h"
#include "agent/operators/late.h"
#include "agent/operators/operator.h"
#include "agent/operators/state_adoption.h"
#include "agent/operators/timer_queue.h"

namespace weir {

struct KeyedSpec {
  std::string id;
  std::vector<uint32_t> key_fields;  // positions in the input; may be empty: one key for all
  uint32_t max_keys = 1;
  Evict evict = Evict::Reject;
  uint32_t clocks = 1;  // more than 1: each key follows the clock of its records
  Late late = Late::Drop;
  const Schema* second_input = nullptr;          // of a step with two
  std::vector<uint32_t> second_key_fields = {};  // positions there; of the same types as key_fields
  std::string id_previous = {};                  // the id under which the state was stored before
};

class KeyedOperator final : public Operator, public Stateful {
 public:
  /// Bytes that a key's slot would take; the caller refuses a step whose slots are larger than KeyedState::slot_bytes_max.
  static uint64_t slot_bytes(const KeyedSpec& spec, const KeyedFunction& function, const Schema& input);

  /// Takes its pools, "<pool>.slots" and others, from `arena`. `input` must outlive this; slot_bytes() must fit.
  KeyedOperator(KeyedSpec spec, std::unique_ptr<KeyedFunction> function, const Schema& input, Arena& arena,
                std::string_view pool);

  std::string_view id() const override { return spec_.id; }
  const Schema& schema() const override { return function_->schema(); }
  Outcome process(const Record& record) override;
  Operator* second_input() override { return spec_.second_input == nullptr ? nullptr : &second_; }
  uint32_t fan_out() const override;
  bool advance(int64_t watermark_ms) override;
  bool follows_clocks() const override { return spec_.clocks > 1; }
  bool advance_clock(uint32_t clock, int64_t watermark_ms) override;
  bool wants_ticks() const override { return function_->uses_processing_timers(); }
  bool tick(int64_t processing_ms) override;
  Stateful* stateful() override { return this; }
  uint64_t evicted() const override { return evicted_; }
  uint64_t late_partial() const override { return late_partial_; }
  uint64_t late_updates() const override { return late_updates_; }
  std::span<const std::string> branches() const override { return branches_; }
  const Schema& branch_schema(size_t) const override { return input_; }
  void connect_branch(size_t, Operator* next) override { late_next_ = next; }

  std::string_view uid() const override { return spec_.id; }
  std::string_view previous_uid() const override { return spec_.id_previous; }
  /// max_keys and evict may change between runs, as long as the keys that are stored fit.
  std::string_view layout() const override { return layout_; }
  SnapshotBounds snapshot_bounds() const override;
  StateChanges changes() const override { return state_.changes(); }
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t checkpoint_id, bool committed) override { state_.snapshot_done(checkpoint_id, committed); }
  Status adopt(const StateLayout& stored) override { return begin_adoption(stored, layout_, adoption_); }
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override;

  uint32_t keys() const { return state_.live(); }

 private:
  friend class KeyContext;
  static constexpr uint32_t none = UINT32_MAX;

  /// Where the parts of a slot begin.
  struct Parts {
    uint32_t clock = 0, event_timer = 0, processing_timer = 0, state = 0, key = 0;
  };
  static Parts parts_of(const KeyedSpec& spec, const KeyedFunction& function);

  Bytes key_of(uint32_t slot) const { return state_.read(slot).subspan(parts_.key); }
  uint32_t find(Bytes key, uint64_t hash) const;
  uint32_t add(Bytes key, uint64_t hash, uint32_t clock);
  bool make_room();
  /// One of the two inputs: what its records look like and what the function does with them.
  struct Input {
    const Schema& schema;
    const KeyCodec& codec;
    Outcome (KeyedFunction::*process)(const Record& record, KeyContext& context);
    bool has_late_branch;  // the branch has the form of the first input
  };
  /// Where the records of the second input go in.
  class SecondInput final : public Operator {
   public:
    explicit SecondInput(KeyedOperator& owner) : owner_(owner) {}
    std::string_view id() const override { return owner_.id(); }
    const Schema& schema() const override { return owner_.schema(); }
    uint32_t fan_out() const override { return owner_.fan_out(); }
    bool ready() const override { return owner_.ready(); }
    Outcome process(const Record& record) override;

   private:
    KeyedOperator& owner_;
  };

  Outcome process(const Record& record, const Input& input);
  Outcome take(const Record& record, const Input& input);
  Outcome late(const Record& record, const Input& input);
  Outcome refuse(const Record& record, const Input& input);
  void note(uint32_t slot, const Record& record);
  void finish(const KeyContext& context);
  void forget(uint32_t slot);
  void emit(uint32_t slot, std::span<const Value> values, int64_t event_time_ms, uint64_t ordinal);
  void set_timer(uint32_t slot, TimerQueue& timers, uint32_t part, int64_t time_ms);
  void fire(uint32_t slot, TimerQueue& timers, uint32_t part, void (KeyedFunction::*handler)(int64_t, KeyContext&));
  bool fire_due(TimerQueue& timers, uint32_t part, int64_t now_ms, void (KeyedFunction::*handler)(int64_t, KeyContext&));
  uint32_t first_due_of(uint32_t clock) const;
  bool key_before(uint32_t slot, uint32_t other) const { return codec_.compare(key_of(slot), key_of(other)) < 0; }
  Status check_restored(uint32_t slot);
  void index_restored(uint32_t slot);

  KeyedSpec spec_;
  const Schema& input_;
  std::unique_ptr<KeyedFunction> function_;
  Parts parts_;
  KeyCodec codec_;
  KeyCodec second_codec_;
  SecondInput second_{*this};
  std::string layout_;
  uint64_t id_hash_;
  KeyedState state_;
  KeyIndex index_;
  TimerQueue event_timers_;
  TimerQueue processing_timers_;
  std::span<uint8_t> key_room_;
  std::span<Value> key_values_;
  std::span<uint32_t> restored_;
  std::span<int64_t> watermarks_ms_;  // one per clock
  int64_t processing_ms_ = INT64_MIN;
  uint64_t sequence_ = 0;
  uint64_t evicted_ = 0;
  uint64_t late_partial_ = 0;
  uint64_t late_updates_ = 0;
  std::vector<std::string> branches_;  // of Late::Side
  Operator* late_next_ = nullptr;
  std::unique_ptr<StateAdoption> adoption_;  // while it is restored
  bool own_blob_restored_ = false;
  std::array<char, 256> refusal_text_{};
};

}  // namespace weir
