// Reloads: what has changed is taken over from its last checkpoint, what has not changed runs on, and what is wrong changes
// nothing.
#include <csignal>
#include <map>

#include <sys/stat.h>

#include "firmware-tests/acceptance/gateway_fixture.h"
#include "firmware-tests/faults/crash_points.h"

namespace {

using namespace weir;

struct Windows {
  std::string name = "windows";
  std::string filter = "value > -1000";
  std::string window = "1s";
  std::string aggregates = "n = \"count()\", total = \"sum(value)\"";
  std::string options;
  uint64_t max_keys = 100;
};

std::string windows_text(const Windows& windows) {
  return "[[pipeline]]\nname = \"" + windows.name + "\"\ncheckpoint = { interval = \"30ms\", min_pause = \"1ms\" }\n" +
         windows.options + "  [pipeline.source]\n  mqtt = \"local\"\n  topics = [\"" + windows.name +
         "/+\"]\n  format = \"json\"\n  fields = { device = \"topic[1]\", value = \"float\", ts = \"time(ms)\" }\n"
         "  event_time = { field = \"ts\", max_delay = \"500ms\" }\n"
         "  [[pipeline.step]]\n  filter = \"" +
         windows.filter +
         "\"\n  [[pipeline.step]]\n  id = \"per-second\"\n  key_by = [\"device\"]\n  window = { tumbling = \"" +
         windows.window + "\" }\n  aggregate = { " + windows.aggregates +
         " }\n  max_keys = " + std::to_string(windows.max_keys) +
         "\n  [pipeline.sink]\n  mqtt = \"local\"\n  topic = \"results/" + windows.name + "\"\n  format = \"json\"\n";
}

Windows named(const std::string& name) {
  Windows windows;
  windows.name = name;
  return windows;
}

std::string two() { return agent_table() + windows_text(named("steady")) + windows_text(Windows()); }

class ReloadTest : public GatewayTest {
 public:
  void send(const std::string& pipeline, double value, int64_t at_ms) {
    char payload[96];
    snprintf(payload, sizeof payload, "{\"value\":%.17g,\"ts\":%lld}", value, static_cast<long long>(event_base_ms + at_ms));
    CHECK_TRUE(gateway->publish(pipeline + "/d", payload));
  }
  bool applied(const std::string& pipeline, uint64_t count) {
    return eventually(20'000, [&] { return gateway->pipeline(pipeline).ledger.applied == count; });
  }
  void configure(std::string text) {
    const auto fill = [&](const std::string& name, const std::string& value) {
      for (size_t at = text.find(name); at != std::string::npos; at = text.find(name)) text.replace(at, name.size(), value);
    };
    fill("@STATE@", gateway->state_dir());
    fill("@BROKER@", gateway->broker().url());
    CHECK_TRUE(write_whole_file(gateway->config_path(), text).ok());
  }
  ProcessResult reload(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"reload", "--state-dir", gateway->state_dir()});
    return gateway->weir(options);
  }
  void reload_well(std::vector<std::string> options = {}) {
    const ProcessResult result = reload(std::move(options));
    CHECK_TRUE_TEXT(result.end.exit_code == 0, (result.output + result.error).c_str());
  }
  /// The whole of what is asked for, refused for this reason, while both pipelines run on.
  void check_refused(const std::string& reason) {
    const ProcessResult result = reload();
    LONGS_EQUAL_TEXT(78, result.end.exit_code, (result.output + result.error).c_str());
    STRCMP_CONTAINS("refused: nothing was changed", result.error.c_str());
    STRCMP_CONTAINS(reason.c_str(), result.error.c_str());
    for (const char* name : {"steady", "windows"}) {
      STRCMP_EQUAL("running", gateway->pipeline(name).state.c_str());
      UNSIGNED_LONGS_EQUAL(1, gateway->pipeline(name).source.connects);
    }
  }
};

TEST_GROUP_BASE(Reload, ReloadTest){};

