#include <unistd.h>

#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(LoadedConfig) {
  ConfigFixture config;

  std::string write(const std::string& name, const std::string& text) {
    std::string path = config.directory().file(name);
    CHECK(write_whole_file(path, text).ok());
    return path;
  }
};

TEST(LoadedConfig, the_shipped_example_loads_without_a_diagnostic) {
  std::vector<std::string> paths = {WEIR_SOURCE_DIR "/configs/overheat.toml"};
  LoadedConfig loaded = load_config(paths, {});
  STRCMP_EQUAL("", loaded.diagnostics.format(loaded.files, false).c_str());
  CHECK_FALSE(loaded.unusable);
}

TEST(LoadedConfig, the_example_s_values_arrive) {
  LoadedConfig loaded = config.load();
  const Specification& specification = loaded.specification;
  STRCMP_EQUAL("gw-17", specification.agent.name.c_str());
  STRCMP_EQUAL("/var/lib/weir", specification.agent.state_dir.c_str());
  UNSIGNED_LONGS_EQUAL(8 << 20, specification.agent.memory_limit);
  LONGS_EQUAL(1, specification.mqtt.size());
  STRCMP_EQUAL("local", specification.mqtt[0].name.c_str());
  STRCMP_EQUAL("127.0.0.1", specification.mqtt[0].host.c_str());
  LONGS_EQUAL(1883, specification.mqtt[0].port);
  LONGS_EQUAL(1, specification.pipeline.size());
  const PipelineSpec& pipeline = specification.pipeline[0];
  STRCMP_EQUAL("overheat", pipeline.name.c_str());
  LONGS_EQUAL(5000, pipeline.checkpoint.interval);
  LONGS_EQUAL(10000, pipeline.checkpoint.records);
  STRCMP_EQUAL("failure-rate", pipeline.restart.strategy.c_str());
  LONGS_EQUAL(300000, pipeline.restart.interval);
  DOUBLES_EQUAL(1.5, pipeline.restart.multiplier, 0);
  STRCMP_EQUAL("local", pipeline.sink.mqtt.value.c_str());
  STRCMP_EQUAL("alerts/{device}", pipeline.sink.topic.value.c_str());
}

TEST(LoadedConfig, the_example_s_source_arrives) {
  LoadedConfig loaded = config.load();
  const SourceSpec& source = loaded.specification.pipeline[0].source.front();
  LONGS_EQUAL(1, source.topics.size());
  STRCMP_EQUAL("sensors/+/env", source.topics[0].value.c_str());
  LONGS_EQUAL(3, source.fields.size());
  LONGS_EQUAL(3, source.field_at.size());
  STRCMP_EQUAL("device", source.fields[0].field.name.c_str());
  CHECK(source.fields[0].origin == FieldOrigin::TopicSegment);
  LONGS_EQUAL(1, source.fields[0].topic_segment);
  CHECK(source.fields[1].field.type == Type::Float);
  CHECK(source.fields[1].path == std::vector<PathSegment>({{"temperature", -1}}));
  CHECK(source.fields[2].field.type == Type::Time);
  CHECK(source.fields[2].time_format == TimeFormat::Milliseconds);
  CHECK(source.event_time.given);
  STRCMP_EQUAL("ts", source.event_time.field.value.c_str());
  LONGS_EQUAL(2000, source.event_time.max_delay);
  LONGS_EQUAL(10000, source.event_time.idle);
}

TEST(LoadedConfig, the_example_s_steps_arrive_in_their_order) {
  LoadedConfig loaded = config.load();
  const std::vector<StepSpec>& steps = loaded.specification.pipeline[0].step;
  LONGS_EQUAL(3, steps.size());
  CHECK(steps[0].verb == StepVerb::Filter);
  STRCMP_EQUAL("temperature between -40 and 125", steps[0].filter.value.c_str());
  CHECK(steps[1].verb == StepVerb::Window);
  STRCMP_EQUAL("per-minute", steps[1].id.c_str());
  LONGS_EQUAL(60000, steps[1].window.tumbling);
  LONGS_EQUAL(0, steps[1].window.offset_ms);
  STRCMP_EQUAL("device", steps[1].key_by[0].value.c_str());
  LONGS_EQUAL(3, steps[1].aggregate.size());
  STRCMP_EQUAL("avg_t", steps[1].aggregate[0].name.c_str());
  STRCMP_EQUAL("max_t", steps[1].aggregate[1].name.c_str());
  STRCMP_EQUAL("count()", steps[1].aggregate[2].expression.value.c_str());
  STRCMP_EQUAL("max_t > 80", steps[2].filter.value.c_str());
}

