#include "firmware-tests/support/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace weir {

std::string read_whole_file(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  char buffer[65536];
  for (size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, size);
  std::fclose(file);
  return text;
}

Status write_whole_file(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return {Code::Io, "cannot create the file", errno};
  const bool written = text.empty() || std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return {Code::Io, "cannot write the file", errno};
  return {};
}

bool path_exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace weir
