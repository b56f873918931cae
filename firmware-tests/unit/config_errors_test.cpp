#include "agent/config/broker_url.h"
#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

// Each test makes one mistake in the shipped example and compares all that the user sees.
TEST_GROUP(ConfigErrors) {
  ConfigFixture config;

  void says(const char* expected, const std::string& from, const std::string& to) {
    STRCMP_EQUAL(expected, config.report_after(from, to).c_str());
  }
  void is_good(const std::string& from, const std::string& to) { says("", from, to); }
};

TEST(ConfigErrors, an_unknown_key_names_the_nearest) {
  says(
      "c.toml:16:3: error: unknown key \"topcs\" in [pipeline.source]\n"
      "  topcs = [\"sensors/+/env\"]\n"
      "  ^~~~~ did you mean \"topics\"?\n",
      "topics =", "topcs =");
}

TEST(ConfigErrors, a_watchdog_without_time_to_look) {
  says(
      "c.toml:3:13: error: \"watchdog\" is shorter than 1s, the pace of what it watches\n"
      "watchdog = \"999ms\"\n"
      "            ^~~~~ give it some seconds, or \"0s\" for off\n",
      "name = \"gw-17\"", "name = \"gw-17\"\nwatchdog = \"999ms\"");
  is_good("watchdog = \"999ms\"", "watchdog = \"30s\"");
}

TEST(ConfigErrors, a_watchdog_shorter_than_the_time_of_a_checkpoint) {
  says(
      "c.toml:3:13: warning: \"watchdog\" is shorter than checkpoint.timeout of the pipeline \"overheat\", 30s\n"
      "watchdog = \"29s\"\n"
      "            ^~~ a disk that does not answer is noticed after the longer of the two\n",
      "name = \"gw-17\"", "name = \"gw-17\"\nwatchdog = \"29s\"");
  is_good("watchdog = \"29s\"", "watchdog = \"30s\"");
  is_good("watchdog = \"30s\"", "watchdog = \"0s\"");
}

TEST(ConfigErrors, an_unknown_table_names_the_nearest) {
  says(
      "c.toml:6:2: error: unknown key \"agnt\" in the configuration\n"
      "[agnt]\n"
      " ^~~~ did you mean \"agent\"?\n",
      "[mqtt.local]", "[agnt]\n[mqtt.local]");
}

TEST(ConfigErrors, a_tab_does_not_misplace_the_caret) {
  says(
      "c.toml:2:2: error: unknown key \"nme\" in [agent]\n"
      "\tnme = \"gw-17\"\n"
      "\t^~~ did you mean \"name\"?\n",
      "name = \"gw-17\"", "\tnme = \"gw-17\"");
}

TEST(ConfigErrors, columns_count_characters_not_bytes) {
  says(
      "c.toml:7:17: error: expected a comment or whitespace, saw ',' (in a TOML key-value pair)\n"
      "username = \"gér\", url = 1\n"
      "                ^\n",
      "url = \"mqtt://127.0.0.1:1883\"", "username = \"gér\", url = 1");
}

TEST(ConfigErrors, a_wrong_type_says_what_is_wanted) {
  says(
      "c.toml:4:16: error: \"memory_limit\" must be a size such as \"8MiB\", not a float\n"
      "memory_limit = 8.5\n"
      "               ^~~ for example: memory_limit = \"8MiB\"\n",
      "\"8MiB\"", "8.5");
}

TEST(ConfigErrors, a_string_is_no_integer) {
  says(
      "c.toml:29:14: error: \"max_keys\" must be an integer, not a string\n"
      "  max_keys = \"1000\"\n"
      "             ^~~~~~ for example: max_keys = 1000\n",
      "max_keys = 1000", "max_keys = \"1000\"");
}

TEST(ConfigErrors, single_brackets_for_a_list_of_tables_are_told) {
  says(
      "c.toml:9:1: error: \"pipeline\" must be an array of tables, not a table\n"
      "[pipeline]\n"
      "^~~~~~~~~~ double brackets: [[pipeline]]\n",
      "[[pipeline]]\nname", "[pipeline]\nname");
}

TEST(ConfigErrors, double_brackets_for_a_table_are_told) {
  says(
      "c.toml:34:3: error: \"sink\" must be a table, not an array\n"
      "  [[pipeline.sink]]\n"
      "  ^~~~~~~~~~~~~~~~~ single brackets: [pipeline.sink]\n",
      "[pipeline.sink]", "[[pipeline.sink]]");
}

TEST(ConfigErrors, out_of_range_says_the_range) {
  says(
      "c.toml:29:14: error: \"max_keys\" must be from 1 to 10000000, not 0\n"
      "  max_keys = 0\n"
      "             ^\n",
      "max_keys = 1000", "max_keys = 0");
}

TEST(ConfigErrors, a_range_without_an_upper_end_says_so) {
  says(
      "c.toml:11:43: error: \"records\" must be 0 or more, not -1\n"
      "checkpoint = { interval = \"5s\", records = -1 }\n"
      "                                          ^~\n",
      "records = 10000", "records = -1");
}

TEST(ConfigErrors, a_duration_out_of_range_says_the_range_in_units) {
  says(
      "c.toml:11:27: error: \"interval\" must be from 0s to 1d, not 49h\n"
      "checkpoint = { interval = \"49h\", records = 10000 }\n"
      "                          ^~~~~\n",
      "interval = \"5s\"", "interval = \"49h\"");
}

