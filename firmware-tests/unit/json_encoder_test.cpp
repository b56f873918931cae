// JsonEncoder: the text of a record, its bound, and the way back through the decoder.
#include "connectors/codecs/json_encoder.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "firmware-tests/unit/json_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::json_test;
using namespace std::string_literals;

namespace {

Schema schema_of(std::vector<Field> fields) {
  Schema schema;
  for (Field& field : fields) schema.add(std::move(field));
  return schema;
}

std::string encode(JsonEncoder& encoder, const std::vector<Value>& values) {
  std::string buffer(encoder.payload_bytes_max(), '\0');
  TextWriter out(buffer);
  Record record;
  record.values = values;
  encoder.encode(record, out);
  CHECK_FALSE(out.overflowed());
  return std::string(out.text());
}

std::string encode_with_id(JsonEncoder& encoder, const std::vector<Value>& values, std::string_view id) {
  std::string buffer(encoder.payload_bytes_max(), '\0');
  TextWriter out(buffer);
  Record record;
  record.values = values;
  encoder.encode_with_id(record, id, out);
  CHECK_FALSE(out.overflowed());
  return std::string(out.text());
}

const std::string full_id(JsonEncoder::id_bytes_max, 'a');

}  // namespace

TEST_GROUP(JsonEncoder){};

TEST(JsonEncoder, fields_stand_in_the_order_of_the_schema) {
  JsonEncoder encoder(schema_of({{"device", Type::String, 16},
                                 {"on", Type::Bool, 0},
                                 {"n", Type::Int, 0},
                                 {"t", Type::Float, 0},
                                 {"at", Type::Time, 0},
                                 {"x", Type::Float, 0}}));
  STRCMP_EQUAL(R"({"device":"a\"b","on":true,"n":-7,"t":21.5,"at":1753950001123,"x":null})",
               encode(encoder, {Value::of_string("a\"b"), Value::of_bool(true), Value::of_int(-7), Value::of_float(21.5),
                                Value::of_time(1753950001123), Value::null()})
                   .c_str());
}

TEST(JsonEncoder, a_float_is_the_shortest_text_that_reads_back) {
  JsonEncoder encoder(schema_of({{"v", Type::Float, 0}}));
  auto text_of = [&](double value) { return encode(encoder, {Value::of_float(value)}); };
  STRCMP_EQUAL("{\"v\":3}", text_of(3.0).c_str());
  STRCMP_EQUAL("{\"v\":0.1}", text_of(0.1).c_str());
  STRCMP_EQUAL("{\"v\":-0}", text_of(-0.0).c_str());
  STRCMP_EQUAL("{\"v\":1e+300}", text_of(1e300).c_str());
  STRCMP_EQUAL("{\"v\":0.30000000000000004}", text_of(0.1 + 0.2).c_str());
  STRCMP_EQUAL("{\"v\":9007199254740991}", text_of(9007199254740991.0).c_str());
  STRCMP_EQUAL("{\"v\":9.007199254740992e+15}", text_of(9007199254740992.0).c_str());
  STRCMP_EQUAL("{\"v\":-3.5244366857195004e+19}", text_of(-35244366857195003904.0).c_str());
  STRCMP_EQUAL("{\"v\":null}", text_of(std::numeric_limits<double>::quiet_NaN()).c_str());
  STRCMP_EQUAL("{\"v\":null}", text_of(-std::numeric_limits<double>::infinity()).c_str());
}

TEST(JsonEncoder, names_and_strings_are_escaped) {
  JsonEncoder encoder(schema_of({{"a\"\n", Type::String, 16}}));
  STRCMP_EQUAL("{\"a\\\"\\n\":\"\\u0000\\\\\xC3\xA9\xEF\xBF\xBD\"}",
               encode(encoder, {Value::of_string("\0\\\xC3\xA9\xFF"s)}).c_str());
}

TEST(JsonEncoder, no_fields_are_an_empty_object) {
  JsonEncoder encoder(Schema{});
  STRCMP_EQUAL("{}", encode(encoder, {}).c_str());
  UNSIGNED_LONGS_EQUAL(2, encoder.payload_bytes_max());
  JsonEncoder with_id(Schema{}, "id");
  STRCMP_EQUAL("{}", encode(with_id, {}).c_str());
  STRCMP_EQUAL("{\"id\":\"ab\"}", encode_with_id(with_id, {}, "ab").c_str());
  UNSIGNED_LONGS_EQUAL(with_id.payload_bytes_max(), encode_with_id(with_id, {}, full_id).size());
}

