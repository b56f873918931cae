// The wall clock's state as a real agent sees it. What steps of the clock do is for the simulation: a test may not set the
// clock.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <sys/timex.h>

namespace {

using namespace weir;

class ClockStateTest : public GatewayTest {
 public:
  /// As the kernel has it for everybody on this machine.
  static bool unsynchronised() {
    timex state{};
    return adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) != 0;
  }
};

TEST_GROUP_BASE(ClockState, ClockStateTest){};

TEST(ClockState, is_shown_to_people_and_programs) {
  const bool before = unsynchronised();
  start();
  const std::string json = gateway->weir({"status", "--json", gateway->config_path()}).output;
  if (before != unsynchronised()) return;  // somebody has told the time just now
  STRCMP_CONTAINS(before ? "\"clock\":{\"state\":\"unsynchronised\"" : "\"clock\":{\"state\":\"synchronised\"", json.c_str());
  STRCMP_CONTAINS(before ? "clock: unsynchronised" : "clock: synchronised",
                  gateway->weir({"status", gateway->config_path()}).output.c_str());
  STRCMP_CONTAINS("\"plausible\":true", json.c_str());
}

TEST(ClockState, is_waited_for_where_the_source_says_so) {
  prepare();
  gateway->replace("format = \"json\"\n  fields", "unsynchronised_clock = \"wait\"\n  fields");
  CHECK_TRUE(gateway->start_broker());
  CHECK_TRUE(gateway->start_clients());
  gateway->write_config();
  CHECK_TRUE(gateway->agent().start_ready().ok());
  if (!unsynchronised()) {
    CHECK_TRUE(gateway->agent().wait_connected());
    return;
  }
  sleep_ms(1500);
  const ObservedPipeline pipeline = gateway->pipeline();
  CHECK_FALSE(pipeline.source.connected);
  STRCMP_EQUAL("waits until the wall clock is synchronised", pipeline.source.error.c_str());
}

TEST(ClockState, tags_records_where_the_source_says_so) {
  prepare();
  gateway->replace("format = \"json\"\n  fields", "unsynchronised_clock = \"tag\"\n  fields");
  gateway->replace("n = \"count()\"", "n = \"count()\", tagged = \"max(if(clock_unsynchronised, 1, 0))\"");
  CHECK_TRUE(gateway->start());
  const bool before = unsynchronised();
  measure("d", 1, 0);
  measure("d", 1, 5000);
  CHECK_TRUE(gateway->wait_results(1));
  if (before != unsynchronised()) return;
  LONGS_EQUAL(before ? 1 : 0, json_int(gateway->results().front().payload, "tagged").value_or(-1));
}

}  // namespace
