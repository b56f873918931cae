// The aggregates that exist, as one table: names, what they take, how they are made, and a line about each. Constants; start-up
// only.
#pragma once

#include <array>
#include <span>

#include "agent/model/type_set.h"
#include "agent/operators/aggregate_kinds.h"

namespace weir {

/// A number behind the argument.
struct ParameterRule {
  const char* name;
  double minimum;
  double maximum;
  bool whole;
  bool required;
  double standard;
};

constexpr size_t aggregate_parameters_max = 2;

/// What a call comes to: all checked against the function's row.
struct AggregateArguments {
  bool has_argument = false;
  Type type = Type::Null;
  uint32_t max_length = 0;
  std::array<double, aggregate_parameters_max> parameters{};
};

struct AggregateFunction {
  const char* name;
  TypeSet takes;
  bool argument_needed;
  const char* usage;    // "percentile(x, 95)"
  const char* summary;  // one line
  AggregatePointer (*make)(const AggregateArguments& arguments);
  std::span<const ParameterRule> parameters = {};
};

std::span<const AggregateFunction> aggregate_functions();

}  // namespace weir
