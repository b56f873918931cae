// The makers behind make_aggregation, one family per file. `argument` is the type of the argument's values, already checked.
#pragma once

#include "agent/operators/aggregate.h"

namespace weir {

using AggregatePointer = std::unique_ptr<Aggregate>;

// aggregate_count.cpp
AggregatePointer make_count(bool of_values);
// aggregate_sum.cpp
AggregatePointer make_sum(Type argument);
AggregatePointer make_average();
// aggregate_extreme.cpp
AggregatePointer make_minimum(Type argument, uint32_t max_length);
AggregatePointer make_maximum(Type argument, uint32_t max_length);
// aggregate_position.cpp
AggregatePointer make_first(Type argument, uint32_t max_length);
AggregatePointer make_last(Type argument, uint32_t max_length);

}  // namespace weir
