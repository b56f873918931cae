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
#include "connectors/codecs/value_text.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir replay [--config] CONFIG --input FILE [--pipeline NAME] [--topic TOPIC] [--csv] [--set KEY=VALUE]...\n\n"
    "Runs a recording through a pipeline as fast as it goes and prints the results: no broker, no state. The configuration is\n"
    "the one that `weir run` takes; its connections are not used.\n"
    "  --input FILE     the messages, `-` for standard input, one a line: a payload, or `TOPIC PAYLOAD` as\n"
    "                   `mosquitto_sub -v` writes it, or `SECONDS TOPIC PAYLOAD` as `mosquitto_sub -F '%U %t %p'` does, which "
    "also\n"
    "                   says when it came (otherwise \"arrival\" is 1970 for all); a FILE.csv begins with a line of names, and "
    "each row becomes a JSON "
    "object\n"
    "  --topic TOPIC    the topic of messages that come without one (default: the first filter, each wildcard as `replay`)\n"
    "  --pipeline NAME  which pipeline, where there are several\n"
    "  --csv            results as CSV with a line of names, not as JSON lines\n\n"
    "Event time is the records' own; processing time is the greatest event time so far. At the end of the input everything\n"
    "that waits for event time is due. What is refused is told on standard error, and last the account.\n"
    "Exit codes: 0, 66 the input cannot be read, 78 the configuration is wrong.\n";

class Printer final : public ReplayHandler {
 public:
  Printer(bool csv, const Schema& schema) : csv_(csv), encoder_(schema), buffer_(encoder_.payload_bytes_max() + 1, '\0') {
    for (size_t index = 0; csv && index < schema.size(); ++index)
      printf("%s%s%s", index == 0 ? "" : ",", schema[index].name.c_str(), index + 1 == schema.size() ? "\n" : "");
  }

  void on_result(const Schema&, const Record& record) override {
    TextWriter out(buffer_);
    if (csv_)
      append_csv(record, out);
    else
      encoder_.encode(record, out);
    printf("%.*s\n", static_cast<int>(out.size()), out.text().data());
  }
  void on_refused(std::string_view step, const char* reason, std::string_view detail) override {
    fprintf(stderr, "line %llu: refused by %.*s: %s: %.*s\n", static_cast<unsigned long long>(line),
            static_cast<int>(step.size()), step.data(), reason, static_cast<int>(detail.size()), detail.data());
  }

  uint64_t line = 0;

 private:
  /// RFC 4180: null is empty, a text stands in quotes.
  static void append_csv(const Record& record, TextWriter& out) {
    for (size_t index = 0; index < record.values.size(); ++index) {
      if (index > 0) out.append(",");
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

int replay(const PipelineSpec& pipeline, PlannedGraph graph, Arena& arena, const CommandLine& line) {
  std::ifstream file;
  if (line.input != "-") file.open(line.input, std::ios::binary);
  if (line.input != "-" && !file) {
    fprintf(stderr, "weir: error: cannot read %s: %s\n", line.input.c_str(), strerror(errno));
    return exit_no_input;
  }
  ReplayInput input(line.input == "-" ? std::cin : file, line.input.ends_with(".csv"),
                    line.topic.empty() ? topic_for(pipeline) : line.topic);
  Printer printer(line.csv, *graph.result);
  Replay run(pipeline.name, std::move(graph), arena, printer);
  while (input.next()) {
    printer.line = input.line();
    run.feed(input.topic(), input.payload(), input.arrival_ms());
  }
  run.finish();
  const ReplayCounts& counts = run.counts();
  fprintf(stderr, "%llu messages: %llu applied, %llu filtered, %llu late, %llu refused; %llu results\n",
          static_cast<unsigned long long>(counts.messages), static_cast<unsigned long long>(counts.applied),
          static_cast<unsigned long long>(counts.filtered), static_cast<unsigned long long>(counts.late),
          static_cast<unsigned long long>(counts.refused), static_cast<unsigned long long>(counts.results));
  return exit_ok;
}

}  // namespace

int command_replay(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"config", "input", "pipeline", "topic", "csv", "set"});
  if (line.error.empty() && !line.help && line.input.empty()) line.error = "--input FILE is missing";
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
  return replay(*pipeline, std::move(graph), arena, line);
}

}  // namespace weir
