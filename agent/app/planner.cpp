#include "agent/app/planner.h"

#include <algorithm>

#include "agent/app/json_renderer.h"
#include "agent/app/plan_graph.h"
#include "agent/app/plan_triggers.h"
#include "agent/app/secrets.h"
#include "agent/app/version.h"
#include "agent/config/quantity.h"
#include "agent/config/topic_filter.h"
#include "connectors/codecs/json_decoder.h"
#include "connectors/codecs/manifest_codec.h"
#include "connectors/mqtt/mqtt_publisher.h"
#include "connectors/mqtt/mqtt_source.h"
#include "storage/journal.h"

namespace weir {
namespace {

/// A ping waits behind the acknowledgements that wait for a checkpoint.
constexpr int64_t intervals_per_keepalive = 4;
/// Besides the pipeline's own part, its clocks, its source and its sink.
constexpr std::ptrdiff_t stateful_steps_max = stateful_parts_max - 4;
/// Results of the largest kind that must fit into a half of the outbox, so that a batch is more than a single result.
constexpr size_t rows_per_half_min = 4;

struct PlanContext {
  const std::string& state_dir;
  Arena& arena;
  BackgroundExecutor* journal_executor;
};

const MqttSpec* find_mqtt(const Specification& specification, const Text& name) {
  auto found = std::ranges::find(specification.mqtt, name.value, &MqttSpec::name);
  return found == specification.mqtt.end() ? nullptr : &*found;
}

/// Client ids are fixed: the broker's session, which is the replay log, hangs on them.
std::string client_id(const MqttSpec& mqtt, const PipelineSpec& spec) { return mqtt.client_id + "-" + spec.name; }

size_t journal_record_bytes_max(const PipelineSpec& spec) {
  return journal_record_bytes + topic_bytes_max + as_size(spec.first_source().max_message);
}

bool journal_fits(const PipelineSpec& spec, Diagnostics& diagnostics) {
  const SourceJournalSpec& journal = spec.first_source().journal;
  const uint64_t needed = journal_batches_min * journal_buffer_bytes(journal.size, journal_record_bytes_max(spec));
  if (!spec.has_journal() || journal.size >= needed) return true;
  diagnostics.error(
      journal.given ? journal.at : spec.first_source().at, 1,
      "the journal is too small for messages of up to " + size_text(static_cast<int64_t>(spec.first_source().max_message)),
      "journal.size needs at least \"" + size_text(static_cast<int64_t>(needed)) + "\", or a smaller max_message");
  return false;
}

std::unique_ptr<Journal> make_journal(const PipelineSpec& spec, const PlanContext& context) {
  if (!spec.has_journal()) return nullptr;
  JournalOptions options;
  options.name = spec.name;
  options.state_dir = context.state_dir;
  options.ring_bytes = spec.first_source().journal.size / journal_block_bytes * journal_block_bytes;
  options.record_bytes_max = journal_record_bytes_max(spec);
  return std::make_unique<RingJournal>(options, context.journal_executor, context.arena);
}

JournalingPolicy journaling_policy(const PipelineSpec& spec) {
  JournalingPolicy policy;
  policy.name = spec.name;
  policy.linger_ms = spec.first_source().journal.linger;
  policy.keep_ms = spec.first_source().journal.keep;
  policy.messages_max = static_cast<uint32_t>(std::max<uint64_t>(1, spec.first_source().max_unacked / 2));
  policy.checkpoints_retained = static_cast<uint32_t>(spec.checkpoint.retained);
  return policy;
}

ShedPolicy shed_policy(const ShedSpec& spec) {
  ShedPolicy policy;
  if (!spec.given) return policy;
  policy.kind = spec.policy == "newest"   ? ShedPolicy::Kind::Newest
                : spec.policy == "sample" ? ShedPolicy::Kind::Sample
                                          : ShedPolicy::Kind::Oldest;
  policy.after_ms = spec.after;
  policy.one_of = static_cast<uint32_t>(spec.one_of);
  return policy;
}

std::unique_ptr<Source> make_source(const PipelineSpec& spec, const MqttSpec& mqtt, const std::string& password,
                                    const PlanContext& context) {
  MqttSourceSpec source;
  source.name = spec.name;
  source.host = mqtt.host;
  source.port = mqtt.port;
  source.version_5 = mqtt.mqtt == "5";
  source.client_id = client_id(mqtt, spec);
  source.username = mqtt.username;
  source.password = password;
  for (const SourceSpec& each : spec.source)
    for (const Text& topic : each.topics) source.topics.push_back(topic.value);
  source.qos = static_cast<uint8_t>(spec.first_source().qos);
  source.use_retained = spec.first_source().retained == "use";
  source.max_unacked = static_cast<uint32_t>(spec.first_source().max_unacked);
  source.max_message = as_size(spec.first_source().max_message);
  source.max_packet_size = mqtt.max_packet_size;
  source.session_expiry_ms = mqtt.session_expiry;
  source.keepalive_ms = mqtt.keepalive;
  // Reconnecting brings nothing back at QoS 0.
  source.watch_drops = spec.first_source().qos > 0;
  // With a journal, acknowledgements wait for no checkpoint.
  if (!spec.has_journal())
    source.keepalive_min_ms = intervals_per_keepalive * std::max(spec.checkpoint.interval, spec.checkpoint.min_pause);
  source.journaling = journaling_policy(spec);
  source.waits_for_clock = spec.first_source().unsynchronised_clock == "wait";
  source.shed = shed_policy(spec.first_source().shed);
  return std::make_unique<MqttSource>(source, context.arena, make_journal(spec, context));
}

std::unique_ptr<Publisher> make_publisher(const PipelineSpec& spec, const MqttSpec& mqtt, const std::string& password,
                                          size_t row_bytes_max, Arena& arena) {
  MqttPublisherSpec publisher;
  publisher.name = spec.name;
  publisher.host = mqtt.host;
  publisher.port = mqtt.port;
  publisher.version_5 = mqtt.mqtt == "5";
  publisher.client_id = client_id(mqtt, spec);
  publisher.username = mqtt.username;
  publisher.password = password;
  publisher.qos = static_cast<uint8_t>(spec.sink.qos);
  publisher.retain = spec.sink.retain;
  publisher.keepalive_ms = mqtt.keepalive;
  publisher.row_bytes_max = row_bytes_max;
  return std::make_unique<MqttPublisher>(publisher, arena);
}

std::unique_ptr<Renderer> make_renderer(const PipelineSpec& spec, const Schema& schema, Diagnostics& diagnostics) {
  if (spec.sink.topic.value.empty()) return nullptr;  // reported when the file was read
  TopicTemplate topic;
  std::vector<TemplateError> errors;
  bool good = topic.parse(spec.sink.topic.value, schema, errors);
  for (const TemplateError& error : errors) {
    std::string help = error.suggestion.empty() ? "" : "did you mean \"" + error.suggestion + "\"?";
    diagnostics.error(inside(spec.sink.topic, error.offset), error.length, error.message, help);
  }
  if (!spec.sink.id_field.empty() && schema.find(spec.sink.id_field) >= 0) {
    diagnostics.error(spec.sink.at, 1, "sink.id_field names " + quoted(spec.sink.id_field) + ", which the record already has");
    good = false;
  }
  return good ? std::make_unique<JsonRenderer>(std::move(topic), schema, spec.sink.id_field) : nullptr;
}

/// The template with each value's place as a wildcard: every topic that it can make.
std::string topics_of(const std::string& topic_template) {
  std::string filter;
  for (size_t at = 0; at < topic_template.size();) {
    bool value = topic_template[at] == '{';
    size_t end = value ? topic_template.find('}', at) : at;
    filter += value ? '+' : topic_template[at];
    at = end == std::string::npos ? topic_template.size() : end + 1;
  }
  // MQTT has wildcards for whole levels only.
  for (size_t plus = filter.find('+'); plus != std::string::npos; plus = filter.find('+', plus + 1)) {
    size_t begin = filter.rfind('/', plus);
    begin = begin == std::string::npos ? 0 : begin + 1;
    filter.replace(begin, std::min(filter.find('/', plus), filter.size()) - begin, "+");
    plus = begin;
  }
  return filter;
}

void warn_of_loop(const PipelineSpec& spec, const MqttSpec& source, const MqttSpec& sink, Diagnostics& diagnostics) {
  if (source.host != sink.host || source.port != sink.port) return;
  for (const SourceSpec& each : spec.source)
    for (const Text& topic : each.topics)
      if (topic_filters_overlap(topic.value, topics_of(spec.sink.topic.value)))
        diagnostics.warning(spec.sink.topic.at, spec.sink.topic.value.size(),
                            "results to this topic match the source's " + quoted(topic.value) + " and come back as input",
                            "publish them elsewhere");
}

/// Two connections with one client id take the session from each other without end.
void check_client_ids(LoadedConfig& config) {
  std::vector<std::pair<std::string, const PipelineSpec*>> taken;
  for (const PipelineSpec& spec : config.specification.pipeline) {
    if (spec.source.empty()) continue;
    for (const auto& [name, suffix] : {std::pair{&spec.first_source().mqtt, ""}, std::pair{&spec.sink.mqtt, "-out"}}) {
      const MqttSpec* mqtt = find_mqtt(config.specification, *name);
      if (mqtt == nullptr) continue;
      std::string id = mqtt->host + ":" + std::to_string(mqtt->port) + " " + client_id(*mqtt, spec) + suffix;
      auto same = std::ranges::find_if(taken, [&](const auto& entry) { return entry.first == id; });
      if (same != taken.end())
        config.diagnostics.error(spec.name_at, spec.name.size(),
                                 "this pipeline and " + quoted(same->second->name) + " would use one MQTT client id, " +
                                     quoted(client_id(*mqtt, spec) + suffix),
                                 "choose another name");
      taken.emplace_back(std::move(id), &spec);
    }
  }
}

DeadLettersFull dead_letters_full(const std::string& name) {
  return name == "hold" ? DeadLettersFull::Hold : name == "newest" ? DeadLettersFull::Newest : DeadLettersFull::Oldest;
}

bool outbox_fits(const PipelineSpec& spec, size_t row_bytes_max, size_t rows_reserved, Diagnostics& diagnostics) {
  size_t needed = 2 * (rows_per_half_min + rows_reserved - 1) * (row_bytes_max + 64);
  if (spec.sink.outbox.memory >= needed && spec.sink.outbox.max_bytes >= spec.sink.outbox.memory) return true;
  diagnostics.error(
      spec.sink.at, 1, "the outbox is too small for results of up to " + std::to_string(row_bytes_max) + " bytes",
      "outbox.memory needs at least \"" + std::to_string(needed) + "B\", outbox.max_bytes no less than outbox.memory");
  return false;
}

std::unique_ptr<Pipeline> plan_pipeline(LoadedConfig& config, const PipelineSpec& spec, ManifestCodec& codec,
                                        const PlanContext& context) {
  Arena& arena = context.arena;
  Diagnostics& diagnostics = config.diagnostics;
  size_t errors_before = diagnostics.errors();
  PipelineParts parts;
  PlannedGraph graph = build_graph(spec, diagnostics, arena);
  if (graph.result == nullptr) return nullptr;
  auto stateful = std::ranges::count_if(graph.parts.steps, [](const auto& step) { return step->stateful() != nullptr; });
  if (stateful > stateful_steps_max) {
    diagnostics.error(spec.name_at, spec.name.size(),
                      "a pipeline has at most " + std::to_string(stateful_steps_max) + " steps that keep state");
    return nullptr;
  }
  parts.renderer = make_renderer(spec, *graph.result, diagnostics);
  const MqttSpec* source_mqtt = find_mqtt(config.specification, spec.first_source().mqtt);
  const MqttSpec* sink_mqtt = find_mqtt(config.specification, spec.sink.mqtt);
  if (parts.renderer == nullptr || source_mqtt == nullptr || sink_mqtt == nullptr) return nullptr;
  warn_of_loop(spec, *source_mqtt, *sink_mqtt, diagnostics);
  std::vector<NamedTrigger> triggers = make_triggers(spec, diagnostics, arena);
  size_t row_bytes_max = parts.renderer->topic_bytes_max() + parts.renderer->payload_bytes_max();
  std::string source_password = read_password(*source_mqtt, diagnostics);
  std::string sink_password = sink_mqtt == source_mqtt ? source_password : read_password(*sink_mqtt, diagnostics);
  if (!outbox_fits(spec, row_bytes_max, records_at_sink_max(graph.parts), diagnostics) || !journal_fits(spec, diagnostics) ||
      config.diagnostics.errors() > errors_before)
    return nullptr;
  parts.name = spec.name;
  parts.weir_version = weir_version;
  parts.config_fingerprint = spec.fingerprint;
  parts.checkpoint = checkpoint_policy(spec);
  parts.triggers = std::move(triggers);
  parts.dead_letters = {spec.dead_letters.max_rows, spec.dead_letters.max_bytes, dead_letters_full(spec.dead_letters.full)};
  parts.poison = {static_cast<uint32_t>(spec.poison_after), static_cast<uint32_t>(spec.poison_per_hour)};
  parts.dead_letter_payload_max = as_size(spec.dead_letters.max_payload);
  parts.checkpoints_retained = static_cast<uint32_t>(spec.checkpoint.retained);
  parts.result_schema = graph.result;
  parts.graph = std::move(graph.parts);
  parts.outbox = {as_size(spec.sink.outbox.memory), spec.sink.outbox.max_bytes, row_bytes_max};
  parts.source = make_source(spec, *source_mqtt, source_password, context);
  parts.publisher = make_publisher(spec, *sink_mqtt, sink_password, row_bytes_max, arena);
  parts.manifest_codec = &codec;
  return std::make_unique<Pipeline>(arena, std::move(parts));
}

}  // namespace

std::unique_ptr<ControlTopic> build_control_topic(LoadedConfig& config, Arena& arena) {
  const ControlSpec& control = config.specification.agent.control;
  const MqttSpec* mqtt = control.given ? find_mqtt(config.specification, control.mqtt) : nullptr;
  if (mqtt == nullptr) return nullptr;
  ControlTopicSpec spec;
  spec.host = mqtt->host;
  spec.port = mqtt->port;
  spec.version_5 = mqtt->mqtt == "5";
  spec.client_id = mqtt->client_id + "-control";
  spec.username = mqtt->username;
  spec.password = read_password(*mqtt, config.diagnostics);
  spec.topic = control.topic.value;
  spec.keepalive_ms = mqtt->keepalive;
  return std::make_unique<ControlTopic>(spec, arena);
}

void check_pipelines(LoadedConfig& config) { check_client_ids(config); }

std::unique_ptr<Pipeline> build_pipeline(LoadedConfig& config, const PipelineSpec& spec, Arena& arena,
                                         BackgroundExecutor* journal_executor) {
  static NanopbManifestCodec codec;  // has no state
  return plan_pipeline(config, spec, codec, {config.specification.agent.state_dir, arena, journal_executor});
}

}  // namespace weir
