// Times: counts of units and RFC 3339 texts, to milliseconds.
#include "connectors/codecs/time_text.h"

#include <ctime>
#include <string>

#include "firmware-tests/unit/json_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::json_test;

namespace {

struct TimeFixture : Utest {
  void takes(TimeFormat format, const std::string& json_value, int64_t expected_ms) {
    Decoding decoding({time_field("ts", format)});
    if (!decoding.accepts("{\"ts\":" + json_value + "}")) FAIL((json_value + " was refused: " + decoding.detail()).c_str());
    CHECK(decoding.value().type() == Type::Time);
    CHECK_EQUAL_TEXT(expected_ms, decoding.value().as_int(), json_value.c_str());
  }
  /// As a number and as a string that holds it.
  void takes_count(TimeFormat format, const std::string& number, int64_t expected_ms) {
    takes(format, number, expected_ms);
    takes(format, "\"" + number + "\"", expected_ms);
  }
  void refuses(TimeFormat format, const std::string& json_value, const char* reason, const char* detail = "") {
    Decoding decoding({time_field("ts", format)});
    CHECK_FALSE_TEXT(decoding.accepts("{\"ts\":" + json_value + "}"), json_value.c_str());
    STRCMP_EQUAL_TEXT(reason, decoding.reason().c_str(), json_value.c_str());
    STRCMP_CONTAINS(detail, decoding.detail().c_str());
  }
  void reads(const std::string& text, int64_t expected_ms) {
    TimeReading reading = time_from_rfc3339(text);
    CHECK_TEXT(reading.expected == nullptr, text.c_str());
    CHECK_EQUAL_TEXT(expected_ms, reading.epoch_ms, text.c_str());
  }
  static TimeReading local(const std::string& text) {
    return time_from_local(text, TimeZone::load("CET-1CEST,M3.5.0,M10.5.0/3").value());
  }
  static void is_in_central_europe(const std::string& text, const std::string& rfc3339) {
    const TimeReading reading = local(text);
    CHECK_TEXT(reading.expected == nullptr, text.c_str());
    CHECK_EQUAL_TEXT(time_from_rfc3339(rfc3339).epoch_ms, reading.epoch_ms, text.c_str());
  }
  static void is_no_local_time(const std::string& text, const char* expected) {
    const TimeReading reading = local(text);
    CHECK_TEXT(reading.expected != nullptr, text.c_str());
    STRCMP_CONTAINS(expected, reading.expected);
  }
  void does_not_read(const std::string& text, const char* expected) {
    TimeReading reading = time_from_rfc3339(text);
    CHECK_TEXT(reading.expected != nullptr, text.c_str());
    STRCMP_CONTAINS(expected, reading.expected);
  }
};

}  // namespace

TEST_GROUP_BASE(JsonTime, TimeFixture){};

TEST(JsonTime, milliseconds_are_taken_as_they_are) {
  takes_count(TimeFormat::Milliseconds, "1753950001123", 1753950001123);
  takes_count(TimeFormat::Milliseconds, "0", 0);
  takes_count(TimeFormat::Milliseconds, "-1", -1);
  takes_count(TimeFormat::Milliseconds, "1753950001123.9", 1753950001123);
  takes_count(TimeFormat::Milliseconds, "-0.5", -1);
  takes_count(TimeFormat::Milliseconds, "1.753950001123e12", 1753950001123);
  takes_count(TimeFormat::Milliseconds, "9223372036854775807", INT64_MAX);
  takes_count(TimeFormat::Milliseconds, "-9223372036854775808", INT64_MIN);
}

TEST(JsonTime, seconds_may_have_a_fraction) {
  takes_count(TimeFormat::Seconds, "1709223337", 1709223337000);
  takes_count(TimeFormat::Seconds, "1276020076.001", 1276020076001);
  takes_count(TimeFormat::Seconds, "1753950001.123", 1753950001123);
  takes_count(TimeFormat::Seconds, "1753950001.1239", 1753950001123);
  takes_count(TimeFormat::Seconds, "1753950001.999999", 1753950001999);
  takes_count(TimeFormat::Seconds, "-0.001", -1);
  takes_count(TimeFormat::Seconds, "-0.0015", -2);
  takes_count(TimeFormat::Seconds, "-1.5", -1500);
  takes_count(TimeFormat::Seconds, "9007199255.5", 9007199255500);
  takes_count(TimeFormat::Seconds, "100000000000.5", 100000000000500);
}

