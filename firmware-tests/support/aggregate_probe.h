// AggregateProbe: one aggregate with its accumulator, compiled from its call over the field x of a given type.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "firmware-tests/support/operator_probe.h"

namespace weir::test {

class AggregateProbe {
 public:
  explicit AggregateProbe(const std::string& call, Type type = Type::Float, uint32_t max_length = 0)
      : schema_(schema_of({{"x", type, max_length}})), made_(aggregation_of("x", call, schema_)) {
    empty();
  }

  void empty() { bytes_.assign(made_.aggregate->bytes() + 2, 0); }
  AggregateProbe& add(const Value& value, int64_t time_ms) {
    made_.aggregate->add(at(), value, time_ms);
    WEIR_ASSERT(bytes_.front() == 0 && bytes_.back() == 0);  // nothing beside the accumulator is touched
    return *this;
  }
  void merge(const AggregateProbe& later) {
    made_.aggregate->merge(at(), later.at());
    WEIR_ASSERT(bytes_.front() == 0 && bytes_.back() == 0);
  }
  Value value() const { return made_.aggregate->result(at()); }
  std::string result() const { return text_of(value()); }
  bool valid() const { return made_.aggregate->valid(at()); }
  uint8_t* at() { return bytes_.data() + 1; }  // not aligned for anything
  const uint8_t* at() const { return bytes_.data() + 1; }
  const Aggregate& aggregate() const { return *made_.aggregate; }
  bool same_bytes(const AggregateProbe& other) const { return bytes_ == other.bytes_; }

 private:
  Schema schema_;
  Aggregation made_;
  std::vector<uint8_t> bytes_;
};

/// Numbers with the event times that they have, in ms.
using TimedNumbers = std::vector<std::pair<double, int64_t>>;

/// The result of the call over floats.
inline std::string over_floats(const char* call, const TimedNumbers& numbers) {
  AggregateProbe probe(call);
  for (const auto& [number, time_ms] : numbers) probe.add(Value::of_float(number), time_ms);
  return probe.result();
}

/// The same over ints.
inline std::string over_ints(const char* call, const std::vector<std::pair<int64_t, int64_t>>& numbers) {
  AggregateProbe probe(call, Type::Int);
  for (const auto& [number, time_ms] : numbers) probe.add(Value::of_int(number), time_ms);
  return probe.result();
}

}  // namespace weir::test
