// What JsonDecoder takes out of a document: paths, conversions, refusals.
#include "connectors/codecs/json_decoder.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "agent/base/heap_guard.h"
#include "firmware-tests/unit/json_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::json_test;
using namespace std::string_literals;

namespace {

/// The member `v` of the document, decoded as one type.
class OneField {
 public:
  explicit OneField(SourceField wanted) : decoding_({std::move(wanted)}) {}

  Decoding& decode(const std::string& json_value) {
    taken_ = decoding_.accepts("{\"v\":" + json_value + "}");
    return decoding_;
  }
  void refuses(const std::string& json_value, const char* reason) {
    decode(json_value);
    CHECK_FALSE_TEXT(taken_, json_value.c_str());
    STRCMP_EQUAL_TEXT(reason, decoding_.reason().c_str(), json_value.c_str());
    STRCMP_CONTAINS("v: expected ", decoding_.detail().c_str());
  }
  void takes_int(const std::string& json_value, int64_t expected) {
    const Value& value = taken(json_value);
    CHECK_TEXT(value.type() == Type::Int || value.type() == Type::Time, json_value.c_str());
    CHECK_EQUAL_TEXT(expected, value.as_int(), json_value.c_str());
  }
  /// Equal in every bit.
  void takes_float(const std::string& json_value, double expected) {
    const Value& value = taken(json_value);
    CHECK_TEXT(value.type() == Type::Float, json_value.c_str());
    CHECK_TEXT(value.as_float() == expected && std::signbit(value.as_float()) == std::signbit(expected), json_value.c_str());
  }
  void takes_string(const std::string& json_value, const std::string& expected) {
    const Value& value = taken(json_value);
    CHECK_TEXT(value.type() == Type::String, json_value.c_str());
    CHECK_TEXT(value.as_string() == expected, json_value.c_str());
  }
  void takes_null(const std::string& json_value) { CHECK_TEXT(taken(json_value).is_null(), json_value.c_str()); }
  const Value& taken(const std::string& json_value) {
    decode(json_value);
    if (!taken_) FAIL((json_value + " was refused: " + decoding_.detail()).c_str());
    return decoding_.value();
  }

 private:
  Decoding decoding_;
  bool taken_ = false;
};

}  // namespace

TEST_GROUP(JsonDecoder){};

TEST(JsonDecoder, a_float_takes_every_number_correctly_rounded) {
  OneField v(field("v", Type::Float));
  v.takes_float("21.5", 21.5);
  v.takes_float("0.1", 0.1);
  v.takes_float("-0.0", -0.0);
  v.takes_float("3", 3.0);
  v.takes_float("9007199254740993", 9007199254740992.0);
  v.takes_float("9007199254740995", 9007199254740996.0);
  v.takes_float("9223372036854775807", 9223372036854775808.0);
  v.takes_float("18446744073709551615", 18446744073709551616.0);
  v.takes_float("1.7976931348623157e308", std::numeric_limits<double>::max());
  v.takes_float("5e-324", std::numeric_limits<double>::denorm_min());
  v.takes_float("2.4703282292062327e-324", 0.0);  // less than half of the smallest
  v.takes_float("2.4703282292062328e-324", std::numeric_limits<double>::denorm_min());
  v.takes_float("2.2250738585072011e-308", 2.2250738585072011e-308);
  v.takes_float("6929495644600919.5", 6929495644600920.0);  // halfway: to even
  v.takes_float("3.1415926535897932384626433832795028841971", 3.141592653589793);
  v.takes_float("1e-999", 0.0);
}

TEST(JsonDecoder, a_float_takes_strings_that_are_wholly_a_number) {
  OneField v(field("v", Type::Float));
  v.takes_float("\"21.5\"", 21.5);
  v.takes_float("\"100.00\"", 100.0);
  v.takes_float("\"-3\"", -3.0);
  v.takes_float("\"1e3\"", 1000.0);
  v.takes_float("\"-0\"", -0.0);
  v.takes_float("\"007.5\"", 7.5);
  v.takes_float("\".5\"", 0.5);
  v.takes_float("\"\\u0032.5\"", 2.5);
  for (const char* text :
       {"\"\"",         "\"warm\"",   "\"21.5C\"",  "\" 21.5\"", "\"21.5 \"",  "\"+1\"",   "\"1,5\"",     "\"--1\"",
        "\"-\"",        "\".\"",      "\"0x10\"",   "\"nan\"",   "\"NaN\"",    "\"-nan\"", "\"inf\"",     "\"-inf\"",
        "\"Infinity\"", "\"nan(1)\"", "\"1e-999\"", "\"1e999\"", "\"-1e999\"", "\"1e\"",   "\"1\\u0000\""})
    v.refuses(text, "type");
  for (const char* other : {"true", "false", "{}", "[]", "[1]", "{\"v\":1}"}) v.refuses(other, "type");
}

