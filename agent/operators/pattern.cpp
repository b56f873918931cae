// pattern: finds a sequence of conditions in the records of a key, as SQL's MATCH_RECOGNIZE (pattern_matcher.h has the rules).
// Records are first sorted by event time: each waits until the watermark has passed it. When max_rows wait, the oldest is taken
// at once, and what is older than it is late from then on.
//
// State of a key: i64 event time of the last row taken, u32 rows waiting, the rows by time (i64 time, then a RowCell), the
// matcher's state.
#include <algorithm>
#include <cstring>

#include "agent/operators/pattern_matcher.h"
#include "agent/operators/pattern_parse.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t taken_ms_at = 0;
constexpr uint32_t waiting_at = 8;
constexpr uint32_t rows_at = 12;

class Pattern final : public KeyedFunction {
 public:
  /// `schema`: the key fields, match_start, match_end, the measures.
  Pattern(PatternSpec spec, const Schema& input, Schema schema, uint32_t rows_max, std::vector<StateLayout::Shape> shape,
          Arena& arena, const std::string& pool)
      : schema_(std::move(schema)),
        row_(input),
        row_bytes_(8 + row_.bytes()),
        rows_max_(rows_max),
        matcher_(std::move(spec), input.size(), arena, pool),
        shape_(std::move(shape)) {
    values_ = arena.take<Value>(input.size(), pool + ".row-taken", "1 row x " + std::to_string(input.size()) + " fields");
    row_bytes_taken_ = arena.take<uint8_t>(row_bytes_, pool + ".row-taken", "");
    result_ = arena.take<Value>(schema_.size(), pool + ".result", "1 row x " + std::to_string(schema_.size()) + " fields");
  }

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return matcher_at() + matcher_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "pattern";
    layout.shape = shape_;
    layout.fields.add_time("taken");
    layout.fields.add_u32("waiting");
    StoredFields& row = layout.fields.add_list("rows", rows_max_, "waiting");
    row.add_time("time");
    row_.describe(row, "record");
    matcher_.describe(layout.fields);
  }
  bool uses_event_timers() const override { return true; }
  /// Rows are sorted here.
  bool needs_order() const override { return false; }
  uint32_t fan_out() const override { return matcher_.spec().partial_max; }

  bool valid(const uint8_t* state) const override {
    const auto waiting = load<uint32_t>(state + waiting_at);
    if (waiting > rows_max_) return false;
    for (uint32_t index = 0; index < waiting; ++index) {
      if (!row_.valid(state + row_at(index) + 8)) return false;
      if (index > 0 && time_of(state, index) < time_of(state, index - 1)) return false;
    }
    return matcher_.valid(state + matcher_at());
  }

  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    return record.event_time_ms <= watermark_ms ? Outcome::Late : Outcome::Applied;
  }

  Outcome process(const Record& record, KeyContext& context) override {
    const int64_t time_ms = record.event_time_ms;
    if (admit(record, context.watermark_ms()) == Outcome::Late) return Outcome::Late;
    if (!context.is_new() && time_ms < load<int64_t>(context.peek() + taken_ms_at)) return Outcome::Late;
    uint8_t* state = context.state().data();
    if (context.is_new()) store(state + taken_ms_at, INT64_MIN);
    if (load<uint32_t>(state + waiting_at) == rows_max_) {
      if (time_ms < time_of(state, 0)) return Outcome::Late;
      take_oldest(context);
    }
    insert(state, record);
    arm(context);
    return Outcome::Applied;
  }

  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    uint8_t* state = context.state().data();
    if (load<uint32_t>(state + waiting_at) > 0 && time_of(state, 0) <= time_ms)
      take_oldest(context);
    else
      matcher_.expire(state + matcher_at(), time_ms,
                      [&](const PatternMatcher::Match& match) { report(match, time_ms, context); });
    arm(context);
  }

 private:
  uint32_t row_at(uint32_t index) const { return rows_at + index * row_bytes_; }
  uint32_t matcher_at() const { return row_at(rows_max_); }
  int64_t time_of(const uint8_t* state, uint32_t index) const { return load<int64_t>(state + row_at(index)); }

  /// Behind those with the same time, so that equal times keep the order in which they came.
  void insert(uint8_t* state, const Record& record) const {
    const auto waiting = load<uint32_t>(state + waiting_at);
    uint32_t place = waiting;
    while (place > 0 && time_of(state, place - 1) > record.event_time_ms) --place;
    memmove(state + row_at(place + 1), state + row_at(place), size_t{waiting - place} * row_bytes_);
    store(state + row_at(place), record.event_time_ms);
    row_.put(state + row_at(place) + 8, record.values);
    store(state + waiting_at, waiting + 1);
  }

  void take_oldest(KeyContext& context) {
    uint8_t* state = context.state().data();
    memcpy(row_bytes_taken_.data(), state + row_at(0), row_bytes_);
    const uint32_t rest = load<uint32_t>(state + waiting_at) - 1;
    memmove(state + row_at(0), state + row_at(1), size_t{rest} * row_bytes_);
    store(state + waiting_at, rest);
    const auto time_ms = load<int64_t>(row_bytes_taken_.data());
    store(state + taken_ms_at, time_ms);
    row_.get(row_bytes_taken_.data() + 8, values_);
    const uint32_t given_up = matcher_.take_row(state + matcher_at(), values_, time_ms,
                                                [&](const PatternMatcher::Match& match) { report(match, time_ms, context); });
    for (uint32_t index = 0; index < given_up; ++index) context.note_evicted();
  }

  /// The time of a result is the time at which it was certain: earlier, it could come too late for a window behind this step.
  void report(const PatternMatcher::Match& match, int64_t time_ms, KeyContext& context) const {
    auto next = std::ranges::copy(context.key(), result_.begin()).out;
    *next++ = Value::of_time(match.start_ms);
    *next++ = Value::of_time(match.end_ms);
    std::ranges::copy(match.measures, next);
    context.emit(result_, time_ms, match.first_row);
  }

  /// A key of which nothing is waited for gives its state back.
  void arm(KeyContext& context) const {
    const uint8_t* state = context.peek();
    int64_t next_ms = matcher_.next_expiry(state + matcher_at());
    if (load<uint32_t>(state + waiting_at) > 0) next_ms = std::min(next_ms, time_of(state, 0));
    if (next_ms == no_timer && load<uint32_t>(state + waiting_at) == 0) return context.forget();
    context.set_event_timer(next_ms);
  }

  Schema schema_;
  RowCell row_;
  uint32_t row_bytes_;
  uint32_t rows_max_;
  PatternMatcher matcher_;
  std::vector<StateLayout::Shape> shape_;
  std::span<Value> values_;
  std::span<uint8_t> row_bytes_taken_;
  std::span<Value> result_;
};

