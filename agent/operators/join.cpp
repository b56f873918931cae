// join: interval join of two inputs by key and event time, as Flink's: a record at t of the first input meets those of the
// second with times from t - before to t + after, both included. Each pair is handed on as soon as its later record comes, at
// the greater of the two times. A record is kept until the watermark says that none can come any more that it could meet. With
// type = "left" a record of the first input that met none is handed on then, with nulls. Either of before and after may be
// negative: the interval then lies wholly on one side of t, as Flink's between(-before, after) with both bounds of one sign.
//
// State of a key, per input: u32 records, then max_rows x (i64 time, u64 identity, u8 whether it met one, a RowCell).
#include <algorithm>
#include <cstring>

#include "agent/base/hash.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/saturating.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

struct JoinSpec {
  int64_t before_ms = 0;
  int64_t after_ms = 0;
  bool left = false;
  uint32_t rows_max = 1;
  std::vector<uint32_t> taken;  // fields of the second input that the result has
};

/// The records of one input in a key's state.
class JoinSide {
 public:
  JoinSide(const Schema& schema, uint32_t rows_max, uint32_t begin, int64_t kept_ms)
      : row_(schema), rows_max_(rows_max), begin_(begin), row_bytes_(values_at + row_.bytes()), kept_ms_(kept_ms) {}

  uint32_t end() const { return at(rows_max_); }
  void describe(StateLayout& layout, const std::string& name) const {
    layout.fields.add_u32(name + "_count");
    StoredFields& row = layout.fields.add_list(name, rows_max_, name + "_count");
    row.add_time("time");
    row.add_u64("identity");
    row.add_flag("met");
    row_.describe(row, "record");
  }
  uint32_t count(const uint8_t* state) const { return load<uint32_t>(state + begin_); }
  int64_t time_of(const uint8_t* state, uint32_t index) const { return load<int64_t>(state + at(index)); }
  uint64_t identity_of(const uint8_t* state, uint32_t index) const { return load<uint64_t>(state + at(index) + identity_at); }
  bool met(const uint8_t* state, uint32_t index) const { return state[at(index) + met_at] != 0; }
  void set_met(uint8_t* state, uint32_t index) const { state[at(index) + met_at] = 1; }
  void get(const uint8_t* state, uint32_t index, std::span<Value> values) const {
    row_.get(state + at(index) + values_at, values);
  }
  bool full(const uint8_t* state) const { return count(state) == rows_max_; }

  /// Requires room.
  void add(uint8_t* state, const Record& record, bool has_met) const {
    const uint32_t index = count(state);
    uint8_t* row = state + at(index);
    store(row, record.event_time_ms);
    store(row + identity_at, record.identity);
    row[met_at] = has_met ? 1 : 0;
    row_.put(row + values_at, record.values);
    store(state + begin_, index + 1);
  }
  void remove(uint8_t* state, uint32_t index) const {
    const uint32_t rest = count(state) - index - 1;
    memmove(state + at(index), state + at(index + 1), size_t{rest} * row_bytes_);
    store(state + begin_, index + rest);
  }
  uint32_t oldest(const uint8_t* state) const {
    uint32_t best = 0;
    for (uint32_t index = 1; index < count(state); ++index)
      if (time_of(state, index) < time_of(state, best)) best = index;
    return best;
  }
  /// The event time after which a record of this input with this event time can meet none that is still to come; before its
  /// own where the interval lies on that side.
  int64_t kept_until(int64_t time_ms) const { return saturating_add(time_ms, kept_ms_); }
  int64_t kept_until(const uint8_t* state, uint32_t index) const { return kept_until(time_of(state, index)); }

  bool valid(const uint8_t* state) const {
    if (count(state) > rows_max_) return false;
    for (uint32_t index = 0; index < count(state); ++index)
      if (state[at(index) + met_at] > 1 || !row_.valid(state + at(index) + values_at)) return false;
    return true;
  }

 private:
  static constexpr uint32_t identity_at = 8;
  static constexpr uint32_t met_at = 16;
  static constexpr uint32_t values_at = 17;

  uint32_t at(uint32_t index) const { return begin_ + static_cast<uint32_t>(sizeof(uint32_t)) + index * row_bytes_; }

  RowCell row_;
  uint32_t rows_max_;
  uint32_t begin_;
  uint32_t row_bytes_;
  int64_t kept_ms_;
};

