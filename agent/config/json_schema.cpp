// The JSON Schema of the configuration, from the option table. What it cannot say (which names exist, expressions, one verb per
// step) is left to `weir check`.
#include <algorithm>

#include "agent/config/binder.h"
#include "agent/config/load.h"
#include "agent/config/quantity.h"
#include "agent/config/step_sections.h"

namespace weir {
namespace {

/// Writes indented JSON; the members of an object or array are separated as they come.
class JsonText {
 public:
  void begin(char bracket) {
    out_ += bracket;
    ++depth_;
    first_ = true;
  }
  void end(char bracket) {
    --depth_;
    if (!first_) new_line();
    out_ += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    element();
    string(name);
    out_ += ": ";
  }
  void element() {
    if (!first_) out_ += ',';
    first_ = false;
    new_line();
  }
  void string(std::string_view text) {
    out_ += '"';
    for (char character : text) {
      if (character == '"' || character == '\\') out_ += '\\';
      out_ += character;
    }
    out_ += '"';
  }
  void raw(std::string_view text) { out_ += text; }
  void member(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  void raw_member(std::string_view name, std::string_view text) {
    key(name);
    raw(text);
  }
  std::string take() { return std::move(out_) + "\n"; }

 private:
  void new_line() {
    out_ += '\n';
    out_.append(depth_ * 2, ' ');
  }

  std::string out_;
  size_t depth_ = 0;
  bool first_ = true;
};

void write_section(const Section& section, JsonText& json);

/// Beside it stand the options of the operator that is named, as it declares them.
bool names_operators(const Option& option) { return std::string_view(option.key) == "operator"; }

void write_choices(const Option& option, JsonText& json) {
  json.key("enum");
  json.begin('[');
  for (const char* choice : option.choices) {
    json.element();
    json.string(choice);
  }
  json.end(']');
}

/// minimum and maximum under the names that JSON Schema has for them: of numbers, of strings, of arrays.
void write_bounds(const Option& option, const char* minimum_name, const char* maximum_name, JsonText& json) {
  if (option.minimum) json.raw_member(minimum_name, option.minimum);
  if (option.maximum) json.raw_member(maximum_name, option.maximum);
}

/// A duration or size: a string with a unit, or the number 0.
void write_quantity(const char* pattern, JsonText& json) {
  json.raw_member("type", "[\"string\", \"integer\"]");
  std::string escaped(pattern);
  json.member("pattern", escaped.replace(0, 1, "^0$|^"));
  json.raw_member("minimum", "0");
  json.raw_member("maximum", "0");
}

/// An object with free names; `value` writes what each must be.
template <class WriteValue>
void write_named(const char* name_pattern_text, JsonText& json, WriteValue value) {
  json.member("type", "object");
  json.key("propertyNames");
  json.begin('{');
  json.member("pattern", name_pattern_text);
  json.end('}');
  json.key("additionalProperties");
  json.begin('{');
  value();
  json.end('}');
}

void write_strings(JsonText& json, const char* pattern) {
  json.member("type", "string");
  if (pattern) json.member("pattern", pattern);
}

/// A string, or an object of a value and a filter.
void write_aggregate(JsonText& json) {
  json.raw_member("type", "[\"string\", \"object\"]");
  json.raw_member("additionalProperties", "false");
  json.raw_member("required", "[\"value\"]");
  json.raw_member("properties", "{ \"value\": { \"type\": \"string\" }, \"filter\": { \"type\": \"string\" } }");
}

void write_one_or_several(const Option& option, JsonText& json) {
  json.key("anyOf");
  json.begin('[');
  json.element();
  json.begin('{');
  write_section(*option.section, json);
  json.end('}');
  json.element();
  json.begin('{');
  json.member("type", "array");
  json.raw_member("minItems", "1");
  json.key("items");
  json.begin('{');
  write_section(*option.section, json);
  json.end('}');
  json.end('}');
  json.end(']');
}

void write_type(const Option& option, JsonText& json) {
  constexpr const char* field_names = "^.{1,63}$";
  constexpr const char* field_rules =
      "^\\s*(topic\\[[0-9]+\\]|arrival|(bool|int|float|string(\\([0-9]+\\))?|time\\((s|ms|us|ns|rfc3339|local\\s*,[^)]+)\\))("
      "\\s+\\$.*)?)\\s*$";
  switch (option.type) {
    case OptionType::Boolean:
      return json.member("type", "boolean");
    case OptionType::Integer:
      json.member("type", "integer");
      return write_bounds(option, "minimum", "maximum", json);
    case OptionType::Number:
      json.member("type", "number");
      return write_bounds(option, "minimum", "maximum", json);
    case OptionType::Duration:
      return write_quantity(duration_pattern, json);
    case OptionType::SignedDuration:
      return write_quantity(signed_duration_pattern, json);
    case OptionType::Size:
      return write_quantity(size_pattern, json);
    case OptionType::DurationOrCount:
      json.raw_member("type", "[\"string\", \"integer\"]");
      json.member("pattern", duration_pattern);
      return json.raw_member("minimum", "1");
    case OptionType::Name:
      return write_strings(json, name_pattern);
    case OptionType::Expression:
      return write_strings(json, nullptr);
    case OptionType::Choice:
      write_strings(json, nullptr);
      return write_choices(option, json);
    case OptionType::Text:
    case OptionType::Path:
      write_strings(json, nullptr);
      return write_bounds(option, "minLength", "maxLength", json);
    case OptionType::TextList:
      json.member("type", "array");
      write_bounds(option, "minItems", "maxItems", json);
      json.raw_member("items", "{ \"type\": \"string\" }");
      return;
    case OptionType::Fields:
      return write_named(field_names, json, [&] { write_strings(json, field_rules); });
    case OptionType::ExpressionTable:
      return write_named(field_names, json, [&] { write_strings(json, nullptr); });
    case OptionType::AggregateTable:
      return write_named(field_names, json, [&] { write_aggregate(json); });
    case OptionType::Table:
      if (!option.section) return json.member("type", "object");  // as the operator, or trigger, declares
      return write_section(*option.section, json);
    case OptionType::NamedTables:
      return write_named(name_pattern, json, [&] { write_section(*option.section, json); });
    case OptionType::TableArray:
      if (option.one_table_will_do) return write_one_or_several(option, json);
      json.member("type", "array");
      if (option.required) json.raw_member("minItems", "1");
      json.key("items");
      json.begin('{');
      write_section(*option.section, json);
      return json.end('}');
  }
}

void write_default(const Option& option, JsonText& json) {
  if (!option.standard) return;
  if (option.type == OptionType::Integer || option.type == OptionType::Number || option.type == OptionType::Boolean) {
    json.raw_member("default", option.standard);
  } else {
    json.member("default", option.standard);
  }
}

/// Of a step: which options each operator takes that a program has registered.
void write_operators(JsonText& json) {
  if (std::ranges::none_of(step_kinds(), [](const StepKind* kind) { return kind->custom; })) return;
  json.key("allOf");
  json.begin('[');
  for (const StepKind* kind : step_kinds()) {
    if (!kind->custom) continue;
    json.element();
    json.begin('{');
    json.raw_member("if", "{ \"required\": [\"operator\"], \"properties\": { \"operator\": { \"const\": \"" +
                              std::string(kind->verb) + "\" } } }");
    json.key("then");
    json.begin('{');
    json.key("properties");
    json.begin('{');
    json.key("options");
    json.begin('{');
    json.member("description", kind->documentation);
    write_section(section_of(*kind), json);
    for (int bracket = 0; bracket < 4; ++bracket) json.end('}');
  }
  json.end(']');
}

void write_section(const Section& section, JsonText& json) {
  json.member("type", "object");
  json.raw_member("additionalProperties", "false");
  bool any_required = false;
  for (const Option& option : section.options) any_required = any_required || option.required;
  if (any_required) {
    json.key("required");
    json.begin('[');
    for (const Option& option : section.options) {
      if (!option.required) continue;
      json.element();
      json.string(option.key);
    }
    json.end(']');
  }
  json.key("properties");
  json.begin('{');
  for (const Option& option : section.options) {
    json.key(option.key);
    json.begin('{');
    json.member("description",
                std::string(option.documentation) + (option.example ? std::string(" Example: ") + option.example : ""));
    write_type(option, json);
    write_default(option, json);
    json.end('}');
  }
  json.end('}');
  if (std::ranges::any_of(section.options, names_operators)) write_operators(json);
}

}  // namespace

std::string config_schema() {
  JsonText json;
  json.begin('{');
  json.member("$schema", "https://json-schema.org/draft/2020-12/schema");
  json.member("title", "weir configuration");
  write_section(config_section(), json);
  json.end('}');
  return json.take();
}

}  // namespace weir
