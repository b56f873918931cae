#include "agent/expression/bytecode.h"

#include "agent/expression/arithmetic.h"

namespace weir {

StackEffect stack_effect(const Instruction& instruction) {
  switch (instruction.operation) {
    case Operation::LoadField:
    case Operation::LoadConstant:
    case Operation::FieldCompare:
    case Operation::FieldBetween:
      return {0, 1};
    case Operation::ToFloat:
      return {size_t{instruction.operand} + 1, size_t{instruction.operand} + 1};
    case Operation::Negate:
    case Operation::IsNull:
    case Operation::Not:
    case Operation::JumpIfFalse:
    case Operation::JumpIfTrue:
      return {1, 1};
    case Operation::Integer:
    case Operation::Float:
    case Operation::Compare:
    case Operation::InEnd:
    case Operation::Like:
    case Operation::And:
    case Operation::Or:
      return {2, 1};
    case Operation::Between:
      return {3, 1};
    case Operation::InItem:
      return {3, 2};
    case Operation::Jump:
      return {0, 0};
    case Operation::JumpIfValue:
    case Operation::JumpUnless:
      return {1, 0};
    case Operation::Call:
    case Operation::CallAided:
      return {instruction.second, 1};
  }
  return {0, 0};
}

bool is_jump(Operation operation) { return operation >= Operation::Jump && operation <= Operation::JumpUnless; }

namespace {

/// The depth of the stack before each instruction, carried forward along falls and jumps; the two must agree where they meet.
class Verifier {
 public:
  explicit Verifier(const Bytecode& code) : code_(code), depths_(code.instructions.size() + 1, unreached) {}

  Status run() {
    if (code_.instructions.empty()) return corrupt("no instructions");
    if (code_.scratch_bytes > expression_scratch_max) return corrupt("too much memory for texts");
    depths_[0] = 0;
    for (size_t at = 0; at < code_.instructions.size(); ++at) WEIR_TRY(step(at));
    return depths_.back() == 1 ? Status() : corrupt("does not end with one value");
  }

 private:
  static constexpr size_t unreached = static_cast<size_t>(-1);

  static Status corrupt(const char* text) { return {Code::Corrupt, text}; }

  Status step(size_t at) {
    const Instruction& instruction = code_.instructions[at];
    WEIR_TRY(check_operands(instruction));
    if (depths_[at] == unreached) return corrupt("an instruction that is never reached");
    StackEffect effect = stack_effect(instruction);
    if (depths_[at] < effect.pops) return corrupt("takes more values than there are");
    size_t after = depths_[at] - effect.pops + effect.pushes;
    if (after > expression_stack_max) return corrupt("the stack is too deep");
    if (is_jump(instruction.operation)) {
      if (instruction.operand <= at) return corrupt("a jump that does not go forward");
      WEIR_TRY(arrive(instruction.operand, instruction.operation == Operation::JumpIfValue ? after + 1 : after));
    }
    return instruction.operation == Operation::Jump ? Status() : arrive(at + 1, after);
  }

  Status arrive(size_t at, size_t depth) {
    if (at >= depths_.size()) return corrupt("a jump past the end");
    if (depths_[at] != unreached && depths_[at] != depth) return corrupt("paths meet with different depths");
    depths_[at] = depth;
    return {};
  }

  Status check_operands(const Instruction& instruction) const {
    switch (instruction.operation) {
      case Operation::LoadField:
        return check_field(instruction.operand);
      case Operation::LoadConstant:
        return check_constant(instruction.operand);
      case Operation::Integer:
        if (Type type = static_cast<Type>(instruction.other); type != Type::Int && type != Type::Time)
          return corrupt("no type of an integer");
        return check_arithmetic(instruction.kind);
      case Operation::Float:
        return check_arithmetic(instruction.kind);
      case Operation::FieldCompare:
        WEIR_TRY(check_field(instruction.operand));
        WEIR_TRY(check_constant(instruction.second));
        return check_comparison(instruction.kind);
      case Operation::FieldBetween:
        WEIR_TRY(check_field(instruction.operand));
        WEIR_TRY(check_constant(size_t{instruction.second} + 1));
        WEIR_TRY(check_comparison(instruction.other));
        return check_comparison(instruction.kind);
      case Operation::Between:
        WEIR_TRY(check_comparison(instruction.other));
        return check_comparison(instruction.kind);
      case Operation::Compare:
      case Operation::InItem:
        return check_comparison(instruction.kind);
      case Operation::Call:
      case Operation::CallAided:
        return check_call(instruction);
      default:
        return instruction.operation <= Operation::CallAided ? Status() : corrupt("no such operation");
    }
  }

  Status check_field(size_t field) const { return field < code_.field_count ? Status() : corrupt("no such field"); }

  Status check_constant(size_t constant) const {
    return constant < code_.constants.size() ? Status() : corrupt("no such constant");
  }

  static Status check_arithmetic(uint8_t kind) {
    return kind <= static_cast<uint8_t>(Arithmetic::Modulo) ? Status() : corrupt("no such arithmetic");
  }

  static Status check_comparison(uint8_t kind) {
    return kind <= static_cast<uint8_t>(Comparison::Bool) ? Status() : corrupt("no such comparison");
  }

  Status check_call(const Instruction& call) const {
    if (call.operand >= functions().size()) return corrupt("no such function");
    const Function& function = functions()[call.operand];
    const bool aided = call.operation == Operation::CallAided;
    const bool has_code = aided ? function.apply_aided != nullptr : function.apply != nullptr;
    if (!has_code || !function.may_be_called_with(call.second)) return corrupt("a call that the function does not take");
    return aided ? check_note(note_of(call)) : Status();
  }

  Status check_note(size_t index) const {
    if (index >= code_.notes.size()) return corrupt("a call without its note");
    const CallNote& note = code_.notes[index];
    if (note.zone >= code_.zones.size()) return corrupt("no such time zone");
    if (note.unit > TimeUnit::Year) return corrupt("no such unit of time");
    const bool inside = uint64_t{note.room_begin} + note.room_bytes <= code_.scratch_bytes;
    return inside ? Status() : corrupt("room outside of the memory for texts");
  }

  const Bytecode& code_;
  std::vector<size_t> depths_;
};

}  // namespace

Status verify(const Bytecode& code) { return Verifier(code).run(); }

}  // namespace weir
