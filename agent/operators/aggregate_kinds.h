// The makers behind make_aggregation, one family per file. `argument` is the type of the argument's values and `max_length` its
// bound in bytes, both already checked, as are the parameters.
#pragma once

#include "agent/operators/aggregate.h"

namespace weir {

using AggregatePointer = std::unique_ptr<Aggregate>;

/// Bytes of what collect(x, n) yields, at most; make_aggregation refuses what could become longer.
constexpr uint32_t collect_text_max = 4096;

// aggregate_count.cpp
AggregatePointer make_count(bool of_values);
// aggregate_sum.cpp
AggregatePointer make_sum(Type argument);
AggregatePointer make_average();
// aggregate_variance.cpp
AggregatePointer make_variance(bool of_sample);
AggregatePointer make_deviation(bool of_sample);
// aggregate_extreme.cpp
AggregatePointer make_minimum(Type argument, uint32_t max_length);
AggregatePointer make_maximum(Type argument, uint32_t max_length);
// aggregate_position.cpp
AggregatePointer make_first(Type argument, uint32_t max_length);
AggregatePointer make_last(Type argument, uint32_t max_length);
// aggregate_change.cpp
AggregatePointer make_rate(Type argument);
AggregatePointer make_delta(Type argument);
AggregatePointer make_increase(Type argument);
// aggregate_slope.cpp
AggregatePointer make_slope();
// aggregate_time_weighted.cpp
AggregatePointer make_time_weighted_average();
// aggregate_sketch.cpp
AggregatePointer make_percentile(double percent, double error);
AggregatePointer make_distinct(uint32_t precision);
// aggregate_collect.cpp
AggregatePointer make_collect(Type argument, uint32_t max_length, uint32_t values_max);

}  // namespace weir