TEST(LoadedConfig, an_aggregate_may_have_a_filter) {
  CHECK(config.edit("n = \"count()\"", "n = { filter = \"temperature > 80\", value = \"count()\" }"));
  LoadedConfig loaded = config.load();
  const std::vector<NamedExpression>& aggregates = loaded.specification.pipeline[0].step[1].aggregate;
  STRCMP_EQUAL("n", aggregates[2].name.c_str());
  STRCMP_EQUAL("count()", aggregates[2].expression.value.c_str());
  STRCMP_EQUAL("temperature > 80", aggregates[2].filter.value.c_str());
  LONGS_EQUAL(28, aggregates[2].filter.at.line);
  LONGS_EQUAL(0, aggregates[1].filter.at.line);
}

TEST(LoadedConfig, places_are_kept_for_later_errors) {
  LoadedConfig loaded = config.load();
  const PipelineSpec& pipeline = loaded.specification.pipeline[0];
  LONGS_EQUAL(10, pipeline.name_at.line - 0);
  LONGS_EQUAL(9, pipeline.name_at.column);
  const Text& filter = pipeline.step[0].filter;
  std::string_view line = loaded.files[filter.at.file].line(filter.at.line);
  CHECK(line.substr(filter.at.column - 1).starts_with("temperature between"));
}

TEST(LoadedConfig, what_is_left_out_has_its_default) {
  config.write(
      "[mqtt.b]\nurl = \"mqtt://h\"\n[[pipeline]]\nname = \"p\"\n[pipeline.source]\nmqtt = \"b\"\ntopics = [\"t\"]\n"
      "fields = { x = \"int\" }\n[pipeline.sink]\nmqtt = \"b\"\ntopic = \"o\"\n");
  LoadedConfig loaded = config.load();
  STRCMP_EQUAL("", config.shown(loaded, true).c_str());
  const Specification& specification = loaded.specification;
  char host[65] = {};
  CHECK(gethostname(host, 64) == 0);
  STRCMP_EQUAL(host, specification.agent.name.c_str());
  STRCMP_EQUAL("/var/lib/weir", specification.agent.state_dir.c_str());
  UNSIGNED_LONGS_EQUAL(32 << 20, specification.agent.memory_limit);
  STRCMP_EQUAL("info", specification.agent.log_level.c_str());
  const MqttSpec& mqtt = specification.mqtt[0];
  STRCMP_EQUAL("5", mqtt.mqtt.c_str());
  STRCMP_EQUAL(host, mqtt.client_id.c_str());
  LONGS_EQUAL(60000, mqtt.keepalive);
  LONGS_EQUAL(7 * 86400000, mqtt.session_expiry);
  UNSIGNED_LONGS_EQUAL(16 << 20, mqtt.max_packet_size);
  const PipelineSpec& pipeline = specification.pipeline[0];
  LONGS_EQUAL(5000, pipeline.checkpoint.interval);
  LONGS_EQUAL(500, pipeline.checkpoint.min_pause);
  LONGS_EQUAL(30000, pipeline.checkpoint.timeout);
  UNSIGNED_LONGS_EQUAL(0, pipeline.checkpoint.records);
  UNSIGNED_LONGS_EQUAL(0, pipeline.checkpoint.unacked);
  STRCMP_EQUAL("power-loss", pipeline.checkpoint.durability.c_str());
  UNSIGNED_LONGS_EQUAL(10000, pipeline.dead_letters.max_rows);
  UNSIGNED_LONGS_EQUAL(4 << 20, pipeline.dead_letters.max_bytes);
  UNSIGNED_LONGS_EQUAL(4096, pipeline.dead_letters.max_payload);
  STRCMP_EQUAL("json", pipeline.source.front().format.c_str());
  UNSIGNED_LONGS_EQUAL(1, pipeline.source.front().qos);
  STRCMP_EQUAL("checkpoint", pipeline.source.front().ack.c_str());
  STRCMP_EQUAL("use", pipeline.source.front().retained.c_str());
  UNSIGNED_LONGS_EQUAL(1000, pipeline.source.front().max_unacked);
  UNSIGNED_LONGS_EQUAL(64 << 10, pipeline.source.front().max_message);
  CHECK_FALSE(pipeline.source.front().event_time.given);
  UNSIGNED_LONGS_EQUAL(1, pipeline.sink.qos);
  CHECK_FALSE(pipeline.sink.retain);
  STRCMP_EQUAL("json", pipeline.sink.format.c_str());
  STRCMP_EQUAL("exactly-once", pipeline.sink.delivery.c_str());
  UNSIGNED_LONGS_EQUAL(256 << 10, pipeline.sink.outbox.memory);
  UNSIGNED_LONGS_EQUAL(16 << 20, pipeline.sink.outbox.max_bytes);
  CHECK(pipeline.step.empty());
}

