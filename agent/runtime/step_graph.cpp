#include "agent/runtime/step_graph.h"

#include <algorithm>

#include "agent/operators/step_mark.h"
#include "agent/operators/tee.h"

namespace weir {
namespace {

std::vector<GraphEdge> edges_of(const GraphParts& graph, const GraphEdge& output) {
  std::vector<GraphEdge> found;
  for (const GraphEdge& edge : graph.edges)
    if (edge.from_input == output.from_input && edge.from == output.from && edge.branch == output.branch) found.push_back(edge);
  return found;
}

uint32_t records_behind(const GraphParts& graph, const GraphEdge& output);

/// What one record that goes into the step can become at the sink. A step hands each record to one of its outputs.
uint32_t records_behind(const GraphParts& graph, size_t step) {
  uint32_t records = records_behind(graph, GraphEdge{.from = step});
  for (size_t branch = 0; branch < graph.steps[step]->branches().size(); ++branch)
    records = std::max(records, records_behind(graph, GraphEdge{.from = step, .branch = branch}));
  return records * graph.steps[step]->fan_out();
}

uint32_t records_behind(const GraphParts& graph, const GraphEdge& output) {
  uint32_t records = 0;
  for (const GraphEdge& edge : edges_of(graph, output))
    records += edge.to == GraphEdge::sink ? 1 : records_behind(graph, edge.to);
  return records;
}

}  // namespace

uint32_t records_at_sink_max(const GraphParts& graph) {
  uint32_t records = 1;
  for (size_t index = 0; index < graph.steps.size(); ++index) records = std::max(records, records_behind(graph, index));
  for (size_t index = 0; index < graph.inputs.size(); ++index)
    records = std::max(records, records_behind(graph, GraphEdge{.from_input = true, .from = index}));
  return records;
}

[[gnu::cold]] StepGraph::StepGraph(std::string_view name, GraphParts parts, Arena& arena) : parts_(std::move(parts)) {
  WEIR_ASSERT(!parts_.inputs.empty() && parts_.inputs.size() <= 64);
  for (InputParts& input : parts_.inputs) inputs_.push_back(std::make_unique<InputStream>(std::move(input), arena, name));
  reached_by_.resize(parts_.steps.size());
  std::ranges::sort(parts_.edges, {}, &GraphEdge::to);
  // Edges are sorted by where they lead, so what reaches a step is known before the steps behind it are looked at.
  for (const GraphEdge& edge : parts_.edges)
    if (edge.to != GraphEdge::sink) reached_by_[edge.to] |= edge.from_input ? uint64_t{1} << edge.from : reached_by_[edge.from];
  for (const auto& step : parts_.steps) wants_ticks_ |= step->wants_ticks();
}

StepGraph::~StepGraph() = default;

// ---- connecting

Operator* StepGraph::marked(Operator& reader, size_t number) {
  const size_t place = (number == GraphEdge::sink ? parts_.steps.size() : number) + 1;
  connectors_.push_back(std::make_unique<StepMark>(reader, static_cast<uint32_t>(place), step_in_hand_));
  return connectors_.back().get();
}

Operator* StepGraph::reader_of(const std::vector<GraphEdge>& edges, const Schema& schema, Operator& sink,
                               RefusalHandler& refusals) {
  std::vector<Operator*> readers;
  for (const GraphEdge& edge : edges) {
    Operator* reader = edge.to == GraphEdge::sink ? &sink : parts_.steps[edge.to].get();
    readers.push_back(marked(edge.to_second_input ? *reader->second_input() : *reader, edge.to));
  }
  if (readers.size() == 1) return readers[0];
  if (readers.empty())
    connectors_.push_back(std::make_unique<Drain>(schema));
  else
    connectors_.push_back(std::make_unique<Tee>(schema, std::move(readers)));
  connectors_.back()->connect(nullptr, &refusals);
  return connectors_.back().get();
}

void StepGraph::connect_background(BackgroundExecutor& executor) {
  for (const auto& step : parts_.steps) step->connect_background(executor);
}

void StepGraph::connect(Operator& sink, RefusalHandler& refusals) {
  sink.connect(nullptr, &refusals);
  for (size_t index = 0; index < parts_.steps.size(); ++index) {
    Operator& step = *parts_.steps[index];
    step.connect(reader_of(edges_of(parts_, {.from = index}), step.schema(), sink, refusals), &refusals);
    for (size_t branch = 0; branch < step.branches().size(); ++branch)
      step.connect_branch(branch,
                          reader_of(edges_of(parts_, {.from = index, .branch = branch}), step.schema(), sink, refusals));
  }
  for (size_t index = 0; index < inputs_.size(); ++index)
    entries_.push_back(
        reader_of(edges_of(parts_, {.from_input = true, .from = index}), inputs_[index]->schema(), sink, refusals));
}

bool StepGraph::nothing_before(std::string_view id) const {
  const auto step = std::ranges::find_if(parts_.steps, [&](const auto& each) { return each->id() == id; });
  return step != parts_.steps.end() && reached_alone(static_cast<size_t>(step - parts_.steps.begin()));
}

/// Every way to the step: outputs that only one step reads, of steps that keep nothing.
bool StepGraph::reached_alone(size_t step) const {
  return std::ranges::all_of(parts_.edges, [&](const GraphEdge& edge) {
    if (edge.to != step) return true;
    if (edges_of(parts_, {.from_input = edge.from_input, .from = edge.from, .branch = edge.branch}).size() > 1) return false;
    return edge.from_input || (parts_.steps[edge.from]->stateful() == nullptr && reached_alone(edge.from));
  });
}

// ---- records in

size_t StepGraph::input_for(std::string_view topic) const {
  if (inputs_.size() == 1) return 0;
  size_t number = 0;
  while (number < inputs_.size() && !inputs_[number]->takes(topic)) ++number;
  return number;
}

StepGraph::Verdict StepGraph::process(const Message& message, int64_t processing_ms, int64_t boot_ms) {
  WEIR_ASSERT(!pending());
  const size_t number = input_for(message.topic);
  if (number == inputs_.size())
    return {Outcome::DeadLetter, {"topic", "no source of this pipeline has a filter for this topic"}};
  InputStream& input = *inputs_[number];
  input.on_activity(boot_ms);
  processing_ms_ = std::max(processing_ms_, processing_ms);
  Record record;
  record.processing_ms = processing_ms_;
  if (Refusal refusal = input.read(message, record); refusal.reason != nullptr) return {Outcome::DeadLetter, refusal};
  if (processing_ms == by_event_time) {
    tick(record.event_time_ms);
    record.processing_ms = processing_ms_;
  }
  const Outcome outcome = entries_[number]->process(record);
  input.on_record(record, boot_ms);
  clock_in_hand_ = record.clock;
  // Also where no watermark has moved: the record may have set a timer for a time that has passed, and that fires now, whether
  // or not a restart comes in between.
  moved_ = true;
  return {outcome, {}};
}

bool StepGraph::takes(std::string_view topic) const {
  return std::ranges::any_of(inputs_, [&](const auto& input) { return input->takes(topic); });
}

void StepGraph::on_activity(std::string_view topic, int64_t boot_ms) {
  if (const size_t number = input_for(topic); number < inputs_.size()) inputs_[number]->on_activity(boot_ms);
}

void StepGraph::start(int64_t boot_ms) {
  for (auto& input : inputs_) input->start(boot_ms);
  // A restart may have restored what is due already.
  moved_ = all_clocks_ = true;
}

// ---- time

int64_t StepGraph::watermark_for(uint64_t inputs) const {
  if (finished_) return INT64_MAX;
  int64_t least_ms = INT64_MAX;
  int64_t least_of_all_ms = INT64_MAX;
  for (size_t index = 0; index < inputs_.size(); ++index) {
    if ((inputs >> index & 1) == 0) continue;
    const int64_t watermark_ms = inputs_[index]->watermark();
    least_of_all_ms = std::min(least_of_all_ms, watermark_ms);
    if (!inputs_[index]->idle()) least_ms = std::min(least_ms, watermark_ms);
  }
  // Flink's rule: when all inputs are idle the watermark stays. Steps keep the greatest that they were told.
  return least_ms != INT64_MAX ? least_ms : least_of_all_ms;
}

int64_t StepGraph::watermark() const { return watermark_for(~uint64_t{0}); }

bool StepGraph::idle() const {
  return std::ranges::all_of(inputs_, [](const auto& input) { return input->idle(); });
}

bool StepGraph::advance_step(size_t index) {
  *step_in_hand_ = static_cast<uint32_t>(index + 1);
  Operator& step = *parts_.steps[index];
  if (!step.follows_clocks()) {
    const int64_t watermark_ms = watermark_for(reached_by_[index]);
    return watermark_ms == INT64_MIN || step.advance(watermark_ms);
  }
  const DeviceClocks& clocks = *inputs_[0]->clocks();
  const uint32_t begin = all_clocks_ ? 1 : clock_in_hand_;
  const uint32_t end = all_clocks_ ? clocks.count() : clock_in_hand_ + 1;
  for (uint32_t clock = begin; clock < end; ++clock) {
    const int64_t watermark_ms = finished_ ? INT64_MAX : clocks.watermark(clock);
    if (watermark_ms != INT64_MIN && !step.advance_clock(clock, watermark_ms)) return false;
  }
  return true;
}

bool StepGraph::advance() {
  if (!moved_ && !advance_pending_) return true;
  advance_pending_ = true;
  for (size_t index = 0; index < parts_.steps.size(); ++index)
    if (!advance_step(index)) return false;
  advance_pending_ = moved_ = all_clocks_ = false;
  return true;
}

bool StepGraph::tick(int64_t processing_ms) {
  processing_ms_ = std::max(processing_ms_, processing_ms);
  if (!wants_ticks_) return true;
  tick_pending_ = true;
  for (const auto& step : parts_.steps)
    if (step->wants_ticks() && !step->tick(processing_ms_)) return false;
  tick_pending_ = false;
  return true;
}

void StepGraph::check_idle(int64_t boot_ms) {
  for (auto& input : inputs_) moved_ |= input->check_idle(boot_ms);
}

void StepGraph::finish() { finished_ = moved_ = all_clocks_ = true; }

// ---- state

uint64_t StepGraph::sum_of(uint64_t (Operator::*counter)() const) const {
  uint64_t total = 0;
  for (const auto& step : parts_.steps) total += ((*step).*counter)();
  return total;
}

void StepGraph::collect_stateful(std::vector<Stateful*>& stateful) {
  for (auto& input : inputs_)
    if (input->clocks() != nullptr) stateful.push_back(input->clocks());
  for (auto& step : parts_.steps)
    if (Stateful* part = step->stateful(); part != nullptr) stateful.push_back(part);
}

void StepGraph::save(ByteWriter& out) const {
  for (const auto& input : inputs_) input->tracker().save(out);
}

bool StepGraph::restore(ByteReader& in) {
  return std::ranges::all_of(inputs_, [&](auto& input) { return input->tracker().restore(in); });
}

}  // namespace weir
