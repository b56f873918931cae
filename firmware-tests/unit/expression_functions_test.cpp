// Every function of expressions: ordinary results, both sides of its limits, null, and what its arguments may not be.
#include "agent/base/heap_guard.h"
#include "agent/expression/bytecode.h"
#include "agent/expression/functions.h"
#include "firmware-tests/unit/expression_fixture.h"

#include <set>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

std::string without_result(const Function& function) {
  return std::string(function.example.substr(0, function.example.find(" => ")));
}

}  // namespace

TEST_GROUP(ExpressionFunctions) {
  ExpressionFixture fixture;

  void results_are(const std::vector<ExpectedText>& rows) {
    for (const ExpectedText& row : rows)
      STRCMP_EQUAL_TEXT(row.expected, fixture.result(row.expression).c_str(), row.expression);
  }

  void errors_are(const std::vector<ExpectedText>& rows) {
    for (const ExpectedText& row : rows)
      STRCMP_EQUAL_TEXT(row.expected, fixture.errors_of(row.expression).c_str(), row.expression);
  }

  void needs(size_t scratch, uint32_t length, const char* text) {
    CHECK_TRUE_TEXT(fixture.compile(text), text);
    UNSIGNED_LONGS_EQUAL_TEXT(scratch, fixture.program.scratch_bytes(), text);
    UNSIGNED_LONGS_EQUAL_TEXT(length, fixture.program.max_length(), text);
  }
};

TEST(ExpressionFunctions, every_example_gives_what_its_row_states) {
  for (const Function& function : functions()) {
    const size_t arrow = function.example.find(" => ");
    CHECK_TRUE_TEXT(arrow != std::string_view::npos, function.name.data());
    const std::string stated(function.example.substr(arrow + 4));
    STRCMP_EQUAL_TEXT(stated.c_str(), fixture.result(without_result(function)).c_str(), function.name.data());
    CHECK_TRUE_TEXT(function.signature.starts_with(std::string(function.name) + "("), function.name.data());
    CHECK_TRUE_TEXT(function.example.find(function.name) != std::string_view::npos, function.name.data());
    CHECK_TRUE_TEXT(!function.summary.empty() && function.summary.size() <= 120, function.name.data());
  }
}

TEST(ExpressionFunctions, names_are_told_apart_by_more_than_case_and_stand_by_group) {
  std::set<std::string_view> names;
  FunctionGroup group = FunctionGroup::Choices;
  for (const Function& function : functions()) {
    CHECK_TRUE_TEXT(names.insert(function.name).second, function.name.data());
    CHECK_TRUE_TEXT(function.group >= group, function.name.data());
    group = function.group;
    const bool one_way =
        (function.apply != nullptr) + (function.apply_aided != nullptr) + (function.written_out != WrittenOut::No) == 1;
    CHECK_TRUE_TEXT(one_way, function.name.data());
    POINTERS_EQUAL(&function, &functions()[static_cast<size_t>(find_function(function.name))]);
  }
}

TEST(ExpressionFunctions, a_null_argument_makes_the_call_null) {
  const char* nulls[] = {"no_bool", "no_int", "no_float", "no_string", "no_time"};
  for (const Function& function : functions()) {
    if (function.written_out != WrittenOut::No || function.sees_null) continue;
    const std::string name(function.name);
    for (const char* null : nulls) {
      std::string call = name + "(" + null;
      for (size_t argument = 1; argument < function.arguments_min; ++argument) {
        const Takes takes = function.takes_at(argument);
        if (takes == Takes::Unit || takes == Takes::Duration)
          call += ", 'day'";
        else
          call += ", null";
      }
      call += ")";
      if (fixture.compile(call)) STRCMP_EQUAL_TEXT("null", fixture.result(call).c_str(), call.c_str());
    }
    std::string all_null = name + "(null";
    for (size_t argument = 1; argument < function.arguments_min; ++argument)
      all_null += is_literal(function.takes_at(argument)) ? ", 'day'" : ", null";
    STRCMP_EQUAL_TEXT("null", fixture.result(all_null + ")").c_str(), all_null.c_str());
  }
}

