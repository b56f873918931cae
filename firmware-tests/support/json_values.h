// Single members of a small JSON object, for tests that look at results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir {

/// Nothing if the text is no object, or the member is missing or of another kind. json_number also takes integers.
std::optional<int64_t> json_int(const std::string& json, const char* name);
std::optional<double> json_number(const std::string& json, const char* name);
/// Whether the text is one JSON value.
bool is_json(const std::string& json);
std::optional<std::string> json_text(const std::string& json, const char* name);

}  // namespace weir
