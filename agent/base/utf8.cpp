#include "agent/base/utf8.h"

#include <cstdint>

namespace weir {
namespace {

bool continues(uint8_t byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

size_t utf8_sequence_length(std::string_view text) {
  auto at = [&](size_t index) { return index < text.size() ? static_cast<uint8_t>(text[index]) : uint8_t{0}; };
  uint8_t lead = at(0);
  if (text.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return continues(at(1)) ? 2 : 0;
  if (lead < 0xF0) {
    if (lead == 0xE0 && at(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && at(1) > 0x9F) return 0;  // surrogate
    return continues(at(1)) && continues(at(2)) ? 3 : 0;
  }
  if (lead > 0xF4 || (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F)) return 0;
  return continues(at(1)) && continues(at(2)) && continues(at(3)) ? 4 : 0;
}

bool utf8_valid(std::string_view text) {
  while (!text.empty()) {
    size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace weir