TEST(ExpressionFunctions, choices) {
  results_are({
      {"if(true, 1, 2)", "int 1"},
      {"if(false, 1, 2)", "int 2"},
      {"if(no_bool, 1, 2)", "int 2"},
      {"if(null, 1, 2)", "int 2"},
      {"if(count > 5, 1, 2.5)", "float 1"},
      {"if(count > 9, 1.5, 2)", "float 2"},
      {"if(running, if(false, 1, 2), 3) + 1", "int 3"},
      {"IF(running, null, 'a')", "null"},
      {"nullif(7, count)", "null"},
      {"nullif(8, count)", "int 8"},
      {"nullif(count, no_int)", "int 7"},
      {"nullif(no_int, count)", "null"},
      {"nullif(null, null)", "null"},
      {"nullif(count, 7.0)", "null"},
      {"nullif(count, 7.5)", "float 7"},
      {"nullif(device, 'pump-01')", "null"},
      {"nullif(device, 'x')", "string pump-01"},
      {"nullif(running, true)", "null"},
      {"nullif(running, false)", "true"},
      {"nullif(ts, ts)", "null"},
      {"is_null(1 / 0)", "true"},
      {"is_null(null)", "true"},
      {"is_null(count)", "false"},
      {"clamp(5, 1, 9)", "int 5"},
      {"clamp(1, 1, 9)", "int 1"},
      {"clamp(0, 1, 9)", "int 1"},
      {"clamp(9, 1, 9)", "int 9"},
      {"clamp(10, 1, 9)", "int 9"},
      {"clamp(5, 9, 1)", "null"},
      {"clamp(5, 9, 9)", "int 9"},
      {"clamp(5, 1.5, 9)", "float 5"},
      {"clamp('m', 'a', 'c')", "string c"},
      {"clamp(ts, seen, seen)", "time 1699999999000"},
      {"clamp(no_int, 1, 9)", "null"},
      {"clamp(5, null, 9)", "null"},
  });
}

TEST(ExpressionFunctions, signs_and_whole_numbers) {
  results_are({
      {"abs(-9223372036854775808)", "null"},
      {"abs(-9223372036854775807)", "int 9223372036854775807"},
      {"sign(-3)", "int -1"},
      {"sign(0)", "int 0"},
      {"sign(9223372036854775807)", "int 1"},
      {"sign(-0.0)", "int 0"},
      {"sign(5e-324)", "int 1"},
      {"sign(no_float)", "null"},
      {"trunc(2.9)", "float 2"},
      {"trunc(-2.9)", "float -2"},
      {"trunc(-0.5)", "float -0"},
      {"trunc(7)", "int 7"},
      {"round(0.49999999999999994)", "float 0"},
      {"round(4503599627370497.5)", "float 4503599627370498"},
      {"ceil(-0.5)", "float -0"},
  });
}

TEST(ExpressionFunctions, rounding_to_decimals_looks_at_the_exact_value) {
  results_are({
      {"round(temperature, 0)", "float 22"},
      {"round(0.25, 1)", "float 0.3"},
      {"round(-0.25, 1)", "float -0.3"},
      {"round(0.35, 1)", "float 0.3"},    // 0.34999999999999997...
      {"round(0.45, 1)", "float 0.5"},    // 0.450000000000000011...
      {"round(1.115, 2)", "float 1.11"},  // less, although 1.115 * 100 is rounded up to 111.50000000000001
      {"round(1.005, 2)", "float 1"},     // 1.00499999999999989...
      {"round(2.675, 2)", "float 2.67"},
      {"round(-2.675, 2)", "float -2.67"},
      {"round(0.1 + 0.2, 15)", "float 0.3"},
      {"round(-0.04, 1)", "float -0"},
      {"round(5e-324, 22)", "float 0"},
      {"round(1e300, 22)", "float 1e+300"},
      {"round(9007199254740993.0, 3)", "float 9007199254740992"},
      {"round(900719925474099.1, 1)", "float 900719925474099.1"},
      {"round(1234.5, -2)", "float 1200"},
      {"round(1250.0, -2)", "float 1300"},
      {"round(1249.9999999999998, -2)", "float 1200"},
      {"round(-1250.0, -2)", "float -1300"},
      {"round(5e21, -22)", "float 1e+22"},
      {"round(4.9e21, -22)", "float 0"},
      {"round(1.7976931348623157e308, -22)", "float 1.7976931348623157e+308"},
      {"round(temperature, 22)", "float 21.5"},
      {"round(temperature, 23)", "null"},
      {"round(temperature, -22)", "float 0"},
      {"round(temperature, -23)", "null"},
      {"round(temperature, count - 6)", "float 21.5"},
      {"round(no_float, 1)", "null"},
      {"round(temperature, no_int)", "null"},
      {"round(7, 2)", "int 7"},
      {"round(1249, -2)", "int 1200"},
      {"round(1250, -2)", "int 1300"},
      {"round(-1250, -2)", "int -1300"},
      {"round(4999999999999999999, -19)", "int 0"},
      {"round(5000000000000000000, -19)", "null"},
      {"round(9223372036854775807, -1)", "null"},
      {"round(9223372036854775804, -1)", "int 9223372036854775800"},
      {"round(9223372036854775807, -20)", "int 0"},
      {"round(7, 23)", "null"},
      {"round(7, -23)", "null"},
  });
}

