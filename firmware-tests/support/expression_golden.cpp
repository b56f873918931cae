#include "firmware-tests/support/expression_golden.h"

#include <cinttypes>
#include <cstdio>
#include <vector>

#include "agent/expression/expression.h"
#include "agent/expression/functions.h"
#include "firmware-tests/unit/expression_fixture.h"

namespace weir::test {
namespace {

// Floats that are corners of formats and of functions, and some that are like readings.
constexpr const char* floats[] = {
    "0.0",
    "-0.0",
    "1.0",
    "-1.0",
    "0.5",
    "-2.5",
    "1e-300",
    "5e-324",
    "1.7976931348623157e308",
    "-1e308",
    "0.1",
    "3.141592653589793",
    "1.5707963267948966",
    "100.25",
    "-273.15",
    "21.5",
    "1e10",
    "9007199254740993.0",
    "9223372036854775807.0",
    "-9223372036854775808.0",
    "0.3333333333333333",
    "12345.678",
    "710.5",
    "-745.13",
};

constexpr const char* ints[] = {"0",  "1", "-1", "7", "-40", "1000000007", "9223372036854775807", "-9223372036854775808",
                                "63", "64"};

constexpr const char* texts[] = {"''",       "'abc'",     "'-12'",  "'2.50'",
                                 "'1e3'",    "'true'",    "' a\t'", "'\xC3\xA4\xE2\x82\xAC z'",
                                 "'a/b//c'", "'Pump-01'", "'0x10'", "'1e999'"};

constexpr const char* times[] = {"ts",
                                 "seen",
                                 "(ts - 1700000000001)",
                                 "(ts + 7776000000)",
                                 "(ts - 12345678901)",
                                 "(ts + 251702300799999)",
                                 "(ts - 63835596800000)",
                                 "(ts + 251702300800000)"};

constexpr const char* zones[] = {"'UTC'", "'+05:30'", "'CET-1CEST,M3.5.0,M10.5.0/3'", "'EST5EDT,M3.2.0,M11.1.0'"};

std::string text_of(Value value) {
  if (value.type() != Type::Float) return value_text(value);
  char buffer[64];
  snprintf(buffer, sizeof buffer, "float %a", value.as_float());
  return buffer;
}

class Golden {
 public:
  void add(const std::string& expression) {
    if (!fixture_.compile(expression)) {
      text_ += expression + " => error: " + fixture_.error_texts() + "\n";
      return;
    }
    text_ += expression + " => " + text_of(fixture_.program.evaluate(fixture_.values)) + "\n";
  }

  template <class First>
  void unary(std::initializer_list<const char*> names, const First& values) {
    for (const char* name : names)
      for (const char* value : values) add(std::string(name) + "(" + value + ")");
  }

  template <class First, class Second>
  void binary(std::initializer_list<const char*> names, const First& lefts, const Second& rights) {
    for (const char* name : names)
      for (const char* left : lefts)
        for (const char* right : rights) add(std::string(name) + "(" + left + ", " + right + ")");
  }

  template <class First, class Second>
  void infix(std::initializer_list<const char*> signs, const First& lefts, const Second& rights) {
    for (const char* sign : signs)
      for (const char* left : lefts)
        for (const char* right : rights) add(std::string(left) + " " + sign + " " + right);
  }

  std::string take() { return std::move(text_); }

 private:
  ExpressionFixture fixture_;
  std::string text_;
};

/// More ordinary arguments of the functions that are not exact.
void add_sweeps(Golden& golden) {
  for (const char* name : {"exp", "ln", "log10", "sin", "cos", "tan", "sqrt"})
    for (int step = 1; step <= 60; ++step)
      golden.add(std::string(name) + "(" + std::to_string(step * step) + " * 0.173 + 1e-3)");
  for (int step = 1; step <= 60; ++step) {
    golden.add("pow(" + std::to_string(step) + " * 0.37, " + std::to_string(step - 30) + " * 0.71)");
    golden.add("atan2(" + std::to_string(step - 30) + " * 0.7, " + std::to_string(step * 7 % 31 - 15) + ")");
  }
}

void add_times(Golden& golden) {
  for (const char* time : times) {
    golden.add(std::string("to_string(") + time + ")");
    for (const char* zone : zones) {
      for (const char* part : {"year", "month", "day", "hour", "minute", "second", "day_of_week"})
        golden.add(std::string(part) + "(" + time + ", " + zone + ")");
      for (const char* unit : {"ms", "second", "minute", "hour", "day", "week", "month", "quarter", "year"})
        golden.add(std::string("truncate_time(") + time + ", '" + unit + "', " + zone + ")");
    }
    for (const char* unit : {"ms", "second", "minute", "hour", "day", "week"})
      golden.add(std::string("time_diff(") + time + ", seen, '" + unit + "')");
  }
}

void add_texts(Golden& golden) {
  golden.unary({"length", "lower", "upper", "trim", "hash", "to_int", "to_float", "to_string", "to_bool"}, texts);
  golden.binary({"contains", "starts_with", "ends_with", "matches"}, texts, texts);
  for (const char* text : texts) {
    for (const char* range : {"0, 2", "1", "-2", "-1, 1", "2, 9", "1, -1"})
      golden.add(std::string("substr(") + text + ", " + range + ")");
    for (const char* part : {"0", "1", "-1", "9"}) golden.add(std::string("split_part(") + text + ", '/', " + part + ")");
    golden.add(std::string("replace(") + text + ", 'a', 'xyz')");
    golden.add(std::string("concat(") + text + ", '|', " + text + ")");
  }
}

}  // namespace

std::string expression_golden_text() {
  Golden golden;
  for (const Function& function : functions())
    golden.add(std::string(function.example.substr(0, function.example.find(" => "))));
  golden.unary({"abs", "sign", "round", "floor", "ceil", "trunc", "sqrt", "exp", "ln", "log10", "sin", "cos", "tan", "to_int",
                "to_string", "to_bool", "hash"},
               floats);
  constexpr const char* decimals[] = {"0", "1", "2", "3", "15", "22", "23", "-1", "-2", "-19", "-22", "-23"};
  golden.binary({"round"}, floats, decimals);
  golden.binary({"round"}, ints, decimals);
  golden.unary({"abs", "sign", "sqrt", "exp", "ln", "sin", "to_float", "to_string", "to_bool", "bit_not", "hash"}, ints);
  golden.binary({"pow", "atan2", "min", "max", "nullif"}, floats, floats);
  golden.binary({"bit_and", "bit_or", "bit_xor", "shift_left", "shift_right", "bit_test"}, ints, ints);
  golden.infix({"+", "-", "*", "/", "%", "<", "="}, floats, floats);
  golden.infix({"+", "-", "*", "/", "%", "<", "="}, ints, ints);
  golden.infix({"*", "/", "<", "="}, ints, floats);
  add_sweeps(golden);
  add_texts(golden);
  add_times(golden);
  return golden.take();
}

}  // namespace weir::test
