// Scalar: what a message holds where a field's path leads, in whatever format; and its conversion to the field's type. Shared
// by all decoders, so that a number in a string means the same in JSON as in a topic. Pure, no heap.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/text_writer.h"
#include "agent/model/source_field.h"
#include "agent/model/value.h"

namespace weir {

struct Scalar {
  enum class Kind : uint8_t { Null, Bool, Int, Float, String, Object, Array };

  static Scalar null() { return {}; }
  static Scalar of_bool(bool value) { return {.kind = Kind::Bool, .integer = value}; }
  static Scalar of_int(int64_t value) { return {.kind = Kind::Int, .integer = value}; }
  static Scalar of_float(double value) { return {.kind = Kind::Float, .number = value}; }
  static Scalar of_string(std::string_view value) { return {.kind = Kind::String, .text = value}; }
  static Scalar object() { return {.kind = Kind::Object}; }
  static Scalar array() { return {.kind = Kind::Array}; }

  Kind kind = Kind::Null;
  int64_t integer = 0;  // Bool, Int
  double number = 0;    // Float, finite
  std::string_view text = {};
};

/// Why a scalar does not fit a field: the refusal's reason and what was expected, both constants. reason is nullptr if it fits.
struct Misfit {
  const char* reason = nullptr;
  const char* expected = nullptr;
};

constexpr const char* reason_type = "type";
constexpr const char* reason_too_long = "too-long";
constexpr const char* reason_time = "time";
constexpr const char* reason_utf8 = "utf8";

/// Sets `value` to `scalar` as the field's type; null stays null. docs/json.md has the table of what is taken for what. A
/// string value views the scalar's text.
Misfit convert(const SourceField& field, const Scalar& scalar, Value& value);

/// "temperature: expected float, got \"warm\"": for people, at most a line. Long texts are cut.
void describe(const SourceField& field, const Scalar& scalar, Misfit misfit, TextWriter& out);

/// The beginning of `text` as a JSON string, with "..." if it was cut.
void append_excerpt(std::string_view text, TextWriter& out);

}  // namespace weir
