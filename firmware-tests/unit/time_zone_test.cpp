// Time zones: known changes of the clocks, both ways; the conversions against each other; and names that must be refused.
#include "agent/base/time_zone.h"
#include "agent/base/civil_time.h"
#include "agent/base/time_zone_name.h"

#include <cstdlib>
#include <ctime>
#include <random>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr int64_t minute_ms = 60'000;
constexpr int64_t hour_ms = 60 * minute_ms;

/// A local time, or a UTC one.
constexpr int64_t at(int year, unsigned month, unsigned day, int64_t hour = 0, int64_t minute = 0) {
  return local_of_date(year, month, day) + hour * hour_ms + minute * minute_ms;
}

}  // namespace

TEST_GROUP(TimeZone) {
  TimeZone zone;

  void load(const char* name) {
    Result<TimeZone> loaded = TimeZone::load(name);
    CHECK_TRUE_TEXT(loaded.ok(), name);
    zone = loaded.value();
    STRCMP_EQUAL(name, zone.name().c_str());
  }

  void is_refused(const char* name) { CHECK_TRUE_TEXT(TimeZone::load(name).status().code() == Code::InvalidArgument, name); }

  void shows(int64_t local_ms, int64_t utc_ms) { CHECK_EQUAL(local_ms, zone.local_of(utc_ms)); }
  void means(int64_t utc_ms, int64_t local_ms) { CHECK_EQUAL(utc_ms, zone.utc_of_local(local_ms)); }

  int64_t day_length(int year, unsigned month, unsigned day) {
    const int64_t midnight = at(year, month, day);
    return zone.utc_of_local(midnight + day_ms) - zone.utc_of_local(midnight);
  }
};

TEST(TimeZone, utc_is_utc) {
  load("UTC");
  shows(0, 0);
  means(1700000000000, 1700000000000);
  shows(INT64_MIN, INT64_MIN);
  shows(INT64_MAX, INT64_MAX);
  means(INT64_MIN, INT64_MIN);
  means(INT64_MAX, INT64_MAX);
}

TEST(TimeZone, vienna_sets_its_clocks_forward_at_one_utc) {
  load("Europe/Vienna");
  shows(at(2024, 3, 31, 1, 59), at(2024, 3, 31, 0, 59));
  shows(at(2024, 3, 31, 3, 0), at(2024, 3, 31, 1, 0));
  CHECK_EQUAL(hour_ms, zone.offset_ms(at(2024, 3, 31, 1) - 1));
  CHECK_EQUAL(2 * hour_ms, zone.offset_ms(at(2024, 3, 31, 1)));
  CHECK_EQUAL(23 * hour_ms, day_length(2024, 3, 31));
  CHECK_EQUAL(24 * hour_ms, day_length(2024, 3, 30));
  CHECK_EQUAL(24 * hour_ms, day_length(2024, 4, 1));
}

TEST(TimeZone, a_time_in_a_gap_means_the_instant_after_it) {
  load("Europe/Vienna");
  means(at(2024, 3, 31, 1) - 1, at(2024, 3, 31, 2) - 1);
  means(at(2024, 3, 31, 1), at(2024, 3, 31, 2));
  means(at(2024, 3, 31, 1), at(2024, 3, 31, 2, 30));
  means(at(2024, 3, 31, 1), at(2024, 3, 31, 3));
  means(at(2024, 3, 31, 1) + 1, at(2024, 3, 31, 3) + 1);
}

TEST(TimeZone, a_time_that_comes_twice_means_the_earlier_one) {
  load("Europe/Vienna");
  shows(at(2024, 10, 27, 2, 30), at(2024, 10, 27, 0, 30));
  shows(at(2024, 10, 27, 2, 30), at(2024, 10, 27, 1, 30));
  means(at(2024, 10, 27, 0, 30), at(2024, 10, 27, 2, 30));
  means(at(2024, 10, 27, 0), at(2024, 10, 27, 2));
  means(at(2024, 10, 27, 1) - 1, at(2024, 10, 27, 3) - 1);
  means(at(2024, 10, 27, 2), at(2024, 10, 27, 3));
  CHECK_EQUAL(25 * hour_ms, day_length(2024, 10, 27));
}

TEST(TimeZone, new_york_changed_its_rules_in_2007) {
  load("America/New_York");
  CHECK_EQUAL(23 * hour_ms, day_length(2006, 4, 2));
  CHECK_EQUAL(24 * hour_ms, day_length(2007, 4, 1));
  CHECK_EQUAL(23 * hour_ms, day_length(2007, 3, 11));
  CHECK_EQUAL(25 * hour_ms, day_length(2099, 11, 1));
  shows(at(1970, 1, 1) - 5 * hour_ms, 0);
  shows(at(1950, 7, 1) - 5 * hour_ms, at(1950, 7, 1));
}

