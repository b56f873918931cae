// Years, months and days of local times, by the proleptic Gregorian calendar (<chrono>): pure arithmetic, the same everywhere,
// no heap. A local time is what a wall clock shows, in milliseconds, counted as if it were UTC (see TimeZone).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace weir {

constexpr int64_t day_ms = 86'400'000;

struct CivilTime {
  int year = 1970;
  unsigned month = 1;  // 1 to 12
  unsigned day = 1;    // 1 to 31
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned millisecond = 0;
  unsigned weekday = 4;  // ISO 8601: Monday is 1, Sunday 7
};

/// 0001-01-01 00:00:00.000 and the last millisecond of 9999: the calendar of ISO 8601 and of this header.
constexpr int64_t civil_min_ms = -62'135'596'800'000;
constexpr int64_t civil_max_ms = 253'402'300'799'999;

constexpr int64_t floor_to(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

/// Requires civil_min_ms <= local_ms <= civil_max_ms.
constexpr CivilTime civil_of(int64_t local_ms) {
  const int64_t midnight_ms = floor_to(local_ms, day_ms);
  const std::chrono::sys_days days{std::chrono::days{midnight_ms / day_ms}};
  const std::chrono::year_month_day date{days};
  const auto of_day = static_cast<unsigned>(local_ms - midnight_ms);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          of_day / 3'600'000,
          of_day / 60'000 % 60,
          of_day / 1000 % 60,
          of_day % 1000,
          std::chrono::weekday{days}.iso_encoding()};
}

/// Midnight of a day; the date must exist and lie in the years 1 to 9999.
constexpr int64_t local_of_date(int year, unsigned month, unsigned day) {
  const std::chrono::sys_days days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)};
  return days.time_since_epoch().count() * day_ms;
}

}  // namespace weir
