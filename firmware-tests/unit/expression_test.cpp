// What expressions yield: every operator with every type and null, precedence, and the stated results at the corners.
#include "agent/expression/expression.h"

#include "agent/base/heap_guard.h"
#include "firmware-tests/unit/expression_fixture.h"

#include <limits>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Expression) {
  ExpressionFixture fixture;

  template <size_t count>
  void results_are(const ExpectedText(&rows)[count]) {
    for (const ExpectedText& row : rows)
      STRCMP_EQUAL_TEXT(row.expected, fixture.result(row.expression).c_str(), row.expression);
  }
};

TEST(Expression, reads_literals) {
  results_are({
      {"5", "int 5"},
      {"0", "int 0"},
      {"007", "int 7"},
      {"-5", "int -5"},
      {"9223372036854775807", "int 9223372036854775807"},
      {"-9223372036854775808", "int -9223372036854775808"},
      {"- 9223372036854775808", "int -9223372036854775808"},
      {"2.5", "float 2.5"},
      {".5", "float 0.5"},
      {"1e3", "float 1000"},
      {"1E+3", "float 1000"},
      {"25e-1", "float 2.5"},
      {"-2.5", "float -2.5"},
      {"1.7976931348623157e308", "float 1.7976931348623157e+308"},
      {"'abc'", "string abc"},
      {"\"abc\"", "string abc"},
      {"''", "string "},
      {"'it''s'", "string it's"},
      {"\"say \"\"no\"\"\"", "string say \"no\""},
      {"'\"'", "string \""},
      {"'\\'", "string \\"},
      {"'\xC3\xA9'", "string \xC3\xA9"},
      {"true", "true"},
      {"FALSE", "false"},
      {"Null", "null"},
  });
}

TEST(Expression, reads_fields_of_every_type) {
  results_are({
      {"temperature", "float 21.5"},
      {"count", "int 7"},
      {"device", "string pump-01"},
      {"running", "true"},
      {"ts", "time 1700000000000"},
      {"`supply air`", "float 18.25"},
      {"`count`", "int 7"},
      {"no_bool", "null"},
      {"no_int", "null"},
      {"no_float", "null"},
      {"no_string", "null"},
      {"no_time", "null"},
  });
}

TEST(Expression, a_backtick_in_a_field_name_is_doubled) {
  fixture.add("a`b", Type::Int, Value::of_int(3));
  STRCMP_EQUAL("int 3", fixture.result("`a``b`").c_str());
}

TEST(Expression, a_keyword_names_a_field_in_backticks) {
  fixture.add("in", Type::Int, Value::of_int(3));
  STRCMP_EQUAL("true", fixture.result("`in` in (3)").c_str());
}

TEST(Expression, computes_with_ints) {
  results_are({
      {"7 + 2", "int 9"},
      {"7 - 9", "int -2"},
      {"7 * -2", "int -14"},
      {"7 / 2", "int 3"},
      {"-7 / 2", "int -3"},
      {"7 / -2", "int -3"},
      {"7 % 3", "int 1"},
      {"-7 % 3", "int -1"},
      {"7 % -3", "int 1"},
      {"-count", "int -7"},
      {"- -5", "int 5"},
      {"--count", "int 7"},
  });
}

TEST(Expression, an_int_result_that_does_not_fit_is_null) {
  results_are({
      {"9223372036854775806 + 1", "int 9223372036854775807"},
      {"9223372036854775807 + 1", "null"},
      {"-9223372036854775807 - 1", "int -9223372036854775808"},
      {"-9223372036854775808 - 1", "null"},
      {"3037000499 * 3037000499", "int 9223372030926249001"},
      {"3037000500 * 3037000500", "null"},
      {"-9223372036854775808 / -1", "null"},
      {"-9223372036854775807 / -1", "int 9223372036854775807"},
      {"-9223372036854775808 % -1", "int 0"},
      {"-(-9223372036854775808)", "null"},
      {"-(-9223372036854775807)", "int 9223372036854775807"},
      {"abs(-9223372036854775808)", "null"},
  });
}

TEST(Expression, division_by_zero_is_null) {
  results_are({
      {"1 / 0", "null"},
      {"1 % 0", "null"},
      {"1.0 / 0", "null"},
      {"1 / 0.0", "null"},
      {"1.5 % 0.0", "null"},
      {"0.0 / -0.0", "null"},
      {"0 / 5", "int 0"},
      {"0 % 5", "int 0"},
  });
}