class Join final : public KeyedFunction {
 public:
  /// `schema`: the fields of the first input, then those taken of the second.
  Join(JoinSpec spec, const Schema& first, const Schema& second, Schema schema, Arena& arena, const std::string& pool)
      : spec_(std::move(spec)),
        schema_(std::move(schema)),
        first_(first, spec_.rows_max, 0, spec_.after_ms),
        second_(second, spec_.rows_max, first_.end(), spec_.before_ms) {
    result_ = arena.take<Value>(schema_.size(), pool + ".result", "1 row x " + std::to_string(schema_.size()) + " fields");
    second_row_ = arena.take<Value>(second.size(), pool + ".result", "");
    first_row_ = result_.first(first.size());
  }

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return second_.end(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "join";
    first_.describe(layout, "first");
    second_.describe(layout, "second");
  }
  bool valid(const uint8_t* state) const override { return first_.valid(state) && second_.valid(state); }
  bool uses_event_timers() const override { return true; }
  bool needs_order() const override { return false; }
  /// One record meets all of the other input, and may push one out.
  uint32_t fan_out() const override { return spec_.rows_max + 1; }
  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    return record.event_time_ms <= watermark_ms ? Outcome::Late : Outcome::Applied;
  }

  Outcome process(const Record& record, KeyContext& context) override {
    if (record.event_time_ms <= context.watermark_ms()) return Outcome::Late;
    uint8_t* state = context.state().data();
    bool met = false;
    for (uint32_t index = 0; index < second_.count(state); ++index) {
      const int64_t second_ms = second_.time_of(state, index);
      if (!meet(record.event_time_ms, second_ms)) continue;
      met = true;
      std::ranges::copy(record.values, first_row_.begin());
      second_.get(state, index, second_row_);
      emit_pair(record.event_time_ms, record.identity, second_ms, second_.identity_of(state, index), context);
    }
    keep_first(state, record, met, context);
    arm(context);
    return Outcome::Applied;
  }

  Outcome process_second(const Record& record, KeyContext& context) override {
    if (record.event_time_ms <= context.watermark_ms()) return Outcome::Late;
    uint8_t* state = context.state().data();
    for (uint32_t index = 0; index < first_.count(state); ++index) {
      const int64_t first_ms = first_.time_of(state, index);
      if (!meet(first_ms, record.event_time_ms)) continue;
      first_.set_met(state, index);
      first_.get(state, index, first_row_);
      std::ranges::copy(record.values, second_row_.begin());
      emit_pair(first_ms, first_.identity_of(state, index), record.event_time_ms, record.identity, context);
    }
    if (second_.kept_until(record.event_time_ms) > context.watermark_ms()) {
      if (second_.full(state)) {
        second_.remove(state, second_.oldest(state));
        context.note_evicted();
      }
      second_.add(state, record, false);
    }
    arm(context);
    return Outcome::Applied;
  }

  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    uint8_t* state = context.state().data();
    for (uint32_t index = 0; index < first_.count(state);) {
      if (first_.kept_until(state, index) > time_ms) {
        ++index;
        continue;
      }
      if (!first_.met(state, index)) emit_alone(index, certain_at(index, state), context);
      first_.remove(state, index);
    }
    for (uint32_t index = second_.count(state); index > 0; --index)
      if (second_.kept_until(state, index - 1) <= time_ms) second_.remove(state, index - 1);
    arm(context);
  }

  void on_evicted(KeyContext& context) override {
    const uint8_t* state = context.peek();
    for (uint32_t index = 0; index < first_.count(state); ++index)
      if (!first_.met(state, index)) emit_alone(index, certain_at(index, state), context);
  }

 private:
  void keep_first(uint8_t* state, const Record& record, bool met, KeyContext& context) const {
    if (first_.kept_until(record.event_time_ms) <= context.watermark_ms()) {
      // All that it could have met have come.
      if (!met) emit_alone(record.values, record.event_time_ms, record.identity, context);
      return;
    }
    if (first_.full(state)) {
      const uint32_t oldest = first_.oldest(state);
      if (!first_.met(state, oldest))
        emit_alone(oldest, std::max(first_.time_of(state, oldest), record.event_time_ms), context);
      first_.remove(state, oldest);
      context.note_evicted();
    }
    first_.add(state, record, met);
  }

  /// When it is certain that a record of the first input meets none, but not before the record itself.
  int64_t certain_at(uint32_t index, const uint8_t* state) const {
    return std::max(first_.time_of(state, index), first_.kept_until(state, index));
  }
  bool meet(int64_t first_ms, int64_t second_ms) const {
    return second_ms <= saturating_add(first_ms, spec_.after_ms) && first_ms <= saturating_add(second_ms, spec_.before_ms);
  }

  /// Of the rows in first_row_ and second_row_.
  void emit_pair(int64_t first_ms, uint64_t first_identity, int64_t second_ms, uint64_t second_identity,
                 KeyContext& context) const {
    for (size_t index = 0; index < spec_.taken.size(); ++index)
      result_[first_row_.size() + index] = second_row_[spec_.taken[index]];
    context.emit(result_, std::max(first_ms, second_ms), hash_chain(hash_chain(0, first_identity), second_identity));
  }

  /// A left join's record that met none.
  void emit_alone(uint32_t index, int64_t event_time_ms, KeyContext& context) const {
    first_.get(context.peek(), index, first_row_);
    emit_alone(first_row_, event_time_ms, first_.identity_of(context.peek(), index), context);
  }
  void emit_alone(std::span<const Value> values, int64_t event_time_ms, uint64_t identity, KeyContext& context) const {
    if (!spec_.left) return;
    if (values.data() != first_row_.data()) std::ranges::copy(values, first_row_.begin());
    std::fill(result_.begin() + static_cast<ptrdiff_t>(first_row_.size()), result_.end(), Value::null());
    context.emit(result_, event_time_ms, hash_chain(0, identity));
  }

  /// A key with nothing left to meet gives its state back.
  void arm(KeyContext& context) const {
    const uint8_t* state = context.peek();
    int64_t next_ms = no_timer;
    for (const JoinSide* side : {&first_, &second_})
      for (uint32_t index = 0; index < side->count(state); ++index) next_ms = std::min(next_ms, side->kept_until(state, index));
    if (first_.count(state) + second_.count(state) == 0) return context.forget();
    context.set_event_timer(next_ms);
  }

  JoinSpec spec_;
  Schema schema_;
  JoinSide first_;
  JoinSide second_;
  std::span<Value> result_;
  std::span<Value> first_row_;  // the beginning of result_
  std::span<Value> second_row_;
};

