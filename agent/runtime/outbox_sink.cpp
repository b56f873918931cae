#include "agent/runtime/outbox_sink.h"

namespace weir {

OutboxSink::OutboxSink(Arena& arena, std::string_view pool, std::string_view pipeline, const Schema& schema, Renderer& renderer,
                       Outbox& outbox, const DeadLetterBuffer& dead_letters)
    : schema_(schema), renderer_(renderer), outbox_(outbox), dead_letters_(dead_letters), pipeline_(pipeline) {
  set_instance(0);
  constexpr std::string_view reason = "one rendered result";
  topic_ = arena.take<char>(renderer.topic_bytes_max(), pool, reason);
  payload_ = arena.take<char>(renderer.payload_bytes_max(), pool, reason);
}

/// The same record gives the same id after any number of restarts: it is made of what the record is about and of the newest
/// message that took part, never of a clock or a counter of this process.
Hash128 OutboxSink::weir_id(const Record& record) const {
  uint8_t bytes[3 * sizeof(uint64_t)];
  ByteWriter out(bytes);
  out.put(pipeline_hash_);
  out.put(record.identity);
  out.put(record.offset);
  return hash128(out.bytes());
}

Outcome OutboxSink::process(const Record& record) {
  Hash128 id = weir_id(record);
  TextWriter topic(topic_);
  TextWriter payload(payload_);
  renderer_.render_topic(record, topic);
  renderer_.render_payload(record, id, payload);
  WEIR_ASSERT(!topic.overflowed() && !payload.overflowed());
  outbox_.append({id, topic.text(), as_bytes(payload.text())});
  ++results_;
  return Outcome::Applied;
}

}  // namespace weir
