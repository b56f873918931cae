#include "agent/expression/evaluator.h"

#include <algorithm>

#include "agent/expression/arithmetic.h"
#include "agent/expression/functions.h"
#include "agent/expression/wildcard.h"

namespace weir {
namespace {

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

Value call(const Instruction& instruction, Arguments arguments) {
  const Function& function = functions()[instruction.operand];
  if (!function.sees_null && any_null(arguments)) return Value::null();
  return function.apply(arguments);
}

/// Kept out of the loop, which needs its registers for what is common.
[[gnu::noinline]] Value call_aided(const Bytecode& code, const Instruction& instruction, Arguments arguments) {
  if (any_null(arguments)) return Value::null();
  const CallNote& note = code.notes[note_of(instruction)];
  WEIR_ASSERT(code.scratch != nullptr || code.scratch_bytes == 0);
  const CallAid aid = {{code.scratch + note.room_begin, note.room_bytes}, &code.zones[note.zone], note.unit};
  return functions()[instruction.operand].apply_aided(arguments, aid);
}

bool is_bool(Value value, bool wanted) { return !value.is_null() && value.as_bool() == wanted; }

Value negate_nullable(Value value) { return value.is_null() ? value : negate(value); }

Value to_float_nullable(Value value) { return value.type() == Type::Int ? Value::of_float(to_float(value)) : value; }

}  // namespace

// `top` points past the newest value and stays in a register: one function, so that it never has to be stored.
Value evaluate(const Bytecode& code, std::span<const Value> fields, Value* top) {
  const Instruction* const begin = code.instructions.data();
  const Instruction* const end = begin + code.instructions.size();
  const Value* const constants = code.constants.data();
  for (const Instruction* next = begin; next != end;) {
    const Instruction& instruction = *next++;
    switch (instruction.operation) {
      case Operation::LoadField:
        *top++ = finite_or_null(fields[instruction.operand]);
        break;
      case Operation::LoadConstant:
        *top++ = constants[instruction.operand];
        break;
      case Operation::ToFloat:
        top[-1 - instruction.operand] = to_float_nullable(top[-1 - instruction.operand]);
        break;
      case Operation::Negate:
        top[-1] = negate_nullable(top[-1]);
        break;
      case Operation::Integer:
      case Operation::Float:
        top[-2] = arithmetic(instruction, top[-2], top[-1]);
        --top;
        break;
      case Operation::Compare:
        top[-2] = compare_as(instruction.kind, instruction.other, top[-2], top[-1]);
        --top;
        break;
      case Operation::FieldCompare:
        *top++ = compare_as(instruction.kind, instruction.other, finite_or_null(fields[instruction.operand]),
                            constants[instruction.second]);
        break;
      case Operation::Between:
        top[-3] = between(instruction, top[-3], top[-2], top[-1]);
        top -= 2;
        break;
      case Operation::FieldBetween:
        *top++ = between(instruction, finite_or_null(fields[instruction.operand]), constants[instruction.second],
                         constants[instruction.second + 1]);
        break;
      case Operation::InItem:
        top[-2] = logical_or(top[-2], compare_as(instruction.kind, relation_equal, top[-3], top[-1]));
        --top;
        break;
      case Operation::InEnd:
        top[-2] = top[-1];
        --top;
        break;
      case Operation::Like:
        top[-2] = like(top[-2], top[-1]);
        --top;
        break;
      case Operation::IsNull:
        top[-1] = Value::of_bool(top[-1].is_null());
        break;
      case Operation::Not:
        top[-1] = logical_not(top[-1]);
        break;
      case Operation::And:
        top[-2] = logical_and(top[-2], top[-1]);
        --top;
        break;
      case Operation::Or:
        top[-2] = logical_or(top[-2], top[-1]);
        --top;
        break;
      case Operation::Jump:
        next = begin + instruction.operand;
        break;
      case Operation::JumpIfFalse:
        if (is_bool(top[-1], false)) next = begin + instruction.operand;
        break;
      case Operation::JumpIfTrue:
        if (is_bool(top[-1], true)) next = begin + instruction.operand;
        break;
      case Operation::JumpIfValue:
        if (top[-1].is_null())
          --top;
        else
          next = begin + instruction.operand;
        break;
      case Operation::JumpUnless:
        if (!is_bool(*--top, true)) next = begin + instruction.operand;
        break;
      case Operation::Call:
        top -= instruction.second;
        *top = call(instruction, {top, instruction.second});
        ++top;
        break;
      case Operation::CallAided:
        top -= instruction.second;
        *top = call_aided(code, instruction, {top, instruction.second});
        ++top;
        break;
    }
  }
  return top[-1];
}

}  // namespace weir
