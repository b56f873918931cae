#include "firmware-tests/support/random.h"
#include "firmware-tests/support/short_rows.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string dedup_step_text(const std::string& options, const std::string& keys = "max_keys = 100",
                            const std::string& max_delay = "10s") {
  return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+\"]\nformat = \"json\"\n"
         "fields = { device = \"string(16)\", value = \"float\", ts = \"time(ms)\" }\n"
         "event_time = { field = \"ts\", max_delay = \"" +
         max_delay + "\" }\n[[pipeline.step]]\nid = \"d\"\nkey_by = [\"device\"]\n" + keys + "\ndedup = { within = \"1s\"" +
         options + " }\n";
}

}  // namespace

TEST_GROUP(Dedup) {
  std::unique_ptr<StepRig> rig = std::make_unique<StepRig>(dedup_step_text(", fields = [\"value\"]"));

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
};

TEST(Dedup, a_repeat_within_the_time_goes_no_further) {
  feed_rows(*rig, "a 1 0, a 1 0, a 1 999, a 1 1000");
  expect("a 1 0, a 1 1000");
  LONGS_EQUAL(2, rig->counts().filtered);
}

TEST(Dedup, other_values_and_other_keys_are_no_repeats) {
  feed_rows(*rig, "a 1 0, a 2 1, b 1 2, a 1 3");
  expect("a 1 0, a 2 1, b 1 2");
}

TEST(Dedup, without_fields_every_record_of_a_key_is_a_repeat) {
  use(dedup_step_text(""));
  feed_rows(*rig, "a 1 0, a 2 1, b 1 2, a 3 1000");
  expect("a 1 0, b 1 2, a 3 1000");
}

TEST(Dedup, an_older_record_repeats_a_newer_one_as_well) {
  feed_rows(*rig, "a 1 5000, a 1 4001, a 1 4000");
  expect("a 1 5000, a 1 4000");
  LONGS_EQUAL(0, rig->counts().late);
}

TEST(Dedup, what_went_on_before_something_newer_is_not_forgotten) {
  feed_rows(*rig, "a 1 5000, a 1 9000, a 1 5999, a 1 6500, a 1 8001");
  expect("a 1 5000, a 1 9000, a 1 6500");
}

TEST(Dedup, null_equals_null_and_zero_minus_zero) {
  feed_rows(*rig, "a null 0, a null 1, a 0.0 2, a -0.0 3");
  expect("a null 0, a 0 2");
}

TEST(Dedup, a_repeat_does_not_prolong_the_time_unless_that_is_wanted) {
  feed_rows(*rig, "a 1 0, a 1 600, a 1 1200");
  expect("a 1 0, a 1 1200");
  use(dedup_step_text(", fields = [\"value\"], refresh = true"));
  feed_rows(*rig, "a 1 0, a 1 600, a 1 1200, a 1 2199, a 1 3199, a 1 2000, a 1 -999, a 1 -1999");
  expect("a 1 0, a 1 3199, a 1 -1999");
}

TEST(Dedup, a_record_behind_the_watermark_is_late) {
  use(dedup_step_text(", fields = [\"value\"]", "max_keys = 100", "0s"));
  feed_rows(*rig, "a 1 1000, a 2 999, a 3 1000, b 1 999");
  expect("a 1 1000, a 3 1000");
  LONGS_EQUAL(2, rig->counts().late);
}

TEST(Dedup, the_oldest_is_forgotten_when_there_is_no_room) {
  use(dedup_step_text(", fields = [\"value\"], max_values = 2"));
  feed_rows(*rig, "a 1 10, a 2 0, a 3 20, a 1 30, a 2 40");
  expect("a 1 10, a 2 0, a 3 20, a 2 40");
  LONGS_EQUAL(2, rig->graph().evicted());
}

TEST(Dedup, or_the_record_is_refused) {
  use(dedup_step_text(", fields = [\"value\"], max_values = 2, full = \"reject\""));
  feed_rows(*rig, "a 1 0, a 2 0, a 3 0, a 1 0");
  expect("a 1 0, a 2 0, refused d capacity");
  LONGS_EQUAL(0, rig->graph().evicted());
}

TEST(Dedup, what_the_watermark_has_passed_takes_no_room) {
  use(dedup_step_text(", fields = [\"value\"], max_values = 1, full = \"reject\"", "max_keys = 100", "0s"));
  feed_rows(*rig, "a 1 0, b 1 999, a 2 999, b 2 1000, a 3 1000");
  expect("a 1 0, b 1 999, refused d capacity, refused d capacity, a 3 1000");
}

