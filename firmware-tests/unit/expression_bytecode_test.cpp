// The verifier: it takes what the compiler makes and refuses everything that could leave its bounds.
#include "agent/expression/arithmetic.h"
#include "agent/expression/bytecode.h"
#include "agent/expression/code_builder.h"
#include "agent/expression/functions.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ExpressionBytecode) {
  Bytecode code;

  void setup() override {
    code.field_count = 2;
    code.constants.assign(3, Value::of_int(1));
  }

  void add(Instruction instruction) { code.instructions.push_back(instruction); }
  void add(Operation operation, uint16_t operand = 0) { add({.operation = operation, .operand = operand}); }

  void is_taken() { STRCMP_EQUAL("ok", verify(code).text()); }
  void is_refused(const char* why) {
    Status status = verify(code);
    CHECK(status.code() == Code::Corrupt);
    STRCMP_EQUAL(why, status.text());
  }

  static uint8_t kind(auto value) { return static_cast<uint8_t>(value); }
};

TEST(ExpressionBytecode, takes_one_value) {
  add(Operation::LoadField, 1);
  is_taken();
}

TEST(ExpressionBytecode, refuses_nothing_at_all) { is_refused("no instructions"); }

TEST(ExpressionBytecode, refuses_an_end_without_a_value_or_with_two) {
  add(Operation::LoadField);
  add(Operation::JumpUnless, 2);
  is_refused("does not end with one value");
  code.instructions.clear();
  add(Operation::LoadField);
  add(Operation::LoadField);
  is_refused("does not end with one value");
}

TEST(ExpressionBytecode, refuses_fields_and_constants_that_are_not_there) {
  add(Operation::LoadField, 2);
  is_refused("no such field");
  code.instructions.clear();
  add(Operation::LoadConstant, 2);
  is_taken();
  code.instructions.clear();
  add(Operation::LoadConstant, 3);
  is_refused("no such constant");
}

TEST(ExpressionBytecode, checks_the_operands_of_merged_instructions) {
  auto only = [&](Instruction instruction) { code.instructions.assign(1, instruction); };
  only({Operation::FieldCompare, 0, 1, 1, 2});
  is_taken();
  only({Operation::FieldCompare, 0, 1, 2, 2});
  is_refused("no such field");
  only({Operation::FieldCompare, 0, 1, 1, 3});
  is_refused("no such constant");
  only({Operation::FieldCompare, 4, 1, 1, 2});
  is_refused("no such comparison");
  only({Operation::FieldBetween, 3, 3, 1, 1});
  is_taken();
  only({Operation::FieldBetween, 0, 0, 2, 1});
  is_refused("no such field");
  only({Operation::FieldBetween, 0, 0, 1, 2});
  is_refused("no such constant");
  only({Operation::FieldBetween, 4, 0, 1, 1});
  is_refused("no such comparison");
  only({Operation::FieldBetween, 0, 4, 1, 1});
  is_refused("no such comparison");
}

TEST(ExpressionBytecode, refuses_taking_more_than_there_is) {
  for (Operation operation :
       {Operation::Negate, Operation::ToFloat, Operation::IsNull, Operation::Not, Operation::And, Operation::Or,
        Operation::Like, Operation::InEnd, Operation::Compare, Operation::Between, Operation::InItem, Operation::Float,
        Operation::JumpIfFalse, Operation::JumpIfTrue, Operation::JumpIfValue, Operation::JumpUnless}) {
    code.instructions.clear();
    add(operation, is_jump(operation) ? 1 : 0);
    is_refused("takes more values than there are");
  }
  code.instructions.clear();
  add(Operation::LoadField);
  add(Operation::ToFloat, 1);
  is_refused("takes more values than there are");
}

TEST(ExpressionBytecode, refuses_unknown_kinds) {
  auto after_two = [&](Instruction instruction) {
    code.instructions.clear();
    add(Operation::LoadField);
    add(Operation::LoadField);
    add(instruction);
  };
  after_two({.operation = Operation::Integer, .kind = kind(Arithmetic::Modulo), .other = kind(Type::Int)});
  is_taken();
  after_two({.operation = Operation::Integer, .kind = 5, .other = kind(Type::Int)});
  is_refused("no such arithmetic");
  after_two({.operation = Operation::Integer, .kind = 0, .other = kind(Type::Float)});
  is_refused("no type of an integer");
  after_two({.operation = Operation::Float, .kind = 5});
  is_refused("no such arithmetic");
  after_two({.operation = Operation::Compare, .kind = 4});
  is_refused("no such comparison");
  after_two({.operation = static_cast<Operation>(kind(Operation::CallAided) + 1)});
  is_refused("no such operation");
}

TEST(ExpressionBytecode, jumps_go_forward_and_not_past_the_end) {
  auto jump_to = [&](uint16_t target) {
    code.instructions.clear();
    add(Operation::LoadField);
    add(Operation::JumpIfTrue, target);
    add(Operation::Not);
  };
  jump_to(0);
  is_refused("a jump that does not go forward");
  jump_to(1);
  is_refused("a jump that does not go forward");
  jump_to(2);
  is_taken();
  jump_to(3);
  is_taken();
  jump_to(4);
  is_refused("a jump past the end");
}

