#include "agent/expression/functions.h"

#include <algorithm>
#include <cmath>

#include "agent/expression/arithmetic.h"
#include "agent/expression/ascii.h"

namespace weir {
namespace {

using Arguments = std::span<const Value>;

Comparison comparison_within(Type type) {
  if (type == Type::Float) return Comparison::Number;
  return type == Type::String ? Comparison::String : Comparison::Integer;
}

Value absolute(Arguments arguments) {
  if (arguments[0].type() == Type::Float) return Value::of_float(std::fabs(arguments[0].as_float()));
  return arguments[0].as_int() < 0 ? negate(arguments[0]) : arguments[0];
}

/// Ints are whole already. Halves round away from zero.
template <double (*function)(double)>
Value whole(Arguments arguments) {
  return arguments[0].type() == Type::Float ? Value::of_float(function(arguments[0].as_float())) : arguments[0];
}

template <int wanted>
Value extreme(Arguments arguments) {
  Value best = arguments[0];
  for (Value value : arguments.subspan(1))
    if (compare(comparison_within(best.type()), value, best) == wanted) best = value;
  return best;
}

/// In characters: the bytes that do not continue a UTF-8 sequence.
Value length(Arguments arguments) {
  std::string_view text = arguments[0].as_string();
  return Value::of_int(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

double round_half_away(double value) { return std::round(value); }
double round_down(double value) { return std::floor(value); }
double round_up(double value) { return std::ceil(value); }

constexpr size_t arguments_many = 16;

constexpr Function table[] = {
    {"abs", 1, 1, Signature::Numbers, absolute},
    {"ceil", 1, 1, Signature::Numbers, whole<round_up>},
    {"coalesce", 2, arguments_many, Signature::Any, nullptr},
    {"floor", 1, 1, Signature::Numbers, whole<round_down>},
    {"length", 1, 1, Signature::Measures, length},
    {"max", 2, arguments_many, Signature::Ordered, extreme<1>},
    {"min", 2, arguments_many, Signature::Ordered, extreme<-1>},
    {"round", 1, 1, Signature::Numbers, whole<round_half_away>},
};

}  // namespace

const char* signature_text(Signature signature) {
  switch (signature) {
    case Signature::Numbers:
      return "a number";
    case Signature::Ordered:
      return "numbers, strings or times, not a mixture";
    case Signature::Any:
      return "values of one type";
    case Signature::Measures:
      return "a string";
  }
  return "";
}

std::span<const Function> functions() { return table; }

int find_function(std::string_view name) {
  for (size_t index = 0; index < std::size(table); ++index)
    if (equals_ignoring_case(name, table[index].name)) return static_cast<int>(index);
  return -1;
}

}  // namespace weir