TEST(Dedup, a_value_is_passed_when_the_watermark_has_reached_its_last_possible_repeat) {
  use(dedup_step_text(", fields = [\"value\"], max_values = 2, full = \"reject\"", "max_keys = 100", "0s"));
  feed_rows(*rig, "a 1 0, a 2 500, b 1 999, a 3 999");
  expect("a 1 0, a 2 500, b 1 999, refused d capacity");
  feed_rows(*rig, "b 2 1000, a 3 1000");
  expect("b 2 1000, a 3 1000");
}

TEST(Dedup, a_key_with_nothing_left_gives_its_room_back) {
  use(dedup_step_text("", "max_keys = 1", "0s"));
  feed_rows(*rig, "a 1 0, b 2 500, a 3 1000, b 4 1500, a 5 2000, b 6 2001");
  expect("a 1 0, refused d capacity, a 3 1000, refused d capacity, a 5 2000, refused d capacity");
  feed_rows(*rig, "a 7 3001, b 8 4002");
  expect("a 7 3001, refused d capacity");
  feed_rows(*rig, "b 9 4002");
  expect("b 9 4002");
}

TEST(Dedup, a_restart_forgets_nothing) {
  SavedRig saved;
  feed_rows(*rig, "a 1 5000, a 2 5500, a 1 4000");
  expect("a 1 5000, a 2 5500, a 1 4000");
  rig->save(saved);
  use(dedup_step_text(", fields = [\"value\"]"));
  CHECK(rig->restore(saved).ok());
  feed_rows(*rig, "a 1 5999, a 2 4501, a 1 3001, a 1 6000");
  expect("a 1 6000");
}

TEST(Dedup, fields_must_be_there_and_times_and_numbers_be_some) {
  STRCMP_CONTAINS("there is no field \"valeu\"", StepRig(dedup_step_text(", fields = [\"valeu\"]")).problems().c_str());
  STRCMP_CONTAINS("\"max_values\" must be from 1 to 1000", StepRig(dedup_step_text(", max_values = 0")).problems().c_str());
  STRCMP_CONTAINS("full", StepRig(dedup_step_text(", full = \"newest\"")).problems().c_str());
  StepRig missing("[[pipeline.step]]\nid = \"d\"\ndedup = { refresh = true }\n");
  STRCMP_CONTAINS("within", missing.problems().c_str());
}

/// The rule again, over the list of everything that went on.
TEST(Dedup, does_what_the_rule_says_for_random_records_out_of_order) {
  const char* text = getenv("WEIR_SEED");
  const uint64_t seed = text != nullptr ? strtoull(text, nullptr, 10) : static_cast<uint64_t>(time(nullptr));
  printf("WEIR_SEED=%llu ", static_cast<unsigned long long>(seed));
  Random random(seed);
  use(dedup_step_text(", fields = [\"value\"], max_values = 100", "max_keys = 100", "3s"));
  struct Passed {
    char key;
    uint64_t value;
    int64_t time;
  };
  std::vector<Passed> passed;
  std::string expected;
  int64_t newest = INT64_MIN / 2;
  uint64_t late = 0;
  for (int count = 0; count < 3000; ++count) {
    const char key = random.chance(50) ? 'a' : 'b';
    const uint64_t value = random.below(4);
    int64_t time = random.between(-3500, 500) + count * 100;
    if (!passed.empty() && random.chance(50)) time = passed.back().time + random.between(-1, 1) + random.between(-1, 1) * 1000;
    const bool is_late = time <= newest - 3000 - 1;
    const bool repeats = std::ranges::any_of(passed, [&](const Passed& other) {
      return other.key == key && other.value == value && std::llabs(other.time - time) < 1000;
    });
    newest = std::max(newest, time);
    late += is_late ? 1 : 0;
    if (!is_late && !repeats) {
      passed.push_back({key, value, time});
      expected +=
          (expected.empty() ? "" : ", ") + std::string(1, key) + " " + std::to_string(value) + " " + std::to_string(time);
    }
    feed_rows(*rig, std::string(1, key) + " " + std::to_string(value) + " " + std::to_string(time));
  }
  expect(expected.c_str());
  LONGS_EQUAL(late, rig->counts().late);
  CHECK(late > 0);
}