TEST(LoadedConfig, a_step_has_its_defaults) {
  CHECK(config.edit("max_keys = 1000\n", ""));
  const StepSpec step = config.load().specification.pipeline[0].step[1];
  UNSIGNED_LONGS_EQUAL(1000, step.max_keys);
  STRCMP_EQUAL("reject", step.evict.c_str());
}

TEST(LoadedConfig, a_value_that_is_wrong_leaves_its_default) {
  CHECK(config.edit("interval = \"5s\"", "interval = \"5x\""));
  LoadedConfig loaded = config.load();
  LONGS_EQUAL(1, loaded.diagnostics.errors());
  LONGS_EQUAL(5000, loaded.specification.pipeline[0].checkpoint.interval);
  CHECK_FALSE(loaded.unusable);
}

TEST(LoadedConfig, an_override_with_a_toml_value_replaces_the_file_s) {
  LoadedConfig loaded = config.load({"agent.memory_limit = \"9MiB\"", "pipeline.overheat.checkpoint.records = 7"});
  STRCMP_EQUAL("", config.shown(loaded).c_str());
  UNSIGNED_LONGS_EQUAL(9 << 20, loaded.specification.agent.memory_limit);
  UNSIGNED_LONGS_EQUAL(7, loaded.specification.pipeline[0].checkpoint.records);
  LONGS_EQUAL(5000, loaded.specification.pipeline[0].checkpoint.interval);
}

TEST(LoadedConfig, an_override_that_is_not_toml_is_a_text) {
  LoadedConfig loaded = config.load({"agent.state_dir=/tmp/x", "mqtt.local.url=mqtt://127.0.0.1:1999"});
  STRCMP_EQUAL("", config.shown(loaded).c_str());
  STRCMP_EQUAL("/tmp/x", loaded.specification.agent.state_dir.c_str());
  LONGS_EQUAL(1999, loaded.specification.mqtt[0].port);
}

TEST(LoadedConfig, an_override_reaches_elements_by_name_id_and_position) {
  LoadedConfig loaded = config.load({"pipeline.0.step.per-minute.max_keys=5", "pipeline.overheat.step.0.filter=true"});
  UNSIGNED_LONGS_EQUAL(5, loaded.specification.pipeline[0].step[1].max_keys);
  STRCMP_EQUAL(
      "--set pipeline.overheat.step.0.filter=true: error: \"filter\" must be an expression in a string, not a boolean\n"
      "pipeline.overheat.step.0.filter=true\n"
      "                                ^~~~ for example: filter = \"temperature between -40 and 125\"\n",
      config.shown(loaded).c_str());
}

TEST(LoadedConfig, an_override_may_add_what_the_file_lacks) {
  LoadedConfig loaded = config.load({"mqtt.other.url=mqtt://h:1", "pipeline.overheat.sink.outbox.memory=8KiB"});
  STRCMP_EQUAL("", config.shown(loaded).c_str());
  LONGS_EQUAL(2, loaded.specification.mqtt.size());
  UNSIGNED_LONGS_EQUAL(8 << 10, loaded.specification.pipeline[0].sink.outbox.memory);
}

TEST(LoadedConfig, errors_of_overrides_name_the_override) {
  STRCMP_EQUAL(
      "--set agent.log_level=loud: error: unknown value \"loud\" for \"log_level\"\n"
      "agent.log_level=loud\n"
      "                ^~~~ there is error, warning, notice, info, debug\n"
      "--set nothing: error: an override is KEY=VALUE on one line\n"
      "nothing\n"
      "^~~~~~~ for example: --set agent.log_level=debug\n"
      "--set pipeline.x.name=y: error: there is no \"pipeline\" with the name, id or position \"x\"\n"
      "pipeline.x.name=y\n"
      "         ^\n"
      "--set # a=1: error: an override is KEY=VALUE on one line\n"
      "# a=1\n"
      "^~~~~ for example: --set agent.log_level=debug\n",
      config.report({"agent.log_level=loud", "nothing", "pipeline.x.name=y", "# a=1"}).c_str());
}

TEST(LoadedConfig, a_directory_s_files_are_one_configuration) {
  std::string text = example_configuration();
  size_t split = text.find("[[pipeline]]");
  write("b-pipelines.toml", text.substr(split));
  write("a-agent.toml", text.substr(0, split));
  write("ignored.txt", "[[[");
  std::vector<std::string> paths = {config.directory().path()};
  LoadedConfig loaded = load_config(paths, {});
  STRCMP_EQUAL("", config.shown(loaded).c_str());
  LONGS_EQUAL(2, loaded.files.size());
  CHECK(loaded.files[0].name.ends_with("/a-agent.toml"));
  STRCMP_EQUAL("gw-17", loaded.specification.agent.name.c_str());
  LONGS_EQUAL(1, loaded.specification.pipeline.size());
}

