// Real recordings through the whole agent: every window's count, average, minimum and maximum must be what a slow, obvious
// computation over the same file says, late rows included.
#include "firmware-tests/support/recordings.h"
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <vector>

namespace {

using namespace weir;
using namespace weir::test;

struct Reading {
  std::string key;
  int64_t ts_ms = 0;
  std::string ts_text;  // as the payload says it, quotes included
  std::string value;    // as written in the file
};

/// A machine's one series: `timestamp,value`, sent as epoch milliseconds.
std::vector<Reading> read_series(const std::string& name) {
  std::vector<Reading> readings;
  for (const auto& row : read_recording("nab/" + name)) {
    const int64_t ts_ms = recorded_time_ms(row[0]);
    readings.push_back({"machine", ts_ms, std::to_string(ts_ms), row[1]});
  }
  return readings;
}

/// A boat's network in the order of arrival, one key per instrument and quantity, sent as RFC 3339.
std::vector<Reading> read_boat() {
  std::vector<Reading> readings;
  for (const auto& row : read_recording("n2k/dirona.csv")) {
    readings.push_back({row[1] + "-" + row[3] + "-" + row[4], recorded_time_ms(row[0]), "\"" + row[0] + "\"", row[5]});
  }
  return readings;
}

struct Content {
  int64_t count = 0;
  double total = 0;
  double low = 0;
  double high = 0;
};

/// What the definition says, word for word, one record at a time.
class Reference {
 public:
  Reference(int64_t window_ms, int64_t max_delay_ms) : window_ms_(window_ms), max_delay_ms_(max_delay_ms) {}

  void add(const Reading& reading) {
    const int64_t start_ms = floor_to_window(reading.ts_ms);
    const bool late = any_ && start_ms + window_ms_ - 1 <= watermark_ms();
    if (late) {
      ++late_;
    } else {
      add_to(windows_[{reading.key, start_ms}], strtod(reading.value.c_str(), nullptr));
    }
    newest_ms_ = any_ ? std::max(newest_ms_, reading.ts_ms) : reading.ts_ms;
    any_ = true;
  }

  uint64_t late() const { return late_; }
  int64_t closing_ts_ms() const { return newest_ms_ + 2 * window_ms_ + max_delay_ms_; }
  const std::map<std::pair<std::string, int64_t>, Content>& windows() const { return windows_; }

 private:
  int64_t watermark_ms() const { return newest_ms_ - max_delay_ms_ - 1; }
  int64_t floor_to_window(int64_t ts_ms) const {
    int64_t quotient = ts_ms / window_ms_;
    if (ts_ms % window_ms_ < 0) --quotient;
    return quotient * window_ms_;
  }
  static void add_to(Content& content, double value) {
    content.low = content.count == 0 ? value : std::min(content.low, value);
    content.high = content.count == 0 ? value : std::max(content.high, value);
    content.total += value;
    ++content.count;
  }

  int64_t window_ms_;
  int64_t max_delay_ms_;
  int64_t newest_ms_ = 0;
  bool any_ = false;
  uint64_t late_ = 0;
  std::map<std::pair<std::string, int64_t>, Content> windows_;
};

class RecordingsTest : public GatewayTest {
 public:
  static constexpr const char* config = R"toml(
[agent]
name = "box"
state_dir = "@STATE@"

[mqtt.local]
url = "@BROKER@"

[[pipeline]]
name = "recording"
checkpoint = { interval = "200ms", min_pause = "10ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["recording/+"]
  fields = { key = "topic[1]", value = "float", ts = "@TIME@" }
  event_time = { field = "ts", max_delay = "@DELAY@ms" }

  [[pipeline.step]]
  id = "windows"
  key_by = ["key"]
  window = { tumbling = "@WINDOW@ms" }
  aggregate = { n = "count()", mean = "avg(value)", low = "min(value)", high = "max(value)" }

  [pipeline.sink]
  mqtt = "local"
  topic = "results/{key}"
)toml";

