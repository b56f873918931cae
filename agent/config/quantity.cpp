#include "agent/config/quantity.h"

#include <numeric>
#include <span>
#include <vector>

#include "agent/base/nearest_name.h"
#include "agent/config/diagnostics.h"

namespace weir {
namespace {

struct Unit {
  const char* name;
  int64_t factor;
};

// From small to large; `*_text` takes the last that divides.
constexpr Unit units_of_time[] = {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit units_of_size[] = {{"B", 1},         {"kB", 1000},         {"KiB", 1024},   {"MB", 1000'000},
                                  {"MiB", 1 << 20}, {"GB", 1000'000'000}, {"GiB", 1 << 30}};
constexpr size_t digits_max = 15;

bool is_digit(char character) { return character >= '0' && character <= '9'; }

size_t digits_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

/// As others write them, in lower case; for durations and for sizes.
constexpr OtherName other_units_of_time[] = {
    {"m", "min"},    {"mins", "min"},  {"minute", "min"}, {"minutes", "min"}, {"sec", "s"},          {"secs", "s"},
    {"second", "s"}, {"seconds", "s"}, {"hr", "h"},       {"hrs", "h"},       {"hour", "h"},         {"hours", "h"},
    {"day", "d"},    {"days", "d"},    {"msec", "ms"},    {"millis", "ms"},   {"milliseconds", "ms"}};
constexpr OtherName other_units_of_size[] = {{"b", "B"},     {"byte", "B"},  {"bytes", "B"}, {"k", "KiB"},
                                             {"kb", "kB"},   {"kib", "KiB"}, {"m", "MiB"},   {"mb", "MB"},
                                             {"mib", "MiB"}, {"g", "GiB"},   {"gb", "GB"},   {"gib", "GiB"}};

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units)
    if (name == unit.name) return &unit;
  return nullptr;
}

int64_t number_of(std::string_view digits) {
  int64_t value = 0;
  for (char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

/// `whole` and `fraction` are digits, at most digits_max. False where the product is no whole number of the smallest unit or
/// does not fit.
bool multiply(std::string_view whole, std::string_view fraction, int64_t factor, int64_t& product) {
  int64_t scale = 1;
  for (size_t index = 0; index < fraction.size(); ++index) scale *= 10;
  // fraction * factor / scale is whole exactly if what scale does not share with factor divides the fraction.
  const int64_t shared = std::gcd(scale, factor);
  const int64_t divisor = scale / shared;
  if (number_of(fraction) % divisor != 0) return false;
  const int64_t part = number_of(fraction) / divisor * (factor / shared);
  return !__builtin_mul_overflow(number_of(whole), factor, &product) && !__builtin_add_overflow(product, part, &product);
}

/// `did you mean "10min"?`, or the units that there are.
std::string unit_help(std::string_view number, std::string_view unit, std::span<const OtherName> others,
                      const char* unit_list) {
  const std::string meant = nearest_name(unit, {}, others);
  return meant.empty() ? std::string("units: ") + unit_list : "did you mean " + quoted(std::string(number) + meant) + "?";
}

Quantity parse(std::string_view text, std::span<const Unit> units, std::span<const OtherName> others, const char* unit_list,
               const char* example) {
  std::string form = "write a number and a unit, such as \"" + std::string(example) + "\"; units: " + unit_list;
  size_t whole = digits_at(text, 0);
  size_t fraction = whole > 0 && whole < text.size() && text[whole] == '.' ? digits_at(text, whole + 1) : 0;
  size_t number = fraction > 0 ? whole + 1 + fraction : whole;
  if (whole == 0) return {0, quoted(text) + " does not begin with a number", form};
  std::string_view unit_name = text.substr(number);
  if (text == "0") return {};
  if (unit_name.empty()) return {0, quoted(text) + " has no unit", form};
  const Unit* unit = find_unit(units, unit_name);
  if (!unit)
    return {0, "unknown unit " + quoted(unit_name) + " in " + quoted(text),
            unit_help(text.substr(0, number), unit_name, others, unit_list)};
  int64_t value = 0;
  if (whole > digits_max || fraction > digits_max ||
      !multiply(text.substr(0, whole), fraction ? text.substr(whole + 1, fraction) : std::string_view(), unit->factor, value))
    return {0, quoted(text) + " is too large or too fine", std::string("the smallest step is 1 ") + units[0].name};
  return {value, {}, {}};
}

std::string text_of(int64_t value, std::span<const Unit> units) {
  const Unit* best = &units[0];
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) best = &unit;
  return std::to_string(value / best->factor) + best->name;
}

}  // namespace

Quantity parse_duration(std::string_view text) { return parse(text, units_of_time, other_units_of_time, duration_units, "5s"); }
Quantity parse_signed_duration(std::string_view text) {
  if (!text.starts_with('-')) return parse_duration(text);
  Quantity quantity = parse_duration(text.substr(1));
  quantity.value = -quantity.value;
  return quantity;
}
Quantity parse_size(std::string_view text) { return parse(text, units_of_size, other_units_of_size, size_units, "8MiB"); }

std::string duration_text(int64_t ms) { return ms == 0 ? "0s" : text_of(ms, units_of_time); }
std::string size_text(int64_t bytes) { return text_of(bytes, units_of_size); }

}  // namespace weir