TEST(LoadedConfig, a_key_that_two_files_set_is_an_error) {
  std::vector<std::string> paths = {write("one.toml", example_configuration()),
                                    write("two.toml", "[agent]\nname = \"other\"\n")};
  STRCMP_EQUAL(
      "two.toml:2:1: error: \"name\" is set twice\n"
      "name = \"other\"\n"
      "^~~~ it already stands at one.toml:2\n",
      config.shown(load_config(paths, {})).c_str());
}

TEST(LoadedConfig, a_pipeline_that_two_files_describe_is_an_error) {
  std::string text = example_configuration();
  std::vector<std::string> paths = {write("one.toml", text), write("two.toml", text.substr(text.find("[[pipeline]]")))};
  STRCMP_EQUAL(
      "two.toml:2:9: error: two pipelines have the name \"overheat\"\n"
      "name = \"overheat\"\n"
      "        ^~~~~~~~ the first is at one.toml:10\n",
      config.shown(load_config(paths, {})).c_str());
}

TEST(LoadedConfig, every_file_s_syntax_error_is_reported) {
  std::vector<std::string> paths = {write("one.toml", "a = \n"), config.directory().file("none.toml"),
                                    write("two.toml", "[b\n")};
  LoadedConfig loaded = load_config(paths, {});
  CHECK(loaded.unusable);
  LONGS_EQUAL(3, loaded.diagnostics.errors());
  STRCMP_CONTAINS("none.toml: error: cannot read it: No such file or directory\n", config.shown(loaded).c_str());
}

TEST(LoadedConfig, a_directory_without_configurations_is_an_error) {
  std::vector<std::string> paths = {config.directory().path()};
  LoadedConfig loaded = load_config(paths, {});
  CHECK(loaded.unusable);
  STRCMP_CONTAINS("there is no *.toml in this directory", config.shown(loaded).c_str());
}

TEST(LoadedConfig, no_path_at_all_is_an_error) {
  LoadedConfig loaded = load_config({}, {});
  CHECK(loaded.unusable);
  STRCMP_EQUAL("error: no configuration file is named\n", config.shown(loaded).c_str());
}

TEST(LoadedConfig, a_file_of_one_mebibyte_is_read_and_a_larger_one_refused) {
  std::string text = example_configuration();
  config.write(text + std::string((1 << 20) - text.size(), '\n'));
  STRCMP_EQUAL("", config.report().c_str());
  config.write(config.text() + "\n");
  STRCMP_EQUAL("c.toml: error: it is larger than 1 MiB\n", config.report().c_str());
}

TEST(LoadedConfig, a_byte_order_mark_moves_no_column) {
  CHECK(config.edit("name = \"gw-17\"", "nam = \"gw-17\""));
  std::string expected = config.report();
  config.write("\xEF\xBB\xBF" + config.text());
  STRCMP_EQUAL(expected.c_str(), config.report().c_str());
}

TEST(LoadedConfig, the_fingerprint_does_not_depend_on_order_spacing_or_notation) {
  uint64_t before = config.load().specification.pipeline[0].fingerprint;
  CHECK(config.edit("checkpoint = { interval = \"5s\", records = 10000 }",
                    "checkpoint.records = 10_000 # a comment\ncheckpoint.interval='5s'"));
  CHECK(before == config.load().specification.pipeline[0].fingerprint);
}

TEST(LoadedConfig, the_fingerprint_depends_on_every_value_and_on_the_order_of_steps) {
  uint64_t before = config.load().specification.pipeline[0].fingerprint;
  CHECK(config.edit("max_t > 80", "max_t > 81"));
  uint64_t changed = config.load().specification.pipeline[0].fingerprint;
  CHECK(before != changed);
  config.write(example_configuration());
  CHECK(config.edit("temperature between -40 and 125", "max_t > 80") &&
        config.edit("max_t > 80\"\n\n  [pipeline.sink]", "temperature between -40 and 125\"\n\n  [pipeline.sink]"));
  CHECK(before != config.load().specification.pipeline[0].fingerprint);
}

TEST(LoadedConfig, other_tables_do_not_change_a_pipeline_s_fingerprint) {
  uint64_t before = config.load().specification.pipeline[0].fingerprint;
  CHECK(before == config.load({"agent.name=other"}).specification.pipeline[0].fingerprint);
}