TEST(Expression, computes_with_floats_and_mixtures) {
  results_are({
      {"1.5 + 2.25", "float 3.75"},
      {"1 + 0.5", "float 1.5"},
      {"0.5 + 1", "float 1.5"},
      {"1.5 - 2", "float -0.5"},
      {"3 * 0.5", "float 1.5"},
      {"7 / 2.0", "float 3.5"},
      {"7.5 % 2", "float 1.5"},
      {"-7.5 % 2", "float -1.5"},
      {"-temperature", "float -21.5"},
      {"9007199254740993 + 0.0", "float 9007199254740992"},
  });
}

TEST(Expression, a_float_result_that_is_not_finite_is_null) {
  results_are({
      {"1e308 * 10", "null"},
      {"1e308 + 1e308", "null"},
      {"-1e308 - 1e308", "null"},
      {"1e308 / 1e-10", "null"},
      {"1e308 * 1.5", "float 1.5e+308"},
  });
}

TEST(Expression, a_field_that_is_not_finite_reads_as_null) {
  fixture.set("temperature", Value::of_float(std::numeric_limits<double>::quiet_NaN()));
  fixture.set("limit", Value::of_float(std::numeric_limits<double>::infinity()));
  results_are({{"temperature", "null"},
               {"limit", "null"},
               {"temperature is null", "true"},
               {"limit > 5", "null"},
               {"limit between 1 and 5", "null"},
               {"coalesce(temperature, 1.0)", "float 1"}});
}

TEST(Expression, computes_with_times) {
  results_are({
      {"ts - seen", "int 1000"},
      {"ts + 500", "time 1700000000500"},
      {"500 + ts", "time 1700000000500"},
      {"ts - 500", "time 1699999999500"},
      {"ts - 500 - seen", "int 500"},
      {"ts + 9223372036854775807", "null"},
      {"ts - no_time", "null"},
      {"ts + no_int", "null"},
  });
}

TEST(Expression, arithmetic_with_null_is_null) {
  for (const char* sign : {"+", "-", "*", "/", "%"}) {
    for (const char* pair :
         {"no_int|1", "1|no_int", "no_float|1", "1|no_float", "no_float|1.5", "null|1", "1.5|null", "null|null"}) {
      std::string text = pair;
      text.replace(text.find('|'), 1, std::string(" ") + sign + " ");
      STRCMP_EQUAL_TEXT("null", fixture.result(text).c_str(), text.c_str());
    }
  }
  results_are({{"-no_int", "null"}, {"-no_float", "null"}, {"-null", "null"}});
}

TEST(Expression, compares_values_of_every_type) {
  struct Row {
    const char* smaller;
    const char* greater;
  };
  constexpr Row rows[] = {
      {"1", "2"},
      {"-1", "0"},
      {"1.5", "1.75"},
      {"1", "1.5"},
      {"1.5", "2"},
      {"'a'", "'b'"},
      {"''", "'a'"},
      {"'a'", "'ab'"},
      {"'B'", "'a'"},
      {"'z'", "'\xC3\xA9'"},
      {"seen", "ts"},
      {"5", "ts"},
      {"ts", "1700000000001"},
      {"-9223372036854775808", "9223372036854775807"},
  };
  for (const Row& row : rows) {
    auto check = [&](const char* left, const char* sign, const char* right, const char* expected) {
      std::string text = std::string(left) + sign + right;
      STRCMP_EQUAL_TEXT(expected, fixture.result(text).c_str(), text.c_str());
    };
    for (const char* sign : {" < ", " <= ", " != ", " <> "}) {
      check(row.smaller, sign, row.greater, "true");
    }
    for (const char* sign : {" > ", " >= ", " = ", " == "}) check(row.smaller, sign, row.greater, "false");
    for (const char* sign : {" > ", " >= ", " != "}) check(row.greater, sign, row.smaller, "true");
    for (const char* sign : {" < ", " <= ", " = "}) check(row.greater, sign, row.smaller, "false");
    for (const char* sign : {" <= ", " >= ", " = ", " == "}) check(row.smaller, sign, row.smaller, "true");
    for (const char* sign : {" < ", " > ", " != ", " <> "}) check(row.smaller, sign, row.smaller, "false");
  }
}

