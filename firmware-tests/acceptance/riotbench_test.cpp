// RIoTBench's two flows, as they stand in configs/, on readings that look like its own, against a slow computation of the same.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "agent/app/replay.h"
#include "agent/app/replay_input.h"
#include "examples/riotbench/readings.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t seed = 20261122;
constexpr size_t count = 4000;

/// A result's values by name: numbers, and texts apart.
struct Row {
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
  std::set<std::string> nulls;
};

class Rows final : public ReplayHandler {
 public:
  void on_result(const Schema& schema, const Record& record) override {
    Row& row = all.emplace_back();
    for (size_t index = 0; index < schema.size(); ++index) {
      const Value& value = record.values[index];
      const std::string& name = schema[index].name;
      if (value.is_null()) row.nulls.insert(name);
      if (value.type() == Type::Float) row.numbers[name] = value.as_float();
      if (value.type() == Type::Time || value.type() == Type::Int) row.numbers[name] = static_cast<double>(value.as_int());
      if (value.type() == Type::String) row.texts[name] = std::string(value.as_string());
    }
  }
  void on_refused(std::string_view, const char*, std::string_view) override { ++refused; }
  std::vector<Row> all;
  size_t refused = 0;
};

std::vector<riotbench::Reading> readings() {
  riotbench::Readings source(seed);
  std::vector<riotbench::Reading> all;
  for (size_t index = 0; index < count; ++index) all.push_back(source.next());
  return all;
}

constexpr const char* observed[] = {"temperature", "humidity", "light", "dust", "airquality"};
constexpr double low[] = {-12.5, 10.7, 1345, 186.61, 17};
constexpr double high[] = {43.1, 95.2, 26282, 5188.21, 363};

}  // namespace

TEST_GROUP(RiotBench) {
  Rows rows;
  std::vector<riotbench::Reading> input = readings();

  void run(const std::string& name) {
    LoadedConfig config = load_config(std::vector<std::string>{WEIR_SOURCE_DIR "/configs/" + name}, {});
    Arena arena;
    PlannedGraph graph = build_graph(config.specification.pipeline.at(0), config.diagnostics, arena);
    STRCMP_EQUAL("", config.diagnostics.format(config.files, false).c_str());
    CHECK(arena.used() <= config.specification.agent.memory_limit);
    Replay replay(name, std::move(graph), arena, rows);
    for (const riotbench::Reading& reading : input) replay.feed("riotbench/x", json(reading));
    replay.finish();
    UNSIGNED_LONGS_EQUAL(0, rows.refused);
  }
  std::vector<const Row*> of(const std::string& statistic) const {
    std::vector<const Row*> found;
    for (const Row& row : rows.all)
      if (row.texts.at("statistic") == statistic) found.push_back(&row);
    return found;
  }
};

TEST(RiotBench, etl_cleans_interpolates_and_annotates_every_reading_once) {
  run("riotbench-etl.toml");
  std::map<std::pair<std::string, int64_t>, const Row*> results;
  for (const Row& row : rows.all)
    CHECK(results.emplace(std::pair(row.texts.at("station"), static_cast<int64_t>(row.numbers.at("ts"))), &row).second);
  std::map<std::string, std::vector<const riotbench::Reading*>> clean;
  for (const riotbench::Reading& reading : input)
    if (reading.known && !reading.repeated) clean[reading.station].push_back(&reading);
  size_t expected = 0;
  size_t interpolated = 0;
  for (const auto& [station, series] : clean) {
    expected += series.size();
    for (size_t index = 0; index < std::size(observed); ++index) {
      auto good = [&](size_t at) {
        const double value = series[at]->values[index];
        return !std::isnan(value) && value >= low[index] && value <= high[index];
      };
      for (size_t at = 0; at < series.size(); ++at) {
        const auto found = results.find({station, series[at]->time_ms});
        CHECK_TRUE_TEXT(found != results.end(), station.c_str());
        const Row& row = *found->second;
        STRCMP_EQUAL("Station ", row.texts.at("name").substr(0, 8).c_str());
        if (good(at)) {
          DOUBLES_EQUAL(series[at]->values[index], row.numbers.at(observed[index]), 0);
          continue;
        }
        size_t before = at;
        size_t after = at;
        while (before > 0 && !good(before)) --before;
        while (after + 1 < series.size() && !good(after)) ++after;
        const bool between = good(before) && good(after) && series[after]->time_ms - series[before]->time_ms <= 600'000;
        if (!between) {
          CHECK(row.nulls.count(observed[index]) == 1);
          continue;
        }
        const double share = static_cast<double>(series[at]->time_ms - series[before]->time_ms) /
                             static_cast<double>(series[after]->time_ms - series[before]->time_ms);
        const double line =
            series[before]->values[index] + share * (series[after]->values[index] - series[before]->values[index]);
        DOUBLES_EQUAL(line, row.numbers.at(observed[index]), 1e-6);
        ++interpolated;
      }
    }
  }
  UNSIGNED_LONGS_EQUAL(expected, rows.all.size());
  CHECK(interpolated > 100);
}

