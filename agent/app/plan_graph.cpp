#include "agent/app/plan_graph.h"

#include <algorithm>

#include "agent/app/plan_topics.h"
#include "agent/operators/route.h"
#include "agent/runtime/clock_tag.h"
#include "connectors/codecs/json_decoder.h"
#include "storage/row_key.h"

namespace weir {
namespace {

/// Chunks of keyed state that a part can have in the store, and its own blob.
constexpr size_t stored_blobs_max = size_t{row_key::blob_index_max} + 2;

/// Something that a later step can read.
struct Output {
  std::string name;
  const Schema* schema = nullptr;
  GraphEdge edge;
  Location at;
  bool may_be_unread = false;
  bool follows_clocks = false;  // its records carry the clock of their device
  bool read = false;
};

class GraphBuilder {
 public:
  GraphBuilder(const PipelineSpec& spec, Diagnostics& diagnostics, Arena& arena)
      : spec_(spec), diagnostics_(diagnostics), arena_(arena) {}

  PlannedGraph build();

 private:
  bool add_inputs();
  bool has_id_of_earlier(size_t index) const;
  bool add_step(size_t index);
  bool can_be_stored(const StepSpec& step, Operator& made);
  std::unique_ptr<Operator> make_union(const StepSpec& step, const std::string& id, const std::vector<Output*>& outputs);
  Output* find(const Text& name);
  Output* read(const Text& name);
  void connect(Output& output, size_t to, bool second = false);
  void report_unread();
  StepContext context(bool follows_clocks) const;