TEST(JsonDecoder, an_int_takes_whole_numbers_within_64_bits) {
  OneField v(field("v", Type::Int));
  v.takes_int("0", 0);
  v.takes_int("-0", 0);
  v.takes_int("3.0", 3);
  v.takes_int("1e3", 1000);
  v.takes_int("-2.50e1", -25);
  v.takes_int("9223372036854775807", INT64_MAX);
  v.takes_int("-9223372036854775808", INT64_MIN);
  v.takes_int("9007199254740993", 9007199254740993);
  v.takes_int("-9.223372036854775808e18", INT64_MIN);
  v.takes_int("9.223372036854774784e18", 9223372036854774784);
  v.refuses("9223372036854775808", "type");
  v.refuses("18446744073709551615", "type");
  v.refuses("9.223372036854775808e18", "type");
  v.refuses("-9.223372036854777856e18", "type");
  v.refuses("1e300", "type");
  v.refuses("1.5", "type");
  v.refuses("-0.1", "type");
  for (const char* other : {"true", "{}", "[]", "[1]"}) v.refuses(other, "type");
}

TEST(JsonDecoder, an_int_takes_strings_that_are_wholly_such_a_number) {
  OneField v(field("v", Type::Int));
  v.takes_int("\"17\"", 17);
  v.takes_int("\"-17\"", -17);
  v.takes_int("\"17.0\"", 17);
  v.takes_int("\"1e2\"", 100);
  v.takes_int("\"9223372036854775807\"", INT64_MAX);
  v.takes_int("\"-9223372036854775808\"", INT64_MIN);
  for (const char* text : {"\"9223372036854775808\"", "\"-9223372036854779904\"", "\"1.5\"", "\"\"", "\"x\"", "\"1x\"",
                           "\" 1\"", "\"+1\"", "\"inf\""})
    v.refuses(text, "type");
}

TEST(JsonDecoder, a_bool_takes_true_and_false_only) {
  OneField v(field("v", Type::Bool));
  CHECK_TRUE(v.taken("true").as_bool());
  CHECK_FALSE(v.taken("false").as_bool());
  for (const char* other : {"0", "1", "\"true\"", "\"ON\"", "\"\"", "{}", "[]", "0.0"}) v.refuses(other, "type");
}

TEST(JsonDecoder, a_string_takes_strings_up_to_its_length) {
  OneField v(field("v", Type::String, 8));
  v.takes_string("\"\"", "");
  v.takes_string("\"12345678\"", "12345678");
  v.takes_string("\"a\\\"\\\\\\/\\n\"", "a\"\\/\n");
  v.takes_string("\"\\ud83d\\ude00\\u00e9\\u0000\"", "\xF0\x9F\x98\x80\xC3\xA9\0"s);
  v.takes_string("\"\xE2\x82\xAC\xE2\x82\xAC\"", "\xE2\x82\xAC\xE2\x82\xAC");
  v.refuses("\"123456789\"", "too-long");
  v.refuses("\"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\"", "too-long");
  for (const char* other : {"1", "1.5", "true", "{}", "[]", "[\"a\"]"}) v.refuses(other, "type");
}

TEST(JsonDecoder, an_unpaired_surrogate_never_becomes_a_string) {
  Decoding decoding({field("v", Type::String)});
  for (const char* inner : {"\\ud800", "\\udc00", "\\udfff", "\\ud800\\ud800", "\\ud800\\u0041", "\\ud83dx", "\\ude00\\ud83d",
                            "a\\udbffb", "\\udbff\\ue000"}) {
    CHECK_FALSE_TEXT(decoding.accepts("{\"v\":\""s + inner + "\"}"), inner);
    CHECK_TEXT(decoding.reason() == "json" || decoding.reason() == "utf8", inner);
  }
}

