// Other people's recordings through `weir replay`, each with what makes it hard: rows that are late, doubled, missing, from the
// future, or spliced with bytes that no text has. What comes out must be what a slow computation over the same rows says, word
// for word of the definitions and with nothing of weir's in it.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/json_values.h"
#include "firmware-tests/support/recordings.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr int64_t minute = 60'000;

int64_t floor_to(int64_t time, int64_t length) {
  const int64_t rest = time % length;
  return time - (rest < 0 ? rest + length : rest);
}

double number(const std::string& text) { return strtod(text.c_str(), nullptr); }

struct Count {
  int64_t n = 0;
  double sum = 0;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  return lines;
}

}  // namespace

TEST_GROUP(ReplayRecordings) {
  TemporaryDirectory directory;

  /// Input lines and the text of [pipeline.source] (behind its connection) and of the steps.
  ProcessResult replay(const std::string& input, const std::string& source, const std::string& steps) {
    std::ofstream(directory.file("c.toml")) << "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n[[pipeline]]\nname = \"p\"\n"
                                            << "[pipeline.source]\nmqtt = \"m\"\nformat = \"json\"\n"
                                            << source << "\n"
                                            << steps << "\n[pipeline.sink]\nmqtt = \"m\"\ntopic = \"x\"\nformat = \"json\"\n";
    std::ofstream(directory.file("input")) << input;
    ProcessResult result =
        run_process({agent_program(), "replay", directory.file("c.toml"), "--input", directory.file("input")});
    LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
    return result;
  }
  static void ends_with(const ProcessResult& result, const std::string& account) {
    STRCMP_CONTAINS(account.c_str(), result.error.c_str());
  }
};

// 3,219 exact duplicates, 320 rows that are up to a minute late.
TEST(ReplayRecordings, a_boats_doubled_and_late_rows_are_counted_once_in_windows_that_wait_for_them) {
  if (!have_recording("n2k/dirona.csv")) return;
  constexpr int64_t delay = 2'000, lateness = 60'000, length = 10'000, hop = 4'000, within = 30'000;
  std::string input;
  int64_t newest = INT64_MIN;
  int64_t late = 0, doubled = 0;
  std::map<std::string, std::vector<int64_t>> kept;  // what a row says beside its time: times that went on
  std::map<std::pair<std::string, int64_t>, Count> windows;
  for (const auto& row : read_recording("n2k/dirona.csv")) {
    const std::string key = row[1] + "/" + row[3] + "/" + row[4];
    const int64_t time = recorded_time_ms(row[0]);
    input += "{\"key\":\"" + key + "\",\"value\":" + row[5] + ",\"ts\":\"" + row[0] + "\"}\n";
    const bool first = newest == INT64_MIN;
    const int64_t watermark = first ? INT64_MIN : newest - delay - lateness - 1;
    newest = std::max(newest, time);
    if (!first && time <= watermark) {
      ++late;
      continue;
    }
    std::vector<int64_t>& times = kept[key + "=" + row[5]];
    if (std::ranges::any_of(times, [&](int64_t other) { return std::abs(other - time) < within; })) {
      ++doubled;
      continue;
    }
    times.push_back(time);
    for (int64_t start = floor_to(time, hop); start > time - length; start -= hop) {
      Count& window = windows[{key, start}];
      ++window.n;
      window.sum += number(row[5]);
    }
  }
  CHECK_TRUE(doubled >= 3219);
  const ProcessResult result =
      replay(input,
             "topics = [\"boat\"]\nfields = { key = \"string(48)\", value = \"float\", ts = \"time(rfc3339)\" }\n"
             "event_time = { field = \"ts\", max_delay = \"62s\" }",
             "[[pipeline.step]]\nid = \"once\"\nkey_by = [\"key\"]\nmax_keys = 500\n"
             "dedup = { within = \"30s\", fields = [\"value\"], max_values = 1000 }\n"
             "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"key\"]\nmax_keys = 500\n"
             "window = { hopping = \"10s\", every = \"4s\" }\n"
             "aggregate = { n = \"count()\", total = \"sum(value)\" }");
  ends_with(result, std::to_string(doubled) + " filtered, " + std::to_string(late) + " late, 0 refused");
  std::set<std::pair<std::string, int64_t>> seen;
  for (const std::string& line : lines_of(result.output)) {
    const std::pair<std::string, int64_t> window{json_text(line, "key").value_or(""),
                                                 json_int(line, "window_start").value_or(0)};
    CHECK_TRUE_TEXT(seen.insert(window).second, line.c_str());
    LONGS_EQUAL_TEXT(windows[window].n, json_int(line, "n").value_or(-1), line.c_str());
    DOUBLES_EQUAL_TEXT(windows[window].sum, json_number(line, "total").value_or(NAN),
                       1e-6 + std::abs(windows[window].sum) * 1e-12, line.c_str());
  }
  UNSIGNED_LONGS_EQUAL(windows.size(), seen.size());
}

