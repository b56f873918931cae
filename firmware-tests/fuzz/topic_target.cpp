#include "connectors/codecs/topic_template.h"

#include <string>
#include <vector>

#include "agent/config/topic_filter.h"
#include "agent/config/topic_template.h"
#include "firmware-tests/fuzz/targets.h"

namespace weir::fuzz {
namespace {

std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

void compare(std::string_view a, std::string_view b) {
  if (topic_filter_problem(a) != nullptr || topic_filter_problem(b) != nullptr) return;
  WEIR_ASSERT(topic_filters_overlap(a, b) == topic_filters_overlap(b, a));
  WEIR_ASSERT(topic_filters_overlap(a, a));
  bool unbounded = false;
  WEIR_ASSERT(topic_filter_levels(a, unbounded) >= (unbounded ? 0U : 1U));
}

/// The value of the one field that is a text is what stands behind the template.
void render(std::string_view text, std::string_view name) {
  Schema schema;
  schema.add({"device", Type::String, 64});
  schema.add({"value", Type::Float});
  schema.add({"count", Type::Int});
  TopicTemplate topic;
  std::vector<TemplateError> errors;
  if (!topic.parse(text, schema, errors)) {
    WEIR_ASSERT(!errors.empty());
    for (const TemplateError& error : errors) WEIR_ASSERT(error.offset + error.length <= text.size() + 1);
    return;
  }
  Record record;
  const Value values[] = {Value::of_string(name.substr(0, 64)), Value::of_float(-1.5), Value::null()};
  record.values = values;
  std::string rendered(topic.bytes_max(), '\0');
  TextWriter out(rendered);
  WEIR_ASSERT(topic.render(record, out));
  // What a device is called never changes the shape of the topic, and never makes a wildcard.
  WEIR_ASSERT(out.text().find_first_of(std::string_view("+#\0", 3)) == std::string_view::npos);
}

}  // namespace

void topic(Bytes input) {
  std::string_view rest = as_text(input);
  const std::string_view first = take_line(rest);
  compare(first, take_line(rest));
  const std::string_view line = take_line(rest);
  (void)check_template(line);
  render(line, rest);
}

}  // namespace weir::fuzz
