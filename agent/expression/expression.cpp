#include "agent/expression/expression.h"

#include "agent/expression/bytecode.h"
#include "agent/expression/compiler.h"
#include "agent/expression/evaluator.h"

namespace weir {
namespace {

/// Left uninitialised: clearing it would cost more than most expressions, and verify has shown that nothing is read before it
/// was written.
union Stack {
  Stack() {}  // NOLINT(modernize-use-equals-default): that would be deleted
  Value values[expression_stack_max];
};

}  // namespace

Program::Program() = default;
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

bool Program::empty() const { return code_ == nullptr; }
Type Program::type() const { return empty() ? Type::Null : code_->type; }
uint32_t Program::max_length() const { return empty() ? 0 : code_->max_length; }

size_t Program::scratch_bytes() const { return empty() ? 0 : code_->scratch_bytes; }

void Program::bind_scratch(std::span<char> scratch) {
  WEIR_ASSERT(scratch.size() >= scratch_bytes());
  if (!empty()) code_->scratch = scratch.data();
}

void Program::bind_scratch(Arena& arena, std::string_view pool) {
  if (scratch_bytes() != 0)
    bind_scratch(arena.take<char>(scratch_bytes(), std::string(pool) + ".texts", "texts that expressions make"));
}

Value Program::evaluate(std::span<const Value> values) const {
  WEIR_ASSERT(!empty() && values.size() >= code_->field_count);
  Stack stack;
  return weir::evaluate(*code_, values, stack.values);
}

bool compile_expression(std::string_view text, const Schema& schema, Type expected, Program& program,
                        std::vector<ExpressionError>& errors) {
  return Compiler(text, schema).compile(expected, program, errors);
}

bool compile_aggregate_call(std::string_view text, const Schema& schema, AggregateCall& call,
                            std::vector<ExpressionError>& errors) {
  return Compiler(text, schema).compile_aggregate_call(call, errors);
}

}  // namespace weir
