#include "agent/app/replay.h"

namespace weir {

class Replay::Sink final : public Operator {
 public:
  Sink(const Schema& schema, ReplayHandler& handler, uint64_t& results)
      : schema_(schema), handler_(handler), results_(results) {}
  std::string_view id() const override { return "sink"; }
  const Schema& schema() const override { return schema_; }
  bool ready() const override { return true; }
  Outcome process(const Record& record) override {
    ++results_;
    handler_.on_result(schema_, record);
    return Outcome::Applied;
  }

 private:
  const Schema& schema_;
  ReplayHandler& handler_;
  uint64_t& results_;
};

namespace {

/// A recording may be as old as it likes; 0 is an arrival that is not known.
GraphParts of_any_age(GraphParts parts) {
  for (InputParts& input : parts.inputs) input.earliest_arrival_ms = 1;
  return parts;
}

}  // namespace

Replay::Replay(const std::string& name, PlannedGraph graph, Arena& arena, ReplayHandler& handler)
    : schema_(*graph.result),
      graph_(name, of_any_age(std::move(graph.parts)), arena),
      handler_(handler),
      sink_(std::make_unique<Sink>(schema_, handler, counts_.results)) {
  graph_.connect(*sink_, *this);
  graph_.start(0);
}

Replay::~Replay() = default;

void Replay::feed(std::string_view topic, std::string_view payload, int64_t arrival_ms, int64_t boot_ms) {
  padded_.assign(payload);
  padded_.append(payload_padding, '\0');
  Message message;
  message.topic = topic;
  message.payload = as_bytes(std::string_view(padded_).substr(0, payload.size()));
  message.offset = ++counts_.messages;
  message.arrival_ms = arrival_ms;
  // A broker would not have sent it.
  if (!graph_.takes(topic)) {
    ++counts_.refused;
    handler_.on_refused("source", "topic", "no source of this pipeline has a filter for this topic");
    return;
  }
  const StepGraph::Verdict verdict = graph_.process(message, StepGraph::by_event_time, boot_ms);
  if (verdict.refusal.reason != nullptr) {
    ++counts_.refused;
    handler_.on_refused("source", verdict.refusal.reason, verdict.refusal.detail);
  } else {
    counts_.applied += verdict.outcome == Outcome::Applied;
    counts_.filtered += verdict.outcome == Outcome::Filtered;
    counts_.late += verdict.outcome == Outcome::Late;
    counts_.refused += verdict.outcome == Outcome::DeadLetter;
  }
  const bool fired = graph_.advance();
  WEIR_ASSERT(fired);  // the sink is always ready
}

void Replay::finish() {
  graph_.finish();
  const bool fired = graph_.advance();
  WEIR_ASSERT(fired);
}

void Replay::on_refused(const Record&, const Schema&, std::string_view step, Refusal refusal) {
  handler_.on_refused(step, refusal.reason, refusal.detail);
}

}  // namespace weir
