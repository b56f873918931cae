// JsonObject writes one object of a JSON text: opened when it is made, closed when it goes. No heap.
#pragma once

#include "agent/base/text_writer.h"

namespace weir {

/// Writes members with their commas, so that a caller has one line for each member.
class JsonObject {
 public:
  explicit JsonObject(TextWriter& out) : out_(out) { out_.append('{'); }
  ~JsonObject() { out_.append('}'); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  TextWriter& key(std::string_view name) {
    if (!first_) out_.append(',');
    first_ = false;
    return out_.append_json_string(name).append(':');
  }
  void number(std::string_view name, uint64_t value) { key(name).append_uint(value); }
  void signed_number(std::string_view name, int64_t value) { key(name).append_int(value); }
  void text(std::string_view name, std::string_view value) { key(name).append_json_string(value); }
  void flag(std::string_view name, bool value) { key(name).append(value ? "true" : "false"); }

 private:
  TextWriter& out_;
  bool first_ = true;
};

}  // namespace weir
