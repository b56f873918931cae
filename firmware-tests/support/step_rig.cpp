#include "firmware-tests/support/step_rig.h"

#include <fstream>
#include <sstream>

#include "agent/app/replay_input.h"

namespace weir::test {
namespace {

const std::string broker = "[mqtt.local]\nurl = \"mqtt://127.0.0.1:1883\"\n";
constexpr const char* pipeline = "[[pipeline]]\n";
const std::string head = broker + pipeline + "name = \"example\"\n";
constexpr const char* standard_source =
    "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+\"]\nformat = \"json\"\n"
    "fields = { device = \"string(16)\", value = \"float\", ts = \"time(ms)\" }\n"
    "event_time = { field = \"ts\", max_delay = \"0s\" }\n";
constexpr const char* sink = "[pipeline.sink]\nmqtt = \"local\"\ntopic = \"results\"\nformat = \"json\"\n";

/// Tables of the steps come behind the source, whose order in the text is free.
std::string configuration(const std::string& toml) {
  if (toml.starts_with(pipeline)) return broker + toml;
  const bool own_source =
      toml.find("[pipeline.source]") != std::string::npos || toml.find("[[pipeline.source]]") != std::string::npos;
  const bool own_sink = toml.find("[pipeline.sink]") != std::string::npos;
  return head + (own_source ? "" : standard_source) + toml + (own_sink ? "" : std::string("\n") + sink);
}

}  // namespace

LoadedConfig load_steps(const std::string& toml, const TemporaryDirectory& directory, const std::string& csv) {
  if (!csv.empty()) std::ofstream(directory.file("devices.csv")) << csv;
  const std::string path = directory.file("c.toml");
  std::ofstream(path) << configuration(toml);
  return load_config(std::vector<std::string>{path}, {});
}

StepRig::StepRig(const std::string& toml, const std::string& csv) : arena_(std::make_unique<Arena>(size_t{1} << 30)) {
  LoadedConfig config = load_steps(toml, directory_, csv);
  const std::string path = config.files.at(0).name;
  PlannedGraph graph;
  if (!config.unusable) graph = build_graph(config.specification.pipeline.at(0), config.diagnostics, *arena_);
  problems_ = config.diagnostics.errors() > 0 ? config.diagnostics.format(config.files, false) : "";
  const std::string folder = directory_.file("");
  for (size_t at = problems_.find(folder); at != std::string::npos; at = problems_.find(folder))
    problems_.erase(at, folder.size());
  for (size_t at = problems_.find(path); at != std::string::npos; at = problems_.find(path))
    problems_.replace(at, path.size(), "c.toml");
  if (!problems_.empty() || graph.result == nullptr) return;
  topic_ = topic_for(config.specification.pipeline[0]);
  input_ = &graph.parts.inputs[0].decoder->schema();
  replay_ = std::make_unique<Replay>("example", std::move(graph), *arena_, *this);
  encoder_ = std::make_unique<JsonEncoder>(replay_->schema());
}

StepRig::~StepRig() = default;

void StepRig::feed(const std::string& line, int64_t boot_ms) {
  std::istringstream stream(line);
  ReplayInput input(stream, false, topic_, {});
  while (input.next()) replay_->feed(input.topic(), input.payload(), input.arrival_ms(), boot_ms);
}

void StepRig::check_idle(int64_t boot_ms) {
  graph().check_idle(boot_ms);
  const bool fired = graph().advance();
  WEIR_ASSERT(fired);
}

void StepRig::feed_lines(const std::string& lines) { feed(lines); }

void StepRig::finish() { replay_->finish(); }

std::string StepRig::take_output() { return std::exchange(output_, {}); }

void StepRig::on_result(const Schema&, const Record& record) {
  std::string buffer(encoder_->payload_bytes_max(), '\0');
  TextWriter out(buffer);
  encoder_->encode(record, out);
  output_ += std::string(out.text()) + "\n";
}

void StepRig::on_refused(std::string_view step, const char* reason, std::string_view) {
  output_ += "refused " + std::string(step) + " " + reason + "\n";
}

std::vector<Stateful*> StepRig::stateful() {
  std::vector<Stateful*> parts;
  graph().collect_stateful(parts);
  return parts;
}

void StepRig::save(SavedRig& saved, bool committed) {
  ++saved.checkpoint_id;
  for (Stateful* part : stateful()) checkpoint_of(*part, saved.checkpoint_id, saved.parts[std::string(part->uid())], committed);
  for (Stateful* part : stateful()) saved.layouts[std::string(part->uid())] = part->layout();
  if (!committed) return;
  saved.graph.assign(graph().saved_bytes(), 0);
  ByteWriter out(saved.graph);
  graph().save(out);
}

Status StepRig::restore_graph(const SavedRig& saved) {
  ByteReader in(saved.graph);
  return graph().restore(in) ? Status() : Status(Code::Corrupt, "the graph's own state is cut short");
}

Status StepRig::adopt(const SavedRig& saved) {
  WEIR_TRY(restore_graph(saved));
  for (Stateful* part : stateful()) {
    const std::string uid(part->uid());
    if (!saved.parts.contains(uid)) {
      WEIR_TRY(part->restore_finished());
      continue;
    }
    Result<StateLayout> layout = StateLayout::parse(saved.layouts.at(uid));
    if (!layout.ok()) return layout.status();
    // The clocks of devices are numbered by their slots, and stay in them.
    if (layout.value().kind != "clocks") WEIR_TRY(part->adopt(layout.value()));
    WEIR_TRY(saved.parts.at(uid).load_into(*part));
  }
  const bool fired = graph().advance();
  WEIR_ASSERT(fired);
  return {};
}

Status StepRig::restore(const SavedRig& saved) {
  WEIR_TRY(restore_graph(saved));
  for (Stateful* part : stateful()) WEIR_TRY(saved.parts.at(std::string(part->uid())).load_into(*part));
  // What was due at the cut fires now.
  const bool fired = graph().advance();
  WEIR_ASSERT(fired);
  return {};
}

}  // namespace weir::test
