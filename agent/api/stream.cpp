#include "agent/api/stream.h"

#include <utility>

#include "agent/base/assert.h"
#include "agent/config/program_configuration.h"

namespace weir {
namespace {

/// A TOML string, with whatever is in `text`.
std::string toml_string(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      quoted += '\\';
      quoted += character;
    } else if (code < 0x20 || code == 0x7f) {
      quoted += std::string("\\u00") + digits[code >> 4U] + digits[code & 15U];
    } else {
      quoted += character;
    }
  }
  return quoted + "\"";
}

std::string toml_table(std::initializer_list<NamedText> entries) {
  std::string table = "{ ";
  for (const NamedText& entry : entries)
    table += (table.size() == 2 ? "" : ", ") + toml_string(entry.name) + " = " + toml_string(entry.expression);
  return table + " }";
}

}  // namespace

Stream Stream::from(std::string_view name, std::string_view source) {
  Stream stream(name);
  stream.source_ = source;
  return stream;
}

Stream& Stream::with(std::string_view options) {
  head_ += std::string(options) + "\n";
  return *this;
}

void Stream::begin_step(std::string_view id) {
  steps_ += "\n[[pipeline.step]]\n";
  if (!id.empty()) steps_ += "id = " + toml_string(id) + "\n";
}

Stream& Stream::filter(std::string_view expression) {
  begin_step({});
  steps_ += "filter = " + toml_string(expression) + "\n";
  return *this;
}

Stream& Stream::map(std::initializer_list<NamedText> fields) {
  begin_step({});
  steps_ += "map = " + toml_table(fields) + "\n";
  return *this;
}

Stream& Stream::key_by(std::initializer_list<std::string_view> fields) {
  grouping_ += "key_by = [";
  for (const std::string_view field : fields) grouping_ += (grouping_.ends_with('[') ? "" : ", ") + toml_string(field);
  grouping_ += "]\n";
  return *this;
}

Stream& Stream::max_keys(uint32_t count, std::string_view evict) {
  grouping_ += "max_keys = " + std::to_string(count) + "\nevict = " + toml_string(evict) + "\n";
  return *this;
}

Stream& Stream::function(std::string_view id, const StepKind& function, std::string_view options) {
  register_step_kind(function);
  begin_step(id);
  steps_ += std::exchange(grouping_, {}) + "operator = " + toml_string(function.verb) + "\n";
  if (!options.empty()) steps_ += "options = { " + std::string(options) + " }\n";
  return *this;
}

Stream& Stream::flat_map(std::string_view id, const StepKind& kind, std::string_view options) {
  return function(id, kind, options);
}

Stream& Stream::map(std::string_view id, const StepKind& kind, std::string_view options) { return function(id, kind, options); }

Stream& Stream::filter(std::string_view id, const StepKind& kind, std::string_view options) {
  return function(id, kind, options);
}

Stream& Stream::window(std::string_view id, std::string_view window) {
  begin_step(id);
  steps_ += std::exchange(grouping_, {}) + "window = { " + std::string(window) + " }\n";
  return *this;
}

Stream& Stream::aggregate(std::initializer_list<NamedText> aggregates) {
  steps_ += "aggregate = " + toml_table(aggregates) + "\n";
  return *this;
}

Stream& Stream::step(std::string_view lines) {
  begin_step({});
  steps_ += std::exchange(grouping_, {}) + std::string(lines) + "\n";
  return *this;
}

std::string Stream::to_toml(std::string_view sink) const {
  WEIR_ASSERT(grouping_.empty());  // key_by() without a step that it groups
  return "[[pipeline]]\nname = " + toml_string(name_) + "\n" + head_ + "source = { " + source_ + " }\nsink = { " +
         std::string(sink) + " }\n" + steps_;
}

void Stream::sink(std::string_view options) { add_program_configuration(name_ + " (in the program)", to_toml(options)); }

}  // namespace weir
