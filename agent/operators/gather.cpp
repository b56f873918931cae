// gather: long to wide, the inverse of unnest. The values of several names, one per record, are put together to one record per
// key: once all are there (complete), or whenever one of them changes (change).
//
// complete: a group begins with a record and takes those whose event times lie within `within` of all others in it, in any
// order; a later value of a name takes the place of an earlier one. The group ends when it is complete; when a record comes
// that is too far behind its oldest to belong to it, or the watermark has passed that point, it has timed out. A record too far
// before its newest is late.
// change: the row keeps the newest value of each name; one that is older than `within` when a record comes counts as null.
//
// State of a key: per name i64 event time and the value's cell; a name without a value has none.
#include <algorithm>

#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"
#include "agent/operators/value_order.h"

namespace weir {
namespace {

struct GatherSpec {
  uint32_t name = 0;   // in the input
  uint32_t value = 0;  // in the input
  std::vector<std::string> names;
  int64_t within_ms = 0;  // 0: no limit
  bool emit_on_timeout = true;
};

int64_t saturating_add(int64_t time_ms, int64_t more_ms) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(time_ms, more_ms, &sum)) return sum;
  return more_ms < 0 ? INT64_MIN : INT64_MAX;
}

/// The names' values in a key's state.
class Cells {
 public:
  Cells(const Field& value, size_t count)
      : cell_(value.type, value.max_length), count_(static_cast<uint32_t>(count)), each_(8 + cell_.bytes()) {}

  uint32_t count() const { return count_; }
  uint32_t bytes() const { return count_ * each_; }
  bool has(const uint8_t* state, uint32_t index) const { return cell_.present(at(state, index) + 8); }
  int64_t time_of(const uint8_t* state, uint32_t index) const { return load<int64_t>(at(state, index)); }
  Value get(const uint8_t* state, uint32_t index) const { return cell_.get(at(state, index) + 8); }
  void put(uint8_t* state, uint32_t index, int64_t time_ms, const Value& value) const {
    uint8_t* place = state + index * each_;
    store(place, time_ms);
    cell_.put(place + 8, value);
  }
  bool valid(const uint8_t* state) const {
    for (uint32_t index = 0; index < count_; ++index)
      if (!cell_.valid(at(state, index) + 8)) return false;
    return true;
  }

  bool all(const uint8_t* state) const {
    for (uint32_t index = 0; index < count_; ++index)
      if (!has(state, index)) return false;
    return true;
  }
  struct Span {
    int64_t oldest_ms = INT64_MAX;
    int64_t newest_ms = INT64_MIN;
    bool empty() const { return oldest_ms > newest_ms; }
  };
  Span span_of(const uint8_t* state) const {
    Span span;
    for (uint32_t index = 0; index < count_; ++index) {
      if (!has(state, index)) continue;
      span.oldest_ms = std::min(span.oldest_ms, time_of(state, index));
      span.newest_ms = std::max(span.newest_ms, time_of(state, index));
    }
    return span;
  }

 private:
  const uint8_t* at(const uint8_t* state, uint32_t index) const { return state + index * each_; }

  ValueCell cell_;
  uint32_t count_;
  uint32_t each_;
};

class Gather : public KeyedFunction {
 public:
  /// `schema`: the key fields, then one field per name.
  Gather(GatherSpec spec, const Field& value, Schema schema, std::span<Value> row)
      : spec_(std::move(spec)), schema_(std::move(schema)), cells_(value, spec_.names.size()), value_(value), row_(row) {}

  const Schema& schema() const final { return schema_; }
  uint32_t state_bytes() const final { return cells_.bytes(); }
  void describe(StateLayout& layout) const final {
    layout.kind = "gather";
    for (const std::string& name : spec_.names) {
      layout.fields.add_time(name + ".time");
      layout.fields.add_cell(name, value_.type, value_.max_length);
    }
  }
  bool valid(const uint8_t* state) const final { return cells_.valid(state); }
  bool needs_order() const final { return false; }

  Outcome admit(const Record& record, int64_t) const final {
    const bool ours = index_of(record.values[spec_.name]) != cells_.count() && !record.values[spec_.value].is_null();
    return ours ? Outcome::Applied : Outcome::Filtered;
  }

  Outcome process(const Record& record, KeyContext& context) final {
    if (admit(record, context.watermark_ms()) == Outcome::Filtered) return Outcome::Filtered;
    return take(index_of(record.values[spec_.name]), record.values[spec_.value], record, context);
  }

 protected:
  virtual Outcome take(uint32_t index, const Value& value, const Record& record, KeyContext& context) = 0;

  /// The key and then one value per name: the stored one unless it is older than `good_from_ms`.
  void emit_row(KeyContext& context, int64_t good_from_ms, int64_t event_time_ms, uint64_t ordinal) const {
    auto next = std::ranges::copy(context.key(), row_.begin()).out;
    const uint8_t* state = context.peek();
    for (uint32_t index = 0; index < cells_.count(); ++index) {
      const bool good = cells_.has(state, index) && cells_.time_of(state, index) >= good_from_ms;
      *next++ = good ? cells_.get(state, index) : Value::null();
    }
    context.emit(row_, event_time_ms, ordinal);
  }
  const GatherSpec& spec() const { return spec_; }
  const Cells& cells() const { return cells_; }

 private:
  /// cells_.count() if it is none of the names.
  uint32_t index_of(const Value& name) const {
    if (name.is_null()) return cells_.count();
    return static_cast<uint32_t>(std::ranges::find(spec_.names, name.as_string()) - spec_.names.begin());
  }

  GatherSpec spec_;
  Schema schema_;
  Cells cells_;
  Field value_;
  std::span<Value> row_;
};

