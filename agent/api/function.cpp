#include "agent/api/function.h"

#include <algorithm>

#include "agent/base/hash.h"

namespace weir {

uint32_t FunctionBuild::add_output(Field field) {
  const int position = replaces_ ? schema_.find(field.name) : -1;
  if (position < 0) {
    const auto added = static_cast<uint32_t>(schema_.size());
    build_.add_field(schema_, std::move(field), {});
    return added;
  }
  Schema changed;
  for (size_t index = 0; index < schema_.size(); ++index)
    changed.add(index == static_cast<size_t>(position) ? field : schema_[index]);
  schema_ = std::move(changed);
  return static_cast<uint32_t>(position);
}

uint32_t FunctionBuild::add_state_part(std::string_view name, const StoredFields& described, bool (*empty)(const uint8_t*),
                                       bool (*valid)(const uint8_t*)) {
  WEIR_ASSERT(std::ranges::find(state_names_, name) == state_names_.end());
  const auto at = static_cast<uint32_t>(std::min<uint64_t>(state_bytes_, UINT32_MAX));
  state_names_.emplace_back(name);
  parts_.push_back({at, empty, valid});
  described_.append(described);
  state_bytes_ += described.bytes();
  return at;
}

// ---- calls

void FunctionStep::begin_row(std::span<const Value> values) {
  const auto rest = std::ranges::copy(values, frame_->row.begin()).out;
  std::fill(rest, frame_->row.end(), Value::null());
}

void Collector::collect() {
  WEIR_ASSERT(count_ < step_.function_->results_max());
  KeyContext& context = step_.context();
  context.emit(step_.frame_->row, record_.event_time_ms, hash_chain(record_.identity, count_++));
  step_.begin_row(context.key());
}

void Collector::refuse(const char* reason, std::string_view detail) {
  if (outcome_ != Outcome::DeadLetter) outcome_ = step_.context().refuse(record_, reason, detail);
}

Outcome FlatMapFunction::run(const Record& record, FunctionStep& step) {
  step.begin_row(step.context().key());
  Collector out(step, record);
  flat_map(record, out);
  return out.outcome_;
}

Outcome MapFunction::run(const Record& record, FunctionStep& step) {
  step.begin_row(record.values);
  map(record);
  return step.context().forward(record, step.frame_->row);
}

Outcome FilterFunction::run(const Record& record, FunctionStep& step) {
  return filter(record) ? step.context().forward(record) : Outcome::Filtered;
}

// ---- the step

FunctionStep::FunctionStep(FunctionBuild& declared, std::unique_ptr<FunctionFrame> frame,
                           std::unique_ptr<StreamFunction> function)
    : schema_(std::move(declared.schema_)),
      described_(std::move(declared.described_)),
      // What cannot be stored is refused by StepBuild::keyed(), which adds a little to it.
      state_bytes_(static_cast<uint32_t>(std::min<uint64_t>(declared.state_bytes_, UINT32_MAX / 2))),
      parts_(std::move(declared.parts_)),
      frame_(std::move(frame)),
      function_(std::move(function)) {
  frame_->row = declared.build_.arena().take<Value>(schema_.size(), declared.build_.pool() + ".result",
                                                    "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
}

void FunctionStep::describe(StateLayout& layout) const {
  layout.kind = "function";
  layout.fields.append(described_);
}

bool FunctionStep::valid(const uint8_t* state) const {
  return std::ranges::all_of(parts_, [state](const auto& part) { return part.valid(state + part.at); });
}

Outcome FunctionStep::process(const Record& record, KeyContext& context) {
  frame_->context = &context;
  const Outcome outcome = function_->run(record, *this);
  const uint8_t* state = context.peek();
  if (std::ranges::all_of(parts_, [state](const auto& part) { return part.empty(state + part.at); })) context.forget();
  frame_->context = nullptr;
  return outcome;
}

}  // namespace weir