TEST(Reload, changes_adds_and_removes_and_leaves_the_rest_alone) {
  start(agent_table() + windows_text(named("steady")) + windows_text(Windows()) + windows_text(named("old")));
  send("steady", 1, 0);
  send("windows", 5, 0);
  CHECK_TRUE(applied("windows", 1) && applied("steady", 1));
  Windows changed;
  changed.aggregates += ", highest = \"max(value)\"";
  configure(agent_table() + windows_text(named("steady")) + windows_text(changed) + windows_text(named("new")));
  const ProcessResult result = reload();
  LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
  STRCMP_CONTAINS("1 changed, 1 added, 1 removed, 1 unchanged", result.output.c_str());
  STRCMP_CONTAINS("aggregate highest: new, begins empty", result.output.c_str());
  const ObservedAgent agent = gateway->status();
  UNSIGNED_LONGS_EQUAL(3, agent.pipelines.size());
  STRCMP_EQUAL("new", agent.pipelines.back().name.c_str());
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("steady").source.connects);
  CHECK_TRUE(gateway->agent().wait_connected());
  // The window that was open goes on.
  send("windows", 7, 100);
  send("windows", 0, 5000);
  send("new", 3, 0);
  CHECK_TRUE(applied("new", 1));
  CHECK_TRUE(gateway->wait_results(1));
  const std::string payload = gateway->results().front().payload;
  STRCMP_CONTAINS("\"n\":2,\"total\":12", payload.c_str());
  STRCMP_CONTAINS("\"highest\":7", payload.c_str());
  UNSIGNED_LONGS_EQUAL(0, gateway->status().memory.weir_allocations);
  // What is configured is what another start finds.
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(3, gateway->pipeline("windows").ledger.applied);
}

TEST(Reload, refuses_what_is_wrong_and_names_the_place) {
  start(two());
  Windows wrong;
  wrong.filter = "valeu > 3";
  configure(agent_table() + windows_text(named("steady")) + windows_text(wrong));
  check_refused(":37:");
  check_refused("valeu");
  configure(two() + "[[pipeline\n");
  check_refused("weir.toml:");
  configure(agent_table("watchdog = \"77s\"\n") + windows_text(named("steady")) + windows_text(Windows()));
  check_refused("agent.watchdog cannot be changed while the agent runs");
  send("windows", 1, 0);
  CHECK_TRUE(applied("windows", 1));
  configure(two());
  reload_well();
}

TEST(Reload, refuses_more_memory_than_there_is_without_taking_it) {
  start(two());
  Windows huge;
  huge.max_keys = 500'000;  // fewer than a 32-bit agent refuses for its addresses
  configure(agent_table() + windows_text(named("steady")) + windows_text(huge));
  check_refused("it needs more than the ");
  huge.max_keys = 5'000;
  configure(agent_table("memory_limit = \"3MiB\"\n") + windows_text(named("steady")) + windows_text(huge));
  check_refused("agent.memory_limit");
}

TEST(Reload, refuses_state_that_does_not_fit_before_anything_stops) {
  start(two());
  send("windows", 1, 0);
  CHECK_TRUE(gateway->wait_received(1) || applied("windows", 1));
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline("windows").source.unacknowledged == 0; }));
  Windows longer;
  longer.window = "2s";
  configure(agent_table() + windows_text(named("steady")) + windows_text(longer));
  check_refused("stored state does not fit the configuration");
  check_refused("per-second");
}

TEST(Reload, only_says_what_it_would_do_when_asked_so) {
  start(two());
  send("windows", 1, 0);
  CHECK_TRUE(applied("windows", 1));
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline("windows").source.unacknowledged == 0; }));
  Windows changed;
  changed.aggregates = "n = \"count()\"";
  configure(agent_table() + windows_text(changed) + windows_text(named("new")));
  const ProcessResult result = reload({"--dry-run", "--json"});
  LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
  CHECK_TRUE(is_json(result.output));
  STRCMP_CONTAINS("\"dry_run\":true", result.output.c_str());
  STRCMP_CONTAINS("{\"pipeline\":\"steady\",\"change\":\"removed\"", result.output.c_str());
  STRCMP_CONTAINS("{\"pipeline\":\"windows\",\"change\":\"changed\",\"parts\":[{", result.output.c_str());
  STRCMP_CONTAINS("{\"pipeline\":\"new\",\"change\":\"added\"", result.output.c_str());
  STRCMP_CONTAINS("\"state\":\"converted\"", result.output.c_str());
  UNSIGNED_LONGS_EQUAL(2, gateway->status().pipelines.size());
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("windows").source.connects);
  send("steady", 1, 0);
  CHECK_TRUE(applied("steady", 1));
}

