// Value: one typed, nullable cell of a record, 16 bytes, copied freely. A string is a view: whoever makes the value says how
// long the bytes live (a decoded message: until its record has run through the pipeline).
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/assert.h"

namespace weir {

enum class Type : uint8_t { Null, Bool, Int, Float, String, Time };

/// "bool", "int", "float", "string", "time"; "null" only in messages about expressions.
const char* type_name(Type type);

class Value {
 public:
  constexpr Value() : int_(0) {}  // null
  static constexpr Value null() { return {}; }
  static constexpr Value of_bool(bool value) { return Value(Type::Bool, int64_t{value}); }
  static constexpr Value of_int(int64_t value) { return Value(Type::Int, value); }
  static constexpr Value of_float(double value) { return Value(value); }
  /// Milliseconds since 1970-01-01 UTC.
  static constexpr Value of_time(int64_t epoch_ms) { return Value(Type::Time, epoch_ms); }
  static constexpr Value of_string(std::string_view text) { return Value(text); }

  constexpr Type type() const { return type_; }
  constexpr bool is_null() const { return type_ == Type::Null; }
  constexpr bool as_bool() const {
    WEIR_ASSERT(type_ == Type::Bool);
    return int_ != 0;
  }
  /// Also for Time.
  constexpr int64_t as_int() const {
    WEIR_ASSERT(type_ == Type::Int || type_ == Type::Time);
    return int_;
  }
  constexpr double as_float() const {
    WEIR_ASSERT(type_ == Type::Float);
    return float_;
  }
  constexpr std::string_view as_string() const {
    WEIR_ASSERT(type_ == Type::String);
    return {text_, length_};
  }

 private:
  constexpr Value(Type type, int64_t value) : int_(value), type_(type) {}
  constexpr explicit Value(double value) : float_(value), type_(Type::Float) {}
  constexpr explicit Value(std::string_view text)
      : text_(text.data()), length_(static_cast<uint32_t>(text.size())), type_(Type::String) {}

  union {
    int64_t int_;  // Bool, Int, Time
    double float_;
    const char* text_;
  };
  uint32_t length_ = 0;
  Type type_ = Type::Null;
};

static_assert(sizeof(Value) == 16);

}  // namespace weir
