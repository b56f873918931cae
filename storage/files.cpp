#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace weir {
namespace {

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

std::string parent_of(const std::string& path) {
  size_t end = path.find_last_not_of('/');
  size_t slash = end == std::string::npos ? std::string::npos : path.rfind('/', end);
  if (slash == std::string::npos) return end == std::string::npos ? "/" : ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_directory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Status append_zeros(int descriptor, uint64_t from, uint64_t to) {
  static uint8_t zeros[32768];  // never written to; a constant would stand in the program's file
  while (from < to) {
    const size_t count = to - from < sizeof zeros ? static_cast<size_t>(to - from) : sizeof zeros;
    WEIR_TRY(write_all(descriptor, from, {zeros, count}));
    from += count;
  }
  return {};
}

Status copy_all(int descriptor, FunctionRef<Result<size_t>(uint64_t offset, std::span<uint8_t> to)> read) {
  std::vector<uint8_t> buffer(64 << 10);
  for (uint64_t offset = 0;;) {
    Result<size_t> count = read(offset, buffer);
    if (!count.ok()) return count.status();
    if (count.value() == 0) return {};
    WEIR_TRY(write_all(descriptor, offset, std::span(buffer).first(count.value())));
    offset += count.value();
  }
}

}  // namespace

bool file_exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

bool is_regular_file(const std::string& path) {
  struct stat information = {};
  return stat(path.c_str(), &information) == 0 && S_ISREG(information.st_mode);
}

uint64_t file_bytes(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

Status make_directory(const std::string& path) {
  if (is_directory(path)) return {};
  const std::string parent = parent_of(path);
  if (!is_directory(parent)) WEIR_TRY(make_directory(parent));
  if (mkdir(path.c_str(), 0700) != 0 && !is_directory(path)) return {Code::Io, "cannot create the state directory", errno};
  return sync_directory(parent);
}

Status sync_directory(const std::string& path) {
  File directory(path, O_RDONLY | O_DIRECTORY);
  if (!directory.is_open()) return {Code::Io, "cannot open the state directory", errno};
  if (fsync(directory.descriptor()) != 0) return {Code::Io, "cannot sync the state directory", errno};
  return {};
}

Status extend_with_zeros(const std::string& path, uint64_t bytes) {
  const uint64_t present = file_bytes(path);
  if (present >= bytes) return {};
  File file(path, O_WRONLY | O_CREAT);
  if (!file.is_open()) return {Code::Io, "cannot open a file of the state directory", errno};
  Status status = append_zeros(file.descriptor(), present, bytes);
  if (fdatasync(file.descriptor()) != 0) return {Code::Io, "cannot sync a file of the state directory", errno};
  return status;
}

Status write_all(int descriptor, uint64_t at, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == ENOSPC || errno == EDQUOT))
      return {Code::Full, "the disk has no room for a file of the state directory", errno};
    if (written <= 0) return {Code::Io, "cannot write a file of the state directory", errno};
    at += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Status write_file(const std::string& path, FunctionRef<Result<size_t>(uint64_t offset, std::span<uint8_t> to)> read) {
  File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) return {Code::Io, "cannot open a file of the state directory", errno};
  WEIR_TRY(copy_all(file.descriptor(), read));
  return fdatasync(file.descriptor()) == 0 ? Status() : Status(Code::Io, "cannot sync a file of the state directory", errno);
}

}  // namespace weir