TEST(ConfigErrors, a_bad_unit_names_the_units) {
  says(
      "c.toml:19:57: error: unknown unit \"sec\" in \"10sec\"\n"
      "  event_time = { field = \"ts\", max_delay = \"2s\", idle = \"10sec\" }\n"
      "                                                        ^~~~~~~ did you mean \"10s\"?\n",
      "idle = \"10s\"", "idle = \"10sec\"");
}

TEST(ConfigErrors, units_as_others_write_them_are_understood_to_be_told) {
  for (const auto& [written, meant] : {std::pair{"10m", "10min"}, {"1.5hours", "1.5h"}, {"2Days", "2d"}, {"7msec", "7ms"}}) {
    ConfigFixture fresh;
    const std::string report = fresh.report_after("idle = \"10s\"", std::string("idle = \"") + written + "\"");
    STRCMP_CONTAINS((std::string("did you mean \"") + meant + "\"?").c_str(), report.c_str());
  }
  for (const auto& [written, meant] : {std::pair{"8M", "8MiB"}, {"8mb", "8MB"}, {"8192kb", "8192kB"}}) {
    ConfigFixture fresh;
    const std::string report = fresh.report_after("\"8MiB\"", std::string("\"") + written + "\"");
    STRCMP_CONTAINS((std::string("did you mean \"") + meant + "\"?").c_str(), report.c_str());
  }
}

TEST(ConfigErrors, a_duration_without_a_unit_is_refused) {
  says(
      "c.toml:19:57: error: \"idle\" has no unit\n"
      "  event_time = { field = \"ts\", max_delay = \"2s\", idle = 10 }\n"
      "                                                        ^~ write a number and a unit in quotes, such as \"10s\"; units: "
      "ms, s, min, h, d\n",
      "idle = \"10s\"", "idle = 10");
}

TEST(ConfigErrors, a_duration_in_a_string_without_a_unit_is_refused) {
  says(
      "c.toml:19:57: error: \"10\" has no unit\n"
      "  event_time = { field = \"ts\", max_delay = \"2s\", idle = \"10\" }\n"
      "                                                        ^~~~ write a number and a unit, such as \"5s\"; units: ms, s, "
      "min, h, d\n",
      "idle = \"10s\"", "idle = \"10\"");
}

TEST(ConfigErrors, a_duration_without_quotes_is_explained) {
  says(
      "c.toml:19:59: error: expected digit, saw 's' (in a TOML decimal integer)\n"
      "  event_time = { field = \"ts\", max_delay = \"2s\", idle = 10s }\n"
      "                                                          ^ durations and sizes stand in quotes: \"10s\"\n",
      "idle = \"10s\"", "idle = 10s");
}

TEST(ConfigErrors, a_repeated_key_is_toml_s_error) {
  says(
      "c.toml:30:14: error: cannot redefine existing integer 'max_keys' (in a TOML key-value pair)\n"
      "  max_keys = 2\n"
      "             ^\n",
      "max_keys = 1000", "max_keys = 1000\n  max_keys = 2");
}

TEST(ConfigErrors, two_steps_with_the_same_id_are_refused) {
  says(
      "c.toml:26:9: error: two steps have the id \"per-minute\"\n"
      "  id = \"per-minute\"\n"
      "        ^~~~~~~~~~ the first is at c.toml:22\n",
      "[[pipeline.step]]\n  filter = \"temp", "[[pipeline.step]]\n  id = \"per-minute\"\n  filter = \"temp");
}

TEST(ConfigErrors, a_missing_section_says_where_it_stands) {
  says(
      "c.toml:9:1: error: [pipeline.sink] is missing\n"
      "[[pipeline]]\n"
      "^~~~~~~~~~~~ it stands below its [[pipeline]]\n",
      "  [pipeline.sink]\n  mqtt = \"local\"\n  topic = \"alerts/{device}\"\n  format = \"json\"\n", "");
}

TEST(ConfigErrors, a_missing_key_names_its_section) {
  says(
      "c.toml:6:1: error: [mqtt.local] needs \"url\"\n"
      "[mqtt.local]\n"
      "^~~~~~~~~~~~ for example: url = \"mqtt://127.0.0.1:1883\"\n",
      "url = \"mqtt://127.0.0.1:1883\"\n", "");
}

TEST(ConfigErrors, an_unknown_choice_names_the_nearest) {
  says(
      "c.toml:12:24: error: unknown value \"failure-rte\" for \"strategy\"\n"
      "restart = { strategy = \"failure-rte\", max_failures = 5, interval = \"5min\", delay = \"1s\" }\n"
      "                       ^~~~~~~~~~~~~ did you mean \"failure-rate\"?\n",
      "strategy = \"failure-rate\"", "strategy = \"failure-rte\"");
}

TEST(ConfigErrors, a_source_names_a_broker_that_there_is) {
  says(
      "c.toml:15:11: error: there is no [mqtt.locl]\n"
      "  mqtt = \"locl\"\n"
      "          ^~~~ did you mean \"local\"?\n",
      "source]\n  mqtt = \"local\"", "source]\n  mqtt = \"locl\"");
}

TEST(ConfigErrors, without_any_broker_it_is_said_how_to_describe_one) {
  says(
      "c.toml:13:11: error: there is no [mqtt.local]\n"
      "  mqtt = \"local\"\n"
      "          ^~~~~ a broker is described by [mqtt.NAME] and url = \"mqtt://HOST:1883\"\n"
      "c.toml:33:11: error: there is no [mqtt.local]\n"
      "  mqtt = \"local\"\n"
      "          ^~~~~ a broker is described by [mqtt.NAME] and url = \"mqtt://HOST:1883\"\n",
      "[mqtt.local]\nurl = \"mqtt://127.0.0.1:1883\"\n", "");
}

