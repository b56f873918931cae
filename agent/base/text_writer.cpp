#include "agent/base/text_writer.h"

#include <charconv>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "agent/base/utf8.h"

namespace weir {

TextWriter& TextWriter::append(std::string_view text) {
  if (text.size() > room()) {
    overflowed_ = true;
    text = text.substr(0, room());
  }
  if (!text.empty()) memcpy(buffer_.data() + size_, text.data(), text.size());
  size_ += text.size();
  return *this;
}

TextWriter& TextWriter::append_int(int64_t value) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return append(std::string_view(digits, static_cast<size_t>(end - digits)));
}

TextWriter& TextWriter::append_uint(uint64_t value) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return append(std::string_view(digits, static_cast<size_t>(end - digits)));
}

TextWriter& TextWriter::append_double(double value) {
  if (!std::isfinite(value)) return append("null");
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return append(std::string_view(digits, static_cast<size_t>(end - digits)));
}

TextWriter& TextWriter::append_hex(uint64_t value) {
  char digits[16];
  for (int digit = 15; digit >= 0; --digit, value >>= 4) digits[digit] = "0123456789abcdef"[value & 0xF];
  return append(std::string_view(digits, sizeof digits));
}

TextWriter& TextWriter::printf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char text[1024];
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length < 0) return *this;
  if (static_cast<size_t>(length) >= sizeof text) {
    overflowed_ = true;
    length = sizeof text - 1;
  }
  return append(std::string_view(text, static_cast<size_t>(length)));
}

TextWriter& TextWriter::append_json_string(std::string_view text) {
  append('"');
  while (!text.empty()) {
    size_t length = utf8_sequence_length(text);
    auto character = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      append("\xEF\xBF\xBD");
      length = 1;
    } else if (character == '"' || character == '\\') {
      append('\\').append(text[0]);
    } else if (character == '\n') {
      append("\\n");
    } else if (character < 0x20 || character == 0x7F) {
      printf("\\u%04x", character);
    } else {
      append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return append('"');
}

}  // namespace weir