TEST(JsonDecoder, what_is_null_or_absent_is_null) {
  for (Type type : {Type::Bool, Type::Int, Type::Float, Type::String, Type::Time}) {
    OneField v(field("v", type));
    v.takes_null("null");
    v.takes_null("null,\"w\":1");
    Decoding absent({field("v", type)});
    CHECK(absent.accepts("{}"));
    CHECK(absent.value().is_null());
    CHECK(absent.accepts("{\"V\":1,\"vv\":2,\"\":3,\"w\":{\"v\":4}}"));
    CHECK(absent.value().is_null());
  }
}

TEST(JsonDecoder, nothing_of_the_previous_message_stays) {
  Decoding decoding({field("a", Type::Int), topic_field("b", Type::String, 1)});
  decoding.message().topic = "x/y";
  CHECK(decoding.accepts("{\"a\":1}"));
  decoding.message().topic = "x";
  CHECK(decoding.accepts("{}"));
  CHECK(decoding.value(0).is_null());
  CHECK(decoding.value(1).is_null());
  CHECK_FALSE(decoding.accepts("{"));
  CHECK(decoding.accepts("{\"a\":3}"));
  CHECK_EQUAL(3, decoding.value(0).as_int());
}

TEST(JsonDecoder, the_first_of_several_members_with_one_name_counts) {
  Decoding decoding({field("a", Type::Int), at_path(field("x", Type::Int), {{"o", -1}, {"x", -1}}), field("z", Type::Int)});
  CHECK(decoding.accepts("{\"a\":1,\"a\":2,\"o\":{\"y\":1},\"o\":{\"x\":5},\"a\":\"bad\",\"z\":9}"));
  CHECK_EQUAL(1, decoding.value("a").as_int());
  CHECK(decoding.value("x").is_null());
  CHECK_EQUAL(9, decoding.value("z").as_int());
  CHECK(decoding.accepts("{\"a\":null,\"a\":2}"));
  CHECK(decoding.value("a").is_null());
}

TEST(JsonDecoder, paths_lead_through_objects_and_arrays) {
  Decoding decoding({at_path(field("deep", Type::Int), {{"a", -1}, {"b", -1}, {"", 2}, {"c", -1}}),
                     at_path(field("first", Type::Int), {{"a", -1}, {"b", -1}, {"", 0}}),
                     at_path(field("last", Type::Int), {{"a", -1}, {"b", -1}, {"", 3}}),
                     at_path(field("nested", Type::Int), {{"m", -1}, {"", 1}, {"", 0}}),
                     at_path(field("same", Type::Float), {{"a", -1}, {"b", -1}, {"", 0}}),
                     at_path(field("odd", Type::Int), {{"", -1}})});
  CHECK(decoding.accepts(R"({"m":[[1,2],[3,4]],"":6,"a":{"x":[9,9],"b":[10,20,{"d":1,"c":30},40,50]}})"));
  CHECK_EQUAL(30, decoding.value("deep").as_int());
  CHECK_EQUAL(10, decoding.value("first").as_int());
  CHECK_EQUAL(40, decoding.value("last").as_int());
  CHECK_EQUAL(3, decoding.value("nested").as_int());
  DOUBLES_EQUAL(10.0, decoding.value("same").as_float(), 0);
  CHECK_EQUAL(6, decoding.value("odd").as_int());
}

TEST(JsonDecoder, a_path_that_meets_something_else_is_absent) {
  Decoding decoding({at_path(field("member", Type::Int), {{"a", -1}, {"b", -1}}),
                     at_path(field("element", Type::Int), {{"a", -1}, {"", 1}})});
  for (const char* document : {R"({"a":1})", R"({"a":"b"})", R"({"a":null})", R"({"a":[1]})", R"({"a":[]})", R"({"a":{}})",
                               R"({"a":{"1":5}})", R"({"a":[{"b":1}]})", R"([1,2,3])", "[]"}) {
    CHECK_TEXT(decoding.accepts(document), document);
    CHECK_TEXT(decoding.value(0).is_null() && decoding.value(1).is_null(), document);
  }
}

