#include "connectors/codecs/topic_template.h"

#include <limits>
#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace std::string_literals;

TEST_GROUP(TopicTemplate) {
  Schema schema;
  TopicTemplate topic;
  std::vector<TemplateError> errors;
  std::vector<Value> values{4};

  void setup() override {
    schema.add({"device", Type::String, 16});
    schema.add({"n", Type::Int, 0});
    schema.add({"t", Type::Float, 0});
    schema.add({"on", Type::Bool, 0});
  }
  bool parses(std::string_view text) {
    errors.clear();
    return topic.parse(text, schema, errors);
  }
  void refuses(std::string_view text, size_t offset, size_t length, const char* message, const char* suggestion = "") {
    std::string shown(text);
    CHECK_FALSE_TEXT(parses(text), shown.c_str());
    UNSIGNED_LONGS_EQUAL_TEXT(1, errors.size(), shown.c_str());
    UNSIGNED_LONGS_EQUAL_TEXT(offset, errors[0].offset, shown.c_str());
    UNSIGNED_LONGS_EQUAL_TEXT(length, errors[0].length, shown.c_str());
    STRCMP_CONTAINS(message, errors[0].message.c_str());
    STRCMP_EQUAL(suggestion, errors[0].suggestion.c_str());
  }
  std::string rendered() {
    std::string buffer(topic.bytes_max(), '\0');
    TextWriter out(buffer);
    Record record;
    record.values = values;
    CHECK(topic.render(record, out));
    return std::string(out.text());
  }
  std::string with_device(std::string_view device) {
    values[0] = Value::of_string(device);
    return rendered();
  }
};

TEST(TopicTemplate, fields_take_their_values) {
  CHECK(parses("alerts/{device}/x{n}/{t}-{on}"));
  values = {Value::of_string("kitchen"), Value::of_int(-3), Value::of_float(21.5), Value::of_bool(false)};
  STRCMP_EQUAL("alerts/kitchen/x-3/21.5-false", rendered().c_str());
}

TEST(TopicTemplate, a_text_without_fields_is_the_topic) {
  CHECK(parses("alerts/all"));
  STRCMP_EQUAL("alerts/all", rendered().c_str());
  UNSIGNED_LONGS_EQUAL(10, topic.bytes_max());
  CHECK(parses("$SYS/own"));
  STRCMP_EQUAL("$SYS/own", rendered().c_str());
}

TEST(TopicTemplate, null_and_emptiness_have_a_text) {
  CHECK(parses("a/{device}/{n}"));
  STRCMP_EQUAL("a/null/null", rendered().c_str());
  STRCMP_EQUAL("a/%/null", with_device("").c_str());
}

TEST(TopicTemplate, a_value_cannot_change_the_shape_of_the_topic) {
  CHECK(parses("a/{device}/b"));
  STRCMP_EQUAL("a/x%2Fy/b", with_device("x/y").c_str());
  STRCMP_EQUAL("a/%2B/b", with_device("+").c_str());
  STRCMP_EQUAL("a/%23/b", with_device("#").c_str());
  STRCMP_EQUAL("a/%00/b", with_device("\0"s).c_str());
  STRCMP_EQUAL("a/%25/b", with_device("%").c_str());
  STRCMP_EQUAL("a/%252F/b", with_device("%2F").c_str());
  STRCMP_EQUAL("a/%2F..%2F/b", with_device("/../").c_str());
}

TEST(TopicTemplate, what_brokers_refuse_is_encoded) {
  CHECK(parses("{device}/b"));
  STRCMP_EQUAL("%0A%1F%7F/b", with_device("\n\x1F\x7F").c_str());
  STRCMP_EQUAL("%C2%80%C2%9F\xC2\xA0/b", with_device("\xC2\x80\xC2\x9F\xC2\xA0").c_str());
  STRCMP_EQUAL("%EF%B7%90%EF%B7%AF\xEF\xB7\xB0/b", with_device("\xEF\xB7\x90\xEF\xB7\xAF\xEF\xB7\xB0").c_str());
  STRCMP_EQUAL("%EF%BF%BE%EF%BF%BF\xEF\xBF\xBD/b", with_device("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD").c_str());
  STRCMP_EQUAL("%F4%8F%BF%BF/b", with_device("\xF4\x8F\xBF\xBF").c_str());
  STRCMP_EQUAL("%FF%C3x/b", with_device("\xFF\xC3x").c_str());
  STRCMP_EQUAL("\xC3\xA9 \xE2\x82\xAC\xF0\x9F\x98\x80:/b", with_device("\xC3\xA9 \xE2\x82\xAC\xF0\x9F\x98\x80:").c_str());
}

