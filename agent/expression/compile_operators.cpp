// The part of the compiler that reads operators, from ?: down to the prefixes of values.
#include "agent/expression/compiler.h"
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

}  // namespace

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

}  // namespace weir
