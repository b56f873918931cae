#include "firmware-tests/support/random.h"
#include "firmware-tests/support/step_rig.h"

#include <algorithm>

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(JoinStep) {
  std::string max_delay = "0s";
  std::string right_fields = "k = \"string(8)\", r = \"int\", ts = \"time(ms)\"";
  std::string beside;

  std::string toml(const std::string& options) const {
    auto source = [&](const char* name, const std::string& fields) {
      return std::string("[[pipeline.source]]\nname = \"") + name + "\"\n" + (name[0] == 'l' ? "mqtt = \"local\"\n" : "") +
             "topics = [\"" + name + "\"]\nformat = \"json\"\nfields = { " + fields +
             " }\nevent_time = { field = \"ts\", max_delay = \"" + max_delay + "\" }\n";
    };
    return source("l", "k = \"string(8)\", l = \"int\", ts = \"time(ms)\"") + source("r", right_fields) +
           "[[pipeline.step]]\nid = \"j\"\nfrom = \"l\"\nkey_by = [\"k\"]\n" + beside +
           "join = { with = \"r\", prefix = \"r_\"" + options +
           " }\n[pipeline.sink]\nmqtt = \"local\"\ntopic = \"results\"\nformat = \"json\"\n";
  }
  static std::string left(int number, int64_t ts, const char* key = "a") { return row("l", number, ts, key); }
  static std::string right(int number, int64_t ts, const char* key = "a") { return row("r", number, ts, key); }
  static std::string row(const char* side, int number, int64_t ts, const char* key) {
    return std::string(side) + " {\"k\":\"" + key + "\",\"" + side + "\":" + std::to_string(number) +
           ",\"ts\":" + std::to_string(ts) + "}";
  }
  /// The pairs as "l-r", in the order in which they come; a left record alone as "l-null".
  static std::string pairs(StepRig & rig) {
    std::string text;
    const std::string output = rig.take_output();
    for (size_t at = 0; at < output.size(); at = output.find('\n', at) + 1) {
      auto member = [&](const char* name) {
        const size_t begin = output.find(name, at) + std::string(name).size();
        return output.substr(begin, output.find_first_of(",}", begin) - begin);
      };
      text += output.compare(at, 7, "refused") == 0 ? "refused " : member("\"l\":") + "-" + member("\"r_r\":") + " ";
    }
    return text;
  }
  void refuses(const char* why, const std::string& options) const {
    STRCMP_CONTAINS(why, StepRig(toml(options)).problems().c_str());
  }
};