TEST(TimeZone, lord_howe_saves_half_an_hour) {
  load("Australia/Lord_Howe");
  CHECK_EQUAL(24 * hour_ms + 30 * minute_ms, day_length(2024, 4, 7));
  CHECK_EQUAL(23 * hour_ms + 30 * minute_ms, day_length(2024, 10, 6));
  CHECK_EQUAL(10 * hour_ms + 30 * minute_ms, zone.offset_ms(at(2024, 7, 1)));
  CHECK_EQUAL(11 * hour_ms, zone.offset_ms(at(2024, 1, 1)));
}

TEST(TimeZone, days_without_a_midnight_begin_later_and_a_day_may_be_missing) {
  load("America/Sao_Paulo");  // 2018-11-04 began at one o'clock
  means(at(2018, 11, 4, 3), at(2018, 11, 4));
  CHECK_EQUAL(23 * hour_ms, day_length(2018, 11, 4));
  CHECK_EQUAL(24 * hour_ms, day_length(2018, 11, 3));
  load("Pacific/Apia");  // went over the date line and had no 2011-12-30
  CHECK_EQUAL(int64_t{0}, day_length(2011, 12, 30));
  CHECK_EQUAL(24 * hour_ms, day_length(2011, 12, 29));
  CHECK_EQUAL(24 * hour_ms, day_length(2011, 12, 31));
}

TEST(TimeZone, sees_a_daylight_saving_time_of_one_week) {
  load("America/Recife");
  CHECK_EQUAL(23 * hour_ms, day_length(2000, 10, 8));
  CHECK_EQUAL(-2 * hour_ms, zone.offset_ms(at(2000, 10, 12)));
  CHECK_EQUAL(-3 * hour_ms, zone.offset_ms(at(2000, 10, 16)));
}

TEST(TimeZone, offsets_are_east_of_greenwich) {
  load("+05:30");
  shows(5 * hour_ms + 30 * minute_ms, 0);
  means(-5 * hour_ms - 30 * minute_ms, 0);
  load("-03");
  shows(-3 * hour_ms, 0);
  shows(INT64_MIN, INT64_MIN + 1);
  means(INT64_MAX, INT64_MAX - 1);
}

TEST(TimeZone, posix_strings_work_with_their_rules) {
  TimeZone named = TimeZone::load("Europe/Vienna").value();
  load("CET-1CEST,M3.5.0,M10.5.0/3");
  for (int64_t instant = at(2000, 1, 1); instant < at(2100, 12, 31); instant += 1234567890)
    CHECK_EQUAL(named.offset_ms(instant), zone.offset_ms(instant));
  load("<+0530>-5:30");
  CHECK_EQUAL(5 * hour_ms + 30 * minute_ms, zone.offset_ms(0));
  load("EST5");
  CHECK_EQUAL(-5 * hour_ms, zone.offset_ms(at(2024, 7, 1)));
}

TEST(TimeZone, the_grammar_of_posix_strings) {
  for (const char* good : {"CET-1", "UTC0", "<-03>3", "CET-1CEST,M3.5.0,M10.5.0", "CET-1CEST-2,M3.5.0/2,M10.5.0/3:00:00",
                           "IST-1GMT0,M10.5.0,M3.5.0/1", "AAA+24BBB,J1,J365/-167", "AAA1BBB,0,365/167"})
    CHECK_TRUE_TEXT(is_posix_zone(good), good);
  for (const char* bad :
       {"", "CET", "CE1", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0,", "CET-1CEST,J0,J366", "CET-1CEST,1,366", "<+05-5", "CET-1:60",
        "CET-1CEST,M3.5.0/168,M10.5.0", "5", "CET -1"})
    CHECK_FALSE_TEXT(is_posix_zone(bad), bad);
}

TEST(TimeZone, refuses_what_the_library_would_take_for_utc) {
  for (const char* name : {"", "Europe/Wien", "europe/vienna", "CET-1CEST", "Europe", "../../../etc/passwd",
                           "/usr/share/zoneinfo/UTC", "right/UTC", "tzdata.zi", "+19:00", "+05:60", "+5:3x", "18:01", ":UTC"})
    is_refused(name);
  CHECK(TimeZone::load("+18:00").ok());
  is_refused("+18:01");
}

