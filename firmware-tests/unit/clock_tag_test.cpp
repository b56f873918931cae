#include "agent/runtime/clock_tag.h"

#include <array>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

struct OneNumber final : Decoder {
  OneNumber() { numbers.add({"n", Type::Int, 0}); }
  const Schema& schema() const override { return numbers; }
  Refusal decode(const Message& message, std::span<Value> values) override {
    UNSIGNED_LONGS_EQUAL(1, values.size());
    if (message.payload.empty()) return {"json", "empty"};
    values[0] = Value::of_int(7);
    return {};
  }
  Schema numbers;
};

}  // namespace

TEST_GROUP(ClockTag) {
  ClockTag decoder{std::make_unique<OneNumber>()};
  std::array<Value, 2> values;
  Message message;

  void setup() override { message.payload = as_bytes("7"); }
};

TEST(ClockTag, adds_a_field_behind_those_of_the_decoder) {
  UNSIGNED_LONGS_EQUAL(2, decoder.schema().size());
  LONGS_EQUAL(0, decoder.schema().find("n"));
  LONGS_EQUAL(1, decoder.schema().find("clock_unsynchronised"));
}

TEST(ClockTag, says_of_each_message_how_the_clock_was) {
  CHECK(decoder.decode(message, values).reason == nullptr);
  LONGS_EQUAL(7, values[0].as_int());
  CHECK_FALSE(values[1].as_bool());
  message.unsynchronised = true;
  CHECK(decoder.decode(message, values).reason == nullptr);
  CHECK(values[1].as_bool());
}

TEST(ClockTag, refuses_what_the_decoder_refuses) {
  message.payload = {};
  STRCMP_EQUAL("json", decoder.decode(message, values).reason);
}
