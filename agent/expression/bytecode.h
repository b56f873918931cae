// Bytecode: what an expression is compiled to, for a machine with a stack of values. Jumps go forward only, so that a run
// visits each instruction at most once; verify proves that, the depth of the stack and the range of every operand, and
// evaluate relies on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/status.h"
#include "agent/base/time_zone.h"
#include "agent/expression/functions.h"
#include "agent/model/value.h"

namespace weir {

/// Bytes that the texts made by one expression may have together.
constexpr size_t expression_scratch_max = 65536;
/// Values on the stack at one time.
constexpr size_t expression_stack_max = 32;
/// Bytes of an expression's text.
constexpr size_t expression_length_max = 4096;
/// Parentheses, calls, branches of ?: and prefix operators inside one another.
constexpr size_t expression_nesting_max = 64;

enum class Operation : uint8_t {
  LoadField,     // operand: field. Pushes it.
  LoadConstant,  // operand: constant. Pushes it.
  ToFloat,       // operand: distance from the top. An int there becomes a float; a float or null stays.
  Negate,
  Integer,       // kind: Arithmetic, other: Type of the result (Int or Time)
  Float,         // kind: Arithmetic; takes ints too
  Compare,       // kind: Comparison, other: relations
  FieldCompare,  // Compare of a field (operand) with a constant (second) in one step
  Between,       // value, low, high; kind: Comparison with low, other: Comparison with high
  FieldBetween,  // Between of a field (operand) with constants `second` and `second` + 1
  InItem,        // value, found, item -> value, found; kind: Comparison
  InEnd,         // value, found -> found
  Like,          // text, pattern
  IsNull,
  Not,
  And,
  Or,
  Jump,         // operand, here and below: the instruction to go to
  JumpIfFalse,  // keeps what it tests
  JumpIfTrue,   // keeps what it tests
  JumpIfValue,  // keeps a value and jumps; drops a null and goes on
  JumpUnless,   // drops what it tests; jumps if that is false or null
  Call,         // operand: function, second: number of arguments
  CallAided,    // the same; kind and other, as one number with `kind` low: its CallNote
};

struct Instruction {
  Operation operation = Operation::LoadConstant;
  uint8_t kind = 0;
  uint8_t other = 0;
  uint16_t operand = 0;
  uint16_t second = 0;
};

static_assert(sizeof(Instruction) == 8);

/// What an aided call gets besides its arguments.
struct CallNote {
  uint32_t room_begin = 0;  // in the program's scratch memory
  uint32_t room_bytes = 0;
  uint16_t zone = 0;
  TimeUnit unit = TimeUnit::Millisecond;
};

/// Of an aided call.
constexpr size_t note_of(const Instruction& instruction) { return instruction.kind | size_t{instruction.other} << 8; }

struct StackEffect {
  size_t pops;
  size_t pushes;
};

/// What an instruction takes from the stack and leaves there when it does not jump.
StackEffect stack_effect(const Instruction& instruction);
bool is_jump(Operation operation);

/// One compiled expression. Not copied: string constants view `strings`.
struct Bytecode {
  Bytecode() = default;
  Bytecode(const Bytecode&) = delete;
  Bytecode& operator=(const Bytecode&) = delete;

  std::vector<Instruction> instructions;
  std::vector<Value> constants;
  std::string strings;
  std::vector<CallNote> notes;
  std::vector<TimeZone> zones;
  size_t scratch_bytes = 0;
  char* scratch = nullptr;  // bound by the owner of the program
  size_t field_count = 0;   // values that a record must have
  Type type = Type::Null;
  uint32_t max_length = 0;
};

/// Corrupt, with a text that says what is wrong, if running it could leave its bounds.
Status verify(const Bytecode& code);

}  // namespace weir
