// Durations and sizes as the configuration writes them: a number with a unit, "5s" or "8MiB".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

constexpr const char* duration_units = "ms, s, min, h, d";
constexpr const char* size_units = "B, KiB, MiB, GiB, kB, MB, GB";
/// What JSON Schema and the parsers below agree on.
constexpr const char* duration_pattern = "^[0-9]+(\\.[0-9]+)?(ms|s|min|h|d)$";
constexpr const char* signed_duration_pattern = "^-?[0-9]+(\\.[0-9]+)?(ms|s|min|h|d)$";
constexpr const char* size_pattern = "^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB|kB|MB|GB)$";

struct Quantity {
  int64_t value = 0;    // ms, or bytes
  std::string problem;  // why the text is no quantity; empty: it is one
  std::string help;
};

Quantity parse_duration(std::string_view text);
/// The same, also behind a minus sign.
Quantity parse_signed_duration(std::string_view text);
Quantity parse_size(std::string_view text);

/// In the largest unit that leaves a whole number: "90s", "5min", "64KiB".
std::string duration_text(int64_t ms);
std::string size_text(int64_t bytes);

}  // namespace weir