TEST(Expression, compares_fields_with_constants_and_with_fields) {
  results_are({
      {"temperature > 21", "true"},
      {"temperature > 21.5", "false"},
      {"temperature >= 21.5", "true"},
      {"21.5 = temperature", "true"},
      {"count = 7", "true"},
      {"count < 7.5", "true"},
      {"device = 'pump-01'", "true"},
      {"device != 'pump-02'", "true"},
      {"running = true", "true"},
      {"running != running", "false"},
      {"ts > 0", "true"},
      {"temperature < limit", "true"},
      {"no_float < 5", "null"},
      {"no_int = no_int", "null"},
      {"no_string = 'a'", "null"},
      {"no_bool = true", "null"},
      {"no_time > 5", "null"},
      {"temperature = null", "null"},
      {"null != null", "null"},
  });
}

TEST(Expression, compares_int_with_float_as_exact_numbers) {
  results_are({
      {"9007199254740993 > 9007199254740992.0", "true"},
      {"9007199254740993 = 9007199254740992.0", "false"},
      {"9007199254740992 = 9007199254740992.0", "true"},
      {"9007199254740992.0 < 9007199254740993", "true"},
      {"9223372036854775807 < 9223372036854775808.0", "true"},
      {"9223372036854775807 = 9223372036854775808.0", "false"},
      {"-9223372036854775808 = -9223372036854775808.0", "true"},
      {"-9223372036854775808 > -9223372036854777856.0", "true"},
      {"1e300 > 9223372036854775807", "true"},
      {"-1e300 < -9223372036854775808", "true"},
      {"-1 > -1.5", "true"},
      {"-2 < -1.5", "true"},
      {"1 < 1.5", "true"},
      {"2 > 1.5", "true"},
      {"0 = -0.0", "true"},
      {"0.0 = -0.0", "true"},
      {"0 < 5e-324", "true"},
      {"0 > -5e-324", "true"},
  });
  fixture.set("limit", Value::of_float(9007199254740992.0));
  results_are({{"limit < 9007199254740993", "true"},
               {"limit = 9007199254740993", "false"},
               {"limit = 9007199254740992", "true"},
               {"limit between 9007199254740991 and 9007199254740993", "true"},
               {"limit between 9007199254740993 and 9007199254740994", "false"}});
  fixture.set("count", Value::of_int(9007199254740993));
  results_are({{"count > 9007199254740992.0", "true"}, {"count between 1 and 9007199254740992.0", "false"}});
}

TEST(Expression, and_follows_three_valued_logic) {
  results_are({
      {"true and true", "true"},
      {"true and false", "false"},
      {"true and null", "null"},
      {"false and true", "false"},
      {"false and false", "false"},
      {"false and null", "false"},
      {"null and true", "null"},
      {"null and false", "false"},
      {"null and null", "null"},
      {"running && no_bool", "null"},
  });
}

TEST(Expression, or_follows_three_valued_logic) {
  results_are({
      {"true or true", "true"},
      {"true or false", "true"},
      {"true or null", "true"},
      {"false or true", "true"},
      {"false or false", "false"},
      {"false or null", "null"},
      {"null or true", "true"},
      {"null or false", "null"},
      {"null or null", "null"},
      {"no_bool || running", "true"},
  });
}

TEST(Expression, not_follows_three_valued_logic) {
  results_are({{"not true", "false"},
               {"not false", "true"},
               {"not null", "null"},
               {"!running", "false"},
               {"not not running", "true"},
               {"!!no_bool", "null"}});
}

TEST(Expression, between_includes_both_ends) {
  results_are({
      {"5 between 5 and 6", "true"},
      {"6 between 5 and 6", "true"},
      {"4 between 5 and 6", "false"},
      {"7 between 5 and 6", "false"},
      {"5 between 6 and 5", "false"},
      {"5 not between 5 and 6", "false"},
      {"4 not between 5 and 6", "true"},
      {"temperature between -40 and 125", "true"},
      {"temperature between 21.5 and 21.5", "true"},
      {"temperature between 22 and 125", "false"},
      {"temperature not between 22 and 125", "true"},
      {"temperature between -40 and limit", "true"},
      {"'b' between 'a' and 'c'", "true"},
      {"ts between seen and ts", "true"},
      {"ts between 0 and 5", "false"},
      {"2 between 1.5 and 3", "true"},
      {"no_float between -40 and 125", "null"},
      {"no_float not between -40 and 125", "null"},
      {"5 between null and 9", "null"},
      {"5 between null and 4", "false"},
      {"5 between 6 and null", "false"},
      {"5 not between 6 and null", "true"},
  });
}

