#include "agent/app/plan_own_window.h"

#include <algorithm>

#include "agent/app/plan_parts.h"
#include "agent/operators/count_window.h"
#include "agent/operators/keyed_operator.h"
#include "agent/operators/session_window.h"
#include "agent/operators/sliding_window.h"
#include "agent/operators/state_window.h"

namespace weir {
namespace {

bool storable(const StepContext& context, const StepSpec& step, uint64_t bytes) {
  if (bytes <= KeyedState::slot_bytes_max) return true;
  context.diagnostics.error(step.window.at, 1,
                            "the state of one key would take " + std::to_string(bytes) + " bytes; at most " +
                                std::to_string(KeyedState::slot_bytes_max) + " can be stored",
                            "shorter strings (string(N)) or smaller limits make it smaller");
  return false;
}

bool compile(const StepContext& context, const WindowParts& parts, const Text& text, const Schema& input, Program& program) {
  std::vector<ExpressionError> errors;
  if (!compile_expression(text.value, input, Type::Bool, program, errors)) {
    report(context.diagnostics, text, errors);
    return false;
  }
  program.bind_scratch(context.arena, parts.pool);
  return true;
}

SessionWindows session_windows(const WindowOptions& options, Evict evict) {
  SessionWindows windows;
  windows.gap_ms = options.session;
  windows.max_duration_ms = options.max_duration;
  windows.allowed_lateness_ms = options.allowed_lateness;
  windows.emit_every_ms = options.emit_every;
  windows.max_sessions = static_cast<uint32_t>(options.max_sessions);
  windows.processing_time = options.time == "processing";
  windows.evict = evict;
  return windows;
}

CountWindows count_windows(const WindowOptions& options) {
  const uint64_t every = options.every > 0 ? static_cast<uint64_t>(options.every) : options.count;
  // What does not fit 32 bits is more than any count, and refused for that.
  return {static_cast<uint32_t>(options.count), static_cast<uint32_t>(std::min<uint64_t>(every, UINT32_MAX)),
          options.emit_partial};
}

bool state_windows(const StepContext& context, const WindowOptions& options, const WindowParts& parts, const Schema& input,
                   StateWindows& windows) {
  windows.open_text = options.open.value;
  windows.close_text = options.close.value;
  windows.include_close = options.include_close;
  windows.max_duration_ms = options.max_duration;
  windows.emit_every_ms = options.emit_every;
  const bool opens = compile(context, parts, options.open, input, windows.open);
  return compile(context, parts, options.close, input, windows.close) && opens;
}

std::unique_ptr<KeyedFunction> make_function(const StepContext& context, const StepSpec& step, const WindowParts& parts,
                                             OwnWindowParts own, const Schema& input) {
  const WindowOptions& options = step.window;
  auto room = [&](const auto& windows) { return storable(context, step, state_bytes(windows, own.aggregates)); };
  if (options.session > 0) {
    const SessionWindows windows = session_windows(options, parts.evict);
    return room(windows) ? make_session_windows(windows, parts.id, std::move(own), context.arena, parts.pool) : nullptr;
  }
  if (options.count > 0) {
    const CountWindows windows = count_windows(options);
    if (windows.every > windows.count) return nullptr;  // reported when the file was read
    return room(windows) ? make_count_windows(windows, std::move(own), context.arena, parts.pool) : nullptr;
  }
  if (options.sliding > 0) {
    const SlidingWindows windows{options.sliding, static_cast<uint32_t>(options.max_records)};
    return room(windows) ? make_sliding_windows(windows, std::move(own), context.arena, parts.pool) : nullptr;
  }
  if (options.open.at.line == 0 || options.close.at.line == 0) return nullptr;
  StateWindows windows;
  if (!state_windows(context, options, parts, input, windows) || !room(windows)) return nullptr;
  return make_state_windows(std::move(windows), std::move(own), context.arena, parts.pool);
}

KeyedSpec keyed_spec(const StepContext& context, const StepSpec& step, const WindowParts& parts, const Schema& input) {
  KeyedSpec keyed;
  keyed.id = parts.id;
  keyed.id_previous = step.id_previous;
  keyed.key_fields = parts.key_fields;
  keyed.max_keys = parts.key_fields.empty() ? 1 : static_cast<uint32_t>(step.max_keys);
  keyed.evict = parts.evict;
  (void)parse_late(step.window.late, keyed.late);  // a choice that was checked; windows that know no late records leave it out
  if (std::ranges::any_of(keyed.key_fields, [&](uint32_t field) { return input[field].clock; })) keyed.clocks = context.clocks;
  return keyed;
}

}  // namespace

std::unique_ptr<Operator> build_own_window(const StepContext& context, const StepSpec& step, WindowParts parts,
                                           const Schema& input) {
  OwnWindowParts own;
  own.panes = step.window.allowed_lateness > 0 || step.window.emit_every > 0;
  if (!report(context, step, check_window_fields(input, parts.key_fields, parts.aggregates, own.panes))) return nullptr;
  own.fields = window_fields(input, parts.key_fields, parts.aggregates, own.panes);
  own.aggregates = std::move(parts.aggregates);
  std::unique_ptr<KeyedFunction> function = make_function(context, step, parts, std::move(own), input);
  if (function == nullptr) return nullptr;
  KeyedSpec keyed = keyed_spec(context, step, parts, input);
  if (!storable(context, step, KeyedOperator::slot_bytes(keyed, *function, input))) return nullptr;
  return std::make_unique<KeyedOperator>(std::move(keyed), std::move(function), input, context.arena, parts.pool);
}

}  // namespace weir