TEST(ConfigErrors, a_step_without_a_verb_is_refused) {
  says(
      "c.toml:31:3: error: the step has no verb\n"
      "  [[pipeline.step]]\n"
      "  ^~~~~~~~~~~~~~~~~ give it one: filter, map, window with aggregate, ...; all are in docs/steps.md\n",
      "  filter = \"max_t > 80\"\n", "");
}

TEST(ConfigErrors, a_step_with_two_verbs_is_refused) {
  says(
      "c.toml:33:3: error: a step has one verb, and this one has \"filter\" already\n"
      "  map = { a = \"1\" }\n"
      "  ^~~ make it a [[pipeline.step]] of its own\n",
      "filter = \"max_t > 80\"", "filter = \"max_t > 80\"\n  map = { a = \"1\" }");
}

TEST(ConfigErrors, a_misspelt_verb_is_one_error) {
  says(
      "c.toml:32:3: error: unknown key \"fliter\" in [[pipeline.step]]\n"
      "  fliter = \"max_t > 80\"\n"
      "  ^~~~~~ did you mean \"filter\"?\n",
      "  filter = \"max_t > 80\"", "  fliter = \"max_t > 80\"");
}

TEST(ConfigErrors, a_window_without_an_id_is_refused_and_told_why) {
  says(
      "c.toml:24:3: error: a step that keeps state needs an \"id\"\n"
      "  [[pipeline.step]]\n"
      "  ^~~~~~~~~~~~~~~~~ after a restart its state is found by it; for example: id = \"per-minute\"\n",
      "  id = \"per-minute\"\n", "");
}

TEST(ConfigErrors, a_window_without_aggregates_is_refused) {
  says(
      "c.toml:27:3: error: \"window\" needs \"aggregate\"\n"
      "  window = { tumbling = \"1min\" }\n"
      "  ^~~~~~ for example: aggregate = { n = \"count()\" }\n",
      "  aggregate = { avg_t = \"avg(temperature)\", max_t = \"max(temperature)\", n = \"count()\" }\n", "");
}

TEST(ConfigErrors, aggregates_without_a_window_are_refused) {
  says(
      "c.toml:27:3: error: \"aggregate\" needs \"window\"\n"
      "  aggregate = { avg_t = \"avg(temperature)\", max_t = \"max(temperature)\", n = \"count()\" }\n"
      "  ^~~~~~~~~ for example: window = { tumbling = \"1min\" }\n",
      "  window = { tumbling = \"1min\" }\n", "");
}

TEST(ConfigErrors, a_filter_has_no_keys) {
  says(
      "c.toml:33:3: error: \"max_keys\" needs a step that keeps state per key, such as \"window\"\n"
      "  max_keys = 5\n"
      "  ^~~~~~~~ for example: window = { tumbling = \"1min\" }\n",
      "filter = \"max_t > 80\"", "filter = \"max_t > 80\"\n  max_keys = 5");
}

TEST(ConfigErrors, an_offset_is_a_duration_with_or_without_a_sign) {
  says(
      "c.toml:27:42: error: unknown unit \"w\" in \"2w\"\n"
      "  window = { tumbling = \"1min\", offset = \"-2w\" }\n"
      "                                         ^~~~~ units: ms, s, min, h, d\n",
      "tumbling = \"1min\"", "tumbling = \"1min\", offset = \"-2w\"");
}

TEST(ConfigErrors, hopping_windows_say_how_often) {
  says(
      "c.toml:27:14: error: \"hopping\" needs \"every\"\n"
      "  window = { hopping = \"1min\" }\n"
      "             ^~~~~~~ for example: window = { hopping = \"1h\", every = \"1min\" }\n",
      "tumbling = \"1min\"", "hopping = \"1min\"");
}

TEST(ConfigErrors, every_of_hopping_windows_is_no_number) {
  says(
      "c.toml:27:40: error: \"every\" of this window is a duration\n"
      "  window = { hopping = \"1min\", every = 10 }\n"
      "                                       ^~ for example: every = \"1min\"\n",
      "tumbling = \"1min\"", "hopping = \"1min\", every = 10");
}

TEST(ConfigErrors, a_cumulation_grows_to_its_length_in_whole_steps) {
  says(
      "c.toml:27:41: error: the length of a window that cumulates must be a multiple of \"every\"\n"
      "  window = { cumulate = \"1min\", every = \"25s\" }\n"
      "                                        ^~~~~\n",
      "tumbling = \"1min\"", "cumulate = \"1min\", every = \"25s\"");
}

TEST(ConfigErrors, early_results_come_before_the_end) {
  says(
      "c.toml:27:46: error: \"emit_every\" must be shorter than the window\n"
      "  window = { tumbling = \"1min\", emit_every = \"60s\" }\n"
      "                                             ^~~~~\n",
      "tumbling = \"1min\"", "tumbling = \"1min\", emit_every = \"60s\"");
}

TEST(ConfigErrors, early_results_of_a_hop_come_before_the_end) {
  says(
      "c.toml:27:60: error: \"emit_every\" must be shorter than the window\n"
      "  window = { hopping = \"1min\", every = \"10s\", emit_every = \"60s\" }\n"
      "                                                           ^~~~~\n",
      "tumbling = \"1min\"", "hopping = \"1min\", every = \"10s\", emit_every = \"60s\"");
}