// The machine's local clock steps back by 55 minutes: twelve times come twice, with other values.
TEST(ReplayRecordings, a_machines_clock_that_steps_back_makes_an_hour_late_or_with_lateness_updates) {
  if (!have_recording("nab/machine_temperature_system_failure.csv")) return;
  std::string input;
  std::map<int64_t, Count> hours, in_time;
  int64_t newest = INT64_MIN, late = 0;
  for (const auto& row : read_recording("nab/machine_temperature_system_failure.csv")) {
    const int64_t time = recorded_time_ms(row[0]);
    input += "{\"value\":" + row[1] + ",\"ts\":" + std::to_string(time) + "}\n";
    const int64_t hour = floor_to(time, 60 * minute);
    const auto add = [&](std::map<int64_t, Count>& to) {
      ++to[hour].n;
      to[hour].sum += number(row[1]);
    };
    add(hours);
    if (newest != INT64_MIN && hour + 60 * minute - 1 <= newest - 1)
      ++late;
    else
      add(in_time);
    newest = std::max(newest, time);
  }
  const std::string source =
      "topics = [\"machine\"]\nfields = { value = \"float\", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay = "
      "\"0s\" }";
  auto steps = [](const std::string& lateness) {
    return "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1h\"" + lateness +
           " }\naggregate = { n = \"count()\", total = \"sum(value)\" }";
  };
  const auto compare = [](const std::string& output, std::map<int64_t, Count> expected) {
    std::map<int64_t, std::string> last;  // of each window, for updates replace what was said before
    for (const std::string& line : lines_of(output)) last[json_int(line, "window_start").value_or(0)] = line;
    UNSIGNED_LONGS_EQUAL(expected.size(), last.size());
    for (const auto& [start, line] : last) {
      LONGS_EQUAL_TEXT(expected[start].n, json_int(line, "n").value_or(-1), line.c_str());
      DOUBLES_EQUAL_TEXT(expected[start].sum, json_number(line, "total").value_or(NAN), 1e-6, line.c_str());
    }
  };
  const ProcessResult dropped = replay(input, source, steps(""));
  ends_with(dropped, " " + std::to_string(late) + " late, 0 refused");
  compare(dropped.output, in_time);
  const ProcessResult updated = replay(input, source, steps(", allowed_lateness = \"1h\""));
  ends_with(updated, " 0 late, 0 refused");
  compare(updated.output, hours);
}

