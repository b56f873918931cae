// Readings that look like those of RIoTBench's urban sensing data set: one JSON object per minute and station, values within
// the ranges that its paper gives (Shukla, Chaturvedi, Simmhan: RIoTBench, 2017, table 3), made from a seed. Some are broken as
// real ones are: values missing, out of range, repeated, or from a station that nobody knows.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace weir::riotbench {

struct Reading {
  std::string station;
  std::vector<double> values;  // in the order of observed_names; NaN: missing
  int64_t time_ms = 0;
  bool repeated = false;  // of the one before
  bool known = true;      // whether the station is one of the network's
};

constexpr const char* observed_names[] = {"temperature", "humidity", "light", "dust", "airquality_raw"};

/// The station with this number; the network has `stations` of them.
constexpr size_t stations = 20;
std::string station_name(size_t number);

class Readings {
 public:
  explicit Readings(uint64_t seed);
  Reading next();

 private:
  std::mt19937_64 random_;
  std::vector<std::vector<double>> now_;
  Reading last_;
  uint64_t count_ = 0;
};

/// As a line of JSON, without a line break.
std::string json(const Reading& reading);

}  // namespace weir::riotbench
