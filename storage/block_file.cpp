#include "storage/block_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage/files.h"

namespace weir {
namespace {

class SystemBlockFile final : public BlockFile {
 public:
  SystemBlockFile(int descriptor, uint64_t size) : descriptor_(descriptor), size_(size) {}
  ~SystemBlockFile() override { close(descriptor_); }

  uint64_t size() const override { return size_; }
  Status read(uint64_t at, std::span<uint8_t> to) override;
  Status write(uint64_t at, Bytes from) override;
  Status sync() override;

 private:
  int descriptor_;
  uint64_t size_;
};

Status SystemBlockFile::read(uint64_t at, std::span<uint8_t> to) {
  WEIR_ASSERT(at <= size_ && to.size() <= size_ - at);
  while (!to.empty()) {
    const ssize_t count = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return {Code::Io, "cannot read a file of the state directory", errno};
    at += static_cast<uint64_t>(count);
    to = to.subspan(static_cast<size_t>(count));
  }
  return {};
}

Status SystemBlockFile::write(uint64_t at, Bytes from) {
  WEIR_ASSERT(at <= size_ && from.size() <= size_ - at);
  return write_all(descriptor_, at, from);
}

Status SystemBlockFile::sync() {
  return fdatasync(descriptor_) == 0 ? Status() : Status(Code::Io, "cannot sync a file of the state directory", errno);
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<BlockFile>> open_block_file(const std::string& path, BlockFileMode mode, uint64_t bytes) {
  const bool writable = mode == BlockFileMode::ReadWrite;
  if (writable) {
    const bool is_new = !file_exists(path);
    if (Status status = extend_with_zeros(path, bytes); !status.ok()) return status;
    if (is_new)
      if (Status status = sync_directory(directory_of(path)); !status.ok()) return status;
  }
  const int descriptor = open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (descriptor < 0)
    return Status(errno == ENOENT ? Code::NotFound : Code::Io, "cannot open a file of the state directory", errno);
  return std::unique_ptr<BlockFile>(std::make_unique<SystemBlockFile>(descriptor, file_bytes(path)));
}

}  // namespace weir