TEST(Expression, in_compares_with_each_as_sql_does) {
  results_are({
      {"count in (1, 7)", "true"},
      {"count in (7)", "true"},
      {"count in (1, 2)", "false"},
      {"count in (6.5, 7.0)", "true"},
      {"count not in (1, 7)", "false"},
      {"count not in (1, 2)", "true"},
      {"device in ('pump-00', 'pump-01')", "true"},
      {"running in (true)", "true"},
      {"ts in (5, ts)", "true"},
      {"count in (1, null)", "null"},
      {"count in (null, 7)", "true"},
      {"count in (7, null)", "true"},
      {"count not in (1, null)", "null"},
      {"count not in (7, null)", "false"},
      {"no_int in (1, 2)", "null"},
      {"null in (1)", "null"},
      {"count in (3 + 4, count - 1)", "true"},
      {"count + 1 in (8)", "true"},
  });
}

TEST(Expression, like_matches_patterns) {
  results_are({
      {"'abc' like 'abc'", "true"},
      {"'abc' like 'ab'", "false"},
      {"'abc' like 'ABC'", "false"},
      {"'abc' like 'a%'", "true"},
      {"'abc' like '%c'", "true"},
      {"'abc' like '%b%'", "true"},
      {"'abc' like '%d%'", "false"},
      {"'abc' like '%'", "true"},
      {"'' like '%'", "true"},
      {"'' like ''", "true"},
      {"'' like '_'", "false"},
      {"'a' like ''", "false"},
      {"'abc' like '___'", "true"},
      {"'abc' like '__'", "false"},
      {"'abc' like '____'", "false"},
      {"'abc' like 'a%c%'", "true"},
      {"'abcbc' like 'a%bc'", "true"},
      {"'aab' like '%ab'", "true"},
      {"'\xC3\xA9' like '_'", "true"},
      {"'\xC3\xA9' like '__'", "false"},
      {"'\xC3\xA9x' like '%__'", "true"},
      {"'\xC3\xA9x' like '%___'", "false"},
      {"'50%' like '50\\%'", "true"},
      {"'50x' like '50\\%'", "false"},
      {"'a_b' like 'a\\_b'", "true"},
      {"'axb' like 'a\\_b'", "false"},
      {"'a\\' like 'a\\\\'", "true"},
      {"'a\\' like 'a\\'", "true"},
      {"'abc' not like 'a%'", "false"},
      {"'abc' not like 'b%'", "true"},
      {"device like 'pump-__'", "true"},
      {"no_string like '%'", "null"},
      {"no_string not like '%'", "null"},
      {"device like null", "null"},
      {"device like no_string", "null"},
  });
}

TEST(Expression, is_null_is_never_null) {
  for (const char* absent : {"no_bool", "no_int", "no_float", "no_string", "no_time", "null", "(1 / 0)"}) {
    STRCMP_EQUAL("true", fixture.result(std::string(absent) + " is null").c_str());
    STRCMP_EQUAL("false", fixture.result(std::string(absent) + " is not null").c_str());
  }
  for (const char* present : {"running", "count", "temperature", "device", "ts", "0", "''", "false"}) {
    STRCMP_EQUAL("false", fixture.result(std::string(present) + " is null").c_str());
    STRCMP_EQUAL("true", fixture.result(std::string(present) + " is not null").c_str());
  }
}

TEST(Expression, a_choice_takes_the_last_branch_unless_its_condition_is_true) {
  results_are({
      {"true ? 1 : 2", "int 1"},
      {"false ? 1 : 2", "int 2"},
      {"null ? 1 : 2", "int 2"},
      {"no_bool ? 'a' : 'b'", "string b"},
      {"true ? 1 : 2.5", "float 1"},
      {"false ? 1.5 : 2", "float 2"},
      {"true ? null : 2", "null"},
      {"false ? null : 2", "int 2"},
      {"false ? 1 : true ? 2 : 3", "int 2"},
      {"false ? 1 : false ? 2 : 3", "int 3"},
      {"true ? false ? 1 : 2 : 3", "int 2"},
      {"count > 5 ? ts : seen", "time 1700000000000"},
      {"null ? null : null", "null"},
  });
}

