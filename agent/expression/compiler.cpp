#include "agent/expression/compiler.h"

#include <algorithm>

#include "agent/base/nearest_name.h"
#include "agent/expression/type_rules.h"

namespace weir {
namespace {

enum Precedence {
  no_operator,
  or_precedence,
  and_precedence,
  not_precedence,
  comparison_precedence,
  coalesce_precedence,
  sum_precedence,
  product_precedence
};

int infix_precedence(TokenKind kind) {
  switch (kind) {
    case TokenKind::Or:
      return or_precedence;
    case TokenKind::And:
      return and_precedence;
    case TokenKind::Less:
    case TokenKind::LessEqual:
    case TokenKind::Greater:
    case TokenKind::GreaterEqual:
    case TokenKind::Equal:
    case TokenKind::NotEqual:
    case TokenKind::Between:
    case TokenKind::In:
    case TokenKind::Like:
    case TokenKind::Is:
    case TokenKind::Not:  // not between, not in, not like
      return comparison_precedence;
    case TokenKind::Coalesce:
      return coalesce_precedence;
    case TokenKind::Plus:
    case TokenKind::Minus:
      return sum_precedence;
    case TokenKind::Star:
    case TokenKind::Slash:
    case TokenKind::Percent:
      return product_precedence;
    default:
      return no_operator;
  }
}

uint8_t relations_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::Less:
      return relation_less;
    case TokenKind::LessEqual:
      return relation_less | relation_equal;
    case TokenKind::Greater:
      return relation_greater;
    case TokenKind::GreaterEqual:
      return relation_greater | relation_equal;
    case TokenKind::NotEqual:
      return relation_less | relation_greater;
    default:
      return relation_equal;
  }
}

Arithmetic arithmetic_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::Minus:
      return Arithmetic::Subtract;
    case TokenKind::Star:
      return Arithmetic::Multiply;
    case TokenKind::Slash:
      return Arithmetic::Divide;
    case TokenKind::Percent:
      return Arithmetic::Modulo;
    default:
      return Arithmetic::Add;
  }
}

const char* arithmetic_takes(Arithmetic operation) {
  if (operation == Arithmetic::Add) return "numbers, or a time and an int";
  if (operation == Arithmetic::Subtract) return "numbers, two times, or a time and an int";
  return "numbers";
}

std::string two_types(Type left, Type right) { return std::string(type_name(left)) + " and " + type_name(right); }

std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string argument_count(const Function& function) {
  std::string count = std::to_string(function.arguments_min);
  if (function.arguments_max != function.arguments_min) count += " to " + std::to_string(function.arguments_max);
  return count + (function.arguments_max == 1 ? " argument" : " arguments");
}

template <class Rows, class NameOf>
std::string nearest(std::string_view name, const Rows& rows, NameOf name_of) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(name_of(row));
  return nearest_name(name, names);
}

}  // namespace

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
  Operand argument;
  if (call.has_argument) {
    if (peek().kind == TokenKind::Star) stop(peek(), "expected a value; \"*\" is not one: all records are counted by count()");
    argument = parse_expression();
    expect(TokenKind::Close, "expected an operator or \")\"");
  }
  expect_end();
  if (!call.has_argument) builder_.load_constant(Value::null());
  bool good = finish(argument, call.argument, errors);
  if (!call.has_argument) call.argument = Program();
  return good;
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

Compiler::Operand Compiler::parse_expression() {
  Operand condition = parse_binary(or_precedence);
  if (peek().kind != TokenKind::Question) return condition;
  const Token& question = take();
  require(condition, Type::Bool, "?:");
  size_t otherwise = builder_.emit_jump(Operation::JumpUnless);
  Operand left = nest([this] { return parse_expression(); });
  expect(TokenKind::Colon, "expected an operator or the \":\" of \"?:\"");
  size_t end = builder_.emit_jump(Operation::Jump);
  builder_.land(otherwise);
  Operand right = nest([this] { return parse_expression(); });
  builder_.land(end);
  return join(question, "?:", condition, left, right);
}

Compiler::Operand Compiler::parse_binary(int precedence) {
  bool starts_with_not = peek().kind == TokenKind::Not && precedence <= not_precedence;
  Operand left = starts_with_not ? parse_not() : parse_unary();
  for (;;) {
    int next = infix_precedence(peek().kind);
    if (next == no_operator || next < precedence) return left;
    left = parse_infix(left, next);
  }
}