TEST(JsonTime, every_millisecond_of_a_fraction_survives) {
  for (int ms = 0; ms < 1000; ++ms) {
    char text[32];
    snprintf(text, sizeof text, "1753950001.%03d", ms);
    takes(TimeFormat::Seconds, text, 1753950001000 + ms);
    snprintf(text, sizeof text, "4102444799.%03d", ms);
    takes(TimeFormat::Seconds, text, 4102444799000 + ms);
  }
}

TEST(JsonTime, microseconds_and_nanoseconds_are_cut_towards_the_past) {
  takes_count(TimeFormat::Microseconds, "1753950001123999", 1753950001123);
  takes_count(TimeFormat::Microseconds, "-1", -1);
  takes_count(TimeFormat::Microseconds, "-1000", -1);
  takes_count(TimeFormat::Microseconds, "-1001", -2);
  takes_count(TimeFormat::Microseconds, "1753950001123000.0", 1753950001123);
  takes_count(TimeFormat::Nanoseconds, "1753950000000000000", 1753950000000);
  takes_count(TimeFormat::Nanoseconds, "1753950000000999999", 1753950000000);
  takes_count(TimeFormat::Nanoseconds, "-1", -1);
  takes_count(TimeFormat::Nanoseconds, "-1000001", -2);
  takes_count(TimeFormat::Nanoseconds, "9223372036854775807", 9223372036854);
}

TEST(JsonTime, what_does_not_fit_64_bits_of_milliseconds_is_refused) {
  takes_count(TimeFormat::Seconds, "9223372036854775", 9223372036854775000);
  refuses(TimeFormat::Seconds, "9223372036854776", "time", "64 bits");
  refuses(TimeFormat::Seconds, "\"9223372036854776\"", "time", "64 bits");
  takes_count(TimeFormat::Seconds, "-9223372036854775", -9223372036854775000);
  refuses(TimeFormat::Seconds, "-9223372036854776", "time");
  refuses(TimeFormat::Seconds, "1e16", "time");
  refuses(TimeFormat::Seconds, "-1e300", "time");
  refuses(TimeFormat::Seconds, "1e308", "time");
  refuses(TimeFormat::Milliseconds, "9223372036854775808", "time");
  refuses(TimeFormat::Milliseconds, "9.3e18", "time");
  refuses(TimeFormat::Nanoseconds, "\"1e19\"", "time");
}

TEST(JsonTime, what_is_no_time_is_refused) {
  refuses(TimeFormat::Milliseconds, "\"now\"", "time", "a time in milliseconds");
  refuses(TimeFormat::Seconds, "\"\"", "time", "a time in seconds");
  refuses(TimeFormat::Microseconds, "\"2025-07-31T10:20:00Z\"", "time", "microseconds");
  refuses(TimeFormat::Nanoseconds, "\"nan\"", "time", "nanoseconds");
  refuses(TimeFormat::Seconds, "true", "type");
  refuses(TimeFormat::Seconds, "{}", "type");
  refuses(TimeFormat::Seconds, "[1]", "type");
  refuses(TimeFormat::Rfc3339, "1753950001123", "type", "RFC 3339");
  refuses(TimeFormat::Rfc3339, "1753950001.5", "type");
  refuses(TimeFormat::Rfc3339, "false", "type");
  refuses(TimeFormat::Rfc3339, "\"1753950001123\"", "time");
}