TEST(ExpressionFunctions, roots_powers_and_logarithms) {
  results_are({
      {"sqrt(2)", "float 1.4142135623730951"},
      {"sqrt(0)", "float 0"},
      {"sqrt(-0.0)", "float -0"},
      {"sqrt(-5e-324)", "null"},
      {"sqrt(count + 2)", "float 3"},
      {"pow(0, 0)", "float 1"},
      {"pow(0, -1)", "null"},
      {"pow(-8, 3)", "float -512"},
      {"pow(-8, 1.0 / 3)", "null"},
      {"pow(2, 1024)", "null"},
      {"pow(2, 1023)", "float 8.98846567431158e+307"},
      {"pow(2, -1074)", "float 5e-324"},
      {"pow(2, -1080)", "float 0"},
      {"pow(no_int, 0)", "null"},
      {"exp(0)", "float 1"},
      {"exp(709.782712893384)", "float 1.7976931348622732e+308"},
      {"exp(709.7827128933841)", "null"},
      {"exp(-746)", "float 0"},
      {"exp(-1e308)", "float 0"},
      {"ln(1)", "float 0"},
      {"ln(0)", "null"},
      {"ln(-1)", "null"},
      {"ln(exp(1))", "float 1"},
      {"log10(0)", "null"},
      {"log10(-5)", "null"},
      {"log10(0.001)", "float -3"},
      {"log10(5e-324)", "float -323.3062153431158"},
      {"log10(9223372036854775807)", "float 18.964889726830815"},
  });
}

TEST(ExpressionFunctions, angles) {
  results_are({
      {"sin(0)", "float 0"},
      {"sin(3.141592653589793)", "float 1.2246467991473532e-16"},
      {"cos(3.141592653589793)", "float -1"},
      {"tan(0.7853981633974483)", "float 0.9999999999999999"},
      {"sin(1073741824)", "float -0.6173264150460421"},
      {"sin(1073741824.0000002)", "null"},
      {"cos(-1e300)", "null"},
      {"tan(1e10)", "null"},
      {"atan2(0, 1)", "float 0"},
      {"atan2(0, 0)", "float 0"},
      {"atan2(0, -1)", "float 3.141592653589793"},
      {"atan2(-1, 0)", "float -1.5707963267948966"},
      {"atan2(1e-320, 1)", "float 1e-320"},
      {"atan2(no_float, 1)", "null"},
  });
}

TEST(ExpressionFunctions, bits) {
  results_are({
      {"bit_and(12, 10)", "int 8"},
      {"bit_and(-1, count)", "int 7"},
      {"bit_and(15, 7, 3)", "int 3"},
      {"bit_or(12, 10, 1)", "int 15"},
      {"bit_xor(12, 10, 10)", "int 12"},
      {"bit_not(0)", "int -1"},
      {"bit_not(9223372036854775807)", "int -9223372036854775808"},
      {"shift_left(1, 0)", "int 1"},
      {"shift_left(1, 63)", "int -9223372036854775808"},
      {"shift_left(3, 63)", "int -9223372036854775808"},
      {"shift_left(1, 64)", "null"},
      {"shift_left(1, -1)", "null"},
      {"shift_right(-1, 63)", "int -1"},
      {"shift_right(256, 4)", "int 16"},
      {"shift_right(256, 64)", "null"},
      {"shift_right(256, -1)", "null"},
      {"bit_test(8, 3)", "true"},
      {"bit_test(8, 2)", "false"},
      {"bit_test(-1, 63)", "true"},
      {"bit_test(1, 64)", "null"},
      {"bit_test(1, -1)", "null"},
  });
}

TEST(ExpressionFunctions, letters_are_those_of_ascii) {
  results_are({
      {"lower('ABCxyz-09@[`{')", "string abcxyz-09@[`{"},
      {"upper('ABCxyz-09@[`{')", "string ABCXYZ-09@[`{"},
      {"upper('gr\xC3\xBC\xC3\x9F')", "string GR\xC3\xBC\xC3\x9F"},
      {"lower('\xC3\x84')", "string \xC3\x84"},
      {"lower('')", "string "},
      {"upper(no_string)", "null"},
      {"trim('  \t\r\n a b \v\f')", "string a b"},
      {"trim(' ')", "string "},
      {"trim('')", "string "},
      {"trim('\xC2\xA0x')", "string \xC2\xA0x"},
  });
}