Compiler::Operand Compiler::parse_infix(const Operand& left, int precedence) {
  switch (precedence) {
    case or_precedence:
    case and_precedence:
      return parse_logical(left, precedence);
    case comparison_precedence:
      return parse_comparison(left, precedence);
    case coalesce_precedence:
      return parse_coalesce(left, precedence);
    default:
      return parse_arithmetic(left, precedence);
  }
}

Compiler::Operand Compiler::parse_not() {
  const Token& token = take();
  Operand operand = nest([this] { return parse_binary(not_precedence); });
  require(operand, Type::Bool, "not");
  builder_.emit({.operation = Operation::Not});
  operand.offset = token.offset;
  return bool_up_to_here(operand);
}

/// A side that decides alone skips the other; what the other would have come to makes no difference.
Compiler::Operand Compiler::parse_logical(const Operand& left, int precedence) {
  bool is_and = take().kind == TokenKind::And;
  const char* name = is_and ? "and" : "or";
  require(left, Type::Bool, name);
  size_t decided = builder_.emit_jump(is_and ? Operation::JumpIfFalse : Operation::JumpIfTrue);
  Operand right = parse_binary(precedence + 1);
  require(right, Type::Bool, name);
  builder_.emit({.operation = is_and ? Operation::And : Operation::Or});
  builder_.land(decided);
  return bool_up_to_here(left);
}

Compiler::Operand Compiler::parse_comparison(const Operand& left, int precedence) {
  TokenKind kind = peek().kind;
  if (kind == TokenKind::Is) return parse_is(left);
  if (kind == TokenKind::Not || kind == TokenKind::Between || kind == TokenKind::In || kind == TokenKind::Like)
    return parse_negatable(left, precedence);
  const Token& token = take();
  Operand right = parse_binary(precedence + 1);
  Comparison comparison = require_comparable(left, right, token.offset, token.length);
  uint8_t relations = relations_of(kind);
  bool is_equality = kind == TokenKind::Equal || kind == TokenKind::NotEqual;
  if (comparison == Comparison::Bool && !is_equality) report(token, "bools have no order; they compare with = and !=");
  builder_.compare(comparison, relations, left.code_begin, right.code_begin);
  return bool_up_to_here(left);
}

Compiler::Operand Compiler::parse_negatable(const Operand& left, int precedence) {
  bool negated = accept(TokenKind::Not);
  switch (peek().kind) {
    case TokenKind::Between:
      parse_between(left, precedence);
      break;
    case TokenKind::In:
      parse_in(left);
      break;
    case TokenKind::Like:
      parse_like(left, precedence);
      break;
    default:
      stop(peek(), "expected \"between\", \"in\" or \"like\" after \"not\", found " + found(peek()));
      return bool_up_to_here(left);
  }
  if (negated) builder_.emit({.operation = Operation::Not});
  return bool_up_to_here(left);
}

void Compiler::parse_between(const Operand& value, int precedence) {
  const Token& token = take();
  Operand low = parse_binary(precedence + 1);
  expect(TokenKind::And, "expected the \"and\" of \"between\"");
  Operand high = parse_binary(precedence + 1);
  Comparison with_low = require_comparable(value, low, low.offset, low.end - low.offset);
  Comparison with_high = require_comparable(value, high, high.offset, high.end - high.offset);
  if (with_low == Comparison::Bool || with_high == Comparison::Bool)
    report(token, "bools have no order; they compare with = and !=");
  builder_.between(with_low, with_high, value.code_begin, low.code_begin, high.code_begin);
}

/// Two values stay on the stack from item to item: the one that is looked for, and what is known so far.
void Compiler::parse_in(const Operand& value) {
  push(take(), Value::of_bool(false));
  expect(TokenKind::Open, "expected \"(\" after \"in\"");
  do {
    Operand item = nest([this] { return parse_expression(); });
    Comparison comparison = require_comparable(value, item, item.offset, item.end - item.offset);
    builder_.emit({.operation = Operation::InItem, .kind = static_cast<uint8_t>(comparison)});
  } while (accept(TokenKind::Comma));
  expect(TokenKind::Close, "expected an operator, \",\" or \")\"");
  builder_.emit({.operation = Operation::InEnd});
}

void Compiler::parse_like(const Operand& text, int precedence) {
  take();
  require(text, Type::String, "like");
  Operand pattern = parse_binary(precedence + 1);
  require(pattern, Type::String, "like");
  builder_.emit({.operation = Operation::Like});
}

