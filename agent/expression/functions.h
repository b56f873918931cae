// The functions that expressions may call: one row each, with what it takes, what it gives, how it is computed and what people
// are told about it. A new one is a row and its apply; parsing, checking, messages, memory, calling, `weir functions` and the
// page of the documentation follow from the row. The table is constant.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/base/time_zone.h"
#include "agent/model/value.h"

namespace weir {

/// What an argument must be. The arguments of one call that are Number, Ordered or Any are brought to one type: int and float
/// mixed become float.
enum class Takes : uint8_t {
  Number,   // int or float
  Ordered,  // a number, a string or a time
  Any,      // anything
  Each,     // anything, whatever the others are
  Plain,    // anything but a time, whatever the others are
  Bool,
  Int,
  Float,  // an int becomes one
  String,
  Time,
  // Literals, settled when compiling; they come after all other arguments.
  Unit,      // a unit of the calendar: 'day'
  Duration,  // a unit of fixed length: no months
  Zone,      // a time zone: 'Europe/Vienna'; UTC where it is left out
  Segment,   // a whole number, 0 or more
};

constexpr bool is_joined(Takes takes) { return takes <= Takes::Any; }
constexpr bool is_literal(Takes takes) { return takes >= Takes::Unit; }

/// "a number", for messages.
const char* takes_text(Takes takes);

/// The type of the result: Joined is the one to which the arguments were brought.
enum class Gives : uint8_t { Joined, Bool, Int, Float, String, Time };

/// Functions that the compiler writes out instead of calling them.
enum class WrittenOut : uint8_t { No, Coalesce, If, IsNull, Topic };

enum class FunctionGroup : uint8_t { Choices, Numbers, Strings, Conversions, Bits, Times, Other };

/// "Numbers".
const char* group_title(FunctionGroup group);

enum class TimeUnit : uint8_t { Millisecond, Second, Minute, Hour, Day, Week, Month, Quarter, Year };

/// 'ms', 'second', ... 'year'; false if `text` is none.
bool parse_time_unit(std::string_view text, TimeUnit& unit);
/// Of a unit up to a week.
int64_t unit_length_ms(TimeUnit unit);

/// What a call has besides its arguments.
struct CallAid {
  std::span<char> room;  // for the text that it makes; holds what the row's room() asked for
  const TimeZone* zone = nullptr;
  TimeUnit unit = TimeUnit::Millisecond;
};

/// The bytes that an argument may have as text.
struct TextBound {
  uint64_t min = 0;
  uint64_t max = 0;
};

using Arguments = std::span<const Value>;

struct Function {
  std::string_view name;
  FunctionGroup group;
  size_t arguments_min;
  size_t arguments_max;
  /// The last one that is stated goes on for arguments beyond it.
  std::array<Takes, 3> takes;
  size_t takes_count;
  Gives gives;

  WrittenOut written_out = WrittenOut::No;
  /// A call with a null argument is null, without being made, unless this is set.
  bool sees_null = false;
  /// One of the two, unless it is written out: `apply` needs nothing but its arguments, `apply_aided` its aid as well. Literals
  /// are not among the arguments.
  Value (*apply)(Arguments arguments) = nullptr;
  Value (*apply_aided)(Arguments arguments, const CallAid& aid) = nullptr;
  /// Bytes that the text needs that it makes; nullptr: it makes none, a string result views an argument.
  uint64_t (*room)(std::span<const TextBound> arguments) = nullptr;

  // For people.
  std::string_view signature;  // "substr(s, begin [, count])"
  std::string_view summary;    // one line
  std::string_view example;    // "substr('pump-01', 0, 4) => string pump", over the record of docs/expressions.md

  Takes takes_at(size_t argument) const { return takes[argument < takes_count ? argument : takes_count - 1]; }
  /// Whether a call may leave `count` arguments on the stack.
  bool may_be_called_with(size_t count) const;
};

std::span<const Function> functions();

/// The position in functions(), or -1. Upper and lower case are the same.
int find_function(std::string_view name);

}  // namespace weir
