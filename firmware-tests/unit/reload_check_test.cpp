// The half of a reload that touches nothing.
#include "agent/app/reload_check.h"

#include <string>
#include <vector>

#include "agent/app/reload.h"
#include "agent/app/reload_report.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/json_values.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ReloadCheck) {
  TemporaryDirectory directory;
  std::string connection = "url = \"mqtt://127.0.0.1:1\"\n";
  std::string agent = "name = \"box\"\nstate_dir = \"/nowhere\"\n";

  static std::string pipeline(const std::string& name, const std::string& step = "") {
    return "[[pipeline]]\nname = \"" + name + "\"\n[pipeline.source]\nmqtt = \"m\"\ntopics = [\"" + name +
           "\"]\nformat = \"json\"\nfields = { t = \"float\" }\n" + step + "[pipeline.sink]\nmqtt = \"m\"\ntopic = \"x/" +
           name + "\"\nformat = \"json\"\n";
  }
  std::vector<std::string> write(const std::string& pipelines) {
    const std::string path = directory.file("weir.toml");
    CHECK_TRUE(write_whole_file(path, "[agent]\n" + agent + "[mqtt.m]\n" + connection + pipelines).ok());
    return {path};
  }
  LoadedConfig load(const std::string& pipelines) { return load_config(write(pipelines), {}); }
  ReloadLimits limits_of(const LoadedConfig& config) {
    ReloadLimits limits;
    for (const PipelineSpec& spec : config.specification.pipeline)
      limits.pipelines.push_back({spec.name, pipeline_digest(config, spec)});
    limits.agent_name = "box";
    limits.state_dir = "/nowhere";
    limits.slots = 4;
    limits.sqlite_bytes = SqliteCheckpointStore::memory_bytes(limits.store) + (4 << 20);
    limits.commit_ms_max = INT64_MAX;
    limits.lookups = true;
    return limits;
  }
  ReloadCheck check(const std::string& pipelines, const ReloadLimits& limits) {
    return check_reload(write(pipelines), {}, limits);
  }
};

TEST(ReloadCheck, tells_what_has_changed_from_what_has_not) {
  const LoadedConfig before = load(pipeline("a") + pipeline("b") + pipeline("c"));
  const ReloadLimits limits = limits_of(before);
  // Order, spaces and comments are nothing.
  const std::string same_a = "# a comment\n" + pipeline("a") + "\n\n";
  const LoadedConfig after = load(pipeline("d") + pipeline("c", "[[pipeline.step]]\nfilter = \"t > 1\"\n") + same_a);
  const std::vector<PipelineReload> pipelines = compare_pipelines(after, limits.pipelines);
  UNSIGNED_LONGS_EQUAL(4, pipelines.size());
  CHECK_TRUE(pipelines[0].name == "a" && pipelines[0].change == PipelineChange::Unchanged);
  CHECK_TRUE(pipelines[1].name == "b" && pipelines[1].change == PipelineChange::Removed);
  CHECK_TRUE(pipelines[2].name == "c" && pipelines[2].change == PipelineChange::Changed && pipelines[2].spec == 1);
  CHECK_TRUE(pipelines[3].name == "d" && pipelines[3].change == PipelineChange::Added && pipelines[3].spec == 0);
}

TEST(ReloadCheck, another_connection_or_password_changes_those_who_use_it) {
  const std::string secret = directory.file("secret");
  CHECK_TRUE(write_whole_file(secret, "one\n").ok());
  connection += "username = \"u\"\npassword_file = \"" + secret + "\"\n";
  const ReloadLimits limits = limits_of(load(pipeline("a")));
  CHECK_TRUE(compare_pipelines(load(pipeline("a")), limits.pipelines)[0].change == PipelineChange::Unchanged);
  CHECK_TRUE(write_whole_file(secret, "two\n").ok());
  CHECK_TRUE(compare_pipelines(load(pipeline("a")), limits.pipelines)[0].change == PipelineChange::Changed);
  CHECK_TRUE(write_whole_file(secret, "one\n").ok());
  connection += "keepalive = \"17s\"\n";
  CHECK_TRUE(compare_pipelines(load(pipeline("a")), limits.pipelines)[0].change == PipelineChange::Changed);
}