TEST(JsonDecoder, a_container_where_a_path_ends_is_refused_even_if_another_path_leads_through) {
  Decoding decoding({field("a", Type::Int), at_path(field("b", Type::Int), {{"a", -1}, {"b", -1}})});
  CHECK(decoding.accepts(R"({"a":1})"));
  CHECK_FALSE(decoding.accepts(R"({"a":{"b":1}})"));
  STRCMP_EQUAL("a: expected int, got an object", decoding.detail().c_str());
}

TEST(JsonDecoder, an_array_as_the_document_is_read_by_paths_that_begin_with_an_index) {
  Decoding decoding({at_path(field("n", Type::String), {{"", 1}, {"n", -1}}), field("name", Type::Int)});
  CHECK(decoding.accepts(R"([{"n":"voltage"},{"n":"current","name":4}])"));
  CHECK(decoding.value(0).as_string() == "current");
  CHECK(decoding.value(1).is_null());
}

TEST(JsonDecoder, an_empty_path_is_the_document_itself) {
  Decoding decoding({at_path(field("all", Type::Float), {})});
  CHECK(decoding.accepts("42.31"));
  DOUBLES_EQUAL(42.31, decoding.value().as_float(), 0);
  CHECK(decoding.accepts("null"));
  CHECK_FALSE(decoding.accepts("{}"));
  STRCMP_EQUAL("type", decoding.reason().c_str());
}

TEST(JsonDecoder, as_many_fields_as_a_record_may_have_are_found_in_any_order) {
  std::vector<SourceField> fields;
  std::string forward = "{\"skip\":[1,{\"f0\":2}]";
  std::string backward = "{\"skip\":{\"f1\":2}";
  for (size_t i = 0; i < fields_max; ++i) {
    std::string name = i % 2 ? "f" + std::to_string(i) : std::string(60 + i, 'n');
    fields.push_back(field(name, Type::Int));
    forward += ",\"" + name + "\":" + std::to_string(i);
  }
  for (size_t i = fields_max; i-- > 0;) backward += ",\"" + fields[i].field.name + "\":" + std::to_string(i);
  Decoding decoding(fields, 16384);
  for (const std::string& document : {forward + "}", backward + "}"}) {
    CHECK(decoding.accepts(document));
    for (size_t i = 0; i < fields_max; ++i) CHECK_EQUAL(static_cast<int64_t>(i), decoding.value(i).as_int());
  }
}

TEST(JsonDecoder, topic_segments_count_from_zero) {
  Decoding decoding({topic_field("first", Type::String, 0), topic_field("second", Type::String, 1),
                     topic_field("third", Type::String, 2), topic_field("number", Type::Int, 2)});
  auto with_topic = [&](std::string_view topic) {
    decoding.message().topic = topic;
    return decoding.accepts("{}");
  };
  CHECK(with_topic("sensors/kitchen/17"));
  CHECK(decoding.value("first").as_string() == "sensors");
  CHECK(decoding.value("second").as_string() == "kitchen");
  CHECK(decoding.value("third").as_string() == "17");
  CHECK_EQUAL(17, decoding.value("number").as_int());
  CHECK(with_topic("sensors"));
  CHECK(decoding.value("second").is_null());
  CHECK(decoding.value("number").is_null());
  CHECK(with_topic("/a"));
  CHECK(decoding.value("first").as_string().empty() && !decoding.value("first").is_null());
  CHECK(decoding.value("second").as_string() == "a");
  CHECK(with_topic("a/"));
  CHECK(!decoding.value("second").is_null() && decoding.value("second").as_string().empty());
  CHECK(decoding.value("third").is_null());
  CHECK_FALSE(with_topic("a/b/c"));
  STRCMP_EQUAL("number: expected int, got \"c\"", decoding.detail().c_str());
}

TEST(JsonDecoder, a_topic_segment_is_bounded_and_utf8) {
  Decoding decoding({topic_field("device", Type::String, 1, 4)});
  decoding.message().topic = "s/1234/x";
  CHECK(decoding.accepts("{}"));
  decoding.message().topic = "s/12345/x";
  CHECK_FALSE(decoding.accepts("{}"));
  STRCMP_EQUAL("too-long", decoding.reason().c_str());
  decoding.message().topic = "s/\xC3/x";
  CHECK_FALSE(decoding.accepts("{}"));
  STRCMP_EQUAL("utf8", decoding.reason().c_str());
}