Compiler::Operand Compiler::parse_is(const Operand& left) {
  take();
  bool negated = accept(TokenKind::Not);
  expect(TokenKind::Null, negated ? "expected \"null\" after \"is not\"" : "expected \"null\" or \"not null\" after \"is\"");
  builder_.emit({.operation = Operation::IsNull});
  if (negated) builder_.emit({.operation = Operation::Not});
  return bool_up_to_here(left);
}

Compiler::Operand Compiler::parse_coalesce(const Operand& left, int precedence) {
  const Token& token = take();
  size_t decided = builder_.emit_jump(Operation::JumpIfValue);
  Operand right = parse_binary(precedence + 1);
  builder_.land(decided);
  return join(token, "??", left, left, right);
}

Compiler::Operand Compiler::parse_arithmetic(const Operand& left, int precedence) {
  const Token& token = take();
  Operand right = parse_binary(precedence + 1);
  Arithmetic operation = arithmetic_of(token.kind);
  std::optional<Type> type = arithmetic_type(operation, left.type, right.type);
  bool unknown = left.unknown || right.unknown;
  if (!type && !unknown)
    report(token,
           quote(text_of(token)) + " takes " + arithmetic_takes(operation) + "; found " + two_types(left.type, right.type));
  Operand result = spanning(left, right, type.value_or(Type::Null));
  result.unknown = unknown || !type;
  result.max_length = 0;
  builder_.emit({.operation = type == Type::Float ? Operation::Float : Operation::Integer,
                 .kind = static_cast<uint8_t>(operation),
                 .other = static_cast<uint8_t>(result.type)});
  return result;
}

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
  constexpr uint64_t int_max = INT64_MAX;
  if (token.kind == TokenKind::Float) {
    if (token.out_of_range) report(token, "the number does not fit a float");
    return push(token, Value::of_float(negative ? -token.number : token.number));
  }
  if (token.out_of_range || token.magnitude > int_max + (negative ? 1 : 0)) {
    report(token, "the number does not fit an int (64 bits); a float is written with a point");
    return push(token, Value::of_int(0));
  }
  return push(token, Value::of_int(static_cast<int64_t>(negative ? 0 - token.magnitude : token.magnitude)));
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

template <class Parse>
Compiler::Operand Compiler::nest(Parse parse) {
  if (++nesting_ > expression_nesting_max)
    stop(peek(), "nested more than " + std::to_string(expression_nesting_max) + " levels deep");
  Operand operand = parse();
  --nesting_;
  return operand;
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

/// The value that is either `left` or `right`.
Compiler::Operand Compiler::join(const Token& token, const char* name, const Operand& whole, const Operand& left,
                                 const Operand& right) {
  std::optional<Type> type = common_type(left.type, right.type);
  bool unknown = left.unknown || right.unknown;
  if (!type && !unknown)
    report(token, quote(name) + " takes two values of one type; found " + two_types(left.type, right.type));
  Operand result = spanning(left, right, type.value_or(Type::Null));
  result.unknown = unknown || !type;
  result.code_begin = whole.code_begin;
  result.offset = whole.offset;
  if (type == Type::Float && left.type != right.type) builder_.emit({.operation = Operation::ToFloat});
  return result;
}

Comparison Compiler::require_comparable(const Operand& left, const Operand& right, size_t offset, size_t length) {
  std::optional<Comparison> comparison = comparison_of(left.type, right.type);
  if (left.unknown || right.unknown) return Comparison::Integer;
  if (!comparison) report(offset, length, "cannot compare " + two_types(left.type, right.type));
  return comparison.value_or(Comparison::Integer);
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

void Compiler::report(size_t offset, size_t length, std::string message, std::string suggestion) {
  if (!stopped_) errors_.push_back({offset, length, std::move(message), std::move(suggestion)});
}

void Compiler::report(const Operand& operand, std::string message) {
  report(operand.offset, operand.end - operand.offset, std::move(message));
}

void Compiler::report(const Token& token, std::string message, std::string suggestion) {
  report(token.offset, token.length, std::move(message), std::move(suggestion));
}

void Compiler::stop(const Token& token, std::string message) {
  bool reported_before = token.kind == TokenKind::BadCharacter || token.kind == TokenKind::BadLiteral;
  if (!reported_before) report(token, std::move(message));
  stopped_ = true;
  next_ = tokens_.size() - 1;
}

}  // namespace weir
