// What is wrong with an expression, told at the right place: every error with its exact offset and length.
#include "agent/expression/bytecode.h"
#include "agent/expression/expression.h"
#include "firmware-tests/unit/expression_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

std::string repeated(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_GROUP(ExpressionErrors) {
  ExpressionFixture fixture;

  template <size_t count>
  void errors_are(const ExpectedText(&rows)[count]) {
    for (const ExpectedText& row : rows)
      STRCMP_EQUAL_TEXT(row.expected, fixture.errors_of(row.expression).c_str(), row.expression);
  }
};

TEST(ExpressionErrors, tells_bad_characters) {
  constexpr const char* odd = "this character means nothing here; names with odd characters are written in backticks";
  STRCMP_EQUAL((std::string("6+1 ") + odd).c_str(), fixture.errors_of("count # 5").c_str());
  STRCMP_EQUAL((std::string("5+1 ") + odd).c_str(), fixture.errors_of("count{1").c_str());
  STRCMP_EQUAL((std::string("0+2 ") + odd).c_str(), fixture.errors_of("\xC3\xA9 > 5").c_str());
  STRCMP_EQUAL((std::string("0+1 ") + odd).c_str(), fixture.errors_of("\xFF").c_str());
  errors_are({{"running & running", "8+1 expected \"&&\" or \"and\""}, {"running | running", "8+1 expected \"||\" or \"or\""}});
}

TEST(ExpressionErrors, tells_bad_strings) {
  errors_are({
      {"device = 'abc", "9+4 the closing quote is missing"},
      {"device = \"abc'", "9+5 the closing quote is missing"},
      {"device = 'abc''", "9+6 the closing quote is missing"},
      {"`count", "0+6 the closing quote is missing"},
      {"'", "0+1 the closing quote is missing"},
      {"device = '\xC3'", "9+3 not valid UTF-8"},
  });
}

TEST(ExpressionErrors, tells_bad_numbers) {
  errors_are({
      {"5.", "0+2 expected a digit after the point"},
      {"5.e3", "0+4 expected a digit after the point"},
      {"5e", "0+2 expected a digit in the exponent"},
      {"5e+", "0+3 expected a digit in the exponent"},
      {"0x1F", "0+4 not a number; a name does not begin with a digit"},
      {"1 + 5abc", "4+4 not a number; a name does not begin with a digit"},
      {"1.2.3", "0+5 not a number; a name does not begin with a digit"},
      {"1_000", "0+5 not a number; a name does not begin with a digit"},
      {"9223372036854775808", "0+19 the number does not fit an int (64 bits); a float is written with a point"},
      {"0 - 9223372036854775808", "4+19 the number does not fit an int (64 bits); a float is written with a point"},
      {"-9223372036854775809", "1+19 the number does not fit an int (64 bits); a float is written with a point"},
      {"99999999999999999999999", "0+23 the number does not fit an int (64 bits); a float is written with a point"},
      {"1e309", "0+5 the number does not fit a float"},
      {"-1e999", "1+5 the number does not fit a float"},
      {"1e-999", "0+6 the number does not fit a float"},
  });
}

TEST(ExpressionErrors, tells_unknown_fields_with_the_nearest_name) {
  errors_are({
      {"temperatur > 5", "0+10 unknown field \"temperatur\"; nearest: \"temperature\""},
      {"5 < Temperature", "4+11 unknown field \"Temperature\"; nearest: \"temperature\""},
      {"humidity > 5", "0+8 unknown field \"humidity\""},
      {"`suply air` > 5", "0+11 unknown field \"suply air\"; nearest: \"supply air\""},
      {"`` > 5", "0+2 unknown field \"\""},
      {"min > 5", "0+3 unknown field \"min\""},
  });
}

TEST(ExpressionErrors, tells_unknown_functions_with_the_nearest_name) {
  errors_are({
      {"rond(count)", "0+4 there is no function \"rond\"; nearest: \"round\""},
      {"1 + frobnicate(count, 2)", "4+10 there is no function \"frobnicate\""},
      {"frobnicate()", "0+10 there is no function \"frobnicate\""},
      {"avg(temperature)", "0+3 there is no function \"avg\""},
      {"frobnicate(coun)", "0+10 there is no function \"frobnicate\" | 11+4 unknown field \"coun\"; nearest: \"count\""},
  });
}

TEST(ExpressionErrors, tells_what_arguments_a_function_takes) {
  errors_are({
      {"abs()", "0+3 abs takes 1 argument, not 0"},
      {"1 + abs(1, 2)", "4+3 abs takes 1 argument, not 2"},
      {"min(count)", "0+3 min takes 2 to 16 arguments, not 1"},
      {"max(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)", "0+3 max takes 2 to 16 arguments, not 17"},
      {"coalesce()", "0+8 coalesce takes 2 to 16 arguments, not 0"},
      {"coalesce(count)", "0+8 coalesce takes 2 to 16 arguments, not 1"},
      {"abs(device)", "4+6 abs takes a number; found string"},
      {"round(ts)", "6+2 round takes a number as argument 1; found time"},
      {"round(temperature, 1.5)", "19+3 round takes an int as argument 2; found float"},
      {"length(count + 1)", "7+9 length takes a string; found int"},
      {"min(1, 'a')", "7+3 min takes numbers, strings or times, not a mixture; found int and string"},
      {"max(running, true)",
       "4+7 max takes numbers, strings or times, not a mixture; found bool | "
       "13+4 max takes numbers, strings or times, not a mixture; found bool"},
      {"coalesce(1, 'a')", "12+3 coalesce takes values of one type; found int and string"},
      {"max(ts, 5)", "8+1 max takes numbers, strings or times, not a mixture; found time and int"},
  });
}

TEST(ExpressionErrors, tells_operands_that_arithmetic_does_not_take) {
  errors_are({
      {"count + device", "6+1 \"+\" takes numbers, or a time and an int; found int and string"},
      {"running + 1", "8+1 \"+\" takes numbers, or a time and an int; found bool and int"},
      {"ts + seen", "3+1 \"+\" takes numbers, or a time and an int; found time and time"},
      {"ts + 0.5", "3+1 \"+\" takes numbers, or a time and an int; found time and float"},
      {"5 - ts", "2+1 \"-\" takes numbers, two times, or a time and an int; found int and time"},
      {"ts - 'a'", "3+1 \"-\" takes numbers, two times, or a time and an int; found time and string"},
      {"ts * 2", "3+1 \"*\" takes numbers; found time and int"},
      {"device / 2", "7+1 \"/\" takes numbers; found string and int"},
      {"ts % 1000", "3+1 \"%\" takes numbers; found time and int"},
      {"null + device", "5+1 \"+\" takes numbers, or a time and an int; found null and string"},
      {"-device", "0+1 \"-\" takes a number; found string"},
      {"-ts", "0+1 \"-\" takes a number; found time"},
      {"-running", "0+1 \"-\" takes a number; found bool"},
  });
}

TEST(ExpressionErrors, tells_what_cannot_be_compared) {
  errors_are({
      {"count = device", "6+1 cannot compare int and string"},
      {"running = 1", "8+1 cannot compare bool and int"},
      {"ts > 'a'", "3+1 cannot compare time and string"},
      {"ts > 0.5", "3+1 cannot compare time and float"},
      {"running < true", "8+1 bools have no order; they compare with = and !="},
      {"running >= null", "8+2 bools have no order; they compare with = and !="},
      {"1 < count < 9", "10+1 cannot compare bool and int"},
      {"running between false and true", "8+7 bools have no order; they compare with = and !="},
      {"count between 'a' and 9", "14+3 cannot compare int and string"},
      {"count between 1 and -device", "20+1 \"-\" takes a number; found string | 20+7 cannot compare int and string"},
      {"count in (1, 'a', 2, ts, true)", "13+3 cannot compare int and string | 25+4 cannot compare int and bool"},
  });
}

TEST(ExpressionErrors, tells_what_logic_and_patterns_do_not_take) {
  errors_are({
      {"count and running", "0+5 \"and\" takes bool; found int"},
      {"running and count + 1", "12+9 \"and\" takes bool; found int"},
      {"device or ts", "0+6 \"or\" takes bool; found string | 10+2 \"or\" takes bool; found time"},
      {"device || 'x'", "0+6 \"or\" takes bool; found string | 10+3 \"or\" takes bool; found string"},
      {"not count", "4+5 \"not\" takes bool; found int"},
      {"count ? 1 : 2", "0+5 \"?:\" takes bool; found int"},
      {"(count) ? 1 : 2", "0+7 \"?:\" takes bool; found int"},
      {"running ? 1 : 'a'", "8+1 \"?:\" takes two values of one type; found int and string"},
      {"ts ?? 0", "3+2 \"??\" takes two values of one type; found time and int"},
      {"count like 'a'", "0+5 \"like\" takes string; found int"},
      {"device like 5", "12+1 \"like\" takes string; found int"},
  });
}

TEST(ExpressionErrors, tells_a_result_of_another_type_than_expected) {
  STRCMP_EQUAL("0+9 expected bool, found int", fixture.errors_of("count + 1", Type::Bool).c_str());
  STRCMP_EQUAL("1+11 expected bool, found float", fixture.errors_of(" temperature ", Type::Bool).c_str());
  STRCMP_EQUAL("0+11 expected int, found float", fixture.errors_of("temperature", Type::Int).c_str());
  STRCMP_EQUAL("0+5 expected time, found int", fixture.errors_of("count", Type::Time).c_str());
  STRCMP_EQUAL("0+4 expected bool, found null", fixture.errors_of("null", Type::Bool).c_str());
  STRCMP_EQUAL("0+2 expected float, found time", fixture.errors_of("ts", Type::Float).c_str());
  STRCMP_EQUAL("0+4 unknown field \"coun\"; nearest: \"count\"", fixture.errors_of("coun", Type::Bool).c_str());
  STRCMP_EQUAL("no error", fixture.errors_of("count > 1", Type::Bool).c_str());
}

TEST(ExpressionErrors, tells_what_the_grammar_expected) {
  errors_are({
      {"", "0+0 expected a value, found the end"},
      {"  ", "2+0 expected a value, found the end"},
      {"count +", "7+0 expected a value, found the end"},
      {"count + ", "8+0 expected a value, found the end"},
      {"* 5", "0+1 expected a value, found \"*\""},
      {"+5", "0+1 expected a value, found \"+\""},
      {"and running", "0+3 expected a value, found \"and\""},
      {"count = and", "8+3 expected a value, found \"and\""},
      {"(count", "6+0 expected an operator or \")\", found the end"},
      {"(count + 1 5)", "11+1 expected an operator or \")\", found \"5\""},
      {"()", "1+1 expected a value, found \")\""},
      {"count)", "5+1 expected an operator or the end, found \")\""},
      {"count 5", "6+1 expected an operator or the end, found \"5\""},
      {"count, 5", "5+1 expected an operator or the end, found \",\""},
      {"`count`(5)", "7+1 expected an operator or the end, found \"(\""},
      {"abs(count", "9+0 expected an operator, \",\" or \")\", found the end"},
      {"abs(,1)", "4+1 expected a value, found \",\""},
      {"max(1,)", "6+1 expected a value, found \")\""},
      {"count between 1 or 2", "16+2 expected the \"and\" of \"between\", found \"or\""},
      {"count between 1", "15+0 expected the \"and\" of \"between\", found the end"},
      {"count in 5", "9+1 expected \"(\" after \"in\", found \"5\""},
      {"count in ()", "10+1 expected a value, found \")\""},
      {"count in (5", "11+0 expected an operator, \",\" or \")\", found the end"},
      {"count not 5", "10+1 expected \"between\", \"in\" or \"like\" after \"not\", found \"5\""},
      {"count is 5", "9+1 expected \"null\" or \"not null\" after \"is\", found \"5\""},
      {"count is not 5", "13+1 expected \"null\" after \"is not\", found \"5\""},
      {"running ? 1", "11+0 expected an operator or the \":\" of \"?:\", found the end"},
      {"running ? 1, 2", "11+1 expected an operator or the \":\" of \"?:\", found \",\""},
      {"running : 1", "8+1 expected an operator or the end, found \":\""},
      {"running = not running", "10+3 expected a value, found \"not\"; here a negation needs parentheses around it"},
  });
}

TEST(ExpressionErrors, tells_all_that_can_be_told_in_one_pass_in_the_order_of_the_text) {
  errors_are({
      {"temperatur > 5 and device = 4 and rond(count) = 'x",
       "0+10 unknown field \"temperatur\"; nearest: \"temperature\" | 26+1 cannot compare string and int | "
       "34+4 there is no function \"rond\"; nearest: \"round\" | 48+2 the closing quote is missing"},
      {"coun + 5. | 3",
       "0+4 unknown field \"coun\"; nearest: \"count\" | 7+2 expected a digit after the point | 10+1 expected \"||\" or "
       "\"or\""},
  });
}

TEST(ExpressionErrors, an_operand_with_an_error_causes_no_others) {
  errors_are({
      {"not coun", "4+4 unknown field \"coun\"; nearest: \"count\""},
      {"coun like 'a' and coun",
       "0+4 unknown field \"coun\"; nearest: \"count\" | 18+4 unknown field \"coun\"; nearest: \"count\""},
      {"running and -coun", "13+4 unknown field \"coun\"; nearest: \"count\""},
      {"device = coun + 1", "9+4 unknown field \"coun\"; nearest: \"count\""},
      {"length(coun ?? 5) + abs(coun ? 1 : 2)",
       "7+4 unknown field \"coun\"; nearest: \"count\" | 24+4 unknown field \"coun\"; nearest: \"count\""},
      {"ts + abs(coun)", "9+4 unknown field \"coun\"; nearest: \"count\""},
      {"ts = (count + device)", "12+1 \"+\" takes numbers, or a time and an int; found int and string"},
      {"(running ? 1 : 'a') + true", "9+1 \"?:\" takes two values of one type; found int and string"},
  });
}

TEST(ExpressionErrors, takes_an_expression_of_the_greatest_length_and_none_longer) {
  std::string text = "count" + repeated(" ", expression_length_max - 5);
  STRCMP_EQUAL("no error", fixture.errors_of(text).c_str());
  STRCMP_EQUAL("4096+2 an expression has at most 4096 bytes", fixture.errors_of(text + "  ").c_str());
}

TEST(ExpressionErrors, takes_64_levels_and_no_more) {
  struct Row {
    const char* open;
    const char* inner;
    const char* close;
    const char* error;  // with 65 levels
  };
  constexpr Row rows[] = {
      {"(", "count", ")", "65+5"},  {"abs(", "count", ")", "260+5"},   {"not ", "running", "", "260+7"},
      {"- ", "count", "", "130+5"}, {"true ? 1 : ", "2", "", "711+1"}, {"true ? ", "1", " : 2", "455+1"},
  };
  for (const Row& row : rows) {
    std::string text = repeated(row.open, 64) + row.inner + repeated(row.close, 64);
    STRCMP_EQUAL_TEXT("no error", fixture.errors_of(text).c_str(), row.open);
    std::string expected = std::string(row.error) + " nested more than 64 levels deep";
    STRCMP_EQUAL_TEXT(expected.c_str(), fixture.errors_of(row.open + text + row.close).c_str(), row.open);
  }
}

TEST(ExpressionErrors, very_deep_nesting_is_an_error_like_any_other) {
  for (const char* open : {"(", "-", "!", "abs(", "1 ? "})
    STRCMP_CONTAINS("nested more than 64 levels deep", fixture.errors_of(repeated(open, 680)).c_str());
  STRCMP_CONTAINS("at most 4096 bytes", fixture.errors_of(repeated("(", 10000)).c_str());
}

TEST(ExpressionErrors, long_chains_are_not_nesting) {
  STRCMP_EQUAL("int 1000", fixture.result("1" + repeated(" + 1", 999)).c_str());
  STRCMP_EQUAL("true", fixture.result("false" + repeated(" or false", 400) + " or true").c_str());
  STRCMP_EQUAL("int 7", fixture.result("null" + repeated(" ?? null", 400) + " ?? count").c_str());
  STRCMP_EQUAL("true", fixture.result("count in (1" + repeated(", 2", 1000) + ", 7)").c_str());
}

TEST(ExpressionErrors, takes_a_stack_of_32_values_and_no_more) {
  STRCMP_EQUAL("int 32", fixture.result(repeated("1+(", 31) + "1" + repeated(")", 31)).c_str());
  STRCMP_EQUAL("96+1 too complicated: more than 32 values would have to wait for others",
               fixture.errors_of(repeated("1+(", 32) + "1" + repeated(")", 32)).c_str());
  STRCMP_EQUAL("true", fixture.result(repeated("true=(", 29) + "1 in (1)" + repeated(")", 29)).c_str());
  STRCMP_EQUAL("186+1 too complicated: more than 32 values would have to wait for others",
               fixture.errors_of(repeated("true=(", 30) + "1 in (1)" + repeated(")", 30)).c_str());
}

TEST_GROUP(AggregateCall) {
  ExpressionFixture fixture;
  AggregateCall call;

  std::string errors_of(const char* text) {
    fixture.errors.clear();
    return compile_aggregate_call(text, fixture.schema, call, fixture.errors) ? "no error" : fixture.error_texts();
  }
};

TEST(AggregateCall, has_a_name_and_an_argument) {
  STRCMP_EQUAL("no error", errors_of(" avg( temperature * 2 )").c_str());
  STRCMP_EQUAL("avg", call.function.c_str());
  UNSIGNED_LONGS_EQUAL(1, call.function_offset);
  CHECK(call.has_argument);
  UNSIGNED_LONGS_EQUAL(6, call.argument_offset);
  STRCMP_EQUAL("float 43", value_text(call.argument.evaluate(fixture.values)).c_str());
}

TEST(AggregateCall, may_have_no_argument) {
  STRCMP_EQUAL("no error", errors_of("count()").c_str());
  STRCMP_EQUAL("count", call.function.c_str());
  CHECK_FALSE(call.has_argument);
  CHECK(call.argument.empty());
}

TEST(AggregateCall, a_second_call_replaces_the_first) {
  STRCMP_EQUAL("no error", errors_of("avg(temperature)").c_str());
  STRCMP_EQUAL("no error", errors_of("count()").c_str());
  CHECK_FALSE(call.has_argument);
  CHECK(call.argument.empty());
}

TEST(AggregateCall, may_have_numbers_behind_the_argument) {
  STRCMP_EQUAL("no error", errors_of("percentile( temperature + 1 , 99.9, - 9223372036854775808 )").c_str());
  UNSIGNED_LONGS_EQUAL(12, call.argument_offset);
  UNSIGNED_LONGS_EQUAL(15, call.argument_length);
  UNSIGNED_LONGS_EQUAL(2, call.parameters.size());
  STRCMP_EQUAL("float 99.9", value_text(call.parameters[0].value).c_str());
  UNSIGNED_LONGS_EQUAL(30, call.parameters[0].offset);
  UNSIGNED_LONGS_EQUAL(4, call.parameters[0].length);
  STRCMP_EQUAL("int -9223372036854775808", value_text(call.parameters[1].value).c_str());
  UNSIGNED_LONGS_EQUAL(36, call.parameters[1].offset);
  UNSIGNED_LONGS_EQUAL(21, call.parameters[1].length);
  STRCMP_EQUAL("no error", errors_of("avg(temperature)").c_str());
  UNSIGNED_LONGS_EQUAL(0, call.parameters.size());
}

TEST(AggregateCall, takes_any_type_of_argument) {
  for (const char* text : {"last(device)", "first(running)", "max(ts)", "min(null)", "sum(count in (1, 2) ? 1 : 0)"})
    STRCMP_EQUAL("no error", errors_of(text).c_str());
}

TEST(AggregateCall, anything_else_is_an_error_that_says_what_was_expected) {
  constexpr ExpectedText rows[] = {
      {"", "0+0 expected an aggregate, such as avg(temperature) or count(), found the end"},
      {"5", "0+1 expected an aggregate, such as avg(temperature) or count(), found \"5\""},
      {"(avg(temperature))", "0+1 expected an aggregate, such as avg(temperature) or count(), found \"(\""},
      {"`avg`(temperature)", "0+5 expected an aggregate, such as avg(temperature) or count(), found \"`avg`\""},
      {"avg", "3+0 expected \"(\" after the aggregate's name, found the end"},
      {"avg temperature", "4+11 expected \"(\" after the aggregate's name, found \"temperature\""},
      {"avg(temperature", "15+0 expected an operator, \",\" or \")\", found the end"},
      {"avg(temperature,)", "16+1 expected a number, for only the first argument is taken from the record, found \")\""},
      {"avg(temperature, count)",
       "17+5 expected a number, for only the first argument is taken from the record, found \"count\""},
      {"avg(temperature, -)", "18+1 expected a number, for only the first argument is taken from the record, found \")\""},
      {"avg(temperature, 2 + 1)", "19+1 expected \",\" or \")\", found \"+\""},
      {"avg(temperature, 9223372036854775808)",
       "17+19 the number does not fit an int (64 bits); a float is written with a point"},
      {"avg(temperature, 1", "18+0 expected \",\" or \")\", found the end"},
      {"avg(temperature) + 1", "17+1 expected an operator or the end, found \"+\""},
      {"count() > 1", "8+1 expected an operator or the end, found \">\""},
      {"count(", "6+0 expected a value, found the end"},
      {"count(*)", "6+1 expected a value; \"*\" is not one: all records are counted by count()"},
      {"avg(temperatur)", "4+10 unknown field \"temperatur\"; nearest: \"temperature\""},
      {"avg(device + 1)", "11+1 \"+\" takes numbers, or a time and an int; found string and int"},
      {"avg(5.", "4+2 expected a digit after the point | 6+0 expected an operator, \",\" or \")\", found the end"},
  };
  for (const ExpectedText& row : rows) {
    STRCMP_EQUAL_TEXT(row.expected, errors_of(row.expression).c_str(), row.expression);
    CHECK(call.argument.empty());
  }
}
