#include "agent/expression/compiler.h"

#include <algorithm>

namespace weir {

Compiler::Compiler(std::string_view text, const Schema& schema) : text_(text), schema_(schema), builder_(text.size()) {
  if (text.size() <= expression_length_max) {
    tokens_ = split_into_tokens(text, errors_);
    return;
  }
  tokens_.emplace_back();  // End
  report(expression_length_max, text.size() - expression_length_max,
         "an expression has at most " + std::to_string(expression_length_max) + " bytes");
  stopped_ = true;
}

bool Compiler::compile(Type expected, Program& program, std::vector<ExpressionError>& errors) {
  Operand result = parse_expression();
  expect_end();
  expect_result(result, expected);
  if (expected != Type::Null) result.type = expected;
  return finish(result, program, errors);
}

bool Compiler::compile_aggregate_call(AggregateCall& call, std::vector<ExpressionError>& errors) {
  const Token& name = peek();
  expect(TokenKind::Name, "expected an aggregate, such as avg(temperature) or count()");
  call.function = name.text;
  call.function_offset = name.offset;
  expect(TokenKind::Open, "expected \"(\" after the aggregate's name");
  call.argument_offset = peek().offset;
  call.has_argument = !accept(TokenKind::Close);
  call.parameters.clear();
  Operand argument;
  if (call.has_argument) {
    if (peek().kind == TokenKind::Star) stop(peek(), "expected a value; \"*\" is not one: all records are counted by count()");
    argument = parse_expression();
    const Token& last = tokens_[next_ == 0 ? 0 : next_ - 1];
    call.argument_length = last.offset + last.length - call.argument_offset;
    while (accept(TokenKind::Comma)) call.parameters.push_back(parse_parameter());
    expect(TokenKind::Close, call.parameters.empty() ? "expected an operator, \",\" or \")\"" : "expected \",\" or \")\"");
  }
  expect_end();
  if (!call.has_argument) builder_.load_constant(Value::null());
  bool good = finish(argument, call.argument, errors);
  if (!call.has_argument) call.argument = Program();
  return good;
}

AggregateParameter Compiler::parse_parameter() {
  AggregateParameter parameter;
  parameter.offset = peek().offset;
  const bool negative = accept(TokenKind::Minus);
  const Token& token = peek();
  if (token.kind != TokenKind::Integer && token.kind != TokenKind::Float) {
    stop(token, "expected a number, for only the first argument is taken from the record, found " + found(token));
    return parameter;
  }
  parameter.value = number_of(take(), negative);
  parameter.length = token.offset + token.length - parameter.offset;
  return parameter;
}

bool Compiler::finish(const Operand& result, Program& program, std::vector<ExpressionError>& errors) {
  program = Program();
  std::stable_sort(errors_.begin(), errors_.end(),
                   [](const ExpressionError& a, const ExpressionError& b) { return a.offset < b.offset; });
  errors.insert(errors.end(), errors_.begin(), errors_.end());
  if (!errors_.empty()) return false;
  program.code_ = builder_.finish(schema_.size(), result.type, result.max_length);
  WEIR_ASSERT(verify(*program.code_).ok());
  return true;
}

void Compiler::expect_result(const Operand& result, Type expected) {
  if (expected == Type::Null || result.unknown || result.type == expected) return;
  if (expected == Type::Float && result.type == Type::Int) return builder_.emit({.operation = Operation::ToFloat});
  report(result, std::string("expected ") + type_name(expected) + ", found " + type_name(result.type));
}

Compiler::Operand Compiler::push(const Token& token, Value constant) {
  size_t begin = builder_.position();
  builder_.load_constant(constant);
  return pushed(token, constant.type(), 0, begin);
}

Compiler::Operand Compiler::push_unknown(const Token& token) {
  Operand operand = push(token, Value::null());
  operand.unknown = true;
  return operand;
}

Compiler::Operand Compiler::pushed(const Token& token, Type type, uint32_t max_length, size_t code_begin) {
  if (builder_.depth() > expression_stack_max)
    stop(token, "too complicated: more than " + std::to_string(expression_stack_max) + " values would have to wait for others");
  return {.type = type,
          .unknown = false,
          .max_length = max_length,
          .code_begin = code_begin,
          .offset = token.offset,
          .end = token.offset + token.length};
}

Compiler::Operand Compiler::spanning(const Operand& left, const Operand& right, Type type) {
  Operand whole = left;
  whole.type = type;
  whole.end = right.end;
  whole.max_length = std::max(left.max_length, right.max_length);
  return whole;
}

Compiler::Operand Compiler::bool_up_to_here(const Operand& left) const {
  const Token& last = tokens_[next_ == 0 ? 0 : next_ - 1];
  return {.type = Type::Bool,
          .unknown = false,
          .max_length = 0,
          .code_begin = left.code_begin,
          .offset = left.offset,
          .end = last.offset + last.length};
}

void Compiler::require(const Operand& operand, Type type, const char* user) {
  if (operand.unknown || operand.type == type || operand.type == Type::Null) return;
  report(operand, quote(user) + " takes " + type_name(type) + "; found " + type_name(operand.type));
}

bool Compiler::accept(TokenKind kind) {
  if (peek().kind != kind) return false;
  take();
  return true;
}

void Compiler::expect(TokenKind kind, const char* message) {
  if (!accept(kind)) stop(peek(), std::string(message) + ", found " + found(peek()));
}

void Compiler::expect_end() {
  if (peek().kind != TokenKind::End) stop(peek(), "expected an operator or the end, found " + found(peek()));
}

std::string Compiler::found(const Token& token) const {
  return token.kind == TokenKind::End ? "the end" : quote(text_of(token));
}

std::string Compiler::quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string Compiler::two_types(Type left, Type right) { return std::string(type_name(left)) + " and " + type_name(right); }

void Compiler::report(size_t offset, size_t length, std::string_view message, std::string_view suggestion) {
  if (!stopped_) errors_.push_back({offset, length, std::string(message), std::string(suggestion)});
}

void Compiler::report(const Operand& operand, std::string_view message) {
  report(operand.offset, operand.end - operand.offset, message);
}

void Compiler::report(const Token& token, std::string_view message, std::string_view suggestion) {
  report(token.offset, token.length, message, suggestion);
}

void Compiler::stop(const Token& token, std::string_view message) {
  bool reported_before = token.kind == TokenKind::BadCharacter || token.kind == TokenKind::BadLiteral;
  if (!reported_before) report(token, message);
  stopped_ = true;
  next_ = tokens_.size() - 1;
}

}  // namespace weir