TEST(JsonEncoder, the_id_comes_last_and_only_when_asked_for) {
  JsonEncoder encoder(schema_of({{"n", Type::Int, 0}}), "weir_id");
  STRCMP_EQUAL("{\"n\":1,\"weir_id\":\"00ff\"}", encode_with_id(encoder, {Value::of_int(1)}, "00ff").c_str());
  STRCMP_EQUAL("{\"n\":1}", encode(encoder, {Value::of_int(1)}).c_str());
  JsonEncoder without(schema_of({{"n", Type::Int, 0}}));
  STRCMP_EQUAL("{\"n\":1}", encode_with_id(without, {Value::of_int(1)}, "00ff").c_str());
}

TEST(JsonEncoder, the_longest_values_reach_the_bound_exactly) {
  std::vector<Field> fields = {{"b", Type::Bool, 0},   {"i", Type::Int, 0},    {"f", Type::Float, 0},  {"t", Type::Time, 0},
                               {"s", Type::String, 5}, {"e", Type::String, 0}, {"\x01", Type::Null, 0}};
  std::vector<Value> values = {Value::of_bool(false),
                               Value::of_int(INT64_MIN),
                               Value::of_float(-2.2250738585072014e-308),
                               Value::of_time(INT64_MIN),
                               Value::of_string("\1\2\3\4\5"),
                               Value::null(),
                               Value::null()};
  JsonEncoder plain(schema_of(fields));
  UNSIGNED_LONGS_EQUAL(plain.payload_bytes_max(), encode(plain, values).size());
  JsonEncoder with_id(schema_of(fields), "id");
  UNSIGNED_LONGS_EQUAL(with_id.payload_bytes_max(), encode_with_id(with_id, values, full_id).size());
}

TEST(JsonEncoder, a_buffer_that_is_too_small_is_noticed_not_overrun) {
  JsonEncoder encoder(schema_of({{"n", Type::Int, 0}}));
  std::vector<Value> values = {Value::of_int(12345)};
  Record record;
  record.values = values;
  char buffer[8];
  TextWriter out(buffer);
  encoder.encode(record, out);
  CHECK(out.overflowed());
}

TEST(JsonEncoder, records_survive_the_way_through_text_and_back) {
  const char* from_environment = getenv("WEIR_TEST_SEED");
  unsigned seed = from_environment ? static_cast<unsigned>(strtoul(from_environment, nullptr, 10)) : std::random_device{}();
  printf("[json round trip: WEIR_TEST_SEED=%u]\n", seed);
  std::mt19937_64 random(seed);
  std::vector<SourceField> fields = {field("b", Type::Bool), field("i", Type::Int), field("f", Type::Float),
                                     time_field("t", TimeFormat::Milliseconds), field("s \"\n\xC3\xA9", Type::String, 64)};
  Decoding decoding(fields);
  JsonEncoder encoder(decoding.decoder().schema());
  const char* pieces[] = {"a", "\"", "\\", "\n",          "\x01", "\x7F", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                          "/", " ",  "{",  "\xEF\xBF\xBF"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    while (text.size() < 60 && random() % 12 != 0) text += pieces[random() % std::size(pieces)];
    uint64_t bits = random();
    double number;
    memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) number = 0.5;
    std::vector<Value> values = {Value::of_bool(bits & 1), Value::of_int(static_cast<int64_t>(bits)), Value::of_float(number),
                                 Value::of_time(static_cast<int64_t>(bits >> 8)), Value::of_string(text)};
    if (random() % 4 == 0) values[random() % values.size()] = Value::null();
    std::string json = encode(encoder, values);
    std::string what = "seed " + std::to_string(seed) + ": " + json + ": ";
    if (!decoding.accepts(json)) FAIL((what + decoding.detail()).c_str());
    for (size_t index = 0; index < values.size(); ++index) {
      const Value& before = values[index];
      const Value& after = decoding.value(index);
      CHECK_TEXT(before.type() == after.type(), what.c_str());
      if (before.type() == Type::Bool) CHECK_TEXT(before.as_bool() == after.as_bool(), what.c_str());
      if (before.type() == Type::Int || before.type() == Type::Time)
        CHECK_TEXT(before.as_int() == after.as_int(), what.c_str());
      if (before.type() == Type::Float) CHECK_TEXT(before.as_float() == after.as_float(), what.c_str());
      if (before.type() == Type::String) CHECK_TEXT(before.as_string() == after.as_string(), what.c_str());
    }
  }
}