TEST(JoinStep, both_ends_of_the_interval_are_included) {
  StepRig rig(toml(", before = \"10s\", after = \"2s\""));
  STRCMP_EQUAL("", rig.problems().c_str());
  for (int64_t ts : {89'999, 90'000, 102'000, 102'001}) rig.feed(right(static_cast<int>(ts), ts));
  rig.feed(left(1, 100'000));
  STRCMP_EQUAL("1-90000 1-102000 ", pairs(rig).c_str());
}

TEST(JoinStep, the_interval_may_lie_before_the_record) {
  max_delay = "1min";
  StepRig rig(toml(", before = \"10s\", after = \"-2s\""));
  STRCMP_EQUAL("", rig.problems().c_str());
  for (int64_t ts : {89'999, 90'000, 98'000, 98'001, 100'000}) rig.feed(right(static_cast<int>(ts), ts));
  rig.feed(left(1, 100'000));
  STRCMP_EQUAL("1-90000 1-98000 ", pairs(rig).c_str());
  rig.feed(right(95'000, 95'000));  // out of order, the record that it meets came first
  STRCMP_EQUAL("1-95000 ", pairs(rig).c_str());
}

TEST(JoinStep, the_interval_may_lie_behind_the_record) {
  max_delay = "1min";
  StepRig rig(toml(", before = \"-2s\", after = \"10s\""));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed(left(1, 100'000));
  for (int64_t ts : {100'000, 101'999, 102'000, 110'000, 110'001}) rig.feed(right(static_cast<int>(ts), ts));
  STRCMP_EQUAL("1-102000 1-110000 ", pairs(rig).c_str());
}

TEST(JoinStep, the_interval_may_be_one_instant_beside_the_record) {
  StepRig rig(toml(", before = \"2s\", after = \"-2s\""));
  STRCMP_EQUAL("", rig.problems().c_str());
  for (int64_t ts : {97'999, 98'000, 98'001}) rig.feed(right(static_cast<int>(ts), ts));
  rig.feed(left(1, 100'000));
  STRCMP_EQUAL("1-98000 ", pairs(rig).c_str());
}

TEST(JoinStep, nothing_is_kept_of_a_record_that_can_meet_none_any_more) {
  StepRig rig(toml(", before = \"10s\", after = \"-2s\", type = \"left\", max_rows = 2"));
  rig.feed(left(1, 101'000));
  rig.feed(right(7, 100'000));
  STRCMP_EQUAL("1-null ", pairs(rig).c_str());
  rig.feed(right(8, 100'500));  // the watermark is 100'499
  for (int number : {2, 3, 4}) rig.feed(left(number, 102'499));
  STRCMP_EQUAL("2-7 3-7 4-7 ", pairs(rig).c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.graph().evicted());  // although max_rows = 2
  for (int number : {5, 6}) rig.feed(left(number, 102'500));
  STRCMP_EQUAL("5-7 5-8 6-7 6-8 ", pairs(rig).c_str());
  rig.feed(left(9, 102'499));  // pushes none of the two out
  STRCMP_EQUAL("9-7 ", pairs(rig).c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.graph().evicted());
  rig.feed(left(10, 102'500));
  STRCMP_EQUAL("10-7 10-8 ", pairs(rig).c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.graph().evicted());
}

TEST(JoinStep, a_record_whose_interval_has_passed_is_alone_at_its_own_time) {
  max_delay = "1min";
  StepRig rig(toml(", before = \"10s\", after = \"-2s\", type = \"left\""));
  rig.feed(left(1, 100'000));
  rig.feed(right(9, 200'000));
  STRCMP_EQUAL("", pairs(rig).c_str());
  rig.feed(left(2, 158'000));  // the watermarks: 97'999 and 139'999
  STRCMP_EQUAL("", pairs(rig).c_str());
  rig.feed(left(3, 158'001));
  STRCMP_EQUAL("1-null ", pairs(rig).c_str());
}

TEST(JoinStep, a_pair_comes_with_its_later_record_whichever_input_that_is_of) {
  StepRig rig(toml(", before = \"1s\", after = \"1s\""));
  rig.feed(left(1, 1000));
  STRCMP_EQUAL("", pairs(rig).c_str());
  rig.feed(right(2, 2000));
  STRCMP_EQUAL("1-2 ", pairs(rig).c_str());
  rig.feed(left(3, 3000));
  STRCMP_EQUAL("3-2 ", pairs(rig).c_str());
}

TEST(JoinStep, a_result_has_the_greater_time_and_the_fields_of_both) {
  StepRig rig(toml(", before = \"1s\""));
  rig.feed(right(2, 500));
  rig.feed(left(1, 1000));
  STRCMP_EQUAL("{\"k\":\"a\",\"l\":1,\"ts\":1000,\"r_r\":2,\"r_ts\":500}\n", rig.take_output().c_str());
}

TEST(JoinStep, other_keys_do_not_meet_and_a_null_key_is_a_key) {
  StepRig rig(toml(""));
  rig.feed(left(1, 1000, "a"));
  rig.feed(right(2, 1000, "b"));
  rig.feed("l {\"l\":3,\"ts\":1000}");
  rig.feed("r {\"r\":4,\"ts\":1000}");
  STRCMP_EQUAL("3-4 ", pairs(rig).c_str());
}

TEST(JoinStep, the_watermark_is_the_lesser_of_the_inputs_and_what_it_has_passed_is_late) {
  StepRig rig(toml(", before = \"10s\", after = \"10s\""));
  rig.feed(left(1, 100'000));
  rig.feed(right(2, 95'000));
  STRCMP_EQUAL("1-2 ", pairs(rig).c_str());
  rig.feed(left(3, 94'999));
  rig.feed(right(4, 94'999));
  UNSIGNED_LONGS_EQUAL(2, rig.counts().late);
  rig.feed(left(5, 95'000));
  STRCMP_EQUAL("5-2 ", pairs(rig).c_str());
}

TEST(JoinStep, a_left_join_tells_of_those_that_met_none_when_none_can_come_any_more) {
  StepRig rig(toml(", after = \"2s\", type = \"left\""));
  rig.feed(left(1, 1000));
  rig.feed(left(2, 2000));
  rig.feed(left(9, 9000));
  rig.feed(right(7, 3001));
  STRCMP_EQUAL("2-7 1-null ", pairs(rig).c_str());  // the watermark is 3000: nothing can meet 1 any more
  rig.feed(right(8, 3002));
  rig.finish();
  STRCMP_EQUAL("2-8 9-null ", pairs(rig).c_str());
}

TEST(JoinStep, at_max_rows_the_oldest_goes) {
  StepRig rig(toml(", before = \"1h\", after = \"1h\", type = \"left\", max_rows = 2"));
  for (int number : {2, 1, 3}) rig.feed(left(number, number * 1000));
  STRCMP_EQUAL("1-null ", pairs(rig).c_str());
  rig.feed(right(7, 4000));
  STRCMP_EQUAL("2-7 3-7 ", pairs(rig).c_str());
  rig.feed(right(8, 5000));
  rig.feed(right(9, 6000));
  UNSIGNED_LONGS_EQUAL(2, rig.graph().evicted());
  pairs(rig);
  rig.feed(left(4, 7000));
  STRCMP_EQUAL("4-8 4-9 ", pairs(rig).c_str());
}

TEST(JoinStep, keys_without_room_are_set_aside_on_either_input) {
  beside = "max_keys = 1\n";
  StepRig rig(toml(""));
  rig.feed(left(1, 0, "a"));
  rig.feed(right(2, 0, "b"));
  rig.feed(left(2, 0, "c"));
  STRCMP_EQUAL("refused refused ", pairs(rig).c_str());
}

TEST(JoinStep, refuses_what_cannot_be) {
  refuses("unknown key \"witth\"", ", witth = \"x\"");
  refuses("the interval ends before it begins", ", before = \"10s\", after = \"-10001ms\"");
  refuses("the interval ends before it begins", ", before = \"-1ms\"");
  refuses("does not begin with a number", ", before = \"--1ms\"");
  beside = "max_keys = 0\n";
  refuses("max_keys", "");
  beside = "";
  right_fields = "k2 = \"string(8)\", r = \"int\", ts = \"time(ms)\"";
  refuses("\"r\" has no field \"k\"", "");
  right_fields = "k = \"string(9)\", r = \"int\", ts = \"time(ms)\"";
  refuses("\"k\" must have the same type and bound in both inputs", "");
  right_fields = "k = \"int\", r = \"int\", ts = \"time(ms)\"";
  refuses("\"k\" must have the same type and bound in both inputs", "");
}

/// All pairs by definition, against what comes out, with more than half of the times at the interval's edges.
TEST(JoinStep, equals_the_definition_for_random_records) {
  const uint64_t seed = 20'240'608;
  printf("seed %llu ", static_cast<unsigned long long>(seed));
  Random random(seed);
  max_delay = "1h";
  for (int run = 0; run < 20; ++run) {
    // On both sides of the record, wholly before it, wholly behind it, and one instant.
    constexpr int64_t intervals[][2] = {{100, 50}, {100, -50}, {-50, 100}, {-50, 50}};
    const auto [before, after] = intervals[run % 4];
    StepRig rig(toml(", before = \"" + std::to_string(before) + "ms\", after = \"" + std::to_string(after) +
                     "ms\", type = \"left\", max_rows = 64"));
    struct Row {
      int number;
      int64_t ts;
    };
    std::vector<Row> lefts, rights;
    for (int number = 0; number < 80; ++number) {
      const bool is_left = random.chance(50);
      constexpr int64_t edges[] = {0, 50, 100, 150};
      const int64_t ts = 1000 + edges[random.below(4)] + (random.chance(60) ? random.between(-1, 1) : random.between(-40, 40));
      (is_left ? lefts : rights).push_back({number, ts});
      rig.feed(is_left ? left(number, ts) : right(number, ts));
    }
    rig.finish();
    std::vector<std::string> expected;
    for (const Row& one : lefts) {
      bool met = false;
      for (const Row& other : rights) {
        if (other.ts < one.ts - before || other.ts > one.ts + after) continue;
        met = true;
        expected.push_back(std::to_string(one.number) + "-" + std::to_string(other.number));
      }
      if (!met) expected.push_back(std::to_string(one.number) + "-null");
    }
    std::vector<std::string> found;
    const std::string text = pairs(rig);
    for (size_t at = 0; at < text.size(); at = text.find(' ', at) + 1)
      found.push_back(text.substr(at, text.find(' ', at) - at));
    std::ranges::sort(expected);
    std::ranges::sort(found);
    CHECK(expected == found);
  }
}