TEST(ConfigErrors, a_cumulation_has_early_results_of_its_own) {
  says(
      "c.toml:27:48: error: \"emit_every\" does not go with \"cumulate\"\n"
      "  window = { cumulate = \"1min\", every = \"10s\", emit_every = \"5s\" }\n"
      "                                               ^~~~~~~~~~ what a cumulation hands on each \"every\" are its early "
      "results: make \"every\" shorter\n",
      "tumbling = \"1min\"", "cumulate = \"1min\", every = \"10s\", emit_every = \"5s\"");
}

TEST(ConfigErrors, a_count_has_early_results_of_its_own) {
  says(
      "c.toml:27:25: error: \"emit_every\" does not go with \"count\"\n"
      "  window = { count = 4, emit_every = \"5s\" }\n"
      "                        ^~~~~~~~~~ \"every\" with \"emit_partial\" hands on a window before it has all its records\n",
      "tumbling = \"1min\"", "count = 4, emit_every = \"5s\"");
}

TEST(ConfigErrors, a_sliding_window_has_no_early_results) {
  says(
      "c.toml:27:32: error: \"emit_every\" does not go with \"sliding\"\n"
      "  window = { sliding = \"1min\", emit_every = \"5s\" }\n"
      "                               ^~~~~~~~~~ a sliding window answers each record at once\n",
      "tumbling = \"1min\"", "sliding = \"1min\", emit_every = \"5s\"");
}

TEST(ConfigErrors, a_window_without_a_kind_is_refused) {
  says(
      "c.toml:27:12: error: the window has no kind\n"
      "  window = { offset = \"1s\" }\n"
      "           ^~~~~~~~~~~~~~~~~ for example: window = { tumbling = \"1min\" }\n",
      "tumbling = \"1min\"", "offset = \"1s\"");
}

TEST(ConfigErrors, a_window_has_one_kind) {
  says(
      "c.toml:27:32: error: a window has one kind, and this one is \"session\" already\n"
      "  window = { session = \"1min\", count = 5 }\n"
      "                               ^~~~~ another kind of window is a [[pipeline.step]] of its own\n",
      "tumbling = \"1min\"", "session = \"1min\", count = 5");
}

TEST(ConfigErrors, an_option_of_another_kind_of_window_is_refused) {
  says(
      "c.toml:27:25: error: \"max_sessions\" does not go with \"count\"\n"
      "  window = { count = 5, max_sessions = 2 }\n"
      "                        ^~~~~~~~~~~~ it belongs to windows that are session\n",
      "tumbling = \"1min\"", "count = 5, max_sessions = 2");
}

TEST(ConfigErrors, every_of_a_count_is_a_number_of_records_and_not_more_than_it) {
  says(
      "c.toml:27:33: error: \"every\" of a count is a number of records\n"
      "  window = { count = 5, every = \"1s\" }\n"
      "                                ^~~~ for example: every = 10\n",
      "tumbling = \"1min\"", "count = 5, every = \"1s\"");
  says(
      "c.toml:27:33: error: \"every\" must not be more than \"count\"\n"
      "  window = { count = 5, every = 6 }\n"
      "                                ^\n",
      "every = \"1s\"", "every = 6");
  is_good("every = 6", "every = 5");
}

TEST(ConfigErrors, a_session_is_allowed_to_last_as_long_as_its_gap) {
  says(
      "c.toml:27:46: error: \"max_duration\" must be at least as long as the session's gap\n"
      "  window = { session = \"10s\", max_duration = \"9999ms\" }\n"
      "                                             ^~~~~~~~\n",
      "tumbling = \"1min\"", "session = \"10s\", max_duration = \"9999ms\"");
  is_good("9999ms", "10s");
}

TEST(ConfigErrors, by_the_clock_of_the_machine_nothing_is_late) {
  says(
      "c.toml:27:52: error: \"late\" does not go with time = \"processing\"\n"
      "  window = { session = \"10s\", time = \"processing\", late = \"drop\" }\n"
      "                                                   ^~~~ by this machine's clock nothing is late\n",
      "tumbling = \"1min\"", "session = \"10s\", time = \"processing\", late = \"drop\"");
}

TEST(ConfigErrors, a_window_that_opens_needs_to_close) {
  says(
      "c.toml:27:14: error: \"open\" needs \"close\"\n"
      "  window = { open = \"temperature > 80\" }\n"
      "             ^~~~ for example: window = { open = \"running\", close = \"not running\" }\n",
      "tumbling = \"1min\"", "open = \"temperature > 80\"");
  is_good("open = \"temperature > 80\"", "open = \"temperature > 80\", close = \"temperature <= 80\"");
}

TEST(ConfigErrors, a_key_that_stands_twice_is_refused) {
  says(
      "c.toml:26:24: error: \"device\" stands twice in \"key_by\"\n"
      "  key_by = [\"device\", \"device\"]\n"
      "                       ^~~~~~\n",
      "key_by = [\"device\"]", "key_by = [\"device\", \"device\"]");
}

TEST(ConfigErrors, a_url_without_its_scheme_is_refused) {
  says(
      "c.toml:7:8: error: a broker's url begins with mqtt://\n"
      "url = \"localhost:1883\"\n"
      "       ^~~~~~~~~~~~~~ the form is mqtt://HOST or mqtt://HOST:PORT\n",
      "mqtt://127.0.0.1:1883", "localhost:1883");
}

