// Typed access to the values of records, for operators of one's own: an InputField reads a field of the record in hand, an
// OutputField sets one of the next result. Both are made once, by a FunctionBuild (agent/api/function.h), which checks name
// and type against the pipeline; they are copied freely and cost an index into an array.
//
// T is bool, int64_t, double, std::string_view or Time.
#pragma once

#include <cmath>
#include <optional>

#include "agent/api/function_frame.h"
#include "agent/base/utf8.h"
#include "agent/model/record.h"
#include "agent/model/type_set.h"

namespace weir {

/// A moment in UTC. A type of its own, so that it is not mistaken for an int.
struct Time {
  int64_t epoch_ms = 0;
  auto operator<=>(const Time&) const = default;
};

/// How T is called and kept in a Value.
template <class T>
struct ValueType;

template <>
struct ValueType<bool> {
  static constexpr Type type = Type::Bool;
  static constexpr TypeSet readable = Type::Bool;
  static bool read(const Value& value) { return value.as_bool(); }
  static Value write(bool value) { return Value::of_bool(value); }
};

template <>
struct ValueType<int64_t> {
  static constexpr Type type = Type::Int;
  static constexpr TypeSet readable = Type::Int;
  static int64_t read(const Value& value) { return value.as_int(); }
  static Value write(int64_t value) { return Value::of_int(value); }
};

/// Reads int fields as well. What is not finite is written as null, as in expressions.
template <>
struct ValueType<double> {
  static constexpr Type type = Type::Float;
  static constexpr TypeSet readable = number_types;
  static double read(const Value& value) {
    return value.type() == Type::Int ? static_cast<double>(value.as_int()) : value.as_float();
  }
  static Value write(double value) { return std::isfinite(value) ? Value::of_float(value) : Value::null(); }
};

template <>
struct ValueType<std::string_view> {
  static constexpr Type type = Type::String;
  static constexpr TypeSet readable = Type::String;
  static std::string_view read(const Value& value) { return value.as_string(); }
  static Value write(std::string_view value) { return Value::of_string(value); }
};

template <>
struct ValueType<Time> {
  static constexpr Type type = Type::Time;
  static constexpr TypeSet readable = Type::Time;
  static Time read(const Value& value) { return {value.as_int()}; }
  static Value write(Time value) { return Value::of_time(value.epoch_ms); }
};

/// The longest part of `text` that has at most `bytes_max` bytes and does not cut a character in two.
inline std::string_view whole_characters(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t length = bytes_max;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
  return text.substr(0, length);
}

template <class T>
class InputField {
 public:
  /// Nothing if the value is null. A text is good as long as the record.
  std::optional<T> of(const Record& record) const {
    const Value& value = record.values[position_];
    if (value.is_null()) return std::nullopt;
    return ValueType<T>::read(value);
  }

 private:
  friend class FunctionBuild;
  explicit InputField(uint32_t position) : position_(position) {}
  uint32_t position_;
};

template <class T>
class OutputField {
 public:
  /// A text must stay where it is until the result was handed on; it is cut at the field's max_length, between characters; one
  /// that is not UTF-8 becomes null.
  void set(T value) const { frame_->row[position_] = written(value); }
  void set_null() const { frame_->row[position_] = Value::null(); }

 private:
  friend class FunctionBuild;
  OutputField(FunctionFrame& frame, uint32_t position, uint32_t max_length)
      : frame_(&frame), position_(position), max_length_(max_length) {}

  Value written(T value) const {
    if constexpr (std::is_same_v<T, std::string_view>) {
      if (!utf8_valid(value)) return Value::null();
      value = whole_characters(value, max_length_);
    }
    return ValueType<T>::write(value);
  }

  FunctionFrame* frame_;
  uint32_t position_;
  uint32_t max_length_;
};

}  // namespace weir
