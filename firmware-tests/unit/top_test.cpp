#include <map>
#include <sstream>

#include "agent/operators/space_saving.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(SpaceSaving) {
  std::map<std::string, uint64_t> exact;
  uint64_t records = 0;
  std::vector<uint8_t> bytes;

  void add(const SpaceSaving& sketch, const std::string& value) {
    bytes.resize(sketch.bytes());
    ++exact[value];
    ++records;
    sketch.add(bytes.data(), Value::of_string(value));
  }
  /// The bounds that space_saving.h states.
  void check_bounds(const SpaceSaving& sketch, uint32_t counters) {
    std::vector<SpaceSaving::Entry> entries(counters);
    entries.resize(sketch.top(bytes.data(), entries));
    std::map<std::string, uint64_t> found;
    for (const SpaceSaving::Entry& each : entries) {
      const std::string value(each.value.as_string());
      found[value] = each.count;
      CHECK(each.count - each.error <= exact[value] && exact[value] <= each.count);
      CHECK(each.error <= records / counters);
    }
    for (const auto& [value, count] : exact) CHECK(count <= records / counters || found.contains(value));
    CHECK(sketch.valid(bytes.data()));
  }
};

TEST(SpaceSaving, keeps_its_bounds_for_random_values_of_uneven_frequency) {
  const uint64_t seed = 20'240'607;
  printf("seed %llu ", static_cast<unsigned long long>(seed));
  Random random(seed);
  const SpaceSaving sketch({"v", Type::String, 8}, 20);
  for (int record = 0; record < 20'000; ++record) add(sketch, "v" + std::to_string(random.below(1 + random.below(200))));
  check_bounds(sketch, 20);
}

TEST(SpaceSaving, keeps_its_bounds_for_values_that_come_once_each) {
  const SpaceSaving sketch({"v", Type::String, 8}, 7);
  for (int record = 0; record < 1000; ++record) add(sketch, std::to_string(record));
  check_bounds(sketch, 7);
}

TEST(SpaceSaving, keeps_its_bounds_on_real_data) {
  std::istringstream lines(read_whole_file(WEIR_SOURCE_DIR "/../shared/data/n2k/dirona.csv"));
  std::string line;
  if (!std::getline(lines, line)) {
    UT_PRINT("skipped: ../shared/data/n2k is not there");
    return;
  }
  const SpaceSaving sketch({"quantity", Type::String, 64}, 12);
  while (std::getline(lines, line)) {
    const size_t end = line.rfind(',');
    const size_t begin = line.rfind(',', end - 1) + 1;
    add(sketch, line.substr(begin, std::min<size_t>(64, end - begin)));
  }
  CHECK(exact.size() > 12);
  CHECK(records > 20'000);
  check_bounds(sketch, 12);
}

TEST(SpaceSaving, bytes_that_it_cannot_have_written_are_not_valid) {
  const SpaceSaving sketch({"v", Type::String, 8}, 2);
  add(sketch, "a");
  CHECK(sketch.valid(bytes.data()));
  for (const auto& [place, wrong] : std::vector<std::pair<size_t, uint8_t>>{{0, 3}, {12, 1}, {20, 0}, {20, 2}, {21, 9}}) {
    std::vector<uint8_t> copy = bytes;
    copy[place] = wrong;
    CHECK_FALSE(sketch.valid(copy.data()));
  }
}

TEST_GROUP(TopStep) {
  std::string step = "[[pipeline.step]]\nid = \"t\"\ntop = { field = \"device\", k = 2, window = \"1min\" }";

  static std::string reading(const std::string& device, int64_t ts) {
    return "{\"device\":" + device + ",\"value\":1,\"ts\":" + std::to_string(ts) + "}\n";
  }
  static std::string rank(int64_t start, int rank, const char* device, int count, int error = 0) {
    return "{\"window_start\":" + std::to_string(start) + ",\"window_end\":" + std::to_string(start + 60'000) +
           ",\"rank\":" + std::to_string(rank) + ",\"device\":\"" + device + "\",\"count\":" + std::to_string(count) +
           ",\"error\":" + std::to_string(error) + "}\n";
  }
  static void refuses(const char* why, const std::string& options) {
    STRCMP_CONTAINS(why, StepRig("[[pipeline.step]]\nid = \"t\"\ntop = { " + options + " }").problems().c_str());
  }
};

TEST(TopStep, reports_the_ranks_by_count_and_then_by_value) {
  StepRig rig(step);
  for (const char* device : {"\"c\"", "\"b\"", "\"a\"", "\"c\""}) rig.feed(reading(device, 59'999));
  rig.feed(reading("null", 0));
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.finish();
  STRCMP_EQUAL((rank(0, 1, "c", 2) + rank(0, 2, "a", 1)).c_str(), rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.counts().filtered);
}

TEST(TopStep, has_fewer_ranks_where_there_are_fewer_values) {
  StepRig rig(step);
  rig.feed(reading("\"c\"", 0));
  rig.finish();
  STRCMP_EQUAL(rank(0, 1, "c", 1).c_str(), rig.take_output().c_str());
}

TEST(TopStep, each_window_counts_anew) {
  StepRig rig(step);
  rig.feed_lines(reading("\"a\"", 0) + reading("\"a\"", 1) + reading("\"b\"", 60'000));
  rig.finish();
  STRCMP_EQUAL((rank(0, 1, "a", 2) + rank(60'000, 1, "b", 1)).c_str(), rig.take_output().c_str());
}

TEST(TopStep, has_room_for_all_its_ranks_in_answer_to_one_record) {
  StepRig rig(step);
  rig.feed_lines(reading("\"a\"", 0) + reading("\"b\"", 1) + reading("\"b\"", 60'000));
  STRCMP_EQUAL((rank(0, 1, "a", 1) + rank(0, 2, "b", 1)).c_str(), rig.take_output().c_str());
}

TEST(TopStep, refuses_what_cannot_be) {
  refuses("\"counters\" must be at least \"k\"", "field = \"value\", k = 5, window = \"1s\", counters = 4");
  refuses("needs \"window\"", "field = \"value\"");
  refuses("there is no field \"x\"", "field = \"x\", window = \"1s\"");
  refuses("must be from 1 to 64, not 65", "field = \"value\", k = 65, window = \"1s\"");
}
