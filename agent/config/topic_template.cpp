#include "agent/config/topic_template.h"

namespace weir {

TemplateProblem check_template(std::string_view topic) {
  for (size_t at = 0; at < topic.size(); ++at) {
    char character = topic[at];
    if (character == '}') return {"this brace closes nothing", at, 1};
    if (character == '+' || character == '#') return {"a topic to publish to has no wildcards", at, 1};
    if (character == '\0') return {"a topic has no character U+0000", at, 1};
    if (character != '{') continue;
    size_t end = topic.find_first_of("{}", at + 1);
    if (end == std::string_view::npos) return {"this brace is not closed", at, topic.size() - at};
    if (topic[end] == '{') return {"this brace is not closed", at, end - at};
    if (end == at + 1) return {"the braces name no field", at, 2};
    at = end;
  }
  return {};
}

}  // namespace weir