TEST(ConfigErrors, a_port_out_of_range_is_pointed_at) {
  says(
      "c.toml:7:25: error: the port is a number from 1 to 65535\n"
      "url = \"mqtt://127.0.0.1:65536\"\n"
      "                        ^~~~~ the form is mqtt://HOST or mqtt://HOST:PORT\n",
      "mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:65536");
}

TEST(ConfigErrors, a_filter_with_a_misplaced_wildcard_is_refused) {
  says(
      "c.toml:16:14: error: not a topic filter: \"#\" stands alone and last\n"
      "  topics = [\"sensors/#/env\"]\n"
      "             ^~~~~~~~~~~~~\n",
      "\"sensors/+/env\"", "\"sensors/#/env\"");
}

TEST(ConfigErrors, overlapping_filters_are_refused) {
  says(
      "c.toml:16:31: error: this filter and \"sensors/+/env\" match common topics\n"
      "  topics = [\"sensors/+/env\", \"sensors/#\"]\n"
      "                              ^~~~~~~~~ the broker would deliver their messages twice; leave one out or put it into "
      "another pipeline\n",
      "\"sensors/+/env\"", "\"sensors/+/env\", \"sensors/#\"");
}

TEST(ConfigErrors, a_topic_segment_that_no_topic_has_is_refused) {
  says(
      "c.toml:18:24: error: topics that match \"sensors/+/env\" have 3 segments\n"
      "  fields = { device = \"topic[3]\", temperature = \"float\", ts = \"time(ms)\" }\n"
      "                       ^~~~~~~~ the first is topic[0], the last topic[2]\n",
      "topic[1]", "topic[3]");
}

TEST(ConfigErrors, an_unknown_field_type_names_the_nearest) {
  says(
      "c.toml:18:50: error: unknown field type \"flaot\"\n"
      "  fields = { device = \"topic[1]\", temperature = \"flaot\", ts = \"time(ms)\" }\n"
      "                                                 ^~~~~ did you mean \"float\"?\n",
      "\"float\"", "\"flaot\"");
}

TEST(ConfigErrors, a_bad_path_is_pointed_at) {
  says(
      "c.toml:18:60: error: an element's position is a number from 0 to 65535\n"
      "  fields = { device = \"topic[1]\", temperature = \"float $.a[x]\", ts = \"time(ms)\" }\n"
      "                                                           ^\n",
      "\"float\"", "\"float $.a[x]\"");
}

TEST(ConfigErrors, event_time_needs_a_declared_field) {
  says(
      "c.toml:19:27: error: unknown field \"tss\"\n"
      "  event_time = { field = \"tss\", max_delay = \"2s\", idle = \"10s\" }\n"
      "                          ^~~ did you mean \"ts\"?\n",
      "field = \"ts\"", "field = \"tss\"");
}

TEST(ConfigErrors, event_time_needs_a_time) {
  says(
      "c.toml:19:27: error: \"temperature\" is float, and event time needs a time\n"
      "  event_time = { field = \"temperature\", max_delay = \"2s\", idle = \"10s\" }\n"
      "                          ^~~~~~~~~~~ declare it as time(ms), time(s), time(us), time(ns), time(rfc3339) or arrival\n",
      "field = \"ts\"", "field = \"temperature\"");
}

TEST(ConfigErrors, an_open_brace_in_a_topic_is_pointed_at) {
  says(
      "c.toml:36:19: error: this brace is not closed\n"
      "  topic = \"alerts/{device\"\n"
      "                  ^~~~~~~ for example: topic = \"alerts/{device}\"\n",
      "alerts/{device}", "alerts/{device");
}

TEST(ConfigErrors, qos_2_is_refused_with_the_reason) {
  says(
      "c.toml:17:9: error: \"qos\" must be from 0 to 1, not 2\n"
      "  qos = 2\n"
      "        ^ QoS 2 loses a message when the agent crashes between PUBREC and PUBREL; use 1, with which each message counts "
      "exactly once\n",
      "format = \"json\"\n  fields", "qos = 2\n  fields");
}

TEST(ConfigErrors, qos_0_is_a_warning) {
  says(
      "c.toml:17:9: warning: at QoS 0 messages count at most once: those sent during an outage are lost\n"
      "  qos = 0\n"
      "        ^ use 1 unless the publishers send at QoS 0 anyway\n",
      "format = \"json\"\n  fields", "qos = 0\n  fields");
}

TEST(ConfigErrors, a_sink_at_qos_0_is_a_warning) {
  says(
      "c.toml:36:9: warning: at QoS 0 results arrive at most once: nobody acknowledges them\n"
      "  qos = 0\n"
      "        ^ use 1\n",
      "topic = \"alerts", "qos = 0\n  topic = \"alerts");
}

TEST(ConfigErrors, a_journal_needs_the_acknowledgement_by_it) {
  says(
      "c.toml:17:3: error: \"journal\" needs ack = \"journal\"\n"
      "  journal = { size = \"1MiB\" }\n"
      "  ^~~~~~~\n",
      "format = \"json\"\n  fields", "journal = { size = \"1MiB\" }\n  fields");
}

TEST(ConfigErrors, shedding_is_refused_together_with_exactly_once) {
  says(
      "c.toml:17:3: error: \"shed\" leaves messages out, but the sink's delivery is \"exactly-once\"\n"
      "  shed = { policy = \"oldest\" }\n"
      "  ^~~~ say delivery = \"at-most-once\" in [pipeline.sink], or leave \"shed\" out: what the pipeline cannot take then "
      "waits at the broker\n",
      "format = \"json\"\n  fields", "shed = { policy = \"oldest\" }\n  fields");
  is_good("topic = \"alerts", "delivery = \"at-most-once\"\n  topic = \"alerts");
}