TEST(ExpressionFunctions, substr_counts_characters) {
  results_are({
      {"substr('abcdef', 2)", "string cdef"},
      {"substr('abcdef', 2, 3)", "string cde"},
      {"substr('abcdef', 0, 0)", "string "},
      {"substr('abcdef', 5, 9)", "string f"},
      {"substr('abcdef', 6)", "string "},
      {"substr('abcdef', 99, 3)", "string "},
      {"substr('abcdef', -2)", "string ef"},
      {"substr('abcdef', -2, 1)", "string e"},
      {"substr('abcdef', -99, 2)", "string ab"},
      {"substr('abcdef', 0, -1)", "null"},
      {"substr('abcdef', -9223372036854775808, 9223372036854775807)", "string abcdef"},
      {"substr('abcdef', 9223372036854775807)", "string "},
      {"substr('a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z', 1, 2)", "string \xC3\xBC\xE2\x82\xAC"},
      {"substr('a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z', -2)", "string \xF0\x9F\x98\x80z"},
      {"substr('a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z', 3, 1)", "string \xF0\x9F\x98\x80"},
      {"length('a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z')", "int 5"},
      {"substr(no_string, 1)", "null"},
      {"substr('abc', no_int)", "null"},
  });
}

TEST(ExpressionFunctions, parts_and_pieces) {
  results_are({
      {"concat('a', 'b', 'c')", "string abc"},
      {"concat('', '')", "string "},
      {"concat(device, no_string)", "null"},
      {"contains('abc', 'bc')", "true"},
      {"contains('abc', '')", "true"},
      {"contains('', 'a')", "false"},
      {"contains('abc', 'C')", "false"},
      {"starts_with('abc', 'ab')", "true"},
      {"starts_with('ab', 'abc')", "false"},
      {"starts_with('', '')", "true"},
      {"ends_with('abc', 'bc')", "true"},
      {"ends_with('abc', 'ab')", "false"},
      {"replace('aaa', 'a', 'bb')", "string bbbbbb"},
      {"replace('aaa', 'aa', 'b')", "string ba"},
      {"replace('abc', 'x', 'y')", "string abc"},
      {"replace('abc', '', 'y')", "string abc"},
      {"replace('abc', 'abc', '')", "string "},
      {"replace('', 'a', 'b')", "string "},
      {"split_part('a/b/c', '/', 0)", "string a"},
      {"split_part('a/b/c', '/', 2)", "string c"},
      {"split_part('a/b/c', '/', 3)", "null"},
      {"split_part('a/b/c', '/', -1)", "string c"},
      {"split_part('a/b/c', '/', -3)", "string a"},
      {"split_part('a/b/c', '/', -4)", "null"},
      {"split_part('a//c', '/', 1)", "string "},
      {"split_part('a--b---c', '--', 2)", "string -c"},
      {"split_part('abc', '/', 0)", "string abc"},
      {"split_part('abc', '', 0)", "string abc"},
      {"split_part('abc', '', 1)", "null"},
      {"split_part('', '/', 0)", "string "},
      {"split_part('a/b', '/', -9223372036854775808)", "null"},
  });
}

TEST(ExpressionFunctions, matches_takes_globs) {
  results_are({
      {"matches('abc', 'abc')", "true"},
      {"matches('abc', 'ABC')", "false"},
      {"matches('abc', 'ab')", "false"},
      {"matches('abc', 'a*')", "true"},
      {"matches('abc', '*c')", "true"},
      {"matches('', '*')", "true"},
      {"matches('', '')", "true"},
      {"matches('', '?')", "false"},
      {"matches('\xC3\xBC', '?')", "true"},
      {"matches('abc', 'a?c')", "true"},
      {"matches('a%_c', 'a%_c')", "true"},
      {"matches('abc', 'a%')", "false"},
      {"matches('b', '[abc]')", "true"},
      {"matches('d', '[abc]')", "false"},
      {"matches('d', '[!abc]')", "true"},
      {"matches('d', '[^abc]')", "true"},
      {"matches('b', '[!abc]')", "false"},
      {"matches('5', '[0-9]')", "true"},
      {"matches('x', '[0-9a-f]')", "false"},
      {"matches('-', '[a-]')", "true"},
      {"matches('-', '[-a]')", "true"},
      {"matches(']', '[]]')", "true"},
      {"matches(']', '[a]]')", "false"},
      {"matches('a]', '[a]]')", "true"},
      {"matches('x', '[!]]')", "true"},
      {"matches('\xC3\xA4', '[\xC3\xA0-\xC3\xBF]')", "true"},
      {"matches('\xE2\x82\xAC', '[\xC3\xA0-\xC3\xBF]')", "false"},
      {"matches('z', '[z-a]')", "false"},
      {"matches('', '[a]')", "false"},
      {"matches('[a', '[a')", "true"},
      {"matches('a', '[a')", "false"},
      {"matches('a*', 'a\\*')", "true"},
      {"matches('ab', 'a\\*')", "false"},
      {"matches('[', '\\[')", "true"},
      {"matches(']', '[\\]]')", "true"},
      {"matches('\\', '\\\\')", "true"},
      {"matches('line-12/valve', 'line-[0-9][0-9]/*')", "true"},
      {"matches('line-1/valve', 'line-[0-9][0-9]/*')", "false"},
      {"matches('aXbXc', '*X[bc]*X[bc]')", "true"},
      {"matches(no_string, '*')", "null"},
      {"matches(device, no_string)", "null"},
  });
}

