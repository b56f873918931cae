// Fixed memory: what `weir plan` promises is what a running agent has reserved, and after the start nothing of ours allocates.
#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

class MemoryTest : public GatewayTest {
 public:
  ObservedBill plan(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"plan", "--json"});
    const ProcessResult result = gateway->weir(arguments);
    LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
    const Result<ObservedBill> bill = parse_bill(result.output);
    CHECK_TRUE(bill.ok());
    return bill.ok() ? bill.value() : ObservedBill();
  }
  void check_sum(const ObservedBill& bill) {
    uint64_t sum = 0;
    for (const ObservedPool& pool : bill.pools) {
      sum += pool.bytes;
      CHECK_TRUE_TEXT(!pool.name.empty(), pool.reason.c_str());
    }
    UNSIGNED_LONGS_EQUAL(bill.reserved, sum);
  }
  void reconnect(uint64_t connects) {
    const auto connected = [connects](const ObservedAgent& agent) {
      return agent.pipelines.front().source.connected && agent.pipelines.front().source.connects >= connects;
    };
    CHECK_TRUE(connected(gateway->agent().wait_for(connected)));
  }
  /// Enough of everything: windows, results, checkpoints, dead letters, late records, reconnects of both connections.
  void live_a_full_life() {
    for (int round = 0; round < 2; ++round) {
      for (int number = 0; number < 2000; ++number) {
        measure("d" + std::to_string(number % 100), number, round * 100'000 + number * 10);
      }
      CHECK_TRUE(gateway->publish("sensors/bad/env", "{"));
      measure("late", 1, -100'000);
      CHECK_TRUE(take_over_session(gateway->broker().port(), "box-per-second").ok());
      reconnect(static_cast<uint64_t>(round) + 2);
    }
    CHECK_TRUE(gateway->broker().stop().ok());
    CHECK_TRUE(gateway->broker().start().ok());
    measure("d", 1, 900'000);
    CHECK_TRUE(gateway->wait_received(2 * 2002 + 1));
  }
};

TEST_GROUP_BASE(Memory, MemoryTest){};

TEST(Memory, plan_equals_what_a_run_has_reserved_to_the_byte) {
  start();
  const ObservedBill bill = plan({gateway->config_path()});
  UNSIGNED_LONGS_EQUAL(gateway->status().memory.reserved, bill.reserved);
  check_sum(bill);
}

TEST(Memory, plan_of_the_shipped_example_fits_its_limit) {
  prepare();
  const ObservedBill bill = plan({WEIR_SOURCE_DIR "/configs/overheat.toml"});
  CHECK_TRUE(bill.reserved > 0);
  CHECK_TRUE(bill.reserved <= 8 << 20);
  check_sum(bill);
}

TEST(Memory, plan_grows_with_the_keys) {
  prepare();
  CHECK_TRUE(gateway->start_broker());
  gateway->write_config();
  const uint64_t before = plan({gateway->config_path()}).reserved;
  gateway->replace("key_by = [\"device\"]", "key_by = [\"device\"]\n  max_keys = 20000");
  gateway->write_config();
  CHECK_TRUE(plan({gateway->config_path()}).reserved > before + 19'000 * 32);
}

TEST(Memory, nothing_of_ours_allocates_after_the_start) {
  start();
  live_a_full_life();
  const ObservedAgent agent = gateway->status();
  const ObservedPipeline& pipeline = agent.pipelines.front();
  CHECK_TRUE(pipeline.checkpoint.completed > 3);
  CHECK_TRUE(pipeline.source.connects >= 4);
  CHECK_TRUE(pipeline.ledger.results > 100);
  LONGS_EQUAL(0, pipeline.imbalance);
  if (!agent.memory.heap_guard) return;  // a sanitizer's build does not count
  CHECK_TRUE(agent.memory.mosquitto_allocations > 0);
  UNSIGNED_LONGS_EQUAL(0, agent.memory.weir_allocations);
  UNSIGNED_LONGS_EQUAL(0, agent.memory.sqlite_allocations);
  CHECK_TRUE(agent.memory.sqlite_peak > 0 && agent.memory.sqlite_peak <= agent.memory.sqlite_limit);
  UNSIGNED_LONGS_EQUAL(0, agent.memory.sqlite_refused);
}

TEST(Memory, status_and_dead_letters_do_not_allocate_either) {
  start();
  for (int round = 0; round < 20; ++round) {
    CHECK_TRUE(gateway->publish("sensors/bad/env", "{"));
    (void)gateway->weir({"status", gateway->config_path()});
    (void)gateway->weir({"dead-letters", "list", gateway->config_path()});
  }
  CHECK_TRUE(gateway->wait_received(20));
  UNSIGNED_LONGS_EQUAL(0, gateway->status().memory.weir_allocations);
}

TEST(Memory, stays_flat_under_traffic) {
  start();
  int round = 0;
  const auto traffic = [&] {
    for (int number = 0; number < 5000; ++number)
      measure("d" + std::to_string(number % 100), number, (round * 5000 + number) * 10);
    ++round;
    CHECK_TRUE(gateway->wait_received(static_cast<uint64_t>(round) * 5000, 60'000));
  };
  // Pages of the program's own file come when they are first needed and go when the machine needs the room; what must not
  // grow is the rest.
  const auto anonymous_kib = [&] {
    const std::string text = read_whole_file("/proc/" + std::to_string(gateway->agent().pid()) + "/status");
    const size_t at = text.find("RssAnon:");
    CHECK_TRUE(at != std::string::npos);
    return strtoull(text.c_str() + at + 8, nullptr, 10);
  };
  traffic();
  traffic();
  const uint64_t warm_kib = anonymous_kib();
  traffic();
  traffic();
  if (gateway->status().memory.heap_guard) CHECK_TRUE(anonymous_kib() <= warm_kib + 128);
}

}  // namespace
