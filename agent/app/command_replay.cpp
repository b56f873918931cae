// weir replay: a file through a pipeline, to standard output.
#include <cstdio>
#include <cstring>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/replay.h"
#include "agent/app/replay_input.h"
#include "agent/config/quantity.h"
#include "connectors/codecs/value_text.h"
#include "storage/journal.h"
#include "storage/journal_reader.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir replay [--config] CONFIG --input FILE [--pipeline NAME] [--topic TOPIC] [--csv] [--set KEY=VALUE]...\n"
    "       weir replay [--config] CONFIG --journal [STATE_DIR] [--from -DURATION] [--recorded-by NAME] [--pipeline NAME] "
    "[--csv]\n\n"
    "Runs a recording through a pipeline as fast as it goes and prints the results: no broker, no state. The configuration is\n"
    "the one that `weir run` takes; its connections are not used.\n"
    "  --input FILE     the messages, `-` for standard input, one a line: a payload, or `TOPIC PAYLOAD` as\n"
    "                   `mosquitto_sub -v` writes it, or `SECONDS TOPIC PAYLOAD` as `mosquitto_sub -F '%U %t %p'` does,\n"
    "                   which also says when it came (otherwise \"arrival\" is 1970 for all). A FILE.csv begins with a line\n"
    "                   of names, and each row becomes a JSON object: what a field reads as a string is a text, every other\n"
    "                   cell what it looks like; an empty one is null\n"
    "  --topic TOPIC    the topic of messages that come without one (default: the first filter, each wildcard as `replay`)\n"
    "  --pipeline NAME  which pipeline, where there are several\n"
    "  --journal [STATE_DIR]  the input that an agent has recorded with ack = \"journal\" (default: the configuration's "
    "state_dir);\n"
    "                   the file is read only, so the agent may run meanwhile; messages keep the time at which they came\n"
    "  --from -2h       of the journal: what came in the last two hours (default: all that it holds)\n"
    "  --recorded-by NAME  of the journal: the pipeline that has recorded it (default: the one of the same name, or the only "
    "one)\n"
    "  --csv            results as CSV with a line of names, not as JSON lines\n\n"
    "Event time is the records' own; processing time is the greatest event time so far. At the end of the input everything\n"
    "that waits for event time is due. What is refused is told on standard error, and last the account.\n"
    "Exit codes: 0, 66 the input cannot be read, 78 the configuration is wrong.\n";

class Printer final : public ReplayHandler {
 public:
  Printer(bool csv, const Schema& schema) : csv_(csv), encoder_(schema), buffer_(encoder_.payload_bytes_max() + 1, '\0') {
    if (!csv) return;
    std::string names;
    for (const Field& field : schema.fields())
      if (!field.hidden) names += (names.empty() ? "" : ",") + field.name;
    printf("%s\n", names.c_str());
  }

  void on_result(const Schema& schema, const Record& record) override {
    TextWriter out(buffer_);
    if (csv_)
      append_csv(schema, record, out);
    else
      encoder_.encode(record, out);
    printf("%.*s\n", static_cast<int>(out.size()), out.text().data());
  }
  void on_refused(std::string_view step, const char* reason, std::string_view detail) override {
    // Some details begin with the reason.
    const std::string why = detail.starts_with(std::string(reason) + ":") ? "" : std::string(reason) + ": ";
    fprintf(stderr, "line %llu: refused by %.*s: %s%.*s\n", static_cast<unsigned long long>(line),
            static_cast<int>(step.size()), step.data(), why.c_str(), static_cast<int>(detail.size()), detail.data());
  }

  uint64_t line = 0;

 private:
  /// RFC 4180: null is empty, a text stands in quotes.
  static void append_csv(const Schema& schema, const Record& record, TextWriter& out) {
    bool first = true;
    for (size_t index = 0; index < record.values.size(); ++index) {
      if (schema[index].hidden) continue;
      if (!first) out.append(",");
      first = false;
      const Value& value = record.values[index];
      if (value.is_null()) continue;
      if (value.type() != Type::String) {
        append_value_text(value, out);
        continue;
      }
      out.append("\"");
      for (char character : value.as_string()) out.append(character == '"' ? "\"\"" : std::string_view(&character, 1));
      out.append("\"");
    }
  }

  bool csv_;
  JsonEncoder encoder_;
  std::string buffer_;
};

const PipelineSpec* find_pipeline(const Specification& specification, const std::string& name) {
  if (name.empty() && specification.pipeline.size() == 1) return &specification.pipeline[0];
  for (const PipelineSpec& pipeline : specification.pipeline)
    if (pipeline.name == name) return &pipeline;
  std::string names;
  for (const PipelineSpec& pipeline : specification.pipeline) names += (names.empty() ? "" : ", ") + pipeline.name;
  fprintf(stderr, "weir: error: %s; name one with --pipeline: %s\n",
          name.empty() ? "the configuration has several pipelines" : ("there is no pipeline " + name).c_str(), names.c_str());
  return nullptr;
}