TEST(ExpressionFunctions, a_hostile_glob_ends_soon) {
  fixture.schema = Schema();
  fixture.values.clear();
  const std::string many_a(1000, 'a');
  fixture.add("text", Type::String, Value::of_string(many_a));
  std::string pattern;
  for (int i = 0; i < 400; ++i) pattern += "*[a-b]";
  STRCMP_EQUAL("false", fixture.result("matches(text, '" + pattern + "c')").c_str());
  STRCMP_EQUAL("true", fixture.result("matches(text, '" + pattern + "*')").c_str());
  const std::string open(1500, '[');
  STRCMP_EQUAL("false", fixture.result("matches(text, '*" + open + "')").c_str());
}

TEST(ExpressionFunctions, conversions_to_int) {
  results_are({
      {"to_int(2.9)", "int 2"},
      {"to_int(-2.9)", "int -2"},
      {"to_int(9223372036854774784.0)", "int 9223372036854774784"},
      {"to_int(9223372036854775808.0)", "null"},
      {"to_int(-9223372036854775808.0)", "int -9223372036854775808"},
      {"to_int(-9223372036854777856.0)", "null"},
      {"to_int(true)", "int 1"},
      {"to_int(false)", "int 0"},
      {"to_int(count)", "int 7"},
      {"to_int(ts)", "int 1700000000000"},
      {"to_int('9223372036854775807')", "int 9223372036854775807"},
      {"to_int('9223372036854775808')", "null"},
      {"to_int('007')", "int 7"},
      {"to_int('')", "null"},
      {"to_int('-')", "null"},
      {"to_int('+5')", "null"},
      {"to_int(' 5')", "null"},
      {"to_int('5 ')", "null"},
      {"to_int('5.0')", "null"},
      {"to_int('0x10')", "null"},
      {"to_int(no_string)", "null"},
  });
}

TEST(ExpressionFunctions, conversions_to_float_and_bool) {
  results_are({
      {"to_float(count)", "float 7"},   {"to_float(9007199254740993)", "float 9007199254740992"},
      {"to_float('0.1')", "float 0.1"}, {"to_float('-1e-3')", "float -0.001"},
      {"to_float('.5')", "float 0.5"},  {"to_float('5.')", "float 5"},
      {"to_float('1e400')", "null"},    {"to_float('1e-400')", "null"},
      {"to_float('inf')", "null"},      {"to_float('nan')", "null"},
      {"to_float('')", "null"},         {"to_float('1,5')", "null"},
      {"to_float('1.5 ')", "null"},     {"to_float('0x1p3')", "null"},
      {"to_float(true)", "float 1"},    {"to_float(ts)", "float 1.7e+12"},
      {"to_bool(0)", "false"},          {"to_bool(-1)", "true"},
      {"to_bool(0.0)", "false"},        {"to_bool(-0.0)", "false"},
      {"to_bool(5e-324)", "true"},      {"to_bool('true')", "true"},
      {"to_bool('false')", "false"},    {"to_bool('TRUE')", "null"},
      {"to_bool('1')", "null"},         {"to_bool('')", "null"},
      {"to_bool(running)", "true"},     {"to_bool(no_string)", "null"},
  });
}

TEST(ExpressionFunctions, conversions_to_string) {
  results_are({
      {"to_string(-9223372036854775808)", "string -9223372036854775808"},
      {"to_string(0)", "string 0"},
      {"to_string(21.5)", "string 21.5"},
      {"to_string(-2.2250738585072014e-308)", "string -2.2250738585072014e-308"},
      {"to_string(0.1 + 0.2)", "string 0.30000000000000004"},
      {"to_string(1e22)", "string 1e+22"},
      {"to_string(-0.0)", "string -0"},
      {"to_string(true)", "string true"},
      {"to_string(device)", "string pump-01"},
      {"to_string(ts + 7)", "string 2023-11-14T22:13:20.007Z"},
      {"to_string(ts - 1700000000001)", "string 1969-12-31T23:59:59.999Z"},
      {"to_string(ts + 251702300799999)", "string 9999-12-31T23:59:59.999Z"},
      {"to_string(ts + 251702300800000)", "null"},
      {"to_string(ts - 63835596800000)", "string 0001-01-01T00:00:00.000Z"},
      {"to_string(ts - 63835596800001)", "null"},
      {"to_string(no_float)", "null"},
      {"to_float(to_string(temperature)) = temperature", "true"},
  });
}