class GatherComplete final : public Gather {
 public:
  using Gather::Gather;

  bool uses_event_timers() const override { return spec().within_ms > 0; }
  /// The group that a record ends and the one that it completes at once.
  uint32_t fan_out() const override { return 2; }
  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    time_out(time_ms, context);
    context.forget();
  }
  void on_evicted(KeyContext& context) override {
    if (const Cells::Span span = cells().span_of(context.peek()); !span.empty())
      emit_row(context, INT64_MIN, span.newest_ms, 0);
  }

 protected:
  Outcome take(uint32_t index, const Value& value, const Record& record, KeyContext& context) override {
    const int64_t time_ms = record.event_time_ms;
    const Cells::Span span = cells().span_of(context.peek());
    if (spec().within_ms > 0 && !span.empty()) {
      if (saturating_add(time_ms, spec().within_ms) < span.newest_ms) return Outcome::Late;
      if (const int64_t end_ms = saturating_add(span.oldest_ms, spec().within_ms); time_ms > end_ms) {
        time_out(end_ms, context);
        std::ranges::fill(context.state(), uint8_t{0});
      }
    }
    if (cells().has(context.peek(), index) && cells().time_of(context.peek(), index) > time_ms) return Outcome::Late;
    cells().put(context.state().data(), index, time_ms, value);
    if (cells().all(context.peek())) {
      emit_row(context, INT64_MIN, cells().span_of(context.peek()).newest_ms, record.identity);
      context.forget();
    } else if (spec().within_ms > 0) {
      context.set_event_timer(saturating_add(cells().span_of(context.peek()).oldest_ms, spec().within_ms));
    }
    return Outcome::Applied;
  }

 private:
  void time_out(int64_t time_ms, KeyContext& context) const {
    if (spec().emit_on_timeout) emit_row(context, INT64_MIN, time_ms, 0);
  }
};

class GatherChange final : public Gather {
 public:
  using Gather::Gather;

 protected:
  Outcome take(uint32_t index, const Value& value, const Record& record, KeyContext& context) override {
    const uint8_t* state = context.peek();
    const bool had = cells().has(state, index);
    if (had && cells().time_of(state, index) > record.event_time_ms) return Outcome::Late;
    const int64_t good_from_ms = spec().within_ms > 0 ? saturating_add(record.event_time_ms, -spec().within_ms) : INT64_MIN;
    const bool same =
        had && cells().time_of(state, index) >= good_from_ms && compare_values(cells().get(state, index), value) == 0;
    cells().put(context.state().data(), index, record.event_time_ms, value);
    if (!same) emit_row(context, good_from_ms, record.event_time_ms, record.identity);
    return Outcome::Applied;
  }
};

std::vector<std::string> names_of(StepBuild& build) {
  std::vector<std::string> names;
  for (const Text& name : build.options().list("fields")) names.push_back(name.value);
  return names;
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  GatherSpec spec;
  spec.name = build.field("name", Type::String);
  spec.value = build.field("value", all_types);
  spec.names = names_of(build);
  spec.within_ms = options.integer("within");
  spec.emit_on_timeout = options.text("on_timeout").value == "emit";
  const bool on_change = options.text("when").value == "change";
  if (options.given("on_timeout") && (on_change || spec.within_ms == 0))
    build.error("on_timeout", "only when = \"complete\" with \"within\" times out");
  const Field& value = build.input()[spec.value];
  Schema schema = build.key_schema();
  for (const std::string& name : spec.names) build.add_field(schema, {name, value.type, value.max_length}, "fields");
  if (!build.good()) return nullptr;
  const auto row = build.arena().take<Value>(schema.size(), build.pool() + ".result",
                                             "1 row x " + std::to_string(schema.size()) + " fields x 16 bytes");
  if (on_change) return build.keyed(std::make_unique<GatherChange>(std::move(spec), value, std::move(schema), row));
  return build.keyed(std::make_unique<GatherComplete>(std::move(spec), value, std::move(schema), row));
}

constexpr const char* moments[] = {"complete", "change"};
constexpr const char* timeouts[] = {"emit", "drop"};

constexpr StepOption options[] = {
    {.key = "name",
     .type = StepOptionType::Text,
     .standard = "name",
     .documentation =
         "The string field that says whose value a record brings. Records with other names than `fields` lists are "
         "filtered out.",
     .example = "name = \"channel\""},
    {.key = "value",
     .type = StepOptionType::Text,
     .standard = "value",
     .documentation = "The field with the value, of any type. Records in which it is null are filtered out.",
     .example = "value = \"value\""},
    {.key = "fields",
     .type = StepOptionType::TextList,
     .required = true,
     .minimum = "1",
     .maximum = "64",
     .documentation = "The names that are put together; each becomes a field of the value's type.",
     .example = "fields = [\"t1\", \"t2\"]"},
    {.key = "when",
     .type = StepOptionType::Choice,
     .standard = "complete",
     .choices = moments,
     .documentation =
         "`complete`: one record when all names have come, then the next group begins. `change`: a record with the "
         "newest value of each name whenever one differs from before.",
     .example = "when = \"change\""},
    {.key = "within",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "How far the event times of values that belong together may lie apart, that much included; `0s`: any "
                      "distance. With `change`: older values count as null.",
     .example = "within = \"10s\""},
    {.key = "on_timeout",
     .type = StepOptionType::Choice,
     .standard = "emit",
     .choices = timeouts,
     .documentation =
         "What becomes of a group that was not complete in time: `emit` hands it on, null where nothing came; `drop` "
         "gives it up.",
     .example = "on_timeout = \"drop\""},
};

}  // namespace

const StepKind gather_step = {
    .verb = "gather",
    .documentation = "Verb: values of several names are put together to one record (long to wide).",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
