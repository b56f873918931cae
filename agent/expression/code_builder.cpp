#include "agent/expression/code_builder.h"

#include <algorithm>

namespace weir {

namespace {

/// Positions and constants fit 16 bits because each comes from at least one byte of an expression.
uint16_t narrow(size_t value) {
  WEIR_ASSERT(value <= UINT16_MAX);
  return static_cast<uint16_t>(value);
}

}  // namespace

CodeBuilder::CodeBuilder(size_t text_length) : code_(std::make_unique<Bytecode>()) {
  // The constants view this string: it must never move.
  code_->strings.reserve(text_length);
}

void CodeBuilder::emit(Instruction instruction) {
  StackEffect effect = stack_effect(instruction);
  WEIR_ASSERT(depth_ >= effect.pops);
  depth_ += effect.pushes - effect.pops;
  code_->instructions.push_back(instruction);
}

void CodeBuilder::load_field(size_t field) { emit({.operation = Operation::LoadField, .operand = narrow(field)}); }

void CodeBuilder::load_constant(Value value) {
  code_->constants.push_back(value);
  emit({.operation = Operation::LoadConstant, .operand = narrow(code_->constants.size() - 1)});
}

void CodeBuilder::load_string(std::string_view text) {
  std::string& strings = code_->strings;
  WEIR_ASSERT(strings.size() + text.size() <= strings.capacity());
  size_t begin = strings.size();
  strings += text;
  load_constant(Value::of_string(std::string_view(strings).substr(begin)));
}

const Value* CodeBuilder::constant(size_t begin, size_t end) const {
  return is_one(begin, end, Operation::LoadConstant) ? &code_->constants[code_->instructions[begin].operand] : nullptr;
}

void CodeBuilder::drop_constant() {
  WEIR_ASSERT(code_->instructions.back().operation == Operation::LoadConstant);
  code_->instructions.pop_back();
  --depth_;
}

uint32_t CodeBuilder::take_room(size_t bytes) {
  const size_t begin = code_->scratch_bytes;
  code_->scratch_bytes += bytes;
  return static_cast<uint32_t>(begin);
}

uint16_t CodeBuilder::zone(TimeZone zone) {
  std::vector<TimeZone>& zones = code_->zones;
  auto known = std::find_if(zones.begin(), zones.end(), [&](const TimeZone& each) { return each.name() == zone.name(); });
  const size_t position = static_cast<size_t>(known - zones.begin());
  if (known == zones.end()) zones.push_back(std::move(zone));
  return narrow(position);
}

void CodeBuilder::call(size_t function, size_t arguments) {
  emit({.operation = Operation::Call, .operand = narrow(function), .second = narrow(arguments)});
}

void CodeBuilder::call_aided(size_t function, size_t arguments, CallNote note) {
  const uint16_t position = narrow(code_->notes.size());
  code_->notes.push_back(note);
  emit({.operation = Operation::CallAided,
        .kind = static_cast<uint8_t>(position & 0xFF),
        .other = static_cast<uint8_t>(position >> 8),
        .operand = narrow(function),
        .second = narrow(arguments)});
}

size_t CodeBuilder::emit_jump(Operation operation) {
  emit({.operation = operation});
  if (operation == Operation::Jump) --depth_;
  return position() - 1;
}

void CodeBuilder::land(size_t jump) { code_->instructions[jump].operand = narrow(position()); }

void CodeBuilder::compare(Comparison comparison, uint8_t relations, size_t left_begin, size_t right_begin) {
  uint8_t kind = static_cast<uint8_t>(comparison);
  if (!is_one(left_begin, right_begin, Operation::LoadField) || !is_one(right_begin, position(), Operation::LoadConstant))
    return emit({.operation = Operation::Compare, .kind = kind, .other = relations});
  uint16_t field = code_->instructions[left_begin].operand;
  uint16_t constant = code_->instructions[right_begin].operand;
  prefer_float(comparison, constant);
  depth_ -= 2;
  replace_from(left_begin, {Operation::FieldCompare, kind, relations, field, constant});
}

void CodeBuilder::between(Comparison with_low, Comparison with_high, size_t value_begin, size_t low_begin, size_t high_begin) {
  uint8_t kind = static_cast<uint8_t>(with_low);
  uint8_t other = static_cast<uint8_t>(with_high);
  if (!is_one(value_begin, low_begin, Operation::LoadField) || !is_one(low_begin, high_begin, Operation::LoadConstant) ||
      !is_one(high_begin, position(), Operation::LoadConstant))
    return emit({.operation = Operation::Between, .kind = kind, .other = other});
  uint16_t field = code_->instructions[value_begin].operand;
  uint16_t low = code_->instructions[low_begin].operand;
  prefer_float(with_low, low);
  prefer_float(with_high, size_t{low} + 1);
  depth_ -= 3;
  replace_from(value_begin, {Operation::FieldBetween, kind, other, field, low});
}

/// Comparing two floats is faster than float with int, and the same for an int that a float holds exactly.
void CodeBuilder::prefer_float(Comparison comparison, size_t constant) {
  constexpr int64_t exact_max = int64_t{1} << 53;
  Value& value = code_->constants[constant];
  if (comparison != Comparison::Number || value.type() != Type::Int) return;
  if (value.as_int() >= -exact_max && value.as_int() <= exact_max) value = Value::of_float(to_float(value));
}

/// No jump can land inside an operand of a single instruction, so that such operands may be merged.
bool CodeBuilder::is_one(size_t begin, size_t end, Operation operation) const {
  return end - begin == 1 && code_->instructions[begin].operation == operation;
}

void CodeBuilder::replace_from(size_t begin, Instruction instruction) {
  code_->instructions.resize(begin);
  emit(instruction);
}

std::unique_ptr<Bytecode> CodeBuilder::finish(size_t field_count, Type type, uint32_t max_length) {
  code_->field_count = field_count;
  code_->type = type;
  code_->max_length = max_length;
  return std::move(code_);
}

}  // namespace weir
