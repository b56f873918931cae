#include <cmath>
#include <string>
#include <vector>

#include "connectors/codecs/json_encoder.h"
#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/unit/json_fixture.h"

namespace weir::fuzz {
namespace {

using json_test::Decoding;

std::vector<SourceField> fields_of_each_kind() {
  using namespace json_test;
  return {field("flag", Type::Bool),
          field("count", Type::Int),
          field("value", Type::Float),
          field("text", Type::String, 12),
          time_field("ms", TimeFormat::Milliseconds),
          time_field("seconds", TimeFormat::Seconds),
          time_field("us", TimeFormat::Microseconds),
          time_field("ns", TimeFormat::Nanoseconds),
          time_field("iso", TimeFormat::Rfc3339),
          at_path(field("deep", Type::Float), {{"a", -1}, {"", 1}, {"b", -1}}),
          at_path(field("first", Type::Int), {{"a", -1}, {"", 0}})};
}

/// What the encoder writes: members by their names, times in milliseconds.
std::vector<SourceField> fields_as_written() {
  std::vector<SourceField> fields = fields_of_each_kind();
  for (SourceField& field : fields) {
    field.path = {{field.field.name, -1}};
    field.time_format = TimeFormat::Milliseconds;
  }
  return fields;
}

void expect_same(const Value& a, const Value& b) {
  WEIR_ASSERT(a.type() == b.type());
  if (a.type() == Type::String) WEIR_ASSERT(a.as_string() == b.as_string());
  if (a.type() == Type::Bool) WEIR_ASSERT(a.as_bool() == b.as_bool());
  if (a.type() == Type::Int || a.type() == Type::Time) WEIR_ASSERT(a.as_int() == b.as_int());
  if (a.type() == Type::Float) WEIR_ASSERT(a.as_float() == b.as_float());
}

void expect_fits(const Schema& schema, const std::vector<Value>& values) {
  for (size_t index = 0; index < schema.size(); ++index) {
    const Value& value = values[index];
    WEIR_ASSERT(value.is_null() || value.type() == schema[index].type);
    if (value.type() == Type::String) WEIR_ASSERT(value.as_string().size() <= schema[index].max_length);
    if (value.type() == Type::Float) WEIR_ASSERT(std::isfinite(value.as_float()));
  }
}

}  // namespace

void json(Bytes input) {
  static Decoding decoding(fields_of_each_kind());
  static Decoding with_noise_behind(fields_of_each_kind());
  static Decoding again(fields_as_written(), 65536);
  static JsonEncoder encoder(decoding.decoder().schema());
  const bool accepted = decoding.accepts(as_text(input));
  WEIR_ASSERT(with_noise_behind.accepts(as_text(input), '\xff') == accepted);
  WEIR_ASSERT(with_noise_behind.reason() == decoding.reason());
  if (!accepted) return;
  expect_fits(decoding.decoder().schema(), decoding.values());
  Record record;
  record.values = decoding.values();
  std::string text(encoder.payload_bytes_max(), '\0');
  TextWriter out(text);
  encoder.encode(record, out);
  WEIR_ASSERT(!out.overflowed());
  WEIR_ASSERT(again.accepts(out.text()));
  for (size_t index = 0; index < decoding.values().size(); ++index) {
    expect_same(decoding.value(index), with_noise_behind.value(index));
    expect_same(decoding.value(index), again.value(index));
  }
}

}  // namespace weir::fuzz
