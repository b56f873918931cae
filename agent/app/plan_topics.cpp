#include "agent/app/plan_topics.h"

#include <algorithm>

#include "agent/config/topic_filter.h"
#include "agent/expression/functions.h"
#include "agent/expression/lexer.h"
#include "agent/model/step_kind.h"

namespace weir {
namespace {

/// A call of topic(n), and where its n stands.
struct TopicUse {
  uint64_t segment = 0;
  Text text;
  size_t offset = 0;
  size_t length = 0;
};

bool is_topic_call(const std::vector<Token>& tokens, size_t at) {
  return tokens[at].kind == TokenKind::Name && find_function(tokens[at].text) == find_function("topic") &&
         tokens[at + 1].kind == TokenKind::Open && tokens[at + 2].kind == TokenKind::Integer;
}

void find_uses(const Text& text, std::vector<TopicUse>& uses) {
  if (text.value.empty()) return;
  std::vector<ExpressionError> errors;  // told when the expression is compiled
  const std::vector<Token> tokens = split_into_tokens(text.value, errors);
  for (size_t at = 0; at + 2 < tokens.size(); ++at)
    if (is_topic_call(tokens, at))
      uses.push_back({tokens[at + 2].magnitude, text, tokens[at + 2].offset, tokens[at + 2].length});
}

void find_uses(const std::vector<NamedExpression>& expressions, std::vector<TopicUse>& uses) {
  for (const NamedExpression& each : expressions) {
    find_uses(each.expression, uses);
    find_uses(each.filter, uses);
  }
}

std::vector<TopicUse> topic_uses(const PipelineSpec& spec) {
  std::vector<TopicUse> uses;
  for (const StepSpec& step : spec.step) {
    for (const Text* text : {&step.filter, &step.window.open, &step.window.close}) find_uses(*text, uses);
    for (const auto* expressions : {&step.map, &step.route, &step.aggregate}) find_uses(*expressions, uses);
    if (step.kind == nullptr) continue;
    for (const StepOption& option : step.kind->options) {
      if (option.type == StepOptionType::Expression) find_uses(step.options.text(option.key), uses);
      if (option.type == StepOptionType::ExpressionTable) find_uses(step.options.expressions(option.key), uses);
    }
  }
  std::ranges::stable_sort(uses, {}, &TopicUse::segment);
  return uses;
}

/// The topics of a source that have the most segments.
struct LongestTopics {
  std::string filter;
  size_t segments = 0;
  bool unbounded = false;
};

LongestTopics longest_topics(const PipelineSpec& spec) {
  LongestTopics longest;
  for (const SourceSpec& source : spec.source) {
    for (const Text& topic : source.topics) {
      bool unbounded = false;
      const size_t segments = topic_filter_levels(topic.value, unbounded);
      if (longest.unbounded || (!unbounded && segments <= longest.segments)) continue;
      longest = {topic.value, segments, unbounded};
    }
  }
  return longest;
}

bool holds(const std::vector<SourceField>& fields, uint64_t segment) {
  return std::ranges::any_of(
      fields, [&](const SourceField& field) { return field.field.topic_segment == static_cast<int64_t>(segment); });
}

SourceField hidden_field(uint32_t segment) {
  SourceField made;
  made.field = {"topic(" + std::to_string(segment) + ")", Type::String, default_string_length};
  made.field.topic_segment = static_cast<int32_t>(segment);
  made.field.hidden = true;
  made.origin = FieldOrigin::TopicSegment;
  made.topic_segment = segment;
  return made;
}

void tell(const TopicUse& use, Diagnostics& diagnostics, std::string_view message, std::string_view help) {
  diagnostics.error(inside(use.text, use.offset), use.length, message, help);
}

bool can_be(const TopicUse& use, const LongestTopics& longest, Diagnostics& diagnostics) {
  const bool possible = longest.unbounded ? use.segment <= topic_segment_max : use.segment < longest.segments;
  if (possible) return true;
  if (longest.unbounded)
    tell(use, diagnostics, "no topic has that many segments",
         "the last one is topic(" + std::to_string(topic_segment_max) + ")");
  else
    tell(use, diagnostics,
         "topics that match " + quoted(longest.filter) + " have " + std::to_string(longest.segments) +
             (longest.segments == 1 ? " segment" : " segments"),
         "the first is topic(0), the last topic(" + std::to_string(longest.segments - 1) + ")");
  return false;
}

bool add_hidden(const TopicUse& use, std::vector<std::vector<SourceField>>& sources, Diagnostics& diagnostics) {
  if (std::ranges::all_of(sources, [&](const auto& fields) { return holds(fields, use.segment); })) return true;
  for (std::vector<SourceField>& fields : sources) {
    if (fields.size() == fields_max) {
      tell(use, diagnostics, "a record has at most " + std::to_string(fields_max) + " fields, and this needs one more",
           "declare the segment as one of the source's fields");
      return false;
    }
    fields.push_back(hidden_field(static_cast<uint32_t>(use.segment)));
  }
  return true;
}

}  // namespace

std::vector<std::vector<SourceField>> decoded_fields(const PipelineSpec& spec, Diagnostics& diagnostics) {
  std::vector<std::vector<SourceField>> sources;
  for (const SourceSpec& source : spec.source) {
    sources.push_back(source.fields);
    for (SourceField& field : sources.back())
      if (field.origin == FieldOrigin::TopicSegment) field.field.topic_segment = static_cast<int32_t>(field.topic_segment);
  }
  const LongestTopics longest = longest_topics(spec);
  bool good = true;
  for (const TopicUse& use : topic_uses(spec))
    good &= can_be(use, longest, diagnostics) && add_hidden(use, sources, diagnostics);
  return good ? std::move(sources) : std::vector<std::vector<SourceField>>();
}

}  // namespace weir
