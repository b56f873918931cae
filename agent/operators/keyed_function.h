// KeyedFunction: what a keyed step does with the records of one key: Flink's KeyedProcessFunction with state of a declared
// size. The KeyedOperator that owns it finds the key, keeps its state and timers, stores them with the checkpoints, and decides
// what happens when there is no room for a key. A function is therefore arithmetic on a fixed number of bytes: record and state
// in, records out. Reactor thread only; never allocates after it was made; a call is constant time unless its header says more.
//
// The same function object serves all keys: whatever belongs to a key lies in the state's bytes, which are zero for a new key,
// hold no pointers and are the same on every architecture (little endian).
#pragma once

#include <climits>
#include <span>

#include "agent/model/record.h"
#include "agent/model/schema.h"
#include "agent/model/state_layout.h"

namespace weir {

class KeyedOperator;

/// No timer is set.
constexpr int64_t no_timer = INT64_MAX;

/// The key in hand, for the length of one call to a KeyedFunction.
class KeyContext {
 public:
  /// The key's state, to be changed: the next checkpoint stores it.
  std::span<uint8_t> state();
  /// The key's state, to look at only: a record that changes nothing writes nothing to flash.
  const uint8_t* peek() const;
  /// The key has no history: its state is zero.
  bool is_new() const { return is_new_; }
  /// The values of the key fields. Strings view the state: good until forget().
  std::span<const Value> key() const;

  /// No record with an event time <= this is expected any more, by this key's clock; INT64_MIN: not known yet.
  int64_t watermark_ms() const;
  /// Processing time: the wall clock as it was at the start of the process plus what has passed since.
  int64_t processing_ms() const;

  /// One timer of each kind per key; setting it again moves it. It fires once, when the watermark or the processing time has
  /// reached it, in the order of times and then of keys; a time that has passed already fires at the next advance. Only for
  /// functions that say they use them.
  void set_event_timer(int64_t time_ms);
  void set_processing_timer(int64_t time_ms);
  /// no_timer if none is set.
  int64_t event_timer() const;
  int64_t processing_timer() const;
  void clear_event_timer() { set_event_timer(no_timer); }
  void clear_processing_timer() { set_processing_timer(no_timer); }

  /// Hands the record itself on, as it came or with other `values` in the same role: it keeps event time, offset and identity.
  Outcome forward(const Record& record);
  Outcome forward(const Record& record, std::span<const Value> values);
  /// Hands on a record of the function's own. Its identity follows from step, key, event time and `ordinal`, so that a replay
  /// repeats it: two results of one key with one event time need different ordinals.
  void emit(std::span<const Value> values, int64_t event_time_ms, uint64_t ordinal = 0);
  /// Sets a record aside that the key's state has no room for; to be returned from process().
  Outcome refuse(const Record& record, const char* reason, std::string_view detail);
  /// Counts a part of the key's state that was given up for another (Operator::evicted).
  void note_evicted();
  /// Counts the record in hand as one that came too late for a part of what it belongs to (Operator::late_partial).
  void note_late_partial();
  /// Counts the record in hand as one that changed a window which had fired (Operator::late_updates).
  void note_late_update();
  /// Gives the key's state back at the end of the call; the key starts anew with its next record.
  void forget() { forgotten_ = true; }

 private:
  friend class KeyedOperator;
  KeyContext(KeyedOperator& owner, const Schema& input, uint32_t slot, bool is_new)
      : owner_(owner), input_(input), slot_(slot), is_new_(is_new) {}

  KeyedOperator& owner_;
  const Schema& input_;  // of the record in hand
  uint32_t slot_;
  bool is_new_;
  bool forgotten_ = false;
};

class KeyedFunction {
 public:
  virtual ~KeyedFunction() = default;
  KeyedFunction() = default;
  KeyedFunction(const KeyedFunction&) = delete;
  KeyedFunction& operator=(const KeyedFunction&) = delete;

  /// What the records look like that it hands on.
  virtual const Schema& schema() const = 0;
  /// Of one key. May be 0.
  virtual uint32_t state_bytes() const = 0;
  /// Sets the kind, adds every field of the state in the order of its bytes, and as its shape the options that give them their
  /// meaning: state is taken over by a changed configuration exactly as far as this says that it still fits, and shown to
  /// people by these names. The fields must have state_bytes() in all. What surrounds the state, and the key, are added to it.
  virtual void describe(StateLayout& layout) const = 0;
  /// Whether bytes that come from a disk can be a key's state.
  virtual bool valid(const uint8_t* state) const = 0;

  /// Asked about a record whose key has no state, before another key might have to make room for it: Applied lets it through to
  /// process(); anything else is what became of it.
  virtual Outcome admit(const Record& record, int64_t watermark_ms) const {
    (void)record, (void)watermark_ms;
    return Outcome::Applied;
  }
  /// One record. The result says what became of it: what forward() returned, Applied where the state took it up, Filtered where
  /// it was left out on purpose, Late where it came too late.
  virtual Outcome process(const Record& record, KeyContext& context) = 0;
  /// One record of the second input, of a step that has one (KeyedSpec::second_input).
  virtual Outcome process_second(const Record& record, KeyContext& context) {
    (void)record, (void)context;
    return Outcome::Filtered;
  }
  /// The timer that was set has fired (and is not set any more); `time_ms` is what it was set to.
  virtual void on_event_timer(int64_t time_ms, KeyContext& context) { (void)time_ms, (void)context; }
  virtual void on_processing_timer(int64_t time_ms, KeyContext& context) { (void)time_ms, (void)context; }
  /// The key is about to lose its state to another one (evict = "emit"): hand on what would be lost, at most fan_out() records.
  virtual void on_evicted(KeyContext& context) { (void)context; }

  virtual bool uses_event_timers() const { return false; }
  virtual bool uses_processing_timers() const { return false; }
  /// Whether records of a key must come in the order of their event times: one that is older than the key's newest is Late then
  /// and never reaches process(). Equal event times are in order.
  virtual bool needs_order() const { return true; }
  /// The most records that it hands on in one call.
  virtual uint32_t fan_out() const { return 1; }
};

}  // namespace weir