TEST(TopicTemplate, a_value_cannot_begin_the_topic_with_a_dollar) {
  CHECK(parses("{device}/$/{device}"));
  STRCMP_EQUAL("%24SYS$/$/$SYS$", with_device("$SYS$").c_str());
}

TEST(TopicTemplate, an_unknown_field_is_named_with_the_nearest) {
  refuses("alerts/{devic}", 8, 5, "unknown field \"devic\"", "device");
  refuses("alerts/{zzz}/x", 8, 3, "unknown field \"zzz\"");
  refuses("{ device }", 1, 8, "unknown field \" device \"", "device");
}

TEST(TopicTemplate, malformed_templates_are_refused) {
  refuses("", 0, 0, "empty");
  refuses("a/{}", 2, 2, "no field");
  refuses("a/{device", 2, 1, "without its \"}\"");
  refuses("a/{", 2, 1, "without its \"}\"");
  refuses("a/{{device}", 2, 1, "without its \"}\"");
  refuses("a/device}", 8, 1, "without its \"{\"");
  refuses("a/{device}}", 10, 1, "without its \"{\"");
  refuses("a/+/b", 2, 1, "wildcard");
  refuses("a/#", 2, 1, "wildcard");
  refuses("{device}+", 8, 1, "wildcard");
  refuses("a\0b"s, 1, 1, "does not allow");
  refuses("a\n", 1, 1, "does not allow");
  refuses("a/\xEF\xBF\xBF", 2, 3, "does not allow");
  refuses("a/\xC3", 2, 1, "UTF-8");
}

TEST(TopicTemplate, all_errors_are_found_in_one_pass) {
  CHECK_FALSE(parses("+/{devic}/{m}/#}"));
  UNSIGNED_LONGS_EQUAL(5, errors.size());
  size_t offsets[] = {0, 3, 11, 14, 15};
  for (size_t i = 0; i < 5; ++i) UNSIGNED_LONGS_EQUAL(offsets[i], errors[i].offset);
}

TEST(TopicTemplate, the_longest_values_reach_the_bound_exactly) {
  CHECK(parses("a/{device}/{n}/{t}/{on}"));
  values = {Value::of_string("////////////////"), Value::of_int(INT64_MIN), Value::of_float(-2.2250738585072014e-308),
            Value::of_bool(false)};
  UNSIGNED_LONGS_EQUAL(topic.bytes_max(), rendered().size());
}

TEST(TopicTemplate, a_topic_that_could_exceed_65535_bytes_is_refused) {
  CHECK(parses(std::string(65535, 'a')));
  refuses(std::string(65536, 'a'), 0, 65536, "65536 bytes");
  schema.add({"long", Type::String, 21845});
  CHECK(parses("{long}"));
  refuses("{long}/", 0, 7, "65536 bytes");
}

TEST(TopicTemplate, a_buffer_that_is_too_small_is_noticed_and_nothing_stays) {
  CHECK(parses("a/{device}"));
  values[0] = Value::of_string("x/y");
  char buffer[9];
  Record record;
  record.values = values;
  TextWriter exact(buffer);
  exact.append("..");
  CHECK(topic.render(record, exact));
  STRCMP_EQUAL("..a/x%2Fy", std::string(exact.text()).c_str());
  TextWriter small(buffer);
  small.append("...");
  CHECK_FALSE(topic.render(record, small));
  STRCMP_EQUAL("...", std::string(small.text()).c_str());
}

TEST(TopicTemplate, parsing_again_forgets_the_first) {
  CHECK(parses("a/{device}"));
  CHECK(parses("b"));
  STRCMP_EQUAL("b", rendered().c_str());
}