TEST(ExpressionFunctions, parts_of_times_follow_the_zone) {
  results_are({
      {"year(ts)", "int 2023"},
      {"minute(ts)", "int 13"},
      {"hour(ts)", "int 22"},
      {"hour(ts, 'UTC')", "int 22"},
      {"hour(ts, 'America/New_York')", "int 17"},
      {"hour(ts, 'CET-1CEST,M3.5.0,M10.5.0/3')", "int 23"},
      {"day(ts, 'Asia/Tokyo')", "int 15"},
      {"hour(ts, 'Asia/Tokyo') - hour(ts)", "int -15"},
      {"day_of_week(ts - 172800000)", "int 7"},
      {"day_of_week(ts - 86400000)", "int 1"},
      {"year(ts + 251702300799999)", "int 9999"},
      {"year(ts + 251702300800000)", "null"},
      {"year(ts + 251702300799999, '+01:00')", "null"},
      {"year(ts - 63835596800000)", "int 1"},
      {"year(ts - 63835596800001)", "null"},
      {"month(no_time)", "null"},
      {"second(ts + 39999)", "int 59"},
  });
}

TEST(ExpressionFunctions, times_are_cut_at_units) {
  results_are({
      {"truncate_time(ts + 1, 'ms')", "time 1700000000001"},
      {"truncate_time(ts + 999, 'second')", "time 1700000000000"},
      {"truncate_time(ts, 'minute')", "time 1699999980000"},
      {"truncate_time(ts, 'hour')", "time 1699999200000"},
      {"truncate_time(ts, 'hour', '+05:30')", "time 1699997400000"},
      {"truncate_time(ts, 'day')", "time 1699920000000"},
      {"truncate_time(ts, 'week')", "time 1699833600000"},
      {"truncate_time(ts, 'month')", "time 1698796800000"},
      {"truncate_time(ts, 'quarter')", "time 1696118400000"},
      {"truncate_time(ts, 'year')", "time 1672531200000"},
      {"truncate_time(ts - 1700000000001, 'day')", "time -86400000"},
      {"truncate_time(no_time, 'day')", "null"},
      {"truncate_time(ts + 251702300800000, 'ms')", "null"},
      {"time_diff(ts, seen, 'ms')", "int 1000"},
      {"time_diff(seen, ts - 100, 'second')", "int 0"},
      {"time_diff(seen, ts + 500, 'second')", "int -1"},
      {"time_diff(ts, ts - 604799999, 'week')", "int 0"},
      {"time_diff(ts, ts - 604800000, 'week')", "int 1"},
      {"time_diff(ts, ts - 7200000, 'hour')", "int 2"},
      {"time_diff(ts + (9223372036854775807 - 1700000000000), ts - 1700000000001, 'day')", "null"},
      {"time_diff(no_time, ts, 'day')", "null"},
  });
}

TEST(ExpressionFunctions, times_are_cut_where_clocks_change) {
  // 2024-10-27 in Vienna: 00:30 UTC and 01:30 UTC both show 02:30.
  fixture.set("ts", Value::of_time(1729989000000));
  fixture.set("seen", Value::of_time(1729992600000));
  results_are({
      {"hour(ts, 'Europe/Vienna')", "int 2"},
      {"hour(seen, 'Europe/Vienna')", "int 2"},
      {"truncate_time(ts, 'hour', 'Europe/Vienna')", "time 1729987200000"},
      {"truncate_time(seen, 'hour', 'Europe/Vienna')", "time 1729990800000"},
      {"truncate_time(seen, 'day', 'Europe/Vienna')", "time 1729980000000"},
      {"truncate_time(seen + 86400000, 'day', 'Europe/Vienna') - truncate_time(seen, 'day', 'Europe/Vienna')", "int 90000000"},
      {"truncate_time(seen, 'week', 'Europe/Vienna')", "time 1729461600000"},
  });
  // 2018-11-04 in Sao Paulo had no midnight.
  fixture.set("ts", Value::of_time(1541340000000));
  results_are({{"truncate_time(ts, 'day', 'America/Sao_Paulo')", "time 1541300400000"},
               {"hour(truncate_time(ts, 'day', 'America/Sao_Paulo'), 'America/Sao_Paulo')", "int 1"}});
}

TEST(ExpressionFunctions, zones_of_one_expression_are_kept_apart) {
  results_are({{"hour(ts, 'Asia/Tokyo') * 10000 + hour(ts) * 100 + hour(ts, 'America/New_York')", "int 72217"}});
}

