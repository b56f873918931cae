#include "agent/base/json_string.h"

#include "agent/base/text_writer.h"

namespace weir {

std::string json_string(std::string_view text) {
  // A byte becomes six at most: \u001f.
  std::string buffer(text.size() * 6 + 2, '\0');
  TextWriter out(buffer);
  return std::string(out.append_json_string(text).text());
}

}  // namespace weir
