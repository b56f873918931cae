// Functions of numbers and bits, and those that choose among values.
#include <cmath>

#include "agent/base/elementary.h"
#include "agent/expression/arithmetic.h"
#include "agent/expression/function_calls.h"

namespace weir::calls {
namespace {

Comparison comparison_within(Type type) {
  switch (type) {
    case Type::Float:
      return Comparison::Number;
    case Type::String:
      return Comparison::String;
    case Type::Bool:
      return Comparison::Bool;
    default:
      return Comparison::Integer;
  }
}

/// Of values of one type.
int order(Value left, Value right) { return compare(comparison_within(left.type()), left, right); }

Value of_float(double value) { return finite_or_null(Value::of_float(value)); }

/// Ints are whole already.
Value whole(Value value, double (*function)(double)) {
  return value.type() == Type::Float ? Value::of_float(function(value.as_float())) : value;
}

Value extreme(Arguments arguments, int wanted) {
  Value best = arguments[0];
  for (Value value : arguments.subspan(1))
    if (order(value, best) == wanted) best = value;
  return best;
}

uint64_t bits_of(Value value) { return static_cast<uint64_t>(value.as_int()); }
Value of_bits(uint64_t bits) { return Value::of_int(static_cast<int64_t>(bits)); }
bool is_bit(int64_t position) { return position >= 0 && position < 64; }

template <class Combine>
Value combined(Arguments arguments, Combine combine) {
  uint64_t bits = bits_of(arguments[0]);
  for (Value value : arguments.subspan(1)) bits = combine(bits, bits_of(value));
  return of_bits(bits);
}

}  // namespace

Value absolute(Arguments arguments) {
  if (arguments[0].type() == Type::Float) return Value::of_float(std::fabs(arguments[0].as_float()));
  return arguments[0].as_int() < 0 ? negate(arguments[0]) : arguments[0];
}

Value sign(Arguments arguments) {
  const Value value = arguments[0];
  if (value.type() == Type::Int) return Value::of_int((value.as_int() > 0) - (value.as_int() < 0));
  return Value::of_int((value.as_float() > 0) - (value.as_float() < 0));
}

/// Halves away from zero.
Value round(Arguments arguments) { return whole(arguments[0], std::round); }
Value floor(Arguments arguments) { return whole(arguments[0], std::floor); }
Value ceil(Arguments arguments) { return whole(arguments[0], std::ceil); }
Value trunc(Arguments arguments) { return whole(arguments[0], std::trunc); }

/// The root is one of the basic operations of IEEE 754: correctly rounded everywhere.
Value square_root(Arguments arguments) { return of_float(std::sqrt(arguments[0].as_float())); }
Value exp(Arguments arguments) { return of_float(elementary::exp(arguments[0].as_float())); }
Value ln(Arguments arguments) { return of_float(elementary::ln(arguments[0].as_float())); }
Value log10(Arguments arguments) { return of_float(elementary::log10(arguments[0].as_float())); }
Value pow(Arguments arguments) { return of_float(elementary::pow(arguments[0].as_float(), arguments[1].as_float())); }
Value sin(Arguments arguments) { return of_float(elementary::sin(arguments[0].as_float())); }
Value cos(Arguments arguments) { return of_float(elementary::cos(arguments[0].as_float())); }
Value tan(Arguments arguments) { return of_float(elementary::tan(arguments[0].as_float())); }
Value atan2(Arguments arguments) { return of_float(elementary::atan2(arguments[0].as_float(), arguments[1].as_float())); }

Value least(Arguments arguments) { return extreme(arguments, -1); }
Value greatest(Arguments arguments) { return extreme(arguments, 1); }

Value clamp(Arguments arguments) {
  const Value low = arguments[1];
  const Value high = arguments[2];
  if (order(low, high) > 0) return Value::null();
  if (order(arguments[0], low) < 0) return low;
  return order(arguments[0], high) > 0 ? high : arguments[0];
}

/// Null is equal to nothing, so that a null on the right leaves the left one as it is.
Value null_if(Arguments arguments) {
  if (arguments[0].is_null() || arguments[1].is_null()) return arguments[0];
  return order(arguments[0], arguments[1]) == 0 ? Value::null() : arguments[0];
}

Value bit_and(Arguments arguments) {
  return combined(arguments, [](uint64_t a, uint64_t b) { return a & b; });
}

Value bit_or(Arguments arguments) {
  return combined(arguments, [](uint64_t a, uint64_t b) { return a | b; });
}

Value bit_xor(Arguments arguments) {
  return combined(arguments, [](uint64_t a, uint64_t b) { return a ^ b; });
}

Value bit_not(Arguments arguments) { return of_bits(~bits_of(arguments[0])); }

Value shift_left(Arguments arguments) {
  const int64_t count = arguments[1].as_int();
  return is_bit(count) ? of_bits(bits_of(arguments[0]) << count) : Value::null();
}

/// The sign stays: C++20 defines it so.
Value shift_right(Arguments arguments) {
  const int64_t count = arguments[1].as_int();
  return is_bit(count) ? Value::of_int(arguments[0].as_int() >> count) : Value::null();
}

Value bit_test(Arguments arguments) {
  const int64_t position = arguments[1].as_int();
  return is_bit(position) ? Value::of_bool(((bits_of(arguments[0]) >> position) & 1) != 0) : Value::null();
}

}  // namespace weir::calls