TEST(ExpressionBytecode, paths_meet_with_equal_depths) {
  add(Operation::LoadField);
  add(Operation::JumpIfTrue, 3);
  add(Operation::LoadField);
  add(Operation::Not);
  is_refused("paths meet with different depths");
}

TEST(ExpressionBytecode, refuses_what_is_never_reached) {
  add(Operation::LoadField);
  add(Operation::Jump, 3);
  add(Operation::LoadField);
  is_refused("an instruction that is never reached");
}

TEST(ExpressionBytecode, the_stack_holds_32_values_and_no_more) {
  for (size_t i = 0; i < expression_stack_max; ++i) add(Operation::LoadField);
  is_refused("does not end with one value");
  add(Operation::LoadField);
  is_refused("the stack is too deep");
}

TEST(ExpressionBytecode, calls_fit_their_function) {
  auto call_with_two = [&](int function, uint16_t count) {
    code.instructions.clear();
    add(Operation::LoadField);
    add(Operation::LoadField);
    add({.operation = Operation::Call, .operand = static_cast<uint16_t>(function), .second = count});
  };
  call_with_two(find_function("min"), 2);
  is_taken();
  call_with_two(find_function("min"), 1);
  is_refused("a call that the function does not take");
  call_with_two(find_function("min"), 17);
  is_refused("a call that the function does not take");
  call_with_two(find_function("min"), 3);
  is_refused("takes more values than there are");
  call_with_two(find_function("coalesce"), 2);
  is_refused("a call that the function does not take");
  call_with_two(static_cast<int>(functions().size()), 2);
  is_refused("no such function");
}

TEST(ExpressionBytecode, aided_calls_stay_within_their_notes) {
  auto aided = [&](const char* function, uint16_t count, uint8_t note = 0) {
    code.instructions.clear();
    for (uint16_t argument = 0; argument < count; ++argument) add(Operation::LoadField);
    const auto index = static_cast<uint16_t>(find_function(function));
    add({.operation = Operation::CallAided, .kind = note, .operand = index, .second = count});
  };
  code.zones.emplace_back();
  code.scratch_bytes = 10;
  code.notes = {{.room_begin = 4, .room_bytes = 6, .zone = 0, .unit = TimeUnit::Year}};
  aided("upper", 1);
  is_taken();
  aided("upper", 1, 1);
  is_refused("a call without its note");
  aided("upper", 2);
  is_refused("a call that the function does not take");
  aided("abs", 1);
  is_refused("a call that the function does not take");
  aided("truncate_time", 1);
  is_taken();
  aided("truncate_time", 2);  // units are no arguments
  is_refused("a call that the function does not take");
  aided("concat", 16);
  is_taken();
  aided("upper", 1);
  code.notes[0].room_begin = 5;
  is_refused("room outside of the memory for texts");
  code.notes[0] = {.room_begin = UINT32_MAX, .room_bytes = 6, .zone = 0, .unit = TimeUnit::Day};
  is_refused("room outside of the memory for texts");
  code.notes[0] = {.room_begin = 0, .room_bytes = 10, .zone = 1, .unit = TimeUnit::Day};
  is_refused("no such time zone");
  code.notes[0] = {.room_begin = 0, .room_bytes = 10, .zone = 0, .unit = static_cast<TimeUnit>(9)};
  is_refused("no such unit of time");
}

TEST(ExpressionBytecode, a_function_that_needs_aid_is_not_called_without) {
  add(Operation::LoadField);
  add({.operation = Operation::Call, .operand = static_cast<uint16_t>(find_function("upper")), .second = 1});
  is_refused("a call that the function does not take");
}

TEST(ExpressionBytecode, memory_for_texts_has_a_limit) {
  add(Operation::LoadField);
  code.scratch_bytes = expression_scratch_max;
  is_taken();
  ++code.scratch_bytes;
  is_refused("too much memory for texts");
}

TEST(ExpressionBytecode, the_common_shapes_are_one_instruction) {
  CodeBuilder builder(0);
  builder.load_field(1);
  builder.load_constant(Value::of_int(-40));
  builder.load_constant(Value::of_int((int64_t{1} << 53) + 1));
  builder.between(Comparison::Number, Comparison::Number, 0, 1, 2);
  std::unique_ptr<Bytecode> built = builder.finish(2, Type::Bool, 0);
  UNSIGNED_LONGS_EQUAL(1, built->instructions.size());
  CHECK(built->instructions[0].operation == Operation::FieldBetween);
  CHECK(built->constants[0].type() == Type::Float);
  CHECK(built->constants[1].type() == Type::Int);  // no float holds it
  CHECK(verify(*built).ok());
}

TEST(ExpressionBytecode, an_operand_that_ends_with_a_jump_is_not_merged) {
  CodeBuilder builder(0);
  builder.load_field(0);
  size_t jump = builder.emit_jump(Operation::JumpIfValue);
  builder.load_field(1);
  builder.land(jump);
  size_t right = builder.position();
  builder.load_constant(Value::of_int(5));
  builder.compare(Comparison::Integer, relation_less, 0, right);
  std::unique_ptr<Bytecode> built = builder.finish(2, Type::Bool, 0);
  UNSIGNED_LONGS_EQUAL(5, built->instructions.size());
  CHECK(verify(*built).ok());
}
