// Which types the operators take and what they yield. Type::Null is the type of the literal `null`; it goes with every other.
#pragma once

#include <optional>

#include "agent/expression/arithmetic.h"
#include "agent/model/value.h"

namespace weir {

/// int with int is int, with a float float; time - time is int; time + int, int + time and time - int are time.
std::optional<Type> arithmetic_type(Arithmetic operation, Type left, Type right);

/// Numbers with numbers, time with time and int, and everything with its own type. That bools know no order is not looked at
/// here.
std::optional<Comparison> comparison_of(Type left, Type right);

/// The type of a value that is one of two: int and float become float.
std::optional<Type> common_type(Type left, Type right);

inline bool is_number_or_null(Type type) { return type == Type::Int || type == Type::Float || type == Type::Null; }

}  // namespace weir
