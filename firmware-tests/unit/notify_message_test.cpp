#include "agent/runtime/notify_message.h"

#include <string>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(NotifyMessage){};

TEST(NotifyMessage, has_a_line_for_each_thing_that_is_told) {
  const NotifyMessage message = parse_notify_message("READY=1\nSTATUS=2 of 3 pipelines connected\nWATCHDOG=1\n");
  CHECK_TRUE(message.ready);
  CHECK_TRUE(message.alive);
  CHECK_FALSE(message.stopping);
  CHECK_FALSE(message.hopeless);
  LONGS_EQUAL(0, message.extend_ms);
  STRCMP_EQUAL("2 of 3 pipelines connected", std::string(message.status).c_str());
}

TEST(NotifyMessage, of_an_end_and_of_a_service_that_gives_itself_up) {
  CHECK_TRUE(parse_notify_message("STOPPING=1").stopping);
  const NotifyMessage message = parse_notify_message("WATCHDOG=trigger");
  CHECK_TRUE(message.hopeless);
  CHECK_FALSE(message.alive);
}

TEST(NotifyMessage, asks_for_time_in_microseconds_and_for_an_hour_at_most) {
  LONGS_EQUAL(1500, parse_notify_message("EXTEND_TIMEOUT_USEC=1500000").extend_ms);
  LONGS_EQUAL(3'600'000, parse_notify_message("EXTEND_TIMEOUT_USEC=3600000000").extend_ms);
  LONGS_EQUAL(3'600'000, parse_notify_message("EXTEND_TIMEOUT_USEC=9000000000000").extend_ms);
}

TEST(NotifyMessage, that_makes_no_sense_is_passed_over) {
  for (const char* text : {"", "\n", "\n\n", "=", "READY", "READY=", "READY=10", " READY=1", "WATCHDOG=2",
                           "EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-5000000", "EXTEND_TIMEOUT_USEC=5s",
                           "EXTEND_TIMEOUT_USEC=99999999999999999999"}) {
    const NotifyMessage message = parse_notify_message(text);
    CHECK_FALSE_TEXT(message.ready || message.alive || message.stopping || message.hopeless, text);
    LONGS_EQUAL_TEXT(0, message.extend_ms, text);
    CHECK_TRUE_TEXT(message.status.empty(), text);
  }
}
