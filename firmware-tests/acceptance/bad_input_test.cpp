// What devices should never send, and do: it is counted, set aside and acknowledged, and the agent goes on.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <map>
#include <vector>

namespace {

using namespace weir;
using std::string_literals::operator""s;

std::string repeat(const std::string& text, size_t count) {
  std::string all;
  for (size_t index = 0; index < count; ++index) all += text;
  return all;
}

/// A document that would be good but for the value of one member.
std::string with_value(const std::string& value) { return "{\"value\":" + value + ",\"ts\":1700000000000}"; }

/// Documents that are no JSON, by what is wrong with them.
std::vector<std::string> malformed() {
  return {
      "",
      " ",
      "\n",
      "{",
      "}",
      "[",
      "]",
      "{}}",
      "[]]",
      "{\"value\"",
      "{\"value\":",
      "{\"value\":1",
      "{\"value\":1,",
      "{\"value\":1,}",
      "{,}",
      "{:1}",
      "{1:1}",
      "{value:1}",
      "{'value':1}",
      "{\"value\" 1}",
      "{\"value\":,\"ts\":1}",
      "{\"value\"::1}",
      "{\"value\":1;\"ts\":2}",
      "{\"value\":1 \"ts\":2}",
      "{\"value\":1}{",
      "{\"value\":1} x",
      "[1,2,,3]",
      "[1 2]",
      "[,1]",
      "[1,]",
      "{\"a\":[}",
      "{\"a\":[1}",
      "[{]",
      "[\"a\":1]",
      "{\"a\"}",
      // words
      with_value("NaN"),
      with_value("nan"),
      with_value("Infinity"),
      with_value("-Infinity"),
      with_value("inf"),
      with_value("True"),
      with_value("TRUE"),
      with_value("tru"),
      with_value("truee"),
      with_value("nul"),
      with_value("Null"),
      with_value("undefined"),
      with_value("none"),
      // numbers
      with_value("01"),
      with_value("-"),
      with_value("--1"),
      with_value("+1"),
      with_value(".5"),
      with_value("1."),
      with_value("1.e1"),
      with_value("1e"),
      with_value("1e+"),
      with_value("1e1.5"),
      with_value("0x10"),
      with_value("1_000"),
      with_value("1,5"),
      with_value("- 1"),
      with_value("1 2"),
      with_value("1e999"),
      with_value("-1e999"),
      with_value("1" + repeat("0", 400)),
      with_value("\xEF\xBC\x91"),
      with_value("1/2"),
      // strings
      with_value("\"open"),
      with_value("'1'"),
      with_value("\"\t\""),
      with_value("\"\n\""),
      with_value("\"\0\""s),
      with_value("\"\\x41\""),
      with_value("\"\\u12\""),
      with_value("\"\\uZZZZ\""),
      with_value("\"\\uD800\""),
      with_value("\"\\uDC00\\uD800\""),
      with_value("\"\\"),
      with_value("\"\\\""),
      with_value("`1`"),
      // comments, marks, other formats
      "// {\"value\":1}",
      "/* x */ {\"value\":1,\"ts\":1}",
      "# value",
      "\xEF\xBB\xBF",
      "<value>1</value>",
      "value: 1",
      "value=1",
      "\x08\x01\x12\x02hi",
      "\x1f\x8b\x08",
      "\0"s,
      "\0\0\0\0"s,
      "{\"value\":1}\0"s,
      "\xff\xfe{\0}\0"s,
      "DROP TABLE outbox;",
      "{{value}}",
      "%s%n%s%n",
      // not the document one expects
      "null",
      "true",
      "false",
      "1",
      "1.5",
      "\"text\"",
      // too deep
      repeat("[", 100),
      repeat("[", 30'000),
      repeat("{\"a\":", 100),
      repeat("{\"a\":", 5000),
      repeat("[", 70) + repeat("]", 70),
      with_value(repeat("[", 65) + repeat("]", 65)),
      // UTF-8 cut short or wrong
      with_value("\"\xC3\""),
      with_value("\"\xE2\x82\""),
      with_value("\"\xF0\x9F\x98\""),
      with_value("\"\x80\""),
      with_value("\"\xC0\xAF\""),
      with_value("\"\xED\xA0\x80\""),
      with_value("\"\xF5\x80\x80\x80\""),
      with_value("\"\xFF\""),
      "{\"val\xC3",
      "{\"\xE2\x82\":1}",
  };
}

/// JSON, but not the declared fields.
std::vector<std::string> misfits() {
  return {with_value("\"warm\""),
          with_value("[]"),
          with_value("{}"),
          with_value("[1]"),
          with_value("true"),
          with_value("\"\""),
          "{\"value\":1,\"ts\":\"yesterday\"}",
          "{\"value\":1,\"ts\":true}",
          "{\"value\":1,\"ts\":{}}",
          "{\"value\":1,\"ts\":1e300}",
          "{\"value\":1,\"ts\":-9223372036854775808}",
          "{\"value\":1,\"ts\":99999999999999999999}",
          "{\"value\":1}",
          "{\"value\":1,\"ts\":null}",
          "{\"ts\":\"\"}",
          "{}"};
}

class BadInputTest : public GatewayTest {
 public:
  uint64_t sent = 0;

  void send(const std::string& payload, const std::string& topic = "sensors/bad/env") {
    CHECK_TRUE(gateway->publish(topic, payload));
    ++sent;
  }
  /// Everything so far was set aside, nothing else, and all of it is acknowledged.
  void check_all_set_aside(const char* what) {
    CHECK_TRUE_TEXT(gateway->wait_received(sent), what);
    const ObservedPipeline pipeline = gateway->pipeline();
    UNSIGNED_LONGS_EQUAL_TEXT(sent, pipeline.ledger.dead_lettered, what);
    LONGS_EQUAL(0, pipeline.imbalance);
    uint64_t by_reason = 0;
    for (const auto& [reason, count] : pipeline.dead_letter_reasons) by_reason += count;
    UNSIGNED_LONGS_EQUAL(sent, by_reason);
  }
  /// After a crash the broker has nothing to send again, and good messages are still counted.
  void check_drained_and_alive() {
    sleep_ms(100);
    crash_and_restart();
    sleep_ms(200);
    UNSIGNED_LONGS_EQUAL(sent, gateway->pipeline().ledger.received);
    measure("good", 1, 0);
    measure("good", 2, 5000);
    CHECK_TRUE(gateway->wait_results(1));
    UNSIGNED_LONGS_EQUAL(2, gateway->pipeline().ledger.applied);
  }
};

TEST_GROUP_BASE(BadInput, BadInputTest){};

TEST(BadInput, every_malformed_document_is_set_aside_alone) {
  start();
  for (const std::string& payload : malformed()) {
    send(payload);
    check_all_set_aside(payload.substr(0, 80).c_str());
  }
  check_drained_and_alive();
}

TEST(BadInput, every_document_that_does_not_fit_the_fields_is_set_aside) {
  start();
  for (const std::string& payload : misfits()) {
    send(payload);
    check_all_set_aside(payload.c_str());
  }
  check_drained_and_alive();
}

TEST(BadInput, payloads_of_ten_megabytes_are_refused_and_leave_no_memory_behind) {
  start();
  std::string large = with_value("\"" + std::string(10 << 20, 'x') + "\"");
  send(large);
  check_all_set_aside("the first large payload");
  const uint64_t warm = gateway->status().memory.rss;
  for (int round = 0; round < 10; ++round) send(large);
  check_all_set_aside("large payloads");
  const ObservedAgent agent = gateway->status();
  UNSIGNED_LONGS_EQUAL(sent, agent.pipelines.front().dead_letter_reasons.begin()->second);
  // The library's buffer for one message may be there or not; ten of them may not.
  if (agent.memory.heap_guard) CHECK_TRUE(agent_is_emulated() || agent.memory.rss <= warm + (1 << 20));
  check_drained_and_alive();
}

TEST(BadInput, topics_near_64_KiB_are_set_aside) {
  prepare();
  gateway->replace("sensors/+/env", "sensors/#");
  CHECK_TRUE(gateway->start());
  const std::string good = with_value("1");
  for (size_t length : {1025U, 4096U, 32'768U, 65'000U, 65'535U}) send(good, "sensors/" + std::string(length - 8, 't'));
  check_all_set_aside("long topics");
  check_drained_and_alive();
}

TEST(BadInput, a_topic_that_is_no_text_does_not_reach_the_agent_or_is_set_aside) {
  start();
  // Whatever the broker makes of it: the agent lives and its account balances.
  (void)gateway->publish("sensors/\xC3/env", with_value("1"));
  measure("good", 1, 0);
  measure("good", 1, 5000);
  CHECK_TRUE(gateway->wait_results(1));
  LONGS_EQUAL(0, gateway->pipeline().imbalance);
}

TEST(BadInput, memory_stays_flat_over_thousands_of_bad_messages) {
  start();
  const std::vector<std::string> payloads = malformed();
  const auto flood = [&] {
    for (size_t number = 0; number < 5000; ++number) send(payloads[number % payloads.size()]);
    CHECK_TRUE(gateway->wait_received(sent, 60'000));
  };
  flood();
  const uint64_t warm = gateway->status().memory.rss;
  flood();
  flood();
  const ObservedAgent agent = gateway->status();
  UNSIGNED_LONGS_EQUAL(sent, agent.pipelines.front().ledger.dead_lettered);
  if (agent.memory.heap_guard) {
    CHECK_TRUE(agent_is_emulated() || agent.memory.rss <= warm + (256 << 10));
    UNSIGNED_LONGS_EQUAL(0, agent.memory.weir_allocations);
  }
}

}  // namespace