TEST(Expression, the_first_that_is_not_null_is_chosen) {
  results_are({
      {"no_int ?? 3", "int 3"},
      {"count ?? 3", "int 7"},
      {"no_int ?? no_int ?? 3", "int 3"},
      {"no_int ?? no_int", "null"},
      {"no_int ?? 2.5", "float 2.5"},
      {"count ?? 2.5", "float 7"},
      {"no_string ?? 'none'", "string none"},
      {"null ?? ts", "time 1700000000000"},
      {"null ?? null", "null"},
      {"coalesce(no_int, null, 4, 5)", "int 4"},
      {"coalesce(no_int, no_int)", "null"},
      {"coalesce(count, 2.5)", "float 7"},
      {"coalesce(null, no_bool, true)", "true"},
  });
}

TEST(Expression, calls_functions) {
  results_are({
      {"abs(-5)", "int 5"},
      {"abs(5)", "int 5"},
      {"abs(-2.5)", "float 2.5"},
      {"ABS(-5)", "int 5"},
      {"abs(no_int)", "null"},
      {"round(2.5)", "float 3"},
      {"round(-2.5)", "float -3"},
      {"round(2.4)", "float 2"},
      {"round(7)", "int 7"},
      {"floor(-2.5)", "float -3"},
      {"floor(2.5)", "float 2"},
      {"floor(7)", "int 7"},
      {"ceil(2.1)", "float 3"},
      {"ceil(-2.1)", "float -2"},
      {"ceil(no_float)", "null"},
      {"min(3, 1, 2)", "int 1"},
      {"max(3, 1, 2)", "int 3"},
      {"min(3, 1.5)", "float 1.5"},
      {"max(3, 1.5)", "float 3"},
      {"max(1.5, count, 3)", "float 7"},
      {"min('b', 'a')", "string a"},
      {"max(ts, seen)", "time 1700000000000"},
      {"max(1, no_int)", "null"},
      {"min(null, 2)", "null"},
      {"length('abc')", "int 3"},
      {"length('')", "int 0"},
      {"length('\xC3\xA9')", "int 1"},
      {"length(no_string)", "null"},
      {"abs(min(-3, count)) + 1", "int 4"},
      {"max(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16)", "int 16"},
  });
}

TEST(Expression, binds_by_precedence) {
  results_are({
      {"1 + 2 * 3", "int 7"},
      {"(1 + 2) * 3", "int 9"},
      {"10 - 2 - 3", "int 5"},
      {"24 / 4 / 2", "int 3"},
      {"24 / 4 * 2", "int 12"},
      {"7 % 4 * 2", "int 6"},
      {"-2 + 3", "int 1"},
      {"-count * 2", "int -14"},
      {"2 - -3", "int 5"},
      {"2--3", "int 5"},
      {"1 + 2 < 4", "true"},
      {"true or true and false", "true"},
      {"(true or true) and false", "false"},
      {"not false and false", "false"},
      {"not (false and false)", "true"},
      {"not 1 = 2", "true"},
      {"not true or true", "true"},
      {"not null is null", "false"},
      {"(not null) is null", "true"},
      {"! running = false", "true"},
      {"1 < 2 = true", "true"},
      {"no_int ?? 1 + 2", "int 3"},
      {"count ?? 1 + 2", "int 7"},
      {"1 < no_int ?? 5", "true"},
      {"no_int ?? 5 = 5", "true"},
      {"count - 1 between 5 + 1 and 3 * 2 and running", "true"},
      {"count between 1 and 9 or false", "true"},
      {"true or false ? 1 : 2", "int 1"},
      {"false ? 1 : 2 + 3", "int 5"},
      {"count in (7) and running", "true"},
      {"not count in (8)", "true"},
      {"not count not in (8)", "false"},
      {"device like 'pump%' and not device like '%2'", "true"},
      {"no_int is null = true", "true"},
      {"count + 1 is null", "false"},
  });
}

