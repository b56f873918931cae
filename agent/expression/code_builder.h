// CodeBuilder puts bytecode together while the compiler reads an expression: it keeps count of the stack, patches jumps and
// replaces the most common shapes by one instruction. Start-up only (allocates).
#pragma once

#include <memory>
#include <string_view>

#include "agent/expression/arithmetic.h"
#include "agent/expression/bytecode.h"

namespace weir {

class CodeBuilder {
 public:
  /// `text_length` bounds the bytes of all string constants.
  explicit CodeBuilder(size_t text_length);

  size_t position() const { return code_->instructions.size(); }
  /// Values on the stack after what was emitted so far.
  size_t depth() const { return depth_; }

  void emit(Instruction instruction);
  void load_field(size_t field);
  void load_constant(Value value);
  /// Copies `text`.
  void load_string(std::string_view text);

  /// The constant, if the code from `begin` to `end` does nothing but load one; nullptr otherwise.
  const Value* constant(size_t begin, size_t end) const;
  /// Takes back the newest instruction, which loads a constant.
  void drop_constant();

  /// Room for a text of `bytes`; where it begins.
  uint32_t take_room(size_t bytes);
  size_t scratch_bytes() const { return code_->scratch_bytes; }
  /// The position of the zone, which is added if it is new.
  uint16_t zone(TimeZone zone);
  void call(size_t function, size_t arguments);
  void call_aided(size_t function, size_t arguments, CallNote note);

  /// Emits a jump whose target is not known yet; returns what `land` takes to make it go to the current position. After a plain
  /// Jump the count of the stack goes back by the one value that the jump carries along.
  size_t emit_jump(Operation operation);
  void land(size_t jump);

  /// Each `begin` is the position where the code of an operand starts; the last one ends here.
  void compare(Comparison comparison, uint8_t relations, size_t left_begin, size_t right_begin);
  void between(Comparison with_low, Comparison with_high, size_t value_begin, size_t low_begin, size_t high_begin);

  std::unique_ptr<Bytecode> finish(size_t field_count, Type type, uint32_t max_length);

 private:
  void prefer_float(Comparison comparison, size_t constant);
  bool is_one(size_t begin, size_t end, Operation operation) const;
  void replace_from(size_t begin, Instruction instruction);

  std::unique_ptr<Bytecode> code_;
  size_t depth_ = 0;
};

}  // namespace weir
