// Aggregate: one function over the values of a window, as arithmetic on a fixed number of stored bytes: the same object serves
// every window of its step, the bytes belong to the window. All zero bytes are the empty accumulator. Reactor thread; never
// allocates after it was made; each call is bounded: constant, or linear in the accumulator's bytes.
//
// All of them ignore null. Over no value that is not null the result is null, except that of count and distinct, which is 0.
// Where one value says nothing (a rate, a sample's variance) the result of one is null as well.
//   count()  int     records                          count(x)  int    records in which x is not null
//   sum(x)   as x    int or float; an int sum is exact, and null if it does not fit; floats are compensated (Neumaier)
//   avg(x)   float   of int or float, compensated
//   min(x), max(x)    as x    int, float, string, time; text is ordered by its bytes
//   first(x), last(x) as x    any type, by event time; of equal event times first keeps the earlier arrival, last the later
//   stddev(x), variance(x), stddev_pop(x), var_pop(x)    float    of int or float, divided by n - 1 or n (Welford)
//   median(x, error), percentile(x, percent, error)    float    of int or float; see quantile_sketch.h
//   distinct(x, precision)    int    any type; see hyperloglog.h
//   rate(x)  float   (last - first) / seconds between them    delta(x)  as x    last - first, null if it does not fit
//   increase(x)    as x    sum of the steps up; a value below the one before is a counter that began again at 0; negative
//                          values are passed over
//   time_weighted_avg(x)   float   each value holds until the next one; from the first to the last value
//   slope(x)    float    per second, least squares
//   collect(x, n)    string    JSON array of the n values of the earliest event times; later ones are left out
// increase and time_weighted_avg follow one value from the next: what arrives with an event time between two that were taken is
// passed over, what is earlier than all goes in front.
// docs/aggregates.md states bytes, limits and errors of each.
//
// A float result that is not finite is null, as in expressions. Where floats are summed, merging may differ from adding by
// rounding: for sum and avg by at most 2^-52 of the result and n * 2^-104 of the sum of the magnitudes, if no sum on the way
// leaves the range of a double.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/expression/expression.h"

namespace weir {

class Aggregate {
 public:
  virtual ~Aggregate() = default;
  Aggregate(const Aggregate&) = delete;
  Aggregate& operator=(const Aggregate&) = delete;

  /// Of the result.
  virtual Type type() const = 0;
  /// Bound of a string result in bytes; 0 otherwise.
  virtual uint32_t max_length() const { return 0; }
  /// Of the accumulator.
  virtual uint32_t bytes() const = 0;

  /// Takes one record's value (null for count(), which does not look at it). `at` needs no alignment.
  virtual void add(uint8_t* at, const Value& value, int64_t event_time_ms) const = 0;
  /// Adds all that `from` holds to `into`: what was added to `from` counts as arrived after what was added to `into`, and no
  /// event time of it is earlier. The result is then the same as if all had been added to `into`.
  virtual void merge(uint8_t* into, const uint8_t* from) const = 0;
  /// A string views the accumulator.
  virtual Value result(const uint8_t* at) const = 0;
  /// Whether bytes that come from a disk can be an accumulator.
  virtual bool valid(const uint8_t* at) const = 0;

 protected:
  Aggregate() = default;
};

/// What the step's "name = call" becomes.
struct Aggregation {
  std::string name;
  std::string text;         // the call without blanks that mean nothing: part of the state's layout
  Program argument;         // empty for count()
  std::string filter_text;  // as `text`; empty if there is no filter
  Program filter;           // empty: every record counts; otherwise those for which it is true
  std::string made_by;      // see make_aggregate()
  std::unique_ptr<Aggregate> aggregate;
};

/// What to do about an error in the expression `text`, or "": the name that was meant, or, where an aggregate is called, where
/// that belongs.
std::string expression_help(std::string_view text, const ExpressionError& error);

/// Makes the aggregate that `call`, compiled from `text`, asks for; takes the call's argument. An unknown function (with the
/// nearest name), a missing argument or one of a wrong type is appended to `errors`, and false returned.
bool make_aggregation(std::string name, std::string_view text, AggregateCall call, Aggregation& aggregation,
                      std::vector<ExpressionError>& errors);

/// The aggregate that was made as `made_by`: its function, its argument's type and its parameters, "percentile float 95 0.01".
/// nullptr if there is none such.
std::unique_ptr<Aggregate> make_aggregate(std::string_view made_by);

/// Lets only the records count for which `text` is true; not those for which it is false or null. An error in it is appended
/// to `errors`, and false returned.
bool add_filter(std::string_view text, const Schema& input, Aggregation& aggregation, std::vector<ExpressionError>& errors);

}  // namespace weir
