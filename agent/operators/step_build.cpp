#include "agent/operators/step_build.h"

#include <algorithm>

#include "agent/base/nearest_name.h"
#include "agent/operators/aggregate.h"

namespace weir {
namespace {

std::string in_quotes(std::string_view name) { return "\"" + std::string(name) + "\""; }

std::string did_you_mean(const std::string& name) { return name.empty() ? "" : "did you mean " + in_quotes(name) + "?"; }

std::string nearest_field(const std::string& name, const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields())
    if (!field.hidden) names.push_back(field.name);
  return nearest_name(name, names);
}

}  // namespace

void StepBuild::error(std::string_view key, std::string_view message, std::string_view help) {
  good_ = false;
  const Text& text = options_.text(key);
  if (text.at.line != 0) return errors_.error(text, 0, std::max<size_t>(1, text.value.size()), message, help);
  errors_.error(options_.given(key) ? options_.at(key) : at_, 1, message, help);
}

void StepBuild::error(const Text& text, std::string_view message, std::string_view help) {
  good_ = false;
  errors_.error(text, 0, std::max<size_t>(1, text.value.size()), message, help);
}

uint32_t StepBuild::field(std::string_view key, TypeSet types) { return field(options_.text(key), types); }

StepBuild::FoundField StepBuild::find_field(std::string_view name, TypeSet types) const {
  const int position = input_.find(name);
  if (position < 0)
    return {0, "there is no field " + in_quotes(name) + " at this step",
            did_you_mean(nearest_field(std::string(name), input_))};
  const Type type = input_[static_cast<size_t>(position)].type;
  if (!types.contains(type)) return {0, in_quotes(name) + " is " + type_name(type) + "; this takes " + types.text()};
  return {static_cast<uint32_t>(position)};
}

uint32_t StepBuild::field(const Text& name, TypeSet types) {
  if (name.at.line == 0 && name.value.empty()) {
    good_ = false;  // a required option that is missing was reported when the file was read
    return 0;
  }
  if (name.at.line == 0) return field_named(name.value, types);  // a default has no place
  FoundField found = find_field(name.value, types);
  if (found.message.empty()) return found.position;
  good_ = false;
  errors_.error(name, 0, std::max<size_t>(1, name.value.size()), std::move(found.message), std::move(found.help));
  return 0;
}

uint32_t StepBuild::field_named(std::string_view name, TypeSet types) {
  FoundField found = find_field(name, types);
  if (!found.message.empty()) error(std::string_view(), std::move(found.message), std::move(found.help));
  return found.position;
}

Program StepBuild::expression(std::string_view key, Type expected) { return expression(options_.text(key), expected); }

Program StepBuild::expression(const Text& text, Type expected, const Schema& schema) {
  Program program;
  std::vector<ExpressionError> errors;
  if (compile_expression(text.value, schema, expected, program, errors)) {
    program.bind_scratch(arena_, pool_);
    return program;
  }
  report(text, errors);
  return {};
}

void StepBuild::report(const Text& text, const std::vector<ExpressionError>& errors) {
  good_ = good_ && errors.empty();
  for (const ExpressionError& each : errors)
    errors_.error(text, each.offset, each.length, each.message, expression_help(text.value, each));
}

void StepBuild::add_field(Schema& schema, Field field, std::string_view key) {
  if (schema.find(field.name) >= 0) {
    error(key, "two fields would be called " + in_quotes(field.name), "give one of them another name");
  } else if (schema.size() == fields_max) {
    error(key, "a record has at most " + std::to_string(fields_max) + " fields");
  } else {
    schema.add(std::move(field));
  }
}

void StepBuild::key_second_input(std::string_view key) {
  keyed_.second_input = second_input_;
  for (uint32_t position : keyed_.key_fields) {
    const Field& field = input_[position];
    const int found = second_input_->find(field.name);
    const auto other = static_cast<uint32_t>(std::max(found, 0));
    if (found < 0) {
      error(key, in_quotes(options_.text(key).value) + " has no field " + in_quotes(field.name), "the inputs meet by key_by");
    } else if ((*second_input_)[other].type != field.type || (*second_input_)[other].max_length != field.max_length) {
      error(key, in_quotes(field.name) + " must have the same type and bound in both inputs");
    }
    keyed_.second_key_fields.push_back(other);
  }
}

Schema StepBuild::key_schema() const {
  Schema schema;
  for (uint32_t position : keyed_.key_fields) schema.add(input_[position]);
  return schema;
}

std::unique_ptr<Operator> StepBuild::keyed(std::unique_ptr<KeyedFunction> function) {
  const uint64_t bytes = KeyedOperator::slot_bytes(keyed_, *function, input_);
  if (bytes > KeyedState::slot_bytes_max) {
    good_ = false;
    errors_.error(at_, 1,
                  "the state of one key would take " + std::to_string(bytes) + " bytes; at most " +
                      std::to_string(KeyedState::slot_bytes_max) + " can be stored",
                  "shorter strings (string(N)) or smaller limits make it smaller");
  }
  // The index takes up to another 128 bytes a key, and a checkpoint's buffer as much as the slots.
  if (good_ && (bytes + 128) * 2 * keyed_.max_keys > arena_.room() / 2) {
    good_ = false;
    errors_.error(at_, 1,
                  "the step would take " + std::to_string(bytes * keyed_.max_keys) + " bytes for " +
                      std::to_string(keyed_.max_keys) + " keys, more than weir can reserve",
                  "a smaller max_keys, shorter strings or smaller limits");
  }
  if (!good_) return nullptr;
  return std::make_unique<KeyedOperator>(keyed_, std::move(function), input_, arena_, pool_);
}

}  // namespace weir