TEST(JsonTime, rfc3339_times_are_read_to_the_millisecond) {
  takes(TimeFormat::Rfc3339, "\"2025-07-31T08:20:00Z\"", 1753950000000);
  reads("1970-01-01T00:00:00Z", 0);
  reads("1970-01-01T00:00:00.001Z", 1);
  reads("1969-12-31T23:59:59.999Z", -1);
  reads("1969-12-31T23:59:59.9999Z", -1);
  reads("2022-07-18T09:34:15.775023242+00:00", 1658136855775);
  reads("2021-06-27T15:03:44+02:00", 1624799024000);
  reads("2021-06-27t13:03:44z", 1624799024000);
  reads("2021-06-27 13:03:44Z", 1624799024000);
  reads("2021-06-27T13:03:44.5Z", 1624799024500);
  reads("2021-06-27T13:03:44.05Z", 1624799024050);
  reads("2021-06-27T13:03:44.123456789Z", 1624799024123);
  reads("1985-04-12T23:20:50.52Z", 482196050520);
  reads("1996-12-19T16:39:57-08:00", 851042397000);
  reads("1937-01-01T12:00:27.87+00:20", -1041337172130);
  reads("2021-06-27T13:03:44-00:00", 1624799024000);
  reads("2021-06-27T00:00:00+23:59", 1624665660000);
  reads("9999-12-31T23:59:59.999Z", 253402300799999);
  reads("9999-12-31T23:59:59.999-23:59", 253402387139999);
  reads("0000-01-01T00:00:00Z", -62167219200000);
  reads("0001-01-01T00:00:00Z", -62135596800000);
  reads("0000-01-01T00:00:00+23:59", -62167305540000);
}

TEST(JsonTime, leap_days_exist_in_leap_years_only) {
  reads("2000-02-29T00:00:00Z", 951782400000);
  reads("2024-02-29T12:00:00Z", 1709208000000);
  reads("2024-03-01T00:00:00Z", 1709251200000);
  reads("0000-02-29T00:00:00Z", -62162121600000);
  for (const char* text : {"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-02-30T00:00:00Z"})
    does_not_read(text, "exist");
}

TEST(JsonTime, every_day_of_eight_centuries_agrees_with_the_system) {
  for (int64_t day = -146097; day < 146097; day += 1) {
    time_t seconds = static_cast<time_t>(day * 86400);
    tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
    TimeReading reading = time_from_rfc3339(text);
    if (reading.expected != nullptr || reading.epoch_ms != day * 86400000) FAIL(text);
  }
}

TEST(JsonTime, a_local_time_is_what_the_clocks_of_its_zone_show) {
  is_in_central_europe("2025-07-31T10:20:00", "2025-07-31T10:20:00+02:00");
  is_in_central_europe("2025-12-31 23:59:59.9999", "2025-12-31T23:59:59.999+01:00");
  is_in_central_europe("2024-02-29t00:00:00", "2024-02-29T00:00:00+01:00");
}

TEST(JsonTime, of_a_local_time_that_comes_twice_the_earlier_is_taken) {
  is_in_central_europe("2025-10-26T01:59:59.999", "2025-10-26T01:59:59.999+02:00");
  is_in_central_europe("2025-10-26T02:00:00", "2025-10-26T02:00:00+02:00");
  is_in_central_europe("2025-10-26T02:59:59.999", "2025-10-26T02:59:59.999+02:00");
  is_in_central_europe("2025-10-26T03:00:00", "2025-10-26T03:00:00+01:00");
}

TEST(JsonTime, a_local_time_that_never_comes_is_the_instant_of_the_change) {
  is_in_central_europe("2025-03-30T01:59:59.999", "2025-03-30T01:59:59.999+01:00");
  is_in_central_europe("2025-03-30T02:00:00", "2025-03-30T01:00:00Z");
  is_in_central_europe("2025-03-30T02:59:59.999", "2025-03-30T01:00:00Z");
  is_in_central_europe("2025-03-30T03:00:00", "2025-03-30T01:00:00Z");
  is_in_central_europe("2025-03-30T03:00:00.001", "2025-03-30T01:00:00.001Z");
}

TEST(JsonTime, what_is_no_local_time_is_refused) {
  for (const char* text :
       {"2025-07-31T10:20:00Z", "2025-07-31T10:20:00+02:00", "2025-07-31", "2025-07-31T10:20", "1753950001", ""})
    is_no_local_time(text, "without an offset");
  for (const char* text : {"2025-02-29T10:20:00", "2025-07-31T24:00:00", "2016-12-31T23:59:60", "2025-13-01T00:00:00"})
    is_no_local_time(text, "exist");
}

