#include <algorithm>
#include <map>

#include "firmware-tests/support/random.h"
#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string sort_step_text(const std::string& options, int64_t max_delay_ms, const std::string& keys = "max_keys = 100",
                           const std::string& per = "") {
  return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+\"]\nformat = \"json\"\n"
         "fields = { device = \"string(16)\", value = \"int\", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay = "
         "\"" +
         std::to_string(max_delay_ms) + "ms\"" + per + " }\n[[pipeline.step]]\nid = \"s\"\nkey_by = [\"device\"]\n" + keys +
         "\nsort = { " + options + " }\n";
}

}  // namespace

TEST_GROUP(Sort) {
  std::unique_ptr<StepRig> rig = std::make_unique<StepRig>(sort_step_text("", 1000));

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
};

TEST(Sort, holds_each_record_until_the_watermark_has_reached_it) {
  feed_rows(*rig, "a 2 2000, a 1 1500, a 3 3000");
  expect("a 1 1500");
  feed_rows(*rig, "b 9 3000");
  expect("");
  feed_rows(*rig, "b 9 3001");
  expect("a 2 2000");
}

TEST(Sort, keeps_equal_times_in_the_order_of_arrival) {
  feed_rows(*rig, "a 1 100, a 2 100, a 0 50, a 3 100");
  rig->finish();
  expect("a 0 50, a 1 100, a 2 100, a 3 100");
}

TEST(Sort, takes_what_is_at_or_behind_the_watermark_as_late) {
  feed_rows(*rig, "a 1 2000");  // the watermark is 999
  feed_rows(*rig, "a 2 999, a 3 1000");
  UNSIGNED_LONGS_EQUAL(1, rig->counts().late);
  rig->finish();
  expect("a 3 1000, a 1 2000");
}

TEST(Sort, a_record_of_a_new_key_at_the_watermark_is_late_and_takes_no_room) {
  use(sort_step_text("", 1000, "max_keys = 1\nevict = \"reject\""));
  feed_rows(*rig, "a 1 2000, b 2 999");
  UNSIGNED_LONGS_EQUAL(1, rig->counts().late);
  UNSIGNED_LONGS_EQUAL(0, rig->counts().refused);
}

TEST(Sort, gives_the_room_of_a_key_back_when_nothing_is_held) {
  use(sort_step_text("", 0, "max_keys = 1\nevict = \"reject\""));
  feed_rows(*rig, "a 1 1000, b 2 2000, c 3 3000");
  UNSIGNED_LONGS_EQUAL(1, rig->counts().refused);  // b came while a was still held
  rig->finish();
  expect("refused s capacity, a 1 1000, c 3 3000");
}

TEST(Sort, hands_the_earliest_on_before_its_time_when_it_is_full) {
  use(sort_step_text("max_records = 2", 10'000));
  feed_rows(*rig, "a 5 5000, a 4 4000");
  expect("");
  feed_rows(*rig, "a 6 6000");
  expect("a 4 4000");
  feed_rows(*rig, "a 3 3000");  // it is the earliest itself
  expect("a 3 3000");
  UNSIGNED_LONGS_EQUAL(2, rig->graph().evicted());
  rig->finish();
  expect("a 5 5000, a 6 6000");
}

TEST(Sort, refuses_one_more_when_it_is_full_if_that_is_wanted) {
  use(sort_step_text("max_records = 2, full = \"reject\"", 10'000));
  feed_rows(*rig, "a 1 1000, a 2 2000, a 3 3000, b 4 4000");
  STRCMP_EQUAL("refused s capacity\n", rig->take_output().c_str());
  rig->finish();
  expect("a 1 1000, a 2 2000, b 4 4000");
}

TEST(Sort, a_key_that_gives_way_hands_on_all_that_it_holds) {
  use(sort_step_text("", 10'000, "max_keys = 1\nevict = \"emit\""));
  feed_rows(*rig, "a 2 2000, a 1 1000, b 3 3000");
  expect("a 1 1000, a 2 2000");
}

TEST(Sort, follows_the_clock_of_its_device) {
  use(sort_step_text("", 1000, "max_keys = 100", ", per = \"device\""));
  feed_rows(*rig, "a 1 1000, b 2 900000, a 0 500");
  expect("");
  feed_rows(*rig, "a 3 2001");
  expect("a 0 500, a 1 1000");
}

TEST(Sort, says_which_numbers_of_records_it_takes) {
  for (const char* wrong : {"max_records = 0", "max_records = 4097"})
    STRCMP_CONTAINS("\"max_records\" must be", StepRig(sort_step_text(wrong, 0)).problems().c_str());
  STRCMP_CONTAINS("unknown value \"drop\" for \"full\"", StepRig(sort_step_text("full = \"drop\"", 0)).problems().c_str());
}

// What comes out of each key is what came in and was not late, sorted: also with most times around the watermark.
TEST(Sort, random_input_comes_out_in_order_and_whole) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const int64_t delay = random.between(0, 50);
    use(sort_step_text("max_records = 300", delay));
    std::map<std::string, std::vector<std::pair<int64_t, int>>> expected;
    int64_t newest = INT64_MIN;
    uint64_t late = 0;
    for (int count = 0; count < 300; ++count) {
      const int64_t now = newest == INT64_MIN ? 1000 : newest;
      const int64_t time = random.chance(60) ? now - delay + random.between(-2, 1) : now + random.between(-delay, 8);
      const std::string key(1, static_cast<char>('a' + random.below(3)));
      if (newest != INT64_MIN && time <= newest - delay - 1) {
        ++late;
      } else {
        expected[key].emplace_back(time, count);
      }
      feed_rows(*rig, key + " " + std::to_string(count) + " " + std::to_string(time));
      newest = std::max(newest, time);
    }
    rig->finish();
    UNSIGNED_LONGS_EQUAL(late, rig->counts().late);
    std::map<std::string, std::string> wanted, came;
    for (auto& [key, rows] : expected) {
      std::ranges::stable_sort(rows, {}, &std::pair<int64_t, int>::first);
      for (const auto& [time, number] : rows)
        wanted[key] += key + " " + std::to_string(number) + " " + std::to_string(time) + ", ";
    }
    std::string all = take_rows(*rig) + ", ";
    for (size_t at = 0; at < all.size(); at = all.find(", ", at) + 2)
      came[all.substr(at, 1)] += all.substr(at, all.find(", ", at) + 2 - at);
    for (const auto& [key, rows] : wanted)
      STRCMP_EQUAL_TEXT(rows.c_str(), came[key].c_str(), ("seed " + std::to_string(seed)).c_str());
  }
}
