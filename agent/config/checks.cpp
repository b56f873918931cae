#include "agent/config/checks.h"

#include <algorithm>

#include "agent/config/broker_url.h"
#include "agent/config/diagnostics.h"
#include "agent/config/fingerprint.h"
#include "agent/config/quantity.h"
#include "agent/config/toml_document.h"
#include "agent/config/topic_filter.h"
#include "agent/config/topic_template.h"

namespace weir {
namespace {

template <class Spec>
Spec& as(void* section) {
  return *static_cast<Spec*>(section);
}

/// The whole value, inside the quotes.
void text_error(CheckContext& context, const Text& text, std::string_view message, std::string_view help = {}) {
  context.diagnostics.error(text.at, character_count(text.written.empty() ? text.value : text.written), message, help);
}

std::string place_of(Location at, const CheckContext& context) {
  return context.files[at.file].name + ":" + std::to_string(at.line);
}

}  // namespace

void check_url(const Node& node, void* section, CheckContext& context) {
  BrokerUrl url = parse_broker_url(node.text.value);
  as<MqttSpec>(section).host = url.host;
  as<MqttSpec>(section).port = url.port;
  if (url.problem.empty()) return;
  std::string_view rest = std::string_view(node.text.value).substr(url.problem_offset);
  context.diagnostics.error(inside(node.text, url.problem_offset), character_count(rest), url.problem, url.help);
}

void check_password(const Node& node, void*, CheckContext& context) {
  if (!context.files[node.at.file].world_readable) return;
  context.diagnostics.warning(node.key_at, node.key_length, "a password in a file that every user can read",
                              "use password_file, or chmod o-r the configuration");
}

void check_mqtt(const Node& node, void*, CheckContext& context) {
  const Node* file = node.find("password_file");
  if (!file || !node.find("password")) return;
  context.diagnostics.error(file->key_at, file->key_length, "\"password\" and \"password_file\" exclude each other");
}

void check_topics(const Node& node, void*, CheckContext& context) {
  std::vector<const Text*> good;
  for (const Node& each : node.children) {
    const char* problem = topic_filter_problem(each.text.value);
    if (problem) {
      text_error(context, each.text, "not a topic filter: " + std::string(problem));
      continue;
    }
    for (const Text* other : good) {
      if (!topic_filters_overlap(other->value, each.text.value)) continue;
      text_error(context, each.text, "this filter and " + quoted(other->value) + " match common topics",
                 "the broker would deliver their messages twice; leave one out or put it into another pipeline");
      break;
    }
    good.push_back(&each.text);
  }
}

void check_source_qos(const Node& node, void*, CheckContext& context) {
  if (node.integer == 0)
    context.diagnostics.warning(node.at, node.length,
                                "at QoS 0 messages count at most once: those sent during an outage are lost",
                                "use 1 unless the publishers send at QoS 0 anyway");
}

void check_sink_qos(const Node& node, void*, CheckContext& context) {
  if (node.integer == 0)
    context.diagnostics.warning(node.at, node.length, "at QoS 0 results arrive at most once: nobody acknowledges them",
                                "use 1");
}

void check_topic_template(const Node& node, void*, CheckContext& context) {
  TemplateProblem problem = check_template(node.text.value);
  if (!problem.message) return;
  std::string_view token = std::string_view(node.text.value).substr(problem.offset, problem.length);
  context.diagnostics.error(inside(node.text, problem.offset), character_count(token), problem.message,
                            "for example: topic = \"alerts/{device}\"");
}

void check_key_by(const Node& node, void*, CheckContext& context) {
  for (size_t index = 0; index < node.children.size(); ++index) {
    const Text& key = node.children[index].text;
    bool repeated = std::any_of(node.children.begin(), node.children.begin() + static_cast<ptrdiff_t>(index),
                                [&](const Node& earlier) { return earlier.text.value == key.value; });
    if (key.value.empty()) text_error(context, key, "the name of a field is empty");
    if (repeated) text_error(context, key, quoted(key.value) + " stands twice in \"key_by\"");
  }
}

void check_operator(const Node& node, void*, CheckContext& context) {
  const StepKind* kind = find_step_kind(node.text.value);
  if (kind && kind->custom) return;
  std::vector<std::string> names;
  for (const StepKind* each : step_kinds())
    if (each->custom) names.emplace_back(each->verb);
  std::string help =
      names.empty() ? "this program has registered no operators of its own" : suggest(node.text.value, names, "there are:");
  if (kind) help = "it is a verb of weir's own: write " + std::string(kind->verb) + " = { ... }";
  text_error(context, node.text, "unknown operator " + quoted(node.text.value), help);
}

void check_control_topic(const Node& node, void*, CheckContext& context) {
  if (const char* problem = topic_filter_problem(node.text.value)) return text_error(context, node.text, problem);
  if (node.text.value.find_first_of("+#") != std::string::npos)
    text_error(context, node.text, "the control topic is one topic, without wildcards");
}

void check_trigger(const Node& node, void*, CheckContext& context) {
  if (find_trigger_kind(node.text.value)) return;
  std::vector<std::string> names;
  for (const TriggerKind* each : trigger_kinds()) names.emplace_back(each->name);
  text_error(
      context, node.text, "unknown trigger " + quoted(node.text.value),
      names.empty() ? "this program has registered no triggers of its own" : suggest(node.text.value, names, "there are:"));
}

namespace {

/// Settings that are allowed and yet do not what they seem to.
void warn_of_blind_spots(const Node& node, const RestartSpec& restart, CheckContext& context) {
  if (restart.strategy == "exponential-delay" && restart.initial_delay > restart.max_delay)
    context.diagnostics.error(node.key_at, node.key_length, "\"initial_delay\" is longer than \"max_delay\"");
  if (restart.strategy != "failure-rate" || restart.max_failures == 0) return;
  // Failures that follow each other more slowly than this are never too many.
  const int64_t slowest_ms = restart.interval / static_cast<int64_t>(restart.max_failures);
  if (restart.delay < slowest_ms) return;
  context.diagnostics.warning(node.key_at, node.key_length,
                              "with a pause of " + duration_text(restart.delay) + " there are never more than " +
                                  std::to_string(restart.max_failures) + " failures in " + duration_text(restart.interval),
                              "the pipeline would be started again for ever; take a shorter delay, or a longer interval");
}

}  // namespace

void check_restart(const Node& node, void* section, CheckContext& context) {
  const RestartSpec& restart = as<RestartSpec>(section);
  struct Use {
    const char* key;
    const char* strategies;
  };
  constexpr Use uses[] = {{"max_failures", "failure-rate"},
                          {"interval", "failure-rate"},
                          {"attempts", "fixed-delay"},
                          {"delay", "failure-rate or fixed-delay"},
                          {"initial_delay", "exponential-delay"},
                          {"max_delay", "exponential-delay"},
                          {"multiplier", "exponential-delay"},
                          {"jitter", "exponential-delay"},
                          {"reset_threshold", "exponential-delay"},
                          {"attempts_before_reset", "exponential-delay"},
                          {"ceiling", "exponential-delay"}};
  const Node* strategy = node.find("strategy");
  bool known = !strategy || strategy->text.value == restart.strategy;
  for (const Use& use : uses) {
    const Node* child = node.find(use.key);
    if (!child || !known || std::string_view(use.strategies).find(restart.strategy) != std::string_view::npos) continue;
    context.diagnostics.warning(child->key_at, child->key_length,
                                quoted(use.key) + " does nothing with the strategy " + quoted(restart.strategy),
                                std::string("it belongs to ") + use.strategies);
  }
  warn_of_blind_spots(node, restart, context);
}

namespace {

/// What `fields` names, right or wrong.
std::vector<std::string> names_of_fields(const Node& source_node) {
  std::vector<std::string> names;
  if (const Node* fields = source_node.find("fields"))
    for (const Node& each : fields->children) names.push_back(each.key);
  return names;
}

void check_event_time(const Node& source_node, const SourceSpec& source, CheckContext& context) {
  const Text& field = source.event_time.field;
  const std::vector<std::string> names = names_of_fields(source_node);
  if (field.value.empty() || names.empty()) return;  // reported already
  for (const SourceField& each : source.fields) {
    if (each.field.name != field.value) continue;
    if (each.field.type != Type::Time)
      text_error(context, field, quoted(field.value) + " is " + type_name(each.field.type) + ", and event time needs a time",
                 "declare it as time(ms), time(s), time(us), time(ns), time(rfc3339) or arrival");
    return;
  }
  // A field whose own rule is wrong has been reported there.
  if (std::find(names.begin(), names.end(), field.value) != names.end()) return;
  text_error(context, field, "unknown field " + quoted(field.value), suggest(field.value, names, "there are:"));
}

void check_per(const Node& source_node, const SourceSpec& source, CheckContext& context) {
  const Text& per = source.event_time.per;
  const std::vector<std::string> names = names_of_fields(source_node);
  if (per.value.empty() || names.empty()) return;
  if (std::find(names.begin(), names.end(), per.value) == names.end())
    text_error(context, per, "unknown field " + quoted(per.value), suggest(per.value, names, "there are:"));
}

void check_topic_segments(const Node& source_node, const SourceSpec& source, CheckContext& context) {
  for (const SourceField& field : source.fields) {
    if (field.origin != FieldOrigin::TopicSegment) continue;
    for (const Text& topic : source.topics) {
      bool unbounded = false;
      if (topic_filter_problem(topic.value)) continue;
      size_t levels = topic_filter_levels(topic.value, unbounded);
      if (unbounded || field.topic_segment < levels) continue;
      text_error(context, source_node.find("fields")->find(field.field.name)->text,
                 "topics that match " + quoted(topic.value) + " have " + std::to_string(levels) +
                     (levels == 1 ? " segment" : " segments"),
                 "the first is topic[0], the last topic[" + std::to_string(levels - 1) + "]");
      break;
    }
  }
}

void check_clock_tag(const Node& node, const SourceSpec& source, CheckContext& context) {
  const Node* fields = node.find("fields");
  const Node* taken = fields && source.unsynchronised_clock == "tag" ? fields->find("clock_unsynchronised") : nullptr;
  if (taken)
    context.diagnostics.error(taken->key_at, taken->key_length,
                              "the field \"clock_unsynchronised\" is made by unsynchronised_clock = \"tag\"",
                              "give this one another name");
}

/// What a source alone can say about it; whether the sink allows it: check_delivery.
void check_shed(const Node& node, const SourceSpec& source, CheckContext& context) {
  const Node* shed = node.find("shed");
  if (!shed) return;
  if (source.ack == "journal")
    context.diagnostics.error(shed->key_at, shed->key_length, "\"shed\" loses what the journal is there to keep",
                              "leave one of the two out");
  const Node* one_of = shed->find("one_of");
  if (one_of && source.shed.policy != "sample")
    context.diagnostics.warning(one_of->key_at, one_of->key_length,
                                "\"one_of\" does nothing with the policy " + quoted(source.shed.policy),
                                "it belongs to policy = \"sample\"");
}

}  // namespace

void check_source(const Node& node, void* section, CheckContext& context) {
  const SourceSpec& source = as<SourceSpec>(section);
  if (const Node* journal = node.find("journal"); journal && source.ack != "journal")
    context.diagnostics.error(journal->key_at, journal->key_length, "\"journal\" needs ack = \"journal\"");
  check_shed(node, source, context);
  check_clock_tag(node, source, context);
  check_event_time(node, source, context);
  check_per(node, source, context);
  check_topic_segments(node, source, context);
}

namespace {

struct VerbKey {
  const char* key;
  StepVerb verb;
};

constexpr VerbKey verb_keys[] = {{"filter", StepVerb::Filter}, {"map", StepVerb::Map},       {"select", StepVerb::Select},
                                 {"drop", StepVerb::Drop},     {"rename", StepVerb::Rename}, {"route", StepVerb::Route},
                                 {"union", StepVerb::Union},   {"window", StepVerb::Window}};

StepVerb verb_named(std::string_view key) {
  for (const VerbKey& each : verb_keys)
    if (key == each.key) return each.verb;
  const StepKind* kind = find_step_kind(key);
  return key == "operator" || (kind && !kind->custom) ? StepVerb::Registered : StepVerb::None;
}

/// The verbs of a step as written.
std::vector<const Node*> verbs_of(const Node& step) {
  std::vector<const Node*> verbs;
  for (const Node& child : step.children)
    if (verb_named(child.key) != StepVerb::None) verbs.push_back(&child);
  return verbs;
}

const StepKind* kind_of(const Node& verb) {
  return find_step_kind(verb.key == "operator" && verb.kind == NodeKind::String ? verb.text.value : verb.key);
}

void check_single_verb(const Node& node, const std::vector<const Node*>& verbs, CheckContext& context) {
  if (verbs.size() > 1)
    context.diagnostics.error(verbs[1]->key_at, verbs[1]->key_length,
                              "a step has one verb, and this one has " + quoted(verbs[0]->key) + " already",
                              "make it a [[pipeline.step]] of its own");
  constexpr const char* others[] = {"id", "id_previous", "key_by", "max_keys", "evict", "options", "from"};
  bool all_known = std::all_of(node.children.begin(), node.children.end(), [&](const Node& child) {
    return std::any_of(std::begin(others), std::end(others), [&](const char* key) { return child.key == key; });
  });
  // A misspelt verb is reported as an unknown key, an aggregate by what it lacks.
  if (verbs.empty() && all_known)
    context.diagnostics.error(node.at, node.length, "the step has no verb",
                              "give it one: filter, map, window with aggregate, ...; all are in docs/steps.md");
}

void check_has_id(const Node& node, const StepSpec& step, const std::string& example, CheckContext& context) {
  if (step.id.empty() && !node.find("id"))
    context.diagnostics.error(node.at, node.length, "a step that keeps state needs an \"id\"",
                              "after a restart its state is found by it; for example: id = \"" + example + "\"");
}

void check_window_step(const Node& node, const StepSpec& step, CheckContext& context) {
  const Node& window = *node.find("window");
  check_has_id(node, step, "per-minute", context);
  if (!node.find("aggregate"))
    context.diagnostics.error(window.key_at, window.key_length, "\"window\" needs \"aggregate\"",
                              "for example: aggregate = { n = \"count()\" }");
}

void check_needs(const Node& node, std::initializer_list<const char*> keys, const char* message, const char* help,
                 CheckContext& context) {
  for (const char* key : keys)
    if (const Node* child = node.find(key))
      context.diagnostics.error(child->key_at, child->key_length, quoted(key) + " needs " + message, help);
}

void check_other_step(const Node& node, const StepSpec& step, bool has_verb, CheckContext& context) {
  constexpr const char* window_help = "for example: window = { tumbling = \"1min\" }";
  check_needs(node, {"aggregate"}, "\"window\"", window_help, context);
  if (step.kind && step.kind->keyed) return check_has_id(node, step, step.kind->verb, context);
  if (has_verb)
    check_needs(node, {"id_previous", "key_by", "max_keys", "evict"}, "a step that keeps state per key, such as \"window\"",
                window_help, context);
}

}  // namespace

void check_step(const Node& node, void* section, CheckContext& context) {
  StepSpec& step = as<StepSpec>(section);
  std::vector<const Node*> verbs = verbs_of(node);
  check_single_verb(node, verbs, context);
  if (!verbs.empty()) step.verb = verb_named(verbs[0]->key);
  if (step.verb == StepVerb::Registered) step.kind = kind_of(*verbs[0]);
  if (!node.find("operator"))
    check_needs(node, {"options"}, "\"operator\"", "each verb has its options in its own table", context);
  if (node.find("window")) {
    check_window_step(node, step, context);
  } else {
    check_other_step(node, step, !verbs.empty(), context);
  }
}

void check_sink(const Node& node, void* section, CheckContext& context) {
  const OutboxSpec& outbox = as<SinkSpec>(section).outbox;
  const Node* written = node.find("outbox");
  if (written && outbox.max_bytes < outbox.memory)
    context.diagnostics.error(written->at, written->length, "\"max_bytes\" must be at least \"memory\"",
                              "what is in memory goes to the disk at the next checkpoint");
}

namespace {

void check_step_ids(const PipelineSpec& pipeline, CheckContext& context) {
  for (size_t index = 0; index < pipeline.step.size(); ++index) {
    const StepSpec& step = pipeline.step[index];
    for (size_t before = 0; before < index && !step.id.empty(); ++before) {
      if (pipeline.step[before].id != step.id) continue;
      context.diagnostics.error(step.id_at, step.id.size(), "two steps have the id " + quoted(step.id),
                                "the first is at " + place_of(pipeline.step[before].id_at, context));
      break;
    }
  }
}

/// State is taken over from an id that no step has, by one step.
void check_previous_ids(const PipelineSpec& pipeline, CheckContext& context) {
  for (const StepSpec& step : pipeline.step) {
    if (step.id_previous.empty()) continue;
    for (const StepSpec& other : pipeline.step) {
      const bool has_it = other.id == step.id_previous;
      if (!has_it && (&other == &step || other.id_previous != step.id_previous)) continue;
      context.diagnostics.error(step.id_previous_at, step.id_previous.size(),
                                "id_previous names " + quoted(step.id_previous) + ", which " +
                                    (has_it ? "is a step's id now" : "another step takes over as well"),
                                "state can have one owner");
      break;
    }
  }
}

}  // namespace

namespace {

/// What several sources must have apart, and what only the first may say.
void check_sources(const Node& pipeline_node, const PipelineSpec& pipeline, CheckContext& context) {
  const Node* source = pipeline_node.find("source");
  if (!source) return;
  const bool single = source->kind == NodeKind::Table;
  const Node& first = single || source->children.empty() ? *source : source->children[0];
  if (!first.find("mqtt") && first.kind == NodeKind::Table)
    context.diagnostics.error(first.at, first.length, "[pipeline.source] needs \"mqtt\"", "for example: mqtt = \"local\"");
  if (single) return;
  for (size_t index = 0; index < source->children.size(); ++index) {
    const Node& each = source->children[index];
    for (const char* key :
         {"mqtt", "qos", "ack", "journal", "shed", "retained", "unsynchronised_clock", "max_unacked", "max_message"}) {
      const Node* child = index > 0 ? each.find(key) : nullptr;
      if (child)
        context.diagnostics.error(child->key_at, child->key_length, quoted(key) + " stands in the pipeline's first source",
                                  "the sources of a pipeline share one connection");
    }
    const Node* time = each.find("event_time");
    if (const Node* per = time ? time->find("per") : nullptr)
      context.diagnostics.error(per->key_at, per->key_length, "\"per\" needs a pipeline with one source");
  }
  for (size_t index = 0; index < pipeline.source.size(); ++index) {
    const SourceSpec& spec = pipeline.source[index];
    for (size_t before = 0; before < index; ++before) {
      const SourceSpec& other = pipeline.source[before];
      if (spec.name == other.name)
        context.diagnostics.error(spec.at, 1, "two sources have the name " + quoted(spec.name), "give each a name of its own");
      for (const Text& topic : spec.topics)
        for (const Text& earlier : other.topics)
          if (!topic_filter_problem(topic.value) && !topic_filter_problem(earlier.value) &&
              topic_filters_overlap(topic.value, earlier.value))
            text_error(context, topic, "this filter and " + quoted(earlier.value) + " of another source match common topics",
                       "a message belongs to one source");
    }
  }
}

/// A message that is left out has no effect, so nobody may have been promised one.
void check_delivery(const Node& pipeline_node, const PipelineSpec& pipeline, CheckContext& context) {
  const Node* source = pipeline_node.find("source");
  if (source && source->kind != NodeKind::Table) source = source->children.empty() ? nullptr : &source->children[0];
  const Node* shed = source ? source->find("shed") : nullptr;
  if (shed && pipeline.sink.delivery == "exactly-once")
    context.diagnostics.error(shed->key_at, shed->key_length,
                              "\"shed\" leaves messages out, but the sink's delivery is \"exactly-once\"",
                              "say delivery = \"at-most-once\" in [pipeline.sink], or leave \"shed\" out: what the pipeline "
                              "cannot take then waits at the broker");
  if (!shed && pipeline.sink.delivery == "at-most-once")
    context.diagnostics.warning(pipeline.sink.at, 1, "delivery = \"at-most-once\" does nothing without a source's \"shed\"");
}

}  // namespace

void check_pipeline(const Node& node, void* section, CheckContext& context) {
  PipelineSpec& pipeline = as<PipelineSpec>(section);
  check_sources(node, pipeline, context);
  check_delivery(node, pipeline, context);
  pipeline.fingerprint = table_fingerprint(node);
  check_step_ids(pipeline, context);
  check_previous_ids(pipeline, context);
  const Node* checkpoint = node.find("checkpoint");
  const Node* unacked = checkpoint ? checkpoint->find("unacked") : nullptr;
  if (unacked && !pipeline.source.empty() && pipeline.checkpoint.unacked > pipeline.first_source().max_unacked)
    context.diagnostics.error(
        unacked->at, unacked->length,
        "\"unacked\" must be at most the source's max_unacked, " + std::to_string(pipeline.first_source().max_unacked),
        "more messages never wait at a time");
}

namespace {

void check_pipeline_names(const Specification& specification, CheckContext& context) {
  const std::vector<PipelineSpec>& all = specification.pipeline;
  for (size_t index = 0; index < all.size(); ++index) {
    for (size_t before = 0; before < index && !all[index].name.empty(); ++before) {
      if (all[before].name != all[index].name) continue;
      context.diagnostics.error(all[index].name_at, all[index].name.size(),
                                "two pipelines have the name " + quoted(all[index].name),
                                "the first is at " + place_of(all[before].name_at, context));
      break;
    }
  }
}

/// Connections and clocks are looked after once a second.
constexpr int64_t watchdog_ms_min = 1000;

void check_broker_name(const Text& name, const std::vector<std::string>& brokers, CheckContext& context) {
  if (name.at.line == 0 || std::find(brokers.begin(), brokers.end(), name.value) != brokers.end()) return;
  std::string help = brokers.empty() ? "a broker is described by [mqtt.NAME] and url = \"mqtt://HOST:1883\""
                                     : suggest(name.value, brokers, "there are:");
  text_error(context, name, "there is no [mqtt." + name.value + "]", help);
}

/// Commits may take longer than the watchdog's time, which then is not what it seems to be.
void check_watchdog(const Specification& specification, CheckContext& context) {
  const AgentSpec& agent = specification.agent;
  const size_t length = duration_text(agent.watchdog).size();
  if (agent.watchdog_at.line == 0 || agent.watchdog == 0) return;
  if (agent.watchdog < watchdog_ms_min) {
    context.diagnostics.error(agent.watchdog_at, length, "\"watchdog\" is shorter than 1s, the pace of what it watches",
                              "give it some seconds, or \"0s\" for off");
    return;
  }
  for (const PipelineSpec& pipeline : specification.pipeline) {
    if (pipeline.checkpoint.timeout <= agent.watchdog) continue;
    context.diagnostics.warning(agent.watchdog_at, length,
                                "\"watchdog\" is shorter than checkpoint.timeout of the pipeline " + quoted(pipeline.name) +
                                    ", " + duration_text(pipeline.checkpoint.timeout),
                                "a disk that does not answer is noticed after the longer of the two");
    return;
  }
}

}  // namespace

void check_specification(const Node& node, void* section, CheckContext& context) {
  const Specification& specification = as<Specification>(section);
  check_pipeline_names(specification, context);
  std::vector<std::string> brokers;
  if (const Node* mqtt = node.find("mqtt"))
    for (const Node& each : mqtt->children) brokers.push_back(each.key);
  for (const PipelineSpec& pipeline : specification.pipeline) {
    if (!pipeline.source.empty()) check_broker_name(pipeline.first_source().mqtt, brokers, context);
    check_broker_name(pipeline.sink.mqtt, brokers, context);
  }
  check_broker_name(specification.agent.control.mqtt, brokers, context);
  check_watchdog(specification, context);
}

}  // namespace weir