TEST(ExpressionFunctions, hashes_are_stable_and_tell_values_apart) {
  results_are({
      {"hash(device) = hash('pump-01')", "true"},
      {"hash('a', 'bc') = hash('ab', 'c')", "false"},
      {"hash(1) = hash(1.0)", "false"},
      {"hash(1) = hash(true)", "false"},
      {"hash(0.0) = hash(-0.0)", "true"},
      {"hash(1, 2) = hash(2, 1)", "false"},
      {"hash(no_int)", "null"},
      {"hash(1, no_int)", "null"},
      {"hash('') >= 0 and hash(count) >= 0 and hash(ts, running, temperature) >= 0", "true"},
  });
}

TEST(ExpressionFunctions, topic_reads_the_field_of_its_segment) {
  results_are({{"topic(1)", "string hall-2"}, {"upper(topic(1))", "string HALL-2"}, {"topic(1) = `topic[1]`", "true"}});
  needs(0, 16, "topic(1)");
  errors_are({
      {"topic(2)",
       "6+1 segment 2 of the topic is not known here: a step before this keeps only fields of its own; map it to a field "
       "before "
       "that"},
      {"topic(-1)", "6+2 topic takes a whole number, written out, 0 or more"},
      {"topic(count)", "6+5 topic takes a whole number, written out, 0 or more"},
      {"topic('1')", "6+3 topic takes a whole number, written out, 0 or more"},
      {"topic()", "0+5 topic takes 1 argument, not 0"},
  });
}

TEST(ExpressionFunctions, arguments_of_a_wrong_type_are_told) {
  errors_are({
      {"sqrt('a')", "5+3 sqrt takes a number; found string"},
      {"sqrt(running)", "5+7 sqrt takes a number; found bool"},
      {"upper(count)", "6+5 upper takes a string; found int"},
      {"substr(device, 1.5)", "15+3 substr takes an int as argument 2; found float"},
      {"substr(device)", "0+6 substr takes 2 to 3 arguments, not 1"},
      {"bit_and(1, 2.5)", "11+3 bit_and takes an int; found float"},
      {"if(1, 2, 3)", "3+1 if takes a bool as argument 1; found int"},
      {"if(true, 2, 'a')", "12+3 if takes values of one type as argument 3; found int and string"},
      {"if(true, 2)", "0+2 if takes 3 arguments, not 2"},
      {"if(true)", "0+2 if takes 3 arguments, not 1"},
      {"if(true, 1, 2, 3)", "0+2 if takes 3 arguments, not 4"},
      {"is_null()", "0+7 is_null takes 1 argument, not 0"},
      {"is_null(1, 2)", "0+7 is_null takes 1 argument, not 2"},
      {"coalesce()", "0+8 coalesce takes 2 to 16 arguments, not 0"},
      {"clamp(running, true, false)",
       "6+7 clamp takes numbers, strings or times, not a mixture; found bool | 15+4 clamp takes numbers, strings or times, not "
       "a "
       "mixture; found bool | 21+5 clamp takes numbers, strings or times, not a mixture; found bool"},
      {"nullif(1, 'a')", "10+3 nullif takes values of one type; found int and string"},
      {"to_bool(ts)", "8+2 to_bool takes a bool, a number or a string; found time"},
      {"hour(count)", "5+5 hour takes a time as argument 1; found int"},
      {"sign()", "0+4 sign takes 1 argument, not 0"},
      {"sqr(4)", "0+3 there is no function \"sqr\"; nearest: \"sqrt\""},
  });
}

TEST(ExpressionFunctions, literals_are_settled_when_compiling) {
  errors_are({
      {"truncate_time(ts, 'hours')", "18+7 there is no unit \"hours\"; nearest: \"hour\""},
      {"truncate_time(ts, device)",
       "18+6 truncate_time takes the name of a unit, such as 'day' as argument 2; found a string that is not written out"},
      {"truncate_time(ts, 5)", "18+1 truncate_time takes the name of a unit, such as 'day' as argument 2; found int"},
      {"truncate_time(ts, null)", "18+4 truncate_time takes the name of a unit, such as 'day' as argument 2; found null"},
      {"time_diff(ts, seen, 'month')",
       "20+7 time_diff takes the name of a unit of fixed length, such as 'hour'; a month has none"},
      {"hour(ts, 'Europe/Wien')",
       "9+13 no such time zone; it is an IANA name (Europe/Vienna), an offset (+05:30) or a POSIX TZ string with its rules"},
      {"hour(ts, 7)", "9+1 hour takes the name of a time zone, such as 'Europe/Vienna' as argument 2; found int"},
      {"truncate_time(ts)", "0+13 truncate_time takes 2 to 3 arguments, not 1"},
      {"hour(ts, upper('utc'))",
       "9+12 hour takes the name of a time zone, such as 'Europe/Vienna' as argument 2; found a string that is not written "
       "out"},
      {"truncate_time(nope, 'hours')", "14+4 unknown field \"nope\" | 20+7 there is no unit \"hours\"; nearest: \"hour\""},
  });
}