TEST(JsonTime, a_field_of_local_time_takes_texts_only) {
  SourceField field = time_field("ts", TimeFormat::Local);
  field.zone = std::make_shared<const TimeZone>(TimeZone::load("+05:30").value());
  Decoding decoding({field});
  CHECK(decoding.accepts(R"({"ts":"2025-07-31T05:30:00"})"));
  LONGS_EQUAL(1753920000000, decoding.value().as_int());
  CHECK(decoding.accepts(R"({"ts":null})"));
  CHECK(decoding.value().is_null());
  CHECK_FALSE(decoding.accepts(R"({"ts":1753920000})"));
  STRCMP_EQUAL("type", decoding.reason().c_str());
  STRCMP_CONTAINS("a local time in a string", decoding.detail().c_str());
  CHECK_FALSE(decoding.accepts(R"({"ts":"2025-07-31T05:30:00Z"})"));
  STRCMP_EQUAL("time", decoding.reason().c_str());
}

TEST(JsonTime, a_leap_second_is_the_last_millisecond_before_it) {
  reads("2016-12-31T23:59:60Z", 1483228799999);
  reads("2016-12-31T23:59:60.5Z", 1483228799999);
  reads("2017-01-01T00:59:60+01:00", 1483228799999);
  reads("1990-12-31T15:59:60-08:00", 662687999999);
  does_not_read("2016-12-31T12:00:60Z", "exist");
  does_not_read("2016-12-31T23:59:60+01:00", "exist");
  does_not_read("2016-12-31T23:59:61Z", "exist");
}

TEST(JsonTime, a_time_without_an_offset_is_refused_and_told_so) {
  for (const char* text : {"2025-07-31T10:20:00", "2025-07-31 10:20:01", "2025-07-31T10:20:00.5"})
    does_not_read(text, "offset");
  refuses(TimeFormat::Rfc3339, "\"2025-07-31T10:20:00\"", "time", "offset");
}

TEST(JsonTime, times_that_do_not_exist_are_refused) {
  for (const char* text : {"2025-00-01T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-00T00:00:00Z", "2025-01-32T00:00:00Z",
                           "2025-04-31T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:61Z",
                           "2025-01-01T00:00:00+24:00", "2025-01-01T00:00:00+00:60"})
    does_not_read(text, "exist");
}

TEST(JsonTime, malformed_times_are_refused) {
  for (const char* text : {"",
                           "2",
                           "2025",
                           "2025-07-31",
                           "2025-07-31Z",
                           "20250731T102000Z",
                           "25-07-31T10:20:00Z",
                           "2025-7-31T10:20:00Z",
                           "2025-07-31T10:20Z",
                           "2025-07-31T1:20:00Z",
                           "2025-07-31_10:20:00Z",
                           "2025-07-31T10.20.00Z",
                           "2025/07/31T10:20:00Z",
                           " 2025-07-31T10:20:00Z",
                           "2025-07-31T10:20:00Z ",
                           "2025-07-31T10:20:00ZZ",
                           "2025-07-31T10:20:00.Z",
                           "2025-07-31T10:20:00.1234567890Z",
                           "2025-07-31T10:20:00,5Z",
                           "2025-07-31T10:20:00+02",
                           "2025-07-31T10:20:00+0200",
                           "2025-07-31T10:20:00+2:00",
                           "2025-07-31T10:20:00+02:00x",
                           "2025-07-31T10:20:00 Z",
                           "2025-07-31T10:20:00UTC",
                           "-2025-07-31T10:20:00Z",
                           "+2025-07-31T10:20:00Z",
                           "12025-07-31T10:20:00Z",
                           "2025-07-31T10:20:0xZ",
                           "2025-W31-4T10:20:00Z",
                           "2025-07-31T10:20:00.5.5Z",
                           "2025-07-31T10:20:00+02:0"})
    does_not_read(text, "RFC 3339");
}

TEST(JsonTime, no_beginning_of_a_time_is_read_as_one) {
  const std::string text = "2022-07-18T09:34:15.775023242+00:00";
  for (size_t length = 0; length < text.size(); ++length) CHECK(time_from_rfc3339(text.substr(0, length)).expected != nullptr);
}