TEST(ConfigErrors, at_most_once_without_shedding_is_a_warning) {
  STRCMP_CONTAINS("warning: delivery = \"at-most-once\" does nothing without a source's \"shed\"",
                  config.report_after("topic = \"alerts", "delivery = \"at-most-once\"\n  topic = \"alerts").c_str());
}

TEST(ConfigErrors, shedding_waits_for_two_seconds_at_least) {
  config.edit("topic = \"alerts", "delivery = \"at-most-once\"\n  topic = \"alerts");
  is_good("format = \"json\"\n  fields", "shed = { after = \"2s\" }\n  fields");
  STRCMP_CONTAINS("\"after\" must be from 2s to 1h, not 1999ms",
                  config.report_after("after = \"2s\"", "after = \"1999ms\"").c_str());
  is_good("after = \"1999ms\"", "after = \"1h\"");
}

TEST(ConfigErrors, a_sample_is_one_of_two_at_least_and_of_the_policy_sample_only) {
  config.edit("topic = \"alerts", "delivery = \"at-most-once\"\n  topic = \"alerts");
  is_good("format = \"json\"\n  fields", "shed = { policy = \"sample\", one_of = 2 }\n  fields");
  STRCMP_CONTAINS("\"one_of\" must be from 2 to", config.report_after("one_of = 2", "one_of = 1").c_str());
  STRCMP_CONTAINS("warning: \"one_of\" does nothing with the policy \"oldest\"",
                  config.report_after("policy = \"sample\", one_of = 1", "policy = \"oldest\", one_of = 2").c_str());
}

TEST(ConfigErrors, shedding_and_a_journal_exclude_each_other) {
  config.edit("topic = \"alerts", "delivery = \"at-most-once\"\n  topic = \"alerts");
  STRCMP_CONTAINS(
      "error: \"shed\" loses what the journal is there to keep",
      config.report_after("format = \"json\"\n  fields", "ack = \"journal\"\n  shed = { policy = \"newest\" }\n  fields")
          .c_str());
}

TEST(ConfigErrors, the_field_that_tags_an_unsynchronised_clock_is_taken) {
  is_good("device = \"topic[1]\"", "clock_unsynchronised = \"float\", device = \"topic[1]\"");
  STRCMP_CONTAINS("error: the field \"clock_unsynchronised\" is made by unsynchronised_clock = \"tag\"",
                  config.report_after("format = \"json\"\n  fields", "unsynchronised_clock = \"tag\"\n  fields").c_str());
}

TEST(ConfigErrors, a_journal_has_a_least_size) {
  says(
      "c.toml:18:22: error: \"size\" must be from 256KiB to 16GiB, not 255KiB\n"
      "  journal = { size = \"255KiB\" }\n"
      "                     ^~~~~~~~\n",
      "format = \"json\"\n  fields", "ack = \"journal\"\n  journal = { size = \"255KiB\" }\n  fields");
}

TEST(ConfigErrors, a_failure_rate_that_its_own_delay_keeps_from_being_exceeded_is_a_warning) {
  says(
      "c.toml:12:1: warning: with a pause of 1min there are never more than 5 failures in 5min\n"
      "restart = { strategy = \"failure-rate\", max_failures = 5, interval = \"5min\", delay = \"60s\" }\n"
      "^~~~~~~ the pipeline would be started again for ever; take a shorter delay, or a longer interval\n",
      "delay = \"1s\"", "delay = \"60s\"");
  is_good("delay = \"60s\"", "delay = \"59999ms\"");
}

TEST(ConfigErrors, restart_keys_of_another_strategy_are_a_warning) {
  says(
      "c.toml:12:32: warning: \"max_failures\" does nothing with the strategy \"none\"\n"
      "restart = { strategy = \"none\", max_failures = 5, interval = \"5min\", delay = \"1s\" }\n"
      "                               ^~~~~~~~~~~~ it belongs to failure-rate\n"
      "c.toml:12:50: warning: \"interval\" does nothing with the strategy \"none\"\n"
      "restart = { strategy = \"none\", max_failures = 5, interval = \"5min\", delay = \"1s\" }\n"
      "                                                 ^~~~~~~~ it belongs to failure-rate\n"
      "c.toml:12:69: warning: \"delay\" does nothing with the strategy \"none\"\n"
      "restart = { strategy = \"none\", max_failures = 5, interval = \"5min\", delay = \"1s\" }\n"
      "                                                                    ^~~~~ it belongs to failure-rate or fixed-delay\n",
      "strategy = \"failure-rate\", max", "strategy = \"none\", max");
}

TEST(ConfigErrors, a_name_has_only_harmless_characters) {
  says(
      "c.toml:10:8: error: \"name\" must be 1 to 63 of the characters A-Z a-z 0-9 _ . -\n"
      "name = \"over heat\"\n"
      "       ^~~~~~~~~~~\n",
      "name = \"overheat\"", "name = \"over heat\"");
}