TEST(RiotBench, stats_block_averages_are_the_means_of_ten) {
  run("riotbench-stats.toml");
  std::map<std::pair<std::string, std::string>, std::vector<double>> blocks;
  std::map<std::pair<std::string, std::string>, std::vector<double>> expected;
  for (const riotbench::Reading& reading : input) {
    for (size_t index = 0; index < std::size(observed); ++index) {
      if (std::isnan(reading.values[index])) continue;
      const std::pair key(reading.station, std::string(observed[index]));
      std::vector<double>& block = blocks[key];
      block.push_back(reading.values[index]);
      if (block.size() < 10) continue;
      double sum = 0;
      for (double value : block) sum += value;
      expected[key].push_back(sum / 10);
      block.clear();
    }
  }
  std::map<std::pair<std::string, std::string>, std::vector<double>> means;
  for (const Row* row : of("block-average"))
    means[{row->texts.at("station"), row->texts.at("observed")}].push_back(row->numbers.at("value"));
  UNSIGNED_LONGS_EQUAL(expected.size(), means.size());
  for (const auto& [key, values] : expected) {
    UNSIGNED_LONGS_EQUAL(values.size(), means[key].size());
    for (size_t index = 0; index < values.size(); ++index) DOUBLES_EQUAL(values[index], means[key][index], 1e-6);
  }
}

TEST(RiotBench, stats_count_the_stations_that_were_heard) {
  run("riotbench-stats.toml");
  std::map<int64_t, std::set<std::string>> heard;
  for (const riotbench::Reading& reading : input) {
    const bool any = std::ranges::any_of(reading.values, [](double value) { return !std::isnan(value); });
    if (any) heard[reading.time_ms / 600'000].insert(reading.station);
  }
  const std::vector<const Row*> counts = of("stations");
  UNSIGNED_LONGS_EQUAL(heard.size(), counts.size());
  size_t index = 0;
  // Three standard errors of HyperLogLog with precision 12 are 5 %.
  for (const auto& [window, stations] : heard)
    DOUBLES_EQUAL(static_cast<double>(stations.size()), counts[index++]->numbers.at("value"),
                  0.05 * static_cast<double>(stations.size()) + 0.5);
}

/// The filter and the regression are compared with slow ones in their own tests; here each observation with a past has a
/// forecast.
TEST(RiotBench, stats_forecast_from_the_second_time_on) {
  run("riotbench-stats.toml");
  std::map<std::pair<std::string, std::string>, int64_t> first;
  size_t expected = 0;
  for (const riotbench::Reading& reading : input) {
    for (size_t index = 0; index < std::size(observed); ++index) {
      if (std::isnan(reading.values[index])) continue;
      const auto [known, is_new] = first.try_emplace({reading.station, observed[index]}, reading.time_ms);
      expected += !is_new && known->second != reading.time_ms;
    }
  }
  const std::vector<const Row*> forecasts = of("forecast");
  UNSIGNED_LONGS_EQUAL(expected, forecasts.size());
  for (const Row* row : forecasts) CHECK(std::isfinite(row->numbers.at("value")));
}