TEST(TimeZone, says_what_to_install_when_there_are_no_zones) {
  setenv("TZDIR", "/nonexistent", 1);
  Status named = TimeZone::load("Europe/Vienna").status();
  CHECK(TimeZone::load("UTC").ok());
  CHECK(TimeZone::load("CET-1CEST,M3.5.0,M10.5.0/3").ok());
  unsetenv("TZDIR");
  CHECK(named.code() == Code::NotFound);
  STRCMP_CONTAINS("install tzdata", named.text());
}

TEST(TimeZone, gives_the_librarys_zone_back) {
  const char* before = getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TZ", "JST-9", 1);
  tzset();
  load("Europe/Vienna");
  STRCMP_EQUAL("JST-9", getenv("TZ"));
  LONGS_EQUAL(-9 * 3600, timezone);
  unsetenv("TZ");
  load("Europe/Vienna");
  POINTERS_EQUAL(nullptr, getenv("TZ"));
  if (before != nullptr) setenv("TZ", kept.c_str(), 1);
  tzset();
}

TEST(TimeZone, the_conversions_agree_with_each_other) {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  const std::string told = "seed " + std::to_string(seed);
  for (const char* name : {"Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"}) {
    load(name);
    for (int round = 0; round < 5000; ++round) {
      const int64_t utc_ms = std::uniform_int_distribution<int64_t>(0, at(2100, 12, 31))(random);
      const int64_t local_ms = zone.local_of(utc_ms);
      const int64_t earliest = zone.utc_of_local(local_ms);
      CHECK_TRUE_TEXT(earliest <= utc_ms, told.c_str());
      CHECK_EQUAL_TEXT(local_ms, zone.local_of(earliest), told.c_str());
      // One millisecond before, the clock had not come so far yet.
      CHECK_TRUE_TEXT(zone.local_of(earliest - 1) < local_ms || zone.local_of(earliest - 1) == local_ms - 1, told.c_str());
    }
  }
}

TEST_GROUP(CivilTime) {
  int64_t unused_ms = 0;

  void is(int64_t local_ms, int year, unsigned month, unsigned day, unsigned weekday) {
    const CivilTime time = civil_of(local_ms);
    LONGS_EQUAL(year, time.year);
    UNSIGNED_LONGS_EQUAL(month, time.month);
    UNSIGNED_LONGS_EQUAL(day, time.day);
    UNSIGNED_LONGS_EQUAL(weekday, time.weekday);
  }
};

TEST(CivilTime, dates_around_the_edges) {
  is(0, 1970, 1, 1, 4);
  is(-1, 1969, 12, 31, 3);
  is(951782400000, 2000, 2, 29, 2);
  is(1709164800000, 2024, 2, 29, 4);
  is(4107542400000, 2100, 3, 1, 1);
  is(civil_min_ms, 1, 1, 1, 1);
  is(civil_max_ms, 9999, 12, 31, 5);
  CHECK_EQUAL(civil_min_ms, local_of_date(1, 1, 1));
  CHECK_EQUAL(civil_max_ms, local_of_date(9999, 12, 31) + day_ms - 1);
}

TEST(CivilTime, times_of_the_day) {
  const CivilTime last = civil_of(-1);
  UNSIGNED_LONGS_EQUAL(23, last.hour);
  UNSIGNED_LONGS_EQUAL(59, last.minute);
  UNSIGNED_LONGS_EQUAL(59, last.second);
  UNSIGNED_LONGS_EQUAL(999, last.millisecond);
  const CivilTime first = civil_of(day_ms);
  UNSIGNED_LONGS_EQUAL(0, first.hour + first.minute + first.second + first.millisecond);
}

TEST(CivilTime, every_day_of_four_centuries_follows_the_one_before) {
  int64_t midnight_ms = local_of_date(1800, 1, 1);
  CivilTime before = civil_of(midnight_ms - 1);
  for (; midnight_ms < local_of_date(2200, 1, 1); midnight_ms += day_ms) {
    const CivilTime today = civil_of(midnight_ms);
    const bool next_day = today.day == before.day + 1 && today.month == before.month;
    const bool next_month = today.day == 1 && before.day >= 28 && (today.month == before.month % 12 + 1);
    CHECK(next_day || next_month);
    UNSIGNED_LONGS_EQUAL(before.weekday % 7 + 1, today.weekday);
    CHECK_EQUAL(midnight_ms, local_of_date(today.year, today.month, today.day));
    before = today;
  }
}
