// Functions of times: parts of the calendar as a wall clock of the call's zone shows them. A time outside the years 1 to 9999
// there has no calendar; what is asked about it is null.
#include <optional>

#include "agent/base/civil_time.h"
#include "agent/expression/arithmetic.h"
#include "agent/expression/function_calls.h"

namespace weir::calls {
namespace {

bool has_calendar(int64_t local_ms) { return local_ms >= civil_min_ms && local_ms <= civil_max_ms; }

template <class Part>
Value part(Arguments arguments, const CallAid& aid, Part of_time) {
  const int64_t local_ms = aid.zone->local_of(arguments[0].as_int());
  if (!has_calendar(local_ms)) return Value::null();
  return Value::of_int(static_cast<int64_t>(of_time(civil_of(local_ms))));
}

int64_t begin_of_days(int64_t local_ms, TimeUnit unit) {
  const CivilTime t = civil_of(local_ms);
  switch (unit) {
    case TimeUnit::Week:
      return floor_to(local_ms, day_ms) - (int64_t{t.weekday} - 1) * day_ms;
    case TimeUnit::Month:
      return local_of_date(t.year, t.month, 1);
    case TimeUnit::Quarter:
      return local_of_date(t.year, (t.month - 1) / 3 * 3 + 1, 1);
    case TimeUnit::Year:
      return local_of_date(t.year, 1, 1);
    default:
      return floor_to(local_ms, day_ms);
  }
}

}  // namespace

Value year(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.year; });
}

Value month(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.month; });
}

Value day(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.day; });
}

Value hour(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.hour; });
}

Value minute(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.minute; });
}

Value second(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.second; });
}

Value day_of_week(Arguments arguments, const CallAid& aid) {
  return part(arguments, aid, [](const CivilTime& t) { return t.weekday; });
}

/// Hours and less begin by the offset that holds at the time itself, so that of two hours with the same name, where clocks are
/// set back, each is its own. Days and more begin when a wall clock first shows their beginning.
Value truncate_time(Arguments arguments, const CallAid& aid) {
  const int64_t utc_ms = arguments[0].as_int();
  const int64_t local_ms = aid.zone->local_of(utc_ms);
  if (!has_calendar(local_ms)) return Value::null();
  if (aid.unit >= TimeUnit::Day) return Value::of_time(aid.zone->utc_of_local(begin_of_days(local_ms, aid.unit)));
  return Value::of_time(utc_ms - (local_ms - floor_to(local_ms, unit_length_ms(aid.unit))));
}

Value time_diff(Arguments arguments, const CallAid& aid) {
  const Value difference = integer_arithmetic(Arithmetic::Subtract, arguments[0].as_int(), arguments[1].as_int(), Type::Int);
  return difference.is_null() ? difference : Value::of_int(difference.as_int() / unit_length_ms(aid.unit));
}

}  // namespace weir::calls
