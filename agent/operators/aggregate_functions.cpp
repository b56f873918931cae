#include "agent/operators/aggregate_functions.h"

#include "agent/operators/hyperloglog.h"

namespace weir {
namespace {

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
    {"count", all_types | Type::Null, false, "count()", "Records; count(x): records in which x is not null.",
     [](const Arguments& given) { return make_count(given.has_argument); }},
    {"sum", number_types, true, "sum(x)", "The sum.", [](const Arguments& given) { return make_sum(given.type); }},
    {"avg", number_types, true, "avg(x)", "The arithmetic mean.", [](const Arguments&) { return make_average(); }},
    {"min", ordered_types, true, "min(x)", "The smallest value.",
     [](const Arguments& given) { return make_minimum(given.type, given.max_length); }},
    {"max", ordered_types, true, "max(x)", "The largest value.",
     [](const Arguments& given) { return make_maximum(given.type, given.max_length); }},
    {"first", all_types, true, "first(x)", "The value of the earliest event time.",
     [](const Arguments& given) { return make_first(given.type, given.max_length); }},
    {"last", all_types, true, "last(x)", "The value of the latest event time.",
     [](const Arguments& given) { return make_last(given.type, given.max_length); }},
    {"stddev", number_types, true, "stddev(x)", "Standard deviation of a sample (divided by n - 1).",
     [](const Arguments&) { return make_deviation(true); }},
    {"stddev_pop", number_types, true, "stddev_pop(x)", "Standard deviation of a whole population (divided by n).",
     [](const Arguments&) { return make_deviation(false); }},
    {"variance", number_types, true, "variance(x)", "Variance of a sample (divided by n - 1).",
     [](const Arguments&) { return make_variance(true); }},
    {"var_pop", number_types, true, "var_pop(x)", "Variance of a whole population (divided by n).",
     [](const Arguments&) { return make_variance(false); }},
    {"median", number_types, true, "median(x)", "The middle value, within a stated error.",
     [](const Arguments& given) { return make_percentile(50, given.parameters[0]); }, median_parameters},
    {"percentile", number_types, true, "percentile(x, 95)",
     "The value that so many percent do not exceed, within a stated error.",
     [](const Arguments& given) { return make_percentile(given.parameters[0], given.parameters[1]); }, percentile_parameters},
    {"distinct", all_types, true, "distinct(x)", "How many different values, within a stated error.",
     [](const Arguments& given) { return make_distinct(static_cast<uint32_t>(given.parameters[0])); }, distinct_parameters},
    {"rate", number_types, true, "rate(x)", "Change per second between the first and the last value.",
     [](const Arguments& given) { return make_rate(given.type); }},
    {"delta", number_types, true, "delta(x)", "The last value minus the first.",
     [](const Arguments& given) { return make_delta(given.type); }},
    {"increase", number_types, true, "increase(x)",
     "By how much a counter grew; a smaller value means that it began again at 0.",
     [](const Arguments& given) { return make_increase(given.type); }},
    {"time_weighted_avg", number_types, true, "time_weighted_avg(x)",
     "The mean over time; each value holds until the next one.", [](const Arguments&) { return make_time_weighted_average(); }},
    {"slope", number_types, true, "slope(x)", "Rise per second of the straight line that fits best.",
     [](const Arguments&) { return make_slope(); }},
    {"collect", all_types, true, "collect(x, 10)", "The first so many values as a JSON array in a string.",
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