TEST(ReloadCheck, measures_what_is_new) {
  const ReloadCheck fine = check(pipeline("a") + pipeline("b"), limits_of(load(pipeline("a"))));
  STRCMP_EQUAL("", fine.error.c_str());
  UNSIGNED_LONGS_EQUAL(0, fine.pipelines[0].bytes);
  CHECK_TRUE(fine.pipelines[1].bytes > 100'000);
}

TEST(ReloadCheck, reports_what_only_building_finds_with_its_place) {
  const ReloadCheck wrong = check(pipeline("a", "[[pipeline.step]]\nfilter = \"u > 1\"\n"), limits_of(load(pipeline("a"))));
  STRCMP_CONTAINS("weir.toml:14:11: error: unknown field \"u\"", wrong.error.c_str());
}

TEST(ReloadCheck, refuses_what_only_a_start_can_change) {
  const ReloadLimits limits = limits_of(load(pipeline("a")));
  agent = "name = \"other\"\nstate_dir = \"/elsewhere\"\nwatchdog = \"9s\"\ncontrol = { mqtt = \"m\", topic = \"c\" }\n";
  const ReloadCheck refused = check(pipeline("a"), limits);
  for (const char* key : {"agent.name", "agent.state_dir", "agent.watchdog", "agent.control"})
    STRCMP_CONTAINS((std::string(key) + " cannot be changed").c_str(), refused.error.c_str());
}

TEST(ReloadCheck, refuses_more_pipelines_than_there_is_room_for) {
  ReloadLimits limits = limits_of(load(pipeline("a")));
  limits.slots = 2;
  STRCMP_EQUAL("", check(pipeline("a") + pipeline("b"), limits).error.c_str());
  STRCMP_CONTAINS("3 pipelines, and this agent was started with room for 2",
                  check(pipeline("a") + pipeline("b") + pipeline("c"), limits).error.c_str());
}

TEST(ReloadCheck, refuses_to_be_larger_than_the_limit_at_any_moment) {
  ReloadLimits limits = limits_of(load(pipeline("a")));
  const uint64_t bytes = check(pipeline("a") + pipeline("b"), limits).pipelines[1].bytes;
  agent += "memory_limit = \"10MiB\"\n";
  limits.reserved = (10 << 20) - bytes;
  STRCMP_EQUAL("", check(pipeline("a") + pipeline("b"), limits).error.c_str());
  ++limits.reserved;
  STRCMP_CONTAINS("agent.memory_limit", check(pipeline("a") + pipeline("b"), limits).error.c_str());
  // By far: building it would not even succeed.
  limits.reserved = (10 << 20) - 1000;
  STRCMP_CONTAINS("agent.memory_limit leaves", check(pipeline("a") + pipeline("b"), limits).error.c_str());
}

TEST(ReloadCheck, refuses_what_the_store_and_the_watchdog_were_not_set_up_for) {
  ReloadLimits limits = limits_of(load(pipeline("a")));
  limits.sqlite_bytes = SqliteCheckpointStore::memory_bytes(limits.store);
  STRCMP_CONTAINS("more memory than was set aside", check(pipeline("a") + pipeline("b"), limits).error.c_str());
  limits = limits_of(load(pipeline("a")));
  limits.commit_ms_max = 30'000;
  STRCMP_EQUAL("", check(pipeline("a") + pipeline("b"), limits).error.c_str());
  limits.commit_ms_max = 29'999;
  STRCMP_CONTAINS("checkpoint.timeout", check(pipeline("a") + pipeline("b"), limits).error.c_str());
}

TEST(ReloadCheck, reads_its_words_on_the_control_socket) {
  ReloadRequest request;
  CHECK_TRUE(parse_reload_request("", request));
  CHECK_FALSE(request.dry_run || request.json || request.allow_non_restored_state);
  CHECK_TRUE(parse_reload_request("json dry-run allow-non-restored-state", request));
  CHECK_TRUE(request.dry_run && request.json && request.allow_non_restored_state);
  CHECK_FALSE(parse_reload_request("jason", request));
}

TEST(ReloadCheck, tells_people_and_programs_what_came_of_it) {
  ReloadReport report;
  report.generation = 3;
  report.duration_ms = 41;
  report.pipelines = {{PipelineChange::Changed, "a", {}}, {PipelineChange::Removed, "b\"", {}}};
  STRCMP_CONTAINS("reloaded in 41 ms: 1 changed, 0 added, 1 removed, 0 unchanged\n", reload_text(report).c_str());
  CHECK_TRUE(is_json(reload_json(report)));
  STRCMP_CONTAINS("\"error\":null", reload_json(report).c_str());
  report.error = "it is \"wrong\"\n";
  STRCMP_CONTAINS("refused: nothing was changed", reload_text(report).c_str());
  STRCMP_CONTAINS("it is \"wrong\"\n", reload_text(report).c_str());
  CHECK_TRUE(is_json(reload_json(report)));
}
