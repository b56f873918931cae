// JsonRenderer: what an MQTT sink with format "json" sends: a topic from its template, the record as an object.
#pragma once

#include "agent/runtime/outbox_sink.h"
#include "connectors/codecs/json_encoder.h"
#include "connectors/codecs/topic_template.h"

namespace weir {

class JsonRenderer final : public Renderer {
 public:
  JsonRenderer(TopicTemplate topic, const Schema& schema, std::string_view id_field)
      : topic_(std::move(topic)), encoder_(schema, id_field) {}

  size_t topic_bytes_max() const override { return topic_.bytes_max(); }
  size_t payload_bytes_max() const override { return encoder_.payload_bytes_max(); }
  void render_topic(const Record& record, TextWriter& out) override { WEIR_ASSERT(topic_.render(record, out)); }
  void render_payload(const Record& record, Hash128 id, TextWriter& out) override {
    char digits[JsonEncoder::id_bytes_max];
    TextWriter text(digits);
    text.append_hex(id.high).append_hex(id.low);
    encoder_.encode_with_id(record, text.text(), out);
  }

 private:
  TopicTemplate topic_;
  JsonEncoder encoder_;
};

}  // namespace weir
