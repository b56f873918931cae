// throttle: at most `records` records of a key per `interval`; the first ones go on, the rest is filtered out. An interval
// begins with a record that goes on while none is running: [t, t + interval).
//
// State of a key: i64 event time at which the interval began, u32 records that went on in it (0: none has begun yet).
#include "agent/operators/elapsed.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t begin_at = 0;
constexpr uint32_t count_at = 8;
constexpr uint32_t bytes_of_state = 12;

class Throttle final : public KeyedFunction {
 public:
  Throttle(int64_t interval_ms, uint32_t records, const Schema& input)
      : interval_ms_(interval_ms), records_(records), schema_(input) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return bytes_of_state; }
  void describe(StateLayout& layout) const override {
    layout.kind = "throttle";
    layout.fields.add_time("begin");
    layout.fields.add_u32("count");
  }
  bool valid(const uint8_t* state) const override {
    (void)state;  // any time and any count can be
    return true;
  }

  Outcome process(const Record& record, KeyContext& context) override {
    const auto count = load<uint32_t>(context.peek() + count_at);
    const bool begins =
        count == 0 || elapsed_ms(load<int64_t>(context.peek() + begin_at), record.event_time_ms) >= interval_ms_;
    if (!begins && count >= records_) return Outcome::Filtered;
    uint8_t* state = context.state().data();
    if (begins) store(state + begin_at, record.event_time_ms);
    store(state + count_at, begins ? 1 : count + 1);
    return context.forward(record);
  }

 private:
  int64_t interval_ms_;
  uint32_t records_;
  const Schema& schema_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  return build.keyed(std::make_unique<Throttle>(options.integer("interval"), static_cast<uint32_t>(options.integer("records")),
                                                build.input()));
}

constexpr StepOption options[] = {
    {.key = "interval",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation = "How long an interval lasts, in event time. It begins with the first record that goes on; a record that "
                      "comes exactly one interval later begins the next.",
     .example = "interval = \"10s\""},
    {.key = "records",
     .type = StepOptionType::Integer,
     .standard = "1",
     .minimum = "1",
     .maximum = "1000000",
     .documentation = "How many records of a key go on in an interval: the first ones.",
     .example = "records = 5"},
};

}  // namespace

const StepKind throttle_step = {
    .verb = "throttle",
    .documentation = "Verb: at most so many records of a key per interval go on.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
