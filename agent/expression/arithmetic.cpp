#include "agent/expression/arithmetic.h"

#include <cmath>
#include <limits>

namespace weir {
namespace {

template <class T>
int order(T left, T right) {
  return (left > right) - (left < right);
}

/// 2^63 and -2^63 are floats, so a float strictly between them has a whole part that fits an int. Equal whole parts leave the
/// decision to the fraction.
int compare_exactly(int64_t left, double right) {
  constexpr double limit = 9223372036854775808.0;
  if (right >= limit) return -1;
  if (right < -limit) return 1;
  double whole = std::trunc(right);
  int whole_order = order(left, static_cast<int64_t>(whole));
  return whole_order != 0 ? whole_order : order(whole, right);
}

int compare_numbers(Value left, Value right) {
  bool left_is_int = left.type() == Type::Int;
  bool right_is_int = right.type() == Type::Int;
  if (left_is_int && right_is_int) return order(left.as_int(), right.as_int());
  if (left_is_int) return compare_exactly(left.as_int(), right.as_float());
  if (right_is_int) return -compare_exactly(right.as_int(), left.as_float());
  return order(left.as_float(), right.as_float());
}

bool is_false(Value value) { return !value.is_null() && !value.as_bool(); }
bool is_true(Value value) { return !value.is_null() && value.as_bool(); }

}  // namespace

Value integer_arithmetic(Arithmetic operation, int64_t left, int64_t right, Type result) {
  int64_t value = 0;
  bool exists = false;
  switch (operation) {
    case Arithmetic::Add:
      exists = !__builtin_add_overflow(left, right, &value);
      break;
    case Arithmetic::Subtract:
      exists = !__builtin_sub_overflow(left, right, &value);
      break;
    case Arithmetic::Multiply:
      exists = !__builtin_mul_overflow(left, right, &value);
      break;
    case Arithmetic::Divide:
      exists = right != 0 && !(right == -1 && left == std::numeric_limits<int64_t>::min());
      if (exists) value = left / right;
      break;
    case Arithmetic::Modulo:
      exists = right != 0;
      // The processor's division overflows for the smallest integer; the remainder is 0 all the same.
      if (exists && right != -1) value = left % right;
      break;
  }
  if (!exists) return Value::null();
  return result == Type::Time ? Value::of_time(value) : Value::of_int(value);
}

Value float_arithmetic(Arithmetic operation, double left, double right) {
  double value = 0;
  switch (operation) {
    case Arithmetic::Add:
      value = left + right;
      break;
    case Arithmetic::Subtract:
      value = left - right;
      break;
    case Arithmetic::Multiply:
      value = left * right;
      break;
    case Arithmetic::Divide:
      if (right == 0) return Value::null();
      value = left / right;
      break;
    case Arithmetic::Modulo:
      if (right == 0) return Value::null();
      value = std::fmod(left, right);
      break;
  }
  return finite_or_null(Value::of_float(value));
}

Value negate(Value value) {
  if (value.type() == Type::Float) return Value::of_float(-value.as_float());
  return integer_arithmetic(Arithmetic::Subtract, 0, value.as_int(), Type::Int);
}

int compare(Comparison comparison, Value left, Value right) {
  switch (comparison) {
    case Comparison::Integer:
      return order(left.as_int(), right.as_int());
    case Comparison::Number:
      return compare_numbers(left, right);
    case Comparison::String:
      return order(left.as_string().compare(right.as_string()), 0);
    case Comparison::Bool:
      return order(left.as_bool(), right.as_bool());
  }
  return 0;
}

Value compare_nullable(Comparison comparison, uint8_t relations, Value left, Value right) {
  if (left.is_null() || right.is_null()) return Value::null();
  return Value::of_bool(((relations >> (compare(comparison, left, right) + 1)) & 1) != 0);
}

Value logical_and(Value left, Value right) {
  if (is_false(left) || is_false(right)) return Value::of_bool(false);
  return left.is_null() || right.is_null() ? Value::null() : Value::of_bool(true);
}

Value logical_or(Value left, Value right) {
  if (is_true(left) || is_true(right)) return Value::of_bool(true);
  return left.is_null() || right.is_null() ? Value::null() : Value::of_bool(false);
}

Value logical_not(Value value) { return value.is_null() ? value : Value::of_bool(!value.as_bool()); }

}  // namespace weir