namespace {

/// A row of the controller, as a simple script would send it: the first cells as numbers, decimal commas as points, nothing
/// checked. Its local time is taken for UTC.
struct PlantRow {
  std::string line;
  int64_t time = 0;
  bool whole = false;
  std::vector<std::string> cells;
};

std::vector<PlantRow> read_plant(const std::string& name) {
  std::vector<PlantRow> rows;
  for (const auto& cells : read_recording("solar/raw/" + name, '\t')) {
    PlantRow& row = rows.emplace_back();
    row.cells = cells;
    int day = 0, month = 0, year = 0, hour = 0, min = 0;
    const bool dated = sscanf(cells[0].c_str(), "%2d.%2d.%4d %2d:%2d", &day, &month, &year, &hour, &min) == 5;
    char text[40] = "";
    if (dated) {
      snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:00", year, month, day, hour, min);
      row.time = recorded_time_ms(text);
    }
    auto value = [&](size_t cell) {
      std::string number = cell < cells.size() ? cells[cell] : "null";
      std::ranges::replace(number, ',', '.');
      return number;
    };
    row.line = "{\"ts\":" + (dated ? std::to_string(row.time) : cells[0]) + ",\"columns\":" + std::to_string(cells.size()) +
               ",\"t1\":" + value(1) + ",\"t2\":" + value(2) + ",\"t3\":" + value(3) + ",\"t4\":" + value(4) +
               ",\"t5\":" + value(5) + ",\"pressure\":" + value(7) + "}";
    // What JSON and the fields' types can take, by eye: all that is sent is plain numbers.
    row.whole = dated || cells[0].find_first_not_of("0123456789") == std::string::npos;
    for (size_t cell : std::initializer_list<size_t>{1, 2, 3, 4, 5, 7})
      row.whole &=
          cell >= cells.size() || (!cells[cell].empty() && cells[cell].find_first_not_of("-0123456789,") == std::string::npos);
  }
  return rows;
}

constexpr const char* plant_fields =
    "topics = [\"plant\"]\nfields = { columns = \"int\", t1 = \"float\", t2 = \"float\", t3 = \"float\", t4 = \"float\", t5 = "
    "\"float\", "
    "pressure = \"float\", ts = \"time(ms)\" }\n";

}  // namespace

// Rows in which the controller's log lost its place: cut short, two in one, and with bytes that are no text.
TEST(ReplayRecordings, spliced_rows_of_a_plant_are_refused_by_line_and_sentinels_count_for_nothing) {
  size_t all_refused = 0;
  for (const char* name : {"20170622.csv", "20180131.csv"}) {
    if (!have_recording(std::string("solar/raw/") + name)) return;
    std::string input;
    std::set<size_t> refused;
    int64_t filtered = 0;
    std::map<int64_t, std::pair<Count, int64_t>> windows;  // t1, and how many t5 were readings
    const std::vector<PlantRow> rows = read_plant(name);
    for (size_t index = 0; index < rows.size(); ++index) {
      const PlantRow& row = rows[index];
      input += row.line + "\n";
      if (!row.whole) refused.insert(index + 1);
      if (!row.whole) continue;
      if (row.cells.size() != 28) {
        ++filtered;
        continue;
      }
      auto& [t1, t5] = windows[floor_to(row.time, 10 * minute)];
      std::string number_text = row.cells[1];
      std::ranges::replace(number_text, ',', '.');
      ++t1.n;
      t1.sum += number(number_text);
      t5 += row.cells[5] == "888,8" ? 0 : 1;
    }
    CHECK_TRUE(filtered + static_cast<int64_t>(refused.size()) > 0);
    all_refused += refused.size();
    const ProcessResult result =
        replay(input, std::string(plant_fields) + "event_time = { field = \"ts\", max_delay = \"1min\" }",
               "[[pipeline.step]]\nfilter = \"columns == 28\"\n"
               "[[pipeline.step]]\nrange = { fields = [\"t1\", \"t2\", \"t3\", \"t5\", \"pressure\"], min = -50, max = 400 }\n"
               "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"10min\" }\n"
               "aggregate = { n = \"count(t1)\", total = \"sum(t1)\", solar = \"count(t5)\", bar = \"avg(pressure)\" }");
    ends_with(result, std::to_string(filtered) + " filtered, 0 late, " + std::to_string(refused.size()) + " refused");
    for (size_t line : refused)
      STRCMP_CONTAINS(("line " + std::to_string(line) + ": refused by source: json").c_str(), result.error.c_str());
    UNSIGNED_LONGS_EQUAL(windows.size(), lines_of(result.output).size());
    for (const std::string& line : lines_of(result.output)) {
      const auto& [t1, t5] = windows[json_int(line, "window_start").value_or(0)];
      LONGS_EQUAL_TEXT(t1.n, json_int(line, "n").value_or(-1), line.c_str());
      DOUBLES_EQUAL_TEXT(t1.sum, json_number(line, "total").value_or(NAN), 1e-6, line.c_str());
      LONGS_EQUAL_TEXT(t5, json_int(line, "solar").value_or(-1), line.c_str());
      STRCMP_CONTAINS("\"bar\":null", line.c_str());
    }
  }
  CHECK_TRUE(all_refused > 0);
}

