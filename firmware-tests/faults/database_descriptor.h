// Which descriptor is the state database's: what the faults of a disk look at.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string_view>

namespace weir::test {

/// The database itself, or its log. No heap: it is asked from inside of system calls.
inline bool is_database(int descriptor) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path);
  return length > 0 && std::string_view(path, static_cast<size_t>(length)).find("weir.db") != std::string_view::npos;
}

}  // namespace weir::test
