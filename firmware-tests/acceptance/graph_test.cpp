// What only a running agent can show of a graph: several sources over one connection, timers of processing time, clocks per
// device, all of it across kills.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <algorithm>
#include <map>
#include <set>

namespace {

using namespace weir;

std::string config(const std::string& source_and_steps) {
  return "[agent]\nname = \"box\"\nstate_dir = \"@STATE@\"\n[mqtt.local]\nurl = \"@BROKER@\"\n[[pipeline]]\nname = \"graph\"\n"
         "checkpoint = { interval = \"30ms\", min_pause = \"1ms\" }\n" +
         source_and_steps + "[pipeline.sink]\nmqtt = \"local\"\ntopic = \"results/x\"\nformat = \"json\"\n";
}

const std::string one_source =
    "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+/env\"]\nformat = \"json\"\n"
    "fields = { device = \"topic[1]\", value = \"float\", ts = \"time(ms)\" }\n";

class GraphTest : public GatewayTest {
 public:
  std::vector<std::string> distinct_results() {
    std::map<std::string, std::string> by_id;
    for (const ReceivedMessage& result : gateway->results()) by_id.emplace(result.weir_id, result.payload);
    std::vector<std::string> payloads;
    for (const auto& [id, payload] : by_id) payloads.push_back(payload);
    std::ranges::sort(payloads);
    return payloads;
  }
};

TEST_GROUP_BASE(Graph, GraphTest){};

TEST(Graph, two_sources_share_a_connection_and_wait_for_each_other_across_a_kill) {
  start(
      config("[[pipeline.source]]\nname = \"one\"\nmqtt = \"local\"\ntopics = [\"one/+\"]\nformat = \"json\"\n"
             "fields = { value = \"int\", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay = \"0s\" }\n"
             "[[pipeline.source]]\nname = \"two\"\ntopics = [\"two/+\"]\nformat = \"json\"\n"
             "fields = { value = \"int $.v\", ts = \"time(s)\" }\nevent_time = { field = \"ts\", max_delay = \"0s\" }\n"
             "[[pipeline.step]]\nid = \"both\"\nunion = [\"one\", \"two\"]\n"
             "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"10s\" }\naggregate = { n = \"count()\", sum = "
             "\"sum(value)\" }\n"));
  CHECK(gateway->publish("one/a", "{\"value\":1,\"ts\":1000}"));
  CHECK(gateway->publish("one/a", "{\"value\":2,\"ts\":25000}"));
  CHECK(gateway->wait_received(2));
  crash_and_restart();
  CHECK(gateway->publish("two/a", "{\"v\":4,\"ts\":9}"));
  CHECK(gateway->publish("two/a", "{\"v\":8,\"ts\":21}"));
  CHECK(gateway->wait_results(1));
  CHECK(gateway->publish("two/a", "{\"v\":16,\"ts\":40}"));
  CHECK(gateway->wait_received(5));
  const std::vector<std::string> results = distinct_results();
  UNSIGNED_LONGS_EQUAL(1, results.size());
  STRCMP_EQUAL("{\"n\":2,\"sum\":5,\"window_start\":0,\"window_end\":10000}", results[0].c_str());
  UNSIGNED_LONGS_EQUAL(5, gateway->pipeline().ledger.applied);
}

TEST(Graph, silence_is_told_without_any_input_also_after_a_kill) {
  start(config(one_source + "[[pipeline.step]]\nid = \"silent\"\nkey_by = [\"device\"]\nabsence = { after = \"700ms\" }\n"));
  CHECK(gateway->publish("sensors/a/env", "{\"value\":1,\"ts\":1}"));
  CHECK(gateway->wait_received(1));
  crash_and_restart();
  CHECK(gateway->wait_results(1));
  STRCMP_CONTAINS("\"device\":\"a\"", gateway->results()[0].payload.c_str());
  STRCMP_CONTAINS("\"silent\":true", gateway->results()[0].payload.c_str());
  CHECK(gateway->publish("sensors/a/env", "{\"value\":1,\"ts\":2}"));
  CHECK(gateway->wait_results(2));
  STRCMP_CONTAINS("\"silent\":false", gateway->results().back().payload.c_str());
}

TEST(Graph, a_window_of_processing_time_closes_by_itself) {
  start(
      config(one_source +
             "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"device\"]\nwindow = { tumbling = \"500ms\", time = \"processing\" }\n"
             "aggregate = { n = \"count()\" }\n"));
  CHECK(gateway->publish("sensors/a/env", "{\"value\":1,\"ts\":1}"));
  CHECK(gateway->wait_results(1));
  STRCMP_CONTAINS("\"n\":1", gateway->results()[0].payload.c_str());
}

TEST(Graph, a_device_with_a_wrong_clock_harms_only_itself) {
  const std::string source = one_source + "event_time = { field = \"ts\", max_delay = \"0s\", per = \"device\" }\n";
  start(config(source + "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"device\"]\nwindow = { tumbling = \"1s\" }\n"
                        "aggregate = { n = \"count()\" }\n"));
  CHECK(gateway->publish("sensors/wrong/env", "{\"value\":1,\"ts\":4102444800000}"));
  for (int index = 0; index < 10; ++index)
    CHECK(gateway->publish("sensors/right/env", "{\"value\":1,\"ts\":" + std::to_string(1000 + index * 250) + "}"));
  CHECK(gateway->wait_received(11));
  crash_and_restart();
  CHECK(gateway->publish("sensors/right/env", "{\"value\":1,\"ts\":9000}"));
  CHECK(gateway->wait_results(3));
  const std::vector<std::string> results = distinct_results();
  UNSIGNED_LONGS_EQUAL(3, results.size());
  STRCMP_EQUAL("{\"device\":\"right\",\"n\":2,\"window_start\":3000,\"window_end\":4000}", results[0].c_str());
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().ledger.late);
}