// The first row of a day is 67 minutes ahead of those that follow.
TEST(ReplayRecordings, a_row_from_the_future_is_set_aside_with_max_future_and_makes_an_hour_late_without) {
  if (!have_recording("solar/raw/20161228.csv")) return;
  const std::vector<PlantRow> rows = read_plant("20161228.csv");
  CHECK_TRUE(rows[0].time > rows[1].time + 60 * minute);
  std::string input;
  int64_t late = 0, newest = rows[0].time;
  for (const PlantRow& row : rows) {
    // It came a minute before the second one; the others when their clock says.
    const int64_t arrival = &row == &rows[0] ? rows[1].time - minute : row.time;
    input += std::to_string(arrival / 1000) + " plant " + row.line + "\n";
    late += floor_to(row.time, 10 * minute) + 10 * minute - 1 <= newest - 1 ? 1 : 0;
    newest = std::max(newest, row.time);
  }
  const std::string windows =
      "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"10min\" }\naggregate = { n = \"count()\" }";
  const std::string source = std::string(plant_fields) + "event_time = { field = \"ts\", max_delay = \"0s\"";
  CHECK_TRUE(late > 50);
  ends_with(replay(input, source + " }", windows), " " + std::to_string(late) + " late, 0 refused");
  const ProcessResult guarded = replay(input, source + ", max_future = \"1h\" }", windows);
  ends_with(guarded, std::to_string(rows.size() - 1) + " applied, 0 filtered, 0 late, 1 refused");
  STRCMP_CONTAINS("line 1: refused by source: event-time", guarded.error.c_str());
}

// Gaps of up to seven days: a regular grid has nulls where there was nothing for long, and a line across short gaps.
TEST(ReplayRecordings, gaps_of_days_stay_gaps_on_a_regular_grid_and_show_as_windows_without_records) {
  if (!have_recording("nab/ambient_temperature_system_failure.csv")) return;
  std::string input;
  std::set<int64_t> hours;
  for (const auto& row : read_recording("nab/ambient_temperature_system_failure.csv")) {
    const int64_t time = recorded_time_ms(row[0]);
    input += "{\"value\":" + row[1] + ",\"ts\":" + std::to_string(time) + "}\n";
    hours.insert(floor_to(time, 60 * minute));
  }
  const int64_t asked = 24 * 60 * minute;
  std::map<int64_t, int64_t> expected;  // window: records or 0
  for (auto hour = hours.begin(); hour != hours.end(); ++hour) {
    expected[*hour] = 1;
    const auto next = std::next(hour);
    if (next == hours.end()) break;
    for (int64_t silent = *hour + 60 * minute; silent < *next && silent < *hour + 60 * minute + asked; silent += 60 * minute)
      expected[silent] = 0;
  }
  CHECK_TRUE(static_cast<size_t>(*hours.rbegin() - *hours.begin()) / 3'600'000 + 1 > expected.size());
  const ProcessResult result =
      replay(input,
             "topics = [\"room\"]\nfields = { value = \"float\", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay "
             "= \"0s\" }",
             "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1h\", empty = \"1d\" }\naggregate = { n = \"count()\" }");
  ends_with(result, " 0 late, 0 refused");
  UNSIGNED_LONGS_EQUAL(expected.size(), lines_of(result.output).size());
  for (const std::string& line : lines_of(result.output)) {
    const auto found = expected.find(json_int(line, "window_start").value_or(0));
    CHECK_TRUE_TEXT(found != expected.end(), line.c_str());
    LONGS_EQUAL_TEXT(found->second, std::min<int64_t>(1, json_int(line, "n").value_or(-1)), line.c_str());
  }
}
