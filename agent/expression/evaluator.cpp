#include "agent/expression/evaluator.h"

#include <algorithm>

#include "agent/expression/arithmetic.h"
#include "agent/expression/functions.h"
#include "agent/expression/like.h"

namespace weir {
namespace {

/// Left uninitialised: clearing it would cost more than most expressions.
union Stack {
  Stack() {}
  Value values[expression_stack_max];
};

bool any_null(std::span<const Value> values) {
  return std::any_of(values.begin(), values.end(), [](Value value) { return value.is_null(); });
}

Value arithmetic(const Instruction& instruction, Value left, Value right) {
  if (left.is_null() || right.is_null()) return Value::null();
  Arithmetic operation = static_cast<Arithmetic>(instruction.kind);
  if (instruction.operation == Operation::Float) return float_arithmetic(operation, to_float(left), to_float(right));
  return integer_arithmetic(operation, left.as_int(), right.as_int(), static_cast<Type>(instruction.other));
}

Value compare_as(uint8_t comparison, uint8_t relations, Value left, Value right) {
  return compare_nullable(static_cast<Comparison>(comparison), relations, left, right);
}

Value between(const Instruction& instruction, Value value, Value low, Value high) {
  return logical_and(compare_as(instruction.kind, relation_greater | relation_equal, value, low),
                     compare_as(instruction.other, relation_less | relation_equal, value, high));
}

Value like(Value text, Value pattern) {
  if (text.is_null() || pattern.is_null()) return Value::null();
  return Value::of_bool(like_matches(text.as_string(), pattern.as_string()));
}

Value call(const Instruction& instruction, std::span<const Value> arguments) {
  if (any_null(arguments)) return Value::null();
  return functions()[instruction.operand].apply(arguments);
}

bool is_bool(Value value, bool wanted) { return !value.is_null() && value.as_bool() == wanted; }

class Machine {
 public:
  Machine(const Bytecode& code, std::span<const Value> fields) : code_(code), fields_(fields) {}

  Value run() {
    const Instruction* instructions = code_.instructions.data();
    size_t end = code_.instructions.size();
    for (size_t at = 0; at < end;) {
      const Instruction& instruction = instructions[at++];
      if (instruction.operation < Operation::Jump || instruction.operation == Operation::Call)
        compute(instruction);
      else if (jumps(instruction))
        at = instruction.operand;
    }
    return top_[-1];
  }

 private:
  void compute(const Instruction& instruction) {
    switch (instruction.operation) {
      case Operation::LoadField:
        return push(field(instruction.operand));
      case Operation::LoadConstant:
        return push(constant(instruction.operand));
      case Operation::ToFloat: {
        Value& value = top_[-1 - instruction.operand];
        if (value.type() == Type::Int) value = Value::of_float(to_float(value));
        return;
      }
      case Operation::Negate:
        if (!top_[-1].is_null()) top_[-1] = negate(top_[-1]);
        return;
      case Operation::Integer:
      case Operation::Float:
        return replace(2, arithmetic(instruction, top_[-2], top_[-1]));
      case Operation::Compare:
        return replace(2, compare_as(instruction.kind, instruction.other, top_[-2], top_[-1]));
      case Operation::FieldCompare:
        return push(compare_as(instruction.kind, instruction.other, field(instruction.operand), constant(instruction.second)));
      case Operation::Between:
        return replace(3, between(instruction, top_[-3], top_[-2], top_[-1]));
      case Operation::FieldBetween:
        return push(between(instruction, field(instruction.operand), constant(instruction.second),
                            constant(size_t{instruction.second} + 1)));
      case Operation::InItem:
        return replace(2, logical_or(top_[-2], compare_as(instruction.kind, relation_equal, top_[-3], top_[-1])));
      case Operation::InEnd:
        return replace(2, top_[-1]);
      case Operation::Like:
        return replace(2, like(top_[-2], top_[-1]));
      case Operation::IsNull:
        return replace(1, Value::of_bool(top_[-1].is_null()));
      case Operation::Not:
        return replace(1, logical_not(top_[-1]));
      case Operation::And:
        return replace(2, logical_and(top_[-2], top_[-1]));
      case Operation::Or:
        return replace(2, logical_or(top_[-2], top_[-1]));
      default:
        return replace(instruction.second, call(instruction, {top_ - instruction.second, instruction.second}));
    }
  }

  bool jumps(const Instruction& instruction) {
    switch (instruction.operation) {
      case Operation::JumpIfFalse:
        return is_bool(top_[-1], false);
      case Operation::JumpIfTrue:
        return is_bool(top_[-1], true);
      case Operation::JumpIfValue:
        if (!top_[-1].is_null()) return true;
        --top_;
        return false;
      case Operation::JumpUnless:
        --top_;
        return !is_bool(*top_, true);
      default:
        return true;
    }
  }

  Value field(size_t index) const { return finite_or_null(fields_[index]); }
  Value constant(size_t index) const { return code_.constants[index]; }
  void push(Value value) { *top_++ = value; }
  void replace(size_t count, Value value) {
    top_ -= count;
    push(value);
  }

  const Bytecode& code_;
  std::span<const Value> fields_;
  Stack stack_;
  Value* top_ = stack_.values;
};

}  // namespace

Value evaluate(const Bytecode& code, std::span<const Value> values) { return Machine(code, values).run(); }

}  // namespace weir
