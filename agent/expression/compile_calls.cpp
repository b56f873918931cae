// The part of the compiler that checks calls of functions and settles their literals: units, time zones, segments of the topic.
#include <algorithm>

#include "agent/base/nearest_name.h"
#include "agent/expression/compiler.h"
#include "agent/expression/type_rules.h"

namespace weir {
namespace {

std::string argument_count(const Function& function) {
  std::string count = std::to_string(function.arguments_min);
  if (function.arguments_max != function.arguments_min) count += " to " + std::to_string(function.arguments_max);
  return count + (function.arguments_max == 1 ? " argument" : " arguments");
}

Type given_type(Gives gives, Type joined) {
  switch (gives) {
    case Gives::Bool:
      return Type::Bool;
    case Gives::Int:
      return Type::Int;
    case Gives::Float:
      return Type::Float;
    case Gives::String:
      return Type::String;
    case Gives::Time:
      return Type::Time;
    default:
      return joined;
  }
}

/// The bytes of the longest text that a value may become.
uint64_t text_bytes_max(Type type, uint32_t max_length) {
  switch (type) {
    case Type::Bool:
      return 5;
    case Type::Int:
      return 20;       // -9223372036854775808
    case Type::Float:  // -2.2250738585072014e-308
    case Type::Time:   // 2023-11-14T22:13:20.000Z
      return 24;
    default:
      return max_length;
  }
}

std::vector<std::string> names_of_units() {
  return {"ms", "second", "minute", "hour", "day", "week", "month", "quarter", "year"};
}

}  // namespace

Compiler::Operand Compiler::finish_call(const Token& name, size_t index, const std::vector<Operand>& arguments) {
  const Function& function = functions()[index];
  const bool counted = arguments.size() >= function.arguments_min && arguments.size() <= function.arguments_max;
  if (!counted)
    report(name,
           std::string(function.name) + " takes " + argument_count(function) + ", not " + std::to_string(arguments.size()));
  const Type joined = check_arguments(function, arguments);
  Operand result;
  result.type = given_type(function.gives, joined);
  for (const Operand& argument : arguments) result.unknown = result.unknown || argument.unknown;
  if (result.type == Type::String) result.max_length = bound_of_view(function, arguments);
  if (!counted) return result;
  if (function.written_out != WrittenOut::No) {
    finish_written_out(function, arguments, result);
    return result;
  }
  CallNote note;
  const std::vector<TextBound> bounds = bounds_of(arguments);
  if ((function.apply_aided != nullptr && !settle_literals(function, arguments, note)) ||
      !take_room(name, function, bounds, note)) {
    result.unknown = true;
    return result;
  }
  if (function.room != nullptr) result.max_length = note.room_bytes;
  const size_t passed = drop_literals(function, arguments);
  convert_arguments(function, arguments, passed, joined);
  if (function.apply_aided != nullptr)
    builder_.call_aided(index, passed, note);
  else
    builder_.call(index, passed);
  return result;
}

/// Of a result that is one of the arguments or a part of the first.
uint32_t Compiler::bound_of_view(const Function& function, const std::vector<Operand>& arguments) {
  uint32_t bound = 0;
  for (size_t index = 0; index < arguments.size(); ++index)
    if (index == 0 || is_joined(function.takes_at(index))) bound = std::max(bound, arguments[index].max_length);
  return bound;
}

std::vector<TextBound> Compiler::bounds_of(const std::vector<Operand>& arguments) const {
  std::vector<TextBound> bounds;
  for (size_t index = 0; index < arguments.size(); ++index) {
    const Value* literal = literal_of(arguments, index);
    const bool is_text = literal != nullptr && literal->type() == Type::String;
    bounds.push_back(
        {is_text ? literal->as_string().size() : 0, text_bytes_max(arguments[index].type, arguments[index].max_length)});
  }
  return bounds;
}

/// They are settled; the arguments that stay are counted.
size_t Compiler::drop_literals(const Function& function, const std::vector<Operand>& arguments) {
  size_t passed = 0;
  for (size_t index = 0; index < arguments.size(); ++index) {
    if (is_literal(function.takes_at(index)))
      builder_.drop_constant();
    else
      ++passed;
  }
  return passed;
}

void Compiler::convert_arguments(const Function& function, const std::vector<Operand>& arguments, size_t passed, Type joined) {
  for (size_t index = 0; index < passed; ++index) {
    const Takes takes = function.takes_at(index);
    const bool to_float = takes == Takes::Float || (is_joined(takes) && joined == Type::Float);
    if (to_float && arguments[index].type == Type::Int)
      builder_.emit({.operation = Operation::ToFloat, .operand = static_cast<uint16_t>(passed - 1 - index)});
  }
}

void Compiler::finish_written_out(const Function& function, const std::vector<Operand>& arguments, Operand& result) {
  if (function.written_out == WrittenOut::Topic) return finish_topic(arguments[0], result);
  if (function.written_out == WrittenOut::IsNull) return builder_.emit({.operation = Operation::IsNull});
  if (result.type == Type::Float) builder_.emit({.operation = Operation::ToFloat});
}

/// The field that holds the segment: declared, or added by the planner for this call.
void Compiler::finish_topic(const Operand& segment, Operand& result) {
  const Value* literal = builder_.constant(segment.code_begin, builder_.position());
  if (literal == nullptr || literal->type() != Type::Int || literal->as_int() < 0) {
    result.unknown = true;
    return report(segment, std::string("topic takes ") + takes_text(Takes::Segment));
  }
  const int index = schema_.find_topic_segment(literal->as_int());
  if (index < 0) {
    result.unknown = true;
    return report(segment, "segment " + std::to_string(literal->as_int()) +
                               " of the topic is not known here: a step before this keeps only fields of its own; map it to a "
                               "field before that");
  }
  builder_.drop_constant();
  builder_.load_field(static_cast<size_t>(index));
  result.type = schema_[static_cast<size_t>(index)].type;
  result.max_length = schema_[static_cast<size_t>(index)].max_length;
}

/// The type to which those arguments are brought that are brought to one.
Type Compiler::check_arguments(const Function& function, const std::vector<Operand>& arguments) {
  Type joined = Type::Null;
  for (size_t index = 0; index < arguments.size(); ++index) {
    const Operand& argument = arguments[index];
    const Takes takes = function.takes_at(index);
    if (argument.unknown || is_literal(takes)) continue;
    if (!fits(takes, argument)) {
      report_argument(function, index, argument, type_name(argument.type));
    } else if (is_joined(takes)) {
      const std::optional<Type> both = common_type(joined, argument.type);
      if (!both) report_argument(function, index, argument, two_types(joined, argument.type));
      joined = both.value_or(joined);
    }
  }
  return function.takes[0] == Takes::Number && joined == Type::Null ? Type::Int : joined;
}

bool Compiler::fits(Takes takes, const Operand& argument) const {
  if (argument.type == Type::Null) return true;
  switch (takes) {
    case Takes::Number:
    case Takes::Float:
      return is_number_or_null(argument.type);
    case Takes::Ordered:
      return argument.type != Type::Bool;
    case Takes::Plain:
      return argument.type != Type::Time;
    case Takes::Bool:
      return argument.type == Type::Bool;
    case Takes::Int:
      return argument.type == Type::Int;
    case Takes::String:
      return argument.type == Type::String;
    case Takes::Time:
      return argument.type == Type::Time;
    default:
      return true;
  }
}

void Compiler::report_argument(const Function& function, size_t argument, const Operand& operand, const std::string& found) {
  const std::string which = function.takes_count > 1 ? " as argument " + std::to_string(argument + 1) : "";
  report(operand,
         std::string(function.name) + " takes " + takes_text(function.takes_at(argument)) + which + "; found " + found);
}

const Value* Compiler::literal_of(const std::vector<Operand>& arguments, size_t argument) const {
  const bool last = argument + 1 == arguments.size();
  return builder_.constant(arguments[argument].code_begin, last ? builder_.position() : arguments[argument + 1].code_begin);
}

bool Compiler::settle_literals(const Function& function, const std::vector<Operand>& arguments, CallNote& note) {
  bool good = true;
  note.zone = builder_.zone(TimeZone());
  for (size_t index = 0; index < arguments.size(); ++index) {
    const Takes takes = function.takes_at(index);
    if (!is_literal(takes)) continue;
    const Operand& argument = arguments[index];
    const Value* literal = literal_of(arguments, index);
    const bool is_text = literal != nullptr && literal->type() == Type::String;
    if (!is_text && !argument.unknown)
      report_argument(function, index, argument,
                      argument.type == Type::String ? "a string that is not written out" : type_name(argument.type));
    good = is_text && settle_literal(function, takes, argument, *literal, note) && good;
  }
  return good;
}

bool Compiler::settle_literal(const Function& function, Takes takes, const Operand& operand, const Value& literal,
                              CallNote& note) {
  return takes == Takes::Zone ? settle_zone(operand, literal, note) : settle_unit(function, takes, operand, literal, note);
}

bool Compiler::settle_unit(const Function& function, Takes takes, const Operand& operand, const Value& literal,
                           CallNote& note) {
  const std::string name(literal.as_string());
  if (!parse_time_unit(name, note.unit)) {
    report(operand.offset, operand.end - operand.offset, "there is no unit " + quote(name),
           nearest_name(name, names_of_units()));
    return false;
  }
  if (takes == Takes::Unit || note.unit <= TimeUnit::Week) return true;
  report(operand, std::string(function.name) + " takes " + takes_text(takes) + "; a " + name + " has none");
  return false;
}

bool Compiler::settle_zone(const Operand& operand, const Value& literal, CallNote& note) {
  Result<TimeZone> zone = TimeZone::load(std::string(literal.as_string()));
  if (!zone.ok()) {
    report(operand, zone.status().text());
    return false;
  }
  note.zone = builder_.zone(std::move(zone.value()));
  return true;
}

bool Compiler::take_room(const Token& name, const Function& function, const std::vector<TextBound>& bounds, CallNote& note) {
  if (function.room == nullptr) return true;
  const uint64_t bytes = function.room(bounds);
  if (bytes > expression_scratch_max - builder_.scratch_bytes()) {
    report(name, "the texts that this makes may have " + std::to_string(builder_.scratch_bytes() + bytes) +
                     " bytes, by the declared lengths; an expression has room for " + std::to_string(expression_scratch_max));
    return false;
  }
  note.room_bytes = static_cast<uint32_t>(bytes);
  note.room_begin = builder_.take_room(static_cast<size_t>(bytes));
  return true;
}

}  // namespace weir