/// last(a.x, 1): the value before the last one of a, not counting nulls. Accumulator: two cells.
class Previous final : public Aggregate {
 public:
  Previous(Type type, uint32_t max_length) : cell_(type, max_length), max_length_(max_length), type_(type) {}
  Type type() const override { return type_; }
  uint32_t max_length() const override { return max_length_; }
  uint32_t bytes() const override { return 2 * cell_.bytes(); }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    memcpy(at, at + cell_.bytes(), cell_.bytes());
    cell_.put(at + cell_.bytes(), value);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    for (uint32_t each : {uint32_t{0}, cell_.bytes()}) add(into, cell_.get(from + each), 0);
  }
  Value result(const uint8_t* at) const override { return cell_.get(at); }
  bool valid(const uint8_t* at) const override { return cell_.valid(at) && cell_.valid(at + cell_.bytes()); }

 private:
  ValueCell cell_;
  uint32_t max_length_;
  Type type_;
};

bool is_previous(const AggregateCall& call) {
  return call.function == "last" && call.parameters.size() == 1 && call.parameters[0].value.type() == Type::Int &&
         call.parameters[0].value.as_int() == 1;
}

std::vector<std::string> variable_names(StepBuild& build) {
  std::vector<std::string> names;
  for (const NamedExpression& each : build.options().expressions("sequence")) names.push_back(each.name);
  if (names.empty() || names.size() > PatternSpec::variables_max)
    build.error("sequence", "a sequence has 1 to " + std::to_string(PatternSpec::variables_max) + " conditions");
  return names;
}