TEST(ExpressionFunctions, memory_is_bounded_by_the_declared_lengths) {
  needs(0, 0, "length(device)");
  needs(0, 16, "trim(device)");
  needs(0, 16, "substr(device, 1)");
  needs(0, 16, "split_part(device, '-or-the-longest-separator-', 1)");
  needs(16, 16, "upper(device)");
  needs(3, 3, "upper('abc')");
  needs(21, 21, "concat(device, '-', 'four')");
  needs(72, 36, "concat(upper(device), to_string(count))");
  needs(64, 64, "replace(device, '--', '12345678')");
  needs(65, 65, "replace('abcdefghi', '--', '1234567890123456')");
  needs(256, 256, "replace(device, device, device)");
  needs(16, 16, "replace(device, 'abc', 'x')");
  needs(20, 20, "to_string(count)");
  needs(24, 24, "to_string(ts)");
  needs(56, 24, "concat(upper(device), '-or-not-') ?? lower('abcdefghijklmnop')");
  needs(0, 0, "concat(null, null)");
}

TEST(ExpressionFunctions, an_expression_has_64_KiB_for_texts_and_no_more) {
  fixture.schema = Schema();
  fixture.values.clear();
  fixture.schema.add({"a", Type::String, 32768});
  fixture.schema.add({"b", Type::String, 32769});
  CHECK(fixture.compile("concat(a, a)"));
  UNSIGNED_LONGS_EQUAL(expression_scratch_max, fixture.program.scratch_bytes());
  errors_are({
      {"concat(a, b)",
       "0+6 the texts that this makes may have 65537 bytes, by the declared lengths; an expression has room for 65536"},
      {"upper(a) = lower(b)",
       "11+5 the texts that this makes may have 65537 bytes, by the declared lengths; an expression has room for 65536"},
      {"replace(a, a, a)",
       "0+7 the texts that this makes may have 1073741824 bytes, by the declared lengths; an expression has room for 65536"},
  });
}

TEST(ExpressionFunctions, a_text_that_is_longer_than_declared_is_null) {
  const std::string long_text(17, 'x');
  fixture.set("device", Value::of_string(long_text));
  results_are({{"upper(device)", "null"}, {"concat(device, 'a')", "null"}, {"length(upper(device))", "null"}});
  results_are({{"replace(device, 'x', 'yy')", "null"}, {"trim(device)", "string xxxxxxxxxxxxxxxxx"}});
}

TEST(ExpressionFunctions, texts_of_one_expression_have_rooms_of_their_own) {
  results_are({
      {"concat(upper(device), '|', lower('ABC'), '|', to_string(count), '|', replace(upper('a-b'), '-', '+'))",
       "string PUMP-01|abc|7|A+B"},
      {"upper(lower(upper(device)))", "string PUMP-01"},
      {"upper(device) < lower(device)", "true"},
      {"substr(upper(device), 0, 4)", "string PUMP"},
  });
}

TEST(ExpressionFunctions, a_result_lives_until_the_next_evaluation) {
  CHECK(fixture.compile("upper(device)"));
  const Value first = fixture.program.evaluate(fixture.values);
  CHECK(first.as_string() == "PUMP-01");
  fixture.set("device", Value::of_string("fan-17x"));
  CHECK(first.as_string() == "PUMP-01");
  fixture.program.evaluate(fixture.values);
  CHECK(first.as_string() == "FAN-17X");
}

TEST(ExpressionFunctions, memory_comes_from_the_arena_under_the_name_of_the_pool) {
  Arena arena;
  Program program;
  std::vector<ExpressionError> errors;
  CHECK(compile_expression("length(device)", fixture.schema, Type::Null, program, errors));
  program.bind_scratch(arena, "p.s");
  UNSIGNED_LONGS_EQUAL(0, arena.pools().size());
  CHECK(compile_expression("upper(device)", fixture.schema, Type::Null, program, errors));
  program.bind_scratch(arena, "p.s");
  UNSIGNED_LONGS_EQUAL(1, arena.pools().size());
  STRCMP_EQUAL("p.s.texts", arena.pools()[0].name.c_str());
  Program moved = std::move(program);
  CHECK(moved.evaluate(fixture.values).as_string() == "PUMP-01");
}

TEST(ExpressionFunctions, calling_takes_nothing_from_the_heap) {
  for (const Function& function : functions()) {
    const std::string text = without_result(function);
    CHECK_TRUE_TEXT(fixture.compile(text), text.c_str());
    heap_guard_arm();
    fixture.program.evaluate(fixture.values);
    const uint64_t allocations = heap_allocations(HeapOwner::Weir);
    heap_guard_disarm();
    UNSIGNED_LONGS_EQUAL_TEXT(0, allocations, text.c_str());
  }
}