TEST(Reload, on_a_signal_tells_the_log_and_no_signal_is_lost_in_another_s_reload) {
  start(two());
  constexpr int signals = 30;
  for (int signal = 1; signal <= signals; ++signal) {
    Windows changed;
    changed.filter = "value > " + std::to_string(signal);
    configure(agent_table() + windows_text(named("steady")) + windows_text(changed));
    gateway->agent().process().signal(SIGHUP);
    usleep(static_cast<useconds_t>(signal * 200));
  }
  CHECK_TRUE(says("reload: reloaded in"));
  CHECK_TRUE(says("1 changed, 0 added, 0 removed, 1 unchanged"));
  // Whoever asks last waits for the others, and may be served together with them.
  reload_well();
  STRCMP_CONTAINS("0 changed, 0 added, 0 removed, 2 unchanged", reload().output.c_str());
  CHECK_TRUE(gateway->agent().wait_connected());
  send("windows", signals, 0);
  send("windows", signals + 1, 0);
  CHECK_TRUE(applied("windows", 1));
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("windows").ledger.filtered);
  configure("no toml");
  gateway->agent().process().signal(SIGHUP);
  CHECK_TRUE(says("reload: refused: nothing was changed"));
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("steady").source.connects);
}

TEST(Reload, of_a_directory_takes_files_in_and_out) {
  prepare(two());
  CHECK_TRUE(gateway->start_broker() && gateway->start_clients());
  const std::string directory = gateway->directory().file("conf.d");
  CHECK_TRUE(mkdir(directory.c_str(), 0700) == 0);
  const std::string main_path = gateway->config_path();
  gateway->agent().options().configs = {directory};
  const auto put = [&](const std::string& name, const std::string& text) {
    configure(text);
    CHECK_TRUE(rename(main_path.c_str(), (directory + "/" + name).c_str()) == 0);
  };
  put("00-agent.toml", agent_table());
  put("10-windows.toml", windows_text(Windows()));
  CHECK_TRUE(gateway->agent().start_ready().ok() && gateway->agent().wait_connected());
  put("20-more.toml", windows_text(named("more")));
  reload_well();
  CHECK_TRUE(gateway->agent().wait_connected());
  send("more", 1, 0);
  CHECK_TRUE(applied("more", 1));
  CHECK_TRUE(remove((directory + "/10-windows.toml").c_str()) == 0);
  reload_well();
  UNSIGNED_LONGS_EQUAL(1, gateway->status().pipelines.size());
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("more").ledger.applied);
}

TEST(Reload, brings_a_pipeline_back_that_has_failed) {
  Windows failing;
  failing.options = "restart = { strategy = \"none\" }\n";
  std::string text = windows_text(failing);
  const std::string often = "interval = \"30ms\", min_pause = \"1ms\"";
  text.replace(text.find(often), often.size(), "interval = \"1h\", max_age = \"1s\", on_max_age = \"restart\"");
  start(agent_table() + windows_text(named("steady")) + text);
  send("windows", 1, 0);
  CHECK_TRUE(says("allows no further restart"));
  configure(two());
  reload_well();
  CHECK_TRUE(gateway->agent().wait_connected());
  CHECK_TRUE(applied("windows", 1));
}

TEST(Reload, keeps_the_state_of_a_step_that_leaves_only_when_that_is_allowed) {
  start(two());
  send("windows", 1, 0);
  CHECK_TRUE(applied("windows", 1));
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline("windows").source.unacknowledged == 0; }));
  std::string renamed = windows_text(Windows());
  renamed.replace(renamed.find("\"per-second\""), 12, "\"other\"");
  configure(agent_table() + windows_text(named("steady")) + renamed);
  check_refused("--allow-non-restored-state");
  reload_well({"--allow-non-restored-state"});
  configure(two());
  reload_well({"--allow-non-restored-state"});
  CHECK_TRUE(gateway->agent().wait_connected());
  send("windows", 2, 10);
  send("windows", 2, 5000);
  CHECK_TRUE(gateway->wait_results(1));
  STRCMP_CONTAINS("\"n\":2,\"total\":3", gateway->results().front().payload.c_str());
}

