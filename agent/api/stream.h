// Stream: a pipeline that is written in C++ instead of TOML, in the shape of Flink's DataStream API:
//
//   Stream::from("averages", "mqtt = 'local', topics = ['numbers'], format = 'json', fields = { key = 'int', value = 'int' }")
//       .key_by({"key"})
//       .flat_map("average", keyed_average)
//       .sink("mqtt = 'local', topic = 'averages', format = 'json'");
//   return run_weir(count, arguments);
//
// Each call adds a step behind those before. What a step does is said as in the configuration, by expressions and options, or
// by a function of one's own (agent/api/function.h). sink() ends the pipeline and makes it known: from then on it is part of
// the program's configuration, next to what the TOML files of the command line say ([agent], [mqtt.NAME], other pipelines), and
// `check`, `plan`, `run` and `replay` treat it alike; `--set pipeline.NAME...` changes it. Mistakes in it are shown as those of
// a file named "NAME (in the program)" is. Start-up only, before run_weir(); allocates.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "agent/model/step_kind.h"

namespace weir {

/// `name = "expression"`
struct NamedText {
  std::string_view name;
  std::string_view expression;
};

class Stream {
 public:
  /// The pipeline `name`, whose source has these options, as in [pipeline.source]: TOML, with commas between them.
  static Stream from(std::string_view name, std::string_view source);

  /// Further options of the pipeline, TOML: "checkpoint = { interval = '1s' }".
  Stream& with(std::string_view options);

  Stream& filter(std::string_view expression);
  Stream& map(std::initializer_list<NamedText> fields);
  /// Groups what the next step keeps: a window, a function, or any other step that keeps state per key.
  Stream& key_by(std::initializer_list<std::string_view> fields);
  /// Of the same step as key_by(): how many keys there may be, and what happens to one more, as in `max_keys` and `evict`.
  Stream& max_keys(uint32_t count, std::string_view evict = "reject");

  /// A function of one's own; it is registered by this. `id` names its state. `options` as in `options = { ... }`.
  Stream& flat_map(std::string_view id, const StepKind& function, std::string_view options = {});
  Stream& map(std::string_view id, const StepKind& function, std::string_view options = {});
  Stream& filter(std::string_view id, const StepKind& function, std::string_view options = {});

  /// `window` as in `window = { ... }`: "tumbling = '1min'". aggregate() follows.
  Stream& window(std::string_view id, std::string_view window);
  Stream& aggregate(std::initializer_list<NamedText> aggregates);

  /// Any other step, as in [[pipeline.step]], a line for each option: "deadband = { field = 'value', absolute = 0.5 }".
  Stream& step(std::string_view lines);

  /// Where results go, as in [pipeline.sink]; makes the pipeline known.
  void sink(std::string_view options);
  /// The same without making it known: the pipeline as TOML.
  std::string to_toml(std::string_view sink) const;

 private:
  explicit Stream(std::string_view name) : name_(name) {}
  Stream& function(std::string_view id, const StepKind& function, std::string_view options);
  void begin_step(std::string_view id);

  std::string name_;
  std::string head_;
  std::string source_;
  std::string steps_;
  std::string grouping_;  // of the next step: key_by and what belongs to it
};

}  // namespace weir
