#include "agent/app/stored_part_text.h"

#include <cstdio>

#include "agent/base/json_string.h"

namespace weir {
namespace {

std::string row(const char* part, const char* kind, const char* keys, const char* bytes) {
  char text[512];
  snprintf(text, sizeof text, "  %-20s %-18s %10s %12s", part, kind, keys, bytes);
  return text;
}

}  // namespace

std::string keys_text(const StoredPart& part, const char* none) {
  return part.slots == nullptr ? none : std::to_string(part.slots->live());
}

std::string kind_text(const StoredPart& part) { return part.described ? part.layout.kind : "not described"; }

std::string part_table_header() { return row("part", "kind", "keys", "bytes"); }

std::string part_table_row(const StoredPart& part) {
  return row(part.uid.c_str(), kind_text(part).c_str(), keys_text(part).c_str(), std::to_string(part.bytes).c_str());
}

std::string part_json_members(const StoredPart& part) {
  return "\"part\":" + json_string(part.uid) + ",\"kind\":" + json_string(kind_text(part)) +
         ",\"keys\":" + keys_text(part, "null") + ",\"bytes\":" + std::to_string(part.bytes);
}

}  // namespace weir
