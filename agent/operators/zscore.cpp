// zscore: by how many standard deviations a value differs from the mean of the values before it, over all of the key's history
// or over the last ones, and whether that is too many. A record in which the field is null goes on with nulls and teaches
// nothing. The score is null while there are fewer values than min_samples, and where they do not vary.
//
// State of a key: Spread (u64 count, f64 mean, f64 squares), or a SampleRing if `samples` is given.
#include <cmath>

#include "agent/expression/arithmetic.h"
#include "agent/operators/added_fields.h"
#include "agent/operators/spread.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

struct Scoring {
  uint32_t field = 0;
  uint32_t samples = 0;  // 0: all of the history
  uint64_t min_samples = 2;
  double threshold = 0;
  bool learn_all = true;
  // Positions in the result.
  uint32_t z = 0, anomaly = 0;
};

class ZScore final : public KeyedFunction {
 public:
  ZScore(Scoring scoring, AddedFields fields)
      : scoring_(scoring), ring_(std::max(1U, scoring.samples), false), fields_(std::move(fields)) {}

  const Schema& schema() const override { return fields_.schema(); }
  uint32_t state_bytes() const override { return windowed() ? ring_.bytes() : sizeof(Spread); }
  void describe(StateLayout& layout) const override {
    layout.kind = "zscore";
    layout.add_shape("field", schema()[scoring_.field].name);
    if (windowed()) return ring_.describe(layout.fields);
    layout.fields.add_u64("count");
    layout.fields.add_f64("mean");
    layout.fields.add_f64("squares");
  }
  bool valid(const uint8_t* state) const override {
    if (windowed()) return ring_.valid(state);
    const auto spread = load<Spread>(state);
    return spread.finite() && spread.squares >= 0;
  }

  Outcome process(const Record& record, KeyContext& context) override {
    fields_.begin(record);
    const Value& value = record.values[scoring_.field];
    if (!value.is_null() && !judge(to_float(value), context.peek())) learn(to_float(value), context.state().data());
    return context.forward(record, fields_.row());
  }

 private:
  bool windowed() const { return scoring_.samples > 0; }

  /// Whether the value must not be learned from.
  bool judge(double value, const uint8_t* state) {
    const Spread spread = windowed() ? spread_of(ring_, state) : load<Spread>(state);
    if (spread.count < scoring_.min_samples) return false;
    const double deviation = spread.deviation();
    if (!(deviation > 0) || !std::isfinite(deviation)) return false;
    const double z = (value - spread.mean) / deviation;
    if (!std::isfinite(z)) return false;
    const bool anomaly = std::fabs(z) > scoring_.threshold;
    fields_.set(scoring_.z, z);
    fields_.set(scoring_.anomaly, Value::of_bool(anomaly));
    return anomaly && !scoring_.learn_all;
  }

  /// Where the arithmetic leaves the range of a double the history begins anew with this value.
  void learn(double value, uint8_t* state) const {
    if (windowed()) return ring_.push(state, value);
    auto spread = load<Spread>(state);
    spread.add(value);
    if (!spread.finite()) spread = {.count = 1, .mean = value, .squares = 0};
    store(state, spread);
  }

  Scoring scoring_;
  SampleRing ring_;
  AddedFields fields_;
};

void check(StepBuild& build, const Scoring& scoring) {
  const StepOptions& options = build.options();
  if (options.given("samples") && scoring.min_samples > scoring.samples)
    build.error("min_samples", "\"min_samples\" is more than \"samples\": there would never be a score");
  if (options.given("anomaly") && !options.given("threshold"))
    build.error("anomaly", "\"anomaly\" needs \"threshold\"", "for example: threshold = 3");
  if (!scoring.learn_all && !options.given("threshold"))
    build.error("learn", "learn = \"normal\" needs \"threshold\"", "for example: threshold = 3");
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  Scoring scoring;
  scoring.field = build.field("field", number_types);
  scoring.samples = static_cast<uint32_t>(options.integer("samples"));
  scoring.min_samples = static_cast<uint64_t>(options.integer("min_samples"));
  scoring.threshold = options.number("threshold");
  scoring.learn_all = options.text("learn").value == "all";
  check(build, scoring);
  AddedFields fields(build.input());
  scoring.z = fields.add(build, "z", Type::Float);
  scoring.anomaly = fields.add(build, "anomaly", Type::Bool);
  fields.take_row(build);
  return build.keyed(std::make_unique<ZScore>(scoring, std::move(fields)));
}

constexpr const char* learning[] = {"all", "normal"};

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The int or float field that is judged. Where it is null the results are null.",
     .example = "field = \"temperature\""},
    {.key = "z",
     .type = StepOptionType::Text,
     .standard = "z",
     .minimum = "1",
     .documentation =
         "The name of the new float field with the score: the distance from the mean of the values before, in standard "
         "deviations of the sample.",
     .example = "z = \"score\""},
    {.key = "samples",
     .type = StepOptionType::Integer,
     .minimum = "2",
     .maximum = "1000",
     .documentation = "Compares with the last so many values; without it with all of the key's history.",
     .example = "samples = 100"},
    {.key = "min_samples",
     .type = StepOptionType::Integer,
     .standard = "2",
     .minimum = "2",
     .maximum = "1000000000",
     .documentation = "While there are fewer values before, the results are null.",
     .example = "min_samples = 30"},
    {.key = "threshold",
     .type = StepOptionType::Number,
     .minimum = "0",
     .documentation = "A value is an anomaly if its score is further from 0 than this, either way.",
     .example = "threshold = 3"},
    {.key = "anomaly",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A bool field of this name says whether the value is an anomaly.",
     .example = "anomaly = \"anomaly\""},
    {.key = "learn",
     .type = StepOptionType::Choice,
     .standard = "all",
     .choices = learning,
     .documentation =
         "Whether an anomaly is among the values that later ones are compared with. With `normal` a lasting change of level "
         "stays an anomaly for ever.",
     .example = "learn = \"normal\""},
};

}  // namespace

const StepKind zscore_step = {
    .verb = "zscore",
    .documentation = "Verb: adds how unusual a value is, in standard deviations, and whether that is too much.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
