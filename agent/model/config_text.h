// Texts of a configuration with the place that they came from, so that whatever is wrong in them can be shown where it stands.
// Plain values, made while the agent starts.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

/// A place in a configuration file. Lines and columns count from 1, columns in characters as an editor shows them.
struct Location {
  uint32_t file = 0;  // index into ConfigFiles
  uint32_t line = 0;  // 0: no place (a default)
  uint32_t column = 0;
};

/// A text and where its first character stands, so that an error inside it (an expression) can be pointed at: see `inside`.
struct Text {
  std::string value;
  Location at;
  std::string written;  // as it stands in the file; empty where that is the value itself (no escape sequences)
};

struct NamedExpression {
  std::string name;
  Location name_at;
  Text expression;
  Text filter = {};  // of an aggregate; at.line is 0 if there is none
};

}  // namespace weir