void add_measure(StepBuild& build, const NamedExpression& named, const std::vector<std::string>& names, PatternSpec& spec) {
  Text call_text = named.expression;
  const int variable = take_variable(call_text.value, names);
  if (variable < 0) {
    build.report(named.expression,
                 {{0, named.expression.value.size(),
                   "a measure is about one condition's records: function(condition.value) or count(condition)", ""}});
    return;
  }
  PatternMeasure measure;
  measure.variable = static_cast<size_t>(variable);
  AggregateCall call;
  std::vector<ExpressionError> errors;
  if (compile_aggregate_call(call_text.value, build.input(), call, errors)) {
    if (is_previous(call) && call.argument.type() != Type::Null) {
      measure.aggregation.aggregate = std::make_unique<Previous>(call.argument.type(), call.argument.max_length());
      measure.aggregation.argument = std::move(call.argument);
      measure.aggregation.name = named.name;
    } else {
      (void)make_aggregation(named.name, call_text.value, std::move(call), measure.aggregation, errors);
    }
  }
  build.report(named.expression, errors);
  if (!errors.empty()) return;
  measure.aggregation.argument.bind_scratch(build.arena(), build.pool());
  spec.measures.push_back(std::move(measure));
}

/// What conditions see: the input's fields and then the measures.
Schema condition_schema(StepBuild& build, const PatternSpec& spec) {
  Schema schema = build.input();
  for (const PatternMeasure& each : spec.measures) {
    const Aggregate& aggregate = *each.aggregation.aggregate;
    build.add_field(schema, {each.aggregation.name, aggregate.type(), aggregate.max_length()}, "measures");
  }
  return schema;
}

/// How single conditions follow what is before them, where that differs from `contiguity`.
void set_contiguities(StepBuild& build, PatternSpec& spec) {
  for (const NamedExpression& each : build.options().expressions("follow")) {
    const auto variable = std::ranges::find(spec.variables, each.name, &PatternVariable::name);
    const std::string& wanted = each.expression.value;
    if (variable == spec.variables.end())
      build.report(each.expression, {{0, wanted.size(), "there is no condition \"" + each.name + "\"", ""}});
    else if (wanted != "strict" && wanted != "relaxed")
      build.report(each.expression, {{0, wanted.size(), "a condition follows \"strict\" or \"relaxed\"", ""}});
    else
      variable->relaxed = wanted == "relaxed";
  }
}

void add_variables(StepBuild& build, const Schema& schema, PatternSpec& spec) {
  for (const NamedExpression& each : build.options().expressions("sequence")) {
    PatternVariable variable;
    variable.name = each.name;
    variable.condition = build.expression(each.expression, Type::Bool, schema);
    variable.relaxed = build.options().text("contiguity").value == "relaxed";
    spec.variables.push_back(std::move(variable));
  }
  for (const NamedExpression& each : build.options().expressions("repeat")) {
    const auto variable = std::ranges::find(spec.variables, each.name, &PatternVariable::name);
    if (variable == spec.variables.end())
      build.report(each.expression, {{0, each.expression.value.size(), "there is no condition \"" + each.name + "\"", ""}});
    else if (!parse_quantifier(each.expression.value, *variable))
      build.report(each.expression, {{0, each.expression.value.size(),
                                      "\"" + each.expression.value +
                                          "\" says not how often: there are ? * + {3} {2,} {,4} {2,4}, "
                                          "and each with a ? behind it for as few as possible",
                                      ""}});
  }
  set_contiguities(build, spec);
  if (std::ranges::all_of(spec.variables, [](const PatternVariable& each) { return each.least == 0; }))
    build.error("repeat", "the sequence could match without any record; one condition must need one");
}

Schema result_schema(StepBuild& build, const PatternSpec& spec) {
  Schema schema = build.key_schema();
  build.add_field(schema, {"match_start", Type::Time, 0}, "pattern");
  build.add_field(schema, {"match_end", Type::Time, 0}, "pattern");
  for (const PatternMeasure& each : spec.measures) {
    const Aggregate& aggregate = *each.aggregation.aggregate;
    build.add_field(schema, {each.aggregation.name, aggregate.type(), aggregate.max_length()}, "measures");
  }
  return schema;
}