/// The first input's fields, then those of the second that are no key, their names behind `prefix`.
Schema result_schema(StepBuild& build, JoinSpec& spec) {
  const Schema& second = *build.second_input();
  Schema schema = build.input();
  for (uint32_t position = 0; position < second.size(); ++position) {
    Field field = second[position];
    const auto is_key = [&](uint32_t key) { return build.input()[key].name == field.name; };
    if (field.hidden || std::ranges::any_of(build.key_fields(), is_key)) continue;
    field.name = build.options().text("prefix").value + field.name;
    field.clock = false;
    field.topic_segment = -1;
    spec.taken.push_back(position);
    build.add_field(schema, std::move(field), build.options().given("prefix") ? "prefix" : "with");
  }
  return schema;
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  JoinSpec spec;
  spec.before_ms = options.integer("before");
  spec.after_ms = options.integer("after");
  spec.left = options.text("type").value == "left";
  spec.rows_max = static_cast<uint32_t>(options.integer("max_rows"));
  if (spec.before_ms < -spec.after_ms)
    build.error(options.given("after") ? "after" : "before", "the interval ends before it begins: nothing can meet",
                "before and after together are at least 0, for example: before = \"10s\", after = \"-2s\"");
  build.key_second_input("with");
  Schema schema = result_schema(build, spec);
  if (!build.good()) return nullptr;
  return build.keyed(std::make_unique<Join>(std::move(spec), build.input(), *build.second_input(), std::move(schema),
                                            build.arena(), build.pool()));
}

constexpr const char* types[] = {"inner", "left"};

constexpr StepOption options[] = {
    {.key = "with",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The second input: the name of a source or of an earlier step. It must have the fields of `key_by`.",
     .example = "with = \"doors\""},
    {.key = "before",
     .type = StepOptionType::SignedDuration,
     .standard = "0s",
     .documentation =
         "How much earlier than the first input's record one of the second may be, that much included. Negative: it "
         "must be at least that much later.",
     .example = "before = \"10s\""},
    {.key = "after",
     .type = StepOptionType::SignedDuration,
     .standard = "0s",
     .documentation = "How much later it may be, that much included. Negative: it must be at least that much earlier.",
     .example = "after = \"2s\""},
    {.key = "type",
     .type = StepOptionType::Choice,
     .standard = "inner",
     .choices = types,
     .documentation =
         "`inner`: pairs only. `left`: also the first input's records that met none, with nulls, when that is certain.",
     .example = "type = \"left\""},
    {.key = "prefix",
     .type = StepOptionType::Text,
     .standard = "",
     .documentation = "Goes before the names of the second input's fields, so that they differ from the first's.",
     .example = "prefix = \"door_\""},
    {.key = "max_rows",
     .type = StepOptionType::Integer,
     .standard = "16",
     .minimum = "1",
     .maximum = "1024",
     .documentation =
         "Records kept per key and input. When there would be more, the one with the oldest event time is given up and "
         "counted as evicted.",
     .example = "max_rows = 100"},
};

}  // namespace

const StepKind join_step = {
    .verb = "join",
    .documentation = "Verb: pairs of records of two inputs with equal keys and near times (interval join).",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .second_input = "with",
    .make = make,
};

}  // namespace weir
