#include <cmath>
#include <set>
#include <sstream>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(DistinctStep) {
  std::string per_minute =
      "[[pipeline.step]]\nid = \"d\"\nkey_by = [\"device\"]\ndistinct = { field = \"value\", window = \"1min\" }";

  static std::string reading(const char* device, const std::string& value, int64_t ts) {
    return std::string("{\"device\":\"") + device + "\",\"value\":" + value + ",\"ts\":" + std::to_string(ts) + "}";
  }
  static std::string result(const char* device, int64_t start, int count) {
    return std::string("{\"device\":\"") + device + "\",\"window_start\":" + std::to_string(start) +
           ",\"window_end\":" + std::to_string(start + 60'000) + ",\"distinct\":" + std::to_string(count) + "}\n";
  }
  static void refuses(const char* why, const std::string& options) {
    STRCMP_CONTAINS(why, StepRig("[[pipeline.step]]\nid = \"d\"\ndistinct = { " + options + " }").problems().c_str());
  }
};

TEST(DistinctStep, a_window_closes_with_the_key_s_first_record_of_a_later_one) {
  StepRig rig(per_minute);
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed(reading("a", "1", 0));
  rig.feed(reading("a", "2", 59'999));
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed(reading("a", "3", 60'000));
  STRCMP_EQUAL(result("a", 0, 2).c_str(), rig.take_output().c_str());
  rig.finish();
  STRCMP_EQUAL(result("a", 60'000, 1).c_str(), rig.take_output().c_str());
}

TEST(DistinctStep, a_window_closes_when_the_watermark_has_passed_its_last_millisecond) {
  StepRig rig(per_minute);
  rig.feed(reading("a", "1", 0));
  rig.feed(reading("b", "1", 59'999));
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed(reading("b", "1", 60'000));
  STRCMP_EQUAL((result("b", 0, 1) + result("a", 0, 1)).c_str(), rig.take_output().c_str());
}

TEST(DistinctStep, takes_a_window_s_records_in_any_order_and_earlier_windows_are_late) {
  StepRig rig(per_minute);
  rig.feed(reading("a", "1", 130'000));
  rig.feed(reading("a", "2", 120'001));
  UNSIGNED_LONGS_EQUAL(0, rig.counts().late);
  rig.feed(reading("a", "3", 119'999));
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
  rig.feed(reading("b", "3", 119'999));  // the watermark has passed it, and no state is left behind
  UNSIGNED_LONGS_EQUAL(2, rig.counts().late);
  rig.finish();
  STRCMP_EQUAL(result("a", 120'000, 2).c_str(), rig.take_output().c_str());
}

TEST(DistinctStep, filters_out_nulls_which_open_no_window) {
  StepRig rig(per_minute);
  rig.feed(reading("a", "null", 0));
  UNSIGNED_LONGS_EQUAL(1, rig.counts().filtered);
  rig.finish();
  STRCMP_EQUAL("", rig.take_output().c_str());
}

TEST(DistinctStep, a_closed_window_frees_its_key) {
  StepRig rig(
      "[[pipeline.step]]\nid = \"d\"\nkey_by = [\"device\"]\nmax_keys = 1\ndistinct = { field = \"value\", window = \"1min\" "
      "}");
  rig.feed(reading("a", "1", 0));
  rig.feed(reading("b", "1", 1));
  STRCMP_EQUAL("refused d capacity\n", rig.take_output().c_str());
  rig.feed(reading("a", "1", 60'000));
  STRCMP_EQUAL(result("a", 0, 1).c_str(), rig.take_output().c_str());
  rig.feed(reading("a", "1", 180'000));
  rig.finish();
  rig.take_output();
  rig.feed(reading("b", "1", 500'000));
  UNSIGNED_LONGS_EQUAL(1, rig.counts().refused);
}

TEST(DistinctStep, an_evicted_key_hands_on_its_part_of_the_window) {
  StepRig rig(
      "[[pipeline.step]]\nid = \"d\"\nkey_by = [\"device\"]\nmax_keys = 1\nevict = \"emit\"\n"
      "distinct = { field = \"value\", window = \"1min\" }");
  rig.feed(reading("a", "1", 0));
  rig.feed(reading("b", "1", 1));
  STRCMP_EQUAL(result("a", 0, 1).c_str(), rig.take_output().c_str());
}

TEST(DistinctStep, without_a_window_every_record_gets_the_count_so_far_in_any_order) {
  StepRig rig("[[pipeline.step]]\nid = \"d\"\ndistinct = { field = \"device\", name = \"devices\" }");
  rig.feed(reading("a", "1", 5000));
  rig.feed(reading("b", "1", 1000));
  rig.feed("{\"value\":1,\"ts\":6000}");
  STRCMP_EQUAL(
      "{\"device\":\"a\",\"value\":1,\"ts\":5000,\"devices\":1}\n{\"device\":\"b\",\"value\":1,\"ts\":1000,\"devices\":2}\n"
      "{\"device\":null,\"value\":1,\"ts\":6000,\"devices\":2}\n",
      rig.take_output().c_str());
}

TEST(DistinctStep, refuses_what_cannot_be) {
  refuses("\"offset\" must be shorter than \"window\"", "field = \"value\", window = \"1s\", offset = \"1s\"");
  refuses("\"offset\" belongs to a \"window\"", "field = \"value\", offset = \"1s\"");
  refuses("two fields would be called \"value\"", "field = \"value\", name = \"value\"");
  refuses("there is no field \"valu\"", "field = \"valu\"");
  refuses("must be from 4 to 14, not 15", "field = \"value\", precision = 15");
}

TEST(DistinctStep, counts_the_stations_and_temperatures_of_real_data_within_two_standard_errors) {
  std::istringstream lines(read_whole_file(WEIR_SOURCE_DIR "/../shared/data/nab/machine_temperature_system_failure.csv"));
  std::string line;
  if (!std::getline(lines, line)) {
    UT_PRINT("skipped: ../shared/data/nab is not there");
    return;
  }
  StepRig rig("[[pipeline.step]]\nid = \"d\"\ndistinct = { field = \"value\", window = \"1h\" }");
  std::set<double> exact;
  while (std::getline(lines, line)) {
    const std::string value = line.substr(line.find(',') + 1);
    exact.insert(strtod(value.c_str(), nullptr));
    rig.feed(reading("m", value, 1000));
  }
  rig.finish();
  const std::string output = rig.take_output();
  const double counted = strtod(output.c_str() + output.rfind(':') + 1, nullptr);
  CHECK(exact.size() > 20'000);
  CHECK(std::fabs(counted / static_cast<double>(exact.size()) - 1) <= 2 * 1.04 / 32);
}
