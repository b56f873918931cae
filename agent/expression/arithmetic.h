// What the operators of expressions compute, with every corner stated so that all architectures agree: a result that does not
// exist (overflow, division by zero, a float that is not finite) is null. No operand here is null; that is settled before.
#pragma once

#include <cmath>
#include <cstdint>

#include "agent/model/value.h"

namespace weir {

enum class Arithmetic : uint8_t { Add, Subtract, Multiply, Divide, Modulo };

/// Int and Time operands; `result` is the type that the value gets (Int or Time). Divide truncates toward zero; Modulo has the
/// sign of the left operand.
Value integer_arithmetic(Arithmetic operation, int64_t left, int64_t right, Type result);

/// Modulo is fmod: exact, with the sign of the left operand.
Value float_arithmetic(Arithmetic operation, double left, double right);

/// Of an Int or Float.
Value negate(Value value);

/// Requires Int or Float. Integers beyond 2^53 are rounded to the nearest float, ties to even.
inline double to_float(Value value) {
  return value.type() == Type::Int ? static_cast<double>(value.as_int()) : value.as_float();
}

/// Null in place of a float that is not finite; expressions never see one.
inline Value finite_or_null(Value value) {
  return value.type() == Type::Float && !std::isfinite(value.as_float()) ? Value::null() : value;
}

/// How two values of known types are compared.
enum class Comparison : uint8_t {
  Integer,  // Int and Time in any mixture
  Number,   // Int and Float in any mixture
  String,   // by bytes
  Bool,
};

/// Which orders make a comparison true: a set of these bits.
enum Relation : uint8_t { relation_less = 1, relation_equal = 2, relation_greater = 4 };

/// -1, 0 or 1. Int with Float compares the exact numbers: 9007199254740993 is greater than 9007199254740992.0.
int compare(Comparison comparison, Value left, Value right);

/// The truth of a comparison whose `relations` is a set of Relation bits; null if either value is.
Value compare_nullable(Comparison comparison, uint8_t relations, Value left, Value right);

/// Three-valued logic: false and null = false, true or null = true.
Value logical_and(Value left, Value right);
Value logical_or(Value left, Value right);
Value logical_not(Value value);

}  // namespace weir
