// Expressions: C-like infix text, compiled once against a schema into typed bytecode, evaluated per record without the heap and
// in a bounded number of steps. Types are settled when compiling; only null is found out at run time, with SQL's three-valued
// logic. Stated results, the same on every architecture: integer overflow, division by zero and any float result that is not
// finite are null; int / int truncates toward zero; int and float mix to float; time - time is int (ms), time +- int is time.
//
// New text (upper, concat, ...) needs memory: scratch_bytes(), bounded by the declared lengths of the fields, which the owner
// of a program binds once, before it is first evaluated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"
#include "agent/model/schema.h"
#include "agent/model/value.h"

namespace weir {

struct Bytecode;

/// An error inside an expression's text. `offset` and `length` are bytes of the text and mark the token.
struct ExpressionError {
  size_t offset = 0;
  size_t length = 0;
  std::string message;     // "unknown field \"temperatur\""
  std::string suggestion;  // nearest valid name, or empty
};

/// A compiled expression. Immutable, movable, cheap to evaluate; evaluating is const and may be done from any thread, but by
/// one at a time where scratch_bytes() is not 0.
class Program {
 public:
  Program();
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  bool empty() const;
  /// What evaluate yields when it is not null. Type::Null only where nothing but the literal `null` can come out.
  Type type() const;
  /// Bound of a string result in bytes.
  uint32_t max_length() const;
  /// Memory for the texts that it makes, in bytes; 0 for most programs, 65,536 at most.
  size_t scratch_bytes() const;
  /// Requires at least scratch_bytes() bytes, which live as long as the program.
  void bind_scratch(std::span<char> scratch);
  /// The same, from `arena`, in the pool "<pool>.texts"; takes nothing if nothing is needed.
  void bind_scratch(Arena& arena, std::string_view pool);

  /// `values` in the order of the schema it was compiled against. A string result views a record's string, the program's own
  /// constants or its scratch memory: it lives until the record goes or the program is evaluated again. Requires bound memory
  /// if scratch_bytes() is not 0.
  Value evaluate(std::span<const Value> values) const;

 private:
  friend class Compiler;
  std::unique_ptr<Bytecode> code_;
};

/// Compiles `text`. Errors are appended (all that can be told in one pass) and the program stays empty then. If `expected` is
/// not Type::Null a result of another type is an error (int is taken where float is expected).
bool compile_expression(std::string_view text, const Schema& schema, Type expected, Program& program,
                        std::vector<ExpressionError>& errors);

/// A number behind the argument of an aggregate call, and where it stands: the 95 of percentile(x, 95).
struct AggregateParameter {
  Value value;  // int or float
  size_t offset = 0;
  size_t length = 0;
};

/// `name()`, `name(argument)` or `name(argument, number, ...)`: an aggregate call; the argument is any expression over the
/// schema, what follows it are constants.
struct AggregateCall {
  std::string function;  // "avg"; which names exist is the operators' business
  size_t function_offset = 0;
  bool has_argument = false;
  size_t argument_offset = 0;
  size_t argument_length = 0;
  Program argument;
  std::vector<AggregateParameter> parameters;
};

bool compile_aggregate_call(std::string_view text, const Schema& schema, AggregateCall& call,
                            std::vector<ExpressionError>& errors);

}  // namespace weir