int conclude(Replay& run) {
  run.finish();
  const ReplayCounts& counts = run.counts();
  fprintf(stderr, "%llu messages: %llu applied, %llu filtered, %llu late, %llu refused; %llu results\n",
          static_cast<unsigned long long>(counts.messages), static_cast<unsigned long long>(counts.applied),
          static_cast<unsigned long long>(counts.filtered), static_cast<unsigned long long>(counts.late),
          static_cast<unsigned long long>(counts.refused), static_cast<unsigned long long>(counts.results));
  return exit_ok;
}

int replay_file(const PipelineSpec& pipeline, PlannedGraph graph, Arena& arena, const CommandLine& line) {
  std::ifstream file;
  if (line.input != "-") file.open(line.input, std::ios::binary);
  if (line.input != "-" && !file) {
    fprintf(stderr, "weir: error: cannot read %s: %s\n", line.input.c_str(), strerror(errno));
    return exit_no_input;
  }
  const std::string topic = line.topic.empty() ? topic_for(pipeline) : line.topic;
  ReplayInput input(line.input == "-" ? std::cin : file, line.input.ends_with(".csv"), topic, fields_for(pipeline, topic));
  Printer printer(line.csv, *graph.result);
  Replay run(pipeline.name, std::move(graph), arena, printer);
  while (input.next()) {
    printer.line = input.line();
    run.feed(input.topic(), input.payload(), input.arrival_ms());
  }
  return conclude(run);
}

std::string value_of(const CommandLine& line, const char* name) {
  const auto found = line.values.find(name);
  return found == line.values.end() ? "" : found->second;
}

/// "-2h" or "2h": so long before now. False: it is no duration.
bool parse_from(std::string text, int64_t& from_ms) {
  if (text.empty()) return true;
  if (text.starts_with('-')) text.erase(0, 1);
  const Quantity ago = parse_duration(text);
  from_ms = SystemClock().now().wall_ms - ago.value;
  return ago.problem.empty();
}

/// The file of the journal; empty, with the reason told, if it is not clear which.
std::string find_journal(const CommandLine& line, const std::string& state_dir, const std::string& pipeline) {
  const std::vector<std::string> names = journals_in(state_dir);
  std::string name = value_of(line, "recorded-by");
  if (name.empty()) name = names.size() == 1 ? names[0] : pipeline;
  if (std::ranges::find(names, name) != names.end()) return journal_path(state_dir, name);
  std::string there;
  for (const std::string& each : names) there += (there.empty() ? "" : ", ") + each;
  fprintf(stderr, "weir: error: %s holds no journal of %s; there are: %s\n", state_dir.c_str(), name.c_str(),
          there.empty() ? "none" : there.c_str());
  return "";
}

int replay_journal(const PipelineSpec& pipeline, PlannedGraph graph, Arena& arena, const CommandLine& line,
                   const std::string& state_dir, int64_t from_ms) {
  const std::string path = find_journal(line, state_dir, pipeline.name);
  if (path.empty()) return exit_no_input;
  Printer printer(line.csv, *graph.result);
  Replay run(pipeline.name, std::move(graph), arena, printer);
  const Result<JournalReadCounts> read = read_journal(path, from_ms, [&](const JournalRecord& record) {
    printer.line = record.offset;
    if (record.kind == JournalKind::Message) run.feed(record.topic, as_text(record.payload), record.arrival_ms);
  });
  if (!read.ok()) {
    fprintf(stderr, "weir: error: cannot read %s: %s\n", path.c_str(), read.status().text());
    return exit_no_input;
  }
  if (read.value().skipped_batches > 0)
    fprintf(stderr, "%llu groups of messages are damaged, or were written over meanwhile, and are left out\n",
            static_cast<unsigned long long>(read.value().skipped_batches));
  return conclude(run);
}

}  // namespace

int command_replay(int count, char** arguments) {
  CommandLine line = parse_command_line(
      count, arguments, {"config", "input", "pipeline", "topic", "csv", "set", "journal", "from", "recorded-by"});
  const bool journal = line.values.contains("journal");
  int64_t from_ms = INT64_MIN;
  if (line.error.empty() && !line.help && line.input.empty() != journal)
    line.error = journal ? "--input and --journal exclude each other" : "--input FILE or --journal is missing";
  if (line.error.empty() && !journal && (line.values.contains("from") || line.values.contains("recorded-by")))
    line.error = "--from and --recorded-by belong to --journal";
  if (line.error.empty() && !parse_from(value_of(line, "from"), from_ms))
    line.error = "--from takes a duration, for example -2h";
  if (!line.error.empty()) return usage_error("replay", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  LoadedConfig config = load_config(config_paths(line), line.overrides);
  Arena arena;
  const PipelineSpec* pipeline = config.unusable ? nullptr : find_pipeline(config.specification, line.pipeline);
  PlannedGraph graph;
  if (pipeline != nullptr) graph = build_graph(*pipeline, config.diagnostics, arena);
  print_diagnostics(config, false);
  if (config.diagnostics.errors() > 0 || graph.result == nullptr) return exit_config;
  if (!journal) return replay_file(*pipeline, std::move(graph), arena, line);
  std::string state_dir = value_of(line, "journal");
  if (state_dir.empty()) state_dir = config.specification.agent.state_dir;
  return replay_journal(*pipeline, std::move(graph), arena, line, state_dir, from_ms);
}

}  // namespace weir