TEST(ConfigErrors, a_broker_s_name_has_only_harmless_characters) {
  says(
      "c.toml:6:7: error: a name has 1 to 63 of the characters A-Z a-z 0-9 _ . -\n"
      "[mqtt.\"lo cal\"]\n"
      "      ^~~~~~~~\n"
      "c.toml:15:11: error: there is no [mqtt.local]\n"
      "  mqtt = \"local\"\n"
      "          ^~~~~ did you mean \"lo cal\"?\n"
      "c.toml:35:11: error: there is no [mqtt.local]\n"
      "  mqtt = \"local\"\n"
      "          ^~~~~ did you mean \"lo cal\"?\n",
      "[mqtt.local]", "[mqtt.\"lo cal\"]");
}

TEST(ConfigErrors, an_empty_table_of_expressions_is_refused) {
  says(
      "c.toml:32:9: error: \"map\" is empty\n"
      "  map = {}\n"
      "        ^~\n",
      "filter = \"max_t > 80\"", "map = {}");
}

TEST(ConfigErrors, an_expression_is_a_string) {
  says(
      "c.toml:28:77: error: \"n\" must be an expression in a string, not an integer\n"
      "  aggregate = { avg_t = \"avg(temperature)\", max_t = \"max(temperature)\", n = 1 }\n"
      "                                                                            ^\n",
      "n = \"count()\"", "n = 1");
}

TEST(ConfigErrors, an_aggregate_in_braces_has_a_value_and_a_filter) {
  says(
      "c.toml:28:77: error: \"n\" needs \"value\"\n"
      "  aggregate = { avg_t = \"avg(temperature)\", max_t = \"max(temperature)\", n = { filter = \"true\" } }\n"
      "                                                                            ^~~~~~~~~~~~~~~~~~~ "
      "for example: { value = \"count()\", filter = \"temperature > 80\" }\n",
      "n = \"count()\"", "n = { filter = \"true\" }");
}

TEST(ConfigErrors, an_aggregate_in_braces_has_nothing_else) {
  says(
      "c.toml:28:98: error: unknown key \"filtre\" in \"n\"\n"
      "  aggregate = { avg_t = \"avg(temperature)\", max_t = \"max(temperature)\", n = { value = \"count()\", filtre = "
      "\"true\" } }\n"
      "                                                                                                 ^~~~~~ "
      "did you mean \"filter\"?\n",
      "n = \"count()\"", "n = { value = \"count()\", filtre = \"true\" }");
}

TEST(ConfigErrors, the_filter_of_an_aggregate_is_a_string) {
  says(
      "c.toml:28:107: error: \"filter\" must be an expression in a string, not a boolean\n"
      "  aggregate = { avg_t = \"avg(temperature)\", max_t = \"max(temperature)\", n = { value = \"count()\", filter = true } "
      "}\n"
      "                                                                                                          ^~~~\n",
      "n = \"count()\"", "n = { value = \"count()\", filter = true }");
}

TEST(ConfigErrors, an_expression_of_a_map_has_no_filter) {
  says(
      "c.toml:32:15: error: \"x\" must be an expression in a string, not a table\n"
      "  map = { x = { value = \"1\" } }\n"
      "              ^~~~~~~~~~~~~~~\n",
      "filter = \"max_t > 80\"", "map = { x = { value = \"1\" } }");
}

TEST(ConfigErrors, a_list_of_strings_holds_strings) {
  says(
      "c.toml:16:30: error: \"topics\" is an array of strings, and this is an integer\n"
      "  topics = [\"sensors/+/env\", 5]\n"
      "                             ^\n",
      "[\"sensors/+/env\"]", "[\"sensors/+/env\", 5]");
}

TEST(ConfigErrors, an_empty_list_of_topics_is_refused) {
  says(
      "c.toml:16:12: error: \"topics\" is empty\n"
      "  topics = []\n"
      "           ^~\n",
      "[\"sensors/+/env\"]", "[]");
}

TEST(ConfigErrors, more_unacked_than_the_window_holds_is_refused) {
  says(
      "c.toml:11:43: error: \"unacked\" must be at most the source's max_unacked, 1000\n"
      "checkpoint = { interval = \"5s\", unacked = 1001 }\n"
      "                                          ^~~~ more messages never wait at a time\n",
      "records = 10000", "unacked = 1001");
}

TEST(ConfigErrors, an_outbox_smaller_on_disk_than_in_memory_is_refused) {
  says(
      "c.toml:36:12: error: \"max_bytes\" must be at least \"memory\"\n"
      "  outbox = { memory = \"8KiB\", max_bytes = \"4KiB\" }\n"
      "           ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ what is in memory goes to the disk at the next checkpoint\n",
      "topic = \"alerts", "outbox = { memory = \"8KiB\", max_bytes = \"4KiB\" }\n  topic = \"alerts");
}

TEST(ConfigErrors, two_passwords_exclude_each_other) {
  says(
      "c.toml:8:1: error: \"password\" and \"password_file\" exclude each other\n"
      "password_file = \"b\"\n"
      "^~~~~~~~~~~~~\n",
      "[mqtt.local]\n", "[mqtt.local]\npassword = \"a\"\npassword_file = \"b\"\n");
}

TEST(ConfigErrors, several_errors_are_reported_in_the_order_of_the_file) {
  CHECK(config.edit("name = \"gw-17\"", "nme = \"gw-17\"") && config.edit("8MiB", "8MiX") &&
        config.edit("\"local\"\n  topic = ", "\"locl\"\n  topic = "));
  STRCMP_EQUAL(
      "c.toml:2:1: error: unknown key \"nme\" in [agent]\n"
      "nme = \"gw-17\"\n"
      "^~~ did you mean \"name\"?\n"
      "c.toml:4:16: error: unknown unit \"MiX\" in \"8MiX\"\n"
      "memory_limit = \"8MiX\"\n"
      "               ^~~~~~ units: B, KiB, MiB, GiB, kB, MB, GB\n"
      "c.toml:35:11: error: there is no [mqtt.locl]\n"
      "  mqtt = \"locl\"\n"
      "          ^~~~ did you mean \"local\"?\n",
      config.report().c_str());
}

