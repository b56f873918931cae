#include "storage/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "storage/files.h"

namespace weir {

Status MappedFile::open(const std::string& path, size_t bytes, bool read_only) {
  WEIR_ASSERT(!is_open());
  // Written, not only made long: a page without a block would end the process when the disk is full.
  if (!read_only) WEIR_TRY(extend_with_zeros(path, bytes));
  const int descriptor = ::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (descriptor < 0) return {Code::Io, "cannot open the file", errno};
  void* memory = MAP_FAILED;
  if (file_bytes(path) >= bytes)
    memory = mmap(nullptr, bytes, read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  const int error = errno;
  ::close(descriptor);
  if (memory == MAP_FAILED) return {Code::Io, "cannot map the file", error};
  memory_ = {static_cast<uint8_t*>(memory), bytes};
  return {};
}

void MappedFile::close() {
  if (is_open()) munmap(memory_.data(), memory_.size());
  memory_ = {};
}

}  // namespace weir
