#include "connectors/codecs/value_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weir {

size_t value_text_bytes_max(const Field& field) {
  constexpr size_t null_bytes = 4;
  constexpr size_t bool_bytes = 5;    // false
  constexpr size_t int_bytes = 20;    // -9223372036854775808
  constexpr size_t float_bytes = 24;  // -2.2250738585072014e-308
  switch (field.type) {
    case Type::Null:
      return null_bytes;
    case Type::Bool:
      return bool_bytes;
    case Type::Int:
    case Type::Time:
      return int_bytes;
    case Type::Float:
      return float_bytes;
    case Type::String:
      return std::max<size_t>(null_bytes, field.max_length);
  }
  return 0;
}

void append_float_text(double value, TextWriter& out) {
  constexpr double two_to_53 = 9007199254740992.0;
  if (!std::isfinite(value) || std::fabs(value) < two_to_53) {
    out.append_double(value);
    return;
  }
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  out.append(std::string_view(digits, static_cast<size_t>(end - digits)));
}

void append_value_text(const Value& value, TextWriter& out) {
  switch (value.type()) {
    case Type::Null:
      out.append("null");
      return;
    case Type::Bool:
      out.append(value.as_bool() ? "true" : "false");
      return;
    case Type::Int:
    case Type::Time:
      out.append_int(value.as_int());
      return;
    case Type::Float:
      append_float_text(value.as_float(), out);
      return;
    case Type::String:
      break;
  }
  WEIR_ASSERT(false);
}

}  // namespace weir
