// The compiler of expressions: a recursive-descent parser that settles types and emits bytecode as it goes, in one pass and
// without a tree between, so that a long chain of operators costs no recursion and nesting is the only thing to limit. Errors
// of meaning (a field, a type) are collected and reading goes on, their place taken by an operand of unknown type that fits
// everywhere; the first error of grammar ends it. Made for one text, used once, start-up only (allocates).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/expression/code_builder.h"
#include "agent/expression/expression.h"
#include "agent/expression/functions.h"
#include "agent/expression/lexer.h"

namespace weir {

class Compiler {
 public:
  Compiler(std::string_view text, const Schema& schema);

  bool compile(Type expected, Program& program, std::vector<ExpressionError>& errors);
  bool compile_aggregate_call(AggregateCall& call, std::vector<ExpressionError>& errors);

 private:
  /// Part of the text whose code leaves one value on the stack.
  struct Operand {
    Type type = Type::Null;
    bool unknown = false;  // it holds an error; the type means nothing
    uint32_t max_length = 0;
    size_t code_begin = 0;
    size_t offset = 0;
    size_t end = 0;
  };

  // Operators, from the loosest binding to the tightest (compile_operators.cpp).
  Operand parse_expression();
  Operand parse_binary(int precedence);
  Operand parse_infix(const Operand& left, int precedence);
  Operand parse_not();
  Operand parse_logical(const Operand& left, int precedence);
  Operand parse_comparison(const Operand& left, int precedence);
  Operand parse_negatable(const Operand& left, int precedence);
  void parse_between(const Operand& value, int precedence);
  void parse_in(const Operand& value);
  void parse_like(const Operand& text, int precedence);
  Operand parse_is(const Operand& left);
  Operand parse_coalesce(const Operand& left, int precedence);
  Operand parse_arithmetic(const Operand& left, int precedence);
  Operand join(const Token& token, const char* name, const Operand& whole, const Operand& left, const Operand& right);
  Comparison require_comparable(const Operand& left, const Operand& right, size_t offset, size_t length);

  // Values (compile_values.cpp).
  Operand parse_unary();
  Operand parse_primary();
  Operand parse_number(bool negative);
  Value number_of(const Token& token, bool negative);
  AggregateParameter parse_parameter();
  Operand parse_field();
  Operand parse_parentheses();
  Operand parse_call();
  std::vector<Operand> parse_arguments(const Function* function);
  void emit_between_arguments(WrittenOut written_out, size_t arguments, std::vector<size_t>& decided);

  // Calls (compile_calls.cpp).
  Operand finish_call(const Token& name, size_t index, const std::vector<Operand>& arguments);
  static uint32_t bound_of_view(const Function& function, const std::vector<Operand>& arguments);
  std::vector<TextBound> bounds_of(const std::vector<Operand>& arguments) const;
  size_t drop_literals(const Function& function, const std::vector<Operand>& arguments);
  void convert_arguments(const Function& function, const std::vector<Operand>& arguments, size_t passed, Type joined);
  void finish_written_out(const Function& function, const std::vector<Operand>& arguments, Operand& result);
  void finish_topic(const Operand& segment, Operand& result);
  Type check_arguments(const Function& function, const std::vector<Operand>& arguments);
  bool fits(Takes takes, const Operand& argument) const;
  void report_argument(const Function& function, size_t argument, const Operand& operand, const std::string& found);
  const Value* literal_of(const std::vector<Operand>& arguments, size_t argument) const;
  bool settle_literals(const Function& function, const std::vector<Operand>& arguments, CallNote& note);
  bool settle_literal(const Function& function, Takes takes, const Operand& operand, const Value& literal, CallNote& note);
  bool settle_unit(const Function& function, Takes takes, const Operand& operand, const Value& literal, CallNote& note);
  bool settle_zone(const Operand& operand, const Value& literal, CallNote& note);
  bool take_room(const Token& name, const Function& function, const std::vector<TextBound>& bounds, CallNote& note);
  /// Runs `parse` one level further down.
  template <class Parse>
  Operand nest(Parse parse) {
    if (++nesting_ > expression_nesting_max)
      stop(peek(), "nested more than " + std::to_string(expression_nesting_max) + " levels deep");
    Operand operand = parse();
    --nesting_;
    return operand;
  }

  Operand push(const Token& token, Value constant);
  Operand push_unknown(const Token& token);
  Operand pushed(const Token& token, Type type, uint32_t max_length, size_t code_begin);
  static Operand spanning(const Operand& left, const Operand& right, Type type);
  Operand bool_up_to_here(const Operand& left) const;
  void require(const Operand& operand, Type type, const char* user);
  void expect_result(const Operand& result, Type expected);

  const Token& peek() const { return tokens_[next_]; }
  const Token& take() { return tokens_[peek().kind == TokenKind::End ? next_ : next_++]; }
  bool accept(TokenKind kind);
  void expect(TokenKind kind, const char* message);
  void expect_end();
  std::string_view text_of(const Token& token) const { return text_.substr(token.offset, token.length); }
  std::string found(const Token& token) const;
  static std::string quote(std::string_view text);
  static std::string two_types(Type left, Type right);

  void report(size_t offset, size_t length, std::string_view message, std::string_view suggestion = {});
  void report(const Operand& operand, std::string_view message);
  void report(const Token& token, std::string_view message, std::string_view suggestion = {});
  /// Reports and moves to the end: nothing after this can be understood.
  void stop(const Token& token, std::string_view message);

  bool finish(const Operand& result, Program& program, std::vector<ExpressionError>& errors);

  std::string_view text_;
  const Schema& schema_;
  std::vector<ExpressionError> errors_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  size_t nesting_ = 0;
  bool stopped_ = false;
  CodeBuilder builder_;
};

}  // namespace weir
