#include "keyed_average.h"

namespace {

/// What a key's values have come to since its last average.
struct Sum {
  int64_t count = 0;
  int64_t total = 0;

  static constexpr const char* layout = "count:int,total:int";
  bool valid() const { return count > 0; }
};

class KeyedAverage final : public weir::FlatMapFunction {
 public:
  explicit KeyedAverage(weir::FunctionBuild& build)
      : value_(build.input<int64_t>("value")),
        average_(build.output<int64_t>("average")),
        sum_(build.value_state<Sum>("sum")),
        count_(build.options().integer("count")) {}

  void flat_map(const weir::Record& record, weir::Collector& out) override {
    const std::optional<int64_t> value = value_.of(record);
    if (!value) return out.refuse("null", "the value is missing");
    Sum sum = sum_.value();
    ++sum.count;
    if (__builtin_add_overflow(sum.total, *value, &sum.total)) return out.refuse("overflow", "the sum does not fit");
    sum_.update(sum);
    if (sum.count < count_) return;
    average_.set(sum.total / sum.count);
    out.collect();
    sum_.clear();
  }

 private:
  weir::InputField<int64_t> value_;
  weir::OutputField<int64_t> average_;
  weir::ValueState<Sum> sum_;
  int64_t count_;
};

constexpr weir::StepOption options[] = {
    {.key = "count",
     .type = weir::StepOptionType::Integer,
     .standard = "2",
     .minimum = "1",
     .maximum = "1000000",
     .documentation = "Of how many values an average is made.",
     .example = "count = 2"},
};

}  // namespace

const weir::StepKind keyed_average =
    weir::step_kind<KeyedAverage>("keyed-average", "The average of every `count` values of a key.", options);