/// Fifty under load, every other one wrong.
TEST(Reload, again_and_again_under_load_loses_nothing_and_every_window_is_exact) {
  start(two());
  constexpr int reloads = 50;
  int64_t at_ms = 0;
  std::map<int64_t, int> expected;  // windows
  const auto load = [&] {
    for (int count = 0; count < 20; ++count, at_ms += 40) {
      send("windows", 1, at_ms);
      send("steady", 1, at_ms);
      ++expected[at_ms / 1000];
    }
  };
  for (int number = 0; number < reloads; ++number) {
    load();
    Windows changed;
    changed.filter = "value > -" + std::to_string(1000 + number);
    if (number % 4 == 0) changed.aggregates += ", highest = \"max(value)\"";
    if (number % 2 == 1) changed.filter = "value >";
    configure(agent_table() + windows_text(named("steady")) + windows_text(changed));
    LONGS_EQUAL(number % 2 == 1 ? 78 : 0, reload().end.exit_code);
  }
  load();
  const uint64_t sent = static_cast<uint64_t>(at_ms / 40);
  CHECK_TRUE(applied("steady", sent));
  CHECK_TRUE(applied("windows", sent));
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("steady").source.connects);
  LONGS_EQUAL(0, gateway->pipeline("windows").imbalance);
  UNSIGNED_LONGS_EQUAL(0, gateway->status().memory.weir_allocations);
  const size_t complete = static_cast<size_t>((at_ms - 40 - 500) / 1000);
  CHECK_TRUE(gateway->wait_results(2 * complete));
  std::map<std::string, std::map<int64_t, int>> counted;
  for (const ReceivedMessage& message : gateway->results()) {
    const int64_t window = (json_int(message.payload, "window_start").value_or(0) - event_base_ms) / 1000;
    counted[message.topic][window] = static_cast<int>(json_int(message.payload, "n").value_or(0));
  }
  for (const char* topic : {"results/steady", "results/windows"})
    for (size_t window = 0; window < complete; ++window)
      LONGS_EQUAL(expected[static_cast<int64_t>(window)], counted[topic][static_cast<int64_t>(window)]);
}

TEST(Reload, that_is_cut_off_by_a_death_at_any_time_loses_nothing) {
  const std::string patient = "restart = { strategy = \"fixed-delay\", attempts = 1000, delay = \"1ms\" }\n";
  Windows steady = named("steady");
  Windows changed;
  steady.options = changed.options = patient;
  start(agent_table() + windows_text(steady) + windows_text(changed));
  uint64_t sent = 0;
  for (int death = 0; death < 12; ++death) {
    for (int count = 0; count < 10; ++count) send("windows", 1, static_cast<int64_t>(sent++) * 10);
    changed.filter = "value > -" + std::to_string(2000 + death);
    configure(agent_table() + windows_text(steady) + windows_text(changed));
    gateway->agent().process().signal(SIGHUP);
    usleep(static_cast<useconds_t>(death * 4000));
    crash_and_restart();
  }
  CHECK_TRUE(applied("windows", sent));
  LONGS_EQUAL(0, gateway->pipeline("windows").imbalance);
}

TEST(Reload, that_dies_at_any_of_its_steps_loses_nothing_and_counts_nothing_twice) {
  const std::string patient = "restart = { strategy = \"fixed-delay\", attempts = 1000, delay = \"1ms\" }\n";
  Windows steady = named("steady");
  Windows changed;
  steady.options = changed.options = patient;
  gateway = std::make_unique<TestGateway>(agent_table() + windows_text(steady) + windows_text(changed), WEIR_CRASHING);
  CHECK_TRUE(gateway->start());
  uint64_t sent = 0;
  for (const test::CrashPoint& point : test::crash_points) {
    if (point.needs != test::CrashPointNeeds::Reload) continue;
    gateway->crash();
    gateway->agent().options().environment = {"WEIR_CRASH_AT=" + std::string(point.name)};
    CHECK_TRUE(gateway->start_agent());
    changed.filter = "value > -" + std::to_string(4000 + sent);
    configure(agent_table() + windows_text(steady) + windows_text(changed));
    gateway->agent().process().signal(SIGHUP);
    for (int count = 0; count < 10; ++count) send("windows", 1, static_cast<int64_t>(sent++) * 10);
    const std::optional<ProcessEnd> end = gateway->agent().process().wait(20'000);
    CHECK_TRUE_TEXT(end && end->signal == SIGKILL, std::string(point.name).c_str());
    gateway->agent().options().environment.clear();
    CHECK_TRUE(gateway->start_agent());
    CHECK_TRUE_TEXT(applied("windows", sent), std::string(point.name).c_str());
  }
  CHECK_TRUE(sent > 0);
  LONGS_EQUAL(0, gateway->pipeline("windows").imbalance);
}

TEST(Reload, gives_way_to_a_stop) {
  start(two());
  for (int number = 0; number < 5; ++number) {
    Windows changed;
    changed.filter = "value > -" + std::to_string(3000 + number);
    configure(agent_table() + windows_text(named("steady")) + windows_text(changed));
    gateway->agent().process().signal(SIGHUP);
    usleep(static_cast<useconds_t>(number * 6000));
    CHECK_TRUE(gateway->stop_agent());
    CHECK_TRUE(gateway->start_agent());
  }
}

}  // namespace
