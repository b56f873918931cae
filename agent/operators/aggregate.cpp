#include "agent/operators/aggregate.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "agent/base/nearest_name.h"
#include "agent/base/text_writer.h"
#include "agent/operators/aggregate_functions.h"

namespace weir {
namespace {

const AggregateFunction* find_function(std::string_view name) {
  for (const AggregateFunction& function : aggregate_functions())
    if (function.name == name) return &function;
  return nullptr;
}

/// As SQL, InfluxDB, pandas and spreadsheets have them.
constexpr OtherName other_names[] = {
    {"mean", "avg"},
    {"average", "avg"},
    {"minimum", "min"},
    {"maximum", "max"},
    {"total", "sum"},
    {"stdev", "stddev"},
    {"std", "stddev"},
    {"stddev_samp", "stddev"},
    {"stdevp", "stddev_pop"},
    {"stddevp", "stddev_pop"},
    {"var", "variance"},
    {"var_samp", "variance"},
    {"variance_pop", "var_pop"},
    {"quantile", "percentile"},
    {"percentile_cont", "percentile"},
    {"count_distinct", "distinct"},
    {"cardinality", "distinct"},
    {"uniq", "distinct"},
    {"nunique", "distinct"},
    {"difference", "delta"},
    {"spread", "delta"},
    {"derivative", "rate"},
    {"trend", "slope"},
    {"time_weighted_mean", "time_weighted_avg"},
    {"twa", "time_weighted_avg"},
    {"array_agg", "collect"},
    {"collect_list", "collect"},
    {"list", "collect"},
    {"first_value", "first"},
    {"last_value", "last"},
    {"latest", "last"},
    {"earliest", "first"},
    {"n", "count"},
};

ExpressionError unknown_function(const AggregateCall& call) {
  std::vector<std::string> names;
  for (const AggregateFunction& function : aggregate_functions()) names.emplace_back(function.name);
  return {call.function_offset, call.function.size(), "unknown aggregate \"" + call.function + "\"",
          nearest_name(call.function, names, other_names)};
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

std::string number_text(double number) {
  char room[32];
  TextWriter out{room};
  return std::string(out.append_double(number).text());
}

std::string signature_of(const AggregateFunction& function, const AggregateArguments& arguments) {
  std::string text = std::string(function.name) + " " + (arguments.has_argument ? type_name(arguments.type) : "null");
  if (arguments.has_argument && arguments.type == Type::String) text += "(" + std::to_string(arguments.max_length) + ")";
  for (size_t index = 0; index < function.parameters.size(); ++index) text += " " + number_text(arguments.parameters[index]);
  return text;
}

std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

bool read_type(std::string_view word, AggregateArguments& arguments) {
  arguments.has_argument = word != type_name(Type::Null);
  for (Type type : {Type::Null, Type::Bool, Type::Int, Type::Float, Type::Time})
    if (word == type_name(type)) return arguments.type = type, true;
  constexpr std::string_view string_begin = "string(";
  if (!word.starts_with(string_begin) || !word.ends_with(")")) return false;
  arguments.type = Type::String;
  const char* end = word.data() + word.size() - 1;
  const auto read = std::from_chars(word.data() + string_begin.size(), end, arguments.max_length);
  return read.ec == std::errc{} && read.ptr == end && arguments.max_length <= UINT16_MAX;
}

bool read_parameter(std::string_view word, const ParameterRule& rule, double& number) {
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  return read.ec == std::errc{} && read.ptr == word.data() + word.size() && number >= rule.minimum && number <= rule.maximum;
}

/// Finds fault with a call, or says what it comes to.
class CallChecker {
 public:
  CallChecker(const AggregateFunction& function, const AggregateCall& call, std::vector<ExpressionError>& errors)
      : function_(function), call_(call), errors_(errors) {}

  bool check(AggregateArguments& arguments) {
    const size_t before = errors_.size();
    check_argument();
    check_parameters(arguments);
    arguments.has_argument = call_.has_argument;
    arguments.type = call_.argument.type();
    arguments.max_length = arguments.type == Type::String ? call_.argument.max_length() : 0;
    return errors_.size() == before;
  }
  /// What no single parameter says.
  bool check_result(const Aggregate& aggregate) {
    if (call_.parameters.empty() || aggregate.max_length() <= collect_text_max) return true;
    report(0, "the result can take " + std::to_string(aggregate.max_length()) + " bytes, more than " +
                  std::to_string(collect_text_max) + "; fewer values, or a text field of a smaller length, would fit");
    return false;
  }

 private:
  void check_argument() {
    const std::string name = function_.name;
    if (!call_.has_argument) {
      if (function_.argument_needed)
        errors_.push_back({call_.function_offset, name.size(), name + " needs an argument: " + function_.usage, ""});
    } else if (!function_.takes.contains(call_.argument.type())) {
      errors_.push_back({call_.argument_offset, call_.argument_length,
                         name + " takes " + function_.takes.text() + ", not " + type_name(call_.argument.type()), ""});
    }
  }
  void check_parameters(AggregateArguments& arguments) {
    const size_t given = call_.parameters.size();
    for (size_t index = 0; index < function_.parameters.size(); ++index) {
      const ParameterRule& rule = function_.parameters[index];
      if (index < given)
        arguments.parameters[index] = check_parameter(index, rule);
      else if (rule.required && call_.has_argument)
        errors_.push_back({call_.function_offset, call_.function.size(),
                           std::string(function_.name) + " needs " + rule.name + ": " + function_.usage, ""});
      else
        arguments.parameters[index] = rule.standard;
    }
    const size_t most = function_.parameters.size();
    if (given > most)
      report(most, std::string(function_.name) + " takes " +
                       (most == 0 ? "one argument" : "at most " + std::to_string(most + 1) + " arguments"));
  }
  double check_parameter(size_t index, const ParameterRule& rule) {
    const Value& value = call_.parameters[index].value;
    const double number = value.type() == Type::Int ? static_cast<double>(value.as_int()) : value.as_float();
    if (number < rule.minimum || number > rule.maximum || (rule.whole && value.type() != Type::Int))
      report(index, std::string(rule.name) + " must be a " + (rule.whole ? "whole " : "") + "number from " +
                        number_text(rule.minimum) + " to " + number_text(rule.maximum));
    return number;
  }
  void report(size_t parameter, std::string_view message) {
    errors_.push_back({call_.parameters[parameter].offset, call_.parameters[parameter].length, std::string(message), ""});
  }

  const AggregateFunction& function_;
  const AggregateCall& call_;
  std::vector<ExpressionError>& errors_;
};

}  // namespace

bool make_aggregation(std::string name, std::string_view text, AggregateCall call, Aggregation& aggregation,
                      std::vector<ExpressionError>& errors) {
  const AggregateFunction* function = find_function(call.function);
  if (function == nullptr) {
    errors.push_back(unknown_function(call));
    return false;
  }
  AggregateArguments arguments;
  CallChecker checker(*function, call, errors);
  if (!checker.check(arguments)) return false;
  aggregation.aggregate = function->make(arguments);
  if (!checker.check_result(*aggregation.aggregate)) return false;
  aggregation.name = std::move(name);
  aggregation.text = without_blanks(text);
  aggregation.made_by = signature_of(*function, arguments);
  aggregation.argument = std::move(call.argument);
  return true;
}

std::unique_ptr<Aggregate> make_aggregate(std::string_view made_by) {
  const AggregateFunction* function = find_function(take_word(made_by));
  AggregateArguments arguments;
  if (function == nullptr || !read_type(take_word(made_by), arguments)) return nullptr;
  if (arguments.has_argument ? !function->takes.contains(arguments.type) : function->argument_needed) return nullptr;
  for (size_t index = 0; index < function->parameters.size(); ++index)
    if (!read_parameter(take_word(made_by), function->parameters[index], arguments.parameters[index])) return nullptr;
  return function->make(arguments);
}

std::string expression_help(std::string_view text, const ExpressionError& error) {
  const std::string_view token = text.substr(std::min(error.offset, text.size()), error.length);
  const size_t behind = text.find_first_not_of(" \t\r\n", error.offset + error.length);
  if (behind != std::string_view::npos && text[behind] == '(' && find_function(token) != nullptr)
    return "over several records \"" + std::string(token) +
           "\" is an aggregate: a step with window computes it, and a step behind that one sees the result as a field";
  return error.suggestion.empty() ? "" : "did you mean \"" + error.suggestion + "\"?";
}

bool add_filter(std::string_view text, const Schema& input, Aggregation& aggregation, std::vector<ExpressionError>& errors) {
  aggregation.filter_text = without_blanks(text);
  return compile_expression(text, input, Type::Bool, aggregation.filter, errors);
}

}  // namespace weir
