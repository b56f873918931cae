// Functions of numbers and bits, and those that choose among values.
#include <cmath>

#include "agent/base/double_pair.h"
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

/// Powers of ten that a double holds exactly.
constexpr int64_t decimals_max = 22;
constexpr double two_to_53 = 9007199254740992.0;

double power_of_ten(int64_t exponent) {
  double power = 1;
  for (int64_t index = 0; index < exponent; ++index) power *= 10;
  return power;
}

/// The whole number nearest to `value` + `rest`, halves away from zero. Requires value >= 0, and that `rest` is what rounding
/// left of `value`, or has its sign: it decides where `value` seems to lie half-way.
double nearest_whole(double value, double rest) {
  const double down = std::trunc(value);
  const double above_half = (value - down) - 0.5;
  return above_half + rest >= 0 ? down + 1 : down;
}

/// Ten's multiples of one are counted in the exact value of x, so that no product or quotient that was rounded decides.
double rounded(double x, int64_t decimals) {
  const double size = std::fabs(x);
  const double power = power_of_ten(decimals < 0 ? -decimals : decimals);
  // Here neighbouring doubles are further apart than what would be rounded away.
  if (decimals < 0 ? size / power >= two_to_53 : size >= two_to_53 / power) return x;
  if (decimals >= 0) {
    const DoublePair scaled = exact_product(size, power);
    return std::copysign(nearest_whole(scaled.high, scaled.low) / power, x);
  }
  const double quotient = size / power;
  const DoublePair back = exact_product(quotient, power);
  return std::copysign(nearest_whole(quotient, ((size - back.high) - back.low) / power) * power, x);
}

Value rounded(int64_t x, int64_t decimals) {
  constexpr int64_t digits_max = 19;  // 10^19 is the last power that 64 bits hold
  if (decimals >= 0) return Value::of_int(x);
  if (decimals < -digits_max) return Value::of_int(0);
  uint64_t power = 1;
  for (int64_t index = 0; index < -decimals; ++index) power *= 10;
  const uint64_t size = x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
  const uint64_t rest = size % power;
  const uint64_t result = size - rest + (rest >= power / 2 ? power : 0);
  if (result > static_cast<uint64_t>(INT64_MAX)) return Value::null();
  return Value::of_int(x < 0 ? -static_cast<int64_t>(result) : static_cast<int64_t>(result));
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

/// Halves away from zero, which are halves of what the double is, not of how it is written: 2.675 is a little less.
Value round(Arguments arguments) {
  if (arguments.size() == 1) return whole(arguments[0], std::round);
  const int64_t decimals = arguments[1].as_int();
  if (decimals < -decimals_max || decimals > decimals_max) return Value::null();
  if (arguments[0].type() == Type::Int) return rounded(arguments[0].as_int(), decimals);
  return of_float(rounded(arguments[0].as_float(), decimals));
}
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
