#include "examples/riotbench/readings.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace weir::riotbench {
namespace {

struct Range {
  double low, high, step;
};

constexpr Range ranges[] = {
    {-12.5, 43.1, 0.4}, {10.7, 95.2, 1.0}, {1345, 26282, 400}, {186.61, 5188.21, 80}, {17, 363, 6},
};
constexpr size_t observed = std::size(ranges);
constexpr int64_t begin_ms = 1'422'748'800'000;  // 2015-02-01, as the recorded ones
constexpr int64_t minute_ms = 60'000;

}  // namespace

std::string station_name(size_t number) { return "ci4" + std::to_string(1000 + number * 37); }

// mt19937_64 is the same everywhere, the distributions of the library are not: only its bits are used.
Readings::Readings(uint64_t seed) : random_(seed) {
  for (size_t station = 0; station < stations; ++station) {
    now_.emplace_back();
    for (const Range& range : ranges)
      now_.back().push_back(range.low + (range.high - range.low) * static_cast<double>(random_() % 1000) / 1000);
  }
}

Reading Readings::next() {
  if (count_ > 0 && random_() % 100 == 0) {
    last_.repeated = true;
    return last_;
  }
  Reading reading;
  const size_t station = count_ % stations;
  reading.time_ms = begin_ms + static_cast<int64_t>(count_ / stations) * minute_ms + static_cast<int64_t>(station) * 100;
  ++count_;
  reading.known = random_() % 100 != 0;
  reading.station = reading.known ? station_name(station) : "stranger" + std::to_string(random_() % 5);
  for (size_t index = 0; index < observed; ++index) {
    double& now = now_[station][index];
    now += ranges[index].step * (static_cast<double>(random_() % 2001) / 1000 - 1);
    now = std::clamp(now, ranges[index].low, ranges[index].high);
    const uint64_t fate = random_() % 100;
    reading.values.push_back(fate < 2 ? NAN : fate < 3 ? ranges[index].high * 3 : std::round(now * 100) / 100);
  }
  last_ = reading;
  return reading;
}

std::string json(const Reading& reading) {
  std::string text = "{\"source\":\"" + reading.station + "\"";
  for (size_t index = 0; index < observed; ++index) {
    char number[64] = "null";
    if (!std::isnan(reading.values[index])) snprintf(number, sizeof number, "%.2f", reading.values[index]);
    text += ",\"" + std::string(observed_names[index]) + "\":" + number;
  }
  return text + ",\"bt\":" + std::to_string(reading.time_ms) + "}";
}

}  // namespace weir::riotbench
