// The part of the compiler that reads values: literals, fields, parentheses and calls.
#include <algorithm>

#include "agent/base/nearest_name.h"
#include "agent/expression/compiler.h"
#include "agent/expression/type_rules.h"

namespace weir {
namespace {

template <class Rows, class NameOf>
std::string nearest(std::string_view name, const Rows& rows, NameOf name_of) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const auto& row : rows) names.emplace_back(name_of(row));
  return nearest_name(name, names);
}

/// As SQL, spreadsheets and other languages have them.
constexpr OtherName other_names[] = {
    {"substring", "substr"},
    {"len", "length"},
    {"strlen", "length"},
    {"char_length", "length"},
    {"ceiling", "ceil"},
    {"power", "pow"},
    {"log", "ln"},
    {"ifnull", "coalesce"},
    {"nvl", "coalesce"},
    {"isnull", "is_null"},
    {"iif", "if"},
    {"lcase", "lower"},
    {"tolower", "lower"},
    {"to_lower", "lower"},
    {"ucase", "upper"},
    {"toupper", "upper"},
    {"to_upper", "upper"},
    {"least", "min"},
    {"greatest", "max"},
    {"date_trunc", "truncate_time"},
    {"datediff", "time_diff"},
    {"startswith", "starts_with"},
    {"endswith", "ends_with"},
    {"str", "to_string"},
    {"int", "to_int"},
    {"float", "to_float"},
    {"bool", "to_bool"},
    {"like", "matches"},
    {"split", "split_part"},
};

std::string nearest_function(std::string_view name) {
  std::vector<std::string> names;
  for (const Function& function : functions()) names.emplace_back(function.name);
  return nearest_name(name, names, other_names);
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
  const int index = find_function(name.text);
  const Function* function = index < 0 ? nullptr : &functions()[static_cast<size_t>(index)];
  if (function == nullptr) report(name, "there is no function " + quote(name.text), nearest_function(name.text));
  const size_t begin = builder_.position();
  const size_t depth = builder_.depth();
  const std::vector<Operand> arguments = parse_arguments(function);
  Operand result{.unknown = true};
  if (function != nullptr) result = finish_call(name, static_cast<size_t>(index), arguments);
  // After an error: anything that leaves one value, so that reading can go on.
  if (builder_.depth() != depth + 1) builder_.call(0, builder_.depth() - depth);
  result.code_begin = begin;
  result.offset = name.offset;
  result.end = tokens_[next_ - 1].offset + tokens_[next_ - 1].length;
  return result;
}

std::vector<Compiler::Operand> Compiler::parse_arguments(const Function* function) {
  std::vector<Operand> arguments;
  std::vector<size_t> decided;
  if (accept(TokenKind::Close)) return arguments;
  do {
    if (function != nullptr) emit_between_arguments(function->written_out, arguments.size(), decided);
    arguments.push_back(nest([this] { return parse_expression(); }));
  } while (accept(TokenKind::Comma));
  for (size_t jump : decided) builder_.land(jump);
  expect(TokenKind::Close, "expected an operator, \",\" or \")\"");
  return arguments;
}

/// Before the next argument of a function that is written out as jumps. `decided` are the jumps that go behind the last one.
void Compiler::emit_between_arguments(WrittenOut written_out, size_t arguments, std::vector<size_t>& decided) {
  if (written_out == WrittenOut::Coalesce && arguments > 0) decided.push_back(builder_.emit_jump(Operation::JumpIfValue));
  if (written_out != WrittenOut::If) return;
  if (arguments == 1) decided.push_back(builder_.emit_jump(Operation::JumpUnless));
  if (arguments != 2) return;
  const size_t otherwise = decided.back();
  decided.back() = builder_.emit_jump(Operation::Jump);
  builder_.land(otherwise);
}

}  // namespace weir
