// StepGraph: the inputs and steps of a pipeline, connected: messages go in, records come out at the sink, event time and
// processing time move on. It is what a pipeline, a replay of a file and a test have in common: no broker, no store, no clock.
//
// A record runs to completion before the next one: through every step that it reaches. Steps stand in the order of the
// configuration, and outputs lead only to later steps, so one pass over them in that order moves event time on everywhere.
// Each step sees the least watermark of the inputs that it can be reached from, idle inputs left out; a step all of whose keys
// follow device clocks sees those instead.
//
// Owned by its pipeline; reactor thread; never allocates after connect().
#pragma once

#include <memory>
#include <vector>

#include "agent/operators/operator.h"
#include "agent/runtime/input_stream.h"

namespace weir {

/// An output and who reads it.
struct GraphEdge {
  static constexpr size_t sink = SIZE_MAX;
  static constexpr size_t main_output = SIZE_MAX;
  bool from_input = false;
  size_t from = 0;               // the number of the input or step
  size_t branch = main_output;   // of a step
  size_t to = sink;              // the number of the step
  bool to_second_input = false;  // of the step
  auto operator<=>(const GraphEdge&) const = default;
};

struct GraphParts {
  std::vector<InputParts> inputs;
  std::vector<std::unique_ptr<Operator>> steps;
  std::vector<GraphEdge> edges;  // from earlier to later; every step is reached by one
};

/// The most records that reach the sink between two questions for its readiness.
uint32_t records_at_sink_max(const GraphParts& graph);

class StepGraph {
 public:
  StepGraph(std::string_view name, GraphParts parts, Arena& arena);
  ~StepGraph();

  /// Before anything else: where results and refused records go. Start-up only.
  void connect(Operator& sink, RefusalHandler& refusals);
  size_t inputs() const { return inputs_.size(); }
  const InputStream& input(size_t number) const { return *inputs_[number]; }
  /// The input that takes the topic; inputs() if none does.
  size_t input_for(std::string_view topic) const;
  /// Whether a record that comes to the step of this id has been to no step before that keeps state, and goes nowhere else.
  /// False if there is no such step.
  bool nothing_before(std::string_view id) const;
  /// For steps that read files; `executor` must outlive this, and run no job of it any more when this goes.
  void connect_background(BackgroundExecutor& executor);
  /// records_at_sink_max() of its parts. Start-up only: it walks the graph.
  uint32_t fan_out() const { return records_at_sink_max(parts_); }

  /// Of a message; `refusal.reason` is set if it did not even become a record.
  struct Verdict {
    Outcome outcome = Outcome::DeadLetter;
    Refusal refusal;
  };
  /// Instead of a processing time: it is the greatest event time so far, and what it makes due fires before the record.
  /// Requires a sink that is always ready.
  static constexpr int64_t by_event_time = INT64_MIN;
  /// Runs one message through. Requires that the sink is ready and nothing is pending.
  Verdict process(const Message& message, int64_t processing_ms, int64_t boot_ms);
  /// Whether a message of this topic has an input.
  bool takes(std::string_view topic) const;
  /// Where the number of the step is noted that a record is in: 0 the decoder, then the steps in their order, then the sink.
  void mark_steps(uint32_t& place) { step_in_hand_ = &place; }
  /// Something came that is no record: its input is not idle.
  void on_activity(std::string_view topic, int64_t boot_ms);
  /// The clock of idleness starts.
  void start(int64_t boot_ms);

  /// Fires what the watermarks made due, while the sink is ready. False: call again before the next message.
  bool advance();
  /// Fires what processing time made due; as advance().
  bool tick(int64_t processing_ms);
  /// Whether advance() or tick() has to be called again.
  bool pending() const { return advance_pending_ || tick_pending_; }
  bool wants_ticks() const { return wants_ticks_; }
  /// Looks which inputs have fallen silent; to be called about once a second.
  void check_idle(int64_t boot_ms);
  /// The end of all inputs: every event time has come. advance() then fires all that is left.
  void finish();

  /// The least over the inputs that are not idle; INT64_MIN: none yet.
  int64_t watermark() const;
  bool idle() const;
  /// Sums over the steps; see Operator.
  uint64_t evicted() const { return sum_of(&Operator::evicted); }
  uint64_t late_partial() const { return sum_of(&Operator::late_partial); }
  uint64_t late_updates() const { return sum_of(&Operator::late_updates); }
  size_t steps() const { return parts_.steps.size(); }
  const Operator& step(size_t index) const { return *parts_.steps[index]; }

  /// Appends the parts that checkpoints hold beside save() and restore().
  void collect_stateful(std::vector<Stateful*>& stateful);
  size_t saved_bytes() const { return WatermarkTracker::saved_bytes * inputs_.size(); }
  void save(ByteWriter& out) const;
  bool restore(ByteReader& in);

 private:
  bool reached_alone(size_t step) const;
  Operator* reader_of(const std::vector<GraphEdge>& edges, const Schema& schema, Operator& sink, RefusalHandler& refusals);
  /// The number of the input; their count if there is none.
  Operator* marked(Operator& reader, size_t number);
  uint64_t sum_of(uint64_t (Operator::*counter)() const) const;
  bool advance_step(size_t index);
  int64_t watermark_for(uint64_t inputs) const;

  GraphParts parts_;
  std::vector<std::unique_ptr<InputStream>> inputs_;
  std::vector<Operator*> entries_;                     // one per input
  std::vector<uint64_t> reached_by_;                   // per step: a set of inputs
  std::vector<std::unique_ptr<Operator>> connectors_;  // tees, drains and marks
  uint32_t unmarked_ = 0;
  uint32_t* step_in_hand_ = &unmarked_;
  bool wants_ticks_ = false;
  bool advance_pending_ = false;
  bool tick_pending_ = false;
  bool moved_ = false;  // some watermark may have moved
  bool finished_ = false;
  uint32_t clock_in_hand_ = 0;  // whose watermark moved last; all of them if all_clocks_
  bool all_clocks_ = false;
  int64_t processing_ms_ = INT64_MIN;
};

}  // namespace weir
