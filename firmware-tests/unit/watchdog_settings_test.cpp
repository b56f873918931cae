#include "agent/runtime/watchdog_settings.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(WatchdogSettings) {
  static constexpr pid_t self = 4711;
  WatchdogSettings settings;
  void read(int64_t configured_ms, const char* usec, const char* pid) {
    settings = watchdog_settings(configured_ms, usec, pid, self);
  }
  void expect(int64_t limit_ms, bool beats, bool aborts) {
    LONGS_EQUAL(limit_ms, settings.limit_ms);
    CHECK_EQUAL(beats, settings.beats);
    CHECK_EQUAL(aborts, settings.aborts);
  }
};

TEST(WatchdogSettings, nobody_asks_for_any) {
  read(0, nullptr, nullptr);
  expect(0, false, false);
}

TEST(WatchdogSettings, the_service_manager_waits_for_beats) {
  read(0, "30000000", "4711");
  expect(30'000, true, false);
  read(0, "2000000", nullptr);
  expect(2'000, true, false);
}

TEST(WatchdogSettings, one_that_is_meant_for_another_process_is_none_of_ours) {
  read(0, "30000000", "4712");
  expect(0, false, false);
  read(0, "30000000", "nobody");
  expect(0, false, false);
  CHECK_FALSE(settings.wrong_text);
}

TEST(WatchdogSettings, the_configuration_asks_for_an_end_without_a_service_manager) {
  read(5'000, nullptr, nullptr);
  expect(5'000, false, true);
}

TEST(WatchdogSettings, of_two_limits_the_shorter_one_counts) {
  read(5'000, "30000000", "4711");
  expect(5'000, true, true);
  read(50'000, "30000000", "4711");
  expect(30'000, true, true);
}

TEST(WatchdogSettings, text_that_is_no_number_of_microseconds_is_told) {
  for (const char* text : {"", "0", "-1", "30s", "99999999999999999999"}) {
    read(1'000, text, nullptr);
    CHECK_TRUE_TEXT(settings.wrong_text, text);
    expect(1'000, false, true);
  }
}

TEST(WatchdogSettings, less_than_a_millisecond_is_one) {
  read(0, "999", nullptr);
  expect(1, true, false);
}
