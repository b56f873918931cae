// OutboxSink: the last operator of a pipeline: renders each record as topic and payload and puts it into the outbox with the
// identity that every later try will carry. Reactor thread only.
#pragma once

#include <string>

#include "agent/base/arena.h"
#include "agent/operators/operator.h"
#include "agent/runtime/dead_letter_buffer.h"
#include "agent/runtime/outbox.h"

namespace weir {

/// Turns records into what a sink sends; the seam to the codecs. Made by the planner.
class Renderer {
 public:
  virtual ~Renderer() = default;
  virtual size_t topic_bytes_max() const = 0;
  virtual size_t payload_bytes_max() const = 0;
  virtual void render_topic(const Record& record, TextWriter& out) = 0;
  virtual void render_payload(const Record& record, Hash128 id, TextWriter& out) = 0;
};

class OutboxSink final : public Operator {
 public:
  OutboxSink(Arena& arena, std::string_view pool, std::string_view pipeline, const Schema& schema, Renderer& renderer,
             Outbox& outbox, const DeadLetterBuffer& dead_letters);

  std::string_view id() const override { return "sink"; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override;
  /// Keeps room for what the record that is being processed can still become.
  bool ready() const override { return outbox_.has_room(reserve_ + size_t{1}) && dead_letters_.ready(); }
  /// How many rows that is. Before the first record.
  void reserve(uint32_t rows) { reserve_ = rows; }
  /// The store's; part of every weir-id. Before the first record.
  void set_instance(uint64_t instance) { pipeline_hash_ = hash64(as_bytes(pipeline_), instance); }
  uint64_t results() const { return results_; }
  void set_results(uint64_t results) { results_ = results; }

 private:
  Hash128 weir_id(const Record& record) const;

  const Schema& schema_;
  Renderer& renderer_;
  Outbox& outbox_;
  const DeadLetterBuffer& dead_letters_;
  std::string pipeline_;
  uint64_t pipeline_hash_ = 0;
  std::span<char> topic_;
  std::span<char> payload_;
  uint64_t results_ = 0;
  uint32_t reserve_ = 1;
};

}  // namespace weir