TEST(ConfigErrors, a_key_far_from_all_names_all) {
  says(
      "c.toml:2:1: error: unknown key \"zzzzzzzz\" in [agent]\n"
      "zzzzzzzz = 1\n"
      "^~~~~~~~ there are: name, state_dir, on_corrupt, memory_limit, log_level, watchdog, control\n",
      "name = \"gw-17\"", "zzzzzzzz = 1");
}

TEST(ConfigErrors, an_empty_file_lacks_a_pipeline) {
  config.write("");
  STRCMP_EQUAL("c.toml:1:1: error: [[pipeline]] is missing\n\n^ a configuration has at least one\n", config.report().c_str());
}

TEST(ConfigErrors, a_password_that_everybody_can_read_is_a_warning) {
  CHECK(config.edit("[mqtt.local]\n", "[mqtt.local]\npassword = \"a\"\n"));
  STRCMP_EQUAL("", config.report().c_str());
  std::string path = config.directory().file("c.toml");
  LONGS_EQUAL(0, chmod(path.c_str(), 0644));
  std::vector<std::string> paths = {path};
  LoadedConfig loaded = load_config(paths, {});
  STRCMP_EQUAL(
      "c.toml:7:1: warning: a password in a file that every user can read\n"
      "password = \"a\"\n"
      "^~~~~~~~ use password_file, or chmod o-r the configuration\n",
      config.shown(loaded).c_str());
}

TEST(ConfigErrors, both_ends_of_a_range_are_allowed) {
  for (const char* row : {"max_unacked = 20", "max_unacked = 65535", "max_message = \"64B\"", "max_message = \"16MiB\""}) {
    is_good("format = \"json\"\n  fields", std::string(row) + "\n  fields");
    config.write(example_configuration());
  }
}

TEST(ConfigErrors, one_beyond_either_end_of_a_range_is_refused) {
  for (const char* value :
       {"max_unacked = 19", "max_unacked = 65536", "max_message = \"63B\"", "max_message = \"16777217B\""}) {
    CHECK(config.edit("format = \"json\"\n  fields", std::string(value) + "\n  fields"));
    LONGS_EQUAL(1, config.load().diagnostics.errors());
    config.write(example_configuration());
  }
}

TEST(ConfigErrors, a_duration_or_size_may_be_the_bare_number_zero) { is_good("interval = \"5s\"", "interval = 0"); }

TEST(ConfigErrors, colors_are_for_terminals_only) {
  CHECK(config.edit("8MiB", "8"));
  LoadedConfig loaded = config.load();
  CHECK(loaded.diagnostics.format(loaded.files, false).find('\x1b') == std::string::npos);
  CHECK(loaded.diagnostics.format(loaded.files, true).find("\x1b[1;31merror") != std::string::npos);
}

TEST(ConfigErrors, a_long_line_is_cut_around_the_token) {
  is_good("name = \"gw-17\"", "name = \"gw-17\" # " + std::string(500, 'x'));
  config.write(example_configuration());
  CHECK(config.edit("[\"sensors/+/env\"]", "[" + std::string(500, ' ') + "5]"));
  std::string report = config.report();
  STRCMP_CONTAINS("c.toml:16:513: error: ", report.c_str());
  STRCMP_CONTAINS((std::string(83, ' ') + "^\n").c_str(), report.c_str());
}

TEST(ConfigErrors, control_characters_of_a_file_do_not_reach_the_terminal) {
  CHECK(config.edit("name = \"gw-17\"", "name = \"gw\x1b[2J\""));
  CHECK(config.report().find('\x1b') == std::string::npos);
}

TEST_GROUP(BrokerUrl){};

TEST(BrokerUrl, takes_host_and_port_apart) {
  BrokerUrl url = parse_broker_url("mqtt://broker.example:8883");
  STRCMP_EQUAL("broker.example", url.host.c_str());
  LONGS_EQUAL(8883, url.port);
  LONGS_EQUAL(1883, parse_broker_url("mqtt://h").port);
  STRCMP_EQUAL("fe80::1%eth0", parse_broker_url("mqtt://[fe80::1%eth0]:1").host.c_str());
  LONGS_EQUAL(65535, parse_broker_url("mqtt://[::1]:65535").port);
}

TEST(BrokerUrl, refuses_what_it_cannot_connect_to) {
  for (const char* url :
       {"", "mqtt:", "mqtt://", "http://h", "mqtts://h", "ws://h", "mqtt://u:p@h", "mqtt://h:", "mqtt://h:0", "mqtt://h:65536",
        "mqtt://h:1x", "mqtt://h/x", "mqtt://[::1", "mqtt://[]", "mqtt://[::1]x", "mqtt://a b", "mqtt://:1883"})
    CHECK_FALSE_TEXT(parse_broker_url(url).problem.empty(), url);
  CHECK_FALSE(parse_broker_url("mqtt://" + std::string(254, 'a')).problem.empty());
  CHECK(parse_broker_url("mqtt://" + std::string(253, 'a')).problem.empty());
}