/// Whatever decides about the meaning of stored bytes.
std::vector<StateLayout::Shape> shape_of(const StepBuild& build) {
  std::vector<StateLayout::Shape> shape;
  for (const char* table : {"sequence", "repeat", "measures"})
    for (const NamedExpression& each : build.options().expressions(table))
      shape.emplace_back(table, each.name + " = " + each.expression.value);
  return shape;
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  PatternSpec spec;
  spec.within_ms = options.integer("within");
  spec.past_last = options.text("skip").value == "past-last";
  spec.partial_max = static_cast<uint32_t>(options.integer("max_partial"));
  const auto rows_max = static_cast<uint32_t>(options.integer("max_rows"));
  const std::vector<std::string> names = variable_names(build);
  for (const NamedExpression& each : options.expressions("measures")) add_measure(build, each, names, spec);
  if (!build.good()) return nullptr;
  const Schema conditions = condition_schema(build, spec);
  add_variables(build, conditions, spec);
  Schema schema = result_schema(build, spec);
  if (!build.good()) return nullptr;
  return build.keyed(std::make_unique<Pattern>(std::move(spec), build.input(), std::move(schema), rows_max, shape_of(build),
                                               build.arena(), build.pool()));
}

constexpr const char* contiguities[] = {"strict", "relaxed"};
constexpr const char* skips[] = {"past-last", "next-record"};

constexpr StepOption options[] = {
    {.key = "sequence",
     .type = StepOptionType::ExpressionTable,
     .required = true,
     .documentation =
         "1 to 8 named conditions in the order in which records must meet them. A condition sees the record's fields "
         "and the measures, those with the record in question already taken.",
     .example = "sequence = { low = \"value < 10\", high = \"value > 90\" }"},
    {.key = "repeat",
     .type = StepOptionType::ExpressionTable,
     .table_of = "repetitions",
     .documentation = "How many records a condition takes, if not one: `?` `*` `+` `{3}` `{2,}` `{,4}` `{2,4}`, as many as "
                      "possible; with a `?` behind it as few as possible.",
     .example = "repeat = { low = \"+\", high = \"{2,}?\" }"},
    {.key = "measures",
     .type = StepOptionType::ExpressionTable,
     .table_of = "aggregates",
     .documentation =
         "Fields of the result, each an aggregate over the records that one condition took: "
         "`function(condition.value)`, `count(condition)`; `last(condition.value, 1)` is the value before the last.",
     .example = "measures = { lowest = \"min(low.value)\", records = \"count(high)\" }"},
    {.key = "within",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation = "The most time from the first to the last record of a match, this included.",
     .example = "within = \"5min\""},
    {.key = "contiguity",
     .type = StepOptionType::Choice,
     .standard = "strict",
     .choices = contiguities,
     .documentation = "`strict`: a record that fits nowhere ends the attempt. `relaxed`: it is passed over.",
     .example = "contiguity = \"relaxed\""},
    {.key = "follow",
     .type = StepOptionType::ExpressionTable,
     .documentation = "The contiguity of single conditions, where it is not that of the sequence: `strict` (the record comes "
                      "right behind the one before, Flink's `next`) or `relaxed` (Flink's `followedBy`). It holds for each "
                      "record that the condition takes.",
     .example = "follow = { high = \"relaxed\" }"},
    {.key = "skip",
     .type = StepOptionType::Choice,
     .standard = "past-last",
     .choices = skips,
     .documentation = "Where the next match may begin: behind the last record of a match, or behind its first.",
     .example = "skip = \"next-record\""},
    {.key = "max_partial",
     .type = StepOptionType::Integer,
     .standard = "16",
     .minimum = "1",
     .maximum = "256",
     .documentation = "Attempts kept per key. When there would be more, the latest begun are given up and counted as evicted.",
     .example = "max_partial = 32"},
    {.key = "max_rows",
     .type = StepOptionType::Integer,
     .standard = "32",
     .minimum = "1",
     .maximum = "4096",
     .documentation =
         "Records per key that wait to be sorted by time. When there would be more, the oldest is taken at once, and "
         "older ones are late.",
     .example = "max_rows = 100"},
};

}  // namespace

const StepKind pattern_step = {
    .verb = "pattern",
    .documentation = "Verb: a sequence of conditions within a time (as SQL's MATCH_RECOGNIZE).",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .make = make,
};

}  // namespace weir