TEST(Graph, what_is_too_late_goes_to_its_branch_and_is_still_counted_once) {
  const std::string source = one_source + "event_time = { field = \"ts\", max_delay = \"0s\" }\n";
  start(config(source +
               "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"device\"]\nwindow = { tumbling = \"1s\", late = \"side\" }\n"
               "aggregate = { value = \"sum(value)\" }\n"
               "[[pipeline.step]]\nid = \"sums\"\nselect = [\"device\", \"value\"]\n"
               "[[pipeline.step]]\nid = \"late\"\nfrom = \"w.late\"\nselect = [\"device\", \"value\"]\n"
               "[[pipeline.step]]\nunion = [\"sums\", \"late\"]\n"));
  CHECK(gateway->publish("sensors/a/env", "{\"value\":1,\"ts\":0}"));
  CHECK(gateway->publish("sensors/a/env", "{\"value\":2,\"ts\":1500}"));
  CHECK(gateway->publish("sensors/a/env", "{\"value\":70,\"ts\":500}"));
  CHECK(gateway->wait_results(2));
  CHECK(gateway->wait_received(3));
  const std::vector<std::string> results = distinct_results();
  STRCMP_EQUAL("{\"device\":\"a\",\"value\":1}", results[0].c_str());
  STRCMP_EQUAL("{\"device\":\"a\",\"value\":70}", results[1].c_str());
  LONGS_EQUAL(0, gateway->pipeline().ledger.imbalance());
  UNSIGNED_LONGS_EQUAL(3, gateway->pipeline().ledger.received);
}

TEST(Graph, a_message_that_many_steps_refuse_is_booked_once_and_stops_nothing) {
  const std::string full = "key_by = [\"name\", \"device\"]\nmax_keys = 1\n";
  start(
      config("[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+/env\"]\nformat = \"json\"\n"
             "fields = { device = \"topic[1]\", a = \"int\", b = \"int\", c = \"int\", d = \"int\", ts = \"time(ms)\" }\n"
             "[[pipeline.step]]\nunnest = { fields = [\"a\", \"b\", \"c\", \"d\"] }\n"
             "[[pipeline.step]]\nid = \"one\"\n" +
             full + "edge = { value = \"value\", on = \"changed\", first = true }\n"));
  for (int device = 0; device < 12; ++device)
    CHECK(gateway->publish("sensors/d" + std::to_string(device) + "/env", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"ts\":1}"));
  CHECK(gateway->wait_received(12));
  LONGS_EQUAL(0, gateway->pipeline().ledger.imbalance());
  crash_and_restart();
  CHECK(gateway->publish("sensors/d0/env", "{\"a\":2,\"ts\":2}"));
  CHECK(gateway->wait_received(13));
}

TEST(Graph, a_message_that_two_readers_refuse_is_one_dead_letter_in_the_account) {
  const std::string keyed =
      "key_by = [\"device\"]\nmax_keys = 1\nedge = { value = \"value\", on = \"changed\", first = true }\n";
  start(config(one_source + "[[pipeline.step]]\nid = \"a\"\nfrom = \"source\"\n" + keyed +
               "[[pipeline.step]]\nid = \"b\"\nfrom = \"source\"\n" + keyed + "[[pipeline.step]]\nunion = [\"a\", \"b\"]\n"));
  for (const char* device : {"x", "y", "x"})
    CHECK(gateway->publish("sensors/" + std::string(device) + "/env", "{\"value\":1,\"ts\":1}"));
  CHECK(gateway->wait_received(3));
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline().ledger.dead_lettered);
  LONGS_EQUAL(0, gateway->pipeline().ledger.imbalance());
}

}  // namespace
