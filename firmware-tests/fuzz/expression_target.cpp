#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/unit/expression_fixture.h"

namespace weir::fuzz {
namespace {

void expect_places_in(std::string_view text, const std::vector<ExpressionError>& errors) {
  WEIR_ASSERT(!errors.empty());
  for (const ExpressionError& error : errors) WEIR_ASSERT(error.offset <= text.size() && !error.message.empty());
}

void expect_fits(const Program& program, const Value& value) {
  WEIR_ASSERT(value.is_null() || value.type() == program.type());
  if (value.type() == Type::String) WEIR_ASSERT(value.as_string().size() <= program.max_length());
}

void run_program(ExpressionFixture& fixture) {
  const Value first = fixture.program.evaluate(fixture.values);
  expect_fits(fixture.program, first);
  const std::string once = value_text(first);
  WEIR_ASSERT(value_text(fixture.program.evaluate(fixture.values)) == once);
  const std::vector<Value> nothing(fixture.values.size());
  expect_fits(fixture.program, fixture.program.evaluate(nothing));
}

void run_aggregate_call(std::string_view text, const ExpressionFixture& fixture) {
  AggregateCall call;
  std::vector<ExpressionError> errors;
  if (!compile_aggregate_call(text, fixture.schema, call, errors)) return expect_places_in(text, errors);
  WEIR_ASSERT(call.function_offset + call.function.size() <= text.size());
  WEIR_ASSERT(!call.has_argument || call.argument_offset + call.argument_length <= text.size());
}

}  // namespace

void expression(Bytes input) {
  static ExpressionFixture fixture;
  const std::string_view text = as_text(input);
  for (const Type expected : {Type::Null, Type::Bool, Type::Int, Type::Float, Type::String, Type::Time}) {
    if (fixture.compile(text, expected)) {
      run_program(fixture);
    } else {
      expect_places_in(text, fixture.errors);
    }
  }
  run_aggregate_call(text, fixture);
}

}  // namespace weir::fuzz
