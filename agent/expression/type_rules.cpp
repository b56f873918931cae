#include "agent/expression/type_rules.h"

namespace weir {
namespace {

/// The result is null whatever stands in the place of a literal null; this picks a type that works there.
Type stand_in(Type type, Type other, bool is_difference_from) {
  if (type != Type::Null) return type;
  if (other == Type::Time) return is_difference_from ? Type::Time : Type::Int;
  return other == Type::Null ? Type::Int : other;
}

}  // namespace

std::optional<Type> arithmetic_type(Arithmetic operation, Type given_left, Type given_right) {
  bool difference = operation == Arithmetic::Subtract;
  Type left = stand_in(given_left, given_right, difference);
  Type right = stand_in(given_right, given_left, false);
  if (is_number_or_null(left) && is_number_or_null(right)) return left == right ? left : Type::Float;
  if (difference && left == Type::Time && right == Type::Time) return Type::Int;
  bool shift = difference || operation == Arithmetic::Add;
  if (shift && left == Type::Time && right == Type::Int) return Type::Time;
  if (operation == Arithmetic::Add && left == Type::Int && right == Type::Time) return Type::Time;
  return std::nullopt;
}

std::optional<Comparison> comparison_of(Type left, Type right) {
  if (left == Type::Null) return right == Type::Null ? Comparison::Integer : comparison_of(right, right);
  if (right == Type::Null) return comparison_of(left, left);
  if (left == Type::String && right == Type::String) return Comparison::String;
  if (left == Type::Bool && right == Type::Bool) return Comparison::Bool;
  if (left == Type::Time || right == Type::Time) {
    bool comparable = (left == Type::Time || left == Type::Int) && (right == Type::Time || right == Type::Int);
    return comparable ? std::optional(Comparison::Integer) : std::nullopt;
  }
  if (!is_number_or_null(left) || !is_number_or_null(right)) return std::nullopt;
  return left == Type::Int && right == Type::Int ? Comparison::Integer : Comparison::Number;
}

std::optional<Type> common_type(Type left, Type right) {
  if (left == right || right == Type::Null) return left;
  if (left == Type::Null) return right;
  bool numbers = is_number_or_null(left) && is_number_or_null(right);
  return numbers ? std::optional(Type::Float) : std::nullopt;
}

}  // namespace weir
