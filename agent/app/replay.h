// Replay: runs messages through the graph of one pipeline as fast as they come, without a broker, a store or a clock:
// processing time is the greatest event time so far, so that the same input gives the same output. `weir replay` and the tests
// of the documentation's examples are made of it. One thread; the heap may be used.
#pragma once

#include <string>
#include <string_view>

#include "agent/app/plan_graph.h"
#include "connectors/codecs/json_encoder.h"

namespace weir {

/// Gets what a replay makes.
class ReplayHandler {
 public:
  virtual ~ReplayHandler() = default;
  virtual void on_result(const Schema& schema, const Record& record) = 0;
  /// Of the message in hand, or of a result that a later step could not take.
  virtual void on_refused(std::string_view step, const char* reason, std::string_view detail) = 0;
};

struct ReplayCounts {
  uint64_t messages = 0, applied = 0, filtered = 0, late = 0, refused = 0, results = 0;
};

class Replay final : private RefusalHandler {
 public:
  /// `graph.result` is set.
  Replay(const std::string& name, PlannedGraph graph, Arena& arena, ReplayHandler& handler);
  ~Replay() override;

  /// `arrival_ms` is when it came, if that is known; `boot_ms` is what idleness is measured by: a replay of a file has no such
  /// clock.
  void feed(std::string_view topic, std::string_view payload, int64_t arrival_ms = 0, int64_t boot_ms = 0);
  /// The end of the input: every event time has come, and what is due by then is handed on.
  void finish();
  const ReplayCounts& counts() const { return counts_; }
  StepGraph& graph() { return graph_; }
  const Schema& schema() const { return schema_; }

 private:
  class Sink;
  void on_refused(const Record& record, const Schema& schema, std::string_view step, Refusal refusal) override;

  const Schema& schema_;
  StepGraph graph_;
  ReplayHandler& handler_;
  std::unique_ptr<Sink> sink_;
  std::string padded_;
  ReplayCounts counts_;
};

}  // namespace weir