TEST(Expression, yields_a_type_that_is_settled_when_compiling) {
  constexpr ExpectedText rows[] = {
      {"null", "null"},
      {"null ?? null", "null"},
      {"null + null", "int"},
      {"no_int + 1", "int"},
      {"count / 2", "int"},
      {"count / 2.0", "float"},
      {"ts - seen", "int"},
      {"ts - null", "time"},
      {"null - ts", "int"},
      {"null + ts", "time"},
      {"null = 1", "bool"},
      {"null and true", "bool"},
      {"null ? 1 : 2.0", "float"},
      {"no_int ?? 1.5", "float"},
      {"abs(null)", "int"},
      {"length(null)", "int"},
      {"min(1, null)", "int"},
      {"max(1, 2.5)", "float"},
      {"-null", "int"},
      {"device", "string"},
      {"null ?? device", "string"},
  };
  for (const ExpectedText& row : rows) STRCMP_EQUAL_TEXT(row.expected, fixture.type_of(row.expression).c_str(), row.expression);
}

TEST(Expression, an_int_is_taken_where_a_float_is_expected) {
  STRCMP_EQUAL("float 7", fixture.result("count", Type::Float).c_str());
  STRCMP_EQUAL("null", fixture.result("no_int", Type::Float).c_str());
  CHECK(fixture.program.type() == Type::Float);
}

TEST(Expression, bounds_the_length_of_a_string_result) {
  struct Row {
    const char* text;
    uint32_t bytes;
  };
  constexpr Row rows[] = {{"device", 16},
                          {"'abc'", 3},
                          {"'it''s'", 4},
                          {"no_int is null ? 'four' : 'sixsix'", 6},
                          {"device ?? 'x'", 16},
                          {"'a' ?? device", 16},
                          {"coalesce('ab', device)", 16},
                          {"min('a', 'bcd')", 3},
                          {"length(device)", 0},
                          {"count", 0},
                          {"device = 'x'", 0}};
  for (const Row& row : rows) {
    CHECK_TRUE_TEXT(fixture.compile(row.text), row.text);
    UNSIGNED_LONGS_EQUAL_TEXT(row.bytes, fixture.program.max_length(), row.text);
  }
}

TEST(Expression, a_string_constant_lives_as_long_as_its_program) {
  std::string text = "running ? 'a rather long constant, beyond any small buffer' : 'b'";
  CHECK(fixture.compile(text));
  Program moved = std::move(fixture.program);
  text.assign(text.size(), '#');
  CHECK(fixture.program.empty());
  CHECK(moved.evaluate(fixture.values).as_string() == "a rather long constant, beyond any small buffer");
}

TEST(Expression, an_empty_program_has_no_type) {
  Program program;
  CHECK(program.empty());
  CHECK(program.type() == Type::Null);
  UNSIGNED_LONGS_EQUAL(0, program.max_length());
}

TEST(Expression, a_failed_compilation_leaves_the_program_empty) {
  CHECK(fixture.compile("count"));
  CHECK_FALSE(fixture.compile("coun"));
  CHECK(fixture.program.empty());
}

TEST(Expression, evaluating_takes_nothing_from_the_heap) {
  CHECK(
      fixture.compile("device like '%p%1' and count in (1, 2, 7) and coalesce(no_float, temperature, 1) between -40 and limit "
                      "? max(count, 2.5, temperature) : length(device) + abs(count) % 3"));
  heap_guard_arm();
  Value value = fixture.program.evaluate(fixture.values);
  uint64_t allocations = heap_allocations(HeapOwner::Weir);
  heap_guard_disarm();
  STRCMP_EQUAL("float 21.5", value_text(value).c_str());
  UNSIGNED_LONGS_EQUAL(0, allocations);
}

TEST(Expression, a_hostile_pattern_ends_soon) {
  fixture.schema = Schema();
  fixture.values.clear();
  std::string many_a(1000, 'a');
  fixture.add("text", Type::String, Value::of_string(many_a));
  std::string pattern;
  for (int i = 0; i < 400; ++i) pattern += "%a";
  STRCMP_EQUAL("false", fixture.result("text like '" + pattern + "b'").c_str());
  STRCMP_EQUAL("true", fixture.result("text like '" + pattern + "'").c_str());
}
