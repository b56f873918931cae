#include "connectors/file/csv_lookup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr size_t columns_max = 256;
constexpr uint32_t not_asked_for = UINT32_MAX;

/// Which file, and which version of it.
struct FileVersion {
  uint64_t inode = 0;
  int64_t size = -1;  // there is none
  int64_t changed_s = 0;
  int64_t changed_ns = 0;
  bool operator==(const FileVersion&) const = default;
};

FileVersion version_of(const struct stat& information) {
  return {information.st_ino, information.st_size, information.st_mtim.tv_sec, information.st_mtim.tv_nsec};
}

/// Cuts a buffer into cells. Quoted cells are unquoted in place.
class CsvReader {
 public:
  explicit CsvReader(std::span<char> text) : text_(text) {
    if (std::string_view(text_.data(), text_.size()).starts_with("\xEF\xBB\xBF")) at_ = 3;
    line_begin_ = at_;
  }

  bool at_end() const { return at_ == text_.size(); }
  uint32_t line() const { return line_; }
  /// Bytes into the line.
  uint32_t column() const { return static_cast<uint32_t>(at_ - line_begin_) + 1; }
  /// Passes over a line end; false if there is none here.
  bool take_line_end() {
    if (peek() == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    if (peek() != '\n') return false;
    next_line();
    return true;
  }
  bool take_comma() {
    if (peek() != ',') return false;
    ++at_;
    return true;
  }
  /// The next cell; nullptr as `data` if its closing quote is missing.
  std::string_view take_cell() {
    if (peek() == '"') return take_quoted();
    const size_t begin = at_;
    while (!at_end() && text_[at_] != ',' && text_[at_] != '\n') ++at_;
    const size_t end = at_ > begin && (at_end() || text_[at_] == '\n') && text_[at_ - 1] == '\r' ? at_ - 1 : at_;
    at_ = end;
    return {text_.data() + begin, end - begin};
  }

 private:
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void next_line() {
    ++at_;
    ++line_;
    line_begin_ = at_;
  }
  std::string_view take_quoted() {
    const size_t begin = ++at_;
    size_t written = begin;
    while (!at_end()) {
      const char character = text_[at_];
      if (character == '"') {
        ++at_;
        if (peek() != '"') return {text_.data() + begin, written - begin};
      }
      text_[written++] = character;
      if (character == '\n')
        next_line();
      else
        ++at_;
    }
    return {};
  }

  std::span<char> text_;
  size_t at_ = 0;
  size_t line_begin_ = 0;
  uint32_t line_ = 1;
};

class CsvLookup final : public LookupFile {
 public:
  CsvLookup(const LookupRequest& request, Arena& arena) : path_(request.path), columns_(request.columns) {
    // A byte more than may be read, to see that there is more.
    buffer_ = arena.take<char>(request.bytes_max + 1, request.pool, "the file while it is read");
    cells_ = arena.take<std::string_view>(columns_.size(), request.pool, "");
    places_ = arena.take<uint32_t>(columns_max, request.pool, "");
  }

  bool changed() override {
    struct stat information {};
    const bool exists = stat(path_.c_str(), &information) == 0;
    return (exists ? version_of(information) : FileVersion{}) != version_;
  }

  LookupFault read(LookupRows& rows) override {
    size_t size = 0;
    if (const LookupFault fault = fill(size); fault.text != nullptr) return fault;
    CsvReader reader(buffer_.first(size));
    size_t count = 0;
    if (const LookupFault fault = read_header(reader, count); fault.text != nullptr) return fault;
    while (!reader.at_end()) {
      if (reader.take_line_end()) continue;
      if (const LookupFault fault = read_row(reader, count, rows); fault.text != nullptr) return fault;
    }
    return {};
  }

 private:
  LookupFault fill(size_t& size) {
    version_ = {};
    const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return {"it cannot be opened"};
    struct stat information {};
    const bool regular = fstat(file, &information) == 0 && S_ISREG(information.st_mode);
    if (regular) version_ = version_of(information);
    ssize_t got = 1;
    while (regular && got > 0 && size < buffer_.size()) {
      got = ::read(file, buffer_.data() + size, buffer_.size() - size);
      if (got > 0) size += static_cast<size_t>(got);
    }
    close(file);
    if (!regular) return {"it is no regular file"};
    if (got < 0) return {"it cannot be read"};
    return size == buffer_.size() ? LookupFault{"it is larger than max_bytes"} : LookupFault{};
  }

  /// Which of the wanted columns each column of the file is.
  LookupFault read_header(CsvReader& reader, size_t& count) {
    std::ranges::fill(places_, not_asked_for);
    uint64_t found = 0;
    do {
      const std::string_view name = reader.take_cell();
      if (name.data() == nullptr) return {"a quote is not closed", reader.line(), reader.column()};
      if (count == columns_max) return {"it has more than 256 columns", reader.line(), reader.column()};
      const auto wanted = std::ranges::find(columns_, name);
      if (wanted != columns_.end()) {
        places_[count] = static_cast<uint32_t>(wanted - columns_.begin());
        found |= uint64_t{1} << places_[count];
      }
      ++count;
    } while (reader.take_comma());
    if (!reader.take_line_end() && !reader.at_end()) return {"unexpected text behind a quote", reader.line(), reader.column()};
    const bool all = found == (columns_.size() == 64 ? UINT64_MAX : (uint64_t{1} << columns_.size()) - 1);
    return all ? LookupFault{} : LookupFault{"its first line does not name all columns that are asked for", 1, 1};
  }

  LookupFault read_row(CsvReader& reader, size_t count, LookupRows& rows) {
    const uint32_t line = reader.line();
    std::array<uint32_t, 64> columns{};
    size_t cell = 0;
    do {
      const uint32_t column = reader.column();
      const std::string_view text = reader.take_cell();
      if (text.data() == nullptr) return {"a quote is not closed", line, column};
      if (cell == count) return {"the line has more cells than the first one", line, column};
      if (places_[cell] != not_asked_for) {
        cells_[places_[cell]] = text;
        columns[places_[cell]] = column;
      }
      ++cell;
    } while (reader.take_comma());
    const uint32_t end = reader.column();
    if (!reader.take_line_end() && !reader.at_end()) return {"unexpected text behind a quote", reader.line(), end};
    if (cell < count) return {"the line has fewer cells than the first one", line, end};
    const LookupRows::Misfit misfit = rows.on_row(cells_, line);
    return {misfit.text, line, misfit.text == nullptr ? 0 : columns[misfit.cell]};
  }

  std::string path_;
  std::vector<std::string> columns_;
  std::span<char> buffer_;
  std::span<std::string_view> cells_;
  std::span<uint32_t> places_;
  FileVersion version_;
};

}  // namespace

std::unique_ptr<LookupFile> open_csv_lookup(const LookupRequest& request, Arena& arena) {
  WEIR_ASSERT(!request.columns.empty() && request.columns.size() <= 64);
  return std::make_unique<CsvLookup>(request, arena);
}

}  // namespace weir
