#include "agent/operators/tumbling_function.h"

#include <cstring>

#include "agent/operators/step_build.h"
#include "agent/operators/value_cell.h"

namespace weir {

const uint8_t* TumblingFunction::body(const KeyContext& context) { return context.peek() + body_at; }
uint8_t* TumblingFunction::edit_body(KeyContext& context) { return context.state().data() + body_at; }

void TumblingFunction::describe(StateLayout& layout) const {
  layout.add_shape("window_ms", windows_.size_ms);
  layout.add_shape("offset_ms", windows_.offset_ms);
  layout.fields.add_time("window_start");
  describe_body(layout);
}

Outcome TumblingFunction::admit(const Record& record, int64_t watermark_ms) const {
  if (windows_.last_of(windows_.start_of(record.event_time_ms)) <= watermark_ms) return Outcome::Late;
  return ignores(record) ? Outcome::Filtered : Outcome::Applied;
}

Outcome TumblingFunction::process(const Record& record, KeyContext& context) {
  if (const Outcome outcome = admit(record, context.watermark_ms()); outcome != Outcome::Applied) return outcome;
  const int64_t start_ms = windows_.start_of(record.event_time_ms);
  if (!context.is_new()) {
    const auto open_ms = load<int64_t>(context.peek());
    if (start_ms < open_ms) return Outcome::Late;
    if (start_ms > open_ms) {
      report_open(context);
      memset(edit_body(context), 0, body_bytes());
    }
  }
  if (context.is_new() || load<int64_t>(context.peek()) != start_ms) {
    store(context.state().data(), start_ms);
    context.set_event_timer(windows_.last_of(start_ms));
  }
  add(record, context);
  return Outcome::Applied;
}

void TumblingFunction::on_event_timer(int64_t, KeyContext& context) {
  report_open(context);
  context.forget();
}

void TumblingFunction::on_evicted(KeyContext& context) { report_open(context); }

void TumblingFunction::report_open(KeyContext& context) {
  const auto start_ms = load<int64_t>(context.peek());
  report({start_ms, windows_.end_of(start_ms), windows_.last_of(start_ms)}, context);
}

TumblingWindows tumbling_windows(StepBuild& build) {
  TumblingWindows windows{build.options().integer("window"), build.options().integer("offset")};
  if (windows.offset_ms >= windows.size_ms) build.error("offset", "\"offset\" must be shorter than \"window\"");
  return windows;
}

void add_window_fields(StepBuild& build, Schema& schema) {
  build.add_field(schema, {"window_start", Type::Time, 0}, "window");
  build.add_field(schema, {"window_end", Type::Time, 0}, "window");
}

}  // namespace weir
