// TumblingFunction: what keyed steps have in common that sum a key's records up over tumbling windows of event time, one window
// open per key at a time: `distinct` and `top`. A window closes when the watermark has passed its end or the key's first record
// of a later window has come, whichever is first; then it reports and, unless that record opens the next one, the key is free
// again. Within a window records may come in any order; what belongs to an earlier window than the open one, or to one that
// the watermark has passed, is Late.
//
// State of a key: i64 start of the open window, then the body of the derived class, zero for a new window.
#pragma once

#include "agent/operators/keyed_function.h"
#include "agent/operators/tumbling.h"

namespace weir {

class StepBuild;

class TumblingFunction : public KeyedFunction {
 public:
  explicit TumblingFunction(TumblingWindows windows) : windows_(windows) {}

  uint32_t state_bytes() const final { return body_at + body_bytes(); }
  void describe(StateLayout& layout) const final;
  bool valid(const uint8_t* state) const final { return body_valid(state + body_at); }
  Outcome admit(const Record& record, int64_t watermark_ms) const final;
  Outcome process(const Record& record, KeyContext& context) final;
  void on_event_timer(int64_t time_ms, KeyContext& context) final;
  void on_evicted(KeyContext& context) final;
  bool uses_event_timers() const final { return true; }
  bool needs_order() const final { return false; }

 protected:
  struct Window {
    int64_t start_ms = 0;
    int64_t end_ms = 0;
    int64_t last_ms = 0;  // the event time of its results
  };

  virtual uint32_t body_bytes() const = 0;
  /// Sets the kind, and adds the fields of the body.
  virtual void describe_body(StateLayout& layout) const = 0;
  virtual bool body_valid(const uint8_t* body) const = 0;
  /// Whether the record says nothing to this step; it is filtered out then.
  virtual bool ignores(const Record& record) const = 0;
  virtual void add(const Record& record, KeyContext& context) = 0;
  virtual void report(const Window& window, KeyContext& context) = 0;

  static const uint8_t* body(const KeyContext& context);
  static uint8_t* edit_body(KeyContext& context);

 private:
  static constexpr uint32_t body_at = 8;

  void report_open(KeyContext& context);

  TumblingWindows windows_;
};

/// The windows that the options `window` and `offset` ask for; an error if the offset is not shorter than the window.
TumblingWindows tumbling_windows(StepBuild& build);

/// Adds `window_start` and `window_end` to a result's schema.
void add_window_fields(StepBuild& build, Schema& schema);

}  // namespace weir
