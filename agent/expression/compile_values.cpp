// The part of the compiler that reads values: literals, fields, parentheses and calls.
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

template <class Rows, class NameOf>
std::string nearest(std::string_view name, const Rows& rows, NameOf name_of) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const auto& row : rows) names.emplace_back(name_of(row));
  return nearest_name(name, names);
}

}  // namespace

/// A minus right before a literal belongs to it: only so can the smallest int be written.
Compiler::Operand Compiler::parse_unary() {
  if (peek().kind != TokenKind::Minus) return parse_primary();
  const Token& token = take();
  bool before_literal = peek().kind == TokenKind::Integer || peek().kind == TokenKind::Float;
  Operand operand = before_literal ? parse_number(true) : nest([this] { return parse_unary(); });
  operand.offset = token.offset;
  if (before_literal) return operand;
  if (!operand.unknown && !is_number_or_null(operand.type))
    report(token, std::string("\"-\" takes a number; found ") + type_name(operand.type));
  if (operand.type == Type::Null) operand.type = Type::Int;
  builder_.emit({.operation = Operation::Negate});
  return operand;
}

Compiler::Operand Compiler::parse_primary() {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::Integer:
    case TokenKind::Float:
      return parse_number(false);
    case TokenKind::String: {
      size_t begin = builder_.position();
      builder_.load_string(token.text);
      return pushed(take(), Type::String, static_cast<uint32_t>(token.text.size()), begin);
    }
    case TokenKind::True:
    case TokenKind::False:
      return push(take(), Value::of_bool(token.kind == TokenKind::True));
    case TokenKind::Null:
      return push(take(), Value::null());
    case TokenKind::Name:
      return tokens_[next_ + 1].kind == TokenKind::Open ? parse_call() : parse_field();
    case TokenKind::QuotedName:
      return parse_field();
    case TokenKind::Open:
      return parse_parentheses();
    case TokenKind::BadLiteral:
      return push_unknown(take());
    case TokenKind::Not:
      stop(token, "expected a value, found " + found(token) + "; here a negation needs parentheses around it");
      return push_unknown(token);
    default:
      stop(token, "expected a value, found " + found(token));
      return push_unknown(token);
  }
}

Compiler::Operand Compiler::parse_number(bool negative) {
  const Token& token = take();
  return push(token, number_of(token, negative));
}

Value Compiler::number_of(const Token& token, bool negative) {
  constexpr uint64_t int_max = INT64_MAX;
  if (token.kind == TokenKind::Float) {
    if (token.out_of_range) report(token, "the number does not fit a float");
    return Value::of_float(negative ? -token.number : token.number);
  }
  if (token.out_of_range || token.magnitude > int_max + (negative ? 1 : 0)) {
    report(token, "the number does not fit an int (64 bits); a float is written with a point");
    return Value::of_int(0);
  }
  return Value::of_int(static_cast<int64_t>(negative ? 0 - token.magnitude : token.magnitude));
}

Compiler::Operand Compiler::parse_field() {
  const Token& token = take();
  int index = schema_.find(token.text);
  if (index < 0) {
    report(token, "unknown field " + quote(token.text),
           nearest(token.text, schema_.fields(), [](const Field& field) { return field.name; }));
    return push_unknown(token);
  }
  size_t begin = builder_.position();
  builder_.load_field(static_cast<size_t>(index));
  const Field& field = schema_[static_cast<size_t>(index)];
  return pushed(token, field.type, field.max_length, begin);
}

Compiler::Operand Compiler::parse_parentheses() {
  const Token& open = take();
  Operand operand = nest([this] { return parse_expression(); });
  operand.offset = open.offset;
  operand.end = peek().offset + peek().length;
  expect(TokenKind::Close, "expected an operator or \")\"");
  return operand;
}

Compiler::Operand Compiler::parse_call() {
  const Token& name = take();
  take();
  int index = find_function(name.text);
  const Function* function = index < 0 ? nullptr : &functions()[static_cast<size_t>(index)];
  if (function == nullptr)
    report(name, "there is no function " + quote(name.text),
           nearest(name.text, functions(), [](const Function& row) { return row.name; }));
  size_t begin = builder_.position();
  std::vector<Operand> arguments = parse_arguments(function);
  Operand result = function == nullptr ? Operand{.unknown = true} : finish_call(name, *function, arguments);
  if (function == nullptr || function->apply != nullptr)
    builder_.emit({.operation = Operation::Call,
                   .operand = static_cast<uint16_t>(std::max(index, 0)),
                   .second = static_cast<uint16_t>(arguments.size())});
  result.code_begin = begin;
  result.offset = name.offset;
  result.end = tokens_[next_ - 1].offset + tokens_[next_ - 1].length;
  return result;
}

/// For a function that is written out as jumps each argument but the last is kept if it has a value.
std::vector<Compiler::Operand> Compiler::parse_arguments(const Function* function) {
  std::vector<Operand> arguments;
  std::vector<size_t> decided;
  bool as_jumps = function != nullptr && function->apply == nullptr;
  if (accept(TokenKind::Close)) {
    if (as_jumps) push_unknown(peek());
    return arguments;
  }
  do {
    if (as_jumps && !arguments.empty()) decided.push_back(builder_.emit_jump(Operation::JumpIfValue));
    arguments.push_back(nest([this] { return parse_expression(); }));
  } while (accept(TokenKind::Comma));
  for (size_t jump : decided) builder_.land(jump);
  expect(TokenKind::Close, "expected an operator, \",\" or \")\"");
  return arguments;
}

Compiler::Operand Compiler::finish_call(const Token& name, const Function& function, const std::vector<Operand>& arguments) {
  if (arguments.size() < function.arguments_min || arguments.size() > function.arguments_max)
    report(name,
           std::string(function.name) + " takes " + argument_count(function) + ", not " + std::to_string(arguments.size()));
  Operand result;
  result.type = check_arguments(function, arguments);
  for (const Operand& argument : arguments) {
    result.unknown = result.unknown || argument.unknown;
    if (result.type == Type::String) result.max_length = std::max(result.max_length, argument.max_length);
  }
  if (function.apply == nullptr) {
    if (result.type == Type::Float) builder_.emit({.operation = Operation::ToFloat});
    return result;
  }
  for (size_t index = 0; index < arguments.size(); ++index)
    if (result.type == Type::Float && arguments[index].type == Type::Int)
      builder_.emit({.operation = Operation::ToFloat, .operand = static_cast<uint16_t>(arguments.size() - 1 - index)});
  return result;
}

/// The type of the result.
Type Compiler::check_arguments(const Function& function, const std::vector<Operand>& arguments) {
  Type common = Type::Null;
  for (const Operand& argument : arguments) {
    if (argument.unknown) continue;
    bool taken = argument.type == Type::Null || function.signature == Signature::Any;
    if (function.signature == Signature::Numbers) taken = is_number_or_null(argument.type);
    if (function.signature == Signature::Measures) taken = taken || argument.type == Type::String;
    if (function.signature == Signature::Ordered) taken = argument.type != Type::Bool;
    std::optional<Type> joined = common_type(common, argument.type);
    if (!taken || !joined)
      report(argument, std::string(function.name) + " takes " + signature_text(function.signature) + "; found " +
                           (taken ? two_types(common, argument.type) : type_name(argument.type)));
    common = joined.value_or(common);
  }
  if (function.signature == Signature::Measures) return Type::Int;
  return function.signature == Signature::Numbers && common == Type::Null ? Type::Int : common;
}

}  // namespace weir