TEST(JsonDecoder, the_arrival_is_the_messages) {
  Decoding decoding({arrival_field("at")});
  decoding.message().arrival_ms = 1753950001123;
  CHECK(decoding.accepts("{\"at\":5}"));
  CHECK(decoding.value().type() == Type::Time);
  CHECK_EQUAL(1753950001123, decoding.value().as_int());
}

TEST(JsonDecoder, the_document_is_validated_even_where_no_field_is_wanted) {
  Decoding decoding({field("v", Type::Float)});
  for (const char* document : {R"({"v":1.5,"x":tru})", R"({"v":1.5,"x":1.2.3})", R"({"v":1.5,,})", R"({"v":1.5,"x":[1,2})",
                               R"({"v":1.5,"x":NaN})", R"({"v":1.5}x)"})
    CHECK_FALSE_TEXT(decoding.accepts(document), document);
  Decoding nothing(std::vector<SourceField>{});
  CHECK(nothing.accepts("{\"a\":1}"));
  CHECK_FALSE(nothing.accepts("{\"a\":1"));
}

TEST(JsonDecoder, a_refusal_names_the_field_what_was_expected_and_what_came) {
  Decoding decoding(
      {field("temperature", Type::Float), field("device", Type::String, 4), time_field("at", TimeFormat::Rfc3339)});
  CHECK_FALSE(decoding.accepts(R"({"temperature":"warm"})"));
  STRCMP_EQUAL("temperature: expected float, got \"warm\"", decoding.detail().c_str());
  CHECK_FALSE(decoding.accepts(R"({"device":"12345"})"));
  STRCMP_EQUAL("device: expected string of at most 4 bytes, got 5: \"12345\"", decoding.detail().c_str());
  CHECK_FALSE(decoding.accepts(R"({"at":17})"));
  STRCMP_EQUAL("at: expected an RFC 3339 time in a string, got 17", decoding.detail().c_str());
  CHECK_FALSE(decoding.accepts(R"({"temperature":)"));
  STRCMP_CONTAINS("{\\\"temperature\\\":", decoding.detail().c_str());
}

TEST(JsonDecoder, a_refusal_of_a_hostile_message_stays_short_and_valid_text) {
  std::string name(5000, 'n');
  Decoding decoding({field(name, Type::Float)}, 100000);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\\u0001\xE2\x82\xAC";
  CHECK_FALSE(decoding.accepts("{\"" + name + "\":\"" + text + "\"}"));
  CHECK(decoding.detail().size() < 512);
  STRCMP_CONTAINS("\"...", decoding.detail().c_str());
  CHECK_FALSE(decoding.accepts("x\xFF\xFE" + std::string(3000, '\x80')));
  CHECK(decoding.detail().size() < 512);
  STRCMP_CONTAINS("\"...", decoding.detail().c_str());
}

TEST(JsonDecoder, decoding_does_not_use_the_heap) {
  if (!heap_guard_present()) return;  // the sanitizers bring their own malloc
  Decoding decoding({field("a", Type::Float), field("s", Type::String), topic_field("t", Type::String, 0)}, 1000);
  std::vector<uint8_t> good(payload_padding + 1000, ' ');
  memcpy(good.data(), "{\"a\":1.5,\"s\":\"x\\n\"}", 19);
  Message message;
  message.topic = "a/b";
  message.payload = Bytes(good.data(), 1000);
  heap_guard_arm();
  Refusal taken = decoding.decoder().decode(message, decoding.values());
  message.payload = Bytes(good.data(), 10);
  Refusal broken = decoding.decoder().decode(message, decoding.values());
  uint64_t allocations = heap_allocations(HeapOwner::Weir);
  heap_guard_disarm();
  CHECK_EQUAL(0, allocations);
  CHECK(taken.reason == nullptr);
  STRCMP_EQUAL("json", broken.reason);
}

TEST(JsonDecoder, the_schema_repeats_the_fields) {
  JsonDecoder decoder({field("a", Type::Float), field("s", Type::String, 16)}, 100);
  UNSIGNED_LONGS_EQUAL(2, decoder.schema().size());
  CHECK(decoder.schema()[0] == (Field{"a", Type::Float, 0}));
  CHECK(decoder.schema()[1] == (Field{"s", Type::String, 16}));
  CHECK(JsonDecoder::memory_bytes(65536) > 13 * 65536);
  CHECK(JsonDecoder::memory_bytes(65536) < 15 * 65536);
}