  void replay(const std::vector<Reading>& readings, int64_t window_ms, int64_t max_delay_ms) {
    Reference reference(window_ms, max_delay_ms);
    prepare(config);
    gateway->replace("@WINDOW@", std::to_string(window_ms));
    gateway->replace("@DELAY@", std::to_string(max_delay_ms));
    gateway->replace("@TIME@", readings.front().ts_text.front() == '"' ? "time(rfc3339)" : "time(ms)");
    CHECK_TRUE(gateway->start());
    for (const Reading& reading : readings) {
      reference.add(reading);
      publish(reading.key, reading.ts_text, reading.value);
    }
    close_windows(reference, readings.front());
    CHECK_TRUE(gateway->wait_received(readings.size() + 1, 60'000));
    CHECK_TRUE(gateway->wait_results(reference.windows().size()));
    compare(reference, readings.size() + 1);
  }
  void publish(const std::string& key, const std::string& ts_text, const std::string& value) {
    CHECK_TRUE(gateway->publish("recording/" + key, "{\"value\":" + value + ",\"ts\":" + ts_text + "}"));
  }
  void close_windows(const Reference& reference, const Reading& model) {
    const int64_t ts_ms = reference.closing_ts_ms();
    std::string text = std::to_string(ts_ms);
    if (model.ts_text.front() == '"') {
      const time_t seconds = static_cast<time_t>(ts_ms / 1000);
      char formatted[40];
      strftime(formatted, sizeof formatted, "\"%Y-%m-%dT%H:%M:%SZ\"", gmtime(&seconds));
      text = formatted;
    }
    publish("closer", text, "0");
  }
  void compare(const Reference& reference, size_t published) {
    const std::vector<ReceivedMessage> results = gateway->results();
    UNSIGNED_LONGS_EQUAL(reference.windows().size(), results.size());
    for (const ReceivedMessage& result : results) {
      const std::string key = result.topic.substr(strlen("results/"));
      const auto found = reference.windows().find({key, json_int(result.payload, "window_start").value_or(0)});
      CHECK_TRUE_TEXT(found != reference.windows().end(), result.payload.c_str());
      const Content& content = found->second;
      const double mean = content.total / static_cast<double>(content.count);
      LONGS_EQUAL_TEXT(content.count, json_int(result.payload, "n").value_or(-1), result.payload.c_str());
      DOUBLES_EQUAL_TEXT(mean, json_number(result.payload, "mean").value_or(NAN), std::fabs(mean) * 1e-12 + 1e-12,
                         result.payload.c_str());
      DOUBLES_EQUAL_TEXT(content.low, json_number(result.payload, "low").value_or(NAN), 0, result.payload.c_str());
      DOUBLES_EQUAL_TEXT(content.high, json_number(result.payload, "high").value_or(NAN), 0, result.payload.c_str());
    }
    const ObservedPipeline pipeline = gateway->pipeline();
    LONGS_EQUAL(0, pipeline.imbalance);
    UNSIGNED_LONGS_EQUAL(published, pipeline.ledger.received);
    UNSIGNED_LONGS_EQUAL(reference.late(), pipeline.ledger.late);
    UNSIGNED_LONGS_EQUAL(published - reference.late(), pipeline.ledger.applied);
  }
};

TEST_GROUP_BASE(Recordings, RecordingsTest){};

TEST(Recordings, ambient_temperature_by_the_day) {
  if (!have_recording("nab")) return;
  replay(read_series("ambient_temperature_system_failure.csv"), 24 * 3600'000, 0);
}

TEST(Recordings, machine_temperature_by_five_minutes_over_a_clock_that_steps_back) {
  if (!have_recording("nab")) return;
  // The grid of the readings: a reading may be late by exactly nothing, or by exactly one window.
  replay(read_series("machine_temperature_system_failure.csv"), 300'000, 0);
}

TEST(Recordings, road_occupancy_by_the_quarter_of_an_hour) {
  if (!have_recording("nab")) return;
  replay(read_series("occupancy_t4013.csv"), 900'000, 60'000);
}

TEST(Recordings, road_speed_by_ten_minutes) {
  if (!have_recording("nab")) return;
  replay(read_series("speed_t4013.csv"), 600'000, 0);
}

TEST(Recordings, a_boats_network_with_late_rows_and_duplicates) {
  if (!have_recording("n2k/dirona.csv")) return;
  replay(read_boat(), 10'000, 2'000);
}

}  // namespace
