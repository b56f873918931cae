// State that was stored under one configuration and goes back into another: what is taken over is as if the configuration had
// always been the new one, as far as records that came before say anything about it.
#include "firmware-tests/support/json_values.h"
#include "firmware-tests/support/step_rig.h"

#include <algorithm>

#include "agent/operators/state_text.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string reading(const std::string& device, const std::string& value, int64_t ts) {
  return "{\"device\":\"" + device + "\",\"value\":" + value + ",\"ts\":" + std::to_string(ts) + "}";
}

std::string step(const std::string& text) { return "[[pipeline.step]]\nid = \"s\"\nkey_by = [\"device\"]\n" + text + "\n"; }

std::string window(const std::string& kind, const std::string& aggregates) {
  return step("window = " + kind + "\naggregate = { " + aggregates + " }");
}

std::string source(const std::string& fields) {
  return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+\"]\nformat = \"json\"\nfields = { " + fields +
         ", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay = \"0s\" }\n";
}

}  // namespace

TEST_GROUP(StateEvolution) {
  SavedRig saved;
  std::unique_ptr<StepRig> rig;
  Status adopted;

  void start(const std::string& toml) {
    rig = std::make_unique<StepRig>(toml);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void send(const std::string& device, const std::string& value, int64_t ts) { rig->feed(reading(device, value, ts)); }
  void change_to(const std::string& toml) {
    rig->save(saved);
    start(toml);
    adopted = rig->adopt(saved);
    STRCMP_EQUAL("ok", adopted.text());
  }
  void refused(const std::string& toml) {
    rig->save(saved);
    start(toml);
    CHECK(rig->adopt(saved).code() == Code::Incompatible);
  }
  std::string output() { return rig->take_output(); }
  void gives(const char* expected) {
    rig->finish();
    STRCMP_EQUAL(expected, output().c_str());
  }

  /// Two records, then other aggregates, then a third: what stays knows all three, what is new knows the last, what is gone is
  /// gone.
  void check_aggregates(const std::string& kind, const char* stays, const char* is_new) {
    start(window(kind, "n = \"count()\", high = \"max(value)\""));
    send("a", "5", 1000);
    send("a", "7", 1100);
    (void)output();
    change_to(window(kind, "low = \"min(value)\", n = \"count()\""));
    send("a", "6", 1200);
    rig->finish();
    const std::string all = output();
    const std::string last = all.substr(all.rfind('\n', all.size() - 2) + 1);
    STRCMP_CONTAINS(stays, last.c_str());
    STRCMP_CONTAINS(is_new, last.c_str());
    CHECK(last.find("high") == std::string::npos);
  }
};

TEST(StateEvolution, aggregates_come_and_go_in_tumbling_windows) {
  check_aggregates("{ tumbling = \"10s\" }", "\"n\":3", "\"low\":6");
}

TEST(StateEvolution, aggregates_come_and_go_in_hopping_windows) {
  check_aggregates("{ hopping = \"10s\", every = \"5s\" }", "\"n\":3", "\"low\":6");
}

TEST(StateEvolution, aggregates_come_and_go_in_cumulating_windows) {
  check_aggregates("{ cumulate = \"10s\", every = \"5s\" }", "\"n\":3", "\"low\":6");
}

TEST(StateEvolution, aggregates_come_and_go_in_sessions) { check_aggregates("{ session = \"10s\" }", "\"n\":3", "\"low\":6"); }

TEST(StateEvolution, aggregates_come_and_go_in_windows_by_count) { check_aggregates("{ count = 3 }", "\"n\":3", "\"low\":6"); }

TEST(StateEvolution, aggregates_come_and_go_in_windows_of_a_state) {
  check_aggregates("{ open = \"value > 0\", close = \"value < 0\", max_duration = \"1h\" }", "\"n\":3", "\"low\":6");
}

TEST(StateEvolution, aggregates_come_and_go_in_sliding_windows) {
  // The records before the change do not count for what is new.
  check_aggregates("{ sliding = \"10s\", max_records = 8 }", "\"n\":3", "\"low\":6");
}

TEST(StateEvolution, an_aggregate_over_no_record_since_the_change_is_null_or_zero) {
  start(window("{ tumbling = \"10s\" }", "n = \"count()\""));
  send("a", "5", 1000);
  change_to(window("{ tumbling = \"10s\" }", "n = \"count()\", low = \"min(value)\", since = \"count(value)\""));
  gives("{\"device\":\"a\",\"n\":1,\"low\":null,\"since\":0,\"window_start\":0,\"window_end\":10000}\n");
}

TEST(StateEvolution, a_renamed_aggregate_keeps_what_it_knows) {
  start(window("{ tumbling = \"10s\" }", "n = \"count()\""));
  send("a", "5", 1000);
  change_to(window("{ tumbling = \"10s\" }", "records = \"count()\""));
  send("a", "5", 2000);
  gives("{\"device\":\"a\",\"records\":2,\"window_start\":0,\"window_end\":10000}\n");
}

TEST(StateEvolution, fewer_keys_suffice_if_the_stored_ones_fit) {
  start(step("window = { tumbling = \"10s\" }\naggregate = { n = \"count()\" }\nmax_keys = 500"));
  for (int device = 0; device < 100; ++device) send("d" + std::to_string(device), "1", 1000);
  change_to(step("window = { tumbling = \"10s\" }\naggregate = { n = \"count()\" }\nmax_keys = 100"));
  send("d99", "1", 2000);
  send("one-more", "1", 2000);
  STRCMP_EQUAL("refused s capacity\n", output().c_str());
  rig->finish();
  const std::string all = output();
  UNSIGNED_LONGS_EQUAL(100, std::count(all.begin(), all.end(), '\n'));
  STRCMP_CONTAINS("{\"device\":\"d99\",\"n\":2,", all.c_str());
}

TEST(StateEvolution, fewer_keys_are_refused_if_the_stored_ones_do_not_fit) {
  start(step("throttle = { records = 1, interval = \"10s\" }\nmax_keys = 500"));
  for (int device = 0; device < 100; ++device) send("d" + std::to_string(device), "1", 1000);
  refused(step("throttle = { records = 1, interval = \"10s\" }\nmax_keys = 99"));
}

TEST(StateEvolution, fewer_keys_need_no_conversion_to_be_asked_for) {
  start(step("throttle = { records = 1, interval = \"10s\" }\nmax_keys = 500"));
  for (int device = 0; device < 20; ++device) send("d" + std::to_string(device), "1", 1000);
  (void)output();
  rig->save(saved);
  start(step("throttle = { records = 1, interval = \"10s\" }\nmax_keys = 20"));
  STRCMP_EQUAL("ok", rig->restore(saved).text());
  send("d7", "1", 2000);
  STRCMP_EQUAL("", output().c_str());
  send("d7", "1", 11000);
  CHECK_FALSE(output().empty());
}

TEST(StateEvolution, a_longer_key_and_a_key_as_float_keep_their_state) {
  const std::string throttled =
      "[[pipeline.step]]\nid = \"s\"\nkey_by = [\"device\", \"channel\"]\n"
      "throttle = { records = 1, interval = \"10s\" }\n";
  start(source("device = \"string(4)\", channel = \"int\"") + throttled);
  rig->feed("{\"device\":\"a\",\"channel\":3,\"ts\":1000}");
  (void)output();
  change_to(source("device = \"string(40)\", channel = \"float\"") + throttled);
  rig->feed("{\"device\":\"a\",\"channel\":3,\"ts\":2000}");
  STRCMP_EQUAL("", output().c_str());
  rig->feed("{\"device\":\"a\",\"channel\":3.5,\"ts\":2000}");
  CHECK_FALSE(output().empty());
}

TEST(StateEvolution, the_order_of_key_fields_does_not_matter) {
  auto keyed = [](const std::string& keys) {
    return source("device = \"string(4)\", channel = \"int\"") + "[[pipeline.step]]\nid = \"s\"\nkey_by = [" + keys +
           "]\nthrottle = { records = 1, interval = \"10s\" }\n";
  };
  start(keyed("\"device\", \"channel\""));
  rig->feed("{\"device\":\"a\",\"channel\":3,\"ts\":1000}");
  (void)output();
  change_to(keyed("\"channel\", \"device\""));
  rig->feed("{\"device\":\"a\",\"channel\":3,\"ts\":2000}");
  STRCMP_EQUAL("", output().c_str());
}

TEST(StateEvolution, another_field_in_the_source_leaves_a_held_record_as_it_is) {
  const std::string hold = step("hold = { condition = \"value > 5\", for = \"10s\" }");
  start(source("device = \"string(16)\", value = \"int\"") + hold);
  rig->feed("{\"device\":\"a\",\"value\":7,\"ts\":1000}");
  change_to(source("site = \"string(8)\", device = \"string(16)\", value = \"float\"") + hold);
  gives("{\"site\":null,\"device\":\"a\",\"value\":7,\"ts\":1000,\"held_since\":1000}\n");
}

TEST(StateEvolution, whole_numbers_become_floats_in_the_middle_of_a_derivation) {
  const std::string derive = step("derive = { field = \"value\", delta = \"change\" }");
  start(source("device = \"string(16)\", value = \"int\"") + derive);
  rig->feed("{\"device\":\"a\",\"value\":7,\"ts\":1000}");
  (void)output();
  change_to(source("device = \"string(16)\", value = \"float\"") + derive);
  rig->feed("{\"device\":\"a\",\"value\":7.5,\"ts\":2000}");
  STRCMP_CONTAINS("\"change\":0.5", output().c_str());
}

TEST(StateEvolution, longer_rings_have_room_and_shorter_ones_keep_the_newest) {
  auto smooth = [](int samples) {
    return step("smooth = { field = \"value\", method = \"moving-average\", samples = " + std::to_string(samples) + " }");
  };
  start(smooth(2));
  for (int index = 1; index <= 3; ++index) send("a", std::to_string(index), index * 1000);
  (void)output();
  change_to(smooth(3));
  send("a", "7", 5000);
  STRCMP_CONTAINS("\"value\":4", output().c_str());  // (2 + 3 + 7) / 3
  change_to(smooth(2));
  send("a", "1", 6000);
  STRCMP_CONTAINS("\"value\":4", output().c_str());  // (7 + 1) / 2
}

TEST(StateEvolution, another_length_of_a_window_or_another_key_is_refused) {
  start(window("{ tumbling = \"10s\" }", "n = \"count()\""));
  send("a", "5", 1000);
  refused(window("{ tumbling = \"20s\" }", "n = \"count()\""));
  start(window("{ session = \"10s\" }", "n = \"count()\""));
  saved = {};
  send("a", "5", 1000);
  refused(window("{ session = \"11s\" }", "n = \"count()\""));
  start(step("throttle = { records = 1, interval = \"10s\" }"));
  saved = {};
  refused("[[pipeline.step]]\nid = \"s\"\nthrottle = { records = 1, interval = \"10s\" }\n");
}

TEST(StateEvolution, what_was_taken_over_is_stored_anew_and_needs_nothing_of_before) {
  auto windows = [](const std::string& aggregates) {
    return step("window = { tumbling = \"10s\" }\naggregate = { " + aggregates + " }\nmax_keys = 5000");
  };
  start(windows("n = \"count()\""));
  // Chunks that there will be no keys for any more.
  for (int device = 0; device < 3000; ++device) send("d" + std::to_string(device), "1", 1000);
  rig->save(saved);
  for (int device = 0; device < 300; ++device) send("d" + std::to_string(device), "1", 11000);
  (void)output();
  rig->save(saved);
  CHECK(saved.parts.at("s").base.size() > 3);
  for (int device = 0; device < 20; ++device) send("d" + std::to_string(device), "1", 11000);
  change_to(windows("n = \"count()\", high = \"max(value)\""));
  // The first checkpoint fails, what came in between is part of the second.
  rig->save(saved, false);
  send("d0", "9", 13000);
  rig->save(saved);
  CHECK_FALSE(saved.parts.at("s").base.empty());
  for (const auto& [index, chunk] : saved.parts.at("s").base) UNSIGNED_LONGS_EQUAL(saved.checkpoint_id, chunk.first);
  for (const auto& [key, delta] : saved.parts.at("s").deltas) UNSIGNED_LONGS_EQUAL(saved.checkpoint_id, key.first);
  send("d1", "8", 14000);
  rig->save(saved);
  start(windows("n = \"count()\", high = \"max(value)\""));
  CHECK(rig->restore(saved).ok());
  rig->finish();
  const std::string all = output();
  UNSIGNED_LONGS_EQUAL(300, std::count(all.begin(), all.end(), '\n'));
  STRCMP_CONTAINS("{\"device\":\"d0\",\"n\":3,\"high\":9,", all.c_str());
  STRCMP_CONTAINS("{\"device\":\"d1\",\"n\":3,\"high\":8,", all.c_str());
  STRCMP_CONTAINS("{\"device\":\"d299\",\"n\":1,\"high\":null,", all.c_str());
}

// ---- as text

TEST_GROUP(StateText) {
  StateLayout layout;
  SavedRig saved;

  /// The one slot that a step has after these records.
  std::vector<uint8_t> slot_after(const std::string& toml, const std::vector<std::string>& lines) {
    StepRig rig(toml);
    STRCMP_EQUAL("", rig.problems().c_str());
    for (const std::string& line : lines) rig.feed(line);
    rig.save(saved);
    layout = StateLayout::parse(saved.layouts.at("s")).value();
    const auto& blobs = saved.parts.at("s");
    const std::vector<uint8_t>& bytes = blobs.deltas.empty() ? blobs.base.begin()->second.second : blobs.deltas.begin()->second;
    return {bytes.begin() + KeyedState::entry_header_bytes, bytes.end()};
  }
};

TEST(StateText, names_every_field_and_shows_what_an_aggregate_would_yield) {
  const std::vector<uint8_t> slot = slot_after(
      window("{ tumbling = \"10s\" }", "n = \"count()\", mean = \"avg(value)\", p = \"percentile(value, 50, 0.01)\""),
      {reading("pump \\\"1\\\"", "5", 1000), reading("pump \\\"1\\\"", "6", 1100)});
  std::string json;
  CHECK(append_state_json(layout, slot, json).ok());
  STRCMP_CONTAINS("{\"key\":{\"device\":\"pump \\\"1\\\"\"},\"state\":{\"step.sequence\":2,\"slice.start\":0,\"slice.offset\":",
                  json.c_str());
  STRCMP_CONTAINS("\"n\":2,\"mean\":5.5,\"p\":", json.c_str());
  STRCMP_EQUAL("device,step.sequence,slice.start,slice.offset,n,mean,p", state_csv_header(layout).c_str());
  std::string csv;
  CHECK(append_state_csv(layout, slot, csv).ok());
  STRCMP_CONTAINS("\"pump \"\"1\"\"\",2,0,", csv.c_str());
  STRCMP_CONTAINS(",2,5.5,", csv.c_str());
}

TEST(StateText, shows_the_used_part_of_a_ring_oldest_first) {
  std::vector<std::string> lines;
  for (int index = 1; index <= 5; ++index) lines.push_back(reading("a", std::to_string(index), index * 1000));
  const std::vector<uint8_t> slot =
      slot_after(step("smooth = { field = \"value\", method = \"moving-average\", samples = 3 }"), lines);
  std::string json;
  CHECK(append_state_json(layout, slot, json).ok());
  STRCMP_CONTAINS("\"samples\":[{\"value\":3},{\"value\":4},{\"value\":5}]", json.c_str());
}

TEST(StateText, shows_times_that_are_none_as_null) {
  const std::vector<uint8_t> slot =
      slot_after(step("hold = { condition = \"value > 5\", for = \"10s\" }"), {reading("a", "7", 1000)});
  std::string json;
  CHECK(append_state_json(layout, slot, json).ok());
  STRCMP_CONTAINS("\"step.event_timer\":11000", json.c_str());
  STRCMP_CONTAINS("\"decided\":null,\"record\":{\"device\":\"a\",\"value\":7,\"ts\":1000}", json.c_str());
}

TEST(StateText, notices_bytes_that_do_not_fit_the_description) {
  std::vector<uint8_t> slot = slot_after(step("throttle = { records = 1, interval = \"10s\" }"), {reading("a", "7", 1000)});
  std::string text;
  slot.back() = 0xFF;
  slot.resize(slot.size() - 1);
  CHECK(append_state_json(layout, slot, text).code() == Code::Corrupt);
  slot.resize(3);
  CHECK(append_state_json(layout, slot, text).code() == Code::Corrupt);
  CHECK(append_state_csv(layout, slot, text).code() == Code::Corrupt);
  STRCMP_EQUAL("", text.c_str());
}

// ---- id_previous

TEST_GROUP(IdPrevious) {
  int lines = 0;
  std::string problems(const std::string& toml) { return StepRig(toml).problems(); }
};

TEST(IdPrevious, may_name_what_no_step_is_called) {
  STRCMP_EQUAL("", problems(step("id_previous = \"before\"\nthrottle = { records = 1, interval = \"10s\" }")).c_str());
  STRCMP_EQUAL(
      "", problems(step("id_previous = \"before\"\nwindow = { tumbling = \"1s\" }\naggregate = { n = \"count()\" }")).c_str());
}

TEST(IdPrevious, may_not_name_a_step_that_is_there) {
  STRCMP_CONTAINS("id_previous names \"s\", which is a step's id now",
                  problems(step("id_previous = \"s\"\nthrottle = { records = 1, interval = \"10s\" }")).c_str());
}

TEST(IdPrevious, may_not_be_taken_twice) {
  const std::string other =
      "[[pipeline.step]]\nid = \"t\"\nid_previous = \"before\"\nkey_by = [\"device\"]\n"
      "throttle = { records = 1, interval = \"10s\" }\n";
  STRCMP_CONTAINS("id_previous names \"before\", which another step takes over as well",
                  problems(step("id_previous = \"before\"\nthrottle = { records = 1, interval = \"10s\" }") + other).c_str());
}

TEST(IdPrevious, needs_a_step_with_state) {
  STRCMP_CONTAINS("\"id_previous\" needs a step that keeps state",
                  problems("[[pipeline.step]]\nid = \"s\"\nid_previous = \"t\"\nfilter = \"value > 1\"\n").c_str());
}
