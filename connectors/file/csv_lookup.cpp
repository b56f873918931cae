#include "connectors/file/csv_lookup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "connectors/codecs/scalar.h"

namespace weir {
CsvLookup::CsvLookup(LookupFileSpec spec, Arena& arena, const std::string& pool)
    : spec_(std::move(spec)),
      buffer_(arena.take<char>(spec_.bytes_max + 1, pool + ".file", "the file, while it is read")),
      cells_(arena.take<CsvCell>(csv_columns_max, pool + ".file", "")),
      values_(arena.take<Value>(spec_.columns.size(), pool + ".file", "")),
      positions_(spec_.columns.size()) {
  for (const Field& column : spec_.columns) {
    SourceField& field = fields_.emplace_back();
    field.field = column;
  }
}

bool CsvLookup::changed() {
  const FileStamp now = FileStamp::of(spec_.path);
  return now == FileStamp{} || now != seen_;
}

bool CsvLookup::load(TextWriter& problem) {
  const int file = open(spec_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  size_ = 0;
  ssize_t count = 0;
  struct stat found = {};
  const bool regular = file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode);
  if (file >= 0) seen_ = FileStamp::of(found);
  if (regular) {
    while (size_ < buffer_.size() && (count = ::read(file, buffer_.data() + size_, buffer_.size() - size_)) != 0) {
      if (count < 0 && errno != EINTR) break;
      size_ += count < 0 ? 0 : static_cast<size_t>(count);
    }
  }
  const int error = errno;
  if (file >= 0) close(file);
  if (file >= 0 && !regular) {
    problem.append(spec_.path).append(" is no regular file");
    return false;
  }
  if (file < 0 || count < 0) {
    problem.append("cannot read ").append(spec_.path).append(": ").append(strerror(error));
    return false;
  }
  if (size_ <= spec_.bytes_max) return true;
  problem.append(spec_.path).append(" is larger than max_bytes, ").append_uint(spec_.bytes_max);
  return false;
}

void CsvLookup::describe_place(uint64_t line, TextWriter& problem) const {
  problem.append(spec_.path).append(':').append_uint(line).append(": ");
}

bool CsvLookup::find_columns(CsvRows& rows, TextWriter& problem) {
  size_t count = 0;
  if (!rows.next(cells_, count) || count > cells_.size()) {
    describe_place(1, problem);
    problem.append(count == 0 ? "the line with the names of the columns is missing" : "there are too many columns");
    return false;
  }
  const auto names = cells_.first(count);
  for (size_t index = 0; index < positions_.size(); ++index) {
    const std::string& wanted = spec_.columns[index].name;
    const auto found = std::ranges::find(names, std::string_view(wanted), &CsvCell::text);
    if (found == names.end()) {
      describe_place(rows.line(), problem);
      problem.append("there is no column \"").append(wanted).append("\"");
      return false;
    }
    positions_[index] = static_cast<size_t>(found - names.begin());
  }
  return true;
}

bool CsvLookup::convert_row(const CsvRows& rows, size_t cells, TextWriter& problem) {
  for (size_t index = 0; index < positions_.size(); ++index) {
    const CsvCell cell = positions_[index] < cells ? cells_[positions_[index]] : CsvCell{};
    const bool empty = cell.text.empty() && !cell.quoted;
    Scalar scalar = empty ? Scalar::null() : Scalar::of_string(cell.text);
    const bool truth = cell.text == "true" || cell.text == "false";
    if (truth && fields_[index].field.type == Type::Bool) scalar = Scalar::of_bool(cell.text == "true");
    if (Misfit misfit = convert(fields_[index], scalar, values_[index]); misfit.reason != nullptr) {
      describe_place(rows.line(), problem);
      describe(fields_[index], scalar, misfit, problem);
      return false;
    }
  }
  return true;
}

bool CsvLookup::read(FunctionRef<const char*(std::span<const Value>)> row, TextWriter& problem) {
  if (!load(problem)) return false;
  CsvRows rows(buffer_.first(size_));
  if (!find_columns(rows, problem)) return false;
  for (size_t cells = 0; rows.next(cells_, cells);) {
    if (!convert_row(rows, std::min(cells, cells_.size()), problem)) return false;
    const char* refused = rows.unfinished() ? "the file ends inside quotes" : row(values_);
    if (refused == nullptr) continue;
    describe_place(rows.line(), problem);
    problem.append(refused);
    return false;
  }
  return true;
}

}  // namespace weir
