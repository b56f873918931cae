#include "connectors/codecs/scalar.h"

#include <charconv>
#include <cmath>

#include "agent/base/utf8.h"
#include "connectors/codecs/time_text.h"

namespace weir {
namespace {

constexpr size_t excerpt_bytes_max = 40;
constexpr size_t excerpt_name_bytes_max = 64;
constexpr double two_to_63 = 9223372036854775808.0;

/// Whether all of `text` is a whole number that fits 64 bits.
bool read_int(std::string_view text, int64_t& number) {
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

/// Whether all of `text` is a decimal number. from_chars takes "inf" and "nan" as well, which no sensor means as a number.
bool read_float(std::string_view text, double& number) {
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end && std::isfinite(number);
}

Misfit int_from_float(double number, Value& value) {
  if (number != std::floor(number)) return {reason_type, "int"};
  if (!(number >= -two_to_63 && number < two_to_63)) return {reason_type, "int within 64 bits"};
  value = Value::of_int(static_cast<int64_t>(number));
  return {};
}

Misfit convert_float(const Scalar& scalar, Value& value) {
  double number = scalar.number;
  if (scalar.kind == Scalar::Kind::Int) {
    number = static_cast<double>(scalar.integer);
  } else if (scalar.kind == Scalar::Kind::String) {
    if (!read_float(scalar.text, number)) return {reason_type, "float"};
  } else if (scalar.kind != Scalar::Kind::Float) {
    return {reason_type, "float"};
  }
  value = Value::of_float(number);
  return {};
}

Misfit convert_int(const Scalar& scalar, Value& value) {
  if (scalar.kind == Scalar::Kind::Float) return int_from_float(scalar.number, value);
  int64_t integer = scalar.integer;
  if (scalar.kind == Scalar::Kind::String && !read_int(scalar.text, integer)) {
    double number = 0;
    if (!read_float(scalar.text, number)) return {reason_type, "int"};
    return int_from_float(number, value);
  }
  if (scalar.kind != Scalar::Kind::Int && scalar.kind != Scalar::Kind::String) return {reason_type, "int"};
  value = Value::of_int(integer);
  return {};
}

Misfit convert_string(const Field& field, const Scalar& scalar, Value& value) {
  if (scalar.kind != Scalar::Kind::String) return {reason_type, "string"};
  if (scalar.text.size() > field.max_length) return {reason_too_long, "string"};
  if (!utf8_valid(scalar.text)) return {reason_utf8, "string of valid UTF-8"};
  value = Value::of_string(scalar.text);
  return {};
}

const char* time_unit(TimeFormat format) {
  switch (format) {
    case TimeFormat::Seconds:
      return "a time in seconds";
    case TimeFormat::Milliseconds:
      return "a time in milliseconds";
    case TimeFormat::Microseconds:
      return "a time in microseconds";
    case TimeFormat::Nanoseconds:
      return "a time in nanoseconds";
    case TimeFormat::Local:
      return "a local time in a string";
    case TimeFormat::Rfc3339:
      break;
  }
  return "an RFC 3339 time in a string";
}

Misfit take_time(TimeReading reading, Value& value) {
  if (reading.expected != nullptr) return {reason_time, reading.expected};
  value = Value::of_time(reading.epoch_ms);
  return {};
}

Misfit convert_time_text(const SourceField& field, std::string_view text, Value& value) {
  const TimeFormat format = field.time_format;
  int64_t count = 0;
  double fractional = 0;
  if (format == TimeFormat::Local) return take_time(time_from_local(text, *field.zone), value);
  if (format == TimeFormat::Rfc3339) return take_time(time_from_rfc3339(text), value);
  if (read_int(text, count)) return take_time(time_from_int(format, count), value);
  if (read_float(text, fractional)) return take_time(time_from_float(format, fractional), value);
  return {reason_time, time_unit(format)};
}

Misfit convert_time(const SourceField& field, const Scalar& scalar, Value& value) {
  const TimeFormat format = field.time_format;
  if (scalar.kind == Scalar::Kind::String) return convert_time_text(field, scalar.text, value);
  if (format == TimeFormat::Rfc3339 || format == TimeFormat::Local) return {reason_type, time_unit(format)};
  if (scalar.kind == Scalar::Kind::Int) return take_time(time_from_int(format, scalar.integer), value);
  if (scalar.kind == Scalar::Kind::Float) return take_time(time_from_float(format, scalar.number), value);
  return {reason_type, time_unit(format)};
}

void append_scalar(const Scalar& scalar, TextWriter& out) {
  switch (scalar.kind) {
    case Scalar::Kind::Null:
      out.append("null");
      return;
    case Scalar::Kind::Bool:
      out.append(scalar.integer != 0 ? "true" : "false");
      return;
    case Scalar::Kind::Int:
      out.append_int(scalar.integer);
      return;
    case Scalar::Kind::Float:
      out.append_double(scalar.number);
      return;
    case Scalar::Kind::String:
      append_excerpt(scalar.text, out);
      return;
    case Scalar::Kind::Object:
      out.append("an object");
      return;
    case Scalar::Kind::Array:
      out.append("an array");
      return;
  }
}

/// At most `bytes_max` bytes from the front, not ending inside a character.
std::string_view cut(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && end + 4 > bytes_max && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

Misfit convert(const SourceField& field, const Scalar& scalar, Value& value) {
  if (scalar.kind == Scalar::Kind::Null) {
    value = Value::null();
    return {};
  }
  switch (field.field.type) {
    case Type::Float:
      return convert_float(scalar, value);
    case Type::Int:
      return convert_int(scalar, value);
    case Type::String:
      return convert_string(field.field, scalar, value);
    case Type::Time:
      return convert_time(field, scalar, value);
    case Type::Bool:
      if (scalar.kind != Scalar::Kind::Bool) return {reason_type, "bool"};
      value = Value::of_bool(scalar.integer != 0);
      return {};
    case Type::Null:
      break;
  }
  return {reason_type, "nothing: the field has no type"};
}

void append_excerpt(std::string_view text, TextWriter& out) {
  std::string_view shown = cut(text, excerpt_bytes_max);
  out.append_json_string(shown);
  if (shown.size() < text.size()) out.append("...");
}

void describe(const SourceField& field, const Scalar& scalar, Misfit misfit, TextWriter& out) {
  out.append(cut(field.field.name, excerpt_name_bytes_max)).append(": expected ").append(misfit.expected);
  if (misfit.reason == reason_too_long) {
    out.append(" of at most ").append_uint(field.field.max_length).append(" bytes, got ").append_uint(scalar.text.size());
    out.append(": ");
  } else {
    out.append(", got ");
  }
  append_scalar(scalar, out);
}

}  // namespace weir
