#include "firmware-tests/support/json_values.h"

#include <simdjson.h>

#include <string_view>

namespace weir {
namespace {

template <class T>
std::optional<T> read_member(const std::string& json, const char* name) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  T value{};
  if (parser.parse(json).get(root) != simdjson::SUCCESS || root[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

bool is_json(const std::string& json) {
  simdjson::dom::parser parser;
  return parser.parse(json).error() == simdjson::SUCCESS;
}

std::optional<int64_t> json_int(const std::string& json, const char* name) { return read_member<int64_t>(json, name); }

std::optional<double> json_number(const std::string& json, const char* name) { return read_member<double>(json, name); }

std::optional<std::string> json_text(const std::string& json, const char* name) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view value;
  if (parser.parse(json).get(root) != simdjson::SUCCESS || root[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return std::string(value);
}

}  // namespace weir
