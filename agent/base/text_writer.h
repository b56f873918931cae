// TextWriter appends text to a fixed buffer: how weir formats log lines, status pages, topics and payloads without the
// heap. Like ByteWriter it remembers that it ran out of room instead of writing past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

class TextWriter {
 public:
  TextWriter() = default;
  explicit TextWriter(std::span<char> buffer) : buffer_(buffer) {}

  TextWriter& append(std::string_view text);
  TextWriter& append(char character) { return append(std::string_view(&character, 1)); }
  TextWriter& append_int(int64_t value);
  TextWriter& append_uint(uint64_t value);
  /// The shortest text that reads back as the same double (std::to_chars); "null" for NaN and infinities.
  TextWriter& append_double(double value);
  TextWriter& append_hex(uint64_t value);  // 16 digits
  [[gnu::format(printf, 2, 3)]] TextWriter& printf(const char* format, ...);
  /// A JSON string with its quotes. Input must be UTF-8; bytes that are not become U+FFFD.
  TextWriter& append_json_string(std::string_view text);

  /// The room that is left, to be filled by the caller, who then says with extend() how much of it is text now.
  std::span<char> rest() const { return buffer_.subspan(size_); }
  void extend(size_t count) { size_ += count; }

  std::string_view text() const { return {buffer_.data(), size_}; }
  size_t size() const { return size_; }
  size_t room() const { return buffer_.size() - size_; }
  bool overflowed() const { return overflowed_; }
  void clear() {
    size_ = 0;
    overflowed_ = false;
  }
  void truncate(size_t size) { size_ = size < size_ ? size : size_; }

 private:
  std::span<char> buffer_;
  size_t size_ = 0;
  bool overflowed_ = false;
};

}  // namespace weir
