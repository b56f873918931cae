// The functions that expressions may call: one row each. A new one is a row and its apply; parsing, checking, messages and
// calling follow from the row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/model/value.h"

namespace weir {

/// Which arguments a function takes and what comes out. Arguments that take part in one result are brought to one type: int
/// and float mixed become float.
enum class Signature : uint8_t {
  Numbers,   // ints and floats; the result is of their type
  Ordered,   // numbers, strings or times, all of one type; the result is of that type
  Any,       // anything of one type; the result is of that type
  Measures,  // one string; the result is an int
};

/// What `signature` takes, for messages.
const char* signature_text(Signature signature);

struct Function {
  std::string_view name;
  size_t arguments_min;
  size_t arguments_max;
  Signature signature;
  /// Called with values of one type, none of them null: a call with a null argument is null. nullptr: the compiler writes it
  /// out as jumps.
  Value (*apply)(std::span<const Value> arguments);
};

std::span<const Function> functions();

/// The position in functions(), or -1. Upper and lower case are the same.
int find_function(std::string_view name);

}  // namespace weir
