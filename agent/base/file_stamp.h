// FileStamp: what tells that a file is another one than before, or has been written to: its identity, length and time of
// change. A plain value; making one costs a stat. All zero: there is no file.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace weir {

struct FileStamp {
  uint64_t device = 0, inode = 0;
  int64_t bytes = 0;
  int64_t changed_s = 0, changed_ns = 0;
  bool operator==(const FileStamp&) const = default;

  static FileStamp of(const struct stat& file) {
    return {file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
  }
  static FileStamp of(const std::string& path) {
    struct stat file = {};
    return stat(path.c_str(), &file) == 0 ? of(file) : FileStamp{};
  }
};

}  // namespace weir