  const PipelineSpec& spec_;
  Diagnostics& diagnostics_;
  Arena& arena_;
  PlannedGraph graph_;
  std::vector<Output> outputs_;
  size_t previous_ = 0;  // the main output of the step before, or the first source
};

InputParts input_parts(const PipelineSpec& pipeline, const SourceSpec& spec, std::vector<SourceField> fields) {
  InputParts input;
  const EventTimeSpec& time = spec.event_time;
  for (SourceField& field : fields) field.field.clock = !time.per.value.empty() && field.field.name == time.per.value;
  input.pipeline = pipeline.name;
  input.name = spec.name;
  for (const Text& topic : spec.topics) input.topics.push_back(topic.value);
  input.decoder = std::make_unique<JsonDecoder>(fields, pipeline.first_source().max_message);
  if (spec.unsynchronised_clock == "tag") input.decoder = std::make_unique<ClockTag>(std::move(input.decoder));
  if (time.given) input.event_time_field = input.decoder->schema().find(time.field.value);
  if (!time.per.value.empty()) input.clock_field = input.decoder->schema().find(time.per.value);
  input.devices_max = static_cast<uint32_t>(time.max_devices);
  input.max_delay_ms = time.max_delay;
  input.idle_ms = time.idle;
  input.max_future_ms = time.max_future;
  return input;
}

bool GraphBuilder::add_inputs() {
  // Without a source there is nothing that the steps could be checked against.
  for (const SourceSpec& source : spec_.source)
    if (source.topics.empty() || source.fields.empty() || source.broken) return false;
  std::vector<std::vector<SourceField>> fields = decoded_fields(spec_, diagnostics_);
  if (fields.empty()) return false;
  for (size_t index = 0; index < spec_.source.size(); ++index)
    graph_.parts.inputs.push_back(input_parts(spec_, spec_.source[index], std::move(fields[index])));
  for (size_t index = 0; index < spec_.source.size(); ++index)
    outputs_.push_back({spec_.source[index].name,
                        &graph_.parts.inputs[index].decoder->schema(),
                        {.from_input = true, .from = index},
                        spec_.source[index].at,
                        false,
                        !spec_.source[index].event_time.per.value.empty()});
  return !outputs_.empty();
}

StepContext GraphBuilder::context(bool follows_clocks) const {
  StepContext context{spec_, diagnostics_, arena_};
  context.has_event_time = true;
  for (const SourceSpec& source : spec_.source) {
    context.has_event_time &= source.event_time.given;
    context.max_delay_ms = std::max(context.max_delay_ms, source.event_time.max_delay);
  }
  if (follows_clocks) context.clocks = static_cast<uint32_t>(spec_.first_source().event_time.max_devices) + 1;
  return context;
}

Output* GraphBuilder::find(const Text& name) {
  auto found = std::ranges::find(outputs_, name.value, &Output::name);
  if (found != outputs_.end()) return &*found;
  std::vector<std::string> names;
  for (const Output& output : outputs_) names.push_back(output.name);
  diagnostics_.error(name.at, name.value.size(), "nothing before this is called " + quoted(name.value),
                     suggest(name.value, names, "there are:"));
  return nullptr;
}

/// The output of this name, or the one before where none is named.
Output* GraphBuilder::read(const Text& name) { return name.value.empty() ? &outputs_[previous_] : find(name); }

void GraphBuilder::connect(Output& output, size_t to, bool second) {
  output.read = true;
  GraphEdge edge = output.edge;
  edge.to = to;
  edge.to_second_input = second;
  graph_.parts.edges.push_back(edge);
}

/// Where one of the two has lost a segment of the topic that an expression of the pipeline reads by topic(n), which one.
std::string lost_segment(const Schema& one, const Schema& other) {
  for (const Field& field : one.fields())
    if (field.hidden && other.find_topic_segment(field.topic_segment) < 0)
      return "only one of them still knows " + field.name + " (declare that segment as one of the source's fields)";
  return {};
}

std::string differs(const Schema& one, const Schema& other) {
  for (const auto& [first, second] : {std::pair(&one, &other), std::pair(&other, &one)})
    if (std::string lost = lost_segment(*first, *second); !lost.empty()) return lost;
  if (one.size() != other.size())
    return "one has " + std::to_string(one.size()) + " fields, the other " + std::to_string(other.size());
  for (size_t index = 0; index < one.size(); ++index)
    if (one[index].name != other[index].name || one[index].type != other[index].type)
      return "field " + std::to_string(index + 1) + " is " + one[index].name + " (" + type_name(one[index].type) + ") and " +
             other[index].name + " (" + type_name(other[index].type) + ")";
  return {};
}

std::unique_ptr<Operator> GraphBuilder::make_union(const StepSpec& step, const std::string& id,
                                                   const std::vector<Output*>& outputs) {
  std::vector<Field> fields = outputs[0]->schema->fields();
  for (size_t index = 1; index < outputs.size(); ++index) {
    const Schema& schema = *outputs[index]->schema;
    if (std::string difference = differs(*outputs[0]->schema, schema); !difference.empty()) {
      diagnostics_.error(
          step.unite[index].at, step.unite[index].value.size(),
          quoted(outputs[index]->name) + " does not have the fields of " + quoted(outputs[0]->name) + ": " + difference,
          "a step with select and one with map bring them into one form");
      return nullptr;
    }
    for (size_t field = 0; field < fields.size(); ++field) {
      fields[field].max_length = std::max(fields[field].max_length, schema[field].max_length);
      if (fields[field].topic_segment != schema[field].topic_segment) fields[field].topic_segment = -1;
    }
  }
  Schema schema;
  for (Field& field : fields) schema.add(std::move(field));
  return std::make_unique<Union>(id, std::move(schema));
}

/// Reported when the file was read.
bool GraphBuilder::has_id_of_earlier(size_t index) const {
  const std::string& id = spec_.step[index].id;
  const auto earlier = std::span(spec_.step).first(index);
  return !id.empty() && std::ranges::find(earlier, id, &StepSpec::id) != earlier.end();
}

bool GraphBuilder::add_step(size_t index) {
  const StepSpec& step = spec_.step[index];
  // What follows from a mistake that has been told would only hide it.
  if (step.broken || has_id_of_earlier(index)) return false;
  const std::string id = step_name(step, index);
  std::vector<Output*> inputs;
  for (const Text& name : step.unite) inputs.push_back(find(name));
  if (step.verb != StepVerb::Union) inputs = {read(step.from)};
  Output* second = nullptr;
  const bool joins = step.kind != nullptr && step.kind->second_input != nullptr;
  if (joins) inputs.push_back(second = find(step.options.text(step.kind->second_input)));
  if (inputs.empty() || std::ranges::find(inputs, nullptr) != inputs.end()) return false;
  // Only if all that it reads does.
  const bool follows_clocks = std::ranges::all_of(inputs, [](const Output* input) { return input->follows_clocks; });
  std::unique_ptr<Operator> made =
      step.verb == StepVerb::Union
          ? make_union(step, id, inputs)
          : build_step(context(follows_clocks), step, id, *inputs[0]->schema, joins ? second->schema : nullptr);
  if (made == nullptr) return false;
  if (std::ranges::find(outputs_, id, &Output::name) != outputs_.end()) {
    diagnostics_.error(step.id_at, std::max<size_t>(1, step.id.size()), quoted(id) + " names a source or another step",
                       "choose another id");
    return false;
  }
  if (!can_be_stored(step, *made)) return false;
  for (Output* input : inputs) connect(*input, index, joins && input == second);
  const bool routes = step.verb == StepVerb::Route;
  // What a step keeps under other keys than the device comes out without a clock.
  const bool keeps_clocks = follows_clocks && (made->stateful() == nullptr || made->follows_clocks());
  previous_ = outputs_.size();
  outputs_.push_back({id, &made->schema(), {.from = index}, step.at, routes, keeps_clocks});
  for (size_t branch = 0; branch < made->branches().size(); ++branch)
    outputs_.push_back({id + "." + made->branches()[branch],
                        &made->branch_schema(branch),
                        {.from = index, .branch = branch},
                        step.at,
                        false,
                        follows_clocks});
  graph_.parts.steps.push_back(std::move(made));
  return true;
}

bool GraphBuilder::can_be_stored(const StepSpec& step, Operator& made) {
  const Stateful* part = made.stateful();
  if (part == nullptr || part->snapshot_bounds().blobs <= stored_blobs_max) return true;
  diagnostics_.error(step.id_at.line == 0 ? step.at : step.id_at, std::max<size_t>(1, step.id.size()),
                     "its state may grow to " + std::to_string(part->snapshot_bounds().bytes >> 20) +
                         " MiB, and at most 512 MiB of a step can be stored",
                     "lower max_keys, or share the keys out over several pipelines");
  return false;
}

void GraphBuilder::report_unread() {
  for (const Output& output : outputs_)
    if (!output.read && !output.may_be_unread)
      diagnostics_.error(output.at, 1, "nothing reads " + quoted(output.name),
                         "a step or the sink reads it by from = " + quoted(output.name) + ", or a union");
}

PlannedGraph GraphBuilder::build() {
  if (spec_.source.empty() || !add_inputs()) return std::move(graph_);
  bool complete = true;
  for (size_t index = 0; index < spec_.step.size() && complete; ++index) complete = add_step(index);
  // Without all steps what arrives at the sink is not known, and its errors would be misleading.
  if (!complete) return std::move(graph_);
  if (Output* last = read(spec_.sink.from); last != nullptr) {
    connect(*last, GraphEdge::sink);
    const size_t errors_before = diagnostics_.errors();
    report_unread();
    if (diagnostics_.errors() == errors_before) graph_.result = last->schema;
  }
  return std::move(graph_);
}

}  // namespace

PlannedGraph build_graph(const PipelineSpec& spec, Diagnostics& diagnostics, Arena& arena) {
  return GraphBuilder(spec, diagnostics, arena).build();
}

}  // namespace weir
