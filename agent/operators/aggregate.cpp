#include "agent/operators/aggregate.h"

#include <cctype>

#include "agent/base/nearest_name.h"
#include "agent/operators/aggregate_kinds.h"

namespace weir {
namespace {

using Types = unsigned;  // a set

constexpr Types set_of(Type type) { return 1U << static_cast<unsigned>(type); }
constexpr Types numbers = set_of(Type::Int) | set_of(Type::Float);
constexpr Types ordered = numbers | set_of(Type::String) | set_of(Type::Time);
constexpr Types any = ordered | set_of(Type::Bool);

/// The functions that exist. `make` gets the argument's type and its bound in bytes.
struct Function {
  const char* name;
  Types takes;
  bool argument_needed;
  AggregatePointer (*make)(bool has_argument, Type argument, uint32_t max_length);
};

constexpr Function functions[] = {
    {"count", any | set_of(Type::Null), false, [](bool has_argument, Type, uint32_t) { return make_count(has_argument); }},
    {"sum", numbers, true, [](bool, Type argument, uint32_t) { return make_sum(argument); }},
    {"avg", numbers, true, [](bool, Type, uint32_t) { return make_average(); }},
    {"min", ordered, true, [](bool, Type argument, uint32_t length) { return make_minimum(argument, length); }},
    {"max", ordered, true, [](bool, Type argument, uint32_t length) { return make_maximum(argument, length); }},
    {"first", any, true, [](bool, Type argument, uint32_t length) { return make_first(argument, length); }},
    {"last", any, true, [](bool, Type argument, uint32_t length) { return make_last(argument, length); }},
};

const Function* find_function(std::string_view name) {
  for (const Function& function : functions)
    if (function.name == name) return &function;
  return nullptr;
}

std::string types_text(Types types) {
  std::string text;
  for (Type type : {Type::Bool, Type::Int, Type::Float, Type::String, Type::Time}) {
    if ((types & set_of(type)) == 0) continue;
    types &= ~set_of(type);
    if (!text.empty()) text += (types & any) == 0 ? " or " : ", ";
    text += type_name(type);
  }
  return text;
}

ExpressionError unknown_function(const AggregateCall& call) {
  std::vector<std::string> names;
  for (const Function& function : functions) names.emplace_back(function.name);
  return {call.function_offset, call.function.size(), "unknown aggregate \"" + call.function + "\"",
          nearest_name(call.function, names)};
}

bool is_word(char character) { return isalnum(static_cast<unsigned char>(character)) || character == '_'; }

/// The call without blanks, but for one where two words would run together and those inside quotes.
std::string without_blanks(std::string_view text) {
  std::string result;
  char quote = 0;
  bool blank = false;
  for (size_t index = 0; index < text.size(); ++index) {
    const char character = text[index];
    if (quote == 0 && isspace(static_cast<unsigned char>(character))) {
      blank = true;
      continue;
    }
    if (blank && !result.empty() && is_word(result.back()) && is_word(character)) result += ' ';
    blank = false;
    result += character;
    // A doubled quote inside quotes closes and opens them again.
    if (quote == character)
      quote = 0;
    else if (quote == 0 && (character == '"' || character == '\'' || character == '`'))
      quote = character;
  }
  return result;
}

bool check(const Function& function, const AggregateCall& call, std::vector<ExpressionError>& errors) {
  const std::string name = function.name;
  if (!call.parameters.empty()) {
    const AggregateParameter& extra = call.parameters[0];
    errors.push_back({extra.offset, extra.length, name + " takes one argument", ""});
    return false;
  }
  if (!call.has_argument) {
    if (!function.argument_needed) return true;
    errors.push_back({call.function_offset, name.size(), name + " needs an argument: " + name + "(field)", ""});
    return false;
  }
  if ((function.takes & set_of(call.argument.type())) != 0) return true;
  errors.push_back({call.argument_offset, call.argument_length,
                    name + " takes " + types_text(function.takes) + ", not " + type_name(call.argument.type()), ""});
  return false;
}

}  // namespace

bool make_aggregation(std::string name, std::string_view text, AggregateCall call, Aggregation& aggregation,
                      std::vector<ExpressionError>& errors) {
  const Function* function = find_function(call.function);
  if (function == nullptr) {
    errors.push_back(unknown_function(call));
    return false;
  }
  if (!check(*function, call, errors)) return false;
  const Type argument = call.has_argument ? call.argument.type() : Type::Null;
  const uint32_t max_length = argument == Type::String ? call.argument.max_length() : 0;
  aggregation.aggregate = function->make(call.has_argument, argument, max_length);
  aggregation.name = std::move(name);
  aggregation.text = without_blanks(text);
  aggregation.argument = std::move(call.argument);
  return true;
}

bool add_filter(std::string_view text, const Schema& input, Aggregation& aggregation, std::vector<ExpressionError>& errors) {
  aggregation.filter_text = without_blanks(text);
  return compile_expression(text, input, Type::Bool, aggregation.filter, errors);
}

}  // namespace weir
