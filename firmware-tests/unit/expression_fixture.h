// ExpressionFixture: one schema, one record, and results and errors as text, so that tests of expressions can be tables.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/text_writer.h"
#include "agent/expression/expression.h"

namespace weir {

/// "int 7", "float 2.5", "string abc", "time 5", "true", "false" or "null".
inline std::string value_text(Value value) {
  char buffer[64];
  TextWriter writer(buffer);
  switch (value.type()) {
    case Type::Null:
      return "null";
    case Type::Bool:
      return value.as_bool() ? "true" : "false";
    case Type::String:
      return "string " + std::string(value.as_string());
    case Type::Float:
      return "float " + std::string(writer.append_double(value.as_float()).text());
    case Type::Int:
    case Type::Time:
      return type_name(value.type()) + (" " + std::string(writer.append_int(value.as_int()).text()));
  }
  return "?";
}

/// "4+3 unknown field "x"; nearest: "y"": offset, length, message and suggestion.
inline std::string error_text(const ExpressionError& error) {
  std::string text = std::to_string(error.offset) + "+" + std::to_string(error.length) + " " + error.message;
  return error.suggestion.empty() ? text : text + "; nearest: \"" + error.suggestion + "\"";
}

class ExpressionFixture {
 public:
  ExpressionFixture() {
    add("temperature", Type::Float, Value::of_float(21.5));
    add("limit", Type::Float, Value::of_float(80));
    add("count", Type::Int, Value::of_int(7));
    add("device", Type::String, Value::of_string("pump-01"));
    add("running", Type::Bool, Value::of_bool(true));
    add("ts", Type::Time, Value::of_time(1700000000000));
    add("seen", Type::Time, Value::of_time(1699999999000));
    add("supply air", Type::Float, Value::of_float(18.25));
    // One absent value of each type.
    add("no_bool", Type::Bool, Value::null());
    add("no_int", Type::Int, Value::null());
    add("no_float", Type::Float, Value::null());
    add("no_string", Type::String, Value::null());
    add("no_time", Type::Time, Value::null());
    schema.add({"topic[1]", Type::String, 16, false, 1});
    values.push_back(Value::of_string("hall-2"));
  }

  void add(const char* name, Type type, Value value) {
    schema.add({name, type, type == Type::String ? 16u : 0u});
    values.push_back(value);
  }

  void set(const char* name, Value value) { values[static_cast<size_t>(schema.find(name))] = value; }

  bool compile(std::string_view text, Type expected = Type::Null) {
    errors.clear();
    if (!compile_expression(text, schema, expected, program, errors)) return false;
    scratch.assign(program.scratch_bytes(), '#');
    program.bind_scratch(scratch);
    return true;
  }

  /// The result, or the errors.
  std::string result(std::string_view text, Type expected = Type::Null) {
    if (!compile(text, expected)) return "error: " + error_texts();
    Value value = program.evaluate(values);
    if (!value.is_null() && value.type() != program.type()) return "a value of another type than the program's";
    return value_text(value);
  }

  std::string type_of(std::string_view text) { return compile(text) ? type_name(program.type()) : "error: " + error_texts(); }

  /// The errors of `text`, one after the other with " | " between.
  std::string errors_of(std::string_view text, Type expected = Type::Null) {
    return compile(text, expected) ? "no error" : error_texts();
  }

  std::string error_texts() const {
    std::string all;
    for (const ExpressionError& error : errors) all += (all.empty() ? "" : " | ") + error_text(error);
    return all;
  }

  Schema schema;
  std::vector<Value> values;
  Program program;
  std::vector<ExpressionError> errors;
  std::vector<char> scratch;  // exactly as much as the program asks for
};

struct ExpectedText {
  const char* expression;
  const char* expected;
};

}  // namespace weir
