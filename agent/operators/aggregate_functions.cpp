#include "agent/operators/aggregate_functions.h"

#include "agent/operators/hyperloglog.h"

namespace weir {
namespace {

constexpr Types numbers = set_of(Type::Int) | set_of(Type::Float);
constexpr Types ordered = numbers | set_of(Type::String) | set_of(Type::Time);
constexpr Types any = ordered | set_of(Type::Bool);

using Arguments = AggregateArguments;

constexpr double error_min = 0.005;
constexpr double error_max = 0.1;
constexpr double error_standard = 0.01;

constexpr ParameterRule median_parameters[] = {{"the error", error_min, error_max, false, false, error_standard}};
constexpr ParameterRule percentile_parameters[] = {{"the percentage", 0, 100, false, true, 0},
                                                   {"the error", error_min, error_max, false, false, error_standard}};
constexpr ParameterRule distinct_parameters[] = {
    {"the precision", HyperLogLog::precision_min, HyperLogLog::precision_max, true, false, 10}};
constexpr ParameterRule collect_parameters[] = {{"the number of values", 1, 100, true, true, 0}};

constexpr AggregateFunction functions[] = {
    {"count", any | set_of(Type::Null), false, "count()", "Records; count(x): records in which x is not null.",
     [](const Arguments& given) { return make_count(given.has_argument); }},
    {"sum", numbers, true, "sum(x)", "The sum.", [](const Arguments& given) { return make_sum(given.type); }},
    {"avg", numbers, true, "avg(x)", "The arithmetic mean.", [](const Arguments&) { return make_average(); }},
    {"min", ordered, true, "min(x)", "The smallest value.",
     [](const Arguments& given) { return make_minimum(given.type, given.max_length); }},
    {"max", ordered, true, "max(x)", "The largest value.",
     [](const Arguments& given) { return make_maximum(given.type, given.max_length); }},
    {"first", any, true, "first(x)", "The value of the earliest event time.",
     [](const Arguments& given) { return make_first(given.type, given.max_length); }},
    {"last", any, true, "last(x)", "The value of the latest event time.",
     [](const Arguments& given) { return make_last(given.type, given.max_length); }},
    {"stddev", numbers, true, "stddev(x)", "Standard deviation of a sample (divided by n - 1).",
     [](const Arguments&) { return make_deviation(true); }},
    {"stddev_pop", numbers, true, "stddev_pop(x)", "Standard deviation of a whole population (divided by n).",
     [](const Arguments&) { return make_deviation(false); }},
    {"variance", numbers, true, "variance(x)", "Variance of a sample (divided by n - 1).",
     [](const Arguments&) { return make_variance(true); }},
    {"var_pop", numbers, true, "var_pop(x)", "Variance of a whole population (divided by n).",
     [](const Arguments&) { return make_variance(false); }},
    {"median", numbers, true, "median(x)", "The middle value, within a stated error.",
     [](const Arguments& given) { return make_percentile(50, given.parameters[0]); }, median_parameters},
    {"percentile", numbers, true, "percentile(x, 95)", "The value that so many percent do not exceed, within a stated error.",
     [](const Arguments& given) { return make_percentile(given.parameters[0], given.parameters[1]); }, percentile_parameters},
    {"distinct", any, true, "distinct(x)", "How many different values, within a stated error.",
     [](const Arguments& given) { return make_distinct(static_cast<uint32_t>(given.parameters[0])); }, distinct_parameters},
    {"rate", numbers, true, "rate(x)", "Change per second between the first and the last value.",
     [](const Arguments& given) { return make_rate(given.type); }},
    {"delta", numbers, true, "delta(x)", "The last value minus the first.",
     [](const Arguments& given) { return make_delta(given.type); }},
    {"increase", numbers, true, "increase(x)", "By how much a counter grew; a smaller value means that it began again at 0.",
     [](const Arguments& given) { return make_increase(given.type); }},
    {"time_weighted_avg", numbers, true, "time_weighted_avg(x)", "The mean over time; each value holds until the next one.",
     [](const Arguments&) { return make_time_weighted_average(); }},
    {"slope", numbers, true, "slope(x)", "Rise per second of the straight line that fits best.",
     [](const Arguments&) { return make_slope(); }},
    {"collect", any, true, "collect(x, 10)", "The first so many values as a JSON array in a string.",
     [](const Arguments& given) {
       return make_collect(given.type, given.max_length, static_cast<uint32_t>(given.parameters[0]));
     },
     collect_parameters},
};

constexpr bool parameters_fit() {
  for (const AggregateFunction& function : functions)
    if (function.parameters.size() > aggregate_parameters_max) return false;
  return true;
}
static_assert(parameters_fit());

}  // namespace

std::span<const AggregateFunction> aggregate_functions() { return functions; }

}  // namespace weir
