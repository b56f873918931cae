// A text as a JSON string, for commands and at start-up: uses the heap. What runs later has TextWriter::append_json_string.
#pragma once

#include <string>
#include <string_view>

namespace weir {

/// With its quotes.
std::string json_string(std::string_view text);

}  // namespace weir
