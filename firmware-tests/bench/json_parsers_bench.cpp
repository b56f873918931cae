// Which JSON parser? simdjson (DOM) against RapidJSON (SAX), and JsonDecoder, which is built on the winner. One line per case:
// three fields out of messages of about 105, 430 and 1000 bytes, the whole document validated, nanoseconds per message (the
// best of several rounds, for the machine is shared) and heap allocations per message.
//
// Built where rapidjson-dev is installed; the product does not use RapidJSON.
#include <rapidjson/reader.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/base/heap_guard.h"
#include "connectors/codecs/json_decoder.h"

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace {

struct Input {
  const char* label;
  const char* names[3];  // members of the root: a string or number each
  std::string text;
};

const Input inputs[] = {
    {"105 B",
     {"ts", "temperature", "humidity"},
     R"({"ts":1753950001123,"temperature":21.53,"humidity":44.72,"pressure":1000.6,"battery":91,"linkquality":105})"},
    {"430 B",
     {"id", "b_voltage", "total_act_power"},
     R"({"id":0,"a_current":1.1,"a_voltage":231.2,"a_act_power":253.0,"a_aprt_power":254.0,"a_pf":0.99,"a_freq":50.0,)"
     R"("b_current":2.2,"b_voltage":232.3,"b_act_power":510.0,"b_aprt_power":511.0,"b_pf":0.98,"b_freq":50.1,)"
     R"("c_current":3.3,"c_voltage":233.4,"c_act_power":-770.0,"c_aprt_power":771.0,"c_pf":0.97,"c_freq":50.2,)"
     R"("n_current":null,"total_current":6.600,"total_act_power":-7.000,"total_aprt_power":1536.000})"},
    {"1000 B",
     {"time", "devAddr", "fCnt"},
     R"({"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2022-07-18T09:34:15.775023242+00:00",)"
     R"("deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"ChirpStack",)"
     R"("applicationId":"17c82e96-be03-4f38-aef3-f83d48582d97","applicationName":"Test application",)"
     R"("deviceProfileName":"Test device-profile","deviceName":"Test device","devEui":"0101010101010101",)"
     R"("tags":{"key":"value"}},"devAddr":"00189440","adr":true,"dr":1,"fCnt":4,"fPort":1,"confirmed":false,"data":"qg==",)"
     R"("object":{"temperatureSensor":{"1":25.0},"humidity":41.5,"battery":{"volt":3.61}},"rxInfo":[)"
     R"({"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5,"context":"E3OWOQ=="},)"
     R"({"gatewayId":"0016c001f153a14d","uplinkId":4217106256,"rssi":-97,"snr":-2.5,"context":"E3OWOg=="}],)"
     R"("txInfo":{"frequency":867100000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":11,"codeRate":"CR_4_5"}}}})"},
};

struct SaxHandler {
  const Input& input;
  int depth = 0;
  int wanted = -1;
  double sum = 0;

  bool take(double value) {
    if (wanted >= 0) sum += value;
    wanted = -1;
    return true;
  }
  bool Null() { return take(0); }
  bool Bool(bool value) { return take(value); }
  bool Int(int value) { return take(value); }
  bool Uint(unsigned value) { return take(value); }
  bool Int64(int64_t value) { return take(static_cast<double>(value)); }
  bool Uint64(uint64_t value) { return take(static_cast<double>(value)); }
  bool Double(double value) { return take(value); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return take(0); }
  bool String(const char*, rapidjson::SizeType length, bool) { return take(length); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth != 1) return true;
    for (int field = 0; field < 3; ++field)
      if (std::string_view(text, length) == input.names[field]) wanted = field;
    return true;
  }
  bool StartObject() { return ++depth, take(0); }
  bool EndObject(rapidjson::SizeType) { return --depth, true; }
  bool StartArray() { return ++depth, take(0); }
  bool EndArray(rapidjson::SizeType) { return --depth, true; }
};

/// Runs `once` often and prints the best round.
template <class Once>
void measure(const char* parser, const Input& input, Once once) {
  constexpr int rounds = 15;
  constexpr int messages = 20000;
  double best = 1e9;
  double sum = 0;
  for (int i = 0; i < 100; ++i) sum += once();
  weir::heap_guard_arm();
  for (int round = 0; round < rounds; ++round) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < messages; ++i) sum += once();
    std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / messages);
  }
  printf("%-14s %-7s %4zu bytes %7.0f ns/message %6.2f allocations/message (sum %g)\n", parser, input.label, input.text.size(),
         best, static_cast<double>(weir::heap_allocations(weir::HeapOwner::Weir)) / (rounds * messages), sum);
}

void measure_rapidjson(const Input& input) {
  constexpr unsigned flags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag;
  char stack[4096];
  measure("rapidjson sax", input, [&] {
    rapidjson::MemoryPoolAllocator<> pool(stack, sizeof stack);
    rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::MemoryPoolAllocator<>> reader(&pool, 1024);
    rapidjson::MemoryStream stream(input.text.data(), input.text.size());
    rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> encoded(stream);
    SaxHandler handler{input};
    if (!reader.Parse<flags>(encoded, handler)) abort();
    return handler.sum;
  });
}

std::vector<uint8_t> padded(const std::string& text) {
  std::vector<uint8_t> bytes(text.begin(), text.end());
  bytes.resize(text.size() + weir::payload_padding);
  return bytes;
}

void measure_simdjson(const Input& input) {
  simdjson::dom::parser parser;
  if (parser.allocate(4096, 64) || parser.doc.allocate(4096)) abort();
  std::vector<uint8_t> bytes = padded(input.text);
  measure("simdjson dom", input, [&] {
    simdjson::dom::object object;
    if (parser.parse(bytes.data(), input.text.size(), false).get(object)) abort();
    double sum = 0;
    for (auto [name, value] : object)
      for (const char* wanted : input.names)
        if (name == wanted) {
          if (value.is_string())
            sum += static_cast<double>(value.get_string_length().value_unsafe());
          else
            sum += value.get_double().value_unsafe();
        }
    return sum;
  });
}

weir::SourceField field(const char* name, weir::Type type) {
  weir::SourceField result;
  result.field = {name, type, type == weir::Type::String ? weir::default_string_length : 0};
  result.path = {{name, -1}};
  return result;
}

void measure_decoder(const Input& input, std::vector<weir::SourceField> fields) {
  weir::JsonDecoder decoder(std::move(fields), 4096);
  std::vector<uint8_t> bytes = padded(input.text);
  weir::Message message;
  message.topic = "sensors/17/env";
  message.payload = {bytes.data(), input.text.size()};
  std::vector<weir::Value> values(decoder.schema().size());
  measure("JsonDecoder", input, [&] {
    if (decoder.decode(message, values).reason != nullptr) abort();
    return static_cast<double>(values.size());
  });
}

}  // namespace

int main() {
  using weir::Type;
  for (const Input& input : inputs) {
    measure_rapidjson(input);
    measure_simdjson(input);
    bool texts = &input == &inputs[2];
    measure_decoder(input, {field(input.names[0], texts ? Type::String : Type::Int),
                            field(input.names[1], texts ? Type::String : Type::Float),
                            field(input.names[2], texts ? Type::Int : Type::Float)});
  }
}
